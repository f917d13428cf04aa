"""Markets of a session as events that a page plays back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from many_wolves.families.markets.rules.draws import share_worth
from many_wolves.families.markets.rules.parameters import CONDITIONS
from many_wolves.families.markets.rules.round import Round
from many_wolves.families.markets.rules.session import SessionRecord
from many_wolves.families.markets.task.cells import seat_name
from many_wolves.figures.replay import Market
from many_wolves.worlds.session_log import Line

_CONDITIONS = ("without the project", "with the project")


def from_record(record: SessionRecord) -> tuple[Market, ...]:
    """Each market of a record, order by order."""
    return tuple(
        Market(_title(round_.number, c), _events(record, round_, c), _lines(record, round_, c))
        for round_ in record.rounds
        for c in CONDITIONS
        if any(event.condition == c for event in round_.orders)
    )


def _events(record: SessionRecord, round_: Round, condition: int) -> tuple[dict[str, Any], ...]:
    return tuple(
        {
            "time": f"turn {event.tick}" if event.seconds is None else f"{event.seconds:.0f} s",
            "seat": seat_name(record.rules, event.seat),
            "action": event.action,
            "price": event.price,
            "order": event.order,
            "status": event.status,
            "why": event.why,
            "traded": event.traded_at,
        }
        for event in round_.orders
        if event.condition == condition
    )


def _lines(record: SessionRecord, round_: Round, condition: int) -> dict[str, float]:
    """What a share is worth by the values, and what it paid."""
    values = (pair[condition] for pair in round_.values.values())
    lines = {"worth by the values": share_worth(record.rules, values)}
    if round_.share_price is not None and round_.condition == condition:
        lines["paid"] = round_.share_price
    return lines


def from_views(lines: Sequence[Line]) -> tuple[Market, ...]:
    """Markets as the first seat of each turn saw them, until the record exists."""
    found: dict[tuple[int, int], dict[int, dict[str, Any]]] = {}
    for line in lines:
        view = line.get("view") or {}
        if line["event"] != "question" or not view.get("markets"):
            continue
        for condition, market in view["markets"].items():
            turns = found.setdefault((int(view["round"]), int(condition)), {})
            turns.setdefault(
                int(view["tick"]),
                {
                    "time": f"before turn {view['tick']}",
                    "book": [[offer[1], offer[2]] for offer in market["offers"]],
                    "prices": list(market["prices"]),
                },
            )
    return tuple(
        Market(_title(round_, condition), tuple(turns[tick] for tick in sorted(turns)))
        for (round_, condition), turns in sorted(found.items())
    )


def _title(round_: int, condition: int) -> str:
    return f"{f'Round {round_}' if round_ else 'Practice'}, {_CONDITIONS[condition]}"
