"""Makes trials from designs, with a manifest that describes the file."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from many_wolves import families
from many_wolves.contracts import Compiled, Design, EpisodicFamily, TaskFamily, WorldFamily
from many_wolves.errors import WolvesError
from many_wolves.files import canonical_json, code_version, is_special, write_atomic
from many_wolves.progress import log
from many_wolves.records import LABELS, SCHEMA, SpeakerSpec, Trial
from many_wolves.replacement import is_trial, refuse_other
from many_wolves.sources import nearest
from many_wolves.worlds import Episode


@dataclass(frozen=True)
class Request:
    """The content of one file of trials: tasks of one family, each with its design."""

    family: str
    designs: Mapping[str, Design]

    def files(self) -> tuple[Path, ...]:
        """Files and folders that are read."""
        return tuple(dict.fromkeys(f for d in self.designs.values() for f in d.files()))


def request(
    names: Sequence[str], given: Mapping[str, Any], shown: Callable[[str], str] = str
) -> Request:
    """The tasks that the names refer to, with the values of their designs.

    Parameters
    ----------
    names
        Tasks, parts of a task, or a family for all its tasks.
    given
        Values of the designs' fields by name; a field that a task lacks is an error.
    shown
        The name of a field as the user writes it, such as ``--limit`` on the command line.

    Raises
    ------
    WolvesError
        If a name or a value is unknown, or the tasks are of several families.
    """
    parts = [part for name in names for part in families.parts(name)]
    of = list(dict.fromkeys(part.family for part in parts))
    if len(of) != 1:
        raise WolvesError(
            f"expected tasks of one family, found those of {', '.join(of) or 'none'}",
            fix="compile each family into a separate file",
        )
    family = families.get(of[0])
    designs = {}
    for task in dict.fromkeys(part.task for part in parts):
        kind = family.design(task)
        values = _merged([part.values for part in parts if part.task == task])
        for name in given:
            if name not in kind.model_fields:
                known = ["task", "out", *(f for f in kind.model_fields if f != "tasks")]
                raise WolvesError(
                    f"the task {task!r} has no option {shown(name)}",
                    fix=f"leave it out; {nearest(shown(name), [shown(each) for each in known])}",
                )
        designs[task] = kind.read({**values, **given}, of=f"the task {task!r}")
    return Request(of[0], designs)


def _merged(values: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The values of several parts of a task, with their lists concatenated."""
    if not all(values):
        return {}
    found: dict[str, Any] = {}
    for part in values:
        for name, value in part.items():
            found[name] = tuple(dict.fromkeys((*found.get(name, ()), *value)))
    return found


def compiled(wanted: Request) -> list[Compiled]:
    """The compiled tasks of a request, in order; their trials are generated lazily.

    Raises
    ------
    WolvesError
        If sources or designs are invalid.
    """
    family = families.get(wanted.family)
    return [family.compile(task, design) for task, design in wanted.designs.items()]


@dataclass
class _Counts:
    """The counts of a manifest, accumulated while the trials are written."""

    factors: tuple[str, ...]
    cells: Counter[str] = field(default_factory=Counter)
    places: Counter[tuple[str, str, str]] = field(default_factory=Counter)

    def add(self, trial: Trial) -> None:
        chosen = self.factors or tuple(trial.cell)
        cell = {name: trial.cell[name] for name in chosen if name in trial.cell}
        self.cells[canonical_json({"task": trial.task} | cell)] += 1
        if not trial.script:
            for place, option in zip(LABELS, trial.options, strict=False):
                self.places[trial.task, option.id, place] += 1


def write_trials(wanted: Request, out: Path, told: set[str] | None = None) -> dict[str, Any]:
    """Write the trials of a request, one JSON line each, and their manifest.

    Equal requests with equal sources give identical bytes. If the sources contain an error,
    nothing is written.

    Parameters
    ----------
    told
        Notes on a design that were logged before; they are not repeated, and new ones are added.

    Returns
    -------
    dict
        The manifest: counts by cell of the design, counts of every option by position, the
        fingerprint of the file, versions, and facts of the family.

    Raises
    ------
    WolvesError
        If sources or designs are invalid, no trial remains, or a file cannot be written. If
        ``out`` holds something else than trials, such as answers.
    """
    refuse_other(out, is_trial, "trials")
    found = compiled(wanted)
    told = set() if told is None else told
    for note in dict.fromkeys(note for one in found for note in one.notes if note not in told):
        log.info("Note: %s", note)
        told.add(note)
    digest = hashlib.sha256()
    counts = [_Counts(one.factors) for one in found]

    def lines() -> Iterator[bytes]:
        for one, count in zip(found, counts, strict=True):
            for trial in one.trials:
                line = canonical_json(trial.to_json()).encode() + b"\n"
                digest.update(line)
                count.add(trial)
                yield line
        if not sum(count.cells.total() for count in counts):
            raise WolvesError(
                "no trial remains in this design", fix="restrict fewer of its factors"
            )

    try:
        write_atomic(out, lines())
        manifest = _manifest(wanted, found, counts, digest.hexdigest()[:16])
        words = json.dumps(manifest, indent=1, ensure_ascii=False) + "\n"
        if not is_special(out):
            write_atomic(manifest_of(out), words)
    except OSError as fault:
        raise WolvesError(
            f"the trials cannot be written: {fault.strerror}",
            where=out,
            fix="give the path of a file that you can write with --out",
        ) from fault
    return manifest


def manifest_of(trials: Path) -> Path:
    """Path of the manifest of a file of trials."""
    return trials.with_name(trials.name.removesuffix(".jsonl") + ".manifest.json")


def trials_of(wanted: Request) -> Iterator[Trial]:
    """The trials of a request, one at a time."""
    return (trial for one in compiled(wanted) for trial in one.trials)


def _manifest(
    wanted: Request, found: Sequence[Compiled], counts: Sequence[_Counts], print_: str
) -> dict[str, Any]:
    cells = sum((count.cells for count in counts), Counter[str]())
    places = sum((count.places for count in counts), Counter[tuple[str, str, str]]())
    return {
        "schema": SCHEMA,
        "family": wanted.family,
        "tasks": list(wanted.designs),
        "code_version": code_version(),
        **_together([one.facts for one in found]),
        "trials": cells.total(),
        "fingerprint": print_,
        "cells": [json.loads(cell) | {"trials": n} for cell, n in sorted(cells.items())],
        "places": [
            {"task": task, "option": option, "place": place, "trials": n}
            for (task, option, place), n in sorted(places.items())
        ],
    }


def _together(facts: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """The facts of several tasks: mappings are merged; for other values, the first task wins."""
    found: dict[str, Any] = {}
    for one in facts:
        for name, value in one.items():
            before = found.setdefault(name, value)
            if isinstance(before, Mapping) and isinstance(value, Mapping):
                found[name] = {**before, **value}
    return found


def prompts(wanted: Request, n: int) -> Iterator[Trial]:
    """The first trials of each task as a speaker receives them; for an episode, its first turns.

    Parameters
    ----------
    wanted
        The request.
    n
        Number of trials of each task and of each of its parts.

    Raises
    ------
    WolvesError
        If the questions of a task exist only on a server.
    """
    family = families.get(wanted.family)
    for one, (task, design) in zip(compiled(wanted), wanted.designs.items(), strict=True):
        shown = Counter(dict.fromkeys(type(design).parts or (task,), 0))
        for trial in one.trials:
            if shown[trial.task] < n:
                shown[trial.task] += 1
                yield from _as_asked(family, trial)
            elif min(shown.values()) >= n:
                # A game has tens of thousands of openings.
                break


def _as_asked(family: TaskFamily, trial: Trial) -> Iterator[Trial]:
    """The trial itself, or the first turns of the episode that it opens."""
    if isinstance(family, EpisodicFamily):
        seats = dict.fromkeys(family.extent(trial).seats, _ANYONE)
        yield from (turn.trial for turn in family.turns(Episode(trial, 0, seats), ()))
    elif isinstance(family, WorldFamily):
        raise WolvesError(
            f"the questions of the task {trial.task!r} depend on earlier moves",
            fix="play it with scripts: `wolves collect FILE --provider simulated`, and read the "
            "journal",
        )
    else:
        yield trial


_ANYONE = SpeakerSpec(provider="simulated", model="anyone", mode="sample")
"""Placeholder for the speakers of an episode that is only shown."""
