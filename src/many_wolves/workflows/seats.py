"""Episodes and the speakers in their seats."""

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
from many_wolves.speakers.speaker_request import SpeakerRequest, describe_checked
from many_wolves.workflows.load_faults import loading
from many_wolves.worlds import Episode

Seated = SpeakerRequest | None
"""The speaker for a seat; None means the speaker of the command."""
ITSELF = "self"
PARTNER = "partner"
"""The seat that ``--with`` fills."""
_NAMES = {"model_type": "provider", "model_name": "model", "model_path": "path"}
_PATIENCE = frozenset({"connections", "retries", "retry_wait", "timeout"})
_TURN_TOKENS = 110.0
"""Rough number of tokens that a further turn adds to a prompt: the last result and the question."""
_ANSWER_TOKENS = 12.0
"""Rough minimum number of tokens of an answer, for estimates."""


@dataclass(frozen=True)
class Casting:
    """The speakers and their journals, by the name of the seat.

    Parameters
    ----------
    wanted, specs
        Speakers as requested, and with all settings filled in.
    journals
        Their journals.
    """

    wanted: Mapping[str, SpeakerRequest]
    specs: Mapping[str, SpeakerSpec]
    journals: Mapping[str, Path]

    @property
    def distinct(self) -> dict[str, str]:
        """Slug of each speaker -> one of its seats."""
        return {spec.slug: seat for seat, spec in reversed(list(self.specs.items()))}


class Extents:
    """The total size of the episodes in a file.

    Parameters
    ----------
    trials
        Their openings.
    replicates
        Number of times that each is played.
    family
        Their family, which knows their extents.
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
    """The speakers for the seats of ``--seat NAME=FILE|self`` and ``--with``.

    Several files, separated by commas, take the seats of a role in turn.

    Parameters
    ----------
    named, opponent
        The values of the two options.
    patience
        How patiently APIs are asked.

    Returns
    -------
    dict
        Speakers by seat or role; None for the speaker of the command itself.

    Raises
    ------
    WolvesError
        If a seat is a duplicate, or a file is invalid.
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
                f"the seat {seat!r} is a duplicate",
                fix="leave one out; --with means --seat partner=",
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
        If the file does not contain a JSON object.
    """
    return read_json_object(
        path, 'write an object such as {"alpha": 4.5, "cost": 2.6, "weights": {...}}'
    )


def speaker_of_file(path: Path, patience: RetryPolicy | None = None) -> SpeakerRequest:
    """The speaker that a JSON file describes, by the options of ``wolves collect``.

    Parameters
    ----------
    path
        The file: fields of ``SpeakerConfig``, or the command's names for them.
    patience
        How patiently an API is asked where the file does not say it.

    Raises
    ------
    WolvesError
        If the file is invalid.
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
    """Assign speakers to seats, with the journal of each.

    Parameters
    ----------
    first
        The speaker of the command: it takes the seats that are not assigned, which must belong
        to one role.
    named
        Assigned speakers by seat or role; several take the seats of a role in turn. None means
        the speaker of the command itself.
    seats
        Names of all seats.
    sampled
        Whether some questions are not choices among options.

    Raises
    ------
    WolvesError
        If a seat is empty, a name is not that of a seat, or speakers would share a journal.
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
        seat: loading(lambda one=one: describe_checked(one, sampled=sampled))  # type: ignore[misc]
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
    """The roles with a seat that is not assigned.

    Raises
    ------
    WolvesError
        If a name is neither a seat nor a role.
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
    """The assigned speakers by seat, from assignments by seat or role.

    Several speakers for a role take its seats in turn.
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
    """The role of a seat whose name is role and number: ``owner`` for ``owner-3``."""
    role, dash, number = seat.rpartition("-")
    return role if dash and number.isdigit() else seat


def _called(seats: Sequence[str]) -> list[str]:
    """The names of seats in messages: the seats of a role by the role."""
    return list(dict.fromkeys(map(role_of, seats)))


def _seats_left(free: Sequence[str], seats: Sequence[str]) -> WolvesError:
    if not free:
        return WolvesError(
            f"no seat is left for the speaker of the command: {quoted(seats)} are all assigned to "
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
    """The episodes of a file of openings with all replicates, read lazily."""

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
