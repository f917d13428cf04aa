"""What scripts and simulated players say is read as the move that it stands for."""

from __future__ import annotations

import pytest

from bargaining_chains import MATERIAL
from many_wolves.families.bargaining.moves import ROLES, other
from many_wolves.families.bargaining.reading.amounts import Range
from many_wolves.families.bargaining.reading.message import read_message
from many_wolves.families.bargaining.reading.prices import Situation

GOODS = list(MATERIAL.goods.goods)
SENTENCES = [
    (role, kind, sentence)
    for role in ROLES
    for kind, sentences in MATERIAL.sentences.of(role).model_dump().items()
    for sentence in sentences
]


@pytest.mark.parametrize("good", GOODS)
@pytest.mark.parametrize(("role", "kind", "sentence"), SENTENCES)
def test_a_sentence_is_read_as_its_move(good, role, kind, sentence):
    thing = MATERIAL.good(good)
    prices, money = thing.prices[0], MATERIAL.money(thing)
    own, rival = (prices.ask, prices.bid) if role == "seller" else (prices.bid, prices.ask)
    between = (prices.ask + prices.bid) / 2
    named = {"offer": between, "hold": own, "accept": rival}.get(kind)
    the = thing.the_item
    names = {"item": thing.item, "the_item": the, "The_item": the[:1].upper() + the[1:]}
    text = sentence.format(price="" if named is None else money.words(named), **names)
    situation = Situation(
        role, own, rival, Range(prices.bid, prices.ask, money.decimal, money.symbol), first=own
    )
    message = read_message(text, situation)
    wanted = "offer" if kind in ("offer", "hold") else kind
    assert message.move is not None, text
    assert (message.move.kind, message.move.flags) == (wanted, ()), text
    if wanted == "offer":
        assert message.move.price == named
    assert other(role) not in text
