"""Rounds a second with the simulated speaker, memory as games grow, and a fit of rounds.

A thousand games are under way at once. Memory is that of a process which plays
``--games`` games, and of one that takes them up again when all have ended. The last
line of output is the figures as JSON.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from contextlib import redirect_stderr
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

AT_ONCE = 1000
PARAMETERS = {"memory_one": {"start": 0.8, "CC": 0.9, "CD": 0.2, "DC": 0.6, "DD": 0.1}}
OPENINGS = 1000


@dataclass(frozen=True)
class Played:
    """What is played: openings of a task, and parameters of the simulated speaker."""

    family: str = "dilemmas"
    task: str = "dilemma"
    design: Mapping[str, Any] = field(default_factory=dict)
    parameters: Mapping[str, Any] = field(default_factory=lambda: PARAMETERS)


def play_all(folder: Path, games: int, what: Played | None = None) -> dict[str, float]:
    """Play games, a thousand at once, and say how fast and in how much memory."""
    from many_wolves import families
    from many_wolves.collection import Seat, Trials, play
    from many_wolves.records import SpeakerSpec
    from many_wolves.speakers import SimulatedSpeaker
    from many_wolves.workflows.compile import request, write_trials
    from many_wolves.workflows.seats import Episodes
    from many_wolves.worlds import SPEAKER, EpisodicWorld

    what = what or Played()
    family: Any = families.get(what.family)
    file = folder / f"openings-{games}.jsonl"
    if not file.exists():
        # So many cells, each played in as many replicates as are needed.
        design = {**what.design, "sample": min(games, OPENINGS)}
        write_trials(request([what.task], design), file)
    spec = SpeakerSpec("simulated", "bench", parameters=what.parameters)
    episodes = Episodes(Trials(file), -(-games // OPENINGS), {SPEAKER: spec}, family)
    simulator = family.simulator(what.parameters)
    seat = Seat(spec, folder / f"journal-{games}.jsonl", lambda: SimulatedSpeaker(spec, simulator))
    cpu, begun = time.process_time(), time.perf_counter()
    with open(os.devnull, "w") as nowhere, redirect_stderr(nowhere):
        done = play(
            episodes,
            seats={SPEAKER: seat},
            world=EpisodicWorld(family.turns),
            reader=family.read,
            say=lambda text: None,
            at_once=AT_ONCE,
        )
    if done.halted:
        raise SystemExit("Interrupted before all games ended: there are no figures.")
    rounds = sum(done.asked.values()) or sum(done.known.values())
    seconds = time.perf_counter() - begun
    return {
        "games": len(episodes),
        "rounds": rounds,
        "seconds": seconds,
        "rounds_per_s": rounds / seconds,
        "cpu_ms_per_round": 1000 * (time.process_time() - cpu) / rounds,
        "peak_memory_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }


def fit_rounds() -> dict[str, Any]:
    """The fit of memory-one strategies to the 4,320 published rounds; compiling does not count."""
    from many_wolves import inference
    from many_wolves.families.dilemmas.model.memory_one import MemoryOne
    from many_wolves.files import shipped
    from many_wolves.workflows.data import load

    file = shipped("task-data/dilemmas/reference/phelps_dilemma_rounds.csv")
    model, table = MemoryOne(), load(file, "dilemma")
    problem = model.problem(table)
    program = inference.load(problem.program, "httpstan")
    begun = time.perf_counter()
    done = inference.fit(problem, program, model.parameters, inference.Settings(seed=1))
    return {
        "rounds": float(table.rows["count"].sum()),
        "seconds": time.perf_counter() - begun,
        "cpu_s": done.cpu_seconds,
        "max_r_hat": done.diagnostics.max_r_hat,
        "min_ess_bulk": done.diagnostics.min_ess_bulk,
        "converged": done.diagnostics.ok,
    }


def in_fresh_process(folder: Path, games: int, script: str = __file__) -> dict[str, Any]:
    """``play_all`` of a script in a process of its own, so that its memory is its own."""
    command = [sys.executable, script, "--games", str(games), "--in", str(folder)]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    result: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    return result


def main() -> None:
    """Play few games and many, and print what it took."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--most", type=int, default=100_000, help="games of the longest run")
    parser.add_argument("--games", type=int, help="play so many in this process")
    parser.add_argument("--in", dest="folder", type=Path)
    options = parser.parse_args()
    if options.games:
        print(json.dumps(play_all(options.folder, options.games)))
        return
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        few = in_fresh_process(folder, AT_ONCE)
        many = in_fresh_process(folder, options.most)
        again = in_fresh_process(folder, options.most)
    figures = {
        "at_once": AT_ONCE,
        "rounds_per_s": many["rounds_per_s"],
        "cpu_ms_per_round": many["cpu_ms_per_round"],
        "memory_mib": {
            f"games_{int(few['games'])}": few["peak_memory_mib"],
            f"games_{int(many['games'])}": many["peak_memory_mib"],
            f"games_{int(again['games'])}_taken_up": again["peak_memory_mib"],
        },
        "memory_growth": many["peak_memory_mib"] / few["peak_memory_mib"],
        "taken_up_rounds_per_s": again["rounds_per_s"],
        "fit": fit_rounds(),
    }
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
