"""What is tried where a verdict is bad: more draws of the same chains, smaller steps, tempering."""

from dataclasses import dataclass, replace
from types import SimpleNamespace

import numpy as np
import pytest

from many_wolves import inference
from many_wolves.families.politeness.model import PoliteSpeaker
from many_wolves.families.politeness.model.problem import build
from many_wolves.families.politeness.reading.human import human_table
from many_wolves.inference.engines.draws import SAMPLER_COLUMNS, Draws
from many_wolves.inference.engines.embedded_build import engine_version
from many_wolves.inference.sampling import extend as more
from many_wolves.inference.sampling import retry as careful
from many_wolves.inference.sampling import tempering
from many_wolves.inference.sampling.diagnostics import Diagnostics
from many_wolves.inference.sampling.effort import allowance, steps_of
from many_wolves.inference.sampling.modes import Gaussian
from many_wolves.inference.settings import Settings

SHORT = Settings(chains=2, warmup=200, draws=150, seed=3)
NAMES = PoliteSpeaker.parameters


@pytest.fixture(scope="module")
def program():
    return inference.load(build(human_table()).program, "httpstan")


@pytest.fixture(scope="module")
def fixed(program):
    return inference.fit(build(human_table(), literal="fixed"), program, NAMES, SHORT)


CASES = [
    # divergences, R-hat, times the draws asked for, target, tempered before, can be tempered.
    # An R-hat of 1.5 stands for chains in different modes.
    (3, 1.005, 1, 0.80, False, True, "in_smaller_steps"),
    (3, 1.500, 1, 0.80, False, True, "_anew"),
    (3, 1.500, 2, 0.99, False, True, "_tempered"),
    (3, 1.500, 2, 0.99, False, False, "_anew"),
    (3, 1.500, 16, 0.99, False, False, None),
    (0, 1.050, 1, 0.80, False, True, "longer"),
    (0, 1.005, 2, 0.80, False, True, "longer"),
    (0, 1.015, 4, 0.80, False, True, "longer"),
    (0, 1.250, 1, 0.80, False, True, "longer"),
    (0, 1.250, 4, 0.80, False, True, "_tempered"),
    (0, 1.050, 4, 0.80, False, True, "_tempered"),
    (0, 1.015, 16, 0.80, False, True, "_tempered"),
    (0, 1.500, 1, 0.80, False, True, "_tempered"),
    (0, 1.500, 1, 0.80, False, False, "_anew"),
    (2, 1.500, 4, 0.99, True, True, "_tempered"),
    (2, 1.500, 16, 0.99, True, True, None),
]


@pytest.mark.parametrize(
    ("diverged", "r_hat", "times", "target", "before", "can", "expected"), CASES
)
def test_what_comes_next(diverged, r_hat, times, target, before, can, expected, monkeypatch):
    for name in ("in_smaller_steps", "longer", "_anew", "_tempered"):
        monkeypatch.setattr(careful, name, lambda *_, called=name, **__: called)
    done = SimpleNamespace(
        diagnostics=SimpleNamespace(
            divergences=diverged, max_r_hat=r_hat, chains_apart=("w_inf",) if r_hat > 1.4 else ()
        ),
        settings=Settings(draws=times * 500, adapt_delta=target),
        problem=SimpleNamespace(tempered=(lambda power: {}) if can else None),
        draws=SimpleNamespace(adapted=("one",)),
        tempered=before,
    )
    assert careful._next(done, None, (), print, longest=2000) == expected


@pytest.mark.parametrize("size", [3, 150])
def test_draws_give_a_preconditioner_only_if_there_are_few_parameters(size):
    scale = np.diag(np.linspace(0.5, 2.0, size))
    x = np.random.default_rng(1).normal(size=(2, 1000, size)) @ scale
    given = Gaussian(np.ones(size), np.eye(size), ())
    done = SimpleNamespace(
        diagnostics=SimpleNamespace(max_r_hat=1.01),
        draws=SimpleNamespace(x=x, flat=x.reshape(-1, size)),
        gaussian=given,
    )
    found = careful.learnt(done)
    if size == 3:
        assert found.scale == pytest.approx(scale, abs=0.2)
        assert found.centre == pytest.approx(0, abs=0.2)
    else:
        assert found is given


@dataclass(frozen=True)
class Attempt:
    """A fit whose draws diverge however small the steps are."""

    diagnostics: Diagnostics
    steps: float
    draws: Draws
    settings: Settings
    seconds: float = 1.0
    cpu_seconds: float = 1.0


def of_length(path, draws=800):
    sampler = np.zeros((2, draws, len(SAMPLER_COLUMNS)))
    sampler[:, :, SAMPLER_COLUMNS.index("n_leapfrog__")] = path
    return Draws(np.zeros((2, draws, 1)), sampler, 1.0, "none")


@pytest.mark.parametrize(("path", "further"), [(3, 4), (30, 2), (127, 1)])
def test_a_fit_ends_that_no_attempt_makes_good(path, further, monkeypatch):
    bad = Diagnostics(False, ("3 draws diverged.",), 3, 1.0, 1.0, 1.0, 1.0, 0, 2, 800, "", ())
    draws, asked = of_length(path), Settings(chains=2, warmup=500, draws=800, max_depth=7)
    first = Attempt(bad, steps_of(draws, warmup=500), draws, asked)
    assert first.steps == 2 * 1300 * path
    begun = []

    def halved(done, *_, **__):
        begun.append(2 * done.steps)
        return replace(first, steps=begun[-1])

    monkeypatch.setattr(careful, "fit", lambda *_, **__: first)
    monkeypatch.setattr(careful, "_next", halved)
    problem = SimpleNamespace(refused=None)
    done = careful.fit_with_retries(problem, None, (), asked)
    most = allowance(asked)
    assert most == 2 * 1300 * 128
    assert len(begun) == further
    assert sum(begun[:-1]) <= most and sum(begun) + begun[-1] > most
    assert not done.diagnostics.ok
    assert "332,800 leapfrog steps" in done.diagnostics.verdict[-1]
    assert done.cpu_seconds == 1 + further


@pytest.mark.parametrize("good", [True, False])
def test_a_quick_look_says_that_nothing_was_retried(good, monkeypatch):
    words = () if good else ("3 draws diverged.",)
    judged = Diagnostics(good, words, 3, 1.0, 1.0, 1.0, 1.0, 0, 2, 100, "", ())
    asked = Settings(chains=2, warmup=100, draws=100)
    first = Attempt(judged, 1.0, of_length(3, 100), asked)
    monkeypatch.setattr(careful, "fit", lambda *_, **__: first)
    done = careful.fit_with_retries(SimpleNamespace(refused=None), None, (), asked)
    said = " ".join(done.diagnostics.verdict)
    assert ("Fewer than 1,600 draws" in said and "--draws 800" in said) is not good


@pytest.mark.stan
def test_an_extension_counts_its_own_steps(fixed, program):
    whole = fixed.draws.statistic("n_leapfrog__")
    assert fixed.steps == pytest.approx(whole.sum() * (1 + 200 / 150))
    longer = more.longer(fixed, program, NAMES, print)
    assert longer.steps == longer.draws.statistic("n_leapfrog__")[:, 150:].sum()


@pytest.mark.stan
def test_longer_chains_begin_with_the_draws_at_hand(fixed, program):
    half = more.longer(fixed, program, NAMES, print, 0.5)
    assert half.draws.x.shape[:2] == (2, 225)
    longer = more.longer(fixed, program, NAMES, print)
    assert longer.settings == replace(fixed.settings, draws=300)
    assert longer.diagnostics.draws == 300
    np.testing.assert_array_equal(longer.draws.x[:, :150], fixed.draws.x)
    again = more.longer(longer, program, NAMES, print)
    values = again.draws.x[:, :, 0]
    assert len(np.unique(values)) > 0.9 * values.size
    assert longer.cpu_seconds < fixed.cpu_seconds


@pytest.mark.stan
def test_smaller_steps_are_half_as_long_and_take_the_place_of_the_draws(fixed, program):
    smaller = more.in_smaller_steps(fixed, program, NAMES, print)
    assert smaller.settings == fixed.settings and smaller.halvings == 1
    assert smaller.draws.x.shape == fixed.draws.x.shape
    step = [done.draws.statistic("stepsize__")[:, -1] for done in (smaller, fixed)]
    np.testing.assert_allclose(step[0], step[1] / 2)
    assert (
        smaller.draws.statistic("n_leapfrog__").mean()
        > fixed.draws.statistic("n_leapfrog__").mean()
    )
    assert not np.isin(smaller.draws.x, fixed.draws.x).all()


@pytest.mark.stan
def test_cut_chains_go_on_with_other_meanings(program):
    problem = build(human_table(), literal="cut")
    few = replace(SHORT, warmup=100, draws=40)
    first = inference.fit(problem, program, NAMES, few)
    longer = more.longer(first, program, NAMES, print)
    theta = longer.tree["posterior"]["theta"].to_numpy()[:, :, 0, 0]
    assert theta.shape == (2, 80)
    assert not np.isin(theta[:, 40:], theta[:, :40]).any()


@pytest.mark.slow
@pytest.mark.stan
def test_tempered_ensembles_find_the_posterior_of_the_chains(fixed, program):
    plain = inference.fit(
        fixed.problem, program, NAMES, replace(SHORT, draws=500), gaussian=fixed.gaussian
    )
    done = careful._tempered(fixed, program, NAMES, 200, print)
    assert done.tempered and done.settings.draws == 200 and done.settings.adapt_delta == 0.99
    assert sum("round trips" in words for words in done.diagnostics.engine_messages) == 2
    assert np.isnan(done.diagnostics.min_e_bfmi)
    for name in ("alpha", "cost"):
        a, b = (one.tree["posterior"][name].to_numpy() for one in (done, plain))
        assert abs(a.mean() - b.mean()) < 0.4 * b.std()
        assert abs(np.log(a.std() / b.std())) < 0.4
    assert np.isfinite(done.tree["posterior"]["s2"].to_numpy()).all()


@pytest.mark.stan
def test_tempered_draws_name_the_engine_that_made_them(fixed, program, monkeypatch):
    for name, few in (("WARMUP", 30), ("TRIAL", 5), ("POWERS", 3)):
        monkeypatch.setattr(tempering, name, few)
    by_cmdstan = replace(fixed, engine="CmdStan 2.36.0")
    done = careful._tempered(by_cmdstan, program, NAMES, 10, print)
    assert done.engine == f"{engine_version()}, tempered"
