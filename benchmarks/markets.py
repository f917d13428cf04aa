"""Speed of experiments: sessions in process and their memory, participants on oTree.

    python benchmarks/markets.py
    python benchmarks/markets.py --sessions 1000 --participants 24    a first look

In process, so many sessions of twelve scripted players are open at once and advance together.
Memory is what they add at their end. On oTree, `wolves collect` plays sessions of twelve truthful
players at once on a server with SQLite. ``busy`` is the CPU time of the server over the time from
the first answer to the last: oTree answers one request at a time, so where it is near 1, our part
costs nothing. Its database is in memory where the system allows it: CPU time leaves out its waits
for the disk, which would count as ours. Our journals are on the disk. What one stalled seat costs
other sessions is in `worlds.py`: the runner is the same. The last line is the figures as JSON.
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
from datetime import datetime
from pathlib import Path
from typing import Any

from many_wolves.families.markets.engines.otree import SQLITE_AT_ONCE
from many_wolves.families.markets.rules.draws import draw
from many_wolves.families.markets.rules.parameters import Rules
from many_wolves.families.markets.rules.session import Session
from many_wolves.families.markets.simulation.play import luck, seat_players
from many_wolves.families.markets.simulation.strategies import player
from many_wolves.families.markets.task.experiment import write_experiment
from many_wolves.worlds.otree.server import OTreeServer

SEATS = 12
TURNS = 48
DESIGN = ("--mechanism", "harberger", "--paid-rounds", "1", "--no-practice", "--ticks", "2")
PLAYER = {"model_type": "simulated", "model_name": "truthful"}
ROLES = ("owner", "developer", "speculator")
KEY = "a key of the benchmark"
"""Of the oTree server's REST interface."""


def in_process(sessions: int) -> dict[str, float]:
    """So many sessions at once: seconds, sessions a second, MiB."""
    rules = Rules.lab("harberger", rounds=1, practice=False, ticks=2)
    cast = {role: [player("truthful")] for role in ROLES}
    players = seat_players(rules, cast)
    before, begun = _peak_mib(), time.perf_counter()
    open_ = [Session.begin(rules, draw(rules, seed), seed) for seed in range(sessions)]
    turn = 0
    while not all(session.over for session in open_):
        for seed, session in enumerate(open_):
            if session.over:
                continue
            actions = {
                seat: players[seat].act(rules, view, luck(seed, seat, turn))
                for seat, view in session.views().items()
            }
            open_[seed] = session.step(actions)
        turn += 1
    seconds = time.perf_counter() - begun
    return {
        "sessions": sessions,
        "sessions_per_s": sessions / seconds,
        "turns_per_s": sessions * TURNS / seconds,
        "memory_mib": _peak_mib() - before,
    }


def on_otree(participants: int, folder: Path, server_folder: Path) -> dict[str, float]:
    """Participants a second, and how busy the server was."""
    os.environ["OTREE_REST_KEY"] = KEY
    project = write_experiment(server_folder / "experiment")
    with OTreeServer(project, server_folder) as server:
        before = _cpu_below()
        words = ("--engine", "otree", "--server", server.address.url)
        words += ("--engine_option", f"at_once={SQLITE_AT_ONCE}")
        spent = _collect(folder, participants // SEATS, *words)
        busy = _cpu_below() - before
    seconds = _span(folder / "out")
    return {
        "participants": participants,
        "participants_per_s": participants / seconds,
        "seconds": seconds,
        "server_cpu_s": busy,
        "client_cpu_s": spent,
        "busy": busy / seconds,
        "overhead": seconds / busy - 1,
    }


def _collect(folder: Path, sessions: int, *more: str) -> float:
    """Play sessions of truthful players; CPU seconds of the command."""
    strategy = folder / "truthful.json"
    strategy.write_text('{"strategy": "truthful"}')
    speaker = {**PLAYER, "parameters": strategy.name}
    (folder / "speaker.json").write_text(json.dumps(speaker))
    trials = ("--task", "planning", *DESIGN, "--sessions", str(sessions), "--draws", "random")
    _wolves(folder, "compile", *trials, "--out", "trials.jsonl")
    seats = [w for role in ROLES[:2] for w in ("--seat", f"{role}=speaker.json")]
    words = ["--provider", "simulated", "--model_name", "truthful", "--parameters", strategy.name]
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    _wolves(folder, "collect", "trials.jsonl", *words, *seats, "--out", "out", *more)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def _wolves(folder: Path, *words: str) -> None:
    command = [sys.executable, "-m", "many_wolves", *words]
    subprocess.run(command, cwd=folder, check=True, stdout=subprocess.DEVNULL)


def _span(out: Path) -> float:
    """Seconds from the first line of the sessions' journals to the last receipt."""
    times = [
        datetime.fromisoformat(line["at"]).timestamp()
        for path in out.rglob("sessions/*.jsonl")
        if not path.name.endswith(".seats.jsonl")
        for line in map(json.loads, path.read_text().splitlines())
    ]
    return max(times) - min(times)


def _peak_mib() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _cpu_below() -> float:
    """CPU seconds so far of the processes that this one has started and that still run."""
    tick = os.sysconf("SC_CLK_TCK")
    parents, spent = {}, {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = path.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        number = int(path.parent.name)
        parents[number] = int(fields[1])
        spent[number] = (int(fields[11]) + int(fields[12])) / tick
    below = {os.getpid()}
    for _ in range(4):
        below |= {number for number, parent in parents.items() if parent in below}
    return sum(spent[number] for number in below - {os.getpid()} if number in spent)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sessions", type=int, default=10_000, help="in process, at once")
    parser.add_argument("--participants", type=int, default=60, help="on oTree; 0 for none")
    given = parser.parse_args()
    found: dict[str, Any] = {"local": {}}
    size = 100
    while size <= given.sessions:
        found["local"][str(size)] = in_process(size)
        print(found["local"][str(size)], flush=True)
        size *= 10
    if given.participants >= SEATS:
        memory = "/dev/shm" if Path("/dev/shm").is_dir() else None
        with (
            tempfile.TemporaryDirectory() as folder,
            tempfile.TemporaryDirectory(dir=memory) as server,
        ):
            found["otree"] = on_otree(given.participants, Path(folder), Path(server))
        print(found["otree"], flush=True)
    print(json.dumps(found))


if __name__ == "__main__":
    main()
