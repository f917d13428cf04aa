"""The engine ``otree``: sessions of our experiment, or of any app, on an oTree server."""

from __future__ import annotations

import asyncio
import csv
import io
import json
import secrets
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic
from typing import Any, Self

from filelock import FileLock, Timeout

from many_wolves.errors import WolvesError
from many_wolves.families.markets.engines.options import read_number
from many_wolves.families.markets.reading.records import record_path, write_record
from many_wolves.families.markets.rules.session import SessionRecord
from many_wolves.families.markets.task.cells import Played
from many_wolves.families.markets.task.compiler import FAMILY, PLANNING
from many_wolves.families.markets.task.experiment import APP, session_config, write_experiment
from many_wolves.families.markets.task.unread import why_unread_form
from many_wolves.files import write_atomic
from many_wolves.records import Form, Response, Trial
from many_wolves.worlds.desk import Desk, Question
from many_wolves.worlds.otree.client import (
    BrokenPageError,
    OTreeClient,
    ParticipantInfo,
    SessionGoneError,
    SessionInfo,
)
from many_wolves.worlds.otree.seat import Seat, StuckError
from many_wolves.worlds.otree.server import Address, OTreeServer, last_error
from many_wolves.worlds.otree.visits import Limits
from many_wolves.worlds.protocol import Episode
from many_wolves.worlds.server_world import BrokenError, LostError
from many_wolves.worlds.session_log import SessionLog

_IDENTIFIES = "participant.code"
"""Column of oTree's exports that lets others act as a participant."""
SQLITE_AT_ONCE = 24
"""Participants at once on an SQLite file.

With more, some take seconds to reach a page. oTree's timeout worker then requests that page for
them. While it does, it holds the lock of the file, for which the server waits.
"""
LOOK_S = 0.5
"""Seconds between two looks whether there is room for another session."""
STALLED_S = 5.0
"""Seconds without a line in its journal after which a session makes room for others."""
csv.field_size_limit(2**28)


@dataclass(eq=False)
class _Playing:
    """A session in play: its seats, its journal, and when a line was last added to it."""

    seats: int
    journal: SessionLog
    lines: int = -1
    since: float = 0.0

    def advances(self) -> bool:
        """Whether a line was added within the last seconds."""
        if len(self.journal.lines) != self.lines:
            self.lines, self.since = len(self.journal.lines), monotonic()
        return monotonic() - self.since < STALLED_S


@dataclass
class OTreeSessions:
    """Sessions on a running server, or on one of our own that ends with the run.

    Parameters
    ----------
    folder
        Where records and exports go; our own server keeps its database there.
    address
        A running server; None for one of our own.
    project
        Project of our own server; None for our experiment.
    database
        Its database; empty for an SQLite file.
    people
        Participants that people play: nobody is asked for these seats.
    limits
        How long and how often a seat is asked.
    at_once
        Number of participants in sessions that advance at the same time; 0 for no limit. A session
        with more is played alone. One whose speakers are slow to answer holds up no other.
    """

    folder: Path
    address: Address | None = None
    project: Path | None = None
    database: str = ""
    people: frozenset[int] = frozenset()
    limits: Limits = field(default_factory=Limits)
    at_once: int = 0
    _playing: list[_Playing] = field(default_factory=list)
    _server: OTreeServer | None = None
    _client: OTreeClient | None = None
    _lock: FileLock | None = None

    @classmethod
    def of(cls, options: Mapping[str, str], folder: Path) -> Self:
        """From options in text.

        Raises
        ------
        WolvesError
            If an option is at fault.
        """
        server, project = options.get("server", ""), options.get("project", "")
        if server and (project or "database" in options):
            raise WolvesError(
                "a running server has its own project and database",
                fix="leave out --server, or the other two",
            )
        usual = Limits()
        limits = Limits(
            look_again_s=read_number(options, "look_again_s", usual.look_again_s),
            memory=int(read_number(options, "memory", usual.memory)),
        )
        people = options.get("people", "")
        if not all(part.strip().isdigit() for part in people.split(",") if people):
            raise WolvesError(
                f"people: expected numbers of participants, found {people!r}",
                fix="--engine_option people=1,4",
            )
        own_sqlite = not (server or options.get("database") or people)
        return cls(
            folder,
            Address.from_environment(server) if server else None,
            Path(project) if project else None,
            options.get("database", ""),
            frozenset(int(part) for part in people.split(",") if part.strip()),
            limits,
            int(read_number(options, "at_once", SQLITE_AT_ONCE if own_sqlite else 0)),
        )

    async def open(self) -> None:
        """Start the server, where none is named, and connect."""
        address = self.address
        if address is None:
            self._server = await asyncio.to_thread(self._start)
            address = self._server.address
        self._client = OTreeClient(address)
        await self._client.__aenter__()
        await self._client.configs()

    async def close(self) -> None:
        """Disconnect, and end our own server with all that it started."""
        if self._client is not None:
            await self._client.__aexit__(None, None, None)
        if self._server is not None:
            await asyncio.to_thread(self._server.close)
        if self._lock is not None:
            self._lock.release()

    def _start(self) -> OTreeServer:
        place = self.folder.parent / "otree-server"
        place.mkdir(parents=True, exist_ok=True)
        try:
            self._lock = FileLock(place / ".lock", timeout=0)
            self._lock.acquire()
        except Timeout:
            raise WolvesError(
                "another command runs its oTree server on the same database",
                where=place,
                fix="give another --out, or one server for both: `wolves serve`, then --server",
            ) from None
        project = self.project or write_experiment(place / "experiment")
        return OTreeServer(project, place, database=self.database)

    @property
    def client(self) -> OTreeClient:
        """The connection, once it is open."""
        if self._client is None:
            raise RuntimeError("open the server before use")
        return self._client

    async def play(self, episode: Episode, desk: Desk, journal: SessionLog) -> None:
        """Make the session, or find it again; play all its seats to the end; keep its data."""
        async with self._room_for(len(episode.seats), journal):
            await self._play(episode, desk, journal)

    @asynccontextmanager
    async def _room_for(self, seats: int, journal: SessionLog) -> AsyncIterator[None]:
        """Wait until fewer participants are active than the limit."""
        while self.at_once and (busy := self._busy()) and busy + seats > self.at_once:
            await asyncio.sleep(LOOK_S)
        playing = _Playing(seats, journal)
        self._playing.append(playing)
        try:
            yield
        finally:
            self._playing.remove(playing)

    def _busy(self) -> int:
        """Number of participants in sessions that advance."""
        return sum(playing.seats for playing in self._playing if playing.advances())

    async def _play(self, episode: Episode, desk: Desk, journal: SessionLog) -> None:
        try:
            session = await self._session(episode, journal)
            seats = [
                self._seat(episode, one, desk, journal)
                for one in session.participants
                if one.number not in self.people
            ]
            await _all(seats)
            await self._keep(episode, session.code)
        except SessionGoneError as gone:
            raise LostError(str(gone)) from gone
        except BrokenPageError as fault:
            raise BrokenError(f"{fault}{self._why()}") from fault
        except StuckError as fault:
            raise BrokenError(str(fault)) from fault

    def _why(self) -> str:
        """The error that our own server has written down; empty for another server."""
        if self._server is None:
            return "; the server's log has the error"
        return f": {last_error(self._server.log)} (the whole error is in {self._server.log})"

    def trial(self, episode: Episode, question: Question, turn: int) -> Trial:
        """A page as a trial: its text, the form, and for scripted players what it shows."""
        opening, seat = episode.opening, tuple(episode.seats)[question.seat - 1]
        view = {name: value for name, value in question.view.items() if name != "rules"}
        seen = "stage" in view
        return Trial(
            FAMILY,
            opening.task,
            {
                **opening.cell,
                "engine": "otree",
                "round": view.get("round", 0) if seen else 0,
                "stage": view["stage"] if seen else question.place,
                "tick": view.get("tick", 0) if seen else 0,
                "role": seat.rpartition("-")[0],
                "persona": opening.script["personas"].get(seat, {"name": ""})["name"],
            },
            Form(question.schema),
            messages=question.messages,
            script={"view": view} if seen and _scripted(episode, seat) else {},
            episode=episode.id,
            turn=turn,
            seat=seat,
        )

    def unread(self, question: Question, response: Response) -> str:
        """Why a text holds no filled-in form."""
        return why_unread_form(response)

    async def _session(self, episode: Episode, journal: SessionLog) -> SessionInfo:
        """The session of the journal; one that was made but not written down is found again."""
        for line in journal.of("session"):
            session = await self.client.session(str(line["code"]))
            if session.created != line["created"]:
                raise LostError(f"the server has another session {session.code}")
            return session
        config, participants, changes = self._configuration(episode)
        made = [str(line["label"]) for line in journal.of("making")]
        known = await self.client.sessions() if made else []
        codes = [str(one["code"]) for one in known if one.get("label") in made]
        whole = [one for code in codes if (one := await self._whole(code, participants))]
        if whole:
            session = whole[-1]
        else:
            label = f"wolves-{secrets.token_hex(6)}"
            journal.write("making", sync=True, label=label)
            code = await self.client.create_session(config, participants, changes, label=label)
            session = await self.client.session(code)
        journal.write("session", sync=True, code=session.code, created=session.created)
        return session

    async def _whole(self, code: str, participants: int) -> SessionInfo | None:
        """A session with all its pages; None for one that a killed server left half made."""
        session = await self.client.session(code)
        own = [one for one in session.participants if one.number not in self.people]
        try:
            for one in own:
                await self.client.join(one.code)
        except (BrokenPageError, SessionGoneError):
            return None
        return session if len(session.participants) == participants else None

    def _configuration(self, episode: Episode) -> tuple[str, int, dict[str, Any]]:
        """Name, participants and changed settings of an episode's session."""
        opening = episode.opening
        if opening.task != PLANNING:
            changes = dict(opening.script.get("changes", {}))
            return str(opening.cell["config"]), len(episode.seats), changes
        if self.project is not None:
            raise WolvesError(
                "the task planning brings its own project",
                fix="leave out --project, or compile --task otree for another app",
            )
        played = Played.of(opening.cell)
        rules = played.rules
        changes = session_config(rules, played.seed, played.lab_session)
        return f"{APP}_{rules.mechanism}", len(rules.seats), changes

    def _seat(
        self, episode: Episode, one: ParticipantInfo, desk: Desk, journal: SessionLog
    ) -> Seat:
        name = tuple(episode.seats)[one.number - 1]
        persona = episode.opening.script["personas"].get(name, {"text": ""})["text"]
        return Seat(
            one.number, one.code, self.client, desk, journal, persona=persona, limits=self.limits
        )

    async def _keep(self, episode: Episode, code: str) -> None:
        """Store the server's data of a session that has ended."""
        if episode.opening.task == PLANNING:
            raw = await self.client.export(
                "/api/export_app_custom", app=APP, function_name="custom_export_sessions"
            )
            (row,) = [row for row in _rows(raw) if row["session"] == code]
            record = SessionRecord.from_json(json.loads(row["record"]))
            write_record(record_path(self.folder, episode.id, episode.replicate), record)
            return
        wide = await self.client.export("/api/export_wide")
        rows = [
            {name: value for name, value in row.items() if name != _IDENTIFIES}
            for row in _rows(wide)
            if row.get("session.code") == code
        ]
        if rows:
            text = io.StringIO()
            writer = csv.DictWriter(text, fieldnames=list(rows[0]), lineterminator="\n")
            writer.writeheader()
            writer.writerows(rows)
            name = f"{episode.id}-{episode.replicate}.wide.csv"
            write_atomic(self.folder / name, text.getvalue())


async def _all(seats: Sequence[Seat]) -> None:
    """Play all seats; where one cannot go on, the others stop."""
    tasks = [asyncio.ensure_future(seat.run()) for seat in seats]
    try:
        await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def _rows(raw: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(raw.decode("utf-8-sig"))))


def _scripted(episode: Episode, seat: str) -> bool:
    return episode.seats[seat].provider == "simulated"
