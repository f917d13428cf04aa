"""One episode under way: what has been answered, and what is asked now."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from many_wolves.contracts import Episode, Turn
from many_wolves.records import Response
from many_wolves.speakers import Request

TakeTurns = Callable[[Episode, Sequence[Response]], Sequence[Turn]]
"""A family's ``turns``."""


class Course:
    """An episode from where its answers have led it.

    Parameters
    ----------
    episode
        The episode.
    take_turns
        Says what is asked next.
    known
        Answers that are there already, by key.
    """

    def __init__(
        self, episode: Episode, take_turns: TakeTurns, known: Mapping[str, Response]
    ) -> None:
        self.episode = episode
        self.open: dict[str, tuple[int, Request]] = {}
        self.met = 0
        self._take_turns = take_turns
        self._answered: list[Response] = []
        self._offer(known)

    @property
    def ended(self) -> bool:
        """Whether nothing more will be asked."""
        return not self.open

    def answer(self, response: Response) -> None:
        """Take an answer to an open turn; one that failed leaves it open."""
        if response.status == "failed":
            return
        del self.open[response.key]
        self._answered.append(response)

    def go_on(self) -> bool:
        """Offer the next turns; False where some are open still, or none is left."""
        if self.open:
            return False
        self._offer({})
        return not self.ended

    def _offer(self, known: Mapping[str, Response]) -> None:
        """Open the next turns; those with a known answer are taken as answered."""
        while not self.open:
            self._answered.sort(key=lambda response: response.turn)
            turns = self._take_turns(self.episode, tuple(self._answered))
            if not turns:
                return
            for turn in turns:
                request = Request(turn.trial, self.episode.replicate)
                key = request.key(self.episode.speakers[turn.seat])
                if key in known:
                    self._answered.append(known[key])
                    self.met += 1
                else:
                    self.open[key] = (turn.seat, request)
