"""Speed of bargaining: games with scripts, the fit of human turns, chains with a critic.

    python benchmarks/haggling.py                   all of it
    python benchmarks/haggling.py --most 5000       a shorter run, for a first look
    python benchmarks/haggling.py --part chains     one part: games, fit, chains

``games``: a simulated speaker haggles with scripted partners, a thousand games at once, with
memory as games grow; its baseline is the same games without journals. ``fit``: ``concession`` to
5,841 human messages; its baseline is the same fit without covariates. ``chains``: 200 chains of
five games, with a critic, by `wolves collect` against a local server; its baseline is the ideal, a
reply for each connection and reply time. The last line of output is the figures as JSON.
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
from collections import Counter
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from games import AT_ONCE, Played, in_fresh_process, play_all
from measure import serving

WANTS = {"own": 0.54, "fair": 0.2, "deal": 0.26}
PLAYED = Played("bargaining", "haggle", {"preset": "default", "copies": 3}, {"values": WANTS})
MOST = 50_000
CHAINS, GAMES, CONNECTIONS, REPLY_S = 200, 5, 64, 0.5
COPIES = 4
"""Of each of the preset's cells, so that there are 200 chains."""
SETTINGS = {"warmup": 500, "draws": 1000}


def games(most: int) -> dict[str, Any]:
    """Turns a second, and memory with few games and with many."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        few = in_fresh_process(folder, AT_ONCE, __file__)
        many = in_fresh_process(folder, most, __file__)
        again = in_fresh_process(folder, most, __file__)
    bare = without_journals()
    return {
        "at_once": AT_ONCE,
        "turns_per_s": many["rounds_per_s"],
        "turns_per_s_without_journals": bare,
        "share_of_speed_without_journals": many["rounds_per_s"] / bare,
        "turns": many["rounds"],
        "cpu_ms_per_turn": many["cpu_ms_per_round"],
        "memory_mib": {
            f"games_{int(few['games'])}": few["peak_memory_mib"],
            f"games_{int(many['games'])}": many["peak_memory_mib"],
            f"games_{int(again['games'])}_taken_up": again["peak_memory_mib"],
        },
        "memory_growth": many["peak_memory_mib"] / few["peak_memory_mib"],
        "taken_up_turns_per_s": again["rounds_per_s"],
    }


def without_journals() -> float:
    """Turns a second of games that are only played: no prompts, no sentences, no journal."""
    from many_wolves.families.bargaining import Bargaining
    from many_wolves.families.bargaining.simulation.games import simulate_games

    family = Bargaining()
    design = family.design("haggle").read({**PLAYED.design, "sample": AT_ONCE})
    openings = list(family.compile("haggle", design).trials)
    begun = time.perf_counter()
    turns = simulate_games(openings, PLAYED.parameters).rows
    own = int((turns["speaker"] == "simulated").sum())
    return own / (time.perf_counter() - begun)


def fit() -> dict[str, Any]:
    """The fit of ``concession`` to turns of people; compiling does not count."""
    from many_wolves import inference
    from many_wolves.families.bargaining import Bargaining

    family = Bargaining()
    table = family.references()["he2018-bargaining"].load().of("people")
    model = family.models()["concession"]

    def one(**options: Any) -> dict[str, Any]:
        problem = model.problem(table, by_game=False, **options)
        program = inference.load(problem.program, "httpstan")
        begun = time.perf_counter()
        done = inference.fit(
            problem, program, model.parameters, inference.Settings(seed=1, **SETTINGS)
        )
        return {
            "seconds": time.perf_counter() - begun,
            "cpu_s": done.cpu_seconds,
            "max_r_hat": done.diagnostics.max_r_hat,
            "min_ess_bulk": done.diagnostics.min_ess_bulk,
            "converged": done.diagnostics.ok,
            "ess_per_cpu_s": done.diagnostics.min_ess_bulk / done.cpu_seconds,
        }

    whole, plain = one(), one(memory="none")
    return whole | {
        "turns": len(table.rows),
        "without_covariates": plain,
        "cpu_over_without_covariates": whole["cpu_s"] / plain["cpu_s"],
    }


def chains(n: int, reply_s: float) -> dict[str, Any]:
    """Chains of five games with a critic, as a user plays them."""
    wolves = [sys.executable, "-m", "many_wolves"]
    with tempfile.TemporaryDirectory() as name, serving("game_server.py", reply_s) as url:
        openings, journal = Path(name, "chains.jsonl"), Path(name, "journal.jsonl")
        compiled = ["compile", "--task", "haggle", "--preset", "improvement", "--arms", "ai",
                    "--games", str(GAMES), "--copies", str(COPIES), "--sample", str(n), "--out",
                    str(openings)]  # fmt: skip
        asked = ["collect", str(openings), "--provider", "openai-compatible", "--model_name",
                 "tester", "--base_url", url, "--connections", str(CONNECTIONS), "--seat",
                 "critic=self", "--out", str(journal)]  # fmt: skip
        with open(os.devnull, "w") as nowhere:
            for words in (compiled, asked):
                begun, cpu = time.perf_counter(), child_cpu_s()
                subprocess.run([*wolves, *words], check=True, stdout=nowhere, stderr=nowhere)
        seconds, cpu = time.perf_counter() - begun, child_cpu_s() - cpu
        records = [json.loads(line) for line in journal.read_text().splitlines()]
    return chain_figures(records, reply_s) | {
        "seconds": seconds,
        "cpu_ms_per_reply": 1000 * cpu / len(records),
    }


def child_cpu_s() -> float:
    """CPU seconds of processes that were started here and have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def chain_figures(records: list[Mapping[str, Any]], reply_s: float) -> dict[str, Any]:
    """Replies a second against the ideal, and how often critics were asked."""
    ends = [datetime.fromisoformat(record["created"]).timestamp() for record in records]
    begins = [end - r["latency_s"] for end, r in zip(ends, records, strict=True)]
    asked = Counter((r["episode"], r["replicate"], r["turn"]) for r in records)
    critics = [r for r in records if r["cell"].get("kind") == "critic"]
    of_chain = Counter((r["episode"], r["replicate"]) for r in records)
    per_s = len(records) / (max(ends) - min(begins))
    # A chain's messages follow one another, so that the longest chain is a bound, too.
    ideal_s = max(len(records) * reply_s / CONNECTIONS, max(of_chain.values()) * reply_s)
    return {
        "chains": len(of_chain),
        "games_of_each": GAMES,
        "replies": len(records),
        "critic_replies": len(critics),
        "asked_twice": sum(n - 1 for n in asked.values()),
        "connections": CONNECTIONS,
        "reply_s": reply_s,
        "replies_per_s": per_s,
        "longest_chain": max(of_chain.values()),
        "ideal_s": ideal_s,
        "share_of_ideal": ideal_s / (max(ends) - min(begins)),
    }


def main() -> None:
    """Measure, and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--part", choices=("games", "fit", "chains"), action="append")
    parser.add_argument("--most", type=int, default=MOST, help="games of the longest run")
    parser.add_argument("--chains", type=int, default=CHAINS)
    parser.add_argument("--reply_s", type=float, default=REPLY_S, help="seconds for each reply")
    parser.add_argument("--games", type=int, help="play so many in this process")
    parser.add_argument("--in", dest="folder", type=Path)
    options = parser.parse_args()
    if options.games:
        print(json.dumps(play_all(options.folder, options.games, PLAYED)))
        return
    parts = {
        "games": lambda: games(options.most),
        "fit": fit,
        "chains": lambda: chains(options.chains, options.reply_s),
    }
    print(json.dumps({name: parts[name]() for name in options.part or parts}))


if __name__ == "__main__":
    main()
