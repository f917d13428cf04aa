"""Models of bargaining in Stan: densities against NumPy, weights found again, pages."""

from __future__ import annotations

import importlib.util
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import bargaining_oracle as oracle
from bargaining_chains import FAMILY, MODELS, openings
from densities import log_density, points_of
from many_wolves import inference
from many_wolves.families.bargaining.model.begun_games import read_games
from many_wolves.families.bargaining.model.made_choices import read_chosen
from many_wolves.families.bargaining.model.steps import fitting_steps
from many_wolves.families.bargaining.simulation import concession
from many_wolves.families.bargaining.simulation import outcomes as ends
from many_wolves.families.bargaining.simulation.games import simulate_games

ROOT = Path(__file__).parent.parent
CONCEDES = {"concession": {"opening": 0.9, "walk": -2, "back": -2, "concede": 0.5}}
WANTS = {"values": {"own": 0.54, "fair": 0.2, "deal": 0.26}}
LEVELS = {"sample": 8, "games": 3, "groups": ["Plain", "Kind"], "arms": ["none", "constant"]}
"""Few chains, but of every level: groups, role prompts, chains of several games."""

stan = [pytest.mark.slow, pytest.mark.stan]


def in_chains():
    return simulate_games(openings("improvement", **LEVELS), CONCEDES)


def people():
    return FAMILY.references()["he2018-bargaining"].load().of("people")


def differences(name, expected, observations, points=3, spread=0.5, **options):
    """Log densities of the program less those of the oracle."""
    problem = MODELS[name].problem(observations, **options)
    program = inference.load(problem.program, "httpstan")
    x = points_of(program, problem, points, seed=1, spread=spread)
    wanted = [expected(problem, observations, point, **options) for point in x]
    return log_density(program, problem, x) - wanted


class TestSteps:
    def test_a_price_between_the_steps_has_a_finer_one(self):
        gap, step, own = np.array([0.4, 0.1]), np.array([0.1, 0.1]), np.array([0.9, 0.9])
        demand, move = np.array([0.7, 0.85]), np.array(["offer", "offer"])
        found, kind, wrong = fitting_steps(gap, step, own, demand, move)
        assert found.tolist() == [0.1, 0.05]
        assert [concession.KINDS[k] for k in kind] == ["split", "split"]
        assert not wrong.any()

    def test_every_published_move_is_possible(self):
        from many_wolves.families.bargaining.model.concession import _Masked
        from many_wolves.families.bargaining.model.made_moves import read_moves
        from many_wolves.families.bargaining.simulation import concession as simulator

        moves = read_moves(people(), "none")
        P, zero = len(moves.covariates.names), np.zeros(len(moves.decisions))
        known = simulator.Parameters(np.zeros((5, 1 + P)), np.zeros(1 + P), 0.6)
        rows = simulator.row_log_likelihood(
            _Masked.of(moves), known, np.zeros((zero.size, 5)), zero, zero, moves.kind,
            moves.fraction,
        )  # fmt: skip
        assert np.isfinite(rows).all()
        assert 0 < moves.finer < 0.02 * zero.size


class TestTalks:
    """Hope differs between games only where there is something to hope for."""

    def test_probes_are_no_units_of_hope(self):
        wants = {"values": {"own": 0.54, "fair": 0.2, "deal": 0.26}}
        partners = ["fixed", "told", "below"]
        games = simulate_games(openings("values", sample=6, partners=partners), wants)
        chosen = read_chosen(games)
        talk = np.array([kind == "talk" for kind in chosen.at.kind])
        assert len(chosen.decisions.levels.games) == 6
        assert len(chosen.levels.games) == 2
        assert set(chosen.levels.game[talk]) == {0, 1}
        first, which = chosen.alike
        np.testing.assert_array_equal(
            chosen.covariates.matrix[first][which], chosen.covariates.matrix
        )


class TestShares:
    """A deal has one share of the grid, also where half the pie lies between two prices."""

    STEPS = (10, 11)

    def ends(self, steps, games):
        one = np.ones(games)
        atoms = np.column_stack([0.5 * one, 0.0 * one, np.nan * one])
        return ends.Ends(np.empty((games, 0)), one.astype(int), one / steps, 0.0 * one, atoms)

    def known(self):
        return ends.Parameters(
            np.array([30.0, 0.0]), np.array([30.0]), np.array([-0.3]), 0.4,
            np.array([0.5, 0.25, 0.15, 0.1]),
        )  # fmt: skip

    @pytest.mark.parametrize("steps", STEPS)
    def test_their_probabilities_sum_to_one(self, steps):
        grid = np.arange(np.rint(-0.5 * steps), np.rint(1.5 * steps) + 1) / steps
        at = self.ends(steps, len(grid))
        found = ends.share_log_probability(at, self.known(), ends.Shifts.none(len(grid)), grid)
        assert np.exp(found).sum() == pytest.approx(1)

    @pytest.mark.parametrize("steps", STEPS)
    def test_they_are_drawn_as_often(self, steps):
        n = 40_000
        at, none = self.ends(steps, n), ends.Shifts.none(n)
        share = ends.draw(at, self.known(), none, np.random.default_rng(3))[2]
        each, times = np.unique(share.round(9), return_counts=True)
        among = self.ends(steps, len(each))
        p = np.exp(
            ends.share_log_probability(among, self.known(), ends.Shifts.none(len(each)), each)
        )
        assert (np.abs(times / n - p) < 4 * np.sqrt(p / n) + 1e-4).all()


def test_giving_in_is_the_same_atom_in_both_roles():
    games = simulate_games(openings(sample=12), {"concession": {"opening": 0.9}})
    at = read_games(games)
    seller = (at.frame["role"] == "seller").to_numpy()
    known = np.isfinite(at.at.atoms[:, 1:]).all(axis=1)
    assert (known & seller).any() and (known & ~seller).any()
    # The other's opening leaves less than the own one, whoever sells.
    assert (at.at.atoms[known, 1] < at.at.atoms[known, 2]).all()


class TestEnds:
    """All ends of a game together: when, with a deal at a share, by leaving, or cut."""

    def known(self, rng):
        atoms = rng.dirichlet(np.ones(4))
        return ends.Parameters(
            rng.normal(size=2), rng.normal(size=1), rng.normal(size=1), 0.3, atoms
        )

    def ends(self, n, rounds, steps=11):
        one = np.ones(n)
        atoms = np.column_stack([0.5 * one, 0.2 * one, np.nan * one])
        at = ends.Ends(np.empty((n, 0)), rounds * one.astype(int), one / steps, 0.2 * one, atoms)
        return at, ends.Shifts.none(n)

    @pytest.mark.parametrize("rounds", [1, 4])
    def test_probabilities_sum_to_one_and_draws_follow_them(self, rounds):
        rng = np.random.default_rng(rounds)
        p = self.known(rng)
        at, _ = self.ends(1, rounds)
        grid = at.origin[0] + at.step[0] * np.arange(-9, 16)
        every = [(t, 0, np.nan) for t in range(1, rounds + 1)]
        every += [(t, 1, share) for t in range(1, rounds + 1) for share in grid]
        last, ended, share = map(np.array, zip(*every, (rounds, -1, np.nan), strict=True))
        at, none = self.ends(len(last), rounds)
        log_p = ends.row_log_likelihood(at, p, none, last, ended, share)
        each = np.exp(log_p)
        assert each.sum() == pytest.approx(1)
        n = 20_000
        at, none = self.ends(n, rounds)
        last, ended, share = ends.draw(at, p, none, rng)
        drawn = ends.row_log_likelihood(at, p, none, last, ended, share)
        mean = (each * np.where(each > 0, log_p, 0)).sum()
        sd = np.sqrt((each * np.where(each > 0, log_p - mean, 0) ** 2).sum())
        assert abs(drawn.mean() - mean) < 4 * sd / np.sqrt(n)


class TestDensities:
    pytestmark = stan

    @pytest.mark.parametrize("options", [{}, {"memory": "gap"}, {"memory": "none"}])
    def test_concession(self, options):
        found = differences("concession", oracle.of_concession, in_chains(), **options)
        np.testing.assert_allclose(found, 0, atol=1e-8)

    def test_concession_of_people(self):
        found = differences("concession", oracle.of_concession, people(), 1)
        np.testing.assert_allclose(found, 0, atol=1e-8)

    @pytest.mark.parametrize("options", [{}, {"reciprocity": False}])
    def test_aspiration(self, options):
        found = differences("aspiration", oracle.of_aspiration, in_chains(), **options)
        np.testing.assert_allclose(found, 0, atol=1e-8)

    def test_aspiration_far_below_what_is_offered(self):
        # Offers above a floor that lies tens of standard deviations above the aspiration.
        found = differences("aspiration", oracle.of_aspiration, in_chains(), spread=2.5)
        assert np.isfinite(found).all()
        np.testing.assert_allclose(found, 0, atol=1e-3)

    @pytest.mark.parametrize(
        "options",
        [{}, {"fair": "inequity"}, {"fair": "smooth"}, {"fair": "none"}, {"deal": False},
         {"fair": "none", "deal": False}],
    )  # fmt: skip
    def test_values(self, options):
        games = simulate_games(openings("values", sample=40), WANTS)
        found = differences("values", oracle.of_values, games, **options)
        np.testing.assert_allclose(found, 0, atol=1e-8)

    @pytest.mark.parametrize("options", [{}, {"kind": False}])
    def test_kind_words(self, options):
        script = benchmark("calibrate_bargaining")
        small = script.MODELS["kind-words"]
        replies = script.replied(replace(small, design={**small.design, "groups": "Plain,Kind"}))
        found = differences("kind-words", oracle.of_words, replies, **options)
        np.testing.assert_allclose(found, 0, atol=1e-8)

    @pytest.mark.parametrize("who", ["chains", "people"])
    def test_outcomes(self, who):
        observations = in_chains() if who == "chains" else people()
        problem = MODELS["outcomes"].problem(observations)
        program = inference.load(problem.program, "httpstan")
        # Near the prior's middle: in the far tail the program floors a share's probability.
        x = points_of(program, problem, 2, seed=1, spread=0.1)
        with program.open(problem.data) as model:
            found = model.log_density(x)
            first = list(model.param_names).index("atom.1")
            free = [n for n, name in enumerate(model.param_unc_names) if name.startswith("atom")]

            def atoms(point):
                return model.param_constrain(point[None])[0, first : first + 4]

            for point, density in zip(x, found, strict=True):
                steps = 1e-6 * np.eye(x.shape[1])[free]
                columns = [(atoms(point + s) - atoms(point - s))[:3] / 2e-6 for s in steps]
                jacobian = np.log(abs(np.linalg.det(np.column_stack(columns))))
                wanted = oracle.of_outcomes(problem, observations, point, atoms(point), jacobian)
                assert density == pytest.approx(wanted, abs=1e-3)


@pytest.mark.slow
@pytest.mark.stan
def test_weights_are_found_again_from_240_games_with_probes():
    import pandas as pd

    script = benchmark("bargaining_weights")
    table = script.errors(pd.concat([script.weights(seed) for seed in (1, 2, 3, 4)]))
    assert (table["rmse"] <= table["bound"]).all(), table.to_string()
    assert (table["inside 95 %"] >= 3).all(), table.to_string()


@pytest.mark.slow
def test_without_failed_games_a_harmful_critic_looks_helpful():
    script = benchmark("bargaining_truth")
    [deals, chains] = script.survivors(script.Studies(), 60)
    for found in (deals, chains):
        assert found["truth"] < -0.05
        assert found["truth"] + found["bias"] > 0.05
        assert found["sign right"] <= found["without 0"] / 4


def benchmark(name):
    spec = importlib.util.spec_from_file_location(name, ROOT / "benchmarks" / f"{name}.py")
    script = importlib.util.module_from_spec(spec)
    import sys

    sys.modules[name] = script
    spec.loader.exec_module(script)
    return script
