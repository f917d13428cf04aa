"""Messages of the lab's server, protocol v1: those that a client sends and receives.

A later protocol has another envelope and would be a separate module.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, Literal, NamedTuple

Kind = Literal["event", "message", "error"]

DECLARED = "sent a declaration update"
"""Part of the server's warning that a seat has already declared in this phase."""


class Event(NamedTuple):
    """A server message: an event with its data, a message for people, or an error."""

    kind: Kind
    name: str
    data: Mapping[str, Any]


def read(text: str) -> Event:
    """Read one message of the server.

    Raises
    ------
    ValueError
        If it is not a JSON object of this protocol.
    """
    told = json.loads(text)
    if not isinstance(told, dict):
        raise ValueError("expected a JSON object")
    if told.get("type") == "event":
        data = told.get("data")
        return Event("event", str(told["eventType"]), data if isinstance(data, dict) else {})
    if "error" in told:
        return Event("error", "error", {"message": str(told["error"])})
    level = str(told.get("type", ""))
    kind: Kind = "error" if level in ("error", "fatal", "warning") else "message"
    return Event(kind, level, {"message": str(told.get("message", ""))})


def saved_landowner(data: Mapping[str, Any], recovery: str) -> dict[str, Any] | None:
    """The status of a landowner, from the last saved game, for the case that the server's status
    fails.

    The server keeps the condition of the previous round of futarchy. Until a new declaration is
    saved, it looks for the declaration under that condition and fails. The saved game has no
    declarations of the present phase.
    """
    now = data.get("currentRound") or {}
    if data.get("type") != "Futarchy" or data.get("winningCondition") is None:
        return None
    if not now or now["phase"] > 2:
        return None
    player = next((p for p in data["players"] if p.get("recovery") == recovery), None)
    if player is None or not player.get("property"):
        return None
    kept = ("number", "role", "ready", "wallet", "property")
    shown = {name: player.get(name) for name in kept} | {"hasToDeclare": True}
    shown["summaries"] = [s for s in player.get("summaries") or () if s["round"] != 0]
    game = {"round": now["number"], "phase": now["phase"], "over": False}
    return {"game": game, "player": shown, "timer": None}


def without_codes(data: Mapping[str, Any]) -> dict[str, Any]:
    """The server's data of a game without the codes with which seats join and are paid."""
    codes = ("recovery", "recovery_string", "paymentToken")

    def bare(rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
        return [{k: v for k, v in row.items() if k not in codes} for row in rows]

    lists = ("players", "rewards")
    return dict(data) | {name: bare(data[name]) for name in lists if data.get(name)}


def join(recovery: str) -> dict[str, Any]:
    """Take the next free seat, or the one that this string took before."""
    return {"type": "join", "recovery": recovery}


def ready() -> dict[str, Any]:
    """Ready for the round."""
    return {"type": "player-is-ready"}


def declare(without: float, with_project: float) -> dict[str, Any]:
    """Declare values. The server breaks if the third number is missing."""
    return {"type": "declare", "declaration": [without, with_project, 0]}


def speculate(without: Sequence[int], with_project: Sequence[int]) -> dict[str, Any]:
    """Buy lots under each condition, each lot once, because the server counts repetitions."""
    lots = [list(dict.fromkeys(without)), list(dict.fromkeys(with_project)), []]
    return {"type": "done-speculating", "snipe": lots}


def order(side: str, price: float | None, condition: int) -> dict[str, Any]:
    """Offer one share, or take the best offer if no price is given (sent as 0)."""
    order_ = {
        "price": 0 if price is None else price,
        "quantity": 1,
        "condition": condition,
        "type": side,
        "now": price is None,
    }
    return {"type": "post-order", "order": order_}


def cancel(number: int, condition: int) -> dict[str, Any]:
    """Take back an own offer."""
    return {"type": "cancel-order", "order": {"id": number, "condition": condition}}


def chat(to: Sequence[int], text: str) -> dict[str, Any]:
    """Write to players."""
    return {"type": "chat-with-players", "to": list(to), "text": text}


def request(amount: float) -> dict[str, Any]:
    """Ask for a compensation if the project is built."""
    return {"type": "compensation-request", "compensationRequests": [None, amount]}


def offer(amount: float) -> dict[str, Any]:
    """Offer a compensation to each owner."""
    return {"type": "compensation-offer", "compensationOffers": [None, amount]}


def vote(condition: int | None) -> dict[str, Any]:
    """Vote; an empty list abstains."""
    decisions = [] if condition is None else [condition]
    return {"type": "compensation-decision", "compensationDecisions": decisions}
