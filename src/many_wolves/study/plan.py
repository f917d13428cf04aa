"""Plans the stages of a study: compile, collect, choices, fit, figures, findings, report."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from many_wolves import families
from many_wolves.flags import flag
from many_wolves.records.speaker import SHOWN_NAME
from many_wolves.study.collect_stages import choices_stage, collect_stage
from many_wolves.study.fit_stages import fit_people, fit_speaker, page
from many_wolves.study.paths import StudyPaths
from many_wolves.study.schema import Study
from many_wolves.study.seats import Seats, has_sessions, seats_of
from many_wolves.study.speakers import Cast, cast
from many_wolves.study.stages import Stage, in_order, shown
from many_wolves.study.task_schema import STRATEGY, Task

Given = tuple[tuple[Path, str], ...]
"""Files that are written before a stage, with their text."""


def plan(study: Study, places: StudyPaths) -> list[Stage]:
    """All stages of a study."""
    speakers = list(cast(study)) if study.speakers else []
    stages = [*fit_people(study, places), *_prepare(study, places)]
    fits: list[Fits] = []
    for number, task in enumerate(study.plan if speakers else ()):
        own = places.of(task.task) if number else places
        asked = [speaker.given(task) for speaker in speakers] if number else speakers
        people = () if number else tuple(one.name for one in study.shipped)
        after = tuple(f"fit {name}" for name in people[:1])
        stages += _task_stages(task, asked, own, seats_of(study, task), after, page(study))
        fits.append(Fits(own, (*people, *(speaker.name for speaker in speakers))))
    fits = fits or [Fits(places, tuple(one.name for one in study.shipped))]
    labels = [_labels(speakers, one.places) for one in fits]
    figures = (study.report.figures, *((),) * (len(fits) - 1))
    stages += [_figures(*one) for one in zip(fits, labels, figures, strict=True)]
    if speakers or _comparable(study):
        stages.append(_findings(fits[0], study, labels[0]))
    made_by = [shown(stage.command) for stage in in_order(stages)]
    given = tuple(file for files in labels for file in files)
    return [*stages, _report(tuple(fits), study, given, made_by)]


def _comparable(study: Study) -> bool:
    """Whether there are several shipped speakers of one family, and that family has findings."""
    known = families.references()
    found = {known[one.data][0].name: known[one.data][0] for one in study.shipped}
    one_family = len(study.shipped) > 1 and len(found) == 1
    return one_family and next(iter(found.values())).findings() is not None


def _task_stages(
    task: Task,
    speakers: Sequence[Cast],
    places: StudyPaths,
    seats: Seats,
    after: tuple[str, ...],
    page: tuple[str, ...],
) -> Iterator[Stage]:
    """The stages of a task: its trials, then answers, choices and fit of every speaker."""
    yield compile_stage(task, places)
    own = ("--task", task.family) if places.task else ()
    for speaker in speakers:
        yield collect_stage(speaker, task, places, seats)
        yield choices_stage(speaker, task, places, seats, (*own, "--scoring", task.scoring))
        yield fit_speaker(speaker, task, places, after, page)


@dataclass(frozen=True)
class Fits:
    """The fits of one task: their paths and speakers."""

    places: StudyPaths
    names: tuple[str, ...]

    @property
    def folders(self) -> list[str]:
        """Their folders."""
        return [str(self.places.fit(name)) for name in self.names]

    @property
    def files(self) -> tuple[Path, ...]:
        """All of their files."""
        return tuple(file for name in self.names for file in self.places.fit_files(name))

    @property
    def stages(self) -> tuple[str, ...]:
        """Names of the stages that make them."""
        return tuple(self.places.stage("fit", name) for name in self.names)


def fitted_names(study: Study) -> list[str]:
    """Names of all fits, people first, in the order of the file."""
    return [*(one.name for one in study.shipped), *(speaker.name for speaker in cast(study))]


def compile_stage(task: Task, places: StudyPaths) -> Stage:
    """The stage that compiles the trials of a task."""
    design = task.design
    command = ["compile", "--task", task.task, "--out", str(places.trials)]
    for name, value in design.model_dump(exclude_unset=True).items():
        if name == "tasks":
            command[2] = ",".join(value)
        elif isinstance(value, bool):
            command.append(flag(name) if value else flag(f"no_{name}"))
        elif isinstance(value, tuple):
            command += [flag(name), ",".join(map(str, value))] if value else []
        elif value is not None:
            command += [flag(name), str(value)]
    return Stage(
        places.stage("compile"),
        tuple(command),
        reads=design.files(),
        writes=(places.trials,),
    )


def _prepare(study: Study, places: StudyPaths) -> Iterator[Stage]:
    everyone = (*study.speakers, *study.players)
    for name in dict.fromkeys(one.prepare for one in everyone if one.prepare):
        folder = places.model(name)
        command = ("models", "prepare", name, "--out", str(folder))
        yield Stage(f"prepare {name}", command, reads=(), writes=(folder,))


def _labels(speakers: Sequence[Cast], places: StudyPaths) -> Given:
    """Name and labels of each speaker, for the stages that show them; fits do not need them."""
    return tuple(
        (
            places.labels(one.name),
            json.dumps({SHOWN_NAME: one.name, **one.entry.labels}, indent=1) + "\n",
        )
        for one in speakers
    )


def _findings(fits: Fits, study: Study, labels: Given) -> Stage:
    command = ["findings", *fits.folders, "--out", str(fits.places.findings)]
    command += ["--title", f"Findings: {study.title or study.study}"]
    return Stage(
        "findings",
        (*command, "--skip-missing", "--skip-unconverged"),
        reads=fits.files,
        writes=(fits.places.findings,),
        after_all=fits.stages,
        given=labels,
        beside=True,
    )


def _figures(fits: Fits, labels: Given, names: Sequence[str]) -> Stage:
    return Stage(
        fits.places.stage("figures"),
        ("plot", *names, *fits.folders, "--out", str(fits.places.figures), "--skip-missing"),
        reads=fits.files,
        writes=(fits.places.figures,),
        after_all=fits.stages,
        given=labels,
        beside=True,
    )


def _report(tasks: tuple[Fits, ...], study: Study, labels: Given, made_by: Sequence[str]) -> Stage:
    folders = [folder for fits in tasks for folder in fits.folders]
    report = tasks[0].places.report
    command = ["report", *folders, "--out", str(report)]
    command += ["--skip-missing", "--title", study.title or study.study]
    command += [] if study.report.pages else ["--one-page"]
    for paragraph in filter(None, (study.question, _design(study))):
        command += ["--introduction", paragraph]
    for line in made_by:
        command += ["--made-by", line]
    ended = (name for fits in tasks for name in fits.stages)
    return Stage(
        "report",
        tuple(command),
        reads=tuple(file for fits in tasks for file in fits.files),
        writes=(report,),
        after_all=tuple(ended),
        given=labels,
    )


def _design(study: Study) -> str:
    """The design, in a sentence for the report; empty if no speaker is asked."""
    if not study.speakers:
        return ""
    first, *others = study.plan
    told = first.design.model_dump(exclude_unset=True)
    parts = [f"{name}: {_plain(value)}" for name, value in told.items() if name != "seed"]
    parts += [f"seats of {seat}: {_seated(several)}" for seat, several in first.cast.items()]
    if not has_sessions(first):
        parts.append(f"scoring of options: {first.scoring}")
    also = ", ".join(task.task for task in others)
    more = f" The same speakers also did: {also}." if also else ""
    return f"Design: {'; '.join(parts)}.{more}"


def _seated(several: Sequence[str | dict[str, Any]]) -> str:
    """The speakers in the seats of a role, in words."""
    return ", ".join(who if isinstance(who, str) else str(who[STRATEGY]) for who in several)


def _plain(value: object) -> str:
    return (", ".join(map(str, value)) or "all") if isinstance(value, tuple) else str(value)
