"""What a speaker will refuse, found before a study asks anyone."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from many_wolves import families
from many_wolves.errors import WolvesError
from many_wolves.records import SpeakerSpec, Trial
from many_wolves.sources import read_source
from many_wolves.speakers.speaker_request import SpeakerRequest, describe
from many_wolves.study.paths import StudyPaths
from many_wolves.study.schema import WEIGHTS, Study
from many_wolves.study.speakers import Cast, cast
from many_wolves.study.task_schema import Task
from many_wolves.workflows.compiling import Request, trials_of
from many_wolves.workflows.rehearsal import rehearse
from many_wolves.worlds import SPEAKER


def check_speakers(study: Study, file: Path, trials: Sequence[Trial]) -> None:
    """Find what a speaker of the study will refuse, as far as files on this machine tell.

    Parameters
    ----------
    trials
        Those of the first task.

    Raises
    ------
    WolvesError
        If the parameters of a simulated speaker do not suit a task. If a local model's chat
        template does not support an effort.
    """
    places = StudyPaths(study.study)
    for one in cast(study):
        for number, task in enumerate(study.plan):
            given = one.given(task) if number else one
            try:
                if one.entry.provider == "simulated":
                    field = "as_player" if number else "parameters"
                    _rehearse(given, task, None if number else trials)
                elif one.entry.provider in WEIGHTS:
                    field = "efforts"
                    _check_effort(given, places)
            except WolvesError as fault:
                raise _at_its_line(fault, study.speakers.index(one.entry), field, file) from fault


def _rehearse(speaker: Cast, task: Task, trials: Sequence[Trial] | None) -> None:
    """Let a simulated speaker try the trials of a task; they are made where none are given."""
    family, name = families.of_task(task.task)
    asked = trials_of(Request(family.name, {name: task.design})) if trials is None else trials
    wanted = SpeakerRequest("simulated", parameters=speaker.parameters)
    rehearse({SPEAKER: wanted}, {SPEAKER: describe(wanted)}, family, asked)


def _check_effort(speaker: Cast, places: StudyPaths) -> None:
    """Refuse an effort that the chat template of a folder does not support."""
    from many_wolves.speakers.local.thinking import check_folder

    entry = speaker.entry
    folder = places.model(entry.prepare) if entry.prepare else speaker.folder
    if folder is None:
        return
    spec = SpeakerSpec(
        entry.provider,
        entry.model or folder.name,
        revision=speaker.revision,
        effort=speaker.effort,
        thinking_tokens=speaker.asking.get("thinking_tokens"),
        prompt_format=speaker.asking.get("prompt_format", "chat"),
    )
    check_folder(folder, spec)


def _at_its_line(fault: WolvesError, place: int, field: str, file: Path) -> WolvesError:
    """The fault at the line of the study file that has the field of the speaker."""
    entry = read_source(file).entries()["speakers"].sequence()[place]
    at = entry.entries().get(field, entry)
    fix = fault.fix
    if field == "efforts":
        fix = "leave `efforts` and `thinking_tokens` out, or write `efforts: [none]`"
        if "no effort" in fault.problem:
            fix = "write `efforts: [none]` for answers without a thought, or `efforts: [low]`"
    return at.error(f"speakers.{place}.{field}: {fault.problem}", fix)
