"""CPU time of commands that sample nothing and ask nobody, against importing numpy and pandas.

    python benchmarks/light_commands.py [ROUNDS]

The commands take turns, and the smallest time of each counts, so that other work on the
machine matters little.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parent.parent
GOLDEN = ROOT / "tests" / "golden" / "schema1" / "politeness"
PARAMETERS = {
    "alpha": 4, "cost": 2, "phi_grid": [0.25, 0.5, 0.75], "values": [0, 1],
    "theta": [[0.9, 0.1], [0.1, 0.9], [0.1, 0.9]], "negated": [False, False, True],
    "conditions": [{"w_inf": 0.3, "w_soc": 0.2, "w_pres": 0.5, "phi": 0.5}],
}  # fmt: skip


def commands(folder: Path) -> dict[str, list[str]]:
    """Commands by name; what they write goes into ``folder``."""
    parameters = folder / "parameters.json"
    parameters.write_text(json.dumps(PARAMETERS))
    wolves = [sys.executable, "-m", "many_wolves"]
    dry = ["collect", str(GOLDEN / "trials.jsonl"), "--provider", "simulated", "--dry-run"]
    dry += ["--model_name", "speaker", "--parameters", str(GOLDEN / "parameters.json")]
    table = ["choices", str(GOLDEN / "simulated-sample.jsonl"), "--out", str(folder / "choices")]
    return {
        "import numpy, pandas": [sys.executable, "-c", "import numpy, pandas"],
        "study status": [*wolves, "study", "status", "studies/demo.yaml"],
        "study plan": [*wolves, "study", "plan", "studies/demo.yaml"],
        "study plan of API speakers": [*wolves, "study", "plan", "studies/reasoning-effort.yaml"],
        "collect --dry-run": [*wolves, *dry],
        "predict": [*wolves, "predict", str(parameters)],
        "choices": [*wolves, *table],
    }


def cpu_seconds(command: list[str]) -> float:
    """User and system time of a command and of all that it starts."""
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main() -> None:
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 7
    with tempfile.TemporaryDirectory() as place:
        listed = commands(Path(place))
        taken: dict[str, list[float]] = {name: [] for name in listed}
        for _ in range(rounds):
            for name, command in listed.items():
                taken[name].append(cpu_seconds(command))
    least = {name: min(seconds) for name, seconds in taken.items()}
    base = next(iter(least.values()))
    for name, seconds in least.items():
        print(f"{name:22} {seconds:.2f} s  {seconds / base:.1f}")


if __name__ == "__main__":
    main()
