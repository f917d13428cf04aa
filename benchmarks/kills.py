"""kill -9 at random points of twelve-seat sessions: is anything lost, or done twice?

    python benchmarks/kills.py --kills 200
    python benchmarks/kills.py --kills 200 --folder kills      kept; the same command goes on

A share of the kills hits the client of sessions in process; the others hit the client, the
server, or both, of sessions on oTree, and on a small server that speaks the lab's protocol with
its faults (``tests/ibex_server.py``). After its kills each session is played to its end and held
against an undisturbed one with the same seed: no answer twice, no action without its receipt or
with two, equal declarations, purchases, signals and payoffs. Exit status 1 where one differs.

Client and server run in processes that are forked from this one, so that a restart takes no
imports: what is killed is a whole process with its network and its files.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import shutil
import signal
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd

from many_wolves.cli import run, wolves
from many_wolves.files import write_atomic
from many_wolves.worlds.otree.server import free_port

TESTS = Path(__file__).resolve().parent.parent / "tests"
DESIGN = ("--mechanism", "harberger", "--paid-rounds", "1", "--no-practice", "--ticks", "2")
SEATS = ("owner", "developer")
PLAYERS = {
    "low_baller": {"strategy": "low_baller"},
    "exploiter": {"strategy": "exploiter", "markup": -0.1},
}
"""Files of players; none of them draws lots outside the market."""
TABLES = ("declarations", "purchases", "signals", "payoffs")
ORDERS = ("held", "buyers", "final_tax", "cash", "shares", "shares_pay", "payoff", "euro")
"""Columns that depend on the market, in whose order a server's clock has a say."""
MOST_PER_SESSION = {"local": 10, "lab": 4, "otree": 4}
"""Kills of one session, at most."""
WITHIN_S = {"local": (0.02, 0.9), "lab": (0.3, 9.0), "otree": (1.0, 12.0)}
"""A kill comes after so many seconds, uniform."""
STARTS = 30
"""A session that has not ended after so many starts without a kill has failed."""
MOST_FAULTS = 5
"""After more faults of one kind of kill, the next kind begins."""
SHARES = {
    "local client": 0.55,
    **{f"lab {victim}": 0.1 for victim in ("client", "server", "both")},
    **{f"otree {victim}": 0.05 for victim in ("client", "server", "both")},
}
"""Of all kills."""
KEY = "a key of the benchmark"
"""Of the oTree server's REST interface."""


@dataclass
class Tally:
    """What was killed, and what was found afterwards."""

    killed: Counter[str] = field(default_factory=Counter)
    sessions: Counter[str] = field(default_factory=Counter)
    lost: int = 0
    answers: int = 0
    receipts: int = 0
    stale: int = 0
    faults: list[str] = field(default_factory=list)
    begun: int = 0

    @classmethod
    def read(cls, path: Path) -> Tally:
        """What an interrupted run in the same folder has counted."""
        if not path.is_file():
            return cls()
        found = json.loads(path.read_text())
        counts = {name: Counter(found.pop(name)) for name in ("killed", "sessions")}
        return cls(**counts, **found)

    def write(self, path: Path) -> None:
        """Keep it, so that a later run goes on."""
        write_atomic(path, json.dumps(vars(self), indent=1) + "\n")


class Forked:
    """Work in a process of its own, forked from this one."""

    def __init__(self, work: Callable[[], int], log: Path) -> None:
        sys.stdout.flush()
        self.pid = os.fork()
        if self.pid == 0:
            status = 1
            try:
                # A group of its own: what it starts is killed with it.
                os.setsid()
                handle = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
                os.dup2(handle, 1)
                os.dup2(handle, 2)
                status = work()
            except BaseException:
                traceback.print_exc()
            finally:
                sys.stdout.flush()
                os._exit(status)
        self.status: int | None = None

    def ended(self, seconds: float) -> bool:
        """Whether it ends by itself within so many seconds."""
        until = time.monotonic() + seconds
        while self.status is None:
            done, status = os.waitpid(self.pid, os.WNOHANG)
            if done:
                self.status = os.waitstatus_to_exitcode(status)
            elif time.monotonic() > until:
                return False
            else:
                time.sleep(0.01)
        return True

    def kill(self) -> None:
        """Kill -9 of it and of what it started."""
        if self.status is None:
            os.killpg(self.pid, signal.SIGKILL)
            _, status = os.waitpid(self.pid, 0)
            self.status = os.waitstatus_to_exitcode(status)


def command(*words: object) -> int:
    """A command of ours in this process."""
    return int(run(wolves, [str(word) for word in words]) or 0)


def done(log: Path, *words: object) -> None:
    """A command that must succeed, in a process of its own."""
    process = Forked(lambda: command(*words), log)
    if not process.ended(120) or process.status != 0:
        process.kill()
        raise RuntimeError(f"wolves {words[0]} failed; see {log.resolve()}")


def collect(out: str, *more: str) -> tuple[str, ...]:
    """Words of a collection in which speculators meet landowners who declare too little."""
    buyers = ("--model_type", "simulated", "--model_name", "exploiter")
    seats = [word for seat in SEATS for word in ("--seat", f"{seat}=low_baller-speaker.json")]
    given = ("--parameters", "exploiter.json", "--task", "planning", "--out", out)
    return ("collect", *buyers, *given, *seats, *more)


def tables_of(out: str) -> tuple[dict[str, pd.DataFrame], pd.DataFrame, dict[str, object]]:
    """Tables of a collection, its answers, and what its meta file says."""
    done(Path(f"{out}.log"), "choices", f"{out}/markets", "--out", f"{out}-tables")
    place = Path(f"{out}-tables")
    tables = {name: pd.read_csv(place / f"{name}.csv") for name in TABLES}
    meta = json.loads((place / "meta.json").read_text())
    return tables, pd.read_csv(place / "answers.csv"), meta


def play(number: int, kind: str, kills: int, rng: np.random.Generator, tally: Tally) -> None:
    """One session: so many kills, then its end, and what came of it."""
    engine, victim = kind.split()
    out = f"{engine}-{number}"
    seed = int(rng.integers(1, 10_000))
    log, trials = Path(f"{out}.log"), f"{out}.jsonl"
    done(log, "compile", "--task", "planning", *DESIGN, "--out", trials, "--seed", seed)
    done(log, *collect(f"{out}-whole", trials))
    more: tuple[str, ...] = (trials,)
    server, port = None, free_port()
    serve: Callable[[], int] = lambda: served(port)  # noqa: E731
    if engine == "otree":
        more += ("--engine", "otree", "--server", f"http://127.0.0.1:{port}")
        serve = lambda: served_by_otree(port, Path(f"{out}-server"))  # noqa: E731
        server = Forked(serve, log)
    elif engine == "lab":
        quick = ("--engine_option", "turn_s=2", "--engine_option", "pause_s=0.3")
        more += ("--engine", "ibex", "--server", f"http://127.0.0.1:{port}", *quick)
        os.environ["IBEX_SOCKET"] = f"ws://127.0.0.1:{port}/ws"
        server = Forked(serve, log)
    else:
        more += ("--delay", "0.02")

    def start() -> Forked:
        return Forked(lambda: command(*collect(out, *more)), log)

    client: Forked | None = None
    try:
        for _ in range(kills):
            client = client or start()
            if client.ended(float(rng.uniform(*WITHIN_S[engine]))):
                break
            if victim != "client" and server is not None:
                server.kill()
                server = Forked(serve, log)
            if victim != "server":
                client.kill()
                client = None
            tally.killed[kind] += 1
        finished(client, start, lambda: engine == "local" or any(Path(out).rglob("*.record.json")))
    finally:
        for process in (client, server):
            if process is not None:
                process.kill()
    tally.sessions[engine] += 1
    tally.faults += [f"{out} ({kind}): {fault}" for fault in compared(engine, out, tally)]


def finished(client: Forked | None, start: Callable[[], Forked], ended: Callable[[], bool]) -> None:
    """Play a session to its end, with as many starts as it takes.

    After three lost attempts a command ends, and the next one goes on: so its status is not
    enough.
    """
    for _ in range(STARTS):
        process = client or start()
        client = None
        try:
            if process.ended(240) and process.status == 0 and ended():
                return
        finally:
            process.kill()
    raise RuntimeError("it never ended")


def served(port: int) -> int:
    """The small server of the lab's kind, until it is killed."""
    from ibex_server import serve

    async def forever() -> None:
        await serve(port, pace=0.5, saving_s=0.1)
        await asyncio.Event().wait()

    asyncio.run(forever())
    return 0


def served_by_otree(port: int, folder: Path) -> int:
    """Our experiment on an oTree server, until it is killed; its database is kept."""
    from many_wolves.families.markets.task.experiment import write_experiment
    from many_wolves.worlds.otree.server import OTreeServer

    project = write_experiment(folder / "experiment")
    with OTreeServer(project, folder, port=port) as server:
        while server.running:
            time.sleep(0.2)
    return 1


def compared(engine: str, out: str, tally: Tally) -> list[str]:
    """What is wrong with a session that was disturbed."""
    whole, _, _ = tables_of(f"{out}-whole")
    found, answers, meta = tables_of(out)
    faults = []
    lost_before = tally.lost
    for path in Path(out, "markets", "sessions").glob("*.jsonl"):
        if not path.name.endswith(".seats.jsonl"):
            faults += receipts(path, tally)
    # A lost attempt is a session that did not end, if it had answers; they go on in the next.
    unfinished = len(meta["unfinished"])
    ended = answers["session"].nunique() - unfinished
    if ended != 1 or unfinished > tally.lost - lost_before or meta["repeated"]:
        faults.append(f"unfinished {meta['unfinished']}, repeated {meta['repeated']}")
    tally.answers += len(answers)
    question = ["session", "seat", "round", "stage", "tick", "attempt"]
    twice = answers.duplicated(question).sum()
    if twice:
        faults.append(f"{twice} questions were answered twice")
    apart = () if engine == "local" else (*ORDERS, "share_price")
    for name in TABLES:
        kept = [c for c in whole[name] if c not in ("session", *apart)]
        try:
            pd.testing.assert_frame_equal(whole[name][kept], found[name][kept], check_dtype=False)
        except AssertionError as difference:
            faults.append(f"{name} differ: {' '.join(str(difference).split())[:200]}")
    if found["payoffs"]["shares"].sum() != 90:
        faults.append("shares were lost or made")
    return faults


def receipts(path: Path, tally: Tally) -> list[str]:
    """What is wrong with the journal of a session: unless it was lost, it must be whole."""
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    lost = any(line["event"] == "ended" and line["how"] == "lost" for line in lines)
    tally.lost += lost
    found = [line for line in lines if line["event"] == "receipt"]
    got = Counter(line["turn"] for line in found)
    # An answer whose phase is over when it comes is stale: it is never sent.
    stale = {line["turn"] for line in found if line["status"] == "stale"}
    sent = {line["turn"] for line in lines if line["event"] == "sent"}
    tally.receipts += got.total()
    tally.stale += len(stale)
    faults = [f"turn {turn} has {n} receipts" for turn, n in got.items() if n > 1]
    faults += [f"turn {turn} has a receipt and was not sent" for turn in set(got) - sent - stale]
    if not lost:
        faults += [f"turn {turn} was sent and has no receipt" for turn in sent - set(got)]
    return faults


def main() -> int:
    """Kill, compare, print figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--kind", choices=SHARES, action="append", help="these kills alone")
    parser.add_argument("--folder", type=Path, help="work here and keep it; else a temporary one")
    given = parser.parse_args()
    sys.path.insert(0, str(TESTS))
    import ibex_server

    os.environ["IBEX_USERNAME"] = ibex_server.LOGIN["username"]
    os.environ["OTREE_REST_KEY"] = KEY
    os.environ["IBEX_PASSWORD"] = ibex_server.LOGIN["password"]
    with tempfile.TemporaryDirectory() as temporary:
        folder = given.folder or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        os.chdir(folder)
        for name, parameters in PLAYERS.items():
            Path(f"{name}.json").write_text(json.dumps(parameters))
            speaker = {"provider": "simulated", "model": name, "parameters": f"{name}.json"}
            Path(f"{name}-speaker.json").write_text(json.dumps(speaker))
        kept = Path(f"tally-{given.seed}.json")
        tally = Tally.read(kept)
        shares = {kind: SHARES[kind] for kind in given.kind or SHARES}
        for kind, share in shares.items():
            wanted = round(share / sum(shares.values()) * given.kills)
            while (left := wanted - tally.killed[kind]) > 0:
                tally.begun += 1
                number, rng = tally.begun, np.random.default_rng([given.seed, tally.begun])
                shutil.rmtree(f"{kind.split()[0]}-{number}", ignore_errors=True)
                most = MOST_PER_SESSION[kind.split()[0]]
                try:
                    play(number, kind, min(left, most), rng, tally)
                except RuntimeError as error:
                    tally.faults.append(f"session {number} ({kind}): {error}")
                tally.write(kept)
                if len(tally.faults) > MOST_FAULTS:
                    break
                print(f"{kind}: {tally.killed[kind]} of {wanted} kills", flush=True)
    kinds = ", ".join(f"{n} of the {kind}" for kind, n in tally.killed.items())
    print(f"{tally.killed.total()} kills: {kinds}")
    sessions = ", ".join(f"{n} on {engine}" for engine, n in tally.sessions.items())
    print(f"{tally.sessions.total()} sessions ended: {sessions}; {tally.lost} attempts were lost")
    print(f"{tally.answers:,} answers; {tally.receipts:,} receipts, of which {tally.stale:,} stale")
    print(f"{len(tally.faults)} faults")
    for fault in tally.faults:
        print(f"  {fault}")
    return 1 if tally.faults else 0


if __name__ == "__main__":
    sys.exit(main())
