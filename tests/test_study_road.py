"""Whole runs of a study: interrupted, and from the first prompt to its report."""

from __future__ import annotations

import csv
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from many_wolves.cli import run, wolves
from study_files import written

SLOW = """
import signal, sys, pathlib
# Shells start what runs in the background with interrupts ignored.
signal.signal(signal.SIGINT, signal.default_int_handler)
from many_wolves.study.runner import Runner
from many_wolves.study.stages import Stage, StateFile
folder = pathlib.Path(sys.argv[1])
(folder / "stage.py").write_text(
    "import pathlib, signal, sys, time\\n"
    "signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGINT])\\n"
    "name = sys.argv[1]\\n"
    "if name == 'slow': pathlib.Path('begun').write_text('x'); time.sleep(60)\\n"
    "pathlib.Path(name).write_text(name)\\n")
stages = [Stage(n, (n,), (), (folder / n,), after=a) for n, a in
          [("quick", ()), ("slow", ("quick",))]]
program = (sys.executable, str(folder / "stage.py"))
try:
    Runner(StateFile(folder / "state.json"), folder, program).run(stages)
except KeyboardInterrupt:
    sys.exit(130)
"""


def test_an_interrupted_study_keeps_what_has_ended(tmp_path: Path) -> None:
    process = subprocess.Popen([sys.executable, "-c", SLOW, str(tmp_path)], cwd=tmp_path)
    while not (tmp_path / "begun").exists():
        assert process.poll() is None
        time.sleep(0.05)
    os.kill(process.pid, signal.SIGINT)
    assert process.wait(timeout=60) == 130
    done = json.loads((tmp_path / "state.json").read_text())["stages"]
    assert list(done) == ["quick"]


ROAD = """
study: road
question: Is the road open?
trials: {{goals: [informative, social], items: [cake, poem], tasks: [choice, literal]}}
collect: {{mode: score}}
fit: {{chains: 2, warmup: 300, draws: 300, seed: {seed}}}
report: {{figures: [weights], pages: false}}
speakers:
  - name: known
    provider: simulated
    model: known
    parameters:
      alpha: 4
      cost: 2
      weights:
        informative: {{w_inf: 0.8, w_soc: 0.1, w_pres: 0.1, phi: 0.7}}
        social: {{w_inf: 0.1, w_soc: 0.8, w_pres: 0.1, phi: 0.2}}
"""


@pytest.mark.stan
def test_the_whole_road_with_a_speaker_of_known_weights(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    study = written(tmp_path, ROAD.format(seed=1))
    # Each stage is a process of its own, as always; the command that begins them need not be one.
    status = run(wolves, ["study", "run", str(study)])
    first = capfd.readouterr()
    assert status == 0, first.err
    report = tmp_path / "rsa-output/road/report.html"
    assert f"Report: {report}" in first.out
    assert "Is the road open?" in report.read_text()
    assert list((tmp_path / "plots/road").rglob("*.pdf"))
    with (tmp_path / "rsa-output/road/known/fit/summary.csv").open() as handle:
        mean = {(r["parameter"], r["condition"]): float(r["mean"]) for r in csv.DictReader(handle)}
    assert mean["w_inf", "informative"] > mean["w_inf", "social"]
    assert mean["w_soc", "informative"] < mean["w_soc", "social"]

    assert run(wolves, ["study", "run", str(study)]) == 0
    second = capfd.readouterr()
    assert second.err.count("up to date") == 7
    assert "  > " not in second.err
    assert first.out.endswith(second.out)

    written(tmp_path, ROAD.format(seed=2))
    assert run(wolves, ["study", "status", str(study)]) == 0
    shown = capfd.readouterr().out
    todo = [line.split("  ")[0] for line in shown.splitlines() if "to do" in line]
    assert todo == ["fit known", "figures", "findings", "report"]
