"""Many speakers at once: the density of the recursion, pooling that helps, tables joined."""

import json

import numpy as np
import pandas as pd
import pytest

from densities import log_density, points_of
from many_wolves import inference
from many_wolves.cli import run, wolves
from many_wolves.errors import WolvesError
from many_wolves.families import get
from many_wolves.families.politeness.model import PoliteHierarchy
from many_wolves.families.politeness.model.problem import build
from many_wolves.families.politeness.model.recursion import (
    Condition,
    Lexicon,
    phi_quadrature,
    speaker1,
    speaker2,
)
from many_wolves.families.politeness.options import NODES
from many_wolves.families.politeness.reading.human import literal_counts
from many_wolves.families.politeness.simulation.human_lexicon import human_lexicon
from many_wolves.inference.settings import Settings
from many_wolves.observations import Observations
from many_wolves.workflows.data import joined, load
from many_wolves.workflows.models import pooled_model, single_model

GOALS = ("informative", "social")
WEIGHTS = ("w_inf", "w_soc", "w_pres")
COLUMNS = ["speaker", "goal", "framing", "state", "utterance", "count"]


START = {
    "informative": {"w_inf": 0.50, "w_soc": 0.05, "w_pres": 0.45, "phi": 0.70},
    "social": {"w_inf": 0.35, "w_soc": 0.45, "w_pres": 0.20, "phi": 0.55},
}
END = {
    "informative": {"w_inf": 0.22, "w_soc": 0.01, "w_pres": 0.77, "phi": 0.50},
    "social": {"w_inf": 0.15, "w_soc": 0.26, "w_pres": 0.59, "phi": 0.39},
}
"""The weights of people, to which the checkpoints drift."""


def together(*paths):
    return joined([load(path) for path in paths], [str(path) for path in paths])


def drifting(checkpoint, of):
    """Weights by goal that move in a straight line over training."""
    t = checkpoint / (of - 1)
    return {
        goal: {name: (1 - t) * START[goal][name] + t * END[goal][name] for name in START[goal]}
        for goal in GOALS
    }


def checkpoints(number, each, seed=0):
    """Choices of simulated checkpoints, ``each`` a goal and state, and the weights behind them."""
    rng = np.random.default_rng(seed)
    lexicon, utterances, states = human_lexicon()
    rows, truth = [], {}
    for n in range(number):
        weights = drifting(n, number)
        S2 = speaker2(
            lexicon,
            5.5 + 0.4 * rng.normal(),
            3.0,
            [Condition(**w) for w in weights.values()],
            *phi_quadrature(64),
        )
        name = f"step{n}"
        truth[name] = weights
        for c, goal in enumerate(GOALS):
            for s, state in enumerate(states):
                drawn = rng.multinomial(each, S2[c, s])
                rows += [
                    (name, goal, "first", state, u, k)
                    for u, k in zip(utterances, drawn, strict=True)
                ]
    return Observations.from_rows("politeness", pd.DataFrame(rows, columns=COLUMNS)), truth


@pytest.fixture(scope="module")
def table():
    return checkpoints(10, 6)


@pytest.fixture(scope="module")
def program(table):
    return inference.load(PoliteHierarchy().problem(table[0]).program, "httpstan")


def unpacked(x, problem):
    """Coordinates (G, 2 + C * R) of all speakers from unconstrained x, straight from the text."""
    from scipy.stats import norm

    data = problem.data
    G, C, F = data["G"], data["C"], data["F"]
    R = len(problem.coords["within"])
    H, N = 2 + C * R, 2 + R
    if data["pooling"] == 0:
        return x.reshape(G, H)
    if data["pooling"] == 2:
        return np.tile(x, (G, 1))
    take = iter(np.split(x, np.cumsum([H, N * (F > 1), N, R * (C > 1), N * F * (F > 1), N * G])))
    middle, sd_group, sd_speaker, sd_cell, group, speaker = (next(take) for _ in range(6))
    cell = next(take)
    sds = [-data["spread"] * norm.logsf(sd) for sd in (sd_group, sd_speaker, sd_cell)]
    kind = np.array([0, 1, *(2 + r for _ in range(C) for r in range(R))])
    each = np.empty((G, H))
    for g in range(G):
        effect = sds[1] * speaker[g * N : (g + 1) * N]
        if F > 1:
            f = data["group"][g] - 1
            effect = effect + sds[0] * group[f * N : (f + 1) * N]
        each[g] = middle + effect[kind]
        if C > 1:
            each[g, 2:] += np.tile(sds[2], C) * cell[g * C * R : (g + 1) * C * R]
    return each


def expected_density(x, problem, utilities):
    """Prior and likelihood of x from the NumPy recursion."""
    from scipy.stats import norm

    data, R = problem.data, len(problem.coords["within"])
    counts = np.array(data["counts"]).transpose(0, 1, 3, 2)
    total = norm.logpdf(x).sum()
    for g, row in enumerate(unpacked(x, problem)):
        lexicon = Lexicon(
            np.array(data["theta_given"][g]),
            np.array(data["negated"], dtype=bool),
            np.array(data["value"]),
        )
        alpha, cost = 20 * norm.cdf(row[0]), 1 + 9 * norm.cdf(row[1])
        if utilities == ("s1",):
            S = speaker1(lexicon, alpha, cost, norm.cdf(row[2:]))
        else:
            conditions = []
            for at in row[2:].reshape(data["C"], R):
                rest, w = 1.0, {}
                for k, name in enumerate(utilities[:-1]):
                    left = norm.cdf(-at[k]) ** (1 / (len(utilities) - 1 - k))
                    w[name], rest = rest * (1 - left), rest * left
                w[utilities[-1]] = rest
                phi = norm.cdf(at[-1]) if "pres" in utilities else 0.5
                conditions.append(
                    Condition(w.get("inf", 0), w.get("soc", 0), w.get("pres", 0), phi)
                )
            S = speaker2(lexicon, alpha, cost, conditions, *phi_quadrature(NODES))
        total += (counts[g] * np.log(S)).sum()
    return total


@pytest.mark.slow
@pytest.mark.stan
@pytest.mark.parametrize("pooling", ["none", "partial", "complete"])
@pytest.mark.parametrize("utilities", [("inf", "soc", "pres"), ("inf", "soc"), ("soc",), ("s1",)])
def test_the_density_is_that_of_the_recursion(program, pooling, utilities):
    answered, _ = checkpoints(4, 5)
    groups = {f"step{n}": "early" if n < 2 else "late" for n in range(4)}
    for given in ({}, groups):
        problem = PoliteHierarchy().problem(
            answered, pooling=pooling, utilities=utilities, groups=given
        )
        points = points_of(program, problem, 2, seed=1)
        found = log_density(program, problem, points)
        expected = [expected_density(x, problem, utilities) for x in points]
        np.testing.assert_allclose(found, expected, rtol=1e-9)


@pytest.mark.slow
@pytest.mark.stan
def test_without_pooling_a_speaker_is_the_polite_speaker(program):
    """The same prior and likelihood as politeness.stan: weights at equal places, same density."""
    from scipy.stats import norm

    answered, _ = checkpoints(2, 5)
    pooled = PoliteHierarchy().problem(answered, pooling="none", literal="fixed")
    singles = [build(answered.of(s), literal="fixed") for s in answered.speakers]
    single = inference.load(singles[0].program, "httpstan")
    points = points_of(program, pooled, 3, seed=2)
    found = log_density(program, pooled, points)
    for at, total in zip(points, found, strict=True):
        expected = 0.0
        for x, problem in zip(at.reshape(2, -1), singles, strict=True):
            cells = x[2:].reshape(2, 3)
            first = norm.ppf(1 - np.sqrt(norm.cdf(-cells[:, 0])))
            z = np.concatenate([x[:2], np.c_[first, cells[:, 1]].ravel(), cells[:, 2]])
            density = log_density(single, problem, z[None])
            # The change of variables of the first break, from one normal to the other.
            jacobian = norm.logpdf(cells[:, 0]) - norm.logpdf(first)
            jacobian -= np.log(2 * np.sqrt(norm.cdf(-cells[:, 0])))
            expected += density[0] + jacobian.sum()
        assert total == pytest.approx(expected, rel=1e-9)


def rmse(fit, truth, names=WEIGHTS):
    found = fit.tree["posterior"].to_dataset().mean(("chain", "draw"))
    errors = [
        float(found[name].sel(speaker=speaker, condition=goal)) - weights[goal][name]
        for speaker, weights in truth.items()
        for goal in GOALS
        for name in names
    ]
    return float(np.sqrt(np.mean(np.square(errors))))


@pytest.mark.slow
@pytest.mark.stan
def test_partial_pooling_recovers_drifting_weights_better_than_none(program, table):
    """Ten checkpoints with six answers a question: strength is borrowed."""
    answered, truth = table
    settings = Settings(chains=2, warmup=200, draws=200, seed=3)
    fits = {
        pooling: inference.fit(
            PoliteHierarchy().problem(answered, pooling=pooling, nodes=16),
            program,
            PoliteHierarchy.parameters,
            settings,
        )
        for pooling in ("none", "partial")
    }
    assert rmse(fits["partial"], truth) < 0.9 * rmse(fits["none"], truth)
    middle = fits["partial"].summary.query("parameter == 'w_soc_middle'").set_index("condition")
    assert middle.loc["social", "mean"] > middle.loc["informative", "mean"]
    for fit in fits.values():
        totals = fit.tree["posterior_predictive"]["counts"].sum("utterance")
        assert (totals == 6).all()


@pytest.mark.slow
@pytest.mark.stan
def test_wolves_pool_compares_and_goes_on_where_it_stopped(tmp_path, capfd):
    answered, _ = checkpoints(3, 8)
    paths = []
    for name in answered.speakers:
        (tmp_path / name).mkdir()
        answered.of(name).counts.to_csv(tmp_path / name / "choices.csv", index=False)
        paths.append(str(tmp_path / name / "choices.csv"))
    pd.DataFrame({"speaker": answered.speakers, "group": ["a", "a", "b"]}).to_csv(
        tmp_path / "groups.csv", index=False
    )
    out = tmp_path / "pooled"
    arguments = ["pool", *paths, "--groups", str(tmp_path / "groups.csv"), "--nodes", "12"]
    arguments += ["--pooling", "complete,partial", "--engine", "httpstan", "--chains", "2"]
    arguments += ["--warmup", "100", "--draws", "100", "--out", str(out)]
    run(wolves, arguments)
    rows = pd.read_csv(out / "pooling.csv").set_index("pooling")
    assert list(rows.index) == ["partial", "complete"]
    assert rows.loc["partial", "elpd_diff"] == 0 and rows.loc["complete", "elpd_diff_se"] > 0
    assert rows.loc["complete", "elpd_diff"] == pytest.approx(
        rows.loc["complete", "elpd_loo"] - rows.loc["partial", "elpd_loo"]
    )
    summary = pd.read_csv(out / "partial" / "summary.csv")
    assert {"sd_group", "sd_speaker", "sd_cell", "w_inf_middle"} <= set(summary["parameter"])
    assert "step1/social" in set(summary.query("parameter == 'w_inf'")["condition"])
    complete = pd.read_csv(out / "complete" / "summary.csv").query("parameter == 'alpha'")
    assert complete["mean"].nunique() == 1 and len(complete) == 3
    assert (
        json.loads((out / "partial" / "fit.json").read_text())["options"]["groups"]["step2"] == "b"
    )
    capfd.readouterr()
    run(wolves, arguments)
    assert capfd.readouterr().err.count("already done") == 2


def test_theta_is_each_speakers_own_or_shared():
    answered, _ = checkpoints(2, 5)
    human = literal_counts()
    yes = [human.assign(speaker="step0", yes=human["n"]), human.assign(speaker="step1", yes=0)]
    table = Observations.from_rows("politeness", answered.rows, {"literal": pd.concat(yes)})
    own = np.array(PoliteHierarchy().problem(table).data["theta_given"])
    assert np.allclose(own[0], 50 / 51) and np.allclose(own[1], 1 / 51)
    shared = np.array(PoliteHierarchy().problem(table, literal="shared").data["theta_given"])
    assert np.allclose(shared, 50 / 100)


def test_a_speaker_without_a_goal_counts_as_not_asked():
    answered, _ = checkpoints(3, 5)
    counts = answered.rows
    left = counts[(counts["speaker"] != "step1") | (counts["goal"] != "social")]
    problem = PoliteHierarchy().problem(Observations.from_rows("politeness", left))
    counted = np.array(problem.data["counts"])
    assert counted[1, 1].sum() == 0 and counted[0, 1].sum() == 20 and counted[1, 0].sum() == 20


def test_what_cannot_be_pooled_is_refused(tmp_path):
    answered, _ = checkpoints(2, 5)
    model = PoliteHierarchy()
    with pytest.raises(WolvesError, match="two speakers or more"):
        model.problem(answered.of("step0"))
    with pytest.raises(WolvesError, match="no group is given for step1"):
        model.problem(answered, groups={"step0": "a"})
    fewer = answered.rows.query("speaker == 'step0' or utterance != 'good'")
    with pytest.raises(WolvesError, match="step1 had different options"):
        model.problem(Observations.from_rows("politeness", fewer))
    answered.rows.to_csv(tmp_path / "choices.csv", index=False)
    with pytest.raises(WolvesError, match="step0 is in two tables"):
        together(tmp_path / "choices.csv", tmp_path / "choices.csv")
    assert together(tmp_path / "choices.csv").speakers == ["step0", "step1"]


def test_a_family_may_have_several_models():
    models = get("politeness").models()
    assert list(models) == ["polite-speaker", "polite-hierarchy"]
    table = Observations("politeness", {})
    assert single_model(table).name == "polite-speaker"
    assert pooled_model(table).name == "polite-hierarchy"
    with pytest.raises(WolvesError, match="many speakers at once"):
        single_model(table, "polite-hierarchy")
    with pytest.raises(WolvesError, match="no model 'rude'"):
        single_model(table, "rude")
