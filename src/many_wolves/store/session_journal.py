"""The journal of one session on a server: the sent answers, and their outcomes.

One JSON line per event, synced when the call returns: ``begun``, ``sent``, ``receipt``, ``ended``.
The answers are in the journals of the speakers. An answer with ``sent`` and no ``receipt`` may or
may not have arrived; it is looked up before it is sent again.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal, Self

from many_wolves.errors import WolvesError
from many_wolves.files import canonical_json
from many_wolves.locks import Lock
from many_wolves.records import READABLE, SCHEMA, Response
from many_wolves.worlds import Episode, Receipt

State = Literal["new", "sent", "settled"]
"""States of a turn: unknown, sent, or with a receipt."""


class SessionJournal:
    """The journal of one session; a context manager that excludes other processes.

    Parameters
    ----------
    folder
        Folder of the session journals.
    episode
        Episode of the session; each attempt has a separate journal.

    Raises
    ------
    WolvesError
        If another process is playing this session, or the journal cannot be written.
    """

    def __init__(self, folder: Path, episode: Episode) -> None:
        self.path = folder / f"{episode.id}-{episode.replicate}.jsonl"
        self.ended = ""
        self._episode = episode
        self._lock = Lock(self.path)
        self._file = -1
        self._turns: dict[int, State] = {}

    def __enter__(self) -> Self:
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._lock.hold("is playing this session")
            self._file = os.open(self.path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o644)
            self._read()
        except OSError as fault:
            self.close()
            raise self._fault(fault) from fault
        except BaseException:
            self.close()
            raise
        if os.fstat(self._file).st_size == 0:
            seats = {name: spec.name for name, spec in self._episode.seats.items()}
            self._write("begun", attempt=self._episode.attempt, seats=seats)
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def close(self) -> None:
        """Release the journal."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1
        self._lock.release()

    @property
    def unsettled(self) -> tuple[int, ...]:
        """Numbers of the turns that were sent but have no receipt."""
        return tuple(turn for turn, state in self._turns.items() if state == "sent")

    def state(self, turn: int) -> State:
        """The state of a turn."""
        return self._turns.get(turn, "new")

    def sent(self, response: Response) -> None:
        """Record that an answer is sent, before sending it."""
        self._write("sent", turn=response.turn, key=response.key)
        self._turns[response.turn] = "sent"

    def receipt(self, receipt: Receipt) -> None:
        """Record the outcome of an answer; further receipts of the same turn are ignored."""
        if self.state(receipt.turn) != "settled":
            self._write("receipt", turn=receipt.turn, status=receipt.status, why=receipt.why)
            self._turns[receipt.turn] = "settled"

    def end(self, how: str) -> None:
        """Record that the session has ended."""
        if not self.ended:
            self._write("ended", how=how)
            self.ended = how

    def _write(self, event: str, **fields: Any) -> None:
        record = {
            "schema": SCHEMA,
            "event": event,
            "episode": self._episode.id,
            "replicate": self._episode.replicate,
            "at": datetime.now(UTC).isoformat(timespec="milliseconds"),
        }
        data = canonical_json(record | fields).encode() + b"\n"
        try:
            while data:
                data = data[os.write(self._file, data) :]
            os.fsync(self._file)
        except OSError as fault:
            raise self._fault(fault) from fault

    def _read(self) -> None:
        # A last line without a line break is incomplete, so its action was not performed.
        whole, _, torn = self.path.read_bytes().rpartition(b"\n")
        for number, line in enumerate(whole.splitlines(), start=1):
            try:
                self._take(json.loads(line))
            except (ValueError, KeyError, TypeError, RecursionError) as fault:
                raise WolvesError(
                    f"expected an event of a session, found {fault}",
                    where=self.path,
                    line=number,
                    fix="move the file away to restart the session",
                ) from fault
        if torn:
            os.ftruncate(self._file, len(whole) + (whole != b""))

    def _take(self, record: Mapping[str, Any]) -> None:
        if record["schema"] not in READABLE:
            raise ValueError(f"schema {record['schema']}")
        match record["event"]:
            case "sent":
                self._turns.setdefault(int(record["turn"]), "sent")
            case "receipt":
                self._turns[int(record["turn"])] = "settled"
            case "ended":
                self.ended = str(record["how"])

    def _fault(self, fault: OSError) -> WolvesError:
        return WolvesError(
            f"the journal of the session cannot be written: {fault.strerror}",
            where=self.path,
            fix="free some space, or give another folder with --out; the session will resume",
        )
