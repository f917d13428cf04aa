"""Trials, speakers and journals for the tests of collection."""

import json
import threading
from pathlib import Path

import numpy as np

from many_wolves.contracts import OptionAnswers, Reading
from many_wolves.records import Choose, Message, Option, Question, Response, SpeakerSpec, Trial
from many_wolves.speakers import SimulatedSpeaker
from many_wolves.store.journal_lines import read_journal

OPTIONS = tuple(Option(id, f"It was {id}.") for id in ("bad", "good", "amazing"))
SPEC = SpeakerSpec("simulated", "tester", parameters={"alpha": 1})


def a_trial(
    number: int,
    options: tuple[Option, ...] = OPTIONS,
    prompt: str = "",
    baseline: tuple[Message, ...] = (),
) -> Trial:
    """A small trial; trials of different numbers differ."""
    return Trial(
        family="politeness",
        task="choice",
        cell={"item": f"cake {number}", "state": number % 4},
        answer=Choose(options, baseline),
        messages=(Message("user", prompt or f"How was cake {number}?"),),
    )


def trials(n: int) -> list[Trial]:
    return [a_trial(i) for i in range(n)]


def write_trials(path: Path, listed: list[Trial]) -> Path:
    path.write_text("".join(json.dumps(t.to_json()) + "\n" for t in listed))
    return path


def read_exact(question: Question, text: str) -> Reading:
    """A reader for tests: the text must be an option's, word for word."""
    for option in question.options:
        if option.text == text.strip():
            return Reading(option.id, "answered")
    return Reading(None, "unparsed")


def simulated(spec: SpeakerSpec = SPEC, p=(0.2, 0.3, 0.5), delay_s: float = 0.0):
    return SimulatedSpeaker(spec, OptionAnswers(lambda trial: np.asarray(p)), delay_s)


def answers(listed: list[Trial], spec: SpeakerSpec = SPEC) -> list[Response]:
    from many_wolves.speakers import Request

    asked = [Request(trial, 0) for trial in listed]
    return list(simulated(spec).ask(asked, threading.Event()))


def keys(path: Path) -> list[str]:
    """Keys of a journal, one a line; every line must be whole."""
    reading = read_journal(path)
    assert not reading.torn
    assert not reading.bad
    return [response.key for response in reading.responses]
