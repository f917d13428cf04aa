"""Every rule of the spatial planning experiment, one by one."""

import ast
import json
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from many_wolves.families.markets.rules.actions import acting_seats, form, refusal
from many_wolves.families.markets.rules.draws import draw, share_worth
from many_wolves.families.markets.rules.market import Market, Wallet, cancel, post
from many_wolves.families.markets.rules.parameters import Band, Rules, Terms
from many_wolves.families.markets.rules.play import close_market, open_round, order, play, stages
from many_wolves.families.markets.rules.session import Session, SessionRecord
from many_wolves.families.markets.rules.settle import (
    buyers_by_lot,
    condition_by_prices,
    condition_by_sums,
    condition_by_votes,
    purchase_gains,
)
from many_wolves.families.markets.rules.view import View, view
from many_wolves.families.markets.rules.words import as_html, as_text, instructions, page
from many_wolves.families.markets.task.wording import read_wording

WORDING = read_wording()
MECHANISMS = ("harberger", "futarchy", "voting")


def session(mechanism="harberger", seed=1, **changes):
    rules = Rules.lab(mechanism, **changes)
    return Session.begin(rules, draw(rules, seed), seed)


def at(stage, mechanism="harberger", **changes):
    """A session that nobody has answered, at a stage."""
    now = session(mechanism, **changes)
    while now.present.stage != stage:
        now = now.step({})
    return now


def wait_or(actions, seats):
    nothing = {"action": "wait", "price": None, "order": None, "market": "project"}
    return {seat: actions.get(seat, nothing) for seat in seats}


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


# Declarations


def test_no_declaration_means_the_low_end_of_the_band():
    now = session().step({1: {"no_project": 500_000, "project": 300_000}})
    assert now.present.first[1] == (500_000, 300_000)
    assert now.present.first[2] == (200_000, 500_000)
    assert now.present.first[3] == (350_000, 150_000)
    assert now.present.defaulted["first_declaration"] == (2, 3, 4, 5, 6)
    final = at("final_declaration").step({})
    assert final.present.final[2] == final.rules.band(2, final.present.condition).low


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


# The market


def market(**wallets):
    wallets = wallets or {"a": (100, 2), "b": (100, 2), "c": (100, 2)}
    return Market({" abc".index(name): Wallet(*w) for name, w in wallets.items()})


def test_trades_are_at_the_price_that_stood_first():
    book, rests = post(market(), 1, "ask", 40)
    assert (rests.status, rests.order) == ("rested", 1)
    book, done = post(book, 2, "bid", 55)
    assert done.trade is not None
    assert (done.trade.price, done.trade.buyer, done.trade.seller) == (40, 2, 1)
    assert book.wallets[2] == (60, 3)
    assert book.wallets[1] == (140, 1)
    assert book.book == ()


def test_best_price_goes_first_then_time_and_own_offers_are_skipped():
    book, _ = post(market(), 1, "ask", 40)
    book, _ = post(book, 2, "ask", 30)
    book, _ = post(book, 3, "ask", 30)
    _, done = post(book, 1, "bid", 0, now=True)
    assert (done.trade.seller, done.trade.price) == (2, 30), "the older of the two best"
    _, own = post(book, 2, "bid", 0, now=True)
    assert own.trade.seller == 3, "never its own"
    book, _ = post(market(), 1, "ask", 40)
    book, rests = post(book, 1, "bid", 50)
    assert rests.status == "rested"


@pytest.mark.parametrize(
    ("side", "price", "now", "why"),
    [
        ("bid", -1, False, "0 or more"),
        ("bid", float("nan"), False, "number"),
        ("bid", 100.5, False, "cash is less"),
        ("bid", 0, True, "nobody else has an offer"),
        ("ask", 0, True, "nobody else has an offer"),
    ],
)
def test_orders_that_cannot_be_are_refused_and_change_nothing(side, price, now, why):
    before = market()
    after, outcome = post(before, 1, side, price, now)
    assert outcome.status == "refused"
    assert why in outcome.why
    assert after is before


def test_open_bids_may_not_exceed_cash_nor_open_asks_shares():
    book, _ = post(market(), 1, "bid", 60)
    assert post(book, 1, "bid", 41)[1].status == "refused"
    assert post(book, 1, "bid", 40)[1].status == "rested"
    book, _ = post(book, 1, "ask", 90)
    book, _ = post(book, 1, "ask", 91)
    assert "already offered" in post(book, 1, "ask", 92)[1].why
    book, gone = cancel(book, 1, 2)
    assert gone.status == "cancelled"
    assert post(book, 1, "ask", 92)[1].status == "rested"


def test_a_bid_that_its_owner_can_no_longer_pay_is_not_traded():
    book, _ = post(market(), 1, "bid", 90)
    book, _ = post(book, 2, "ask", 95)
    book, done = post(book, 1, "bid", 0, now=True)
    assert done.status == "traded", "taking an offer does not look at open bids"
    _, outcome = post(book, 3, "ask", 0, now=True)
    assert "best bidder" in outcome.why


def test_nobody_cancels_the_offer_of_another():
    book, rests = post(market(), 1, "bid", 60)
    assert cancel(book, 2, rests.order)[1].status == "refused"
    assert cancel(book, 1, 99)[1].status == "refused"


def test_the_buyer_pays_the_fee():
    book, _ = post(market(), 1, "ask", 40)
    after, _ = post(book, 2, "bid", 50, fee=5)
    assert after.wallets[2].cash == 55
    assert after.wallets[1].cash == 140
    assert post(book, 2, "bid", 50, fee=70)[1].status == "refused"


orders = st.tuples(
    st.integers(1, 3),
    st.sampled_from(["bid", "ask"]),
    st.floats(0, 120, allow_nan=False),
    st.booleans(),
)


@settings(max_examples=60)
@given(st.lists(orders, max_size=40))
def test_markets_keep_cash_and_shares_and_never_go_below_zero(placed):
    book = market()
    for seat, side, price, now in placed:
        book, outcome = post(book, seat, side, price, now)
        assert outcome.status in ("rested", "traded", "refused")
        assert sum(w.cash for w in book.wallets.values()) == pytest.approx(300)
        assert sum(w.shares for w in book.wallets.values()) == 6
        assert min(w.cash for w in book.wallets.values()) >= -1e-9
        assert min(w.shares for w in book.wallets.values()) >= 0
        for owner in book.wallets:
            assert book.free_shares(owner) >= 0


def test_simultaneous_orders_take_effect_in_an_order_that_the_seed_decides():
    def winner(seed):
        rules = Rules.lab("harberger", ticks=2)
        now = Session.begin(rules, draw(rules, 1), seed)
        while now.present.stage != "market":
            now = now.step({})
        ask = {1: {"action": "ask", "price": 5_000, "order": None}}
        now = now.step(wait_or(ask, now.acting) | ask)
        buy = {"action": "buy", "price": None, "order": None}
        now = now.step(dict.fromkeys(range(7, 13), buy))
        (trade,) = now.rounds[0].markets[now.rounds[0].condition].trades
        return trade.buyer

    winners = {seed: winner(seed) for seed in range(12)}
    assert winners == {seed: winner(seed) for seed in range(12)}
    assert len(set(winners.values())) > 2


def test_an_engine_with_a_clock_may_close_the_market_at_any_time():
    now = at("market", ticks=20)
    round_ = order(now.rules, now.present, 1, {"action": "ask", "price": 5.0, "order": None}, 1.5)
    assert round_.orders[-1].seconds == 1.5
    assert close_market(now.rules, round_).stage == "final_declaration"


# Accounts


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


# What a seat sees


def walk(now):
    """Every state of a session that a seeded generator plays."""
    from random import Random

    random = Random(3)
    while True:
        yield now
        if now.over:
            return
        now = now.step({s: anything(now, s, random) for s in now.acting})


def anything(now, seat, random):
    fields = form(now.rules, now.present, seat)["properties"]
    if "action" in fields:
        kind = random.choice(fields["action"]["enum"])
        market_ = random.choice(["project", "no_project"])
        action = {"action": kind, "price": random.randint(4_000, 9_000), "order": 1}
        return action | ({"market": market_} if "market" in fields else {})
    made = {}
    for name, limits in fields.items():
        if limits["type"] == "number":
            made[name] = float(random.randint(100_000, 400_000))
        elif limits["type"] == "array":
            made[name] = random.sample(range(1, 7), 2) if "lots" in name else []
        else:
            made[name] = random.choice(limits.get("enum", ["hello"]))
    return made


@pytest.mark.parametrize("mechanism", MECHANISMS)
def test_no_page_shows_a_value_or_a_signal_of_another_seat(mechanism):
    """Each secret is a number that nothing else in the session equals."""
    rules = Rules.lab(mechanism, ticks=3, rounds=1, practice=False)
    draws = draw(rules, 5)
    secret = {
        seat: tuple(100_000 + 1_000 * seat + 777 + c for c in (0, 1)) for seat in rules.landowners
    }
    signals = {seat: (3_000 + seat * 10 + 1, 3_000 + seat * 10 + 2) for seat in rules.seats}
    draws = replace(draws, values={1: secret}, signals={1: signals})
    for now in walk(Session.begin(rules, draws, 1)):
        for seat in rules.seats:
            seen = view(rules, now.present, seat)
            text = as_text(page(WORDING, rules, seen)) + json.dumps(seen.to_json())
            text = text.replace(",", "")
            for other in rules.seats:
                if other == seat:
                    continue
                for number in (*secret.get(other, ()), *signals[other]):
                    assert str(int(number)) not in text, (seat, other, now.present.stage)
            if seat in secret and now.present.stage != "results":
                assert str(secret[seat][0]) in text


@pytest.mark.parametrize("mechanism", MECHANISMS)
def test_views_records_and_rules_survive_json(mechanism):
    rules = Rules.lab(mechanism, ticks=4, rounds=1)
    assert Rules.from_json(json.loads(json.dumps(rules.to_json()))) == rules
    for now in walk(Session.begin(rules, draw(rules, 2), 2)):
        record = now.record()
        assert SessionRecord.from_json(json.loads(json.dumps(record.to_json()))) == record
        for seat in now.acting:
            seen = now.view(seat)
            assert View.from_json(json.loads(json.dumps(seen.to_json()))) == seen


@pytest.mark.parametrize("mechanism", MECHANISMS)
def test_every_page_has_words_for_everyone(mechanism):
    rules = Rules.lab(mechanism, ticks=2, rounds=1, talk=1, trade_fee=3)
    for seat in rules.seats:
        text = as_text(instructions(WORDING, rules, seat))
        assert "{" not in text
        assert rules.name(seat) in text
    for now in walk(Session.begin(rules, draw(rules, 2), 2)):
        for seat in rules.seats:
            blocks = page(WORDING, rules, now.view(seat))
            assert "{" not in as_text(blocks)
            assert as_html(blocks).startswith("<p>")


def test_buyers_see_where_a_declaration_lies_in_its_range_and_owners_do_not():
    now = session().step({1: {"no_project": 475_000, "project": 250_000}})
    seen = as_text(page(WORDING, now.rules, now.view(7)))
    assert "475,000 | 50 %" in seen or "250,000 | 50 %" in seen
    assert "share of the range" not in as_text(page(WORDING, now.rules, now.view(3)))


def test_the_rules_import_nothing_but_the_standard_library():
    import sys

    from many_wolves.families.markets import rules

    for path in Path(rules.__file__).parent.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ImportFrom):
                assert node.level == 1 or node.module.split(".")[0] in sys.stdlib_module_names
            if isinstance(node, ast.Import):
                assert all(a.name.split(".")[0] in sys.stdlib_module_names for a in node.names)


def test_play_reaches_the_end_of_a_round_by_itself():
    rules = Rules.lab("harberger", ticks=1)
    round_ = open_round(rules, draw(rules, 1), 1)
    while round_.stage != "results":
        round_ = play(rules, round_, {}, 0)
    with pytest.raises(ValueError, match="over"):
        play(rules, round_, {}, 0)
    assert 0 < round_.efficiency <= 1
