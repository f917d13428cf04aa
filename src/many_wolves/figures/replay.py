"""A session as a page shows it: phases, a column for each seat, markets, messages, payoffs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple


class Phase(NamedTuple):
    """A part of a session in which seats are asked.

    Parameters
    ----------
    id
        Unique within the session.
    group
        What it belongs to, such as ``Round 1``; may be empty.
    label
        What happens in it.
    """

    id: str
    group: str
    label: str


class Card(NamedTuple):
    """A question to a seat, and what became of it.

    Parameters
    ----------
    phase
        Id of its phase.
    title
        Its place in the phase.
    page
        What the seat read.
    reasoning, text
        What the speaker thought, where that was recorded, and what it wrote.
    action
        What was done: fields of the form with their values.
    receipt
        ``accepted``, ``refused``, ``stale``, ``unknown``, ``defaulted`` or ``waiting``.
    why
        Of the receipt, in words.
    """

    phase: str
    title: str
    page: str
    reasoning: str = ""
    text: str = ""
    action: Mapping[str, Any] = {}
    receipt: str = ""
    why: str = ""


class Column(NamedTuple):
    """A seat: its name, who played it, and its cards in order."""

    seat: str
    speaker: str
    cards: tuple[Card, ...]


class Market(NamedTuple):
    """A market with its events in order.

    Parameters
    ----------
    title
        Round and condition.
    events
        JSON objects. An order has ``time``, ``seat``, ``action``, ``price``, ``order``,
        ``status``, ``why`` and ``traded``. A snapshot has ``time``, ``book`` (pairs of side
        and price) and ``prices`` (all so far).
    lines
        Name -> a price to draw as a line.
    """

    title: str
    events: tuple[Mapping[str, Any], ...]
    lines: Mapping[str, float] = {}


class Message(NamedTuple):
    """A line of chat: its phase, who wrote it, who read it."""

    phase: str
    sender: str
    to: str
    text: str


@dataclass(frozen=True)
class Replay:
    """A session, as far as it has been played.

    Parameters
    ----------
    session
        Its name in tables.
    facts
        Name -> value, about the whole session.
    phases, columns, markets, messages
        Its parts.
    payoffs
        Header and rows of a table; empty where nothing has been paid.
    notes
        Sentences about the page itself.
    caption
        Of the payoffs.
    """

    session: str
    facts: Mapping[str, str]
    phases: tuple[Phase, ...]
    columns: tuple[Column, ...]
    markets: tuple[Market, ...] = ()
    messages: tuple[Message, ...] = ()
    payoffs: tuple[tuple[str, ...], ...] = ()
    notes: tuple[str, ...] = field(default=())
    caption: str = ""
