"""The gradient written out in C++ against the one that Stan derives from the program."""

import itertools

import numpy as np
import pytest

from many_wolves.errors import WolvesError
from many_wolves.families.politeness.human import human_table
from many_wolves.families.politeness.model import build
from many_wolves.inference.httpstan_engine import HttpstanProgram
from many_wolves.inference.laplace import unconditioned
from many_wolves.inference.programs import program_source, program_text

SUBSETS = [s for n in (1, 2, 3) for s in itertools.combinations(("inf", "soc", "pres"), n)]


@pytest.fixture(scope="module")
def programs():
    path = build(human_table()).program
    return HttpstanProgram.load(path), HttpstanProgram.load(path, plain=True)


@pytest.mark.slow
@pytest.mark.stan
@pytest.mark.parametrize("cost_form", ["prior", "utility"])
@pytest.mark.parametrize("utilities", [*SUBSETS, ("s1",)])
def test_the_gradient_is_that_of_the_stan_text(programs, utilities, cost_form):
    problem = build(human_table(), utilities=utilities, cost_form=cost_form)
    data = {**problem.data, **unconditioned(problem.size)}
    points = np.random.default_rng(2).normal(size=(6, problem.size)) * 0.8
    written, derived = programs
    np.testing.assert_allclose(
        written.log_density(data, points), derived.log_density(data, points), rtol=1e-12
    )
    found, expected = written.gradient(data, points), derived.gradient(data, points)
    scale = np.abs(expected).max(axis=1, keepdims=True)
    np.testing.assert_allclose(found / scale, expected / scale, atol=1e-11)


def test_only_the_named_function_gives_way_to_cpp():
    path = build(human_table()).program
    source, text = program_source(path), program_text(path)
    assert program_source(path, plain=True).text == text
    begin = source.text.index(";", source.text.index("array[] matrix speaker2("))
    end = len(source.text) - begin - 1
    assert text.startswith(source.text[:begin]) and text.endswith(source.text[-end:])
    body = text[begin : len(text) - end].strip()
    assert body.startswith("{") and body.endswith("}") and body.count("{") == body.count("}")


def test_cpp_for_a_function_that_is_not_there_is_an_error(tmp_path):
    (tmp_path / "a.stan").write_text("functions {\n#include b.stanfunctions\n}\n")
    (tmp_path / "b.stanfunctions").write_text("real f(real x) {\n  return x;\n}\n")
    (tmp_path / "b.hpp").write_text("// replaces: g\n")
    with pytest.raises(WolvesError, match="no function g"):
        program_source(tmp_path / "a.stan")
