"""What every benchmark shares: the data, the clock, and ESS per CPU second.

CPU seconds are those of this process and of the children it has waited for, of
all threads, so that chains in parallel buy nothing. Warm-up counts; compiling
does not, and is reported apart.
"""

from __future__ import annotations

import json
import os
import platform
import resource
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from arviz_stats.base import array_stats

from many_wolves.contracts import Array
from many_wolves.families.politeness.reading.human import choice_counts, literal_counts
from many_wolves.families.politeness.task.utterances import UTTERANCES

OUT = Path(__file__).parent / "out"
GOALS = ("informative", "social", "both")
STATES = (0, 1, 2, 3)
CHAINS, WARMUP, DRAWS = 4, 1000, 1000
MEASURED = ("alpha", "cost", "weights")
"""Quantities whose bulk ESS is reported: alpha, cost and all weights."""


@dataclass(frozen=True)
class HumanData:
    """The human counts as arrays.

    counts (goal, state, utterance); yes and n (utterance, state); negated (utterance,).
    """

    counts: Array
    yes: Array
    n: Array
    negated: Array


@dataclass
class Clock:
    """CPU and wall seconds of a block, filled in when it ends."""

    cpu: float = 0.0
    wall: float = 0.0


@dataclass(frozen=True)
class Speed:
    """One sampler's figures on the human data, joint treatment, full model.

    Parameters
    ----------
    ess
        Bulk ESS by quantity.
    cpu_s
        CPU seconds of warm-up and sampling.
    more
        Further figures by name.
    """

    ess: Mapping[str, float]
    r_hat: float
    cpu_s: float
    means: Mapping[str, float]
    more: Mapping[str, Any] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """The figures as a JSON object, ESS per CPU second included."""
        values = np.array(list(self.ess.values()))
        return {
            "ess_per_cpu_s": {
                "median": float(np.median(values)) / self.cpu_s,
                "min": float(values.min()) / self.cpu_s,
            },
            "ess_bulk": {"median": float(np.median(values)), "min": float(values.min())},
            "r_hat_max": self.r_hat,
            "converged": bool(self.r_hat < 1.01),
            "cpu_s": self.cpu_s,
            "means": dict(self.means),
        } | dict(self.more)


def human_data() -> HumanData:
    """The choices and the literal judgments of people, in the paper's order."""
    choices = choice_counts().set_index(["goal", "state", "utterance"])["count"].sort_index()
    literal = literal_counts().set_index(["utterance", "state"])
    cells = [[choices.loc[g, s].reindex(UTTERANCES).to_numpy() for s in STATES] for g in GOALS]
    judged = literal.loc[[(u, s) for u in UTTERANCES for s in STATES]]
    shape = (len(UTTERANCES), len(STATES))
    return HumanData(
        counts=np.array(cells, dtype=float),
        yes=judged["yes"].to_numpy(dtype=float).reshape(shape),
        n=judged["n"].to_numpy(dtype=float).reshape(shape),
        negated=np.array([u.startswith("not ") for u in UTTERANCES], dtype=float),
    )


@contextmanager
def clock() -> Iterator[Clock]:
    """Measure CPU seconds (this process and the children it waited for) and wall seconds."""
    measured = Clock()
    before, start = _cpu(), time.perf_counter()
    yield measured
    measured.cpu, measured.wall = _cpu() - before, time.perf_counter() - start


def _cpu() -> float:
    uses = [resource.getrusage(w) for w in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(use.ru_utime + use.ru_stime for use in uses)


def peak_memory_mib() -> float:
    """Largest resident size of this process or of one child so far."""
    uses = [resource.getrusage(w) for w in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return max(use.ru_maxrss for use in uses) / 1024


def speed(draws: Mapping[str, Array], cpu_s: float, **more: Any) -> Speed:
    """Figures from draws of ``MEASURED``, each (chain, draw, ...)."""
    ess, means, r_hat = {}, {}, 0.0
    for name in MEASURED:
        flat = draws[name].reshape(*draws[name].shape[:2], -1)
        for i in range(flat.shape[2]):
            label = name if flat.shape[2] == 1 else f"{name}[{i}]"
            ess[label] = float(array_stats.ess(flat[..., i], chain_axis=0, draw_axis=1))
            r_hat = max(r_hat, float(array_stats.rhat(flat[..., i], chain_axis=0, draw_axis=1)))
            means[label] = float(flat[..., i].mean())
    return Speed(ess, r_hat, cpu_s, means, more)


def in_process(
    script: str, *arguments: str, timeout_s: float = 1800, python: str = sys.executable
) -> dict[str, Any]:
    """Run a benchmark script in a fresh process; its last line of output is its JSON.

    A script that fails or takes too long is a row that says so, not the end of the run.
    """
    threads = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    command = [python, str(Path(__file__).parent / script), *arguments]
    try:
        done = subprocess.run(
            command,
            env=os.environ | threads,
            stdout=subprocess.PIPE,
            text=True,
            timeout=timeout_s,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return {"failed": f"took longer than {timeout_s:.0f} s"}
    lines = done.stdout.strip().splitlines()
    if done.returncode != 0 or not lines:
        return {"failed": f"exit status {done.returncode}"}
    result: dict[str, Any] = json.loads(lines[-1])
    return result


def machine() -> dict[str, Any]:
    """What the figures were measured on, and how busy it was."""
    model = platform.processor() or platform.machine()
    info = Path("/proc/cpuinfo")
    if info.exists():
        names = [line for line in info.read_text().splitlines() if line.startswith("model name")]
        model = names[0].split(":", 1)[1].strip() if names else model
    return {
        "processor": model,
        "cores": os.cpu_count(),
        "system": platform.system(),
        "python": platform.python_version(),
        "load_average": list(os.getloadavg()),
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
    }


@contextmanager
def serving(program: str, *seconds: float) -> Iterator[str]:
    """The address of a server of this folder, in a process of its own.

    Parameters
    ----------
    program
        Name of its file, such as ``game_server.py``.
    seconds
        Its arguments.
    """
    command = [sys.executable, str(Path(__file__).with_name(program)), *map(str, seconds)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield f"http://127.0.0.1:{int(process.stdout.readline())}/v1"
        finally:
            process.terminate()
