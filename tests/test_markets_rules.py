"""Every rule of the spatial planning experiment, one by one: seats, stages, purchases, accounts."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from many_wolves.families.markets.rules.actions import acting_seats, refusal
from many_wolves.families.markets.rules.draws import draw, share_worth
from many_wolves.families.markets.rules.market import Market, Wallet, post
from many_wolves.families.markets.rules.parameters import Band, Rules, Terms
from many_wolves.families.markets.rules.play import stages
from many_wolves.families.markets.rules.session import Session
from many_wolves.families.markets.rules.settle import (
    buyers_by_lot,
    condition_by_prices,
    condition_by_sums,
    condition_by_votes,
    purchase_gains,
)
from many_wolves.families.markets.rules.view import view
from planning_sessions import MECHANISMS, at, session, wait_or

# Seats and stages


def test_seats_are_numbered_as_in_the_lab():
    rules = Rules.lab("harberger")
    assert [rules.role(seat) for seat in rules.seats] == (
        ["owner", "developer"] + ["owner"] * 4 + ["speculator"] * 6
    )
    assert [rules.name(s) for s in (1, 2, 3, 6, 7, 12)] == [
        "Owner 1",
        "Developer",
        "Owner 2",
        "Owner 5",
        "Speculator 1",
        "Speculator 6",
    ]
    assert list(rules.round_numbers) == [0, 1, 2, 3, 4, 5]
    held = sum(rules.terms(rules.role(seat)).shares for seat in rules.seats)
    assert (held, rules.total_shares) == (90, 100)


@pytest.mark.parametrize("mechanism", ["harberger", "futarchy"])
@pytest.mark.parametrize(
    ("role", "expected"),
    [
        ("owner", (5, 60_000, 6, (350_000, 600_000), (150_000, 350_000), 200_000, 20_000)),
        ("developer", (1, 300_000, 30, (200_000, 500_000), (500_000, 2_750_000), 0, 50_000)),
        ("speculator", (6, 50_000, 5, 400_000, 20_000)),
    ],
)
def test_money_and_bands_are_those_of_the_lab(mechanism, role, expected):
    terms = Rules.lab(mechanism).terms(role)
    bands = [(band.low, band.high) for band in terms.bands]
    found = (terms.count, terms.cash, terms.shares, *bands)
    assert (*found, terms.base_points, terms.points_per_euro) == expected


@pytest.mark.parametrize("role", ["owner", "developer", "speculator"])
def test_euros_are_base_points_and_payoff_at_the_rate_of_the_role_and_the_fee(role):
    rules = Rules.lab("futarchy")
    seat = next(seat for seat in rules.seats if rules.role(seat) == role)
    base, rate = {"owner": (2e5, 2e4), "developer": (0, 5e4), "speculator": (4e5, 2e4)}[role]
    # A payoff that comes to 12.345 euro before the fee; half a cent goes up.
    assert rules.reward(seat, 12.345 * rate - base) == 17.35
    assert rules.reward(seat, 12.344 * rate - base) == 17.34


@pytest.mark.parametrize(
    ("mechanism", "expected"),
    [
        (
            "harberger",
            "first_declaration first_purchases market final_declaration final_purchases results",
        ),
        (
            "futarchy",
            "first_declaration first_purchases market final_declaration final_purchases results",
        ),
        ("voting", "talk request offer second_talk vote results"),
    ],
)
def test_stages_follow_the_lab(mechanism, expected):
    assert " ".join(stages(Rules.lab(mechanism))) == expected


def test_only_those_who_are_asked_may_answer():
    now = session()
    assert acting_seats(now.rules, now.present) == (1, 2, 3, 4, 5, 6)
    assert "not asked" in refusal(now.rules, now.present, 7, {"no_project": 1, "project": 1})


def test_rules_that_make_no_sense_are_refused():
    for changes in (
        {"final_tax": 1.5},
        {"mechanism": "lottery"},
        {"rounds": 0},
        {"signal_low": 1.1},
        {"developer": Terms(2, 1, 1, (Band(0, 1), Band(0, 1)))},
        {"owner": Terms(5, 1, 1, ())},
    ):
        with pytest.raises(ValueError, match="expected"):
            Rules(**changes)


# Draws


def test_equal_seeds_draw_equal_sessions_within_the_bands():
    rules = Rules.lab("harberger")
    assert draw(rules, 7) == draw(rules, 7)
    assert draw(rules, 7) != draw(rules, 8)
    draws = draw(rules, 7)
    for number in rules.round_numbers:
        for seat in rules.landowners:
            for condition in (0, 1):
                value = draws.values[number][seat][condition]
                band = rules.band(seat, condition)
                assert band.low <= value <= band.high
                assert value % 1000 == 0
        for seat in rules.seats:
            for condition in (0, 1):
                worth = share_worth(
                    rules, (pair[condition] for pair in draws.values[number].values())
                )
                assert 0.95 * worth - 0.5 <= draws.signals[number][seat][condition]
                assert draws.signals[number][seat][condition] <= 1.05 * worth + 0.5
    assert draws.paid_round in range(1, 6)


def test_values_are_drawn_anew_each_round_and_differ_between_seats():
    rules = Rules.lab("harberger")
    values = draw(rules, 7).values
    pairs = [values[number][seat] for number in rules.round_numbers for seat in (1, 3, 4, 5, 6)]
    assert len(set(pairs)) == len(pairs) == 6 * 5


def test_private_signals_spread_over_five_percent_around_the_worth_at_true_values():
    rules = Rules.lab("futarchy")
    factors = []
    for seed in range(40):
        draws = draw(rules, seed)
        for number, by_seat in draws.values.items():
            worth = [0.33 * sum(pair[c] for pair in by_seat.values()) / 100 for c in (0, 1)]
            signals = draws.signals[number]
            assert all(signal == round(signal) for pair in signals.values() for signal in pair)
            factors += [signals[seat][c] / worth[c] for seat in rules.seats for c in (0, 1)]
    deviations = sorted(factor - 1 for factor in factors)
    assert -0.0502 < deviations[0] < -0.049
    assert 0.049 < deviations[-1] < 0.0502
    # Uniform: a quarter of the signals lies in each quarter of the range.
    for share in (0.25, 0.5, 0.75):
        found = deviations[int(share * len(deviations))]
        assert found == pytest.approx(-0.05 + 0.1 * share, abs=0.003)


def test_one_paid_round_is_drawn_for_all_and_never_the_practice_round():
    rules = Rules.lab("harberger")
    paid = [draw(rules, seed).paid_round for seed in range(200)]
    assert {number: paid.count(number) > 20 for number in set(paid)} == dict.fromkeys(
        range(1, 6), True
    )


# Declarations


def test_no_declaration_means_the_low_end_of_the_band():
    now = session().step({1: {"no_project": 500_000, "project": 300_000}})
    assert now.present.first[1] == (500_000, 300_000)
    assert now.present.first[2] == (200_000, 500_000)
    assert now.present.first[3] == (350_000, 150_000)
    assert now.present.defaulted["first_declaration"] == (2, 3, 4, 5, 6)
    assert at("final_declaration").step({}).present.final[2] == 200_000
    first = {seat: {"no_project": 0, "project": 1} for seat in now.rules.landowners}
    built = session(ticks=0).step(first).step({}).step({})
    assert (built.present.condition, built.present.final[2]) == (1, 500_000)


@pytest.mark.parametrize(
    ("value", "why"),
    [
        (1_200_001, "at most 1,200,000"),
        (-1, "0 or more"),
        ("many", "enter a number"),
        (None, "enter a number"),
        (True, "enter a number"),
        (float("nan"), "enter a number"),
        (float("inf"), "enter a number"),
    ],
)
def test_a_declaration_above_twice_the_high_end_or_without_number_is_refused(value, why):
    now = session()
    assert why in refusal(now.rules, now.present, 1, {"no_project": value, "project": 1})


def test_twice_the_high_end_itself_is_accepted():
    now = session()
    action = {"no_project": 1_200_000, "project": 700_000}
    assert refusal(now.rules, now.present, 1, action) == ""
    assert "unknown field" in refusal(now.rules, now.present, 1, action | {"extra": 1})


# The choice between the conditions


def test_a_tie_of_declared_sums_goes_to_the_project():
    assert condition_by_sums({1: (10, 5), 2: (0, 5)}) == 1
    assert condition_by_sums({1: (10, 5), 2: (0, 4)}) == 0


@pytest.mark.parametrize(
    ("without", "with_project", "chosen"),
    [
        (None, None, 1),
        (5.0, None, 0),
        (None, 5.0, 1),
        (5.0, 6.0, 1),
        (6.0, 5.0, 0),
        (5.0, 5.0, 0),
        (0.0, 0.0, 1),
        (0.0, None, 1),
    ],
)
def test_prices_choose_as_on_the_lab_s_server(without, with_project, chosen):
    assert condition_by_prices(without, with_project) == chosen


@pytest.mark.parametrize(
    ("votes", "chosen"),
    [
        ({1: 1, 3: 1, 4: 0}, 1),
        ({1: 0, 3: 0, 4: 1}, 0),
        ({1: 1, 3: 1, 4: 0, 5: 0, 6: None}, 1),
        ({1: None, 3: None}, 1),
        ({1: 0, 3: None}, 0),
    ],
)
def test_votes_choose_and_a_tie_goes_to_the_project(votes, chosen):
    assert condition_by_votes(votes) == chosen


def test_futarchy_takes_the_median_of_the_last_seven_prices():
    market = Market({1: Wallet(1e6, 50), 2: Wallet(1e6, 50)})
    for price in (1, 1, 1, 10, 20, 30, 40, 50, 60, 70):
        market, _ = post(market, 1, "ask", price)
        market, done = post(market, 2, "bid", 0, now=True)
        assert done.status == "traded"
    assert market.median(7) == 40
    assert market.median(4) == 55
    assert Market({}).median() is None


def test_futarchy_voids_the_market_of_the_other_condition():
    now = at("market", "futarchy", ticks=2)
    sell = {"action": "ask", "price": 9_000, "order": None, "market": "no_project"}
    buy = {"action": "buy", "price": None, "order": None, "market": "no_project"}
    now = now.step(wait_or({1: sell}, now.acting)).step(wait_or({7: buy}, now.acting))
    assert now.present.condition == 0
    while now.present.number == 0:
        now = now.step({})
    done = now.rounds[0]
    assert done.accounts[1].cash == 69_000
    assert done.accounts[7].shares == 6
    now = at("market", "futarchy", ticks=3)
    dearer = {"action": "ask", "price": 9_500, "order": None, "market": "project"}
    now = now.step(wait_or({1: sell, 3: dearer}, now.acting))
    now = now.step(wait_or({7: buy, 8: buy | {"market": "project"}}, now.acting)).step({})
    assert now.present.condition == 1
    while now.present.number == 0:
        now = now.step({})
    assert now.rounds[0].accounts[7].cash == 50_000, "the wallet of the other market is void"
    assert now.rounds[0].accounts[8].cash == 40_500


# Purchases


def test_buyers_divide_half_of_the_gap_and_the_owner_pays_it():
    rules = Rules.lab("harberger")
    values, declared = {1: 100.0, 3: 50.0}, {1: 60.0, 3: 70.0}
    gains = purchase_gains(rules, values, declared, {1: [7, 8], 3: [7]})
    assert gains == {7: 10 - 10, 8: 10, 1: -20, 3: 10}
    assert purchase_gains(rules, values, declared, {1: []}) == {}


def test_a_lot_listed_twice_counts_once_unless_the_server_is_imitated():
    rules = Rules.lab("harberger")
    assert buyers_by_lot(rules, {7: (1, 1, 1), 8: (1,)})[1] == [7, 8]
    imitated = replace(rules, repeated_purchases=True)
    buyers = buyers_by_lot(imitated, {7: (1, 1, 1), 8: (1,)})
    gains = purchase_gains(imitated, {1: 100.0}, {1: 0.0}, {1: buyers[1]})
    assert gains[7] == 3 / 8 * 100, "listed three times a lot pays 3/8 instead of 1/4"
    assert gains[8] == 1 / 8 * 100


@given(
    st.dictionaries(st.integers(7, 12), st.lists(st.integers(1, 6)), max_size=6),
    st.lists(st.floats(0, 1e6), min_size=12, max_size=12),
    st.booleans(),
)
def test_purchases_move_points_and_make_none(bought, numbers, repeated):
    rules = Rules.lab("harberger", repeated_purchases=repeated)
    values, declared = dict(enumerate(numbers[:6], 1)), dict(enumerate(numbers[6:], 1))
    gains = purchase_gains(rules, values, declared, buyers_by_lot(rules, bought))
    assert sum(gains.values()) == pytest.approx(0, abs=1e-3)


@pytest.mark.parametrize("mechanism", ["harberger", "futarchy"])
def test_no_answer_buys_no_lot(mechanism):
    now = session(mechanism, ticks=1)
    while now.present.number == 0:
        now = now.step({})
    done = now.rounds[0]
    assert set(done.first_buys.values()) == {((), ())}
    assert set(done.final_buys.values()) == {()}
    assert all(a.first_purchases == a.final_purchases == 0 for a in done.accounts.values())


def test_unknown_lots_are_refused():
    now = session().step({})
    for lots, why in (
        ([9], "unknown lot 9"),
        ("1,2", "list of lot numbers"),
        ([True], "unknown lot True"),
    ):
        assert why in refusal(now.rules, now.present, 7, {"lots": lots})
    assert refusal(now.rules, now.present, 7, {"lots": []}) == ""


def test_purchases_before_a_futarchy_market_count_under_the_chosen_condition_only():
    now = at("first_purchases", "futarchy", ticks=1)
    both = {"lots_no_project": [1], "lots_project": [1, 2]}
    done = now.step(dict.fromkeys(now.acting, both))
    while done.present.number == 0:
        done = done.step({})
    round_ = done.rounds[0]
    assert round_.condition == 1
    gap = round_.values[1][1] - round_.first[1][1]
    gap += round_.values[2][1] - round_.first[2][1]
    assert round_.accounts[7].first_purchases == pytest.approx(gap / 2 / 6)


# Accounts


@pytest.mark.parametrize("mechanism", ["harberger", "futarchy"])
def test_signals_are_shown_for_each_open_market_only(mechanism):
    """The public one is the worth of a share at the first declarations."""
    now = session(mechanism, ticks=1)
    first = {s: {"no_project": 1_000 * s, "project": 10_000 * s} for s in now.rules.landowners}
    now = now.step(first).step({})
    worth = (0.33 * 21_000 / 100, 0.33 * 210_000 / 100)
    opened = (0, 1) if mechanism == "futarchy" else (1,)
    for seat in now.rules.seats:
        seen = view(now.rules, now.present, seat)
        assert tuple(seen.markets) == opened
        own = now.present.signals[seat]
        for condition in (0, 1):
            there = condition in opened
            assert seen.public_signal[condition] == (
                pytest.approx(worth[condition]) if there else None
            )
            assert seen.private_signal[condition] == (own[condition] if there else None)


def test_everyone_is_paid_for_the_round_that_was_drawn():
    for paid in (1, 3, 5):
        rules = Rules.lab("harberger", ticks=0)
        draws = replace(draw(rules, 7), paid_round=paid)
        now = Session.begin(rules, draws, 7)
        while not now.over:
            now = now.step({})
        accounts = now.rounds[paid].accounts
        assert now.rounds[paid].number == paid
        assert now.rewards() == {s: rules.reward(s, a.payoff) for s, a in accounts.items()}
        others = [r.accounts[2].payoff for r in now.rounds if r.number != paid]
        assert accounts[2].payoff not in others


def test_the_worth_of_a_share_counts_final_declarations_only():
    now = session(ticks=0, practice=False, rounds=1)
    first = {s: {"no_project": 1_000, "project": 300_000} for s in now.rules.landowners}
    now = now.step(first).step({})
    assert now.present.condition == 1
    final = {s: {"value": 100_000.0 * s} for s in now.rules.landowners}
    now = now.step(final).step({})
    done = now.present
    assert done.share_price == pytest.approx(0.33 * 2_100_000 / 100)
    account = done.accounts[2]
    assert account.payoff == pytest.approx(
        done.values[2][1] - 0.01 * 300_000 - 0.33 * 200_000 + 300_000 + 30 * done.share_price
    )
    assert now.rewards()[2] == pytest.approx(round(account.payoff / 50_000, 2) + 5, abs=0.01)


def test_compensation_is_paid_by_the_developer_if_the_project_is_built():
    now = session("voting", talk=0, practice=False, rounds=1)
    now = now.step({seat: {"compensation": 70_000} for seat in now.acting})
    assert view(now.rules, now.present, 2).requests == dict.fromkeys((1, 3, 4, 5, 6), 70_000)
    assert view(now.rules, now.present, 1).requests == {}
    now = now.step({2: {"compensation": 50_000}})
    assert now.present.stage == "vote"
    built = now.step({s: {"vote": "project"} for s in now.acting}).present
    assert built.accounts[2].payoff == built.values[2][1] - 250_000
    assert built.accounts[3].payoff == built.values[3][1] + 50_000
    none = now.step({s: {"vote": "no_project"} for s in now.acting}).present
    assert none.accounts[2].payoff == none.values[2][0]
    assert none.accounts[3].payoff == none.values[3][0]


def test_nobody_answers_and_every_round_still_ends():
    for mechanism in MECHANISMS:
        now = session(mechanism, ticks=2)
        while not now.over:
            now = now.step({})
        assert [r.number for r in now.rounds] == [0, 1, 2, 3, 4, 5]
        assert set(now.rewards()) == set(now.rules.seats)


def test_talk_reaches_those_it_is_written_to():
    now = at("talk", "voting")
    actions = {
        1: {"message": "to all", "to": []},
        3: {"message": "to two only", "to": [2]},
        4: {"message": "   ", "to": []},
    }
    assert all(not refusal(now.rules, now.present, s, a) for s, a in actions.items())
    assert "another player" in refusal(now.rules, now.present, 1, {"message": "x", "to": [1]})
    now = now.step(actions)
    texts = {s: {m[2] for m in view(now.rules, now.present, s).messages} for s in (1, 2, 3, 4)}
    assert texts == {
        1: {"to all"},
        2: {"to all", "to two only"},
        3: {"to all", "to two only"},
        4: {"to all"},
    }
