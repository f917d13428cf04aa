"""The gradient written out in C++ against the one that Stan derives from the program."""

import itertools
import re

import numpy as np
import pytest

from many_wolves.errors import WolvesError
from many_wolves.families.politeness.human import human_table
from many_wolves.families.politeness.options import Priors
from many_wolves.families.politeness.problem import build
from many_wolves.inference.httpstan_engine import HttpstanProgram
from many_wolves.inference.laplace import Gaussian, unconditioned
from many_wolves.inference.programs import program_source, program_text

SUBSETS = [s for n in (1, 2, 3) for s in itertools.combinations(("inf", "soc", "pres"), n)]

UNEVEN = Priors(alpha=(2.0, 3.0), cost=(1.5, 2.5), phi=(2.0, 0.7), weights=(1.5, 2.0, 0.8))


@pytest.fixture(scope="module")
def programs():
    path = build(human_table()).program
    return HttpstanProgram.load(path), HttpstanProgram.load(path, plain=True)


CASES = [
    *itertools.product([*SUBSETS, ("s1",)], ["prior", "utility"], ["joint"], [None], [False]),
    *itertools.product([SUBSETS[-1]], ["prior", "utility"], ["fixed"], [None, UNEVEN], [False]),
    (SUBSETS[-1], "prior", "joint", UNEVEN, False),
    (SUBSETS[0], "prior", "joint", UNEVEN, False),
    (SUBSETS[-1], "prior", "joint", None, True),
]


@pytest.mark.slow
@pytest.mark.stan
@pytest.mark.parametrize(("utilities", "cost_form", "literal", "priors", "mapped"), CASES)
def test_the_gradient_is_that_of_the_stan_text(
    programs, utilities, cost_form, literal, priors, mapped
):
    problem = build(
        human_table(), utilities=utilities, cost_form=cost_form, literal=literal, priors=priors
    )
    rng = np.random.default_rng(2)
    size = problem.size
    given = unconditioned(size)
    if mapped:
        scale = np.linalg.cholesky(np.cov(rng.normal(size=(size, 4 * size))))
        given = Gaussian(rng.normal(size=size) / 4, scale, ()).data()
    data = {**problem.data, **given}
    points = rng.normal(size=(6, size)) * 0.8
    written, derived = programs
    with written.opened(data) as ours, derived.opened(data) as stans:
        np.testing.assert_allclose(ours.densities(points), stans.densities(points), rtol=1e-12)
        found, expected = ours.gradients(points)[1], stans.gradients(points)[1]
    scale = np.abs(expected).max(axis=1, keepdims=True)
    np.testing.assert_allclose(found / scale, expected / scale, atol=1e-11)


def test_only_the_named_functions_give_way_to_cpp():
    path = build(human_table()).program
    written, text = program_source(path).text, program_text(path)
    assert program_source(path, plain=True).text == text
    for name in ("array[] matrix speaker2(", "real log_speaker2("):
        at = written.index(name)
        begin = written.index(";", at)
        assert text[:begin] == written[:begin]
        body = re.match(r"\s*\{.*?^\}", text[begin:], re.DOTALL | re.MULTILINE).group()
        assert body.count("{") == body.count("}")
        text = f"{text[:begin]};{text[begin + len(body) :]}"
    assert text == written


def test_cpp_for_a_function_that_is_not_there_is_an_error(tmp_path):
    (tmp_path / "a.stan").write_text("functions {\n#include b.stanfunctions\n}\n")
    (tmp_path / "b.stanfunctions").write_text("real f(real x) {\n  return x;\n}\n")
    (tmp_path / "b.hpp").write_text("// replaces: g\n")
    with pytest.raises(WolvesError, match="no function g"):
        program_source(tmp_path / "a.stan")
