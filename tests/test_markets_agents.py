"""Scripted players, and what theory says that they should do."""

import numpy as np
import pytest

from many_wolves.errors import WolvesError
from many_wolves.families.markets.rules.actions import refusal
from many_wolves.families.markets.rules.draws import draw, share_worth
from many_wolves.families.markets.rules.parameters import Rules
from many_wolves.families.markets.rules.session import Session
from many_wolves.families.markets.simulation.agents import (
    Exploiter,
    LowBaller,
    OverReporter,
    Truthful,
    ZeroIntelligence,
)
from many_wolves.families.markets.simulation.beliefs import constant_rate, falling_rate
from many_wolves.families.markets.simulation.play import play_session, seat_players
from many_wolves.families.markets.simulation.strategies import STRATEGIES, player
from many_wolves.families.markets.simulation.theory import (
    best_final_declaration,
    best_first_declaration,
    effective_tax,
    final_utility,
    first_utility,
    logit_equilibrium,
    role_lead,
    truthful_purchase_rate,
)

ALL = ("owner", "developer", "speculator")


def everyone(agent):
    return {role: [agent] for role in ALL}


def test_the_rate_that_keeps_declarations_true_is_that_of_theory():
    rules = Rules.lab("harberger")
    assert truthful_purchase_rate(rules, "owner") == pytest.approx(0.62, abs=0.005)
    assert truthful_purchase_rate(rules, "developer") == pytest.approx(0.46, abs=0.005)
    for role in ("owner", "developer"):
        value = rules.terms(role).bands[0].low * 1.2
        at = truthful_purchase_rate(rules, role)
        grid = np.linspace(0, 2 * value, 201)
        flat = final_utility(rules, role, 0, value, grid, constant_rate(at))
        assert np.ptp(flat) == pytest.approx(0, abs=1e-6), "every declaration pays the same"


@pytest.mark.parametrize("level", [0.5, 1.5, 3.0])
def test_the_best_final_declaration_meets_its_first_order_condition(level):
    """``d - v = (g q - t) / (-g q')`` at an inner optimum."""
    rules, slope, value = Rules.lab("harberger"), 3.0, 460_000.0
    rate = falling_rate(level, slope)
    best = best_final_declaration(rules, "owner", 0, value, rate)
    band = rules.owner.bands[0]
    q = float(rate(np.array(band.percentile(best))))
    derivative = -slope * q * (1 - q) / (band.high - band.low)
    expected = (rules.buyer_share * q - effective_tax(rules, "owner")) / (
        -rules.buyer_share * derivative
    )
    assert best - value == pytest.approx(expected, abs=2_000)
    utility = final_utility(rules, "owner", 0, value, np.array([best, value]), rate)
    assert utility[0] >= utility[1]


def test_nobody_buys_so_nothing_is_declared():
    rules = Rules.lab("harberger")
    assert best_final_declaration(rules, "owner", 0, 4e5, constant_rate(0.0)) == 0


def test_first_declarations_push_the_condition_that_pays():
    rules = Rules.lab("harberger")
    rate = falling_rate(1.0, 2.0)
    owner = best_first_declaration(rules, "owner", (5e5, 2e5), rate, role_lead(rules, "owner"))
    developer = best_first_declaration(
        rules, "developer", (3e5, 2e6), rate, role_lead(rules, "developer")
    )
    assert owner[0] > 5e5
    assert developer[1] > 2e6
    truthful = first_utility(
        rules, "owner", (5e5, 2e5), np.array(5e5), np.array(2e5), rate, role_lead(rules, "owner")
    )
    best = first_utility(
        rules,
        "owner",
        (5e5, 2e5),
        np.array(owner[0]),
        np.array(owner[1]),
        rate,
        role_lead(rules, "owner"),
    )
    assert best > truthful


@pytest.mark.parametrize(("role", "condition"), [("owner", 0), ("owner", 1), ("developer", 1)])
def test_a_logit_equilibrium_is_a_fixed_point(role, condition):
    found = logit_equilibrium(Rules.lab("harberger"), role, condition, precision=1.0)
    assert found.residual < 1e-9
    assert found.choice.sum(axis=1) == pytest.approx(1)
    assert np.all((found.bought >= 0) & (found.bought <= 1))


def test_turnover_of_the_equilibrium_approaches_the_truthful_rate_with_precision():
    rules = Rules.lab("harberger")
    at = truthful_purchase_rate(rules, "owner")
    turnovers = [logit_equilibrium(rules, "owner", 0, p).turnover for p in (0.3, 1, 3, 5)]
    distances = [abs(t - at) for t in turnovers]
    assert distances == sorted(distances, reverse=True)
    assert distances[-1] < 0.03


def test_a_tax_above_the_buyers_share_makes_everyone_declare_too_little():
    rules = Rules.lab("harberger", final_tax=0.6)
    assert truthful_purchase_rate(rules, "owner") > 1
    assert logit_equilibrium(rules, "owner", 0, 3.0).markup < -0.5


def test_choices_at_random_have_no_precision():
    found = logit_equilibrium(Rules.lab("harberger"), precision=0.0)
    assert found.choice == pytest.approx(1 / found.choice.shape[1])


@pytest.mark.parametrize("mechanism", ["harberger", "futarchy", "voting"])
@pytest.mark.parametrize("name", sorted(STRATEGIES))
def test_no_answer_of_a_scripted_player_is_refused(name, mechanism):
    rules = Rules.lab(mechanism, rounds=1, ticks=5)
    agent, rng = player(name), np.random.default_rng(1)
    session = Session.begin(rules, draw(rules, 4), 4)
    while not session.over:
        actions = {s: agent.act(rules, view, rng) for s, view in session.views().items()}
        for seat, action in actions.items():
            assert refusal(rules, session.present, seat, action) == ""
        session = session.step(actions)
    overtaken = ("nobody else", "less than", "no open offer", "no share left")
    refused = [e.why for r in session.rounds for e in r.orders if e.status == "refused"]
    assert all(any(words in why for words in overtaken) for why in refused), refused


def test_strategies_and_parameters_that_do_not_exist_are_named():
    with pytest.raises(WolvesError, match="expected one of truthful"):
        player("greedy")
    with pytest.raises(WolvesError, match="unknown parameters: bravery"):
        player("truthful", {"bravery": 1})
    assert player("low_baller", {"factor": 0.5}) == LowBaller(factor=0.5)


def test_each_player_declares_what_it_is_called():
    rules = Rules.lab("harberger", rounds=1, practice=False, ticks=1)
    for agent, factor in ((Truthful(), 1), (OverReporter(), 1.2), (LowBaller(), 0.7)):
        session = play_session(rules, seat_players(rules, everyone(agent)), 1)
        (round_,) = session.rounds
        for lot, declared in round_.final.items():
            value = round_.values[lot][round_.condition]
            limit = 2 * rules.band(lot, round_.condition).high
            assert declared == pytest.approx(min(factor * value, limit))


def test_signal_traders_trade_near_what_a_share_pays_and_random_ones_do_not():
    rules = Rules.lab("harberger", rounds=2, practice=False)

    def distances(agent):
        session = play_session(rules, seat_players(rules, everyone(agent)), 2)
        return [
            abs(trade.price / worth - 1)
            for round_ in session.rounds
            for worth in [share_worth(rules, (v[round_.condition] for v in round_.values.values()))]
            for trade in round_.markets[round_.condition].trades
        ]

    near, far = distances(Truthful()), distances(ZeroIntelligence(constrained=False))
    assert len(near) > 20
    assert len(far) > 20
    assert np.median(near) < 0.06
    assert np.median(far) > 3 * np.median(near)


def test_an_exploiter_earns_more_than_a_truthful_player_in_the_same_seat():
    """Against low-ballers, a speculator that knows their factor buys every lot and gains."""
    rules = Rules.lab("harberger", rounds=1, practice=False, ticks=0)
    others = seat_players(rules, everyone(LowBaller()))
    gains = []
    for seed in range(8):
        payoffs = []
        for agent in (Truthful(), Exploiter(markup=-0.3)):
            session = play_session(rules, {**others, 7: agent}, seed)
            payoffs.append(session.rounds[-1].accounts[7].payoff)
        gains.append(payoffs[1] - payoffs[0])
    assert min(gains) > 0
    expected = [0.5 * 0.3 * v for v in (4.75e5,)]
    assert np.mean(gains) > 2 * expected[0], "two stages with six lots each"


def test_equal_seeds_play_equal_sessions_and_one_seat_shifts_no_other():
    rules = Rules.lab("harberger", rounds=1, practice=False, ticks=3)
    cast = seat_players(rules, everyone(ZeroIntelligence()))
    assert play_session(rules, cast, 5) == play_session(rules, cast, 5)
    changed = play_session(rules, {**cast, 12: Truthful()}, 5)
    same = play_session(rules, cast, 5)
    assert changed.rounds[0].first == same.rounds[0].first
