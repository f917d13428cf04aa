"""The content of a session's page: phases, a column per seat, markets, messages, payoffs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple


class Phase(NamedTuple):
    """A part of a session in which seats act.

    Parameters
    ----------
    id
        Unique within the session.
    group
        The group of phases, such as ``Round 1``; may be empty.
    label
        Heading of the phase.
    """

    id: str
    group: str
    label: str


class Card(NamedTuple):
    """A question to a seat and its outcome.

    Parameters
    ----------
    phase
        Id of its phase.
    title
        Its heading within the phase.
    page
        The text that the seat read.
    reasoning, text
        The speaker's reasoning, if recorded, and its answer.
    action
        The action: fields of the form with their values.
    receipt
        ``accepted``, ``refused``, ``stale``, ``unknown``, ``defaulted`` or ``waiting``.
    why
        Reason for the receipt, in words.
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
    """A seat: its name, its player, and its cards in order."""

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
        and price) and ``prices`` (all up to then).
    lines
        Name -> price that is drawn as a line.
    """

    title: str
    events: tuple[Mapping[str, Any], ...]
    lines: Mapping[str, float] = {}


class Message(NamedTuple):
    """A chat message: its phase, sender, recipients and text."""

    phase: str
    sender: str
    to: str
    text: str


@dataclass(frozen=True)
class Replay:
    """A session up to the present.

    Parameters
    ----------
    session
        Its name in tables.
    facts
        Name -> value, about the whole session.
    phases, columns, markets, messages
        Its parts.
    payoffs
        Header and rows of a table; empty if nothing has been paid.
    notes
        Sentences about the page itself.
    caption
        Caption of the payoffs.
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
