"""One participant of an oTree session, from its first page to its last."""

from __future__ import annotations

import asyncio
import json
import logging
from collections import Counter
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from time import monotonic
from typing import Any

import aiohttp

from many_wolves.worlds.desk import Answer, Desk, Fate, Question
from many_wolves.worlds.otree.client import OTreeClient
from many_wolves.worlds.otree.fields import least_answer, to_post
from many_wolves.worlds.otree.pages import Page
from many_wolves.worlds.otree.prompts import Entry, action_schema, messages, page_text
from many_wolves.worlds.otree.sockets import Inbox, open_inbox
from many_wolves.worlds.otree.visits import LEFT, Limits, Visit, looked_up
from many_wolves.worlds.session_log import Line, SessionLog

_log = logging.getLogger(__name__)

REFUSALS = 3
"""Number of rejected answers to one page before the engine takes the default."""
POLL_S = 20.0
"""Seconds after which a wait page is reloaded, whatever its socket says."""


class StuckError(Exception):
    """No default answer is accepted by a page."""


@dataclass
class Seat:
    """A participant that is played by a speaker.

    Parameters
    ----------
    number, code
        Its number in the session, and the code with which it joins (never stored); empty if it
        enters through a room.
    client, desk, journal
        The server, the desk with the speaker, and the session's journal.
    persona
        Text before its prompts.
    limits
        Limits on the time and number of its questions.
    room, label
        The room that it enters if it has no code, and its label there.
    """

    number: int
    code: str
    client: OTreeClient
    desk: Desk
    journal: SessionLog
    persona: str = ""
    limits: Limits = field(default_factory=Limits)
    room: str = ""
    label: str = ""
    entries: list[Entry] = field(default_factory=list)
    asked: Counter[int] = field(default_factory=Counter)
    turn: int = 0
    pending: Line | None = None
    sent: Mapping[str, Any] | None = None

    async def run(self) -> None:
        """Play to the end of the session, resuming from the journal of this seat.

        Raises
        ------
        SessionGoneError, BrokenPageError, StuckError
            If the server lost the session, a page fails there, or no answer is accepted.
        """
        self._remember()
        page = await self._enter()
        self._settle(page)
        while page.kind != "end":
            if page.kind in ("wait", "room"):
                page = await self._wait(page)
            elif page.asks:
                page = await self._play(page)
            else:
                page = await self._pass(page)
        self._write("end")

    async def _enter(self) -> Page:
        """The current page of the seat, entered through its room once that has a session."""
        while not self.code:
            page = await self.client.enter_room(self.room, self.label)
            self.code = page.code
            if not self.code:
                await self._wait(page)
        return await self.client.join(self.code)

    # On pages without a question

    async def _wait(self, page: Page) -> Page:
        """Stay on a wait page until the server continues."""
        with suppress(aiohttp.ClientError, OSError, TimeoutError):
            if not page.wait_url:
                await asyncio.sleep(1.0)
            else:
                async with self.client.socket(page.wait_url) as socket:
                    await socket.receive(timeout=POLL_S)
        return await self.client.load(page.path)

    async def _pass(self, page: Page) -> Page:
        """Read a page without fields and continue; retry if it does not advance."""
        self._read(page.text)
        pause = 0.5
        while True:
            after = await self.client.submit(page, to_post((), {}, page.fixed))
            if not (after.errors and after.index == page.index):
                return after
            await asyncio.sleep(pause)
            pause = min(2 * pause, 10.0)

    # On pages with a question

    async def _play(self, page: Page) -> Page:
        """Ask until the page is left; return the next page."""
        until = None if page.seconds_left is None else monotonic() + page.seconds_left
        async with open_inbox(self.client, page) as inbox:
            visit = Visit(page, inbox, until)
            after = None
            while after is None:
                after = await self._turn(visit)
                self._note_late(inbox)
            return after

    async def _turn(self, visit: Visit) -> Page | None:
        """Ask one question on a page; return the next page once this one is left."""
        page, inbox = visit.page, visit.inbox
        if not await self._may_act(inbox, visit.until):
            return await self._moved_on(None, page, visit.until)
        if inbox.leave:
            return await self.client.submit(page, to_post((), {}, page.fixed))
        question = self._question(page, inbox)
        # A page that a default answer does not leave is played again, and counts on.
        # What was sent already is only looked up.
        if self.sent is None and self.asked[page.index] >= self.limits.live_turns:
            return await self._default(visit, question, "too many turns on one page")
        self.asked[page.index] += 1
        answer = await self._answer(question, page, inbox, visit.until)
        if answer is None:
            return await self._moved_on(question, page, visit.until)
        last = visit.refusals + 1 >= REFUSALS
        if answer.default or (last and answer.value is None):
            return await self._default(visit, question, answer.why)
        return await self._done(visit, question, answer)

    async def _done(self, visit: Visit, question: Question, answer: Answer) -> Page | None:
        """Act, and count rejections; return the next page once this one is left."""
        page = visit.page
        fate, after = await self._act(question, page, answer, visit.inbox)
        if fate is None:
            return await self._again(question, answer)
        if after is not None and (after.index, after.kind) != (page.index, page.kind):
            return after
        visit.page = page if after is None else after
        visit.refusals = visit.refusals + 1 if fate == "refused" else 0
        if visit.refusals < REFUSALS:
            return None
        return await self._default(visit, self._question(visit.page, visit.inbox), "")

    async def _may_act(self, inbox: Inbox, until: float | None) -> bool:
        """Wait until the experiment lets this seat act; False if the page is left."""
        while not inbox.opened.is_set():
            waits = {asyncio.ensure_future(e.wait()) for e in (inbox.opened, inbox.left)}
            rest = None if until is None else max(until - monotonic(), 0.0)
            done, _ = await asyncio.wait(waits, timeout=rest, return_when=asyncio.FIRST_COMPLETED)
            for wait in waits:
                wait.cancel()
            if not done or inbox.left.is_set():
                return False
        return True

    async def _answer(
        self, question: Question, page: Page, inbox: Inbox, until: float | None
    ) -> Answer | None:
        """The answer; None if the page was left before, by the server or its time limit."""
        if self.sent is not None:
            value, self.sent = self.sent, None
            return Answer(None, default=True) if value.get("default") else Answer(value)
        future = self.desk.ask(question)
        while True:
            left = asyncio.ensure_future(inbox.left.wait())
            waits: set[asyncio.Future[Any]] = {future, left}
            rest = None if until is None else max(until - monotonic(), 0.0)
            await asyncio.wait(waits, timeout=rest, return_when=asyncio.FIRST_COMPLETED)
            left.cancel()
            if future.done():
                return future.result()
            now = await self.client.join(self.code) if inbox.left.is_set() else None
            if now is None or (now.kind, now.index) != (page.kind, page.index):
                future.cancel()
                return None
            # Only the connection was lost, so the question stays open.
            await inbox.restart(now)

    async def _act(
        self, question: Question, page: Page, answer: Answer, inbox: Inbox
    ) -> tuple[Fate | None, Page | None]:
        """Perform an answer's action; return the next page if a form was posted.

        No outcome if the connection broke on a page that can report its applied actions.
        """
        if answer.value is None:
            self._close(question, "refused", answer.why)
            self._read(f"Your last answer was not accepted: {answer.why}.")
            return "refused", None
        value = answer.value
        self._write("sent", sync=True, turn=question.turn, action=dict(value))
        if inbox.schema is None and value.get("do", "submit") == "submit":
            filled = (value.get("fields") or {}) if "do" in value else value
            after = await self.client.submit(page, to_post(page.fields, filled, page.fixed))
            refused = after.errors and after.index == page.index
            why = "the page came back with errors" if refused else ""
            fate: Fate = "refused" if refused else "accepted"
        else:
            after = None
            fate, why = await inbox.do(value, self._ref(question), self.limits.look_again_s)
            if fate == "unknown" and inbox.refs is not None:
                return None, None
        self._did(value)
        self._close(question, fate, why)
        if fate == "refused" and after is None:
            self._read(f"Your last answer was not accepted: {why}.")
        return fate, after

    async def _again(self, question: Question, answer: Answer) -> Page:
        """Look up the outcome of an action whose connection broke."""
        self.pending = next(
            line
            for line in reversed(self.journal.lines)
            if line["event"] == "question"
            and (line["seat"], line["turn"]) == (self.number, question.turn)
        )
        self.sent = answer.value
        page = await self.client.join(self.code)
        self._settle(page)
        return page

    async def _moved_on(self, question: Question | None, page: Page, until: float | None) -> Page:
        """Do what a browser does when the server moves on, or the time limit is over."""
        if question is not None:
            self.desk.withdraw(question, LEFT)
            self._close(question, "stale", LEFT)
        if until is None or monotonic() < until:
            return await self.client.join(self.code)
        data = [*to_post(page.fields, {}, page.fixed), ("timeout_happened", "1")]
        return await self.client.submit(page, data)

    async def _default(self, visit: Visit, question: Question, why: str) -> Page | None:
        """Give a default answer, or else wait for the time limit; the page if it is left."""
        page, inbox = visit.page, visit.inbox
        why = why or f"{REFUSALS} answers were refused"
        self._write("sent", sync=True, turn=question.turn, action={"default": True})
        if inbox.default is not None:
            fate, _ = await inbox.do(inbox.default, self._ref(question), self.limits.look_again_s)
            if fate == "unknown" and inbox.refs is not None:
                return await self._again(question, Answer({"default": True}))
            if fate != "refused":
                self._close(question, "defaulted", why)
                self._did(inbox.default)
                visit.refusals = 0
                return None
        after = page
        for attempt in range(6):
            filled = least_answer(page.fields, attempt)
            after = await self.client.submit(page, to_post(page.fields, filled, page.fixed))
            if not (after.errors and after.index == page.index):
                self._close(question, "defaulted", why)
                self._did(filled)
                return after
        if page.seconds_left is None and not page.live_url:
            self._close(question, "defaulted", why)
            raise StuckError(
                f"no default answer is accepted by {page.app}/{page.name}: {after.text}"
            )
        self._close(question, "defaulted", why)
        await asyncio.sleep(page.seconds_left or self.limits.look_again_s)
        data = [*to_post(page.fields, {}, page.fixed), ("timeout_happened", "1")]
        return await self.client.submit(page, data)

    # The seat's knowledge and its journal

    def _question(self, page: Page, inbox: Inbox) -> Question:
        """The current question of a page; one that is open in the journal comes first."""
        schema = action_schema(page) if inbox.schema is None else inbox.schema
        if self.pending is not None:
            line, self.pending = self.pending, None
            return self._make(page, line["turn"], line["text"], schema, line["view"])
        text = page_text(page, inbox.take(), inbox.text)
        view = inbox.view or page.variables
        question = self._make(page, self.turn, text, schema, view)
        self.entries.append(Entry("page", text))
        self.turn += 1
        self._write(
            "question",
            sync=True,
            turn=question.turn,
            place=question.place,
            index=page.index,
            live=bool(page.live_url or page.chats),
            content=question.content,
            text=text,
            view=dict(view),
        )
        return question

    def _make(
        self,
        page: Page,
        turn: int,
        text: str,
        schema: Mapping[str, Any],
        view: Mapping[str, Any],
    ) -> Question:
        before = self.entries[:-1] if turn < self.turn else self.entries
        prompt = messages(self.persona, before, text, schema, self.limits.memory)
        return Question(self.number, turn, f"{page.app}/{page.name}", prompt, schema, view)

    def _remember(self) -> None:
        """Restore the seat from the journal: its history, and what is open."""
        for line in self.journal.lines:
            if line.get("seat") != self.number:
                continue
            match line["event"]:
                case "page":
                    self.entries.append(Entry("page", line["text"]))
                case "question":
                    self.entries.append(Entry("page", line["text"]))
                    self.turn = line["turn"] + 1
                    self.pending, self.sent = line, None
                case "sent":
                    self.sent = line["action"]
                case "receipt":
                    if self.sent is not None and not self.sent.get("default"):
                        self._did(self.sent)
                    self.pending = self.sent = None

    def _settle(self, page: Page) -> None:
        """Look up on the page the outcome of an action that was sent but not acknowledged.

        ``_play`` asks or sends what is still open afterwards.
        """
        if self.pending is None:
            return
        line = self.pending
        here = page.kind == "form" and page.index == line["index"]
        if here and self.sent is None:
            return
        fate, why = looked_up(line, self.sent, page, here)
        if fate is None:
            return
        question = self._make(page, line["turn"], line["text"], {}, line["view"])
        if self.sent is not None and not self.sent.get("default"):
            self._did(self.sent)
        self.pending = self.sent = None
        self._close(question, fate, why)

    def _ref(self, question: Question) -> str:
        return f"{question.seat}-{question.turn}"

    def _note_late(self, inbox: Inbox) -> None:
        """Record messages that failed after their receipt; the next question tells the seat."""
        for ref in inbox.late:
            self._write("failed_late", sync=True, turn=int(ref.rpartition("-")[2]))
        inbox.late.clear()

    def _read(self, text: str) -> None:
        if self.entries and self.entries[-1] == Entry("page", text):
            return
        self.entries.append(Entry("page", text))
        self._write("page", text=text)

    def _did(self, value: Mapping[str, Any]) -> None:
        self.entries.append(Entry("answer", json.dumps(dict(value), ensure_ascii=False)))

    def _close(self, question: Question, fate: Fate, why: str) -> None:
        self._write("receipt", sync=True, turn=question.turn, status=fate, why=why)
        self.desk.receipt(question, fate, why)

    def _write(self, event: str, *, sync: bool = False, **fields: Any) -> None:
        self.journal.write(event, sync=sync, seat=self.number, **fields)
