"""One game as rows of the tables, whatever it comes from: a chain of ours, or published data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from many_wolves.families.bargaining.moves import (
    ROLES,
    SELLER,
    Move,
    Role,
    Terms,
    better,
    other,
)
from many_wolves.families.bargaining.task.rules import State, conceded

Row = dict[str, Any]


@dataclass(frozen=True)
class PlayedMessage:
    """One message: who wrote it, its move or the status of a message without one.

    ``turn`` is its number in the journal, -1 for a script's.
    """

    role: Role
    move: Move | None
    status: str
    before: State
    turn: int = -1


@dataclass(frozen=True)
class Played:
    """One game as it was played.

    Parameters
    ----------
    terms
        Its terms.
    said
        Its messages.
    state
        Where it ended; ``ended`` is empty for a game that was not finished.
    who
        Role -> the columns that say who plays it: speaker, group, participant, partner, seat.
        Scripts are left out.
    facts
        Further columns that both sides share: arm, game, good, form, rule, ...
    menu
        The announced prices and odds.
    """

    terms: Terms
    said: Sequence[PlayedMessage]
    state: State
    who: Mapping[Role, Mapping[str, Any]]
    facts: Mapping[str, Any]
    menu: Sequence[tuple[float, float]] = ()


@dataclass
class _Side:
    """A side's knowledge of the other when it writes."""

    standing_before: float | None = None
    rounds: int = 0


def turn_rows(game: Played) -> list[Row]:
    """Rows of ``turns`` for the messages of every speaker in a game."""
    rows: list[Row] = []
    sides = {role: _Side(_first(game.terms, other(role))) for role in ROLES}
    news: dict[Role, float | None] = dict.fromkeys(ROLES)
    for said in game.said:
        role, side = said.role, sides[said.role]
        side.rounds += 1
        given_up = conceded(said.before, role, said.move)
        if role in game.who:
            rows.append(_turn_row(game, said, side, given_up, news[other(role)]))
        side.standing_before = said.before.standing(other(role))
        news[role] = given_up
    return rows


def game_rows(game: Played) -> list[Row]:
    """Rows of ``games`` for every speaker in a game."""
    terms, state = game.terms, game.state
    rows = []
    for role, who in game.who.items():
        limit = terms.limit(role)
        worse = state.price is not None and limit is not None and better(role, limit, state.price)
        share = None if state.price is None else terms.share(role, state.price)
        rows.append(
            _common(game, role)
            | {
                "ended": state.ended or "unfinished",
                "price": state.price,
                "by": "" if state.by is None else "self" if state.by == role else "other",
                "share": None if share is None else round(share, 6),
                "payoff": terms.payoff(role, state.price) if state.ended in ENDED else None,
                "last_round": state.rounds,
                "messages": state.messages,
                "reversed": state.reversed(role),
                "other_goods": _yes_no(state.other_goods),
                "beyond_limit": _yes_no(worse),
                "opening": _opening(terms),
                "first": terms.first,
                "seat": who.get("seat", "speaker"),
            }
        )
    return rows


ENDED = ("deal", "walked", "cap")
"""Ends after which payoffs are known."""


def _turn_row(
    game: Played, said: PlayedMessage, side: _Side, given_up: float | None, heard: float | None
) -> Row:
    move = said.move
    role, before = said.role, said.before
    return _common(game, role) | {
        "round": side.rounds,
        "own_before": before.standing(role),
        "standing": None if before.bundle(other(role)) else before.standing(other(role)),
        "standing_before": side.standing_before,
        "other_conceded": _rounded(heard),
        "menu": " ".join(f"{price:g}:{odds:g}" for price, odds in game.menu),
        "move": "" if move is None else move.kind,
        "price": None if move is None else move.price,
        "conceded": _rounded(given_up),
        "flags": "" if move is None else " ".join(move.flags),
        "status": said.status,
        "turn": said.turn,
    }


def _common(game: Played, role: Role) -> Row:
    """Columns that both tables have."""
    terms = game.terms
    return {
        **game.facts,
        **game.who[role],
        "role": role,
        "cost": terms.cost,
        "value": terms.value,
        "ask": terms.ask,
        "bid": terms.bid,
        "step": terms.step,
        "outside": terms.outside(role),
        "rounds": terms.rounds,
        "announced": _yes_no(terms.announced),
    }


def _first(terms: Terms, role: Role) -> float | None:
    return terms.seller_first if role == SELLER else terms.buyer_first


def _opening(terms: Terms) -> str:
    seller, buyer = terms.seller_first is not None, terms.buyer_first is not None
    if seller and buyer:
        return "both"
    return "seller" if seller else "buyer" if buyer else "none"


def _yes_no(flag: bool) -> str:
    return "yes" if flag else "no"


def _rounded(number: float | None) -> float | None:
    return None if number is None else round(number, 6)
