"""The first interrupt lets requests end, but not for ever."""

import signal
import threading

import pytest

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
