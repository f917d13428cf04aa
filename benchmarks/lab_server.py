"""Sessions on a running server of the IBEX lab, compared with the same sessions in process.

    export IBEX_USERNAME=... IBEX_PASSWORD=...
    python benchmarks/lab_server.py --server http://127.0.0.1:3080

For each mechanism, twelve truthful players play six rounds, and so does a mixed cast. Both
engines have the same draws and the same players with the same luck. Declarations, purchases,
trades and payoffs must be equal. Exit status 1 where one differs. The server is not part of the
project: the code is at https://github.com/IBEX-TUDelft/IBEX-game_server (MIT).
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
import time
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

from many_wolves.families.markets.engines.ibex import IbexGame, IbexOptions
from many_wolves.families.markets.reading.lab import record_from_lab
from many_wolves.families.markets.rules.parameters import Rules
from many_wolves.families.markets.rules.round import Round
from many_wolves.families.markets.simulation.agents import (
    Exploiter,
    LowBaller,
    OverReporter,
    Truthful,
    ZeroIntelligence,
)
from many_wolves.families.markets.simulation.play import play_session, seat_players
from many_wolves.families.markets.task.experiment import draws_for
from many_wolves.families.markets.task.wording import read_wording
from many_wolves.worlds.ibex.client import Address, GameGoneError, IbexClient
from many_wolves.worlds.session_log import SessionLog

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))
from otree_play import TestDesk, scripted

CASTS = {
    "truthful": {role: [Truthful()] for role in ("owner", "developer", "speculator")},
    "mixed": {
        "owner": [Truthful(), OverReporter()],
        "developer": [LowBaller()],
        "speculator": [ZeroIntelligence(), Exploiter(markup=-0.1)],
    },
}
FIELDS = ("values", "signals", "first", "final", "condition", "first_buys", "final_buys")
VOTING = ("values", "requests", "offer", "votes", "condition")
CENT = 0.005
ATTEMPTS = 3


def rules_of(mechanism: str, ticks: int) -> Rules:
    """The lab's rules: twelve seats (six in voting), a practice round and five others."""
    rules = Rules.lab("voting" if mechanism == "voting" else mechanism)  # type: ignore[arg-type]
    return replace(rules, talk=1) if mechanism == "voting" else replace(rules, ticks=ticks)


def differences(ours: Round, theirs: Round, voting: bool) -> list[str]:
    """What differs between a round in process and the same one on the server."""
    names = VOTING if voting else FIELDS
    found = [name for name in names if getattr(ours, name) != getattr(theirs, name)]
    if {c: m.trades for c, m in ours.markets.items()} != {
        c: m.trades for c, m in theirs.markets.items()
    }:
        found.append("trades")
    paid = theirs.accounts
    apart = [seat for seat, a in ours.accounts.items() if abs(a.payoff - paid[seat].payoff) > CENT]
    return found + [f"payoff of seat {seat}" for seat in apart]


async def compare(address: Address, given: Any, mechanism: str, cast: str, folder: Path) -> bool:
    """Play one session on the server; whether it is equal to the one in process."""
    rules, seed = rules_of(mechanism, given.ticks), given.seed
    players = seat_players(rules, CASTS[cast])
    desk, begin = TestDesk(scripted(rules, players, seed)), time.monotonic()
    options = IbexOptions(lab_session=given.session, turn_s=given.turn_s)
    async with IbexClient(address) as client:
        for attempt in range(ATTEMPTS):
            with SessionLog(folder / f"{mechanism}-{cast}-{attempt}.jsonl") as lines:
                game = IbexGame(client, desk, lines, rules, read_wording(), options, seed)
                try:
                    record = record_from_lab(await game.run())
                    break
                except GameGoneError as gone:
                    print(f"{mechanism} {cast}: another game, because {gone}", flush=True)
        else:
            return False
    local = play_session(rules, players, seed, draws_for(rules, seed, given.session)).record()
    found = [
        f"round {ours.number}: {', '.join(names)}"
        for ours, theirs in zip(local.rounds, record.rounds, strict=True)
        if (names := differences(ours, theirs, mechanism == "voting"))
    ]
    payoffs = sum(len(round_.accounts) for round_ in record.rounds)
    trades = sum(len(m.trades) for r in record.rounds for m in r.markets.values())
    fates = ", ".join(f"{count} {fate}" for fate, count in Counter(desk.fates()).items())
    print(
        f"{mechanism} {cast}: {len(record.rounds)} rounds, {payoffs} payoffs, {trades} trades, "
        f"{fates}, {time.monotonic() - begin:.0f} s; {'; '.join(found) or 'all equal'}",
        flush=True,
    )
    return not found


async def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--server", required=True)
    parser.add_argument("--mechanism", default="harberger,futarchy,voting")
    parser.add_argument("--session", type=int, default=2, help="the lab's draws, 1 to 11")
    parser.add_argument("--ticks", type=int, default=4)
    parser.add_argument("--turn_s", type=float, default=1.5)
    parser.add_argument("--seed", type=int, default=5)
    given = parser.parse_args()
    address = Address.from_environment(given.server)
    with tempfile.TemporaryDirectory() as folder:
        games = [
            compare(address, given, mechanism, cast, Path(folder))
            for mechanism in given.mechanism.split(",")
            for cast in CASTS
        ]
        equal = await asyncio.gather(*games)
    return 0 if all(equal) else 1


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
