"""What a speaker will refuse, found before a study asks anyone."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from many_wolves import families
from many_wolves.errors import SettingError, WolvesError
from many_wolves.records import SpeakerSpec, Trial
from many_wolves.sources import nearest, read_source
from many_wolves.speakers.speaker_request import SpeakerRequest, describe
from many_wolves.study.paths import StudyPaths
from many_wolves.study.schema import WEIGHTS, Study
from many_wolves.study.speakers import Cast, cast
from many_wolves.study.task_schema import Task
from many_wolves.workflows.compiling import Request, trials_of
from many_wolves.workflows.rehearsal import rehearse
from many_wolves.worlds import SPEAKER

_SETTINGS = ("temperature", "top_p", "max_tokens", "thinking_tokens")
"""Settings of a study that an API model may not support."""


def check_study(study: Study, file: Path) -> None:
    """Find names of the study that nothing has: shipped speakers, figures, packaged models.

    Raises
    ------
    WolvesError
        At the line of the study file.
    """
    # Here: a study's status needs none of them.
    from many_wolves.speakers.local.packaged_models import packaged
    from many_wolves.workflows.data import reference
    from many_wolves.workflows.figures import plots_of_family

    for number, one in enumerate(study.data):
        known = reference(one.data).speakers
        if one.speaker not in known and (one.speaker or len(known) > 1):
            with _at(file, "data", number, "speaker"):
                found = repr(one.speaker) if one.speaker else "none"
                raise WolvesError(
                    f"expected a speaker of {one.data}, found {found}",
                    fix=nearest(one.speaker, known),
                )
    for number, speaker in enumerate(study.speakers):
        if speaker.prepare:
            with _at(file, "speakers", number, "prepare"):
                packaged(speaker.prepare)
    if study.report.figures:
        plots = plots_of_family(families.of_task(study.plan[0].task)[0].name)
        for name in study.report.figures:
            if name not in plots:
                raise (
                    read_source(file)
                    .entries()["report"]
                    .error(
                        f"report.figures: expected names of figures, found {name!r}",
                        nearest(name, plots),
                    )
                )


@contextmanager
def _at(file: Path, section: str, place: int, field: str) -> Iterator[None]:
    """Turn a fault into one at the line of a field of the study file."""
    try:
        yield
    except WolvesError as fault:
        entry = read_source(file).entries()[section].sequence()[place]
        at = entry.entries().get(field, entry)
        raise at.error(f"{section}.{place}.{field}: {fault.problem}", fault.fix) from fault


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
        template does not support an effort. If an API does not support a setting.
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
                elif not number:
                    field = "provider"
                    _check_api(given)
            except WolvesError as fault:
                raise _at_its_line(fault, study.speakers.index(one.entry), field, file) from fault


def _rehearse(speaker: Cast, task: Task, trials: Sequence[Trial] | None) -> None:
    """Let a simulated speaker try the trials of a task; they are made where none are given."""
    family, name = families.of_task(task.task)
    asked = trials_of(Request(family.name, {name: task.design})) if trials is None else trials
    wanted = SpeakerRequest("simulated", parameters=speaker.parameters)
    rehearse({SPEAKER: wanted}, {SPEAKER: describe(wanted)}, family, asked)


def _check_api(speaker: Cast) -> None:
    """Refuse a provider that is unknown, and settings that an API model does not support."""
    from many_wolves.speakers.api.model import check_request

    entry = speaker.entry
    given = {n: speaker.asking[n] for n in _SETTINGS if speaker.asking.get(n) is not None}
    wanted = SpeakerRequest(
        entry.provider, entry.model, effort=speaker.effort, base_url=entry.base_url, **given
    )
    check_request(describe(wanted))


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
    if isinstance(fault, SettingError):
        field = fault.setting
    at = entry.entries().get(field, entry)
    fix = fault.fix
    if field == "efforts":
        fix = "leave `efforts` and `thinking_tokens` out, or write `efforts: [none]`"
        if "no effort" in fault.problem:
            fix = "write `efforts: [none]` for answers without a thought, or `efforts: [low]`"
    return at.error(f"speakers.{place}.{field}: {fault.problem}", fix)
