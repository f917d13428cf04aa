"""Records of sessions: replayed from answers, or from a server."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from many_wolves.errors import WolvesError
from many_wolves.families.markets.rules.session import Session, SessionRecord
from many_wolves.families.markets.task.cells import Played
from many_wolves.families.markets.task.course import Course, OpenTurn
from many_wolves.families.markets.task.unread import why_unread
from many_wolves.files import write_atomic
from many_wolves.records import Response

ENDING = ".record.json"


Show = Callable[[OpenTurn, Mapping[str, Any], Response | None, str], None]
"""Takes a question, its form, the answer (None: there is none), and why that was refused."""


def replayed(answers: Sequence[Response], show: Show | None = None) -> SessionRecord:
    """The session of the engine ``local`` to which answers belong, as far as they lead it.

    Parameters
    ----------
    answers
        The answers.
    show
        Called with every question in order.

    Raises
    ------
    KeyError, TypeError, ValueError
        If they are of no session of this version.
    """
    played = Played.of(answers[0].cell)
    course = Course(Session.begin(played.rules, played.draws, played.seed))
    by_turn = {response.turn: response for response in answers if response.status != "failed"}
    while not course.over:
        known = [asked for asked in course.open.values() if asked.turn in by_turn]
        if not known:
            break
        for asked in known:
            response = by_turn[asked.turn]
            value = dict(response.value) if isinstance(response.value, Mapping) else None
            rules, seat = played.rules, asked.seat
            unread = "" if value is not None else why_unread(rules, asked.view, seat, response)
            schema = course.form(asked) if show else {}
            why = course.take(seat, value, unread)
            if show:
                show(asked, schema, response, why)
    if show:
        for asked in course.open.values():
            show(asked, course.form(asked), None, "")
    return course.session.record()


def record_path(folder: Path, episode: str, replicate: int) -> Path:
    """Where the record of a session on a server is."""
    return folder / f"{episode}-{replicate}{ENDING}"


def write_record(path: Path, record: SessionRecord) -> None:
    """Write the record of a session."""
    write_atomic(path, json.dumps(record.to_json()) + "\n")


def read_record(path: Path) -> SessionRecord:
    """Read back what ``write_record`` wrote.

    Raises
    ------
    WolvesError
        If the file is not a record of a known version.
    """
    try:
        return SessionRecord.from_json(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, KeyError, TypeError) as fault:
        raise WolvesError(
            f"expected the record of a session, found {fault}",
            where=path,
            fix="remove the file: its session is then left out",
        ) from fault


def find_record(folders: Sequence[Path], episode: str, replicate: int) -> SessionRecord | None:
    """The record of a session in one of several folders; None where there is none."""
    for folder in folders:
        path = record_path(folder, episode, replicate)
        if path.is_file():
            return read_record(path)
    return None
