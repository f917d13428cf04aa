"""Lets language models play the best rules of a search."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd

from many_wolves.errors import WolvesError
from many_wolves.experiments import RuleSearchFamily
from many_wolves.files import write_atomic
from many_wolves.progress import log
from many_wolves.speakers.speaker_request import SpeakerRequest
from many_wolves.tables import write_table
from many_wolves.workflows.choices import Selection, tabulated
from many_wolves.workflows.collect import Answers, Collection, Table
from many_wolves.workflows.compile import request, write_trials
from many_wolves.workflows.seats import speaker_of_file

TASK = "planning"


def play_models(
    family: RuleSearchFamily, found: Mapping[str, Any], folder: Path, max_cost: float | None
) -> pd.DataFrame:
    """Play each of the best rules with language models in some seats.

    Each speaker may cost an equal share of ``max_cost`` under each set of rules. Sessions of an
    earlier run are not played again.

    Parameters
    ----------
    family
        The family of the experiment.
    found
        The result of its search.
    folder
        Folder of the search; answers go to ``models`` in it.
    max_cost
        Maximum cost in US dollars, or None.

    Returns
    -------
    pandas.DataFrame
        ``rules``, ``mechanism``, ``sessions`` (how many have ended), objectives with intervals.

    Raises
    ------
    WolvesError
        If a speaker cannot be loaded.
    KeyboardInterrupt
        If the user interrupts the play; answers are kept.
    """
    rules: Mapping[str, tuple[str, Path]] = found["rules"]
    speakers = set(found["models"].values())
    share = None if max_cost is None else max_cost / (len(rules) * len(speakers))
    rows, told = [], set[str]()
    for name, (mechanism, file) in rules.items():
        log.info("language models play the rules %s", name)
        place = folder / "models" / file.stem
        payoffs = _played(found, mechanism, file, place, share, told)
        row: dict[str, Any] = {"rules": name, "mechanism": mechanism}
        row["sessions"] = 0 if payoffs is None else payoffs["session"].nunique()
        if payoffs is not None:
            row |= family.played_estimates(payoffs)
        rows.append(row)
    table = pd.DataFrame(rows)
    write_atomic(folder / "models.csv", table.to_csv(index=False))
    return table


def _played(
    found: Mapping[str, Any],
    mechanism: str,
    rules: Path,
    place: Path,
    max_cost: float | None,
    told: set[str],
) -> pd.DataFrame | None:
    """The payoffs of sessions under some rules; None if no session has ended.

    ``told`` holds the notes on designs that were logged before.
    """
    place.mkdir(parents=True, exist_ok=True)
    trials, tables = place / "trials.jsonl", place / "tables"
    design = {
        "mechanism": mechanism,
        "rules": rules,
        "draws": "random",
        "sessions": found["model_sessions"],
        "paid_rounds": 1,
        "practice": False,
        "seed": found["seed"],
    }
    write_trials(request([TASK], design), trials, told)
    first, *others = (
        (role, replace(speaker_of_file(Path(file)), max_cost=max_cost))
        for role, file in found["models"].items()
    )
    collection = Collection(trials, place, table=Table({**_simulated(found), **dict(others)}))
    questions = collection.of(first[1])
    done = questions.ask(log.info)
    if done.halted and not done.why:
        raise KeyboardInterrupt
    answers = Answers.of(done, questions)
    if not answers.complete:
        log.warning("%s: %s; run the same command again to resume", rules, answers.remark)
    try:
        write_table(tabulated([place / collection.family.name], Selection()), tables)
    except WolvesError as fault:
        log.warning("%s", fault)
    table = tables / "payoffs.csv"
    return pd.read_csv(table) if table.is_file() else None


def _simulated(found: Mapping[str, Any]) -> dict[str, SpeakerRequest]:
    """A speaker for each role that the search leaves to simulated players."""
    return {
        role: SpeakerRequest(
            "simulated",
            str(parameters.get("strategy", "simulated")),
            parameters=parameters,
        )
        for role, parameters in found["cast"].items()
        if role not in found["models"]
    }
