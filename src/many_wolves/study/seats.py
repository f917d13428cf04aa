"""The seats of a task: the speaker that is asked, other speakers, and players."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from many_wolves import families
from many_wolves.contracts import WorldFamily
from many_wolves.errors import WolvesError
from many_wolves.files import file_name, fingerprint
from many_wolves.speakers.config import SpeakerConfig
from many_wolves.study.paths import StudyPaths
from many_wolves.study.schema import Speaker, Study
from many_wolves.study.speakers import Cast, cast_of
from many_wolves.study.task_schema import SELF, STRATEGY, Task

Seats = Mapping[str, Sequence[Cast | None]]
"""The speakers for a seat or for the seats of a role; None is the speaker that is asked."""


def has_sessions(task: Task) -> bool:
    """Whether the answers to a task are a folder, with several speakers or with sessions."""
    return bool(task.cast) or isinstance(families.of_task(task.task)[0], WorldFamily)


def seats_of(study: Study, task: Task) -> Seats:
    """The speakers in the seats of a task.

    Raises
    ------
    WolvesError
        If a name matches several speakers or none.
    """
    if not task.cast:
        return {}
    everyone = cast_of(study, (*study.speakers, *study.players))
    further = task is not study.plan[0]
    known = {one.name: one.given(task) if further else one for one in everyone}
    return {
        seat: [_one(who, known, task) for who in several] for seat, several in task.cast.items()
    }


def players_in(seats: Seats) -> dict[str, Cast]:
    """The speakers on seats, except for the one that is asked, by name."""
    return {one.name: one for several in seats.values() for one in several if one is not None}


def seat_options(seats: Seats, places: StudyPaths) -> Iterator[str]:
    """Options of ``wolves collect`` that assign them to seats."""
    for seat, several in seats.items():
        who = [SELF if one is None else str(places.seat(one.name)) for one in several]
        yield from ("--seat", f"{seat}={','.join(who)}")


def seat_files(seats: Seats, places: StudyPaths) -> list[tuple[Path, str]]:
    """The files of their settings, with their text."""
    return [
        (places.seat(name), json.dumps(settings_of(one, places), indent=1) + "\n")
        for name, one in players_in(seats).items()
    ]


def settings_of(one: Cast, places: StudyPaths) -> dict[str, Any]:
    """The settings of a speaker in a seat, by the names of ``SpeakerConfig``."""
    entry = one.entry
    who = {
        "provider": entry.provider,
        "model": entry.model,
        "path": places.model(entry.prepare) if entry.prepare else one.folder,
        "revision": one.revision,
        "adapter": entry.adapter,
        "effort": one.effort,
        "base_url": entry.base_url,
        "parameters": one.parameters or entry.parameters,
    }
    how = {name: value for name, value in one.asking.items() if name in SpeakerConfig.model_fields}
    both = {**how, **who}
    return {
        name: str(value) if isinstance(value, Path) else value
        for name, value in both.items()
        if value not in (None, "", {}, ())
    }


def weights_of(one: Cast, places: StudyPaths) -> list[Path]:
    """Folders of a speaker's weights and adapter, if the study specifies them."""
    entry = one.entry
    model = places.model(entry.prepare) if entry.prepare else one.folder
    return [path for path in (model, entry.adapter and Path(entry.adapter)) if path]


def _one(who: str | Mapping[str, Any], known: Mapping[str, Cast], task: Task) -> Cast | None:
    """The speaker with this name, or with this strategy and its parameters."""
    if who == SELF:
        return None
    if not isinstance(who, str):
        name = str(who[STRATEGY])
        made = Speaker(name=name, provider="simulated", model=name, parameters=dict(who))
        return Cast(name=_strategy_name(who), entry=made, asking={}, parameters=dict(who))
    found = [one for name, one in known.items() if who in (name, one.entry.name)]
    if len(found) != 1:
        names = ", ".join(one.name for one in found) or ", ".join(known)
        raise WolvesError(
            f"the cast of {task.task}: expected one speaker {who!r}, found {len(found)}",
            fix=f"choose one of these: {names}",
        )
    (one,) = found
    if one.parameters or not one.entry.parameters:
        return one
    return one.model_copy(update={"parameters": one.entry.parameters})


def _strategy_name(who: Mapping[str, Any]) -> str:
    """The strategy, with a fingerprint of its parameters if some are given."""
    name = file_name(str(who[STRATEGY]))
    return name if len(who) == 1 else f"{name}-{fingerprint(who, 8)}"
