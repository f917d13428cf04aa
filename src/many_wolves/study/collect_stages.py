"""The stages that ask one speaker of a study and read its answers."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from many_wolves.files import fingerprint
from many_wolves.flags import flag
from many_wolves.speakers.config import SpeakerConfig
from many_wolves.study.paths import StudyPaths
from many_wolves.study.seats import (
    Seats,
    has_sessions,
    players_in,
    seat_files,
    seat_options,
    settings_of,
    weights_of,
)
from many_wolves.study.speakers import Cast
from many_wolves.study.stages import Stage
from many_wolves.study.task_schema import Task


def journal_of(speaker: Cast, task: Task, places: StudyPaths, seats: Seats) -> Path:
    """A separate journal for each combination of settings, so that answers are never mixed.

    It is a folder if several speakers answer, or if sessions have records.
    """
    settings = {o: v for o, v in _asked_with(speaker, places).items() if o != "--replicates"}
    if not has_sessions(task):
        return places.journal(speaker.name, fingerprint([settings, speaker.parameters], 8))
    where = [task.engine, task.engine_options, [[s, who and who.name] for s, who in _each(seats)]]
    others = [_lasting(settings_of(one, places)) for one in players_in(seats).values()]
    return places.sessions(
        speaker.name, fingerprint([settings, speaker.parameters, where, others], 8)
    )


def collect_stage(speaker: Cast, task: Task, places: StudyPaths, seats: Seats) -> Stage:
    """The stage that collects the answers of a speaker and of its co-players."""
    journal = journal_of(speaker, task, places, seats)
    command = ["collect", str(places.trials), "--out", str(journal)]
    for option, value in (_asked_with(speaker, places) | _run_with(speaker)).items():
        command += [option, value]
    if speaker.asking.get("batch"):
        command.append("--batch")
    command += [*seat_options(seats, places), *_engine(task)]
    given = seat_files(seats, places)
    if speaker.parameters:
        file = places.parameters(speaker.name)
        command += ["--parameters", str(file)]
        given.append((file, _json(speaker.parameters)))
    everyone = (speaker, *players_in(seats).values())
    weights = list(dict.fromkeys(path for one in everyone for path in weights_of(one, places)))
    prepared = dict.fromkeys(one.entry.prepare for one in everyone if one.entry.prepare)
    return Stage(
        places.stage("collect", speaker.name),
        tuple(command),
        reads=(places.trials, *weights),
        writes=(journal,),
        after=(places.stage("compile"), *(f"prepare {name}" for name in prepared)),
        given=tuple(given),
    )


def choices_stage(
    speaker: Cast, task: Task, places: StudyPaths, seats: Seats, options: tuple[str, ...]
) -> Stage:
    """The stage that reads the answers of a speaker and of its co-players into a table."""
    journal, table = journal_of(speaker, task, places, seats), places.choices(speaker.name)
    command = ("choices", str(journal), "--trials", str(places.trials))
    return Stage(
        places.stage("choices", speaker.name),
        (*command, *options, "--out", str(table)),
        reads=(journal, places.trials),
        writes=(table,),
        after=(places.stage("collect", speaker.name),),
    )


def _asked_with(speaker: Cast, places: StudyPaths) -> dict[str, str]:
    """Options of `wolves collect` that describe the speaker."""
    entry = speaker.entry
    who: dict[str, object] = {
        "--provider": entry.provider,
        "--model_name": entry.model or None,
        "--model_path": places.model(entry.prepare) if entry.prepare else entry.path,
        "--revisions": speaker.revision or None,
        "--adapter": entry.adapter or None,
        "--effort": speaker.effort or None,
        "--base_url": entry.base_url or None,
    }
    how = {f"--{k}": v for k, v in speaker.asking.items() if k not in SpeakerConfig.RUN}
    return _words(who | how)


def _engine(task: Task) -> Iterator[str]:
    """Options of `wolves collect` that describe the engine of sessions."""
    if task.engine:
        yield from ("--engine", task.engine)
    for name, value in task.engine_options.items():
        yield from ("--engine_option", f"{name}={value}")
    if task.server:
        yield from ("--server", task.server)


def _each(seats: Seats) -> Iterator[tuple[str, Cast | None]]:
    return ((seat, who) for seat, several in seats.items() for who in several)


def _lasting(settings: Mapping[str, Any]) -> dict[str, Any]:
    """The settings that can change an answer."""
    return {name: value for name, value in settings.items() if name not in SpeakerConfig.RUN}


def _run_with(speaker: Cast) -> dict[str, str]:
    """Options of `wolves collect` that do not affect answers."""
    run = {k: v for k, v in speaker.asking.items() if k in SpeakerConfig.RUN and k != "batch"}
    return _words({flag(name): value for name, value in run.items()})


def _words(options: Mapping[str, object]) -> dict[str, str]:
    return {option: str(value) for option, value in options.items() if value is not None}


def _json(parameters: Mapping[str, Any]) -> str:
    return json.dumps(parameters, indent=1) + "\n"
