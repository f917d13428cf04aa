"""Published games as observations: people, gpt-3.5 in 2023, LLaMA models in 2024."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd

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
from many_wolves.families.bargaining.reading.rows import Played, PlayedMessage
from many_wolves.families.bargaining.task.rules import Ended, State, begin

PEOPLE = "people"
GPT35 = "gpt-3.5-turbo (2023)"
_WALKS = ("reject", "quit")


def he2018(dialogues: Path, turns: Path) -> Iterator[Played]:
    """Dialogues of two people each (He et al. 2018), with list price and the buyer's target.

    The list price is the seller's first price. The target is a goal, not a limit: it bounds the pie
    from below, and a fifth of the deals are below it.
    """
    moves = _by_game(pd.read_csv(turns), "dialogue")
    for row in pd.read_csv(dialogues).to_dict("records"):
        low, high = float(row["buyer_target"]), float(row["list_price"])
        if low >= high:
            continue
        terms = Terms(ask=high, bid=low, step=round_step(high), rounds=100, seller_first=high,
                      first="buyer")  # fmt: skip
        said = [(turn["role"], *_human_move(turn)) for turn in moves.get(row["dialogue"], ())]
        ended: Mapping[str, Ended] = {"deal": "deal", "reject": "walked", "quit": "walked"}
        yield _played(
            terms,
            said,
            ended.get(row["ended"], "failed"),
            _number(row["final_price"]) if not row["odd_price"] else None,
            {role: {"speaker": PEOPLE, "partner": PEOPLE} for role in ("seller", "buyer")},
            {"good": row["category"], "rule": "people", "chain": int(row["dialogue"]) - 1},
        )


def fu2023(games: Path, turns: Path) -> Iterator[Played]:
    """A hundred first games of gpt-3.5-turbo with itself (Fu et al. 2023)."""
    terms = Terms(ask=20, bid=10, cost=8, step=0.5, rounds=10, seller_first=20, buyer_first=10)
    moves = _by_game(pd.read_csv(turns), "game")
    for row in pd.read_csv(games).to_dict("records"):
        said = [
            (turn["role"], *_fu_move(turn))
            for turn in moves[row["game"]]
            if turn["act"] not in ("scripted", "after")
        ]
        bundle = bool(row["other_goods"])
        ended: Ended = "failed" if row["ended"] == "cut" else "unparsed" if bundle else "deal"
        yield _played(
            terms,
            said,
            ended,
            None if ended != "deal" else _number(row["price"]),
            {role: {"speaker": GPT35, "partner": GPT35} for role in ("seller", "buyer")},
            {"good": "balloon", "rule": "speaker", "chain": int(row["game"]), "form": "free"},
            reversed_=bool(row["roles_reversed"]),
        )


def chatterjee2024(games: Path, turns: Path) -> Iterator[Played]:
    """Games of LLaMA models with each other (Chatterjee et al. 2024); fifteen messages at most."""
    moves = _by_game(pd.read_csv(turns), "game")
    for row in pd.read_csv(games).to_dict("records"):
        low, high = float(row["buyer_target"]), float(row["list_price"])
        if low >= high:
            continue
        terms = Terms(ask=high, bid=low, step=round_step(high), rounds=8, seller_first=high,
                      first="buyer")  # fmt: skip
        said = [(turn["role"], *_llama_move(turn)) for turn in moves.get(row["game"], ())]
        names = {"seller": row["seller"], "buyer": row["buyer"]}
        yield _played(
            terms,
            said,
            "deal" if row["ended"] == "deal" else "cap",
            _number(row["final_price"]),
            {
                role: {"speaker": names[role], "partner": names[other(role)]}
                for role in ("seller", "buyer")
            },
            {"good": row["category"], "rule": "speaker", "chain": int(row["game"]) - 1},
        )


def round_step(price: float) -> float:
    """A step in which prices of that size are usually named: half of a tenth of their power of ten.

    5 for prices in hundreds, 50 in thousands, .5 in tens.
    """
    return float(0.5 * 10.0 ** (math.floor(math.log10(price)) - 1))


def _human_move(turn: Mapping[str, Any]) -> tuple[Move | None, str]:
    act, price = turn["act"], _number(turn["price"])
    if act in _WALKS:
        return Move("walk"), "answered"
    if act == "accept":
        return Move("accept"), "answered"
    return (Move("talk") if price is None else Move("offer", price)), "answered"


def _fu_move(turn: Mapping[str, Any]) -> tuple[Move | None, str]:
    act, price = turn["act"], _number(turn["price"])
    if act == "bundle":
        return Move("talk", None, (OTHER_GOODS,)), "answered"
    if act in ("offer", "accept"):
        return (Move("accept") if act == "accept" else Move("offer", price)), "answered"
    return Move("talk"), "answered"


def _llama_move(turn: Mapping[str, Any]) -> tuple[Move | None, str]:
    price = _number(turn["price"])
    if turn["act"] == "accept":
        return Move("accept"), "answered"
    return (Move("talk") if price is None else Move("offer", price)), "answered"


def _played(
    terms: Terms,
    moves: Iterable[tuple[Role, Move | None, str]],
    ended: Ended,
    price: float | None,
    who: Mapping[Role, Mapping[str, Any]],
    facts: Mapping[str, Any],
    *,
    reversed_: bool = False,
) -> Played:
    """A published game: its moves up to the first that closes it, and its published end."""
    state, said = begin(terms), []
    for role, named, status in moves:
        move = _as_rules_see_it(role, named, state)
        said.append(PlayedMessage(role, move, status, state))
        state = _went_on(state, role, move)
        if move is not None and move.kind in ("accept", "walk"):
            break
    last = said[-1].role if said and ended in ("deal", "walked") else None
    state = replace(state, ended=ended, price=price if ended == "deal" else None, by=last,
                    messages=len(said), seller_reversed=int(reversed_))  # fmt: skip
    defaults = {
        "arm": "none",
        "game": 1,
        "form": "free",
        "episode": "",
        "replicate": 0,
        "branch": 0,
    }
    people = {"group": "", "participant": 1, "seat": "speaker"}
    return Played(
        terms, said, state, {r: people | dict(w) for r, w in who.items()}, defaults | dict(facts)
    )


def _as_rules_see_it(role: Role, move: Move | None, state: State) -> Move | None:
    """A move by our rules: to name the other's price takes it, to go beyond it is a mention."""
    standing = state.standing(other(role))
    if move is None or move.kind != "offer" or move.price is None or standing is None:
        return (
            move if move is None or move.kind != "accept" or standing is not None else Move("talk")
        )
    if better(role, move.price, standing):
        return move
    same = not better(other(role), move.price, standing)
    return Move("accept") if same else Move("talk", None, (REVERSED,))


def _went_on(state: State, role: Role, move: Move | None) -> State:
    if move is None or move.kind != "offer":
        return replace(state, messages=state.messages + 1)
    if role == SELLER:
        return replace(state, messages=state.messages + 1, seller=move.price)
    return replace(state, messages=state.messages + 1, buyer=move.price)


def _by_game(turns: pd.DataFrame, key: str) -> dict[int, list[dict[str, Any]]]:
    found: dict[int, list[dict[str, Any]]] = {}
    for row in turns.sort_values([key, "turn"], kind="stable").to_dict("records"):
        found.setdefault(int(row[key]), []).append({str(name): row[name] for name in row})
    return found


def _number(value: Any) -> float | None:
    number = float(value)
    return None if math.isnan(number) else number
