"""The cells of a chain: what its turns repeat, and the chain read back from it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from many_wolves.errors import WolvesError
from many_wolves.families.bargaining.moves import ROLES, Terms
from many_wolves.families.bargaining.task.material import Money
from many_wolves.families.bargaining.task.script import OpeningLine, Script
from many_wolves.files import canonical_json
from many_wolves.records import Cell

LONGEST = 10_000
"""Games of a chain, or rounds of a game, above which a cell was altered."""


def opening_cell(script: Script, cell: Mapping[str, Any]) -> dict[str, str | int | float]:
    """The contents of a chain's cells: factors, terms, and the partner's rule."""
    flags = {name: yes_no(bool(cell[name])) for name in ("goal", "walk", "nothing")}
    return {
        "group": cell["group"],
        "participant": cell["participant"],
        "partner": cell["partner"],
        "good": cell["good"],
        "limits": cell["limits"],
        "scale": float(cell["scale"]),
        "opening": cell["opening"],
        **flags,
        "form": script.form,
        "shown": script.shown,
        "games": script.games,
        "arms": " ".join(script.arms),
        "copy": cell["copy"],
        "role": script.role,
        **term_cell(script.terms),
        "decimal": script.money.decimal,
        "currency": script.money.symbol,
        "rule": canonical_json(dict(script.rule)),
        "moderated": script.moderator,
        "decides": "moderator" if script.moderator_decides else "rules",
        "seed": script.seed,
    }


def term_cell(terms: Terms) -> dict[str, str | int | float]:
    """The terms of a game as entries of a cell; what is missing is an empty text."""
    return {
        "cost": _or_empty(terms.cost),
        "value": _or_empty(terms.value),
        "ask": terms.ask,
        "bid": terms.bid,
        "step": terms.step,
        "rounds": terms.rounds,
        "announced": yes_no(terms.announced),
        "first": terms.first,
        "seller_first": _or_empty(terms.seller_first),
        "buyer_first": _or_empty(terms.buyer_first),
        "outside_seller": terms.outside_seller,
        "outside_buyer": terms.outside_buyer,
    }


def script_from_cell(cell: Cell) -> Script:
    """What of a script the cells of its turns repeat: enough to go through its chain again.

    Words and prompts are missing; scripted partners move as they did, without their sentences.

    Raises
    ------
    WolvesError
        If a factor is missing, or is not what `wolves compile` wrote.
    """
    try:
        script = _script(cell)
        longest = max(script.games, script.terms.rounds)
        if not (script.arms and isinstance(script.rule, dict) and longest <= LONGEST):
            raise ValueError(
                f"{longest} games or rounds, arms {cell['arms']!r}, rule {script.rule!r:.60}"
            )
    except (ValueError, TypeError, OverflowError) as fault:
        raise WolvesError(
            f"the cell of a bargaining turn is not as it was written: {fault}",
            fix="restore the line of the journal as it was collected, or remove it",
        ) from fault
    return script


def _script(cell: Cell) -> Script:
    return Script(
        terms=terms_from_cell(cell),
        role="seller" if cell["role"] == "seller" else "buyer",
        rule=json.loads(str(cell["rule"])),
        games=int(cell["games"]),
        arms=tuple(str(cell["arms"]).split()),
        memory="all",
        form="free",
        shown=str(cell["shown"]),
        money=Money(symbol=str(cell["currency"]), decimal=str(cell["decimal"])),
        rules={},
        opening=_first_prices(cell),
        texts={},
        advice={},
        sentences={},
        probe_options=False,
        moderator=float(cell["moderated"]),
        moderator_decides=cell["decides"] == "moderator",
        seed=int(cell["seed"]),
    )


def terms_from_cell(cell: Cell) -> Terms:
    """The terms in a cell."""
    return Terms(
        ask=float(cell["ask"]),
        bid=float(cell["bid"]),
        cost=_number(cell["cost"]),
        value=_number(cell["value"]),
        step=float(cell["step"]),
        rounds=int(cell["rounds"]),
        announced=cell["announced"] == "yes",
        first="seller" if cell["first"] == "seller" else "buyer",
        seller_first=_number(cell["seller_first"]),
        buyer_first=_number(cell["buyer_first"]),
        outside_seller=float(cell["outside_seller"]),
        outside_buyer=float(cell["outside_buyer"]),
    )


def _first_prices(cell: Cell) -> tuple[OpeningLine, ...]:
    """The scripted first prices, without words."""
    prices = {role: _number(cell[f"{role}_first"]) for role in ROLES}
    return tuple(
        OpeningLine(role, "", price) for role, price in prices.items() if price is not None
    )


def _number(entry: str | int | float) -> float | None:
    return None if entry == "" else float(entry)


def yes_no(flag: bool) -> str:
    """A flag as the text of a cell."""
    return "yes" if flag else "no"


def _or_empty(number: float | None) -> str | float:
    return "" if number is None else number
