"""A study into its stages: compile, collect, choices, fit, figures, findings, report."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from many_wolves.files import shipped
from many_wolves.study.asking import choices_stage, collect_stage
from many_wolves.study.casting import Cast, cast
from many_wolves.study.fitting import fit_people, fit_speaker
from many_wolves.study.games import game_stages
from many_wolves.study.places import Places
from many_wolves.study.schema import Study
from many_wolves.study.stages import Stage, in_order, shown

Given = tuple[tuple[Path, str], ...]
"""Files that are written before a stage, with their text."""


def plan(study: Study, places: Places) -> list[Stage]:
    """All stages of a study."""
    speakers = list(cast(study))
    stages = [*fit_people(study, places)]
    if speakers:
        stages.append(compile_stage(study, places))
    stages += _prepare(study, places)
    for speaker in speakers:
        stages += [
            collect_stage(speaker, places),
            choices_stage(speaker, places, ("--scoring", study.choices.scoring)),
            fit_speaker(speaker, study, places),
        ]
    own = Fits(places, (*study.human, *(speaker.name for speaker in speakers)))
    played = [
        Fits(places.of(game.task), tuple(speaker.name for speaker in speakers))
        for game in study.games
    ]
    for game, fits in zip(study.games, played, strict=True):
        stages += game_stages(game, speakers, study.fit, fits.places)
    labels = [_labels(speakers, fits.places) for fits in (own, *played)]
    stages += [_figures(f, given) for f, given in zip((own, *played), labels, strict=True)]
    if speakers:
        stages.append(_findings(own, study, labels[0]))
    made_by = [shown(stage.command) for stage in in_order(stages)]
    given = tuple(file for files in labels for file in files)
    return [*stages, _report((own, *played), study, given, made_by)]


@dataclass(frozen=True)
class Fits:
    """The fits of one task: where they are, and of whom."""

    places: Places
    names: tuple[str, ...]

    @property
    def folders(self) -> list[str]:
        """Their folders."""
        return [str(self.places.fit(name)) for name in self.names]

    @property
    def files(self) -> tuple[Path, ...]:
        """Everything that they hold."""
        return tuple(file for name in self.names for file in self.places.fit_files(name))

    @property
    def stages(self) -> tuple[str, ...]:
        """The stages that make them."""
        return tuple(self.places.stage("fit", name) for name in self.names)


def fitted_names(study: Study) -> list[str]:
    """Names of all fits, people first, in the order of the file."""
    return [*study.human, *(speaker.name for speaker in cast(study))]


def compile_stage(study: Study, places: Places) -> Stage:
    """The stage that makes the trials."""
    trials = study.trials
    command = ["compile", "--out", str(places.trials), "--seed", str(trials.seed)]
    command += ["--scale", trials.scale, "--utterances", trials.utterances]
    command += ["--orders", str(trials.orders)]
    command += _listed("--items", trials.items) + _listed("--goals", trials.goals)
    command += _listed("--framings", trials.framings) + _listed("--task", trials.tasks)
    if trials.limit is not None:
        command += ["--limit", str(trials.limit)]
    return Stage(
        "compile",
        tuple(command),
        reads=(shipped(f"task-data/{study.family}"),),
        writes=(places.trials,),
    )


def _prepare(study: Study, places: Places) -> Iterator[Stage]:
    for name in dict.fromkeys(s.prepare for s in study.speakers if s.prepare):
        folder = places.model(name)
        command = ("models", "prepare", name, "--out", str(folder))
        yield Stage(f"prepare {name}", command, reads=(), writes=(folder,))


def _labels(speakers: Sequence[Cast], places: Places) -> Given:
    """The factors of each speaker, for the stages that group by them; no fit needs them."""
    return tuple(
        (places.labels(speaker.name), json.dumps(speaker.entry.labels, indent=1) + "\n")
        for speaker in speakers
        if speaker.entry.labels
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
    )


def _figures(fits: Fits, labels: Given) -> Stage:
    return Stage(
        fits.places.stage("figures"),
        ("plot", *fits.folders, "--out", str(fits.places.figures), "--skip-missing"),
        reads=fits.files,
        writes=(fits.places.figures,),
        after_all=fits.stages,
        given=labels,
    )


def _report(tasks: tuple[Fits, ...], study: Study, labels: Given, made_by: Sequence[str]) -> Stage:
    folders = [folder for fits in tasks for folder in fits.folders]
    report = tasks[0].places.report
    command = ["report", *folders, "--out", str(report)]
    command += ["--skip-missing", "--title", study.title or study.study]
    for paragraph in filter(None, (study.question, _design(study))):
        command += ["--introduction", paragraph]
    for line in made_by:
        command += ["--made-by", line]
    ended = (name for fits in tasks for name in (*fits.stages, fits.places.stage("figures")))
    return Stage(
        "report",
        tuple(command),
        reads=tuple(file for fits in tasks for file in fits.files),
        writes=(report,),
        after_all=tuple(ended),
        given=labels,
    )


def _design(study: Study) -> str:
    """What was asked, in a sentence for the report; empty where nobody was."""
    if not study.speakers:
        return ""
    trials = study.trials
    parts = [
        f"items: {', '.join(trials.items) or 'all'}",
        f"goals: {', '.join(trials.goals)}",
        f"framing: {', '.join(trials.framings)}",
        f"scale: {trials.scale}",
        f"tasks: {', '.join(trials.tasks)}",
        f"scored options are compared by: {study.choices.scoring}",
    ]
    played = ", ".join(game.task for game in study.games)
    also = f" The same speakers played: {played}." if played else ""
    return f"Asked: {'; '.join(parts)}.{also}"


def _listed(option: str, values: tuple[str, ...]) -> list[str]:
    return [option, ",".join(values)] if values else []
