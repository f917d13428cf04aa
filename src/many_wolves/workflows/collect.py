"""Collects speakers' answers to a file of trials: vignettes, games or experiments."""

from __future__ import annotations

import html
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from many_wolves import families
from many_wolves.collection import AT_ONCE, Collected, Seat, Trials, collect, play, read_trials
from many_wolves.contracts import EpisodicFamily, TaskFamily, WorldFamily
from many_wolves.counting import number_of
from many_wolves.errors import WolvesError
from many_wolves.records import Choose, SpeakerSpec, Trial
from many_wolves.speakers import Speaker
from many_wolves.speakers.speaker_request import SpeakerRequest, describe_checked, open_speaker
from many_wolves.store.journal_lines import SESSIONS
from many_wolves.workflows.load_faults import LoadError, forget_fault, loading, record_fault
from many_wolves.workflows.proposals import as_proposed
from many_wolves.workflows.rehearsal import rehearse
from many_wolves.workflows.seats import Casting, Episodes, Extents, Seated, cast
from many_wolves.worlds import SPEAKER, EpisodicWorld, World

Say = Callable[[str], None]
"""A function that takes a message for the user."""


@dataclass(frozen=True)
class Table:
    """How episodes are played.

    Parameters
    ----------
    seated
        Speakers for further seats, by seat or role; several take the seats of a role in turn.
        None means the speaker itself.
    at_once
        Number of episodes that are played at once.
    engine, engine_options
        Engine that supplies the questions, and its options, if the family has one.
    """

    seated: Mapping[str, Seated | Sequence[Seated]] = field(default_factory=dict)
    at_once: int = AT_ONCE
    engine: str = ""
    engine_options: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Vignettes:
    """Trials that do not depend on each other, for one speaker."""

    trials: Sequence[Trial]
    replicates: int | Mapping[str, int]
    wanted: SpeakerRequest
    spec: SpeakerSpec
    journal: Path
    family: TaskFamily

    @property
    def journals(self) -> tuple[Path, ...]:
        """The journal of the answers."""
        return (self.journal,)

    def ask(
        self,
        say: Say,
        show: Say | None = None,
        open_speaker: Callable[[], Speaker] | None = None,
    ) -> Collected:
        """Collect the answers that the journal lacks; ``show`` receives the progress instead of
        stderr.

        ``open_speaker`` replaces the loading of the speaker.
        """
        done = collect(
            self.trials,
            replicates=self.replicates,
            spec=self.spec,
            open_speaker=open_speaker or opener(self.wanted, self.spec, self.family),
            reader=self.family.read,
            journal=self.journal,
            say=say,
            show=show,
        )
        forget_fault(self.wanted, self.journal.parent)
        return done


@dataclass(frozen=True)
class Games:
    """Episodes whose later questions depend on earlier answers, with a speaker in each seat."""

    episodes: Episodes
    extents: Extents
    casting: Casting
    family: EpisodicFamily | WorldFamily
    table: Table = field(default_factory=Table)

    @property
    def spec(self) -> SpeakerSpec:
        """The speaker in the first seat."""
        return next(iter(self.casting.specs.values()))

    @property
    def journals(self) -> tuple[Path, ...]:
        """The journals of the speakers, that of the first seat first."""
        return tuple(dict.fromkeys(self.casting.journals.values()))

    def ask(self, say: Say, show: Say | None = None) -> Collected:
        """Play the episodes, continuing from the last answers in the journals."""
        casting = self.casting
        seats = {
            seat: Seat(
                spec, casting.journals[seat], opener(casting.wanted[seat], spec, self.family)
            )
            for seat, spec in casting.specs.items()
        }
        done = play(
            self.episodes,
            seats=seats,
            world=self._world(),
            reader=self.family.read,
            say=say,
            at_once=self.table.at_once,
            total=len(self.episodes),
            show=show,
        )
        for seat in casting.distinct.values():
            forget_fault(casting.wanted[seat], casting.journals[seat].parent)
        return done

    def _world(self) -> World:
        if isinstance(self.family, EpisodicFamily):
            return EpisodicWorld(self.family.turns)
        folder = next(iter(self.casting.journals.values())).parent / SESSIONS
        return self.family.world(
            self.table.engine, {"folder": str(folder), **self.table.engine_options}
        )


@dataclass(frozen=True)
class Answers:
    """Summary of a collection: the speaker, its journals, and counts of answers.

    Parameters
    ----------
    speaker
        Its name.
    journals
        Files of the answers: one per speaker, that of the first seat first.
    asked
        Answers of this call, by status.
    known
        Earlier answers in the journals, by status.
    remark
        Why the collection is incomplete, in words; empty if it is complete.
    """

    speaker: str
    journals: tuple[Path, ...]
    asked: Mapping[str, int]
    known: Mapping[str, int]
    remark: str = ""

    @classmethod
    def of(cls, done: Collected, questions: Vignettes | Games) -> Answers:
        """The summary of a finished collection."""
        failed = done.asked.get("failed", 0)
        remarks = [
            (done.halted, done.why or "stopped early"),
            (failed, f"{number_of(failed, 'answer')} failed"),
            (done.given_up, f"{number_of(done.given_up, 'session')} lost by the server"),
            (done.broken, f"{number_of(done.broken, 'session')} not played to the end"),
        ]
        words = "; ".join(text for count, text in remarks if count)
        return cls(questions.spec.name, questions.journals, done.asked, done.known, words)

    @property
    def complete(self) -> bool:
        """Whether every question is answered; if not, the same call resumes."""
        return not self.remark

    def _repr_html_(self) -> str:
        state = "complete" if self.complete else f"{self.remark}; the same call resumes"
        new = ", ".join(f"{n} {status}" for status, n in sorted(self.asked.items())) or "none"
        lines = [
            f"<b>{html.escape(self.speaker)}: {html.escape(state)}</b>",
            f"New answers: {html.escape(new)}",
            *(f"<code>{html.escape(str(journal))}</code>" for journal in self.journals),
        ]
        return "".join(f"<p>{line}</p>" for line in lines)


@dataclass(frozen=True)
class _Trials:
    """Trials that any speaker can be asked."""

    trials: Sequence[Trial]
    replicates: int
    out: Path
    family: TaskFamily

    def of(self, wanted: SpeakerRequest) -> Vignettes:
        scored = all(isinstance(trial.answer, Choose) for trial in self.trials)
        if wanted.mode == "score" and self.replicates > 1 and scored and not wanted.thinks:
            raise WolvesError(
                f"expected one replicate in score mode, found {self.replicates}",
                fix="leave --replicates out: each replicate would have the same scores",
            )
        spec = loading(lambda: describe_checked(wanted, sampled=not scored))
        rehearse({SPEAKER: wanted}, {SPEAKER: spec}, self.family, self.trials)
        single = self.out.suffix == ".jsonl"
        journal = self.out if single else self.out / self.family.name / f"{spec.slug}.jsonl"
        return Vignettes(self.trials, self.replicates, wanted, spec, journal, self.family)


@dataclass(frozen=True)
class _Openings:
    """Openings of episodes that any speaker can play."""

    trials: Trials
    replicates: int
    out: Path
    family: EpisodicFamily | WorldFamily
    extents: Extents
    table: Table

    def of(self, wanted: SpeakerRequest) -> Games:
        family = self.family
        sampled = self.trials.sampled or not isinstance(family, EpisodicFamily)
        seats, named = self.extents.seats, self.table.seated
        casting = cast(wanted, named, seats, family.name, self.out, sampled=sampled)
        rehearse(casting.wanted, casting.specs, family, self.trials)
        episodes = Episodes(self.trials, self.replicates, casting.specs, family)
        return Games(episodes, self.extents, casting, family, self.table)


class Collection:
    """A file of trials, and the settings for collecting answers to them.

    Parameters
    ----------
    path
        The file that ``wolves compile`` wrote.
    out
        Folder of journals, or one journal (a name that ends in ``.jsonl``).
    replicates
        Number of times that each trial is asked or each episode is played.
    table
        How episodes are played; only for games and experiments.

    Raises
    ------
    WolvesError
        If the file cannot be read, or contains trials of several families.
    """

    def __init__(
        self, path: Path, out: Path, replicates: int = 1, table: Table | None = None
    ) -> None:
        self.out = out
        self.family = family = families.get(family_in(path))
        self._questions: _Openings | _Trials
        if isinstance(family, EpisodicFamily | WorldFamily):
            openings = Trials(path)
            _one_family(openings.families)
            extents = Extents(openings, replicates, family)
            self._questions = _Openings(
                openings, replicates, out, family, extents, Table() if table is None else table
            )
        else:
            trials = read_trials(path)
            _one_family([trial.family for trial in trials])
            self._questions = _Trials(trials, replicates, out, family)

    def speakers(self, several: Sequence[SpeakerRequest], say: Say) -> list[SpeakerRequest]:
        """Speakers with the settings that the design of games proposes; see ``as_proposed``."""
        if isinstance(self._questions, _Trials):
            return list(several)
        openings = self._questions.trials
        return [one for wanted in several for one in as_proposed(wanted, openings, say)]

    def of(self, wanted: SpeakerRequest) -> Vignettes | Games:
        """The questions for one speaker; loads no weights and asks nothing.

        Raises
        ------
        LoadError
            If the speaker's model or settings are invalid.
        WolvesError
            If it cannot answer these questions, or a seat is empty.
        """
        return self._questions.of(wanted)

    def each[T](
        self,
        several: Sequence[SpeakerRequest],
        act: Callable[[Vignettes | Games], T],
        failed: Callable[[SpeakerRequest, LoadError, Path], T],
        ended: Callable[[T], bool],
    ) -> list[T]:
        """Call ``act`` for one speaker after another; a speaker that cannot be loaded is recorded.

        Parameters
        ----------
        several
            The speakers.
        act
            Collects the answers, or prints what would be asked; returns a status.
        failed
            Receives a speaker that cannot be loaded, the error, and the path of its record.
        ended
            Whether to stop after this result of ``act``.

        Raises
        ------
        WolvesError
            If the only speaker cannot be loaded, or several would share one journal.
        """
        check_folder(several, self.out)
        results = []
        for wanted in several:
            try:
                results.append(act(self.of(wanted)))
            except LoadError as fault:
                if len(several) == 1:
                    raise
                path = record_fault(fault, wanted, self.out / self.family.name)
                results.append(failed(wanted, fault, path))
            if ended(results[-1]):
                break
        return results


def opener(wanted: SpeakerRequest, spec: SpeakerSpec, family: TaskFamily) -> Callable[[], Speaker]:
    """A function that loads the speaker; its errors become ``LoadError``."""
    return lambda: loading(lambda: open_speaker(wanted, spec, family.simulator))


def family_in(path: Path) -> str:
    """The family of the first trial of a file."""
    return next(Trials.read(path)).family


def _one_family(named: Sequence[str]) -> None:
    """Refuse trials of several families."""
    found = sorted(set(named))
    if len(found) > 1:
        raise WolvesError(
            f"expected trials of one task family, found {', '.join(found)}",
            fix="collect each family in a separate run",
        )


def check_folder(several: Sequence[SpeakerRequest], out: Path) -> None:
    """Refuse one journal for several speakers.

    Raises
    ------
    WolvesError
        If the output is one journal and there are several speakers.
    """
    if len(several) > 1 and out.suffix == ".jsonl":
        raise WolvesError(
            f"expected a folder for {len(several)} speakers, found one journal",
            where=out,
            fix="give a folder with --out: each speaker has a separate journal",
        )
