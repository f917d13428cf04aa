"""Responses, and records of sessions on servers, to tidy tables."""

from __future__ import annotations

import json
import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from many_wolves.counting import number_of
from many_wolves.families.markets.reading.records import find_record, replayed
from many_wolves.families.markets.rules.parameters import Rules
from many_wolves.families.markets.rules.session import SessionRecord
from many_wolves.families.markets.rules.tables import TABLES, counted, table_rows
from many_wolves.families.markets.task.cells import seat_number
from many_wolves.files import code_version
from many_wolves.observations import Observations
from many_wolves.progress import log
from many_wolves.reading import Intake, take_newest
from many_wolves.records import SCHEMA, Check, Response

FAMILY, PLANNING = "markets", "planning"
MAIN, ANSWERS = "payoffs", "answers"
READABLE_SHARE = 0.9
"""Smallest share of valid answers of a speaker that did the task."""
ANSWER_COLUMNS = (
    "speaker", "session", "task", "engine", "seat", "role", "persona", "round", "stage", "tick",
    "attempt", "turn", "status", "value",
)  # fmt: skip
_EXAMPLE = 160

_Key = tuple[str, int]
"""Episode and replicate."""


def tabulate(responses: Iterable[Response], folders: Sequence[Path] = ()) -> Observations:
    """Tables of the sessions that responses of any speakers belong to.

    Parameters
    ----------
    responses
        In the order in which they came.
    folders
        Where records of sessions on servers may be. A session of the engine ``local`` is
        replayed from its answers.

    Returns
    -------
    Observations
        ``payoffs`` and the other tables of ``rules.tables.TABLES``, those without a row left
        out, and ``answers``: one row per question, with the form as JSON.
    """
    intake = take_newest(responses, lambda response: response.family == FAMILY, question_of)
    sessions: dict[_Key, list[Response]] = defaultdict(list)
    for response in intake.newest:
        sessions[response.episode, response.replicate].append(response)
    rows: dict[str, list[tuple[Any, ...]]] = {name: [] for name in TABLES}
    unfinished: list[str] = []
    played: list[Rules] = []
    for (episode, replicate), answers in sessions.items():
        if answers[0].task != PLANNING:
            continue
        session = f"{episode}-{replicate}"
        record = _record(answers, folders, episode, replicate)
        if record is None or not record.rewards:
            unfinished.append(session)
        if record is not None:
            played.append(record.rules)
            agents = {seat_number(r.seat): intake.names[r.speaker.slug] for r in answers}
            for name in TABLES:
                rows[name] += table_rows(name, session, record, agents)
    if unfinished:
        log.warning(
            "%d of %d sessions have not ended; their finished rounds are counted",
            len(unfinished),
            len(sessions),
        )
    meta = {"sessions": len(sessions), "unfinished": unfinished, "rules": counted(played)}
    return _observations(intake, rows, meta)


def question_of(response: Response) -> tuple[str, str, int, int]:
    """What is the same for all answers of a speaker to one question."""
    return response.speaker.slug, response.episode, response.replicate, response.turn


def _record(
    answers: Sequence[Response], folders: Sequence[Path], episode: str, replicate: int
) -> SessionRecord | None:
    if answers[0].cell.get("engine") == "local":
        return replayed(answers)
    return find_record(folders, episode, replicate)


def _observations(
    intake: Intake, rows: Mapping[str, list[tuple[Any, ...]]], meta: Mapping[str, Any]
) -> Observations:
    tasks = sorted({response.task for response in intake.newest})
    tables = {
        name: pd.DataFrame(found, columns=list(TABLES[name])).rename(columns={"agent": "speaker"})
        for name, found in rows.items()
        if found or (name == MAIN and PLANNING in tasks)
    }
    tables[ANSWERS] = _answers(intake)
    status: dict[str, Counter[str]] = defaultdict(Counter)
    for response in intake.newest:
        status[intake.names[response.speaker.slug]][response.status] += 1
    return Observations(
        FAMILY,
        tables,
        MAIN if MAIN in tables else ANSWERS,
        excluded=_excluded(intake),
        checks=tuple(_check(speaker, found) for speaker, found in status.items()),
        meta={
            "schema": SCHEMA,
            "task": tasks[0] if len(tasks) == 1 else "",
            "responses": intake.responses,
            "foreign": intake.foreign,
            "repeated": intake.repeated,
            "status": {speaker: dict(found) for speaker, found in status.items()},
            "speakers": intake.speakers,
            "code_version": code_version(),
            **meta,
        },
    )


def _answers(intake: Intake) -> pd.DataFrame:
    """Every question with what was answered, in the order of the sessions."""
    rows = []
    for r in sorted(intake.newest, key=lambda r: (r.episode, r.replicate, r.turn)):
        places = [r.cell.get(name, "") for name in ("round", "stage", "tick", "attempt")]
        value = json.dumps(dict(r.value)) if isinstance(r.value, Mapping) else ""
        rows.append(
            (
                intake.names[r.speaker.slug],
                f"{r.episode}-{r.replicate}",
                r.task,
                r.cell.get("engine", ""),
                r.seat,
                r.cell.get("role", ""),
                r.cell.get("persona", ""),
                *places,
                r.turn,
                r.status,
                value,
            )
        )
    return pd.DataFrame(rows, columns=list(ANSWER_COLUMNS))


def _excluded(intake: Intake) -> pd.DataFrame:
    """What could not be read, counted by speaker and stage, with the first example of each."""
    groups: dict[tuple[str, ...], list[str]] = {}
    for response in intake.newest:
        if response.status == "answered":
            continue
        name, stage = intake.names[response.speaker.slug], str(response.cell.get("stage", ""))
        text = response.error if response.status == "failed" else response.text
        found = groups.setdefault((name, response.task, stage, response.status), [])
        found.append(" ".join(text.split())[:_EXAMPLE])
    return pd.DataFrame(
        [(*key, len(texts), texts[0]) for key, texts in groups.items()],
        columns=["speaker", "task", "stage", "status", "n", "example"],
    )


def _check(speaker: str, found: Mapping[str, int]) -> Check:
    """Whether a speaker filled in the forms; an answer that failed is nobody's."""
    total = sum(n for status, n in found.items() if status != "failed")
    read = found.get("answered", 0)
    share = read / total if total else 0.0
    return Check(
        name="forms",
        speaker=speaker,
        ok=share >= READABLE_SHARE,
        statement=f"{speaker}: {read} of {number_of(total, 'answer')} in the requested form.",
        statistic=share,
        p_value=math.nan,
    )
