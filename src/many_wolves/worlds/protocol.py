"""The protocol of a world, which opens sessions, reports their open turns, and accepts answers.

A session is one episode as it runs. The runner looks at it (``observe``) when it begins,
after each answer, when the world calls ``wake``, and when ``look_again_s`` has passed. It asks
each open turn once, journals the answer, and passes it on (``act``).

A remote world (``World.remote``) acts outside this process, so a killed run does not know which
answers arrived. For each of its sessions, the runner keeps a journal. The order is: the answer on
the disk, a line ``sent``, the call of ``act``, and a line for the ``Receipt`` from ``observe``. A
run that resumes the session first passes every answer with a line ``sent`` and no receipt to
``act(..., perhaps_sent=True)``. The session then checks on its server whether the answer arrived,
and sends it only if it did not.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Literal, NamedTuple, Protocol

from many_wolves.files import fingerprint
from many_wolves.records import Response, SpeakerSpec, Trial

SPEAKER = "speaker"
"""Name of the seat in an episode with a single seat."""

COMPLETE = "complete"
"""End of an episode that was completed."""
UNANSWERED = "unanswered"
"""End of an episode in which a turn has no answer; a later run resumes it."""
LOST = "lost"
"""End of a session that its server has lost; the episode is begun again."""


@dataclass(frozen=True)
class Episode:
    """A sequence of turns, from its opening to its end.

    Parameters
    ----------
    opening
        The trial that begins it, with its ``script``.
    replicate
        Replicate number, from zero.
    seats
        Speakers by the name of the seat, in the family's order.
    attempt
        Number of its sessions that were lost before this one.
    """

    opening: Trial
    replicate: int
    seats: Mapping[str, SpeakerSpec]
    attempt: int = 0

    @cached_property
    def id(self) -> str:
        """The id in its turns: that of the opening, with a fingerprint of several speakers."""
        own = self.opening.id
        if len(self.seats) > 1:
            own += f"-{fingerprint([speaker.settings for speaker in self.speakers])}"
        return f"{own}.{self.attempt}" if self.attempt else own

    @property
    def speakers(self) -> tuple[SpeakerSpec, ...]:
        """The speakers, seat by seat."""
        return tuple(self.seats.values())

    @staticmethod
    def opening_id(episode: str) -> str:
        """Id of the opening of an episode, from the episode's id."""
        return re.split(r"[-.]", episode, maxsplit=1)[0]


class Turn(NamedTuple):
    """One question within an episode, and the seat that answers it.

    All turns of an episode have its id, and a turn number.
    """

    trial: Trial
    seat: str = SPEAKER


class Extent(NamedTuple):
    """The maximum size of an episode.

    Parameters
    ----------
    seats
        Names of its seats.
    turns
        Maximum number of turns.
    tokens
        Approximate number of tokens of all prompts together; 0 if unknown: it is then estimated
        from the opening.
    """

    seats: tuple[str, ...]
    turns: int
    tokens: float = 0.0


class Receipt(NamedTuple):
    """The outcome of an answer.

    Parameters
    ----------
    turn
        Number of the turn.
    status
        ``accepted``, or ``refused`` by the rules; ``why`` then gives the reason, and the question
        may be asked again as a new turn. ``unknown`` if it cannot be determined, ``stale`` if the
        answer came too late and was not sent, ``defaulted`` if the session took the default.
    why
        Reason in words; may be empty.
    """

    turn: int
    status: Literal["accepted", "refused", "unknown", "stale", "defaulted"]
    why: str = ""


@dataclass(frozen=True, slots=True)
class Observation:
    """The state that a session reports.

    Parameters
    ----------
    open
        Every turn that is waiting for an answer, each once. If it is empty and the session has not
        ended, wait.
    ended
        How it ended: ``COMPLETE``, ``UNANSWERED``, ``LOST`` or another text; empty while it
        runs, and while a receipt is still to come.
    look_again_s
        Seconds until the next look; None if ``wake`` will be called.
    receipts
        Receipts of answers, each once.
    """

    open: tuple[Turn, ...] = ()
    ended: str = ""
    look_again_s: float | None = None
    receipts: tuple[Receipt, ...] = ()


class Session(Protocol):
    """A running episode. All calls come from one thread."""

    def observe(self) -> Observation:
        """Report open turns, the end, and the outcomes of answers; never blocks."""
        ...

    def act(self, response: Response, *, perhaps_sent: bool = False) -> None:
        """Accept the answer to a turn that was open; never blocks.

        Called once for each answered turn, even if the answer could not be read. The status is
        ``failed`` if the speaker gave no answer; a session that cannot wait then acts by
        default, and any other ends as ``UNANSWERED``. An answer may arrive after its turn has
        closed.

        Parameters
        ----------
        perhaps_sent
            Whether a killed run may have sent it already, so that it must be looked up first.
        """
        ...

    def close(self) -> None:
        """Close the session, because it has ended or the run stops. Its server keeps it."""
        ...


class World(Protocol):
    """A source of questions."""

    @property
    def remote(self) -> bool:
        """Whether answers leave this process, so that the runner must keep session journals."""
        ...

    def begin(self, episode: Episode, wake: Callable[[], None]) -> Session:
        """Begin or resume an episode.

        Parameters
        ----------
        wake
            Requests a look at the session; may be called from any thread.

        Raises
        ------
        WolvesError
            If it cannot be begun.
        """
        ...

    def close(self) -> None:
        """Free the resources of the world; no session is used afterwards."""
        ...
