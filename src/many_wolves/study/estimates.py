"""Estimates the remaining questions of a study and their cost."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from many_wolves import families
from many_wolves.contracts import EpisodicFamily, WorldFamily
from many_wolves.records import SpeakerSpec, Trial
from many_wolves.speakers.cost import Price, estimate, find_price, size_of
from many_wolves.speakers.effort import BUDGETS
from many_wolves.store.journal_lines import journal_files, read_journal
from many_wolves.study.collect_stages import journal_of
from many_wolves.study.paths import StudyPaths
from many_wolves.study.schema import Study
from many_wolves.study.seats import Seats, has_sessions, seats_of
from many_wolves.study.speakers import Cast, cast
from many_wolves.study.task_schema import Task
from many_wolves.workflows.seats import Extents, placed


@dataclass(frozen=True)
class Bill:
    """The remaining questions and the cost of one speaker of a study.

    Parameters
    ----------
    name
        Name of the speaker, with revision and effort.
    answered, calls
        Numbers of answered questions, and of those still to ask.
    input, output
        Approximate tokens of the calls; ``output`` is an upper bound if the speaker reasons.
    price
        Price of its tokens; None if the table lacks the model.
    batch
        Whether the provider's batch mode is used.
    """

    name: str
    answered: int
    calls: int
    input: float
    output: float
    price: Price | None
    batch: bool

    @property
    def money(self) -> float | None:
        """Approximate cost in US dollars; None if the price is unknown."""
        if self.price is None:
            return None
        return self.price.of(self.input, self.output, batch=self.batch)


def bills(
    study: Study, places: StudyPaths, trials: Sequence[Trial], prices: Path | None = None
) -> Iterator[Bill]:
    """A bill per speaker, in the order of the study.

    Parameters
    ----------
    trials
        The trials that the study asks.
    prices
        Table of prices; the shipped one if None.

    Raises
    ------
    WolvesError
        If the table of prices is invalid, or a pattern of checkpoints matches nothing.
    """
    task = study.plan[0]
    seats = seats_of(study, task)
    # Speakers share the trials, of which there may be thousands.
    sizes = [] if has_sessions(task) else [(trial.id, size_of(trial)) for trial in trials]
    for speaker in cast(study):
        replicates = speaker.replicates
        journal = journal_of(speaker, task, places, seats)
        if has_sessions(task):
            yield from _of_sessions(speaker, task, seats, journal, trials, prices)
            continue
        done = _answered(journal)
        open_ = [size for r in range(replicates) for at, size in sizes if (at, r) not in done]
        taken = estimate(
            open_, mode=speaker.asking.get("mode", "sample"), thought=_thought(speaker)
        )
        yield Bill(
            name=speaker.name,
            answered=len(trials) * replicates - len(open_),
            calls=taken.calls,
            input=taken.input,
            output=taken.output,
            price=_price(speaker, prices),
            batch=bool(speaker.asking.get("batch")),
        )


def _of_sessions(
    speaker: Cast,
    task: Task,
    seats: Seats,
    journal: Path,
    trials: Sequence[Trial],
    prices: Path | None,
) -> Iterator[Bill]:
    """The bills of sessions, one per speaker, as if all seats had the same number of turns."""
    family = families.of_task(task.task)[0]
    assert isinstance(family, EpisodicFamily | WorldFamily)
    extents = Extents(trials, speaker.replicates, family)
    at = {seat: who or speaker for seat, who in placed(seats, extents.seats).items()}
    sitting = Counter(at.get(seat, speaker).name for seat in extents.seats)
    who = {one.name: one for one in (speaker, *at.values())}
    given = _by_speaker(journal)
    for name, number in sorted(sitting.items(), key=lambda item: item[0] != speaker.name):
        one = who[name]
        part = number / len(extents.seats)
        turns = round(extents.turns * part)
        answered = min(turns, given[one.spoken_name])
        left = part * (1 - answered / turns) if turns else 0.0
        free = one.entry.provider == "simulated"
        yield Bill(
            name=name if name == speaker.name else f"{speaker.name}, seats of {name}",
            answered=answered,
            calls=turns - answered,
            input=0.0 if free else extents.input * left,
            output=0.0 if free else extents.output * left,
            price=_price(one, prices),
            batch=bool(one.asking.get("batch")),
        )


def _by_speaker(folder: Path) -> Counter[str]:
    """Answers of each speaker in a folder of journals."""
    files = journal_files([folder]) if folder.is_dir() else []
    return Counter(
        response.speaker.name
        for file in files
        for response in read_journal(file).responses
        if response.status != "failed"
    )


def _answered(journal: Path) -> set[tuple[str, int]]:
    """Pairs of trial and replicate whose answer is final."""
    if not journal.is_file():
        return set()
    responses = read_journal(journal).responses
    return {(r.trial_id, r.replicate) for r in responses if r.status != "failed"}


def _thought(speaker: Cast) -> int:
    """Maximum number of reasoning tokens."""
    tokens = speaker.asking.get("thinking_tokens")
    return tokens if tokens is not None else BUDGETS.get(speaker.effort, 0)


def _price(speaker: Cast, prices: Path | None) -> Price | None:
    """The price in a table; without one, in the speaker's own or in the shipped table."""
    own = speaker.asking.get("prices")
    return find_price(_spec(speaker), prices or (Path(own) if own else None))


def _spec(speaker: Cast) -> SpeakerSpec:
    provider, model = speaker.entry.provider, speaker.entry.model
    if provider == "api":
        provider, _, model = model.partition("/")
    return SpeakerSpec(provider, model)
