"""Effects of items on the utilities: density, likelihood of an item, and simulator."""

import itertools

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.stats import beta, expon, norm

import many_wolves as mw
from densities import gradient, log_density, points_of
from many_wolves import inference
from many_wolves.families.politeness.model import PoliteSpeaker, clusters, item_effects
from many_wolves.families.politeness.model.problem import build
from many_wolves.families.politeness.simulation import simulate
from many_wolves.inference.evaluation.compare import accuracy
from many_wolves.inference.sampling.fit import with_data
from many_wolves.inference.settings import Settings

SPEAKER = "gpt-4o-2024-11-20"
PUBLISHED = {"literal": "fixed", "ranges": "yoon2020"}
NEGATION, KINDNESS = (PUBLISHED | {"likelihood": one} for one in item_effects.EFFECTS)


@pytest.fixture(scope="module")
def table():
    return mw.data("zhao2025").of(SPEAKER)


@pytest.fixture(scope="module")
def program(table):
    return inference.load(build(table, literal="fixed").program)


@pytest.fixture(scope="module")
def few(table):
    """Four items, of which each answered each question three times."""
    rows = table.rows[table.rows["item"].isin(sorted(set(table.rows["item"]))[:4])]
    return table.having(counts=rows.assign(count=3.0 * (rows["utterance"] == "good")))


def test_likelihood_is_the_mean_over_effects():
    p, along = np.array([0.5, 0.3, 0.2]).reshape(1, 1, 3), np.array([0.0, 1.0, -0.5])
    given = np.array([[2, 0, 1], [0, 3, 0]]).reshape(2, 1, 1, 3)

    def at(effect, one):
        moved = item_effects.moved(p, along, 0.8 * effect, 0.1)
        return np.exp(clusters.log_likelihood(one[None], moved, 0.2)) * norm.pdf(effect)

    expected = sum(np.log(quad(at, -8, 8, args=(one,))[0]) for one in given)
    found = item_effects.log_likelihood(given, p, along, 0.1, 0.2, 0.8)
    assert found == pytest.approx(expected, rel=1e-9)
    every = [
        np.bincount(answers, minlength=3).reshape(1, 1, 1, 3)
        for answers in itertools.product(range(3), repeat=2)
    ]
    total = sum(np.exp(item_effects.log_likelihood(one, p, along, 0.1, 0.2, 0.8)) for one in every)
    assert total == pytest.approx(1)


@pytest.mark.parametrize("options", [NEGATION, KINDNESS])
def test_directions_are_the_same_in_all_cells(table, options):
    along = build(table, **options).data["direction"]
    utterances = build(table, **options).coords["utterance"]
    of = dict(zip(utterances, along, strict=True))
    if options is NEGATION:
        assert {u for u, moves in of.items() if moves} == {u for u in utterances if "not" in u}
    else:
        assert of["amazing"] > of["good"] > of["bad"]
        assert (along.mean(), along.std()) == (pytest.approx(0), pytest.approx(1))


@pytest.mark.stan
@pytest.mark.parametrize("options", [NEGATION, KINDNESS])
def test_density_is_prior_times_mean_over_effects(program, table, options):
    problem, urn = build(table, **options), build(table, **PUBLISHED)
    points = points_of(program, problem, 2, seed=5, spread=0.5)
    found = log_density(program, problem, points)
    with program.open(urn.data) as model:
        names = list(model.quantity_names)
        kept = model.quantities(points[:, :-1], 1)
    alike = log_density(program, urn, points[:, :-1])
    C, U, S = np.shape(problem.data["counts"])
    order = [names.index(f"choice.{c + 1}.{s + 1}.{u + 1}") for c, s, u in np.ndindex(C, S, U)]
    given, along = problem.data["given"], problem.data["direction"]
    for n, x in enumerate(points):
        p = kept[n, order].reshape(C, S, U)
        lapse, icc = norm.cdf(x[-3:-1])
        sd = -norm.logsf(x[-1])
        mean = item_effects.log_likelihood(given, p, along, lapse, icc, sd)
        without = clusters.log_likelihood(given, (1 - lapse) * p + lapse / U, icc)
        expected = alike[n] - without + mean + norm.logpdf(x[-1])
        assert found[n] == pytest.approx(expected, abs=1e-3)


@pytest.mark.stan
def test_the_gradient_is_the_slope_of_the_density(program, table):
    problem = build(table, **KINDNESS)
    points = points_of(program, problem, 1, seed=4, spread=0.4)
    step = 1e-5 * np.eye(points.shape[1])
    upper, lower = (log_density(program, problem, points + sign * step) for sign in (1, -1))
    np.testing.assert_allclose(
        gradient(program, problem, points)[0], (upper - lower) / 2e-5, rtol=1e-5, atol=1e-3
    )


@pytest.mark.stan
def test_quantities_are_those_of_whole_items(program, few):
    rng = np.random.default_rng(3)
    known = simulate.from_prior(build(few, **NEGATION), rng)
    problem = build(simulate.simulate(few, known, rng, **NEGATION), **NEGATION)
    points = points_of(program, problem, 400, seed=2, spread=0.3)
    with program.open(problem.data) as model:
        names = list(model.quantity_names)
        kept = model.quantities(points, 1)
    of = {
        name: kept[:, [i for i, full in enumerate(names) if full.split(".")[0] == name]]
        for name in ("whole_lik", "predicted", "counts_rep", "lprior", "item_sd", "lapse", "icc")
    }
    left = with_data(problem, **problem.without({"item": problem.coords["item"][0]}, np.inf))
    difference = log_density(program, problem, points) - log_density(program, left, points)
    np.testing.assert_allclose(difference, of["whole_lik"][:, 0], rtol=1e-8)
    C, _, S = np.shape(problem.data["counts"])
    assert (of["counts_rep"].sum(axis=1) == 4 * 3 * C * S).all()
    np.testing.assert_allclose(of["predicted"].sum(axis=1), C * S)
    # Replicated shares are the predicted ones, up to sampling noise.
    shares = of["counts_rep"].mean(axis=0) / 12
    np.testing.assert_allclose(shares, of["predicted"].mean(axis=0), atol=0.09)
    sd = of["item_sd"][0, 0]
    assert sd == pytest.approx(-norm.logsf(points[0, -1]))
    without = build(few, **PUBLISHED)
    with program.open(without.data) as model:
        prior = model.quantities(points[:, :-1], 1)[0, list(model.quantity_names).index("lprior")]
    assert of["lprior"][0, 0] - prior == pytest.approx(expon.logpdf(sd))
    assert beta.cdf(of["lapse"][0, 0], 1, 1) == pytest.approx(norm.cdf(points[0, -3]))


def test_simulated_items_differ_as_much_as_stated(few):
    problem = build(few, **NEGATION)
    rng = np.random.default_rng(1)
    p, along = np.full((1, 1, 8), 1 / 8), problem.data["direction"]
    totals = np.full((2000, 1, 1), 400)
    given = item_effects.draw(totals, p, along, 0.0, 0.0, 0.7, rng)
    negated = (given[:, 0, 0] * along).sum(axis=1) / 400
    log_odds = np.log(negated / (1 - negated))
    assert log_odds.std() == pytest.approx(np.hypot(0.7, 2 / np.sqrt(400)), abs=0.05)


@pytest.mark.stan
@pytest.mark.slow
def test_a_fit_holds_what_was_simulated_and_leaves_out_items(few, program):
    design = few.having(counts=few.rows.assign(count=4 * few.rows["count"]))
    given = {
        "alpha": 4.0,
        "cost": 2.0,
        "lapse": 0.05,
        "icc": 0.1,
        "item_sd": 1.0,
        "weights": {
            goal: {"w_inf": w, "w_soc": 0.2, "w_pres": 0.8 - w, "phi": 0.4}
            for goal, w in (("informative", 0.6), ("social", 0.1), ("both", 0.3), ("none", 0.5))
        },
    }
    known = simulate.from_json(given, build(design, **NEGATION))
    answered = simulate.simulate(design, known, np.random.default_rng(2), **NEGATION)
    problem = build(answered, **NEGATION)
    settings = Settings(chains=2, warmup=250, draws=300, seed=3)
    fit = inference.fit(problem, program, PoliteSpeaker.parameters, settings)
    summary = fit.summary.set_index(["parameter", "condition"])
    for name in ("icc", "lapse", "item_sd", "alpha"):
        one = summary.loc[(name, "")]
        assert abs(one["mean"] - given[name]) < 4 * one["sd"]
    left_out = accuracy(fit)
    assert left_out.unit == "cluster"
    assert len(left_out.parts) == 4
