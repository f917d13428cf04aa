"""Child processes end with whoever started them."""

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from many_wolves.processes import ChildProcess, Children

GRANDCHILD = "import subprocess, sys; subprocess.run(['sleep', sys.argv[1]])"
"""A child that has a child, as the driver of a compiler has the compiler."""


def running(word: str) -> list[int]:
    """Processes of this machine with a word among their arguments."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            words = (folder / "cmdline").read_bytes().split(b"\0")
        except OSError:
            continue
        if word.encode() in words:
            found.append(int(folder.name))
    return found


def gone(word: str, within_s: float = 10) -> bool:
    """Whether no such process is left after a while."""
    end = time.monotonic() + within_s
    while running(word) and time.monotonic() < end:
        time.sleep(0.05)
    return not running(word)


def come(word: str, count: int, within_s: float = 20) -> bool:
    end = time.monotonic() + within_s
    while len(running(word)) < count and time.monotonic() < end:
        time.sleep(0.05)
    return len(running(word)) >= count


def test_what_a_command_printed_and_its_status_are_given():
    script = "import sys; print('out'); sys.stderr.buffer.write(b'\\xff'); sys.exit(3)"
    done = ChildProcess([sys.executable, "-c", script]).finish()
    assert (done.returncode, done.stdout, done.stderr) == (3, "out\n", "\ufffd")


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_a_child_and_its_own_child_end_with_their_parent(how):
    seconds = f"6{how.value:02d}1.5"
    parent = subprocess.Popen(
        [
            sys.executable,
            "-c",
            "import sys; from many_wolves.processes import ChildProcess;"
            f"ChildProcess([sys.executable, '-c', {GRANDCHILD!r}, '{seconds}']).finish()",
        ],
        stderr=subprocess.DEVNULL,
    )
    assert come(seconds, 2)
    os.kill(parent.pid, how)
    parent.wait(10)
    assert gone(seconds)


STUDY = """
import sys
from pathlib import Path
from many_wolves.study.runner import Runner
from many_wolves.study.stages import Stage, StateFile
place, seconds = Path(sys.argv[1]), sys.argv[2]
def stage(name, beside):
    return Stage(name, ("-c", f"import time; time.sleep({seconds})"), (), (), beside=beside)
runner = Runner(StateFile(place / "study.json"), place / "logs", program=(sys.executable,))
runner.run([stage("front", False), stage("back", True)])
"""


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
def test_no_stage_of_a_study_outlives_it(tmp_path, how):
    seconds = f"7{how.value:02d}1.5"
    words = f"import time; time.sleep({seconds})"
    parent = subprocess.Popen(
        [sys.executable, "-c", STUDY, str(tmp_path), seconds], stderr=subprocess.DEVNULL
    )
    assert come(words, 2)
    os.kill(parent.pid, how)
    parent.wait(10)
    assert gone(words)


def test_a_timeout_ends_the_child():
    with pytest.raises(subprocess.TimeoutExpired):
        ChildProcess([sys.executable, "-c", GRANDCHILD, "6092.5"]).finish(timeout=1.5)
    assert gone("6092.5")


def test_one_call_ends_all_commands_and_none_begins_afterwards():
    children = Children()
    faults: list[BaseException] = []

    def run() -> None:
        try:
            children.run([sys.executable, "-c", GRANDCHILD, "6093.5"])
        except InterruptedError as fault:
            faults.append(fault)

    threads = [threading.Thread(target=run) for _ in range(2)]
    for thread in threads:
        thread.start()
    assert come("6093.5", 4)
    children.end()
    for thread in threads:
        thread.join(10)
    assert len(faults) == 2 and gone("6093.5")
    with pytest.raises(InterruptedError):
        children.run(["true"])


COUNTS = """
import signal, sys, time
from pathlib import Path
from many_wolves import interrupts
came = []
def note(number, frame):
    came.append(number)
    Path(sys.argv[1]).write_text(str(len(came)))
with interrupts.answered():
    signal.signal(signal.SIGINT, note)
    Path(sys.argv[1] + ".ready").touch()
    while len(came) < int(sys.argv[2]):
        time.sleep(0.02)
    time.sleep(0.3)
sys.exit(interrupts.INTERRUPTED)
"""
"""A stage that counts interrupts, and ends after so many."""

INTERRUPTED_STUDY = f"""
import sys
from pathlib import Path
from many_wolves import interrupts
from many_wolves.study.runner import Runner
from many_wolves.study.stages import Stage, StateFile
place, patience = Path(sys.argv[1]), sys.argv[2]
stage = Stage("front", ("-c", {COUNTS!r}, str(place / "count"), patience), (), ())
try:
    with interrupts.answered():
        Runner(StateFile(place / "s.json"), place / "logs", program=(sys.executable,)).run([stage])
except KeyboardInterrupt:
    sys.exit(interrupts.INTERRUPTED)
"""


@pytest.mark.parametrize("times", [1, 2])
def test_a_stage_gets_an_interrupt_of_the_terminal_once_each(tmp_path, times):
    study = subprocess.Popen(
        [sys.executable, "-c", INTERRUPTED_STUDY, str(tmp_path), str(times)],
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    end = time.monotonic() + 30
    seen = tmp_path / "count.ready"
    for done in range(times):
        while not (seen.exists() and (done == 0 or seen.read_text() == str(done))):
            assert time.monotonic() < end
            time.sleep(0.02)
        seen = tmp_path / "count"
        os.killpg(study.pid, signal.SIGINT)
    _, said = study.communicate(timeout=40)
    assert study.returncode == 130
    assert (tmp_path / "count").read_text() == str(times)
    assert said.count("Interrupted.") == 1 and "Traceback" not in said
