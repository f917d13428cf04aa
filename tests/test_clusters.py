"""Answers of one item that are alike: likelihood, simulator, what is left out, and a fit."""

import itertools

import numpy as np
import pandas as pd
import pytest
from scipy.stats import beta, norm

import many_wolves as mw
from densities import gradient, log_density, points_of
from many_wolves import inference
from many_wolves.errors import WolvesError
from many_wolves.families.politeness.model import PoliteSpeaker, clusters
from many_wolves.families.politeness.model.problem import build
from many_wolves.families.politeness.simulation import simulate
from many_wolves.figures.influence import influence_figure
from many_wolves.inference.evaluation.compare import accuracy
from many_wolves.inference.evaluation.influence import influence, jackknife, noted, parts_of
from many_wolves.inference.sampling.fit import with_data
from many_wolves.inference.settings import Settings

SPEAKER = "gpt-4o-2024-11-20"
PUBLISHED = {"literal": "fixed", "ranges": "yoon2020"}
SHORT = Settings(chains=2, warmup=250, draws=300, seed=3)
GIVEN = {
    "alpha": 4.0,
    "cost": 2.0,
    "lapse": 0.05,
    "icc": 0.4,
    "weights": {
        goal: {"w_inf": w, "w_soc": 0.2, "w_pres": 0.8 - w, "phi": 0.4}
        for goal, w in (("informative", 0.6), ("social", 0.1), ("both", 0.3), ("none", 0.5))
    },
}


@pytest.fixture(scope="module")
def table():
    return mw.data("zhao2025").of(SPEAKER)


@pytest.fixture(scope="module")
def program(table):
    return inference.load(build(table, literal="fixed").program)


@pytest.fixture(scope="module")
def fit(table, program):
    """A simulated speaker with 5 items, of which each answered each question 6 times."""
    few = table.rows[table.rows["item"].isin(sorted(set(table.rows["item"]))[:5])]
    asked = few.assign(count=6.0 * (few["utterance"] == "good"))
    design = table.having(counts=asked)
    answered = simulate.simulate(
        design,
        simulate.from_json(GIVEN, build(design, literal="fixed")),
        np.random.default_rng(2),
        literal="fixed",
    )
    problem = build(answered, literal="fixed")
    return inference.fit(problem, program, PoliteSpeaker.parameters, SHORT)


def by_definition(answers, p, icc):
    """Probability of answers in their order, from the urn itself."""
    probability = 1.0
    for n, answer in enumerate(answers):
        again = n * icc / (1 - icc + n * icc)
        repeats = answers[:n].count(answer) / n if n else 0.0
        probability *= again * repeats + (1 - again) * p[answer]
    return probability


@pytest.mark.parametrize("icc", [0.0, 1e-7, 0.3, 0.95])
def test_likelihood_is_that_of_the_urn(icc):
    p = np.array([0.5, 0.3, 0.2])
    every = list(itertools.product(range(3), repeat=4))
    assert sum(by_definition(one, p, icc) for one in every) == pytest.approx(1)
    for answers in every[::7]:
        given = np.bincount(answers, minlength=3).reshape(1, 1, 1, 3)
        found = clusters.log_likelihood(given, p.reshape(1, 1, 3), icc)
        assert found == pytest.approx(np.log(by_definition(answers, p, icc)), abs=1e-5)


def test_stan_data_hold_every_answer():
    rng = np.random.default_rng(1)
    given = rng.integers(0, 4, size=(5, 2, 3, 4))
    data = clusters.stan_data(given)
    at, before, times = data["at"], data["before"], data["times"]
    assert times.sum() == given.sum() == data["asked_times"].sum()
    for place, count in enumerate(given.sum(axis=0).ravel(), start=1):
        assert times[at == place].sum() == count
        assert (np.diff(before[at == place]) == 1).all()


@pytest.mark.stan
def test_density_is_prior_times_likelihood_of_the_urn(program, table):
    problem = build(table, **PUBLISHED)
    whole = build(table, **PUBLISHED, likelihood="counts")
    points = points_of(program, problem, 4, seed=5, spread=0.7)
    found = log_density(program, problem, points)
    independent = log_density(program, whole, points[:, :-2])
    with program.open(problem.data) as model:
        values = model.param_constrain(points)
        names = list(model.quantity_names)
        kept = model.quantities(points, 1)
    assert values.shape == points.shape
    choice = kept[:, [i for i, name in enumerate(names) if name.startswith("choice.")]]
    counts = np.array(problem.data["counts"])
    C, U, S = counts.shape
    for n, x in enumerate(points):
        # Stan lists a matrix by columns within each entry of an array.
        order = [names.index(f"choice.{c + 1}.{s + 1}.{u + 1}") for c, s, u in np.ndindex(C, S, U)]
        p = kept[n, order].reshape(C, S, U)
        lapse, icc = norm.cdf(x[-2:])
        mixed = (1 - lapse) * p + lapse / U
        expected = (
            independent[n]
            - (counts.transpose(0, 2, 1) * np.log(p)).sum()
            + clusters.log_likelihood(problem.data["given"], mixed, icc)
            + norm.logpdf(x[-2:]).sum()
            + beta.logpdf(lapse, 1, 9)
        )
        assert found[n] == pytest.approx(expected, rel=1e-9)
        lik = [i for i, name in enumerate(names) if name.startswith("cluster_lik.")]
        assert kept[n, lik].sum() == pytest.approx(
            clusters.log_likelihood(problem.data["given"], mixed, icc), rel=1e-9
        )
    assert choice.shape == (4, C * S * U)


@pytest.mark.stan
def test_without_likeness_and_lapses_answers_are_independent(program, table):
    problem = build(table, **PUBLISHED)
    points = points_of(program, problem, 3, seed=6)
    points[:, -2:] = -30.0
    lapse = norm.cdf(-30.0)
    prior = 2 * norm.logpdf(-30.0) + beta.logpdf(lapse, 1, 9)
    whole = build(table, **PUBLISHED, likelihood="counts")
    np.testing.assert_allclose(
        log_density(program, problem, points),
        log_density(program, whole, points[:, :-2]) + prior,
        rtol=1e-7,
    )


@pytest.mark.stan
def test_the_gradient_is_the_slope_of_the_density(program, table):
    problem = build(table, literal="fixed")
    points = points_of(program, problem, 1, seed=4, spread=0.4)
    step = 1e-5 * np.eye(points.shape[1])
    upper, lower = (log_density(program, problem, points + sign * step) for sign in (1, -1))
    np.testing.assert_allclose(
        gradient(program, problem, points)[0], (upper - lower) / 2e-5, rtol=1e-5, atol=1e-3
    )


def test_simulated_answers_are_as_alike_as_stated():
    rng = np.random.default_rng(1)
    p = np.array([0.6, 0.3, 0.1]).reshape(1, 1, 3)
    given = clusters.draw(np.full((4000, 1, 1), 2), p, 0.3, rng)
    np.testing.assert_allclose(given.mean(axis=(0, 1, 2)) / 2, p.ravel(), atol=0.02)
    same = (given.max(axis=-1) == 2).mean()
    assert same == pytest.approx(0.3 + 0.7 * np.square(p).sum(), abs=0.02)
    tiny = clusters.draw(np.full((50, 1, 1), 30), p, 1 - 1e-9, rng)
    assert ((tiny == 30).sum(axis=-1) == 1).all()


def test_which_likelihood_a_table_gets(table):
    assert build(table, literal="fixed").options["likelihood"] == "item"
    counts = build(table, literal="fixed", likelihood="counts")
    assert counts.options["likelihood"] == "counts"
    assert counts.data["J"] == 0
    assert list(counts.parts) == ["item"]
    summed = table.rows.drop(columns="item")
    assert build(table.having(counts=summed), literal="fixed").options["likelihood"] == "counts"
    once = table.having(counts=table.rows.assign(count=(table.rows["utterance"] == "good") * 1))
    answered_once = build(once, literal="fixed")
    # A lapse can be estimated, the likeness of answers cannot.
    assert answered_once.options["likelihood"] == "item"
    assert any("each question once" in note for note in answered_once.notes)
    shares = table.having(counts=table.rows.assign(count=table.rows["count"] / 30))
    assert any("independent" in note for note in build(shares, literal="fixed").notes)


@pytest.mark.parametrize(
    ("change", "likelihood", "message"),
    [
        ({}, "participant", "needs choices by participant"),
        ({"count": 0.5}, "item", "whole numbers"),
        ({"count": 0.0}, "item", "no choices"),
    ],
)
def test_a_likelihood_that_a_table_does_not_allow(table, change, likelihood, message):
    wrong = table.having(counts=table.rows.assign(**change))
    with pytest.raises(WolvesError, match=message):
        build(wrong, literal="fixed", likelihood=likelihood)


@pytest.mark.parametrize("likelihood", ["item", "counts"])
def test_without_an_item_the_data_are_those_of_a_table_without_it(table, likelihood):
    problem = build(table, literal="fixed", likelihood=likelihood)
    changes = problem.without({"item": "dance"}, np.inf)
    rest = table.having(counts=table.rows[table.rows["item"] != "dance"])
    expected = build(rest, literal="fixed", likelihood=likelihood).data
    for name in ("counts", "at", "before", "times", "asked_times"):
        if name in changes:
            np.testing.assert_array_equal(changes[name], expected[name])
    assert np.sum(changes["counts"]) == 5760


@pytest.mark.stan
def test_a_fit_holds_what_was_simulated(fit):
    summary = fit.summary.set_index(["parameter", "condition"])
    for name in ("icc", "lapse", "alpha"):
        one = summary.loc[(name, "")]
        assert abs(one["mean"] - GIVEN[name]) < 4 * one["sd"]
    predicted = fit.tree["posterior"]["predicted"]
    np.testing.assert_allclose(predicted.sum("utterance"), 1.0)
    replicated = fit.tree["posterior_predictive"]["counts"].sum("utterance")
    assert (replicated == 30).all()


@pytest.mark.stan
def test_items_are_left_out_and_not_single_answers(fit, program):
    left_out = accuracy(fit)
    assert left_out.unit == "cluster"
    assert len(left_out.parts) == 5
    whole = fit.tree["log_likelihood"]["clustered"]
    assert whole.dims == ("chain", "draw", "item", "condition", "state")
    problem = fit.problem
    rest = with_data(problem, **problem.without({"item": fit.problem.coords["item"][0]}, np.inf))
    x = fit.draws.flat[:3]
    differ = log_density(program, problem, x) - log_density(program, rest, x)
    kept = whole.isel(item=0).sum(("condition", "state")).to_numpy().ravel()[:3]
    np.testing.assert_allclose(differ, kept, rtol=1e-8)


@pytest.mark.stan
def test_influence_by_weights_is_that_of_fits_without_the_item(fit, program):
    def refit(left):
        return inference.fit(left, program, PoliteSpeaker.parameters, SHORT, gaussian=fit.gaussian)

    names = ("w_inf", "phi", "icc")
    table = influence(fit, names, "item", program, refit)
    assert set(table["left_out"]) == set(map(str, fit.problem.coords["item"]))
    weighted = table[table["how"] == "draws weighted"]
    label = weighted["left_out"].iloc[0]
    again = refit(with_data(fit.problem, **fit.problem.without({"item": label}, np.inf)))
    summary = again.summary.set_index(["parameter", "condition"])
    for row in weighted[weighted["left_out"] == label].itertuples():
        one = summary.loc[(row.parameter, row.condition)]
        assert abs(row.mean - one["mean"]) < 0.5 * one["sd"]
    spread = jackknife(table, fit.summary)
    assert len(spread) == 4 + 4 + 1
    assert (spread["ratio"] > 0).all()
    assert noted(fit, names) is not None
    assert np.array_equal(fit.points[0], fit.gaussian.modes[0].x)
    figure = influence_figure(table.assign(speaker="simulated"), "item")
    assert figure.name != "influence", "its data would replace the table of the command"
    cells = parts_of(fit.problem, "cell")
    assert len(cells) == 16


def test_jackknife_is_that_of_a_mean():
    values = np.array([1.0, 2.0, 4.0, 9.0])
    without = (values.sum() - values) / 3
    table = pd.DataFrame(
        {
            "left_out": list("abcd"),
            "parameter": "w",
            "condition": "",
            "mean": without,
            "shift": without - values.mean(),
        }
    )
    fitted = pd.DataFrame({"parameter": ["w"], "condition": [""], "mean": [4.0], "sd": [0.5]})
    one = jackknife(table, fitted).iloc[0]
    assert one["jackknife_se"] == pytest.approx(values.std(ddof=1) / 2)
    assert one["ratio"] == pytest.approx(values.std(ddof=1))
    assert one["left_out"] == "d"
