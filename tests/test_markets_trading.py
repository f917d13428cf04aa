"""The market of the spatial planning experiment: orders, trades, cash and shares."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from many_wolves.families.markets.rules.draws import draw
from many_wolves.families.markets.rules.market import Market, Wallet, cancel, post
from many_wolves.families.markets.rules.parameters import Rules
from many_wolves.families.markets.rules.play import close_market, order
from many_wolves.families.markets.rules.session import Session
from planning_sessions import at, wait_or


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


@pytest.mark.parametrize(("side", "other"), [("bid", "ask"), ("ask", "bid")])
def test_who_takes_the_best_offer_gets_its_price_whatever_limit_is_given(side, other):
    book, _ = post(market(), 1, other, 40)
    for limit in (0, 1, 99, 1_000):
        after, done = post(book, 2, side, limit, now=True)
        assert (done.status, done.trade.price) == ("traded", 40)
        assert after.book == ()


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
