"""Language models play the best rules that a search has found."""

from __future__ import annotations

import importlib
import json
import sys
from collections.abc import Mapping, Sequence
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

import click
import pandas as pd

from many_wolves.contracts import RuleSearchFamily
from many_wolves.errors import WolvesError
from many_wolves.files import write_atomic
from many_wolves.progress import log
from many_wolves.workflows.seating import read_parameters

INTERRUPTED = 130
TASK = "planning"


def play_models(
    family: RuleSearchFamily, found: Mapping[str, Any], folder: Path, max_cost: float | None
) -> pd.DataFrame:
    """Play each of the best rules with language models on some seats.

    Each of the rules may cost an equal share of ``max_cost``. Sessions that were played in an
    earlier run are not played again.

    Parameters
    ----------
    family
        The family of the experiment.
    found
        What its search returned.
    folder
        Folder of the search; answers go to ``models`` in it.
    max_cost
        Most US dollars, or None.

    Returns
    -------
    pandas.DataFrame
        ``rules``, ``mechanism``, ``sessions`` (how many have ended), objectives with intervals.
    """
    rules: Mapping[str, tuple[str, Path]] = found["rules"]
    share = None if max_cost is None else max_cost / len(rules)
    rows = []
    for name, (mechanism, file) in rules.items():
        log.info("language models play the rules %s", name)
        place = folder / "models" / file.stem
        payoffs = _played(found, mechanism, file, place, share)
        row: dict[str, Any] = {"rules": name, "mechanism": mechanism}
        row["sessions"] = 0 if payoffs is None else payoffs["session"].nunique()
        if payoffs is not None:
            row |= family.played_estimates(payoffs)
        rows.append(row)
    table = pd.DataFrame(rows)
    write_atomic(folder / "models.csv", table.to_csv(index=False))
    return table


def _played(
    found: Mapping[str, Any], mechanism: str, rules: Path, place: Path, max_cost: float | None
) -> pd.DataFrame | None:
    """The payoffs of sessions under some rules; None where no session has ended."""
    place.mkdir(parents=True, exist_ok=True)
    trials, tables = place / "trials.jsonl", place / "tables"
    sessions = ["--draws", "random", "--sessions", found["model_sessions"], "--paid-rounds", 1]
    sessions += ["--no-practice", "--seed", found["seed"]]
    _run("compile", "--task", TASK, "--mechanism", mechanism, "--rules", rules, *sessions,
         "--out", trials)  # fmt: skip
    first, *others = found["models"].items()
    words = [trials, *_speaker(Path(first[1]), place)]
    for role, file in (*others, *_simulated(found, place)):
        words += ["--seat", f"{role}={file}"]
    cost = [] if max_cost is None else ["--max-cost", max_cost]
    status = _run("collect", *words, *cost, "--out", place, allowed=(0, 1))
    if status:
        log.warning("not every session under %s has ended; run the same command again", rules)
    _run("choices", place / "markets", "--out", tables, allowed=(0, 4))
    table = tables / "payoffs.csv"
    return pd.read_csv(table) if table.is_file() else None


def _speaker(file: Path, place: Path) -> list[Any]:
    """The file of a speaker as options of ``wolves collect``."""
    words: list[Any] = []
    for name, value in read_parameters(file).items():
        given = value
        if name == "parameters" and isinstance(value, dict):
            given = write_atomic(place / "parameters.json", json.dumps(value))
        elif name == "parameters":
            given = file.parent / value
        words += [f"--{name}", given]
    return words


def _simulated(found: Mapping[str, Any], place: Path) -> list[tuple[str, Path]]:
    """A file for each role whose seats the cast of the search keeps."""
    files = []
    for role, parameters in found["cast"].items():
        if role in found["models"]:
            continue
        name = str(parameters.get("strategy", "simulated"))
        speaker = {"model_type": "simulated", "model_name": name, "parameters": parameters}
        files.append((role, write_atomic(place / f"{role}.json", json.dumps(speaker))))
    return files


def _run(command: str, *words: Any, allowed: Sequence[int] = (0,)) -> int:
    """A command of ours in this process."""
    module = importlib.import_module(f"many_wolves.commands.{command}")
    # What it prints would stand in the middle of our own result.
    with redirect_stdout(sys.stderr):
        try:
            found = module.command.main([str(word) for word in words], standalone_mode=False)
        except click.Abort as stopped:
            raise KeyboardInterrupt from stopped
    status = int(found or 0)
    if status == INTERRUPTED:
        raise KeyboardInterrupt
    if status not in allowed:
        raise WolvesError(
            f"`wolves {command}` ended with status {status}",
            fix="correct what the messages above name, and run the same command again",
        )
    return status
