"""An interrupt is answered at once; it lets requests end, but nothing goes on for ever."""

import ctypes
import os
import signal
import subprocess
import sys
import threading
from contextlib import suppress

import click
import pytest

from many_wolves import interrupts
from many_wolves.cli import run
from many_wolves.collection import interrupt


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_request_that_never_ends_is_waited_for_a_while_only(monkeypatch, number):
    monkeypatch.setitem(interrupt.PATIENCE_S, number, 0.2)
    said: list[str] = []
    halted: list[bool] = []
    with (
        pytest.raises(KeyboardInterrupt),
        interrupt.halting(said.append, lambda: halted.append(True)),
    ):
        signal.raise_signal(number)
        threading.Event().wait(30)
    assert halted == [True]
    assert "at the latest" in said[0]


def test_an_interrupt_that_was_obeyed_leaves_nothing_behind(monkeypatch):
    monkeypatch.setitem(interrupt.PATIENCE_S, signal.SIGINT, 0.2)
    before = signal.getsignal(signal.SIGINT)
    with interrupt.halting(lambda text: None, lambda: None):
        signal.raise_signal(signal.SIGINT)
    assert signal.getsignal(signal.SIGINT) is before
    threading.Event().wait(0.5)


def test_the_second_interrupt_stops_at_once():
    with pytest.raises(KeyboardInterrupt), interrupt.halting(lambda text: None, lambda: None):
        signal.raise_signal(signal.SIGINT)
        signal.raise_signal(signal.SIGTERM)
        threading.Event().wait(30)


@pytest.mark.parametrize("number", interrupts.SIGNALS)
def test_an_interrupt_that_a_destructor_swallows_comes_again(number, capfd):
    before = signal.getsignal(number)

    class Swallows:
        def __del__(self):
            signal.raise_signal(number)

    with pytest.raises(KeyboardInterrupt), interrupts.answered():
        Swallows()
        threading.Event().wait(30)
    words = capfd.readouterr().err
    assert words.count(interrupts.AGAIN) == 1 and "Traceback" not in words
    assert signal.getsignal(number) is before


def test_an_interrupt_that_a_library_catches_comes_again(monkeypatch, capfd):
    monkeypatch.setattr(interrupts, "INSIST_S", 0.05)
    with pytest.raises(KeyboardInterrupt), interrupts.answered():
        with suppress(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
        threading.Event().wait(30)
    assert capfd.readouterr().err.count(interrupts.AGAIN) == 1


def test_a_command_that_catches_every_interrupt_is_ended(monkeypatch):
    monkeypatch.setattr(interrupts, "INSIST_S", 0.02)
    left: list[int] = []
    gone = threading.Event()

    def leave(status: int) -> None:
        left.append(status)
        gone.set()

    caught = 0
    with interrupts.answered(leave):
        with suppress(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
        while not gone.is_set():
            with suppress(KeyboardInterrupt):
                gone.wait(30)
            caught += 1
    assert left == [interrupts.INTERRUPTED] and caught >= interrupts.INSISTS


def test_what_ends_other_processes_is_not_interrupted_for_being_slow(monkeypatch):
    monkeypatch.setattr(interrupts, "INSIST_S", 0.02)
    passed = []
    with pytest.raises(KeyboardInterrupt), interrupts.answered():
        with suppress(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
        with interrupts.ending():
            threading.Event().wait(0.3)
            passed.append("ended")
        threading.Event().wait(30)
    assert passed == ["ended"]


@pytest.mark.skipif(sys.platform == "win32", reason="needs the C library's read")
def test_the_sentence_does_not_wait_for_code_in_c(monkeypatch):
    """The main thread is in a C call that only the sentence ends."""
    come, go = os.pipe()
    late = threading.Timer(30, os.write, (go, b"late"))
    late.start()
    monkeypatch.setattr(interrupts, "write", lambda text: os.write(go, text.encode()))
    answer = ctypes.create_string_buffer(200)
    with pytest.raises(KeyboardInterrupt), interrupts.answered():
        signal.siginterrupt(signal.SIGINT, False)
        interrupting = threading.Timer(
            0.05, signal.pthread_kill, (threading.main_thread().ident, signal.SIGINT)
        )
        interrupting.start()
        ctypes.CDLL(None).read(come, answer, len(answer))
        interrupting.join()
    late.cancel()
    os.close(come)
    os.close(go)
    assert answer.value.decode() == interrupts.AGAIN


def test_a_command_that_lets_requests_end_has_its_own_message(monkeypatch, capfd):
    monkeypatch.setattr(interrupts, "INSIST_S", 0.02)
    said: list[str] = []
    with interrupts.answered(), interrupt.halting(said.append, lambda: None):
        signal.raise_signal(signal.SIGINT)
        threading.Event().wait(0.2)
    assert len(said) == 1 and capfd.readouterr().err == ""


def test_an_interrupt_that_a_library_turns_into_an_error_is_an_interrupt(capfd):
    @click.command()
    def command() -> None:
        try:
            signal.raise_signal(signal.SIGINT)
        except KeyboardInterrupt:
            raise ImportError("numpy failed to import") from None

    with interrupts.answered():
        assert run(command, []) == interrupts.INTERRUPTED
    words = capfd.readouterr().err
    assert interrupts.AGAIN in words and "unexpected" not in words


IMPORTING = """
import builtins, signal
find = builtins.__import__
def slow(name, *rest):
    if name == "click":
        signal.raise_signal(signal.SIGINT)
    return find(name, *rest)
builtins.__import__ = slow
from many_wolves.__main__ import main
main()
"""


def test_an_interrupt_among_the_first_imports_is_answered():
    done = subprocess.run(
        [sys.executable, "-c", IMPORTING],
        check=False,
        capture_output=True,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )
    assert done.returncode == interrupts.INTERRUPTED
    assert done.stderr.strip() == interrupts.AGAIN


WORKING = """
import signal, time
signal.signal(signal.SIGINT, signal.default_int_handler)
import click
from many_wolves import __main__, cli
from many_wolves.workflows.executors import executing
@click.command()
def command():
    with executing(2) as pool:
        work = [pool.submit(time.sleep, 30) for _ in range(4)]
        while not all(one.running() for one in work[:2]):
            time.sleep(0.05)
        print("at work", flush=True)
        work[0].result()
cli.wolves = command
__main__.main()
"""


@pytest.mark.parametrize("number", interrupts.SIGNALS)
def test_a_command_with_workers_ends_in_words_and_leaves_no_semaphores(number):
    command = subprocess.Popen(
        [sys.executable, "-c", WORKING],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert command.stdout is not None and command.stdout.readline() == "at work\n"
    command.send_signal(number)
    _, words = command.communicate(timeout=60)
    assert (command.returncode, words.strip()) == (interrupts.INTERRUPTED, interrupts.AGAIN)


LEAVING = """
import atexit, os, signal, sys, threading
from many_wolves import __main__, cli

class Slow:
    def __del__(self):
        os.write(1, b"unloaded ")

@cli.wolves.command("odd")
def command():
    global held
    held = Slow()
    atexit.register(lambda: print("exit function", end=" "))
    if sys.argv[2:]:
        os.kill(os.getpid(), getattr(signal, sys.argv[2]))
        threading.Event().wait(30)

cli.LazyGroup.get_command = lambda self, context, name: command
cli.COMMANDS["odd"] = ("odd", "")
sys.argv[0] = "wolves"
command.params = [cli.click.Argument(["signal"], required=False, expose_value=False)]
__main__.main()
"""


@pytest.mark.parametrize(
    ("words", "status", "said"),
    [
        (["SIGINT"], interrupts.INTERRUPTED, "exit function"),
        (["SIGTERM"], interrupts.INTERRUPTED, "exit function"),
        ([], 0, "exit function unloaded"),
    ],
)
def test_an_interrupted_command_does_not_wait_for_modules_to_unload(words, status, said):
    done = subprocess.run(
        [sys.executable, "-c", LEAVING, "odd", *words], capture_output=True, text=True, check=False
    )
    assert done.returncode == status, done.stderr
    assert done.stdout.split() == said.split()
