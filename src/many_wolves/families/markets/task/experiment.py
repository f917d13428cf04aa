"""The oTree project of the spatial planning experiment, with a copy of the rules in the app."""

from __future__ import annotations

import csv
import json
import shutil
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import many_wolves.families.markets.rules as rules_package
from many_wolves.families.markets.rules.draws import Draws, draw, from_series
from many_wolves.families.markets.rules.parameters import Pair, Rules
from many_wolves.families.markets.task.wording import read_wording
from many_wolves.files import shipped

EXPERIMENT = "experiments/spatial_planning"
APP = "spatial_planning"
VALUES = "task-data/reference/ibex/values.csv"
SIGNALS = "task-data/reference/ibex/signals.csv"

Series = Mapping[int, Mapping[str, list[Pair]]]
"""Round -> ``owner``, ``owner signal``, ... -> a pair for each seat of the role."""


def write_experiment(folder: Path, wording: Path | None = None) -> Path:
    """Write the whole oTree project into a folder, which is made; other files there stay.

    Parameters
    ----------
    folder
        Target folder; the rules, the wording and the lab's draws are copied into the app.
    wording
        Another wording file.

    Raises
    ------
    WolvesError
        If the wording file lacks something.
    """
    texts = read_wording(wording)
    compiled = shutil.ignore_patterns("__pycache__")
    shutil.copytree(
        shipped(EXPERIMENT),
        folder,
        dirs_exist_ok=True,
        ignore=compiled,
    )
    app = folder / APP
    shutil.copytree(
        Path(rules_package.__file__).parent,
        app / "rules",
        dirs_exist_ok=True,
        ignore=compiled,
    )
    (app / "wording.json").write_text(json.dumps(texts, indent=1, ensure_ascii=False) + "\n")
    (app / "lab.json").write_text(json.dumps(lab_series()) + "\n")
    (folder / "_static").mkdir(exist_ok=True)
    return folder


def lab_series() -> dict[int, Series]:
    """Values and signals of the lab's eleven sessions."""
    found: dict[int, dict[int, dict[str, dict[int, list[float]]]]] = defaultdict(
        lambda: defaultdict(lambda: defaultdict(lambda: defaultdict(lambda: [0.0, 0.0])))
    )
    columns = ((VALUES, "value_thousand", "", 1000.0), (SIGNALS, "private_signal", " signal", 1.0))
    for path, column, suffix, unit in columns:
        with shipped(path).open(newline="") as handle:
            for row in csv.DictReader(handle):
                table = found[int(row["session"])][int(row["round"])][row["role"] + suffix]
                table[int(row["number"])][int(row["condition"])] = float(row[column]) * unit
    return {
        session: {
            number: {
                name: [(pairs[n][0], pairs[n][1]) for n in sorted(pairs)]
                for name, pairs in tables.items()
            }
            for number, tables in rounds.items()
        }
        for session, rounds in found.items()
    }


def draws_for(rules: Rules, seed: int, lab_session: int = 0) -> Draws:
    """Draws of a session: by seed, or one of the lab's.

    Raises
    ------
    ValueError
        If the lab has no such session, or it has too few rounds or seats for the rules.
    """
    if not lab_session:
        return draw(rules, seed)
    series = lab_series()
    if lab_session not in series:
        raise ValueError(f"lab_session: expected 1 to {len(series)}, found {lab_session}")
    return from_series(rules, series[lab_session], seed)


def session_config(
    rules: Rules, seed: int, lab_session: int = 0, **settings: Any
) -> dict[str, Any]:
    """Changes of the oTree session's configuration that make it play given rules."""
    return {
        "mechanism": rules.mechanism,
        "rules": json.dumps(rules.to_json()),
        "seed": seed,
        "lab_session": lab_session,
        **settings,
    }
