"""The stages that fit the answers of people and speakers."""

from __future__ import annotations

import inspect
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from many_wolves import families
from many_wolves.contracts import FiledModel
from many_wolves.flags import flag
from many_wolves.study.paths import StudyPaths
from many_wolves.study.schema import Study
from many_wolves.study.speakers import Cast
from many_wolves.study.stages import Stage
from many_wolves.study.task_schema import Fit, Task


def fit_people(study: Study, places: StudyPaths) -> Iterator[Stage]:
    """The fits of shipped data.

    The first fit of each task compiles its program; the others wait for it. All may run in the
    background.
    """
    known = families.references()
    first: dict[str, str] = {}
    of_tasks = {task.task: task for task in study.plan}
    for one in study.shipped:
        name, reference = one.name, known[one.data][1]
        task = of_tasks.get(reference.task) or Task.model_validate({"task": reference.task})
        options = {k: v for k, v in task.fit.options.items() if k not in reference.lacks}
        words = _words(options) + sampling(study.fit if task.task not in of_tasks else task.fit)
        out = places.fit(name)
        which = ("--speaker", one.speaker) if one.speaker else ()
        yield Stage(
            f"fit {name}",
            ("fit", "--data", one.data, *which, *words, "--out", str(out), *page(study)),
            reads=(*reference.files(), *program_files(task)),
            writes=places.fit_files(name),
            after=(first[reference.task],) if reference.task in first else (),
            beside=True,
        )
        first.setdefault(reference.task, f"fit {name}")


def fit_speaker(
    speaker: Cast, task: Task, places: StudyPaths, after: tuple[str, ...], page: Sequence[str] = ()
) -> Stage:
    """The fit of one speaker in one task.

    ``after`` lists further stages that must come before it, so that a program that people
    share is compiled only once. ``page`` contains the options of the fit's report.
    """
    table, out = places.choices(speaker.name), places.fit(speaker.name)
    named = {"model": task.model or task.fit.model, "variant": task.fit.variant}
    words = _words({k: v for k, v in named.items() if v}) + _words(task.fit.options)
    which = ["--task", task.task] if places.task else []
    which += ["--speaker", speaker.spoken_name] if task.cast else []
    return Stage(
        places.stage("fit", speaker.name),
        ("fit", str(table), *which, *words, *sampling(task.fit), "--out", str(out), *page),
        reads=(table, *program_files(task)),
        writes=places.fit_files(speaker.name),
        after=(places.stage("choices", speaker.name), *after),
        beside=True,
    )


def page(study: Study) -> tuple[str, ...]:
    """Options of `wolves fit` for the report on a single fit."""
    return () if study.report.pages else ("--no-report",)


def sampling(fit: Fit) -> list[str]:
    """Options of `wolves fit` that every cognitive model supports."""
    shown = fit.sampling.model_dump(include={"chains", "warmup", "draws", "seed"})
    told = {k: v for k, v in fit.given.items() if k in ("adapt_delta", "engine")}
    return [*_words(shown), "--allow-unconverged", *_words(told)]


def program_files(task: Task) -> tuple[Path, ...]:
    """Files of the cognitive model's program, and of the defaults of its options.

    Fits are repeated when these change.
    """
    model = task.cognitive_model
    defaults = Path(inspect.getfile(model.options))
    return (*(model.files() if isinstance(model, FiledModel) else ()), defaults)


def _words(options: Mapping[str, Any]) -> list[str]:
    """Options as command-line arguments."""
    words: list[str] = []
    for name, value in options.items():
        option = flag(name)
        if isinstance(value, bool):
            words.append(option if value else flag(f"no_{name}"))
        elif isinstance(value, list | tuple):
            words += [option, ",".join(map(str, value))]
        elif isinstance(value, dict):
            words += [option, json.dumps(value)]
        else:
            words += [option, str(value)]
    return words
