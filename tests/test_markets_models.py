"""Models of markets: equations, data, and what a design leaves open; Stan's part is slow."""

import numpy as np
import pytest
from scipy.special import expit, logsumexp
from scipy.stats import norm

from many_wolves.errors import WolvesError
from many_wolves.families.markets.model import ALL, purchases_numpy
from many_wolves.families.markets.model.declared_data import read_declarations
from many_wolves.families.markets.model.declared_numpy import (
    Declarer,
    design_limits,
    log_likelihood,
)
from many_wolves.families.markets.model.ewa_numpy import (
    MARKUPS,
    Learner,
    attractions,
    read_courses,
)
from many_wolves.families.markets.model.limits import difference
from many_wolves.families.markets.model.purchases_numpy import Buyer, logits, read_purchases
from many_wolves.families.markets.model.quotes_numpy import (
    ACTIONS,
    Trader,
    action_log_probability,
    read_turns,
    reservation,
)
from many_wolves.families.markets.model.quotes_numpy import log_likelihood as log_turns
from market_sessions import played

SMALL = {"rounds": 3, "practice": False, "ticks": 3}


def model(name):
    return ALL[name]


@pytest.fixture(scope="module")
def three_taxes():
    """One session at each of three tax rates, one speaker on all seats."""
    return played(taxes=(0.1, 0.33, 0.5), **SMALL)


@pytest.fixture(scope="module")
def one_tax():
    return played(rounds=2, ticks=3)


# Equations, from the words of the models


def test_final_declarations_are_a_softmax_of_money_with_lapses_one_by_one(three_taxes):
    who = Declarer(takeover=0.4, slope=1.7, loss=1.6, precision=1.2, honesty=0.3)
    data = read_declarations(three_taxes, first=False)
    rows = three_taxes.tables["declarations"].query("stage == 'final'")
    expected = []
    for row in rows.itertuples():
        grid = np.linspace(0.4 * row.low, 1.3 * row.high, 41)
        utility = []
        for d in grid:
            bought = expit(who.takeover - who.slope * (d - row.low) / (row.high - row.low))
            lost = who.loss * (row.value - d) if d < row.value else row.value - d
            money = -row.tax * (1 - row.held) * d - row.buyer_share * bought * lost
            utility.append(money / 10_000 - who.honesty * abs(d / row.value - 1) / 0.1)
        at = int(np.argmin(np.abs(grid - row.declared)))
        log_p = who.precision * np.array(utility)
        meant = np.exp(log_p[at] - logsumexp(log_p))
        expected.append(np.log(0.99 * meant + 0.01 / 41))
    np.testing.assert_allclose(log_likelihood(who, data), expected, rtol=1e-9)


def test_first_declarations_also_decide_the_condition(three_taxes):
    who = Declarer(takeover=-0.3, slope=2.2, loss=1.2, precision=0.7, strategic=0.8)
    data = read_declarations(three_taxes)
    found = log_likelihood(who, data)[len(data.who) :]
    rows = three_taxes.tables["declarations"].query("stage == 'first'")
    keys = ["session", "round", "participant"]
    pairs = [part.sort_values("condition") for _, part in rows.groupby(keys)]
    labels = {
        f"{p.session.iloc[0]}/{p.participant.iloc[0]} | {p['round'].iloc[0]} | first": p
        for p in pairs
    }
    for label, value in list(zip(data.labels[len(data.who) :], found, strict=True))[:5]:
        without, project = labels[label].iloc[0], labels[label].iloc[1]
        assert (without.condition, project.condition) == ("no_project", "project")

        def part(row, d):
            bought = expit(who.takeover - who.slope * (d - row.low) / (row.high - row.low))
            lost = who.loss * max(row.value - d, 0) - max(d - row.value, 0)
            return (-row.tax * d - row.buyer_share * bought * lost) / 10_000

        grids = [np.linspace(0.4 * r.low, 1.3 * r.high, 21) for r in (without, project)]
        utility = np.empty((21, 21))
        gain = (project.value - without.value) / 10_000
        for i, d0 in enumerate(grids[0]):
            for j, d1 in enumerate(grids[1]):
                p = norm.cdf((without.lead + d1 - d0) / without.lead_sd)
                utility[i, j] = (1 - p) * part(without, d0) + p * (part(project, d1))
                utility[i, j] += who.strategic * gain * p
        at = tuple(
            int(np.argmin(np.abs(grid - row.declared)))
            for grid, row in zip(grids, (without, project), strict=True)
        )
        log_p = who.precision * utility
        meant = np.exp(log_p[at] - logsumexp(log_p))
        assert value == pytest.approx(np.log(0.99 * meant + 0.01 / 441), rel=1e-9)


def test_a_lot_is_bought_for_what_its_value_is_expected_to_be(three_taxes):
    who = Buyer(base_rate=0.3, shading=0.1, hurdle=0.4, precision=1.5)
    data = read_purchases(three_taxes)
    rows = three_taxes.tables["purchases"]
    for n in (0, 7, len(rows) - 1):
        row = rows.iloc[data.rows[n]]
        expected = 0.7 * 1.1 * row.declared + 0.3 * (row.low + row.high) / 2
        gain = row.buyer_share * (expected - row.declared) / data.buyers[n] / 10_000
        assert logits(who, data)[n] == pytest.approx(1.5 * gain - 0.4)
    first = rows["round"].to_numpy()[data.rows] == 1
    assert set(data.buyers[first]) == {1 + 0.5 * 5}, "nobody was seen to buy before"
    assert data.buyers[~first].min() >= 1
    assert data.buyers[~first].std() > 0, "the mean of the round before"


def test_a_turn_is_a_choice_and_an_offer_has_a_price(three_taxes):
    who = Trader(
        private_weight=0.3, public_bias=0.1, anchor=0.2, inventory=0.1, margin=0.03,
        sigma=0.08, precision=0.4, taste=(0.5, -0.2, 0.3),
    )  # fmt: skip
    data = read_turns(three_taxes)
    belief, price = reservation(who, data)
    n = int(np.flatnonzero((data.median > 0) & (data.action == 1))[0])
    signal = 0.3 * data.private[n] + 0.7 * 1.1 * data.public[n]
    signal += 0.2 * (data.median[n] - signal)
    assert belief[n] == pytest.approx(signal)
    assert price[n] == pytest.approx(signal * (1 - 0.1 * data.excess[n]))
    p = np.exp(action_log_probability(who, data))
    np.testing.assert_allclose(p.sum(axis=1), 1)
    assert (p[data.feasible == 0] == 0).all()
    below = (np.log(data.price[n]) - np.log(price[n]) + 0.03) / 0.08
    density = 3 / 8 / (1 + below**2 / 4) ** 2.5 / 0.08
    assert log_turns(who, data)[n] == pytest.approx(np.log(p[n, 1] * density))


def test_what_a_market_did_not_allow_is_no_choice_of_a_turn(three_taxes):
    orders = three_taxes.tables["orders"].copy()
    whole = read_turns(three_taxes)
    at = int(orders.index[(orders["best_ask"].isna()) & (orders["action"] == "wait")][0])
    orders.loc[at, "action"] = "buy"
    data = read_turns(three_taxes.having(orders=orders))
    assert data.overtaken == whole.overtaken + 1
    assert at not in data.rows
    assert ACTIONS[data.action[0]] == orders["action"].iloc[data.rows[0]]


def test_attractions_follow_the_rule_of_1999(three_taxes):
    data = read_courses(three_taxes)
    who = Learner(phi=0.7, delta=0.4, kappa=0.5, lambda_=1.3)
    found = attractions(who, data, data.chosen)
    a, n = data.start[0].copy(), 1.0
    for t in range(3):
        np.testing.assert_allclose(found[0, t], a)
        grown = 0.7 * 0.5 * n + 1
        weights = np.where(np.arange(len(MARKUPS)) == data.chosen[0, t], 1.0, 0.4)
        a = (0.7 * n * a + weights * data.payoff[0, t]) / grown
        n = grown
    forgetful = attractions(Learner(past=False), data, data.chosen)
    assert (forgetful == data.start[:, None]).all(), "nothing is learned"


def test_foregone_payoffs_hold_the_purchases_as_they_were(three_taxes):
    data = read_courses(three_taxes)
    declared = three_taxes.tables["declarations"]
    for p, t in ((0, 0), (5, 2)):
        row = declared.iloc[data.rows[p, t]]
        for bin_, markup in enumerate(MARKUPS):
            d = row.value * (1 + markup)
            gap = row.buyer_share * (row.value - d) * (row.buyers > 0)
            earned = -row.tax * (1 - row.held) * d - gap
            assert data.payoff[p, t, bin_] == pytest.approx(earned / 10_000)


@pytest.mark.parametrize("name", ["declared-value", "purchases", "quotes", "ewa"])
def test_what_is_simulated_is_read_back_with_its_own_likelihood(three_taxes, name):
    """The table that a simulation gives holds the answers whose likelihood it states."""
    found = model(name)
    truth, table = found.simulate(three_taxes, np.random.default_rng(3))
    fixed = {k: v for k, v in truth.items() if k not in ("log_lik", "sd_participant")}
    again, _ = found.simulate(table, np.random.default_rng(3), fixed)
    assert set(again) == set(truth)
    problem = found.problem(table)
    before = found.problem(three_taxes)
    observed = problem.outcome.observed
    assert problem.observed[observed][1].shape == before.observed[observed][1].shape
    assert not np.array_equal(problem.observed[observed][1], before.observed[observed][1])


# What a design leaves open


def said(name, table, **options):
    return " ".join(model(name).problem(table, **options).notes)


def test_one_tax_rate_is_said_to_leave_beliefs_and_losses_open(one_tax, three_taxes):
    assert "have one tax rate (0.33)" in said("declared-value", one_tax)
    assert "one tax rate" not in said("declared-value", three_taxes)


def test_what_is_not_told_apart_is_computed_from_the_design(one_tax, three_taxes):
    def limits(table):
        return design_limits(read_declarations(table), True, True, False)

    few, more = limits(one_tax), limits(three_taxes)
    assert few.names == ("takeover", "slope", "loss", "precision", "strategic")
    assert (more.remaining < few.remaining).all()
    (sentence,) = few.notes()
    assert "not separate takeover and loss" in sentence
    assert f"correlate by {few.correlation[0, 2]:.2f}" in sentence
    assert abs(few.correlation[0, 2]) > 0.8
    assert "not separate takeover and loss" in said("declared-value", one_tax)
    one_seat = one_tax.tables["declarations"].query("participant == 3")
    little = limits(one_tax.having(declarations=one_seat))
    rests = little.remaining > 0.7
    assert rests.any()
    for name, share, open_ in zip(little.names, little.remaining, rests, strict=True):
        assert (f"{name} ({100 * share:.0f} %)" in little.notes()[0]) == open_
    futarchy = played(mechanism="futarchy", rounds=1, practice=False, ticks=1)
    assert "strategic weight is not estimated" in said("declared-value", futarchy)


def test_the_information_of_a_design_is_that_of_many_simulations(three_taxes):
    """Mean outer product of scores: the Fisher information, by its other definition."""
    data = read_purchases(three_taxes)
    stated = purchases_numpy.design_limits(data, True, True)
    rng = np.random.default_rng(1)

    def of(x):
        return Buyer(base_rate=x[0], shading=x[1], hurdle=x[2], precision=np.exp(x[3]))

    at = np.array([0.5, 0.0, 0.0, 0.0])
    scores = []
    for _ in range(300):
        drawn = purchases_numpy.draw(of(at), data, rng)
        sign = np.where(drawn.bought > 0, 1.0, -1.0)
        slope = difference(lambda x, s=sign: np.log(expit(s * logits(of(x), data))), at)
        scores.append(slope.sum(axis=1))
    found = np.array(scores).T @ np.array(scores) / len(scores)
    prior = np.diag([20.0, 25.0, 1.0, 1.0])
    sd = np.sqrt(np.diag(np.linalg.inv(found + prior)) * np.diag(prior))
    np.testing.assert_allclose(stated.remaining, sd, rtol=0.15)


def test_practice_is_no_behaviour_and_its_absence_is_said(one_tax, three_taxes):
    assert (one_tax.tables["declarations"]["round"] == 0).any()
    for name in ("declared-value", "purchases", "quotes"):
        assert "no practice round" in said(name, three_taxes)
        assert "no practice round" not in said(name, one_tax)
        assert not any("| 0 |" in label for label in model(name).problem(one_tax).coords["answer"])
    assert "not learned ones" in said("ewa", three_taxes)
    assert "not learned ones" not in said("ewa", one_tax)


def test_foregone_payoffs_are_said_to_be_computed(three_taxes):
    assert "do not see what other declarations" in said("ewa", three_taxes)
    assert "do not see what other declarations" not in said("ewa", three_taxes, foregone=False)
    assert "hardly identify kappa" in said("ewa", three_taxes, growth="estimated")


def test_what_cannot_be_fitted_is_refused_with_what_to_do(three_taxes):
    voting = played(mechanism="voting", rounds=2, practice=False)
    refusals = {
        "purchases": (voting, "expected purchases"),
        "quotes": (voting, "expected orders"),
        "ewa": (played(rounds=1, practice=False, ticks=0), "two rounds"),
    }
    for name, (table, words) in refusals.items():
        with pytest.raises(WolvesError, match=words) as caught:
            model(name).problem(table)
        assert caught.value.fix
    orders = three_taxes.tables["orders"].drop(columns="median")
    with pytest.raises(WolvesError, match="orders lacks the columns median"):
        model("quotes").problem(three_taxes.having(orders=orders))
    others = three_taxes.tables["declarations"].assign(speaker="other")
    with pytest.raises(WolvesError, match="expected declarations to fit"):
        model("declared-value").problem(three_taxes.having(declarations=others).of("s"))
