"""Recovery and simulation-based calibration of every model of bargaining, on small designs.

    python benchmarks/calibrate_bargaining.py --n 200

Each design is played once by a simulated speaker; what it did does not matter, since every
simulation draws parameters from the prior and answers from them. Two commands run for each model,
`wolves calibrate` and `wolves recover`. Simulations that are done are kept under
benchmarks/out/bargaining; interrupt it and run it again to go on. Exit status 1 where
a model is not calibrated.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from many_wolves.cli import run
from many_wolves.commands import calibrate, recover
from many_wolves.contracts import Observations
from many_wolves.families.bargaining import Bargaining
from many_wolves.families.bargaining.model import models
from many_wolves.families.bargaining.simulation.games import simulate_games
from many_wolves.records import SpeakerSpec
from many_wolves.records.response import blank_response

OUT = Path(__file__).parent / "out" / "bargaining"
FAMILY = Bargaining()
PLAYER = {"concession": {"opening": 0.9}}
SHORT = ("--chains", "2", "--warmup", "500")
"""Enough for ranks among 99 draws."""
INTERRUPT = 130
"""Exit status of a command that was interrupted."""
WANTS = {"values": {"own": 0.54, "fair": 0.2, "deal": 0.26}}


@dataclass(frozen=True)
class Small:
    """A small design of one model.

    Parameters
    ----------
    task
        Task of the table.
    design
        Changes of a preset.
    options
        Options of the model, as words of the command line.
    player
        Who plays the design once.
    """

    task: str
    design: Mapping[str, Any]
    options: tuple[str, ...] = ()
    player: Mapping[str, Any] | None = None


MODELS: Mapping[str, Small] = {
    "outcomes": Small("haggle", {"preset": "improvement", "games": 3, "sample": 16,
                                 "arms": "none,constant", "partners": "linear,split"}),
    "concession": Small("haggle", {"preset": "default", "sample": 16},
                        ("--memory", "gap")),
    "aspiration": Small("haggle", {"preset": "default", "sample": 24},
                        ("--no-by-game", *SHORT)),
    "values": Small("haggle", {"preset": "values", "sample": 48}, ("--no-by-game", *SHORT), WANTS),
    "kind-words": Small("haggle-words", {"groups": "Plain", "orders": 1}, SHORT),
}  # fmt: skip


def haggled(small: Small) -> Observations:
    """Games of a design, played once."""
    design = FAMILY.design(small.task).read(dict(small.design))
    openings = FAMILY.compile(small.task, design).trials
    return simulate_games(openings, small.player or PLAYER)


def replied(small: Small) -> Observations:
    """Choices among replies, twelve of each situation."""
    design = FAMILY.design(small.task).read(dict(small.design))
    parameters = {"words": {"own": 0.6, "deal": 0.1, "kind": 0.3}}
    spec, player = (
        SpeakerSpec("simulated", "s", parameters=parameters),
        FAMILY.simulator(parameters),
    )
    rng = np.random.default_rng(1)
    answers = []
    for trial in FAMILY.compile(small.task, design).trials:
        names, p = [option.id for option in trial.options], player.probabilities(trial)
        for k in range(12):
            answers.append(
                blank_response(trial, spec, k, "answered", value=str(rng.choice(names, p=p)))
            )
    return FAMILY.tabulate(answers)


def table(name: str) -> Path:
    """The main table of a design, its others beside it."""
    small = MODELS[name]
    folder = OUT / f"design-{name}"
    folder.mkdir(parents=True, exist_ok=True)
    make: Callable[[Small], Observations] = replied if small.task != "haggle" else haggled
    observations = make(small)
    for part, frame in observations.tables.items():
        frame.to_csv(folder / f"{part}.csv", index=False)
    return folder / f"{observations.main}.csv"


def main() -> int:
    """Calibrate and recover one model after the other."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--n", type=int, default=100, help="simulations of each model")
    parser.add_argument("--model", choices=list(MODELS), action="append", help="these alone")
    parser.add_argument("--workers", type=int, default=0, help="fits at once; 0: one for each core")
    chosen = parser.parse_args()
    worst = 0
    for name in chosen.model or models():
        print(f"{name}:", flush=True)
        words = [str(table(name)), "--task", MODELS[name].task, "--model", name, "--n",
                 str(chosen.n), *MODELS[name].options]  # fmt: skip
        words += ["--workers", str(chosen.workers)] if chosen.workers else []
        for command in (calibrate.command, recover.command):
            # Both keep their simulations in the same file: what one has run the other reads.
            worst = max(worst, run(command, [*words, "--out", str(OUT / name)]))
            if worst >= INTERRUPT:
                return worst
    return worst


if __name__ == "__main__":
    sys.exit(main())
