"""Journals of games and sessions of several seats, collected once, and what reads them."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from random import Random

from tools.fuzz import alter
from tools.fuzz.command_runs import Ran, command

_PLAYERS: Mapping[str, object] = {
    "values.json": {"values": {"own": 0.6, "fair": 0.3, "deal": 0.1}},
    "strategy.json": {"strategy": "zero_intelligence"},
    "coach.json": {"provider": "simulated", "model": "coach", "parameters": {"critic": {}}},
}


@dataclass(frozen=True)
class Sort:
    """One sort of sessions.

    Parameters
    ----------
    family
        Folder of its journals.
    compile, collect
        Words that make the openings, and that play them.
    """

    family: str
    compile: str
    collect: str


_SORTS = (
    Sort(
        "bargaining",
        "--task haggle --preset improvement --games 2 --sample 1 --partners linear --moderator 0.5",
        "--parameters values.json --seat critic=coach.json --seat moderator=self",
    ),
    Sort(
        "markets",
        "--task planning --mechanism harberger --paid-rounds 1 --no-practice --ticks 2",
        "--task planning --parameters strategy.json --seat developer=self --seat speculator=self",
    ),
)


def _collect(sort: Sort, folder: Path) -> Ran:
    speaker = ("--provider", "simulated", "--model_name", "player")
    return command(["collect", "t.jsonl", *speaker, *sort.collect.split(), "--out", "out"], folder)


@cache
def _collected(sort: Sort) -> Path:
    """Collect all sessions of a sort, once in a process; the folder is left to the system."""
    folder = Path(tempfile.mkdtemp(prefix="fuzz-sessions-"))
    for name, player in _PLAYERS.items():
        (folder / name).write_text(json.dumps(player))
    for ran in (
        command(["compile", *sort.compile.split(), "--out", "t.jsonl"], folder),
        _collect(sort, folder),
    ):
        if ran.status != 0:
            raise RuntimeError(ran.said)
    return folder


def altered(
    rng: Random, folder: Path, lost: Callable[[bytes, Path, Ran], list[str]]
) -> tuple[str, Ran, list[str]]:
    """Alter a journal of sessions and run a command on it.

    Parameters
    ----------
    rng, folder
        They make the input, in this folder.
    lost
        Lines of a journal that its tables neither count nor name.
    """
    sort = rng.choice(_SORTS)
    shutil.copytree(_collected(sort), folder, dirs_exist_ok=True)
    journal = max((folder / "out" / sort.family).glob("*.jsonl"), key=lambda p: p.stat().st_size)
    source = journal.read_bytes()
    way = alter.any_of(alter.of_json_lines, alter.of_json_lines, alter.of_lines, alter.of_bytes)
    data, what = way(rng, source)
    journal.write_bytes(data)
    act = rng.choice(["choices", "choices", "fit", "collect", "replay"])
    faults: list[str] = []
    if act == "collect":
        ran = _collect(sort, folder)
        faults = _gone(source, data, folder / "out") if ran.status == 0 else []
    elif act == "replay":
        session = str(json.loads(source.splitlines()[0])["episode"])[:8]
        ran = command(["replay", session, "out", "--out", "page.html"], folder)
    else:
        ran = command(["choices", str(journal.relative_to(folder)), "--out", "table"], folder)
        faults = lost(data, folder / "table", ran)
        if act == "fit" and not ran.faults:
            ran = command(["fit", "table", "--no-report", "--out", "fit"], folder)
    return f"{act}: {sort.family}, {what}", ran, faults


def _gone(source: bytes, data: bytes, out: Path) -> list[str]:
    """Whole lines that the journal held before the collection was resumed, and holds no more."""
    kept = b"".join(file.read_bytes() for file in out.rglob("*") if file.is_file())
    here = set(data.split(b"\n"))
    gone = [line for line in source.split(b"\n") if line in here and line not in kept]
    return [f"{len(gone)} whole lines are gone"] if gone else []
