"""The state of a running episode: its turns, its answers, and how it ended."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import NamedTuple

from many_wolves.records import Response
from many_wolves.speakers import Request
from many_wolves.store.session_journal import SessionJournal
from many_wolves.worlds import UNANSWERED, Episode, Receipt, Session, Turn, World


class Opened(NamedTuple):
    """A turn that is open.

    Parameters
    ----------
    seat, key
        The seat that answers, and the key of the answer.
    request
        The request to the speaker.
    copy
        The answer to the same question in an earlier attempt, if there is one.
    """

    seat: str
    key: str
    request: Request
    copy: Response | None


class Earlier(NamedTuple):
    """A lost attempt at an episode, with its answers by key."""

    episode: Episode
    answers: Mapping[str, Response]


class EpisodeState:
    """An episode with its session and its turns.

    Parameters
    ----------
    number
        Index among the episodes of the run.
    episode
        The episode.
    world
        The world that begins the session.
    known
        Existing answers, by key.
    wake
        Requests that the runner look at this episode.
    journal
        Journal of the session, if the world is remote.
    earlier
        The previous attempt, if it was lost.

    Raises
    ------
    WolvesError
        If the session cannot be begun.
    """

    __slots__ = (
        "_answers",
        "_earlier",
        "_journal",
        "_known",
        "_met",
        "_pending",
        "_session",
        "ended",
        "episode",
        "look_again_s",
        "met",
        "number",
    )

    def __init__(
        self,
        number: int,
        episode: Episode,
        world: World,
        known: Mapping[str, Response],
        wake: Callable[[], None],
        journal: SessionJournal | None = None,
        earlier: Earlier | None = None,
    ) -> None:
        self.number = number
        self.episode = episode
        self.ended = ""
        self.look_again_s: float | None = None
        self.met = 0
        self._known = known
        self._met: set[str] = set()
        self._pending = 0
        self._journal = journal
        self._earlier = earlier
        self._answers: dict[str, Response] = dict(known) if journal is not None else {}
        self._session: Session = world.begin(episode, wake)
        if journal is not None:
            self._take_up(journal)

    @property
    def lost(self) -> Earlier:
        """The record of this attempt for the next one."""
        return Earlier(self.episode, self._answers)

    def look(self) -> list[Opened]:
        """The turns that have opened since the last call; known answers are passed on at once."""
        opened: list[Opened] = []
        while not self.ended:
            seen = self._session.observe()
            for receipt in seen.receipts:
                self._keep(receipt)
            self.look_again_s = seen.look_again_s
            if seen.ended:
                self._end(seen.ended)
                break
            fresh = [turn for turn in seen.open if turn.trial.id not in self._met]
            waits = [self._meet(turn) for turn in fresh]
            opened += [turn for turn in waits if turn is not None]
            if None not in waits:
                break
        return opened

    def take(self, response: Response) -> None:
        """Pass on the answer to a turn; it may arrive after the end."""
        self._pending -= 1
        if self._journal is not None:
            self._answers[response.key] = response
        if not self.ended:
            self._act(response)
        elif response.status != "failed":
            self._keep(Receipt(response.turn, "stale", "the session had ended"))
        if self.ended and not self._pending:
            self.release()

    def close(self) -> None:
        """Close the session, and its journal unless an answer is pending."""
        self._session.close()
        if not self._pending:
            self.release()

    def release(self) -> None:
        """Close the journal of the session."""
        if self._journal is not None:
            self._journal.close()

    def _meet(self, turn: Turn) -> Opened | None:
        """A turn that has opened; None if its answer is known and was passed on."""
        self._met.add(turn.trial.id)
        request = Request(turn.trial, self.episode.replicate)
        key = request.key(self.episode.seats[turn.seat])
        if key in self._known:
            self.met += 1
            self._act(self._known[key])
            return None
        self._pending += 1
        return Opened(turn.seat, key, request, self._copied(turn, key))

    def _act(self, response: Response) -> None:
        if self._journal is None:
            self._session.act(response)
            return
        perhaps = self._journal.state(response.turn) != "new"
        if not perhaps and response.status != "failed":
            self._journal.sent(response)
        self._session.act(response, perhaps_sent=perhaps)

    def _take_up(self, journal: SessionJournal) -> None:
        """Look up every answer that may or may not have arrived."""
        by_turn = {response.turn: response for response in self._known.values()}
        for turn in journal.unsettled:
            if turn in by_turn:
                self.met += 1
                self._met.add(by_turn[turn].trial_id)
                self._session.act(by_turn[turn], perhaps_sent=True)

    def _copied(self, turn: Turn, key: str) -> Response | None:
        """The answer to the same question in the previous attempt; None if there is none."""
        if self._earlier is None:
            return None
        before = self._earlier.episode
        twin = Request(replace(turn.trial, episode=before.id), before.replicate)
        found = self._earlier.answers.get(twin.key(before.seats[turn.seat]))
        if found is None:
            return None
        return replace(found, key=key, trial_id=turn.trial.id, episode=self.episode.id)

    def _keep(self, receipt: Receipt) -> None:
        if self._journal is not None:
            self._journal.receipt(receipt)

    def _end(self, how: str) -> None:
        self.ended = how
        if self._journal is not None and how != UNANSWERED:
            self._journal.end(how)
