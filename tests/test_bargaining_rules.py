"""The rules of one game, and the scripted partners."""

from __future__ import annotations

import math
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from many_wolves.errors import WolvesError
from many_wolves.families.bargaining.moves import (
    OTHER_GOODS,
    REVERSED,
    Move,
    Terms,
    better,
    other,
)
from many_wolves.families.bargaining.task.partners import (
    View,
    check_rule,
    last_offer,
    odds_of,
    partner_move,
    told_prices,
)
from many_wolves.families.bargaining.task.rules import (
    ENDS,
    OUTCOMES,
    after,
    begin,
    cut,
    mover,
)

BALLOON = Terms(ask=20, bid=10, cost=8, value=24, seller_first=20, buyer_first=10)


def play(terms, moves):
    """The state after a sequence of moves."""
    state = begin(terms)
    for move in moves:
        state = after(terms, state, move)
    return state


def offer(price, *flags):
    return Move("offer", price, flags)


ACCEPT, WALK, TALK = Move("accept"), Move("walk"), Move("talk")


def test_shares_prices_and_payoffs_agree():
    assert BALLOON.pie == 16
    assert BALLOON.share("seller", 16) == 0.5
    assert BALLOON.share("buyer", 12) == 0.75
    for role in ("seller", "buyer"):
        assert BALLOON.price(role, BALLOON.share(role, 13)) == 13
        assert BALLOON.payoff(role, 13) == pytest.approx(16 * BALLOON.share(role, 13))


def test_without_a_value_the_pie_lies_between_the_first_prices():
    published = Terms(ask=20, bid=10, cost=8)
    assert (published.low, published.high) == (10, 20)
    assert published.payoff("buyer", 15) is None
    assert published.payoff("seller", 15) == 7
    assert published.reservation("buyer") is None


def test_an_outside_option_moves_the_reservation_price():
    terms = Terms(ask=20, bid=10, cost=8, value=24, outside_seller=3, outside_buyer=2)
    assert terms.reservation("seller") == 11
    assert terms.reservation("buyer") == 22
    assert terms.payoff("seller", None) == 3
    assert terms.payoff("buyer", None) == 2


def test_the_grid_rounds_in_favour_of_a_role():
    terms = Terms(ask=20, bid=10, step=0.5)
    assert terms.on_grid(14.6) == 14.5
    assert terms.on_grid(14.6, "seller") == 15
    assert terms.on_grid(14.6, "buyer") == 14.5
    assert terms.on_grid(14.5, "seller") == terms.on_grid(14.5, "buyer") == 14.5


def test_a_deal_closes_at_the_standing_price():
    state = play(BALLOON, [offer(18), offer(14), ACCEPT])
    assert (state.ended, state.price, state.by, state.messages) == ("deal", 14, "seller", 3)
    state = play(BALLOON, [offer(18), ACCEPT])
    assert (state.ended, state.price, state.by) == ("deal", 18, "buyer")


def test_an_offer_at_or_beyond_the_standing_price_closes_at_it():
    for price in (14, 13):
        assert play(BALLOON, [offer(18), offer(14), offer(price)]).price == 14
    for price in (18, 19):
        assert play(BALLOON, [offer(18), offer(price)]).price == 18


def test_talk_leaves_the_prices_standing():
    state = play(BALLOON, [TALK, TALK, TALK])
    assert (state.seller, state.buyer, state.ended) == (20, 10, "")


def test_walking_away_is_an_outcome_with_its_side():
    state = play(BALLOON, [offer(18), WALK])
    assert (state.ended, state.price, state.by) == ("walked", None, "buyer")
    assert state.ended in OUTCOMES


def test_the_cap_counts_messages_of_each_side():
    terms = Terms(ask=20, bid=10, rounds=2, seller_first=20, buyer_first=10)
    state = play(terms, [offer(18), offer(12), offer(17), offer(13)])
    assert (state.ended, state.price, state.rounds) == ("cap", None, 2)
    # the last message may still close the deal
    assert play(terms, [offer(18), offer(12), offer(17), ACCEPT]).ended == "deal"


def test_an_acceptance_with_nothing_to_accept_changes_nothing():
    free = Terms(ask=20, bid=10)
    assert play(free, [ACCEPT]).ended == ""


def test_an_offer_of_other_goods_does_not_close_a_deal():
    state = play(BALLOON, [offer(25, OTHER_GOODS), ACCEPT])
    assert (state.ended, state.price, state.other_goods) == ("unparsed", None, True)
    # a new price for the good alone can be taken again
    state = play(BALLOON, [offer(25, OTHER_GOODS), offer(14), offer(18), ACCEPT])
    assert (state.ended, state.price, state.other_goods) == ("deal", 18, True)


def test_two_messages_in_the_other_role_end_a_game():
    once = Move("talk", None, (REVERSED,))
    assert play(BALLOON, [once, TALK]).ended == ""
    assert play(BALLOON, [once, once]).ended == ""  # one of each side
    state = play(BALLOON, [once, TALK, once])
    assert (state.ended, state.by, state.reversed("seller")) == ("unparsed", "seller", 2)


def test_a_message_that_cannot_be_read_cuts_the_game():
    state = cut(BALLOON, after(BALLOON, begin(BALLOON), offer(18)), "refused")
    assert (state.ended, state.by, state.messages) == ("refused", "buyer", 2)
    with pytest.raises(ValueError, match="has ended"):
        after(BALLOON, state, TALK)


MOVES = st.one_of(
    st.builds(
        Move,
        st.just("offer"),
        st.integers(5, 30).map(float),
        st.sampled_from([(), (OTHER_GOODS,)]),
    ),
    st.sampled_from([ACCEPT, WALK, TALK, Move("talk", None, (REVERSED,))]),
)


@given(moves=st.lists(MOVES, max_size=30), first=st.sampled_from(["seller", "buyer"]))
def test_any_sequence_ends_at_most_once_and_prices_belong_to_deals(moves, first):
    terms = Terms(ask=20, bid=10, first=first, rounds=8, seller_first=20, buyer_first=10)
    state = begin(terms)
    for move in moves:
        if state.ended:
            break
        role = mover(terms, state)
        before = state.standing(other(role))
        state = after(terms, state, move)
        if state.ended == "deal":
            assert state.price == before
            assert state.by == role
    assert state.messages <= 16
    assert state.ended in ("", *ENDS)
    assert (state.price is not None) == (state.ended == "deal")


def against(rule, moves, terms=BALLOON, role="buyer", seed="1"):
    """A scripted partner's moves against those of a speaker, until the game ends."""
    state, made = begin(terms), []
    first = {"seller": terms.seller_first, "buyer": terms.buyer_first}
    heard = [terms.share(role, p) for p in [first[other(role)]] if p is not None]
    demands = [terms.share(role, p) for p in [first[role]] if p is not None]
    moves = iter(moves)
    while not state.ended:
        if mover(terms, state) != role:
            state = after(terms, state, next(moves, TALK))
            continue
        standing = state.standing(other(role))
        if standing is not None:
            heard.append(terms.share(role, standing))
        view = View(terms, state, role, heard, demands, Random(f"{seed}:{state.messages}"))
        move = partner_move(rule, view)
        made.append(move)
        if move.price is not None:
            demands.append(terms.share(role, move.price))
        state = after(terms, state, move)
    return made, state


def prices(made):
    return [move.price for move in made if move.kind == "offer"]


def test_fixed_never_moves():
    made, state = against({"kind": "fixed", "demand": 0.75}, [TALK] * 10)
    assert prices(made) == [12] * 10
    assert state.ended == "cap"


def test_fixed_takes_what_gives_it_its_demand():
    made, state = against({"kind": "fixed", "demand": 0.75}, [offer(13), offer(12)])
    assert [move.kind for move in made] == ["offer"]  # then the offer of 12 is its own price
    assert (state.ended, state.price, state.by) == ("deal", 12, "seller")


@pytest.mark.parametrize(("exponent", "middle"), [(4, "late"), (1, "even"), (0.25, "early")])
def test_schedules_concede_late_evenly_or_early(exponent, middle):
    rule = {"kind": "schedule", "opening": 0.875, "bottom": 0.3125, "exponent": exponent}
    made, _ = against(rule, [TALK] * 10)
    found = prices(made)
    assert found == sorted(found)
    assert found[-1] == 19  # share .3125 of a pie of 16 below 24
    half = (found[4] - 10) / (19 - 10)
    assert {"late": half < 0.2, "even": 0.4 < half < 0.6, "early": half > 0.7}[middle]


def test_a_schedule_reaches_its_bottom_with_its_last_message_only():
    rule = {"kind": "schedule", "opening": 1, "bottom": 0, "exponent": 1}
    free = Terms(ask=20, bid=10, cost=10, value=20, rounds=6)
    made, _ = against(rule, [TALK] * 10, free)
    assert prices(made) == [10, 12, 14, 16, 18, 20]


def test_tit_for_tat_returns_concessions_and_no_more():
    rule = {"kind": "tit_for_tat", "start": 0.9, "share": 1}
    made, _ = against(rule, [offer(18), offer(18), offer(16), TALK])
    assert prices(made)[:4] == [12, 12, 14, 14]
    half = {"kind": "tit_for_tat", "start": 0.9, "share": 0.5}
    made, _ = against(half, [offer(16), TALK])
    assert prices(made)[:2] == [12, 12]


def test_split_meets_in_the_middle_and_takes_the_last_step():
    made, state = against({"kind": "split"}, [offer(18), offer(16), offer(15)])
    assert prices(made) == [14, 15]
    assert (state.ended, state.price) == ("deal", 15)


def test_zeuthen_concedes_just_enough_to_turn_the_order():
    rule = {"kind": "zeuthen"}
    made, _ = against(rule, [offer(18)])
    price = made[0].price
    own, theirs = BALLOON.share("buyer", price), BALLOON.share("buyer", 18)
    risk = lambda d, x: (d - x) / d  # noqa: E731
    assert risk(own, theirs) > risk(1 - theirs, 1 - own)
    before = BALLOON.share("buyer", price - 1)  # a step less would not have been enough
    assert risk(before, theirs) <= risk(1 - theirs, 1 - before)
    # with the larger risk limit it stays where it is
    made, _ = against(rule, [offer(20), TALK])
    assert made[1].price == made[0].price


def test_zeuthen_against_itself_ends_at_the_nash_solution():
    terms = Terms(ask=100, bid=0, cost=0, value=100, rounds=60, seller_first=100, buyer_first=0)
    state, heard, demands = begin(terms), {}, {}
    for role, price in (("seller", 100), ("buyer", 0)):
        demands[role], heard[role] = [terms.share(role, price)], [0.0]
    while not state.ended:
        role = mover(terms, state)
        heard[role].append(terms.share(role, state.standing(other(role))))
        view = View(terms, state, role, heard[role], demands[role], Random("1"))
        move = partner_move({"kind": "zeuthen"}, view)
        if move.price is not None:
            demands[role].append(terms.share(role, move.price))
        state = after(terms, state, move)
    assert state.ended == "deal"
    assert abs(state.price - 50) <= 1


def test_random_stays_within_its_range_and_repeats_with_its_seed():
    rule = {"kind": "random", "low": 0.4, "high": 0.8}
    made, _ = against(rule, [TALK] * 10)
    assert len(set(prices(made))) > 3
    assert all(11 <= price <= 18 for price in prices(made))
    again, _ = against(rule, [TALK] * 10)
    assert made == again
    assert made != against(rule, [TALK] * 10, seed="2")[0]


TOLD = {"kind": "told", "demands": [0.25, 0.5, 0.75], "odds": [0.9, 0.5, 0.1]}


def test_announced_odds_are_followed():
    terms = Terms(ask=20, bid=10, cost=8, value=24, rounds=1)
    assert told_prices(TOLD, terms, "seller") == [12, 16, 20]
    assert odds_of(TOLD, terms, "seller", 16) == 0.5
    taken = {12: 0, 16: 0, 20: 0}
    for price in taken:
        for seed in range(400):
            made, state = against(TOLD, [offer(price)], terms, seed=f"{seed}")
            assert [m.kind for m in made] in (["accept"], ["walk"])
            taken[price] += state.ended == "deal"
    for price, odds in zip(taken, (0.9, 0.5, 0.1), strict=True):
        assert abs(taken[price] / 400 - odds) < 4 * math.sqrt(odds * (1 - odds) / 400)


def test_the_last_word_is_taken_or_left():
    rule = {"kind": "last", "offers": [-0.25]}
    price = last_offer(rule, BALLOON, "buyer", Random("1"))
    assert price == 4  # a quarter of the pie below the seller's cost of 8
    terms = Terms(ask=20, bid=10, cost=8, value=24, rounds=1, buyer_first=price)
    assert against(rule, [ACCEPT], terms)[1].price == 4
    made, state = against(rule, [offer(12)], terms)
    assert [m.kind for m in made] == ["walk"]
    assert (state.ended, state.by) == ("walked", "buyer")


@pytest.mark.parametrize(
    "rule",
    [
        {"kind": "fixed", "demand": 0.5},
        {"kind": "schedule", "opening": 1, "bottom": 0.1, "exponent": 2},
        {"kind": "tit_for_tat", "start": 1, "share": 1},
        {"kind": "split"},
        {"kind": "zeuthen"},
        {"kind": "random", "low": 0.1, "high": 0.9},
    ],
)
@given(moves=st.lists(MOVES, max_size=12), role=st.sampled_from(["seller", "buyer"]))
def test_no_script_goes_beyond_its_own_limit(rule, moves, role):
    terms = Terms(ask=20, bid=10, cost=8, value=24, first=other(role), seller_first=20,
                  buyer_first=10)  # fmt: skip
    made, state = against(rule, moves, terms, role)
    limit = terms.limit(role)
    for move in made:
        if move.price is not None:
            assert not better(other(role), move.price, limit)
    if state.ended == "deal" and state.by == role:
        assert not better(other(role), state.price, limit)


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        ({"kind": "fixd", "demand": 1}, "one of the rules"),
        ({"kind": "fixed"}, "the numbers demand"),
        ({"kind": "split", "share": 1}, "the numbers none"),
        ({"kind": "told", "demands": [1], "odds": [0.1, 0.2]}, "as many odds"),
    ],
)
def test_a_rule_that_cannot_be_is_refused(rule, words):
    with pytest.raises(WolvesError, match=words):
        check_rule("mine", rule)
