"""Run ``python -m tools.fuzz``: every altered input, and the faults that were found."""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from tools.fuzz.cases import KINDS, SHARES, Case, try_one


def drawn(cases: int, seed: int, kinds: list[str]) -> Iterator[tuple[str, int]]:
    """Kinds and seeds of so many cases, in turn by their shares."""
    turn = [kind for kind in kinds for _ in range(SHARES.get(kind, 1))]
    for number in range(cases):
        yield turn[number % len(turn)], seed * 1_000_000 + number


def main(arguments: list[str] | None = None) -> int:
    """Try the cases; the exit status is 1 where a fault was found."""
    parser = argparse.ArgumentParser(prog="python -m tools.fuzz", description=__doc__)
    parser.add_argument("--cases", type=int, default=1200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--kind", action="append", choices=list(KINDS), help="only this kind")
    parser.add_argument("--one", type=int, metavar="SEED", help="one case of --kind, told whole")
    own = parser.parse_args(arguments)
    kinds = own.kind or list(KINDS)
    base = Path(tempfile.mkdtemp(prefix="fuzz-"))
    if own.one is not None:
        case = try_one(kinds[0], own.one, base / "case")
        print(f"{case.what}\nexit status {case.status}, faults: {case.faults}\n{case.said}")
        print(f"input in {base / 'case'}")
        return int(bool(case.faults))
    faults: list[Case] = []
    statuses: Counter[tuple[str, int]] = Counter()
    for kind, seed in drawn(own.cases, own.seed, kinds):
        folder = base / f"{kind}-{seed}"
        case = try_one(kind, seed, folder)
        statuses[kind, case.status] += 1
        if case.faults:
            faults.append(case)
            _tell(case)
        shutil.rmtree(folder, ignore_errors=True)
    shutil.rmtree(base, ignore_errors=True)
    for kind in kinds:
        ends = {status: n for (k, status), n in sorted(statuses.items()) if k == kind}
        words = ", ".join(f"{n} with exit status {status}" for status, n in ends.items())
        print(f"{kind:12s} {words}")
    print(f"{own.cases} altered inputs, {len(faults)} faults")
    return int(bool(faults))


def _tell(case: Case) -> None:
    last = case.said.strip().splitlines()[-3:]
    print(f"FAULT --kind {case.kind} --one {case.seed}: {case.what}\n  {'; '.join(case.faults)}")
    print("  " + "\n  ".join(line[:300] for line in last), flush=True)


if __name__ == "__main__":
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    sys.exit(main())
