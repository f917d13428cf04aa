"""The possible actions of a seat at each stage: its form, and the reasons for rejection."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from math import isfinite
from typing import Any, Protocol

from .market import Side
from .parameters import NO_PROJECT, PROJECT, Rules

Action = Mapping[str, Any]
"""A filled-in form: JSON values by field."""

CONDITION_WORDS = ("no_project", "project")
LONGEST_MESSAGE = 500


class Situation(Protocol):
    """A stage that somebody is at: a round, or what a seat sees of it."""

    @property
    def stage(self) -> str:
        """The stage."""
        ...

    @property
    def condition(self) -> int | None:
        """The chosen condition where it is known."""
        ...

    @property
    def markets(self) -> Mapping[int, Any]:
        """Markets by condition."""
        ...


def acting_seats(rules: Rules, round_: Situation) -> tuple[int, ...]:
    """The seats that are asked at the present stage, all at once."""
    match round_.stage:
        case "talk" | "second_talk" | "market":
            return tuple(rules.seats)
        case "first_declaration" | "final_declaration":
            return tuple(rules.landowners)
        case "first_purchases" | "final_purchases":
            return tuple(rules.speculators)
        case "request" | "vote":
            return tuple(s for s in rules.seats if rules.role(s) == "owner")
        case "offer":
            return tuple(s for s in rules.seats if rules.role(s) == "developer")
        case _:
            return ()


def form(rules: Rules, round_: Situation, seat: int) -> dict[str, Any]:
    """The JSON schema of the form that a seat fills in."""
    match round_.stage:
        case "first_declaration":
            fields = {
                word: _amount(2 * rules.band(seat, c).high)
                for c, word in enumerate(CONDITION_WORDS)
            }
        case "final_declaration":
            fields = {"value": _amount(2 * rules.band(seat, chosen(round_)).high)}
        case "first_purchases" if round_.condition is None:
            fields = {f"lots_{word}": _lots(rules) for word in CONDITION_WORDS}
        case "first_purchases" | "final_purchases":
            fields = {"lots": _lots(rules)}
        case "market":
            fields = _market_fields(round_)
        case "talk" | "second_talk":
            fields = {
                "message": {"type": "string", "maxLength": LONGEST_MESSAGE},
                "to": {"type": "array", "items": {"type": "integer", "enum": list(rules.seats)}},
            }
        case "request" | "offer":
            fields = {"compensation": {"type": "number", "minimum": 0}}
        case "vote":
            fields = {"vote": {"type": "string", "enum": [*CONDITION_WORDS, "abstain"]}}
        case _:
            fields = {}
    return {
        "type": "object",
        "properties": fields,
        "required": list(fields),
        "additionalProperties": False,
    }


def refusal(rules: Rules, round_: Situation, seat: int, action: Action) -> str:
    """Why a form is refused, in a sentence for its sender; empty where it is not."""
    if seat not in acting_seats(rules, round_):
        return "you are not asked at this stage"
    fields = form(rules, round_, seat)["properties"]
    unknown = set(action) - set(fields)
    if unknown:
        return f"unknown field: {', '.join(sorted(unknown))}"
    if round_.stage == "market":
        return _order_refusal(round_, action)
    if round_.stage in ("talk", "second_talk"):
        return _message_refusal(rules, seat, action)
    reasons = (
        _field_refusal(rules, name, limits, action.get(name)) for name, limits in fields.items()
    )
    return next(filter(None, reasons), "")


def idle(stage: str) -> Action:
    """The action that does nothing in a stage of turns."""
    return {"action": "wait"} if stage == "market" else {"message": ""}


def chosen(round_: Situation) -> int:
    """The chosen condition of a round that has one."""
    if round_.condition is None:
        raise ValueError(f"no condition is chosen at {round_.stage}")
    return round_.condition


def market_condition(markets: Collection[int], action: Action) -> int:
    """The market that an order goes to: named where there are two."""
    if len(markets) == 1:
        return next(iter(markets))
    return CONDITION_WORDS.index(action["market"])


def _amount(limit: float) -> dict[str, Any]:
    return {"type": "number", "minimum": 0, "maximum": limit}


def _lots(rules: Rules) -> dict[str, Any]:
    return {"type": "array", "items": {"type": "integer", "enum": list(rules.landowners)}}


def _market_fields(round_: Situation) -> dict[str, Any]:
    fields: dict[str, Any] = {
        "action": {"type": "string", "enum": ["bid", "ask", "buy", "sell", "cancel", "wait"]},
        "price": {"type": ["number", "null"], "minimum": 0},
        "order": {"type": ["integer", "null"]},
    }
    if len(round_.markets) > 1:
        fields["market"] = {"type": "string", "enum": list(CONDITION_WORDS)}
    return fields


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and isfinite(value)


def _field_refusal(rules: Rules, name: str, limits: Mapping[str, Any], value: object) -> str:
    """Why a number, a list of lots or a vote is refused."""
    if limits["type"] == "number":
        return _amount_refusal(value, limits.get("maximum", float("inf")), name)
    if limits["type"] == "array":
        return _lots_refusal(rules, value, name)
    return "" if value in limits["enum"] else f"{name}: expected one of {limits['enum']}"


def _amount_refusal(value: object, limit: float, name: str) -> str:
    if not isinstance(value, (int, float)) or not _is_number(value):
        return f"{name}: please enter a number"
    if value < 0:
        return f"{name}: the number must be 0 or more"
    if value > limit:
        return f"{name}: the number must be at most {limit:,.0f}"
    return ""


def _lots_refusal(rules: Rules, value: object, name: str) -> str:
    if not isinstance(value, (list, tuple)):
        return f"{name}: please give a list of lot numbers, empty to buy nothing"
    strange = [lot for lot in value if isinstance(lot, bool) or lot not in rules.landowners]
    if strange:
        return f"{name}: unknown lot {strange[0]!r}"
    return ""


def _order_refusal(round_: Situation, action: Action) -> str:
    kind = action.get("action")
    if kind not in ("bid", "ask", "buy", "sell", "cancel", "wait"):
        return "action: expected bid, ask, buy, sell, cancel or wait"
    if kind == "wait":
        return ""
    if len(round_.markets) > 1 and action.get("market") not in CONDITION_WORDS:
        return "market: expected no_project or project"
    if kind in ("bid", "ask"):
        return _amount_refusal(action.get("price"), float("inf"), "price")
    if kind == "cancel" and not _is_number(action.get("order")):
        return "order: please give the number of your open offer"
    return ""


def _message_refusal(rules: Rules, seat: int, action: Action) -> str:
    text = action.get("message")
    if not isinstance(text, str):
        return "message: please enter a text, empty to say nothing"
    if len(text) > LONGEST_MESSAGE:
        return f"message: at most {LONGEST_MESSAGE} characters, found {len(text)}"
    to = action.get("to", ())
    if not isinstance(to, (list, tuple)):
        return "to: please give a list of seat numbers, empty for everyone"
    strange = [other for other in to if other not in rules.seats or other == seat]
    if text and strange:
        return f"to: {strange[0]!r} is not another player's number"
    return ""


def vote_of(action: Action) -> int | None:
    """The condition that a vote names; None for an abstention."""
    return {"no_project": NO_PROJECT, "project": PROJECT}.get(action["vote"])


def order_side(kind: str) -> tuple[Side, bool]:
    """Side of an order, and whether it takes the best offer."""
    sides: dict[str, tuple[Side, bool]] = {
        "bid": ("bid", False),
        "ask": ("ask", False),
        "buy": ("bid", True),
        "sell": ("ask", True),
    }
    return sides[kind]
