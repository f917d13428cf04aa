"""The reader of bargaining: phrasings, answer forms, and what must hold for any text."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import bargaining_phrases as phrases
import bargaining_traps as traps
from many_wolves.families.bargaining.moves import FLAGS, KINDS
from many_wolves.families.bargaining.reading.amounts import Range, amounts
from many_wolves.families.bargaining.reading.message import FORMS, read_message
from many_wolves.families.bargaining.reading.prices import Situation

BALLOON = Situation("seller", 20.0, 10.0, Range(10, 20), first=20.0)
BUYER = Situation("buyer", 12.0, 16.0, Range(10, 20), first=10.0)
CAR = Situation("buyer", 12000.0, 15000.0, Range(10000, 15000), first=11000.0)
EURO = Situation("seller", 20.0, 10.0, Range(10, 20, ",", "€"), first=20.0)

TABLE = [
    *((BALLOON, "free", *row) for row in phrases.SELLER_AT_20_BUYER_AT_10),
    *((BALLOON, "free", *row) for row in phrases.WRITTEN_FIRST),
    *((BUYER, "free", *row) for row in phrases.BUYER_AT_12_SELLER_AT_16),
    *((CAR, "free", *row) for row in phrases.CAR),
    *((EURO, "free", *row) for row in phrases.EURO),
    *((BALLOON, "marked", *row) for row in phrases.MARKED),
    *((BALLOON, "json", *row) for row in phrases.JSON),
    *((BALLOON, "free", *row) for row in traps.SELLER),
    *((BUYER, "free", *row) for row in traps.BUYER),
    *((CAR, "free", *row) for row in traps.CAR),
    *((BALLOON, "marked", *row) for row in traps.MARKED),
    *((BALLOON, "json", *row) for row in traps.JSON),
]


def in_words(message) -> str:
    """A reading as the table writes it."""
    if message.move is None:
        return message.status
    move = message.move
    named = f"{move.price:g}" if move.kind == "offer" else move.kind
    return " ".join([named, *move.flags])


@pytest.mark.parametrize(("situation", "form", "text", "want"), TABLE)
def test_phrasing(situation, form, text, want):
    assert in_words(read_message(text, situation, form)) == want


def test_the_table_is_large_enough():
    assert len(TABLE) >= 150
    assert len({(form, text) for _, form, text, _ in TABLE}) == len(TABLE)


def test_an_acceptance_needs_a_standing_price():
    first = Situation("seller", None, None, Range(10, 20))
    assert in_words(read_message("Deal!", first)) == "talk"
    assert in_words(read_message("Okay.", first)) == "talk"


def test_a_mere_yes_accepts_only_what_was_just_offered():
    answered = Situation("seller", 20.0, 10.0, Range(10, 20), asked=False)
    assert in_words(read_message("Yes, sure.", answered)) == "talk"
    assert in_words(read_message("Deal!", answered)) == "accept"


def test_a_discount_on_a_price_that_has_moved_is_ambiguous():
    moved = Situation("seller", 18.0, 10.0, Range(10, 20), first=20.0)
    assert in_words(read_message("I can offer you 10% off.", moved)) == "unparsed"
    assert in_words(read_message("I can give you $2 off.", moved)) == "unparsed"


def test_a_bare_number_is_a_price_only_where_it_is_plausible():
    prices = Range(10, 20)
    assert [a.value for a in amounts("2, 3, 32, 33", prices)] == [3, 32]
    assert [a.value for a in amounts("$2 and $33", prices)] == [2, 33]


def test_thousands_may_be_apart_where_only_the_whole_is_a_price():
    assert [a.value for a in amounts("$13 500", Range(10000, 15000))] == [13500]
    assert [a.value for a in amounts("13 500", Range(10, 20))] == [13]


def test_a_half_is_half_a_dollar():
    assert in_words(read_message("15\u00bd dollars.", BALLOON)) == "15.5"
    assert in_words(read_message("15 1/2 dollars.", BALLOON)) == "15.5"


@pytest.mark.parametrize(
    "text",
    [
        "The listing price of the phone is $16.",
        "I'd like to confirm that the price is $16.",
        "I see that the price is $16.",
        "Nobody pays $16.",
        "$16 is what you want.",
    ],
)
def test_to_name_a_price_is_not_to_take_it(text):
    assert in_words(read_message(text, BUYER)) == "talk"


def test_pounds_are_money_where_prices_are_in_pounds():
    assert [a.value for a in amounts("15 pounds", Range(10, 20, currency="£"))] == [15]
    assert amounts("15 pounds", Range(10, 20)) == []


@pytest.mark.parametrize(
    ("words", "value"),
    [
        ("fifteen", 15),
        ("twenty-five", 25),
        ("a hundred", 100),
        ("one hundred and twenty five", 125),
        ("fifteen hundred", 1500),
        ("two thousand three hundred", 2300),
        ("twelve and a half", 12.5),
        ("$1,200.50", 1200.5),
        ("1.2k", 1200),
        ("$1200", 1200),
        ("two and a half hundred", 250),
        ("fifteen dollars and fifty cents", 15.5),
        ("2 grand", 2000),
        ("7 hundred fifty", 750),
        ("6 hundred 20", 620),
        ("1 thousand two hundred fifty", 1250),
        ("2 thousand 2 hundred 50 dollars", 2250),
        ("1 hundred and one more thing", 100),
        ("2 grand and fifty miles", 2000),
    ],
)
def test_amount(words, value):
    (amount,) = amounts(f"I say {words}.", Range(1, 2500))
    assert amount.value == value


def test_an_amount_out_of_range_is_not_read_by_its_end():
    prices = Range(400, 1000)
    assert amounts("I have 12 grand in the bank", prices) == []
    assert amounts("I paid 13 thousand two hundred fifty", prices) == []
    assert amounts("13 thousand and 500", prices) == []


TEXTS = st.text(st.sampled_from("I'll do $15 16,50k deal? no ok. walk {}\"\n:<think>/offer"))


@settings(max_examples=300)
@given(text=TEXTS, form=st.sampled_from(FORMS), own=st.sampled_from([None, 18.0, 20.0]),
       other=st.sampled_from([None, 10.0, 16.0]))  # fmt: skip
def test_any_text_makes_at_most_one_move(text, form, own, other):
    situation = Situation("seller", own, other, Range(10, 20))
    message = read_message(text, situation, form)
    assert (message.move is None) == (message.status != "answered")
    if message.move is not None:
        move = message.move
        assert move.kind in KINDS
        assert (move.price is None) == (move.kind != "offer")
        assert set(move.flags) <= set(FLAGS)
        assert move.kind != "accept" or other is not None
