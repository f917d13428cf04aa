"""Checks of a study before it asks anything: names, settings and parameters of speakers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from many_wolves import families
from many_wolves.contracts import EpisodicFamily, WorldFamily
from many_wolves.errors import SettingError, WolvesError
from many_wolves.records import SpeakerSpec, Trial
from many_wolves.sources import nearest, read_source
from many_wolves.speakers.config import SpeakerConfig
from many_wolves.speakers.cost import Budget, find_price
from many_wolves.speakers.speaker_request import SpeakerRequest, check_local, describe
from many_wolves.study.before import at_its_line
from many_wolves.study.paths import StudyPaths
from many_wolves.study.schema import WEIGHTS, Study
from many_wolves.study.seats import has_sessions, players_in, seats_of, settings_of
from many_wolves.study.speakers import Cast, cast
from many_wolves.study.task_schema import Task
from many_wolves.workflows.compile import Request, trials_of
from many_wolves.workflows.rehearsal import rehearse
from many_wolves.workflows.seats import Extents, check_seats, placed
from many_wolves.worlds import SPEAKER

_SETTINGS = ("temperature", "top_p", "max_tokens", "thinking_tokens")
"""Settings of a study that an API model may not support."""
_LOCAL_SETTINGS = (
    *("thinking_tokens", "batch", "omit", "device", "tensor_parallel_size"),
    "gpu_memory_utilization",
)
"""Settings that a model on this machine may not take."""


FINDING_FIGURES = frozenset({"forest", "post_training", "effort", "trajectories", "scaling"})
"""Names of figures of findings, listed here because their modules load slowly."""


def check_study(study: Study, file: Path) -> None:
    """Find unknown names in the study: shipped speakers, figures, packaged models.

    Raises
    ------
    WolvesError
        With the line of the study file.
    """
    # Imported here, because a study's status does not need them.
    from many_wolves.speakers.local.packaged_models import packaged

    for number, one in enumerate(study.data):
        shipped = families.references()[one.data][1]
        known = shipped.speakers() or (shipped.speaker,)
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
    if not FINDING_FIGURES.issuperset(study.report.figures):
        from many_wolves.workflows.figures import plots_of_family

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
    """Turn an error into one at the line of a field of the study file."""
    try:
        yield
    except WolvesError as fault:
        entry = read_source(file).entries()[section].sequence()[place]
        at = entry.entries().get(field, entry)
        raise at.error(f"{section}.{place}.{field}: {fault.problem}", fault.fix) from fault


def check_speakers(study: Study, file: Path, trials: Sequence[Trial]) -> None:
    """Find settings that a speaker of the study does not support, as far as local files tell.

    Parameters
    ----------
    trials
        The trials of the first task.

    Raises
    ------
    WolvesError
        If the parameters of a simulated speaker do not suit a task. If a local model's chat
        template does not support an effort. If an API does not support a setting.
    """
    places = StudyPaths(study.study)
    for number, task in enumerate(study.plan):
        if has_sessions(task):
            check_cast(study, number, file, None if number else trials)
    for one in cast(study):
        for number, task in enumerate(study.plan):
            given = one.given(task) if number else one
            try:
                if one.entry.provider == "simulated":
                    field = "as_player" if number else "parameters"
                    _rehearse(given, task, None if number else trials)
                elif one.entry.provider in WEIGHTS:
                    field = "provider"
                    check_local(_requested(given, _LOCAL_SETTINGS))
                    field = "efforts"
                    _check_effort(given, places)
                elif not number:
                    field = "provider"
                    _check_api(given)
            except WolvesError as fault:
                raise _at_its_line(fault, study.speakers.index(one.entry), field, file) from fault


def _rehearse(speaker: Cast, task: Task, trials: Sequence[Trial] | None) -> None:
    """Let a simulated speaker answer the trials of a task, which are compiled if not given."""
    family, name = families.of_task(task.task)
    asked = trials_of(Request(family.name, {name: task.design})) if trials is None else trials
    wanted = SpeakerRequest("simulated", parameters=speaker.parameters)
    rehearse({SPEAKER: wanted}, {SPEAKER: describe(wanted)}, family, asked)


def _check_api(speaker: Cast) -> None:
    """Reject an unknown provider, and settings that an API model does not support."""
    spec = describe(_requested(speaker, _SETTINGS))
    prices = speaker.asking.get("prices")
    Budget(find_price(spec, prices and Path(prices)), speaker.asking.get("max_cost"))


def _requested(speaker: Cast, settings: Sequence[str]) -> SpeakerRequest:
    """The speaker with some of its settings."""
    entry = speaker.entry
    given = {n: speaker.asking[n] for n in settings if speaker.asking.get(n) is not None}
    return SpeakerRequest(
        entry.provider, entry.model, effort=speaker.effort, base_url=entry.base_url, **given
    )


def _check_effort(speaker: Cast, places: StudyPaths) -> None:
    """Reject an effort that the chat template of a folder does not support."""
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


def check_cast(study: Study, number: int, file: Path, trials: Sequence[Trial] | None) -> None:
    """Reject a cast that leaves a seat empty, or a player that does not suit its seat.

    Parameters
    ----------
    number
        Index of the task in the study.
    trials
        The trials of the task; compiled if None.

    Raises
    ------
    WolvesError
        With the line of the study file.
    """
    task = study.plan[number]
    family, name = families.of_task(task.task)
    assert isinstance(family, EpisodicFamily | WorldFamily)
    opened = trials_of(Request(family.name, {name: task.design})) if trials is None else trials
    seats = Extents(opened, 1, family).seats
    try:
        told = seats_of(study, task)
        free = check_seats(told, seats)
        given = placed(told, seats)
        if free and (len(free) > 1 or told):
            raise _empty(free)
        if not free and None not in given.values():
            raise WolvesError(
                "no seat is left for the speaker that is asked",
                fix="write `self` for one of the roles",
            )
        _check_players(players_in(told), family, study)
        if isinstance(family, WorldFamily):
            options = {name: str(value) for name, value in task.engine_options.items()}
            family.world(task.engine, options | ({"server": task.server} if task.server else {}))
    except WolvesError as fault:
        raise _at_the_cast(fault, study, number, file) from fault


def _empty(free: Sequence[str]) -> WolvesError:
    example = ", ".join(f"{role}: self" for role in free)
    return WolvesError(
        f"expected a speaker for each of the seats {', '.join(free)}, found none",
        fix=f"write `cast: {{{example}}}`, or list other speakers",
    )


def _check_players(
    players: Mapping[str, Cast], family: EpisodicFamily | WorldFamily, study: Study
) -> None:
    """Reject players with unknown parameters, and two speakers with the same name in tables."""
    places = StudyPaths(study.study)
    for one in players.values():
        wanted = SpeakerConfig.read(settings_of(one, places), of=f"the player {one.name!r}")
        if one.entry.provider == "simulated":
            rehearse({SPEAKER: wanted.wanted()}, {SPEAKER: describe(wanted.wanted())}, family, ())
        elif one.entry.provider in WEIGHTS:
            _check_effort(one, places)
        else:
            _check_api(one)
    found: dict[str, Cast] = {}
    for one in (*cast(study), *players.values()):
        other = found.setdefault(one.spoken_name, one)
        if settings_of(other, places) != settings_of(one, places):
            raise WolvesError(
                f"{other.name} and {one.name} are both called {one.spoken_name} in tables",
                fix="give one of them another `model`, or another folder",
            )


def _at_the_cast(fault: WolvesError, study: Study, number: int, file: Path) -> WolvesError:
    """The error, moved to the line with the cast of a task in the study file."""
    content = read_source(file).entries()
    section, place = ("tasks", number) if study.tasks else ("games", number - 1)
    if section not in content or place < 0:
        return fault
    entry = content[section].sequence()[place]
    at = entry.entries().get("cast", entry)
    return at.error(f"{section}.{place}.cast: {fault.problem}", fault.fix)


def _at_its_line(fault: WolvesError, place: int, field: str, file: Path) -> WolvesError:
    """The error, moved to the line with the field of the speaker in the study file."""
    if isinstance(fault, SettingError):
        field = fault.setting
    fix = ""
    if field == "efforts":
        fix = "leave `efforts` and `thinking_tokens` out, or write `efforts: [none]`"
        if "no effort" in fault.problem:
            fix = "write `efforts: [none]` for answers without reasoning, or `efforts: [low]`"
    return at_its_line(file, "speakers", place, field, fault, fix)
