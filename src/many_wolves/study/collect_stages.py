"""The stages that ask one speaker of a study and read its answers."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from many_wolves.files import fingerprint
from many_wolves.speakers.config import SpeakerConfig
from many_wolves.study.paths import StudyPaths
from many_wolves.study.speakers import Cast
from many_wolves.study.stages import Stage


def journal_of(speaker: Cast, places: StudyPaths) -> Path:
    """A journal for each way of asking, so that answers to other settings never mix in."""
    settings = {o: v for o, v in _asked_with(speaker, places).items() if o != "--replicates"}
    return places.journal(speaker.name, fingerprint([settings, speaker.parameters], 8))


def collect_stage(speaker: Cast, places: StudyPaths) -> Stage:
    """The stage that asks a speaker every trial."""
    entry = speaker.entry
    journal = journal_of(speaker, places)
    command = ["collect", str(places.trials), "--out", str(journal)]
    for option, value in (_asked_with(speaker, places) | _run_with(speaker)).items():
        command += [option, value]
    if speaker.asking.get("batch"):
        command.append("--batch")
    given: list[tuple[Path, str]] = []
    if speaker.parameters:
        file = places.parameters(speaker.name)
        command += ["--parameters", str(file)]
        given.append((file, _json(speaker.parameters)))
    prepared = places.model(entry.prepare) if entry.prepare else speaker.folder
    weights = [prepared] if prepared else []
    return Stage(
        places.stage("collect", speaker.name),
        tuple(command),
        reads=(places.trials, *weights),
        writes=(journal,),
        after=(places.stage("compile"), *([f"prepare {entry.prepare}"] if entry.prepare else [])),
        given=tuple(given),
    )


def choices_stage(speaker: Cast, places: StudyPaths, options: tuple[str, ...]) -> Stage:
    """The stage that reads a speaker's answers into a table."""
    journal, table = journal_of(speaker, places), places.choices(speaker.name)
    command = ("choices", str(journal), "--trials", str(places.trials))
    return Stage(
        places.stage("choices", speaker.name),
        (*command, *options, "--out", str(table)),
        reads=(journal, places.trials),
        writes=(table,),
        after=(places.stage("collect", speaker.name),),
    )


def _asked_with(speaker: Cast, places: StudyPaths) -> dict[str, str]:
    """Options of `wolves collect` that say who is asked and how."""
    entry = speaker.entry
    who: dict[str, object] = {
        "--provider": entry.provider,
        "--model_name": entry.model or None,
        "--model_path": places.model(entry.prepare) if entry.prepare else entry.path,
        "--revisions": speaker.revision or None,
        "--effort": speaker.effort or None,
        "--base_url": entry.base_url or None,
    }
    how = {f"--{k}": v for k, v in speaker.asking.items() if k not in SpeakerConfig.RUN}
    return _words(who | how)


def _run_with(speaker: Cast) -> dict[str, str]:
    """Options of `wolves collect` that change no answer."""
    run = {k: v for k, v in speaker.asking.items() if k in SpeakerConfig.RUN and k != "batch"}
    return _words({f"--{name.replace('_', '-')}": value for name, value in run.items()})


def _words(options: Mapping[str, object]) -> dict[str, str]:
    return {option: str(value) for option, value in options.items() if value is not None}


def _json(parameters: Mapping[str, Any]) -> str:
    return json.dumps(parameters, indent=1) + "\n"
