"""The protocol of a world: it opens sessions, says what is open in each, and takes answers.

A session is one episode as it runs. The runner looks at it (``observe``) when it begins,
after each answer, when the world calls ``wake``, and when ``look_again_s`` has passed. It asks
each turn that is open once, journals the answer, and hands it over (``act``).

A remote world (``World.remote``) acts outside this process, so that a run that is killed
cannot know what arrived. For each of its sessions the runner keeps a journal. The answer is
on the disk, then a line ``sent``, then ``act``, then a line for the ``Receipt`` that
``observe`` gives. A run that resumes the session first hands every answer with the line
``sent`` and no receipt to ``act(..., perhaps_sent=True)``. The session
then looks up on its server whether the answer arrived, and sends it only if it did not.
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
"""The seat of an episode that has one."""

COMPLETE = "complete"
"""How an episode ends that was played to its end."""
UNANSWERED = "unanswered"
"""How a run leaves an episode that waits for a turn without an answer: a later run goes on."""
LOST = "lost"
"""How a session ends whose server has forgotten it: the episode is begun once more."""


@dataclass(frozen=True)
class Episode:
    """A sequence of turns, from its opening to its end.

    Parameters
    ----------
    opening
        The trial that begins it, with its ``script``.
    replicate
        Number of the repetition, from zero.
    seats
        Who answers, by the name of the seat, in the order in which the family names them.
    attempt
        How many sessions of it were lost before this one.
    """

    opening: Trial
    replicate: int
    seats: Mapping[str, SpeakerSpec]
    attempt: int = 0

    @cached_property
    def id(self) -> str:
        """What its turns carry: id of the opening; where there are several, also who speaks."""
        own = self.opening.id
        if len(self.seats) > 1:
            own += f"-{fingerprint([speaker.settings for speaker in self.speakers])}"
        return f"{own}.{self.attempt}" if self.attempt else own

    @property
    def speakers(self) -> tuple[SpeakerSpec, ...]:
        """Who answers, seat by seat."""
        return tuple(self.seats.values())

    @staticmethod
    def opening_id(episode: str) -> str:
        """Id of the opening of the episode that is called so."""
        return re.split(r"[-.]", episode, maxsplit=1)[0]


class Turn(NamedTuple):
    """One question within an episode, and the seat that answers it.

    All turns of an episode carry its id, and a turn number.
    """

    trial: Trial
    seat: str = SPEAKER


class Extent(NamedTuple):
    """How large an episode may become.

    Parameters
    ----------
    seats
        Names of its seats.
    turns
        Its turns at most.
    tokens
        About how many tokens the prompts of all its turns hold together; 0 where nobody
        says: it is then estimated from the opening.
    """

    seats: tuple[str, ...]
    turns: int
    tokens: float = 0.0


class Receipt(NamedTuple):
    """What became of an answer that was handed over.

    Parameters
    ----------
    turn
        Number of the turn.
    status
        ``accepted``, or ``refused`` by the rules. ``why`` then gives the reason, and the same
        may be asked again, as a new turn. ``unknown`` where it cannot be found out, ``stale``
        where it came too late and was not sent, ``defaulted`` where the session took the
        default.
    why
        In words; empty where there is nothing to say.
    """

    turn: int
    status: Literal["accepted", "refused", "unknown", "stale", "defaulted"]
    why: str = ""


@dataclass(frozen=True, slots=True)
class Observation:
    """What a session says of itself.

    Parameters
    ----------
    open
        Every turn that waits for an answer now, each once. None, where the session has not
        ended, means: wait.
    ended
        How it ended: ``COMPLETE``, ``UNANSWERED``, ``LOST`` or other words; empty while it
        runs, and while a receipt is still to come.
    look_again_s
        Seconds until it is worth looking again; None where ``wake`` will be called.
    receipts
        Of answers that were handed over, each once.
    """

    open: tuple[Turn, ...] = ()
    ended: str = ""
    look_again_s: float | None = None
    receipts: tuple[Receipt, ...] = ()


class Session(Protocol):
    """One episode as it runs. All calls come from one thread."""

    def observe(self) -> Observation:
        """What is open, what has ended, what became of the answers; never blocks."""
        ...

    def act(self, response: Response, *, perhaps_sent: bool = False) -> None:
        """Take the answer to a turn that was open; never blocks.

        Called once for each turn that was asked and answered, also where the answer could
        not be read. The status is ``failed`` where the speaker gave no answer. Then a session that
        cannot wait acts by default, and another ends as ``UNANSWERED``. An answer may come
        after its turn has closed.

        Parameters
        ----------
        perhaps_sent
            A run that was killed may have sent it: look it up before anything is sent.
        """
        ...

    def close(self) -> None:
        """Let go of the session: it has ended, or the run stops. Its server keeps it."""
        ...


class World(Protocol):
    """Where questions come from."""

    @property
    def remote(self) -> bool:
        """Whether answers leave this process, so that the runner keeps journals of sessions."""
        ...

    def begin(self, episode: Episode, wake: Callable[[], None]) -> Session:
        """Begin an episode, or take it up again.

        Parameters
        ----------
        wake
            Asks the runner to look at the session; may be called from any thread.

        Raises
        ------
        WolvesError
            If it cannot be begun.
        """
        ...

    def close(self) -> None:
        """Give back what the world holds; no session is used afterwards."""
        ...
