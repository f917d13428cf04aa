"""Measuring: the road of every study, by its own commands; resumed when killed."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from pathlib import Path

import pandas as pd
from feedback import VIGNETTES, people, rater
from settings import GOAL, RATER, RUNS, Settings

from many_wolves.families.politeness.reading.human import human_table
from many_wolves.files import write_atomic
from many_wolves.observations import Observations
from many_wolves.tables import read_table, write_table

MEANINGS = "literal meanings: the judgments of people, not of the model"


def wolves(*words: str | Path | int) -> None:
    """Run a command of the package, shown as it could be typed."""
    shown = " ".join(str(word) for word in words)
    print(f"  $ wolves {shown}", file=sys.stderr, flush=True)
    line = [sys.executable, "-m", "many_wolves", *map(str, words)]
    command(line, f"`wolves {words[0]}`")


def command(line: Sequence[str | Path], name: str) -> None:
    """Run a command in a process of its own, on one thread unless it sets others."""
    one = {"OMP_NUM_THREADS": "1", "OMP_WAIT_POLICY": "PASSIVE"}
    done = subprocess.run(list(map(str, line)), env={**os.environ, **one}, check=False)
    if done.returncode:
        raise SystemExit(f"{name} ended with {done.returncode}; run the same again to go on")


def at_once(jobs: Sequence[Callable[[], None]], workers: int) -> None:
    """Run jobs, up to ``workers`` at once; all of them end before a fault is raised."""
    with ThreadPoolExecutor(workers) as pool:
        futures = [pool.submit(job) for job in jobs]
    for future in futures:
        future.result()


def compile_tasks(settings: Settings, build: Path) -> None:
    """Trials with the items that no feedback was about."""
    common = (
        *("compile", "--items", ",".join(settings.held_out), "--goals", GOAL),
        *("--sources", VIGNETTES, "--seed", settings.seed),
    )
    wolves(*common, "--task", "choice", "--orders", settings.orders, "--out", build / CHOICE)
    wolves(*common, "--task", "literal", "--limit", settings.judged, "--out", build / LITERAL)


CHOICE, LITERAL = "choice.jsonl", "literal.jsonl"


def collect(settings: Settings, build: Path, workers: int) -> None:
    """Ask every checkpoint for its choices, and the ends of the runs for literal judgments.

    Up to ``workers`` stages are asked at once, each on one thread.
    """
    stages = {
        "sft": ("checkpoint-0", f"checkpoint-{settings.supervised.steps}"),
        **dict.fromkeys(RUNS, (f"checkpoint-{settings.preference.steps}",)),
    }

    def ask(stage: str, ends: Sequence[str]) -> None:
        speaker: Sequence[str | Path | int] = (
            *("--provider", "hf", "--mode", "score", "--dtype", "float32", "--device", "cpu"),
            *("--threads", 1, "--model_name", f"smollm2-{stage}"),
            *("--model_path", build / stage, "--out", build / "journals"),
        )
        wolves("collect", build / CHOICE, *speaker, "--revisions", "checkpoint-*")
        wolves("collect", build / LITERAL, *speaker, "--revisions", ",".join(ends))

    at_once([partial(ask, stage, ends) for stage, ends in stages.items()], workers)


def tabulate(settings: Settings, build: Path) -> Path:
    """The choice table, with the literal judgments of people in place of the model's.

    Feedback on choices teaches no judgments, and a model of this size has none of its
    own to speak of (``literal.csv`` keeps what it said). So all checkpoints are fitted with
    the same meanings, those of people: what drifts is then how the model chooses among words
    that mean the same throughout.
    """
    own = build / "tables" / "own" / "choices.own"
    wolves("choices", build / "journals" / "politeness", "--out", own)
    table = read_table(own)
    write_table(raters(settings), build / "tables" / "raters" / "choices")
    return write_table(with_human_meanings(table), build / "tables" / "measured" / "choices")


def with_human_meanings(table: Observations) -> Observations:
    """The table with every speaker's literal judgments replaced by those of people."""
    human = human_table().tables["literal"]
    literal = [human.assign(speaker=speaker) for speaker in table.speakers]
    tables = {**table.tables, "literal": pd.concat(literal, ignore_index=True)}
    return replace(table, tables=tables, meta={**table.meta, "literal": MEANINGS})


def raters(settings: Settings) -> Observations:
    """What the raters, and the people whose answers are taught, say themselves.

    As many choices as one checkpoint makes: what the same fit finds in them is where
    training leads if it leads all the way.
    """
    speakers = {name: rater(settings, name) for name in RUNS} | {"people": people()}
    each = len(settings.held_out) * settings.orders
    rows = [
        (RATER + name, GOAL, "third", state, utterance, share * each)
        for name, chances in speakers.items()
        for state, shares in chances.items()
        for utterance, share in shares.items()
    ]
    columns = ["speaker", "goal", "framing", "state", "utterance", "count"]
    table = Observations.from_rows(family="politeness", rows=pd.DataFrame(rows, columns=columns))
    return with_human_meanings(table)


def fit(settings: Settings, build: Path, workers: int) -> None:
    """Fit every checkpoint, and the raters."""
    wolves(
        *("fit-all", "--tables", build / "tables", "--out", build / "fits", "--no-human"),
        *("--literal", "fixed", "--chains", settings.chains, "--warmup", settings.draws),
        *("--draws", settings.draws, "--seed", settings.seed, "--workers", workers),
        *("--no-report", "--allow-unconverged"),
    )


def own_judgments(build: Path, target: Path) -> None:
    """How far the model's own literal judgments follow those of people: one line a speaker."""
    own = read_table(build / "tables" / "own" / "choices.own").tables["literal"]
    human = human_table().tables["literal"]
    both = own.merge(human, on=["utterance", "state"], suffixes=("", "_people"))
    both["model"], both["people"] = both["yes"] / both["n"], both["yes_people"] / both["n_people"]
    rows = [
        {
            "speaker": speaker,
            "judgments": part["n"].sum(),
            "mean_yes": part["model"].mean(),
            "correlation_with_people": part["model"].corr(part["people"]),
        }
        for speaker, part in both.groupby("speaker", sort=False)
    ]
    text = pd.DataFrame(rows).to_csv(index=False, float_format="%.3f", lineterminator="\n")
    write_atomic(target / "literal.csv", text)
