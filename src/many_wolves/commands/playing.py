"""What ``wolves collect`` does where later questions depend on earlier answers."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

import click

from many_wolves.collection import Seat, Trials, play
from many_wolves.collection.course import Course
from many_wolves.commands.collecting import (
    FAILED,
    INTERRUPTED,
    OK,
    LoadError,
    check_folder,
    conclude,
    family_of,
    forget_fault,
    loading,
    read_parameters,
    record_fault,
    say,
)
from many_wolves.contracts import Episode, EpisodicFamily
from many_wolves.errors import WolvesError
from many_wolves.journals import read_journal
from many_wolves.records import Response, SpeakerSpec
from many_wolves.sources import nearest
from many_wolves.speakers.budget import find_price
from many_wolves.speakers.wanted import LOCAL, Wanted, describe, open_speaker

ITSELF = "self"
_TURN_TOKENS = 110.0
"""About what a further turn adds to a prompt: what came of the last one, and the question."""
_ANSWER_TOKENS = 12.0
_NAMES = {"model_type": "provider", "model_name": "model", "model_path": "path"}


@dataclass(frozen=True)
class Casting:
    """Who is asked, and where the answers go.

    Parameters
    ----------
    wanted, specs
        Speakers as they were named, and in full, by seat.
    journals
        Their journals.
    """

    wanted: tuple[Wanted, ...]
    specs: tuple[SpeakerSpec, ...]
    journals: tuple[Path, ...]


def play_all(
    path: Path,
    replicates: int,
    several: list[Wanted],
    opponent: str | None,
    out: Path,
    family: EpisodicFamily,
    at_once: int,
    told: tuple[bool, bool],
) -> int:
    """Play the episodes of a file with each speaker; the exit status.

    ``opponent`` names the speaker of the second seat, as ``--with`` does. ``told``: whether
    only to tell what would be asked, and whether to explain it.
    """
    trials = Trials(path)
    family_of(list(trials.families))
    check_folder(several, out)
    statuses = []
    for wanted in several:
        seats = [wanted] + ([other_speaker(opponent, wanted)] if opponent else [])
        try:
            casting = cast(seats, family.name, out)
            episodes = Episodes(trials, replicates, casting.specs, family)
            if any(told):
                tell(episodes, casting, family, explained=told[1])
                continue
            statuses.append(ask(episodes, casting, family, at_once))
        except LoadError as fault:
            if len(several) == 1:
                raise
            record_fault(fault, wanted, out, family.name)
            statuses.append(FAILED)
        else:
            if wanted.revision and out.suffix != ".jsonl":
                forget_fault(wanted, out, family.name)
        if statuses[-1] == INTERRUPTED:
            break
    return max(statuses, default=OK)


def as_proposed(wanted: Wanted, trials: Path) -> Wanted:
    """The speaker with the settings that the design of the trials proposes.

    Settings that the user gave stay; those that the speaker does not take are left out,
    and the user is told.
    """
    manifest = trials.with_name(trials.name.removesuffix(".jsonl") + ".manifest.json")
    if wanted.provider == "simulated" or not manifest.is_file():
        return wanted
    proposed = json.loads(manifest.read_text(encoding="utf-8")).get("asked_with", {})
    for name, value in proposed.items():
        of_weights = name == "max_tokens"
        if getattr(wanted, name) is not None or (of_weights and wanted.provider not in LOCAL):
            continue
        if wanted.mode == "score" and not wanted.thinks:
            continue
        candidate = replace(wanted, **{name: value})
        if wanted.provider in LOCAL or _takes(candidate):
            wanted = candidate
            say(f"{name} {value:g}, as the design of the trials says.")
        else:
            say(f"The trials' design says {name} {value:g}; this speaker takes none.")
    return wanted


def _takes(wanted: Wanted) -> bool:
    try:
        describe(wanted)
    except WolvesError as fault:
        return "takes no" not in fault.problem
    return True


def other_speaker(words: str, first: Wanted) -> Wanted:
    """The speaker of the second seat: the first again, or the one that a file describes.

    Raises
    ------
    WolvesError
        If the file is at fault.
    """
    if words == ITSELF:
        return first
    path = Path(words)
    found = {_NAMES.get(name, name): value for name, value in read_parameters(path).items()}
    known = {field.name for field in fields(Wanted)} - {"api_key", "patience", "delay_s"}
    for name in found:
        if name not in known:
            raise WolvesError(
                f"unknown setting {name!r} of the other speaker",
                where=path,
                mend=nearest(name, known),
            )
    if isinstance(found.get("parameters"), str):
        found["parameters"] = read_parameters(path.parent / found["parameters"])
    if found.get("path"):
        found["path"] = Path(found["path"])
    return Wanted(**{"provider": "", **found}, patience=first.patience)


def cast(wanted: Sequence[Wanted], family: str, out: Path) -> Casting:
    """Who sits where, and the journal of each."""
    specs = [loading(lambda one=one: describe(one)) for one in wanted]  # type: ignore[misc]
    if len({spec.slug for spec in specs}) > 1 and out.suffix == ".jsonl":
        raise WolvesError(
            "expected a folder for two speakers, found one journal",
            where=out,
            mend="give a folder with --out: each speaker has a journal of its own",
        )
    journals = [
        out if out.suffix == ".jsonl" else out / family / f"{spec.slug}.jsonl" for spec in specs
    ]
    return Casting(tuple(wanted), tuple(specs), tuple(journals))


class Episodes:
    """The episodes of a file of openings, every replicate, read as they are begun.

    Raises
    ------
    WolvesError
        If an episode has more seats than there are speakers.
    """

    def __init__(
        self, trials: Trials, replicates: int, specs: Sequence[SpeakerSpec], family: EpisodicFamily
    ) -> None:
        self._trials, self._replicates = trials, replicates
        self._specs, self._family = tuple(specs), family
        self.turns = 0
        self.input = 0.0
        for opening in trials:
            extent = family.extent(opening)
            if extent.seats > len(specs):
                raise WolvesError(
                    f"expected {extent.seats} speakers for the episode {opening.id}, found one",
                    where=trials.path,
                    mend="--with self, or --with FILE.json for another model",
                )
            self.turns += extent.turns * replicates
            first = sum(len(m.content) for m in opening.messages) / 4 + _TURN_TOKENS
            later = (extent.turns / extent.seats - 1) / 2 * _TURN_TOKENS
            self.input += extent.turns * replicates * (first + later)

    def __len__(self) -> int:
        return len(self._trials) * self._replicates

    def __iter__(self) -> Iterator[Episode]:
        for replicate in range(self._replicates):
            for opening in self._trials:
                seats = self._family.extent(opening).seats
                yield Episode(opening, replicate, self._specs[:seats])


def ask(episodes: Episodes, casting: Casting, family: EpisodicFamily, at_once: int) -> int:
    """Play the episodes; the exit status."""
    seats = [
        Seat(spec, journal, _opener(wanted, spec, family))
        for wanted, spec, journal in zip(
            casting.wanted, casting.specs, casting.journals, strict=True
        )
    ]
    done = play(
        episodes,
        seats=seats,
        take_turns=family.turns,
        reader=family.read,
        say=say,
        at_once=at_once,
        total=len(episodes),
    )
    for journal in dict.fromkeys(casting.journals[1:]):
        if journal != casting.journals[0]:
            click.echo(journal)
    unread = {s: n for s, n in done.asked.items() if s in ("unparsed", "refused", "empty")}
    if unread:
        told = ", ".join(f"{n} {status}" for status, n in sorted(unread.items()))
        say(f"{sum(unread.values())} episodes ended by an answer without a choice: {told}.")
    return conclude(done, casting.specs[0])


def _opener(wanted: Wanted, spec: SpeakerSpec, family: EpisodicFamily) -> Any:
    return lambda: loading(lambda: open_speaker(wanted, spec, family.simulator))


def tell(episodes: Episodes, casting: Casting, family: EpisodicFamily, *, explained: bool) -> None:
    """Print what would be asked, and what it would cost at most."""
    known = _known(casting.journals)
    statuses = Counter(
        response.status for answers in known.values() for response in answers.values()
    )
    if explained:
        for line in _explain(episodes, family, known):
            click.echo(line)
    for spec, journal in zip(casting.specs, casting.journals, strict=True):
        click.echo(f"speaker  {spec.name}")
        click.echo(f"journal  {journal}")
    click.echo(f"{len(episodes):12d} episodes")
    for status, n in sorted(statuses.items()):
        click.echo(f"{n:12d} {status}")
    left = max(0, episodes.turns - sum(n for s, n in statuses.items() if s != "failed"))
    click.echo(f"{left:12d} calls to make, at most")
    share = left / episodes.turns if episodes.turns else 0.0
    tokens = episodes.input * share
    click.echo(f"{tokens:12.0f} input tokens, about")
    click.echo(f"{left * _ANSWER_TOKENS:12.0f} output tokens, about, without thoughts")
    price = find_price(casting.specs[0], casting.wanted[0].prices)
    if price is None:
        click.echo("     unknown US dollars: the table of prices lacks this model (--prices FILE)")
        return
    money = price.of(tokens, left * _ANSWER_TOKENS, batch=casting.wanted[0].batch)
    click.echo(f"{money:12.2f} US dollars, about")


def _known(journals: Sequence[Path]) -> dict[tuple[str, int], dict[str, Response]]:
    """Answers by episode and replicate."""
    known: dict[tuple[str, int], dict[str, Response]] = {}
    for journal in dict.fromkeys(journals):
        for response in read_journal(journal).responses if journal.exists() else ():
            known.setdefault((response.episode, response.replicate), {})[response.key] = response
    return known


def _explain(
    episodes: Episodes,
    family: EpisodicFamily,
    known: Mapping[tuple[str, int], Mapping[str, Response]],
) -> Iterator[str]:
    for episode in episodes:
        answers = known.get((episode.id, episode.replicate), {})
        sound = {key: r for key, r in answers.items() if r.status != "failed"}
        course = Course(episode, family.turns, sound)
        cell = " ".join(f"{name}={value}" for name, value in episode.opening.cell.items())
        numbers = ", ".join(str(request.trial.turn + 1) for _, request in course.open.values())
        why = "will not be asked: it has ended" if course.ended else f"goes on with turn {numbers}"
        yield (
            f"{episode.id} replicate {episode.replicate} ({episode.opening.task} {cell}): "
            f"{course.met} turns answered; {why}"
        )
