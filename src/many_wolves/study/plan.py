"""A study into its stages: compile, collect, choices, fit, figures, findings, report."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path

from many_wolves.files import fingerprint, shipped
from many_wolves.study.casting import Cast, cast
from many_wolves.study.places import Places
from many_wolves.study.schema import Study
from many_wolves.study.stages import Stage, in_order, shown

Given = tuple[tuple[Path, str], ...]
"""Files that are written before a stage, with their text."""


def plan(study: Study, places: Places) -> list[Stage]:
    """All stages of a study."""
    speakers = list(cast(study))
    stages = [*_people(study, places)]
    if speakers:
        stages.append(compile_stage(study, places))
    stages += _prepare(study, places)
    for speaker in speakers:
        stages += [
            _collect(speaker, places),
            _choices(speaker, study, places),
            _fit_speaker(speaker, study, places),
        ]
    fitted = [*study.human, *(speaker.name for speaker in speakers)]
    labels = _labels(speakers, places)
    stages.append(_figures(fitted, places, labels))
    if speakers:
        stages.append(_findings(fitted, study, places, labels))
    made_by = [shown(stage.command) for stage in in_order(stages)]
    return [*stages, _report(fitted, study, places, labels, made_by)]


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


def _asked_with(speaker: Cast, places: Places) -> dict[str, str]:
    """Options of `wolves collect` that say who is asked and how."""
    entry, asking = speaker.entry, speaker.asking
    options: dict[str, object] = {
        "--provider": entry.provider,
        "--model_name": entry.model or None,
        "--model_path": places.model(entry.prepare) if entry.prepare else entry.path,
        "--revisions": speaker.revision or None,
        "--effort": speaker.effort or None,
        "--base_url": entry.base_url or None,
        "--mode": asking.mode,
        "--replicates": asking.replicates,
        "--prompt_format": asking.prompt_format,
        "--temperature": asking.temperature,
        "--top_p": asking.top_p,
        "--max_tokens": asking.max_tokens,
        "--seed": asking.seed,
        "--thinking_tokens": asking.thinking_tokens,
        "--dtype": asking.dtype,
    }
    return _said(options)


def _run_with(speaker: Cast) -> dict[str, str]:
    """Options of `wolves collect` that change no answer."""
    asking = speaker.asking
    options: dict[str, object] = {
        "--batch_size": asking.batch_size,
        "--device": asking.device,
        "--threads": asking.threads,
        "--connections": asking.connections,
        "--max-cost": asking.max_cost,
    }
    return _said(options)


def _said(options: dict[str, object]) -> dict[str, str]:
    return {option: str(value) for option, value in options.items() if value is not None}


def journal_of(speaker: Cast, places: Places) -> Path:
    """A journal for each way of asking, so that answers to other settings never mix in."""
    options = _asked_with(speaker, places)
    settings = {o: v for o, v in options.items() if o != "--replicates"}
    return places.journal(speaker.name, fingerprint([settings, speaker.entry.parameters], 8))


def _collect(speaker: Cast, places: Places) -> Stage:
    entry, options = speaker.entry, _asked_with(speaker, places)
    journal = journal_of(speaker, places)
    command = ["collect", str(places.trials), "--out", str(journal)]
    for option, value in (options | _run_with(speaker)).items():
        command += [option, value]
    if speaker.asking.batch:
        command.append("--batch")
    given: list[tuple[Path, str]] = []
    if entry.parameters:
        file = places.parameters(speaker.name)
        command += ["--parameters", str(file)]
        given.append((file, json.dumps(entry.parameters, indent=1) + "\n"))
    prepared = places.model(entry.prepare) if entry.prepare else speaker.folder
    weights = [prepared] if prepared else []
    return Stage(
        f"collect {speaker.name}",
        tuple(command),
        reads=(places.trials, *weights),
        writes=(journal,),
        after=("compile", *([f"prepare {entry.prepare}"] if entry.prepare else [])),
        given=tuple(given),
    )


def _choices(speaker: Cast, study: Study, places: Places) -> Stage:
    journal, table = journal_of(speaker, places), places.choices(speaker.name)
    command = ["choices", str(journal), "--trials", str(places.trials)]
    command += ["--scoring", study.choices.scoring, "--out", str(table)]
    return Stage(
        f"choices {speaker.name}",
        tuple(command),
        reads=(journal, places.trials),
        writes=(table,),
        after=(f"collect {speaker.name}",),
    )


def _fit_options(study: Study) -> list[str]:
    fit = study.fit
    options = ["--literal", fit.literal, "--utilities", ",".join(fit.utilities)]
    options += ["--chains", str(fit.chains), "--warmup", str(fit.warmup)]
    options += ["--draws", str(fit.draws), "--seed", str(fit.seed), "--allow-unconverged"]
    for field in ("cost_form", "weights_form", "adapt_delta", "engine"):
        if field in fit.model_fields_set:
            options += [f"--{field.replace('_', '-')}", str(getattr(fit, field))]
    return options


def _people(study: Study, places: Places) -> Iterator[Stage]:
    for name in study.human:
        out = places.fit(name)
        yield Stage(
            f"fit {name}",
            ("fit", "--human", name, *_fit_options(study), "--out", str(out)),
            reads=(shipped("task-data/human"), shipped("rsa-model/stan_model")),
            writes=places.fit_files(name),
            beside=True,
        )


def _fit_speaker(speaker: Cast, study: Study, places: Places) -> Stage:
    table, out = places.choices(speaker.name), places.fit(speaker.name)
    # People are fitted first, so that the program is compiled once.
    people = tuple(f"fit {name}" for name in study.human)
    # The places of the published human trials are not known.
    bias = ["--position-bias"] if study.fit.position_bias else []
    return Stage(
        f"fit {speaker.name}",
        ("fit", str(table), *_fit_options(study), *bias, "--out", str(out)),
        reads=(table, shipped("rsa-model/stan_model")),
        writes=places.fit_files(speaker.name),
        after=(f"choices {speaker.name}", *people),
    )


def _labels(speakers: Sequence[Cast], places: Places) -> Given:
    """The factors of each speaker, for the stages that group by them; no fit needs them."""
    return tuple(
        (places.labels(speaker.name), json.dumps(speaker.entry.labels, indent=1) + "\n")
        for speaker in speakers
        if speaker.entry.labels
    )


def _findings(fitted: list[str], study: Study, places: Places, labels: Given) -> Stage:
    command = ["findings", *(str(places.fit(name)) for name in fitted)]
    command += ["--out", str(places.findings), "--title", f"Findings: {study.title or study.study}"]
    return Stage(
        "findings",
        (*command, "--skip-missing", "--skip-unconverged"),
        reads=_files_of(fitted, places),
        writes=(places.findings,),
        after_all=tuple(f"fit {name}" for name in fitted),
        given=labels,
    )


def _figures(fitted: list[str], places: Places, labels: Given) -> Stage:
    fits = [places.fit(name) for name in fitted]
    return Stage(
        "figures",
        ("plot", *map(str, fits), "--out", str(places.figures), "--skip-missing"),
        reads=_files_of(fitted, places),
        writes=(places.figures,),
        after_all=tuple(f"fit {name}" for name in fitted),
        given=labels,
    )


def _report(
    fitted: list[str], study: Study, places: Places, labels: Given, made_by: Sequence[str]
) -> Stage:
    fits = [places.fit(name) for name in fitted]
    command = ["report", *map(str, fits), "--out", str(places.report)]
    command += ["--skip-missing", "--title", study.title or study.study]
    for paragraph in filter(None, (study.question, _design(study))):
        command += ["--introduction", paragraph]
    for line in made_by:
        command += ["--made-by", line]
    return Stage(
        "report",
        tuple(command),
        reads=_files_of(fitted, places),
        writes=(places.report,),
        after_all=(*(f"fit {name}" for name in fitted), "figures"),
        given=labels,
    )


def _files_of(fitted: list[str], places: Places) -> tuple[Path, ...]:
    return tuple(file for name in fitted for file in places.fit_files(name))


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
    return f"Asked: {'; '.join(parts)}."


def _listed(option: str, values: tuple[str, ...]) -> list[str]:
    return [option, ",".join(values)] if values else []
