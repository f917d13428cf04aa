"""Episodes and who plays them, as the command line names them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from many_wolves.collection import Trials
from many_wolves.commands.collecting import loading
from many_wolves.contracts import Episode, EpisodicFamily
from many_wolves.errors import WolvesError
from many_wolves.records import SpeakerSpec
from many_wolves.speakers.wanted import Wanted, describe

_TURN_TOKENS = 110.0
"""About what a further turn adds to a prompt: what came of the last one, and the question."""


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
