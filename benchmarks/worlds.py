"""What stalled replies cost: many games at once against a server, a few replies held back.

    python benchmarks/worlds.py             a stall of 30 s
    python benchmarks/worlds.py --stall 3   a short one, for a first look

The games are played by `wolves collect`, as a user plays them. Every time is read from
the journal: a game lasts as long as its replies took together, and the run from its first
request to its last answer. Where one stalled reply holds up nobody but its own game, the run
lasts little longer than its longest game. The last line of output is the figures as JSON.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections import defaultdict
from datetime import datetime
from pathlib import Path
from typing import Any

from measure import serving

GAMES, SHARE, REPLY_S = 100, 0.05, 0.5


def play(folder: Path, stall_s: float) -> Path:
    """Play the games; their journal."""
    wolves = [sys.executable, "-m", "many_wolves"]
    openings, journal = folder / "games.jsonl", folder / "journal.jsonl"
    compiled = ["compile", "--task", "dilemma", "--sample", str(GAMES), "--out", str(openings)]
    server = serving("game_server.py", REPLY_S, SHARE, stall_s)
    with server as url, open(os.devnull, "w") as nowhere:
        asked = ["collect", str(openings), "--provider", "openai-compatible", "--model_name"]
        asked += ["tester", "--base_url", url, "--connections", str(GAMES), "--out", str(journal)]
        for words in (compiled, asked):
            subprocess.run([*wolves, *words], check=True, stdout=nowhere, stderr=nowhere)
    return journal


def figures(journal: Path, stall_s: float) -> dict[str, Any]:
    """Lengths of the run and of its longest game, in seconds, and their ratio."""
    ends: list[float] = []
    begins: list[float] = []
    games: dict[tuple[str, int], float] = defaultdict(float)
    stalled = 0
    for line in journal.read_text().splitlines():
        record = json.loads(line)
        end = datetime.fromisoformat(record["created"]).timestamp()
        ends.append(end)
        begins.append(end - record["latency_s"])
        games[record["episode"], record["replicate"]] += record["latency_s"]
        stalled += record["latency_s"] >= stall_s
    run, longest = max(ends) - min(begins), max(games.values())
    return {
        "games": len(games),
        "replies": len(ends),
        "stalled_replies": stalled,
        "stall_s": stall_s,
        "run_s": run,
        "longest_game_s": longest,
        "run_over_longest_game": run / longest,
    }


def main() -> None:
    """Play, and print what it took."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--stall", type=float, default=30.0, help="seconds of a stall")
    stall_s = parser.parse_args().stall
    with tempfile.TemporaryDirectory() as name:
        print(json.dumps(figures(play(Path(name), stall_s), stall_s)))


if __name__ == "__main__":
    main()
