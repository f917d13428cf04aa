"""The design -> openings of episodes, every cell or a seeded sample, and their manifest."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from many_wolves.errors import WolvesError
from many_wolves.families.dilemmas.design import GAMES, Design, read_design
from many_wolves.families.dilemmas.games import game_of
from many_wolves.files import canonical_json, code_version, write_atomic
from many_wolves.records import SCHEMA, Trial
from many_wolves.sources import nearest

_FACTORS = ("group", "partner", "length", "starts", "principal")
"""What the manifest counts by, where a game has it."""


@dataclass(frozen=True)
class Selection:
    """What is compiled.

    Parameters
    ----------
    games, groups, partners
        Parts of the design; all when empty.
    sample
        At most so many cells of each game; every cell when None.
    seed
        Decides which cells those are, how long games of geometric length last, and what
        partners draw.
    sources, templates
        Folder of the design, and the wording if it is another file.
    """

    games: Sequence[str] = ()
    groups: Sequence[str] = ()
    partners: Sequence[str] = ()
    sample: int | None = None
    seed: int = 1
    sources: Path | None = None
    templates: Path | None = None


def openings(selection: Selection, design: Design | None = None) -> Iterator[Trial]:
    """The openings, game by game, one at a time.

    Raises
    ------
    WolvesError
        If the design or the selection is at fault.
    """
    read = design or read_design(selection.sources, selection.templates, selection.groups)
    for name in _games(selection, read):
        game = game_of(name)
        cells = game.factors(read, selection.partners, selection.seed)
        for cell in cells.cells(selection.sample, selection.seed):
            yield game.opening(read, cell, selection.seed)


def _games(selection: Selection, design: Design) -> list[str]:
    for name in selection.games:
        if name not in GAMES:
            raise WolvesError(f"unknown game {name!r}", mend=nearest(name, GAMES))
    known = {
        partner
        for name in GAMES
        if name in design.games and "partners" in design.games[name].entries()
        for partner in design.games[name].entries()["partners"].entries()
    }
    for partner in selection.partners:
        if partner not in known:
            raise WolvesError(f"unknown partner {partner!r}", mend=nearest(partner, known))
    return [n for n in GAMES if n in design.games and (not selection.games or n in selection.games)]


def compile_games(selection: Selection, out: Path) -> dict[str, Any]:
    """Write the openings, and their manifest beside them.

    Returns
    -------
    dict
        The manifest: counts by game and cell, fingerprints, settings, versions.

    Raises
    ------
    WolvesError
        If the design or the selection is at fault, or a file cannot be written; nothing is
        written then.
    """
    design = read_design(selection.sources, selection.templates, selection.groups)
    digest, counted = hashlib.sha256(), Counter[str]()

    def lines() -> Iterator[bytes]:
        for trial in openings(selection, design):
            line = canonical_json(trial.to_json()).encode() + b"\n"
            digest.update(line)
            cell = {name: trial.cell[name] for name in _FACTORS if name in trial.cell}
            counted[canonical_json({"task": trial.task} | cell)] += 1
            yield line
        if not counted:
            raise WolvesError(
                "the selection leaves no game", mend="leave --partners or --groups out"
            )

    beside = out.with_name(out.name.removesuffix(".jsonl") + ".manifest.json")
    try:
        write_atomic(out, lines())
        manifest = {
            "schema": SCHEMA,
            "family": "dilemmas",
            "code_version": code_version(),
            "seed": selection.seed,
            "sample": selection.sample,
            "partners": list(selection.partners),
            "groups": list(selection.groups),
            "sources": dict(design.fingerprints),
            "asked_with": dict(design.asked_with),
            "trials": counted.total(),
            "fingerprint": digest.hexdigest()[:16],
            "cells": [json.loads(cell) | {"trials": n} for cell, n in sorted(counted.items())],
        }
        write_atomic(beside, json.dumps(manifest, indent=1, ensure_ascii=False) + "\n")
    except OSError as fault:
        raise WolvesError(
            f"the games cannot be written: {fault.strerror}",
            where=out,
            mend="give the path of a file in a folder of yours with --out",
        ) from fault
    return manifest
