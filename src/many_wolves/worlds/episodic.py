"""The world of episodes whose next turns depend only on the answers."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from many_wolves.records import Response
from many_wolves.worlds.protocol import COMPLETE, UNANSWERED, Episode, Observation, Turn

TakeTurns = Callable[[Episode, Sequence[Response]], Sequence[Turn]]
"""A family's ``turns``: function of the episode and its answers by turn number -> next turns."""


class EpisodicWorld:
    """The world of a family that offers ``turns``.

    Parameters
    ----------
    take_turns
        Returns the next turns; a pure function of the episode and its answers.
    """

    remote = False

    def __init__(self, take_turns: TakeTurns) -> None:
        self._take_turns = take_turns

    def begin(self, episode: Episode, wake: Callable[[], None]) -> EpisodicSession:
        """Begin an episode from its opening; existing answers are passed to it afterwards."""
        return EpisodicSession(episode, self._take_turns)

    def close(self) -> None:
        """Do nothing: there is nothing to free."""


class EpisodicSession:
    """A running episode; its state follows from its answers.

    All turns of a round are answered before the next round. A turn whose answer failed stays
    open, and the episode ends as ``UNANSWERED`` when the others of its round are answered.
    """

    __slots__ = ("_answered", "_episode", "_failed", "_open", "_take_turns")

    def __init__(self, episode: Episode, take_turns: TakeTurns) -> None:
        self._episode = episode
        self._take_turns = take_turns
        self._answered: list[Response] = []
        self._open: dict[str, Turn] = {}
        self._failed = False

    def observe(self) -> Observation:
        """The turns without an answer, or how the episode ended."""
        if not self._open and not self._failed:
            self._answered.sort(key=lambda response: response.turn)
            turns = self._take_turns(self._episode, tuple(self._answered))
            self._open = {turn.trial.id: turn for turn in turns}
        if self._open:
            return Observation(tuple(self._open.values()))
        return Observation(ended=UNANSWERED if self._failed else COMPLETE)

    def act(self, response: Response, *, perhaps_sent: bool = False) -> None:
        """Accept an answer."""
        del self._open[response.trial_id]
        if response.status == "failed":
            self._failed = True
        else:
            self._answered.append(response)

    def close(self) -> None:
        """Do nothing: there is nothing to free."""


def one_turn(episode: Episode, answered: Sequence[Response]) -> Sequence[Turn]:
    """The turns of a vignette: its trial."""
    if answered:
        return ()
    (seat,) = episode.seats
    return (Turn(episode.opening, seat),)
