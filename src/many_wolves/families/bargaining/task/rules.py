"""The state of one game as a pure function of its moves."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from many_wolves.families.bargaining.moves import (
    OTHER_GOODS,
    REVERSED,
    SELLER,
    Move,
    Role,
    Terms,
    better,
    other,
)

Ended = Literal["", "deal", "walked", "cap", "unparsed", "refused", "failed"]

OUTCOMES: tuple[Ended, ...] = ("deal", "walked")
"""Ends that the sides chose. All others cut a game short: they censor it."""
ENDS: tuple[Ended, ...] = ("deal", "walked", "cap", "unparsed", "refused", "failed")
MOST_REVERSED = 2
"""Messages in the other side's role after which a game cannot be read."""


@dataclass(frozen=True, slots=True)
class State:
    """Where a game stands.

    Parameters
    ----------
    seller, buyer
        Standing prices; None before a side has named one.
    messages
        Messages so far, the scripted opening not counted.
    seller_bundle, buyer_bundle
        Whether a side's standing price is for other goods.
    seller_reversed, buyer_reversed
        Messages of a side in the other role.
    other_goods
        Whether any message was about other goods.
    ended
        How the game ended; empty while it goes on.
    price
        Price of the deal; None without one.
    by
        Who accepted or walked away; for a game that cannot be read, whose message it was.
    """

    seller: float | None = None
    buyer: float | None = None
    messages: int = 0
    seller_bundle: bool = False
    buyer_bundle: bool = False
    seller_reversed: int = 0
    buyer_reversed: int = 0
    other_goods: bool = False
    ended: Ended = ""
    price: float | None = None
    by: Role | None = None

    def standing(self, role: Role) -> float | None:
        """A side's standing price."""
        return self.seller if role == SELLER else self.buyer

    def bundle(self, role: Role) -> bool:
        """Whether a side's standing price is for other goods."""
        return self.seller_bundle if role == SELLER else self.buyer_bundle

    def reversed(self, role: Role) -> int:
        """Messages of a side in the other role."""
        return self.seller_reversed if role == SELLER else self.buyer_reversed

    @property
    def rounds(self) -> int:
        """Rounds begun: a round is one message of each side."""
        return (self.messages + 1) // 2


def begin(terms: Terms) -> State:
    """The state after the opening."""
    return State(seller=terms.seller_first, buyer=terms.buyer_first)


def mover(terms: Terms, state: State) -> Role:
    """Who writes the next message."""
    return terms.first if state.messages % 2 == 0 else other(terms.first)


def after(terms: Terms, state: State, move: Move) -> State:
    """The state after the next message.

    A price at or beyond the other side's standing price closes the deal at that standing
    price. To accept an offer of other goods ends the game without a price that can be read.

    Raises
    ------
    ValueError
        If the game has ended.
    """
    if state.ended:
        raise ValueError(f"the game has ended ({state.ended}); no move can follow")
    role = mover(terms, state)
    seller = role == SELLER
    reversed_ = state.reversed(role) + (REVERSED in move.flags)
    bundle = OTHER_GOODS in move.flags
    ended, price = _end(terms, state, role, move, reversed_)
    offer = move.price if move.kind == "offer" and not ended else None
    kept = offer is None
    return State(
        seller=offer if seller and not kept else state.seller,
        buyer=offer if not (seller or kept) else state.buyer,
        messages=state.messages + 1,
        seller_bundle=bundle if seller and not kept else state.seller_bundle,
        buyer_bundle=bundle if not (seller or kept) else state.buyer_bundle,
        seller_reversed=reversed_ if seller else state.seller_reversed,
        buyer_reversed=state.buyer_reversed if seller else reversed_,
        other_goods=state.other_goods
        or bundle
        or (ended == "unparsed" and price is None and state.bundle(other(role))),
        ended=ended or ("cap" if state.messages + 1 >= 2 * terms.rounds else ""),
        price=price,
        by=role if ended else None,
    )


def _end(
    terms: Terms, state: State, role: Role, move: Move, reversed_: int
) -> tuple[Ended, float | None]:
    """How a move ends the game, and the price of the deal; empty where it goes on."""
    if reversed_ >= MOST_REVERSED:
        return "unparsed", None
    if move.kind == "walk":
        return "walked", None
    standing = state.standing(other(role))
    if standing is None or not _closes(role, move, standing):
        return "", None
    return ("unparsed", None) if state.bundle(other(role)) else ("deal", standing)


def cut(terms: Terms, state: State, why: Ended) -> State:
    """The state after a message without a move: the game ends there."""
    return replace(state, ended=why, messages=state.messages + 1, by=mover(terms, state))


def conceded(before: State, role: Role, move: Move | None) -> float | None:
    """Share of the gap between both prices that an offer gives up.

    None without an offer, or where one side had named no price. Below 0 where the offer takes
    an earlier one back.
    """
    own, standing = before.standing(role), before.standing(other(role))
    if move is None or move.kind != "offer" or move.price is None:
        return None
    if own is None or standing is None or own == standing:
        return None
    sign = 1 if role == SELLER else -1
    return sign * (own - move.price) / abs(own - standing)


def _closes(role: Role, move: Move, standing: float) -> bool:
    """Whether a move takes the other side's standing price."""
    if move.kind == "accept":
        return True
    if move.kind != "offer" or move.price is None or OTHER_GOODS in move.flags:
        return False
    return not better(role, move.price, standing)
