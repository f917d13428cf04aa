"""Compiled trials, the manifest that says what they are, and their files."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from many_wolves.errors import WolvesError
from many_wolves.files import canonical_json, code_version, write_atomic
from many_wolves.records import LABELS, SCHEMA, Trial

FAMILY = "politeness"


class Compiled(NamedTuple):
    """Trials as they are written, one JSON line each, and what there is to know of them."""

    trials: tuple[Trial, ...]
    lines: str
    manifest: dict[str, Any]


def manifest(trials: Sequence[Trial], lines: str, settings: Mapping[str, Any]) -> dict[str, Any]:
    """What is in a file of trials.

    Parameters
    ----------
    trials, lines
        The trials, and the file's content.
    settings
        What they were made from.

    Returns
    -------
    dict
        Counts by cell of the design, counts of every option by place, the
        fingerprint of the file, versions, and ``settings``.
    """
    cells = Counter(
        canonical_json({"task": t.task} | {k: v for k, v in t.cell.items() if k != "item"})
        for t in trials
    )
    places = Counter((t.task, o.id, LABELS[i]) for t in trials for i, o in enumerate(t.options))
    return {
        "schema": SCHEMA,
        "family": FAMILY,
        "code_version": code_version(),
        **settings,
        "trials": len(trials),
        "fingerprint": hashlib.sha256(lines.encode()).hexdigest()[:16],
        "cells": [json.loads(cell) | {"trials": n} for cell, n in sorted(cells.items())],
        "places": [
            {"task": task, "option": option, "place": place, "trials": n}
            for (task, option, place), n in sorted(places.items())
        ],
    }


def write_compiled(compiled: Compiled, path: Path) -> Path:
    """Write trials, and their manifest beside them; returns the manifest's path.

    Raises
    ------
    WolvesError
        If the place cannot be written.
    """
    beside = path.with_name(path.name.removesuffix(".jsonl") + ".manifest.json")
    words = json.dumps(compiled.manifest, indent=1, ensure_ascii=False) + "\n"
    try:
        write_atomic(path, compiled.lines)
        return write_atomic(beside, words)
    except OSError as fault:
        raise WolvesError(
            f"the trials cannot be written: {fault.strerror}",
            where=path,
            mend="give the path of a file in a folder of yours with --out",
        ) from fault
