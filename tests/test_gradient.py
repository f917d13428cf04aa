"""What is written out in C++ against what Stan derives from the same functions in Stan."""

import itertools
from pathlib import Path

import numpy as np
import pytest

import many_wolves as mw
from densities import gradient, log_density, points_of
from many_wolves import inference
from many_wolves.errors import WolvesError
from many_wolves.families.politeness.model.item_effects import EFFECTS
from many_wolves.families.politeness.model.problem import build
from many_wolves.families.politeness.options import Priors
from many_wolves.families.politeness.reading.human import human_table
from many_wolves.inference.engines.embedded import EmbeddedProgram
from many_wolves.inference.engines.programs import program_source

STAN = Path(__file__).parent / "stan"
IN_STAN = {path.name: path for path in STAN.glob("*.stanfunctions")}
SUBSETS = [s for n in (1, 2, 3) for s in itertools.combinations(("inf", "soc", "pres"), n)]
UNEVEN = Priors(alpha=(2.0, 3.0), cost=(1.5, 2.5), phi=(2.0, 0.7), weights=(1.5, 2.0, 0.8))


@pytest.fixture(scope="module")
def programs():
    path = build(human_table()).program
    return inference.load(path), EmbeddedProgram.load(program_source(path, IN_STAN))


CASES = [
    *itertools.product([*SUBSETS, ("s1",)], ["prior", "utility"], ["joint"], [Priors()]),
    *itertools.product([SUBSETS[-1]], ["prior", "utility"], ["fixed"], [Priors(), UNEVEN]),
    (SUBSETS[-1], "prior", "joint", UNEVEN),
    (SUBSETS[0], "prior", "joint", UNEVEN),
]


@pytest.mark.slow
@pytest.mark.stan
@pytest.mark.parametrize(("utilities", "cost_form", "literal", "priors"), CASES)
def test_density_and_gradient_are_those_of_the_stan_text(
    programs, utilities, cost_form, literal, priors
):
    problem = build(
        human_table(), utilities=utilities, cost_form=cost_form, literal=literal, priors=priors
    )
    ours, stans = programs
    points = points_of(ours, problem, 6, seed=2)
    np.testing.assert_allclose(
        log_density(ours, problem, points), log_density(stans, problem, points), rtol=1e-12
    )
    found, expected = (gradient(program, problem, points) for program in programs)
    scale = np.abs(expected).max(axis=1, keepdims=True)
    np.testing.assert_allclose(found / scale, expected / scale, atol=1e-11)


@pytest.mark.slow
@pytest.mark.stan
@pytest.mark.parametrize("likelihood", ["item", *EFFECTS])
def test_likelihoods_by_item_are_those_of_the_stan_text(programs, likelihood):
    table = mw.data("zhao2025").of("gpt-4o-2024-11-20")
    problem = build(table, literal="fixed", likelihood=likelihood)
    ours, stans = programs
    points = points_of(ours, problem, 3, seed=5)
    np.testing.assert_allclose(
        log_density(ours, problem, points), log_density(stans, problem, points), rtol=1e-11
    )
    found, expected = (gradient(program, problem, points) for program in programs)
    scale = np.abs(expected).max(axis=1, keepdims=True)
    np.testing.assert_allclose(found / scale, expected / scale, atol=1e-10)


@pytest.mark.stan
@pytest.mark.parametrize("cost_form", ["prior", "utility"])
@pytest.mark.parametrize("literal", ["joint", "fixed"])
def test_the_gradient_is_the_slope_of_the_density(cost_form, literal):
    problem = build(human_table(), literal=literal, cost_form=cost_form)
    program = inference.load(problem.program)
    points = points_of(program, problem, 1, seed=4, spread=0.4)
    step = 1e-5 * np.eye(points.shape[1])
    upper, lower = (log_density(program, problem, points + sign * step) for sign in (1, -1))
    np.testing.assert_allclose(
        gradient(program, problem, points)[0], (upper - lower) / 2e-5, rtol=1e-5, atol=1e-4
    )


def test_only_declared_functions_are_taken_from_cpp():
    path = build(human_table()).program
    source = program_source(path)
    for name in ("speaker2(", "speaker2_log_lik(", "judgments_probit("):
        assert f" {name}" in source.cpp
    in_stan = program_source(path, IN_STAN)
    assert in_stan.cpp == ""


def test_an_included_file_that_is_missing_is_named(tmp_path):
    (tmp_path / "a.stan").write_text("functions {\n#include b.stanfunctions\n}\n")
    with pytest.raises(WolvesError, match=r"'b.stanfunctions' is not in") as raised:
        program_source(tmp_path / "a.stan")
    assert raised.value.line == 2
