"""A fit that is interrupted or killed leaves no process behind that goes on sampling."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from many_wolves import inference
from many_wolves.families.politeness.model.problem import build
from many_wolves.families.politeness.reading.human import human_table

pytestmark = [
    pytest.mark.stan,
    pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="needs Linux's /proc"),
]
LONG = ["fit", "--human", "yoon2020", "--literal", "fixed", "--engine", "httpstan"]
LONG += ["--draws", "200000"]
BEGIN = (
    "import signal, sys; signal.signal(signal.SIGINT, signal.default_int_handler); "
    "from many_wolves.cli import main; main()"
)


def marked(mark: str) -> set[int]:
    """Running processes with a variable of this value in their environment."""
    found = set()
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if mark.encode() in (folder / "environ").read_bytes():
                found.add(int(folder.name))
        except OSError:
            continue
    return found


def until(holds, seconds: float) -> bool:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if holds():
            return True
        time.sleep(0.2)
    return False


@pytest.mark.parametrize("way", [signal.SIGINT, signal.SIGKILL])
def test_no_chain_outlives_its_fit(way: signal.Signals, tmp_path: Path) -> None:
    inference.load(build(human_table()).program, "httpstan")
    mark = f"MANY_WOLVES_TEST_MARK={tmp_path.name}-{os.getpid()}"
    name, _, value = mark.partition("=")
    process = subprocess.Popen(
        [sys.executable, "-c", BEGIN, *LONG, "--out", str(tmp_path / "fit")],
        env={**os.environ, name: value},
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    assert any("sampling" in line for line in process.stderr)
    assert marked(mark)
    time.sleep(1)
    process.send_signal(way)
    assert until(lambda: not marked(mark), 60)
    status = process.wait(timeout=5)
    assert status == (130 if way is signal.SIGINT else -signal.SIGKILL)
    process.stderr.close()
    assert not (tmp_path / "fit" / "posterior.nc").exists()
