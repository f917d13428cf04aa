"""Episodes, and who sits on their seats."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from many_wolves.collection import Trials
from many_wolves.contracts import EpisodicFamily, WorldFamily
from many_wolves.errors import WolvesError
from many_wolves.files import read_json_object
from many_wolves.records import SpeakerSpec, Trial
from many_wolves.records.answer_types import likely_chars
from many_wolves.sources import nearest, quoted
from many_wolves.speakers.api.retry import RetryPolicy
from many_wolves.speakers.config import SpeakerConfig
from many_wolves.speakers.speaker_request import SpeakerRequest, describe
from many_wolves.workflows.loading import loading
from many_wolves.worlds import Episode

Seated = SpeakerRequest | None
"""Who sits on a seat; None is the speaker that is asked, whatever its name."""
ITSELF = "self"
PARTNER = "partner"
"""The seat that ``--with`` names."""
_NAMES = {"model_type": "provider", "model_name": "model", "model_path": "path"}
_PATIENCE = frozenset({"connections", "retries", "retry_wait", "timeout"})
_TURN_TOKENS = 110.0
"""About what a further turn adds to a prompt: what came of the last one, and the question."""
_ANSWER_TOKENS = 12.0
"""Least tokens of an answer, about, for estimates."""


@dataclass(frozen=True)
class Casting:
    """Who is asked, and where the answers go, by the name of the seat.

    Parameters
    ----------
    wanted, specs
        Speakers as they were named, and in full.
    journals
        Their journals.
    """

    wanted: Mapping[str, SpeakerRequest]
    specs: Mapping[str, SpeakerSpec]
    journals: Mapping[str, Path]

    @property
    def distinct(self) -> dict[str, str]:
        """Slug of each speaker -> a seat that it sits on."""
        return {spec.slug: seat for seat, spec in reversed(list(self.specs.items()))}


class Extents:
    """How large the episodes of a file are, all together.

    Parameters
    ----------
    trials
        Their openings.
    replicates
        How often each is played.
    family
        Knows their extents.
    """

    def __init__(
        self, trials: Iterable[Trial], replicates: int, family: EpisodicFamily | WorldFamily
    ) -> None:
        seats: dict[str, None] = {}
        self.turns = 0
        self.input = self.output = 0.0
        for opening in trials:
            extent = family.extent(opening)
            seats |= dict.fromkeys(extent.seats)
            self.turns += extent.turns * replicates
            first = sum(len(m.content) for m in opening.messages) / 4 + _TURN_TOKENS
            later = (extent.turns / len(extent.seats) - 1) / 2 * _TURN_TOKENS
            self.input += replicates * (extent.tokens or extent.turns * (first + later))
            each = max(_ANSWER_TOKENS, likely_chars(opening.answer) / 4)
            self.output += replicates * extent.turns * each
        self.seats = tuple(seats)


def read_seats(
    named: Sequence[str], opponent: str | None, patience: RetryPolicy
) -> dict[str, tuple[Seated, ...]]:
    """Who sits on the seats that ``--seat NAME=FILE|self`` and ``--with`` name.

    Several files, with commas between, are for the seats of a role in turn.

    Parameters
    ----------
    named, opponent
        What the two options say.
    patience
        How patiently APIs are asked.

    Returns
    -------
    dict
        Speakers by seat or role; None for the speaker of the command itself.

    Raises
    ------
    WolvesError
        If a seat is named twice, or a file is at fault.
    """
    listed = [*named, *([f"{PARTNER}={opponent}"] if opponent is not None else [])]
    seats: dict[str, tuple[Seated, ...]] = {}
    for words in listed:
        seat, equals, who = words.partition("=")
        if not equals or not seat or not who:
            raise WolvesError(
                f"expected NAME=FILE.json or NAME=self, found {words!r}",
                fix="--seat partner=self, or --seat partner=rival.json",
            )
        if seat in seats:
            raise WolvesError(
                f"the seat {seat!r} is given twice", fix="leave one out; --with is --seat partner="
            )
        seats[seat] = tuple(
            None if one.strip() == ITSELF else speaker_of_file(Path(one.strip()), patience)
            for one in who.split(",")
        )
    return seats


def read_parameters(path: Path) -> dict[str, Any]:
    """The parameters of a simulated speaker in a JSON file.

    Raises
    ------
    WolvesError
        If the file holds no JSON object.
    """
    return read_json_object(
        path, 'write an object such as {"alpha": 4.5, "cost": 2.6, "weights": {...}}'
    )


def speaker_of_file(path: Path, patience: RetryPolicy | None = None) -> SpeakerRequest:
    """The speaker that a JSON file describes, by the options of ``wolves collect``.

    Parameters
    ----------
    path
        The file: fields of ``SpeakerConfig``, or the names that the command has for them.
    patience
        How patiently an API is asked where the file does not say it.

    Raises
    ------
    WolvesError
        If the file is at fault.
    """
    found = {_NAMES.get(name, name): value for name, value in read_parameters(path).items()}
    if "api_key" in found:
        raise WolvesError(
            "a key does not belong in a file", where=path, fix="set it in the environment"
        )
    if isinstance(found.get("parameters"), str):
        found["parameters"] = read_parameters(path.parent / found["parameters"])
    settings = SpeakerConfig.read(found, of="the speaker", where=str(path))
    wanted = settings.wanted()
    if patience is None or _PATIENCE & settings.model_fields_set:
        return wanted
    return replace(wanted, patience=patience)


def cast(
    first: SpeakerRequest,
    named: Mapping[str, Seated | Sequence[Seated]],
    seats: Sequence[str],
    family: str,
    out: Path,
    *,
    sampled: bool = False,
) -> Casting:
    """Who sits where, and the journal of each.

    Parameters
    ----------
    first
        The speaker of the command: it sits on the seats that nobody else is given, which are
        of one role.
    named
        Who sits on the seats that were named, by seat or role; those of a role take several
        in turn. None stands for the speaker of the command itself.
    seats
        Names of all seats, as the family names them.
    sampled
        Whether some questions are no choices.

    Raises
    ------
    WolvesError
        If a seat is empty, a name is not that of a seat, or several speakers would
        share a journal.
    """
    told = {seat: _tuple(who) for seat, who in named.items()}
    free = check_seats(told, seats)
    if len(free) > 1:
        raise _seats_left(free, _called(seats))
    given = placed(told, seats)
    wanted = {seat: given.get(seat) or first for seat in seats}
    if first not in wanted.values():
        raise _seats_left([], _called(seats))
    specs = {
        seat: loading(lambda one=one: describe(one, sampled=sampled))  # type: ignore[misc]
        for seat, one in wanted.items()
    }
    distinct = {spec.slug for spec in specs.values()}
    if len(distinct) > 1 and out.suffix == ".jsonl":
        raise WolvesError(
            f"expected a folder for {len(distinct)} speakers, found one journal",
            where=out,
            fix="give a folder with --out: each speaker has a separate journal",
        )
    journals = {
        seat: out if out.suffix == ".jsonl" else out / family / f"{spec.slug}.jsonl"
        for seat, spec in specs.items()
    }
    return Casting(wanted, specs, journals)


def check_seats(named: Collection[str], seats: Sequence[str]) -> list[str]:
    """The roles with a seat for which nobody is named.

    Raises
    ------
    WolvesError
        If a name is that of no seat and of no role.
    """
    roles = dict.fromkeys(map(role_of, seats))
    if unknown := [seat for seat in named if seat not in seats and seat not in roles]:
        raise WolvesError(
            f"no episode has a seat {unknown[0]!r}; they have {quoted(_called(seats))}",
            fix=nearest(unknown[0], list(dict.fromkeys([*roles, *seats]))),
        )
    return list(
        dict.fromkeys(role_of(s) for s in seats if s not in named and role_of(s) not in named)
    )


def placed[T](named: Mapping[str, Sequence[T]], seats: Sequence[str]) -> dict[str, T]:
    """Who sits on the seats that are named: by the name of the seat, or by that of its role.

    Those who are named for a role take its seats in turn.
    """
    found: dict[str, T] = {}
    used: Counter[str] = Counter()
    for seat in seats:
        name = seat if seat in named else role_of(seat)
        if name in named:
            found[seat] = named[name][used[name] % len(named[name])]
            used[name] += 1
    return found


def _tuple(who: Seated | Sequence[Seated]) -> tuple[Seated, ...]:
    return tuple(who) if isinstance(who, Sequence) else (who,)


def role_of(seat: str) -> str:
    """The role of a seat that is called by role and number: ``owner`` of ``owner-3``."""
    role, dash, number = seat.rpartition("-")
    return role if dash and number.isdigit() else seat


def _called(seats: Sequence[str]) -> list[str]:
    """What seats are called in messages: those of a role by the role."""
    return list(dict.fromkeys(map(role_of, seats)))


def _seats_left(free: Sequence[str], seats: Sequence[str]) -> WolvesError:
    if not free:
        return WolvesError(
            f"no seat is left for the speaker of the command: {quoted(seats)} are all given to "
            "others",
            fix="leave one --seat out",
        )
    lacking = " ".join(f"--seat {seat}=self" for seat in free[1:])
    other = " (--with self)" if PARTNER in free[1:] else ""
    return WolvesError(
        f"expected a speaker for each of the seats {quoted(seats)}, found none for "
        f"{quoted(free[1:])}",
        fix=f"{lacking}{other}, or NAME=FILE.json for another model",
    )


class Episodes:
    """The episodes of a file of openings, every replicate, read as they are begun."""

    def __init__(
        self,
        trials: Trials,
        replicates: int,
        specs: Mapping[str, SpeakerSpec],
        family: EpisodicFamily | WorldFamily,
    ) -> None:
        self._trials, self._replicates = trials, replicates
        self._specs, self._family = dict(specs), family

    def __len__(self) -> int:
        return len(self._trials) * self._replicates

    def __iter__(self) -> Iterator[Episode]:
        for replicate in range(self._replicates):
            for opening in self._trials:
                seats = self._family.extent(opening).seats
                yield Episode(opening, replicate, {seat: self._specs[seat] for seat in seats})
