"""Plans which trials are asked, and explains why."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from many_wolves.collection.journal import Entry, differences
from many_wolves.counting import number_of
from many_wolves.records import SpeakerSpec, Trial, with_replicates
from many_wolves.speakers import Request
from many_wolves.store.journal_lines import read_journal

UNASKED = "not asked yet"


@dataclass(frozen=True)
class Plan:
    """The requests to one speaker.

    Parameters
    ----------
    ask
        Requests without an answer, and those that failed.
    again
        Keys of earlier failures in ``ask``.
    known
        Number of requests by their status or ``not asked yet``.
    """

    ask: tuple[Request, ...]
    again: tuple[str, ...]
    known: Mapping[str, int]

    @property
    def total(self) -> int:
        """Number of all requests, asked before or not."""
        return sum(self.known.values())


def answers_to(
    trials: Sequence[Trial], speaker: SpeakerSpec, entries: Mapping[str, Entry]
) -> list[int]:
    """Number of answers to each trial, from replicate zero up to the first gap."""
    found = []
    for trial in trials:
        number = 0
        while (entry := entries.get(Request(trial, number).key(speaker))) is not None:
            if entry.status == "failed":
                break
            number += 1
        found.append(number)
    return found


def make_plan(
    trials: Sequence[Trial],
    replicates: int | Mapping[str, int],
    speaker: SpeakerSpec,
    entries: Mapping[str, Entry],
) -> Plan:
    """The plan for the missing answers of ``trials`` x ``replicates``.

    Refused, empty and unparsed answers count as answers; only failed ones are asked again.
    """
    ask, again = [], []
    known: Counter[str] = Counter()
    for request, key, entry in _looked_up(trials, replicates, speaker, entries):
        known[entry.status if entry else UNASKED] += 1
        if entry is None or entry.status == "failed":
            ask.append(request)
            if entry is not None:
                again.append(key)
    return Plan(tuple(ask), tuple(again), known)


def explain(
    trials: Sequence[Trial],
    replicates: int | Mapping[str, int],
    speaker: SpeakerSpec,
    entries: Mapping[str, Entry],
) -> Iterator[str]:
    """One line per request: its trial, replicate, cell, and why it is asked or not."""
    for request, key, entry in _looked_up(trials, replicates, speaker, entries):
        cell = " ".join(f"{name}={value}" for name, value in request.trial.cell.items())
        yield (
            f"{request.trial.id} replicate {request.replicate} ({request.trial.task} {cell}): "
            f"{_why(entry)} [key {key}]"
        )


def other_settings(journal: Path, speaker: SpeakerSpec) -> Iterator[str]:
    """A line for each other journal in the folder with the same model under other settings."""
    for path in sorted(journal.parent.glob("*.jsonl")):
        if path == journal:
            continue
        responses = read_journal(path).responses
        found = responses[0].speaker if responses else None
        if found and (found.provider, found.model) == (speaker.provider, speaker.model):
            yield (
                f"{path} has {number_of(len(responses), 'answer')} that are not used: their "
                f"speaker differs from this one in {differences(found, speaker)}"
            )


def _looked_up(
    trials: Sequence[Trial],
    replicates: int | Mapping[str, int],
    speaker: SpeakerSpec,
    entries: Mapping[str, Entry],
) -> Iterator[tuple[Request, str, Entry | None]]:
    for trial, replicate in with_replicates(trials, replicates):
        request = Request(trial, replicate)
        key = request.key(speaker)
        yield request, key, entries.get(key)


def _why(entry: Entry | None) -> str:
    if entry is None:
        return "will be asked: the journal has no answer under these settings"
    if entry.status == "failed":
        return f"will be asked again: it failed ({entry.error or 'no reason given'})"
    return f"will not be asked: the journal has its answer, status {entry.status}"
