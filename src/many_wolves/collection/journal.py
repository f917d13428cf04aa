"""The journal: one JSON line per answer, appended and synced, one line per key.

Guarantees of a journal, whatever happens to the process or the disk:

- an answer that ``append`` has acknowledged is on the disk;
- a torn or unreadable line is set aside when the journal is next opened, in
  ``NAME.jsonl.set-aside``, and its trial is asked again;
- a second writer is refused, whatever name or link it uses (``NAME.jsonl.lock``, and a lock
  on the file itself);
- a journal that is removed while it is open is restored;
- no key has two lines. A failed answer that is asked again is first set
  aside, and an answer whose key exists already is not written.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Self

from many_wolves.errors import WolvesError
from many_wolves.files import canonical_json, write_atomic
from many_wolves.locks import Lock, hold_inode
from many_wolves.records import Response, SpeakerSpec, Status
from many_wolves.replacement import is_no_trial, refuse_other
from many_wolves.store.damaged_lines import (
    ends_well,
    read_open,
    rewrite_in_place,
    set_aside,
    sync_folder,
)
from many_wolves.store.journal_lines import raw_lines, read_journal, read_lines

_FULL = (errno.ENOSPC, errno.EFBIG, getattr(errno, "EDQUOT", errno.ENOSPC))


@dataclass(frozen=True, slots=True)
class Entry:
    """The state of one key in the journal."""

    status: Status
    error: str = ""


class Journal:
    """A journal that is open for writing; a context manager.

    Parameters
    ----------
    path
        The journal, or a link to it; created if it does not exist.
    speaker
        The speaker of its answers; a line of another speaker is an error.
    say
        Receives a message for every line that is set aside.

    Raises
    ------
    WolvesError
        If another process writes to it, under any name; if it contains another speaker's
        answers; or if it cannot be written.
    """

    def __init__(self, path: Path, speaker: SpeakerSpec, say: Callable[[str], None]) -> None:
        self.path = Path(os.path.realpath(path))
        self._speaker = speaker
        self._say = say
        self._lock = Lock(self.path)
        self._file = -1
        self._size = 0
        self._entries: dict[str, Entry] = {}

    def __enter__(self) -> Self:
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._lock.hold("is writing to this journal")
            self._open()
            self._recover(set())
        except OSError as error:
            self._close()
            raise _disk_fault(self.path, error) from error
        except BaseException:
            self._close()
            raise
        return self

    def __exit__(self, *exception: object) -> None:
        try:
            if self._size:
                self._restore()
        finally:
            self._close()

    @property
    def entries(self) -> Mapping[str, Entry]:
        """The known keys and their states."""
        return self._entries

    def forget(self, keys: Iterable[str]) -> None:
        """Set failed answers aside, because their questions are asked again.

        Raises
        ------
        WolvesError
            If the journal cannot be written; it is then unchanged.
        """
        gone = {k for k in keys if k in self._entries and self._entries[k].status == "failed"}
        if not gone:
            return
        try:
            self._recover(gone)
        except OSError as error:
            raise _disk_fault(self.path, error) from error

    def append(self, responses: Iterable[Response]) -> int:
        """Write answers; when this returns, they are on the disk.

        Returns
        -------
        int
            Number of answers written; an answer whose key exists already is skipped.

        Raises
        ------
        WolvesError
            If the disk fails; the journal then ends with the last complete answer. If an answer
        cannot be encoded; all others of the group are written.
        """
        fresh: dict[str, Response] = {}
        lines: list[bytes] = []
        odd: Exception | None = None
        for response in responses:
            if response.key in self._entries or response.key in fresh:
                continue
            try:
                lines.append(canonical_json(response.to_json()).encode(errors="replace") + b"\n")
                fresh[response.key] = response
            except (TypeError, ValueError) as error:
                odd = error
        self._write(b"".join(lines))
        for response in fresh.values():
            self._wrote(response)
        if odd is not None:
            raise WolvesError(
                f"an answer cannot be stored as JSON and is left out: {odd}",
                where=self.path,
                fix="report this bug; all other answers are in the journal",
            ) from odd
        return len(fresh)

    def _write(self, data: bytes) -> None:
        """Append lines, and sync them."""
        written = 0
        try:
            while written < len(data):
                written += os.write(self._file, data[written:])
            os.fsync(self._file)
        except OSError as error:
            # Complete answers stay; the incomplete one is removed.
            self._size += data[:written].rfind(b"\n") + 1
            os.ftruncate(self._file, self._size)
            raise _disk_fault(self.path, error) from error
        self._size += len(data)
        self._restore()

    def _wrote(self, response: Response) -> None:
        """Register an answer that is now on the disk."""
        self._entries[response.key] = Entry(response.status, response.error)

    def _begin(self) -> None:
        """Clear the state before the file is read."""
        self._entries = {}

    def _found(self, response: Response, at: int) -> bool:
        """Register an answer in the file; return False if its key is a duplicate."""
        if response.key in self._entries:
            return False
        self._entries[response.key] = Entry(response.status, response.error)
        return True

    def _twice(self) -> set[int]:
        """Offsets of lines that ``_found`` accepted although their keys are duplicates."""
        return set()

    def _open(self) -> None:
        """Open the file, creating it if necessary, and lock it under all its names."""
        refuse_other(self.path, is_no_trial, "answers")
        new = not self.path.exists()
        self._file = os.open(self.path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o644)
        if not hold_inode(self._file):
            # It belongs to the other process, so closing must neither empty nor remove it.
            os.close(self._file)
            self._file = -1
            raise WolvesError(
                "another process is writing to this journal under another name",
                where=self.path,
                fix="wait for it to end, or stop it with Ctrl-C; nothing was asked or changed",
            )
        self._size = os.fstat(self._file).st_size
        if new:
            sync_folder(self.path.parent)

    def _recover(self, gone: set[str]) -> None:
        """Read the file; set aside unusable lines and the keys in ``gone``."""
        aside: set[int] = set()
        self._begin()
        for line in read_lines(self.path):
            response = line.response
            if response is None or line.fault:
                self._say(f"{self.path}, line {line.number}: {line.fault}; set aside")
            elif response.speaker != self._speaker:
                raise _foreign(self.path, line.number, response.speaker, self._speaker)
            elif response.key in gone:
                pass
            elif self._found(response, line.at):
                continue
            else:
                self._say(f"{self.path}, line {line.number}: answered twice; set aside")
            aside.add(line.at)
        if twice := self._twice():
            self._say(f"{self.path}: {len(twice)} turns answered twice; set aside")
            aside |= twice
        if aside:
            set_aside(self.path, aside)
        if aside or not ends_well(self.path):
            self._rewrite(aside)
            self._recover(set())

    def _rewrite(self, aside: set[int]) -> None:
        """Rewrite the file without some lines, and terminate the last one."""
        kept = (raw for at, raw in raw_lines(self.path) if at not in aside)
        whole = (raw.removesuffix(b"\n") + b"\n" for raw in kept)
        if os.fstat(self._file).st_nlink > 1:
            # A new file would separate this name from the other links.
            self._size = rewrite_in_place(self.path, whole)
            return
        write_atomic(self.path, whole)
        sync_folder(self.path.parent)
        os.close(self._file)
        self._open()

    def _restore(self) -> None:
        """Restore the journal if it was removed while open.

        Raises
        ------
        WolvesError
            If another file has replaced it. The answers are then in a file next to it.
        """
        try:
            found = self.path.stat()
        except FileNotFoundError:
            found = None
        ours = os.fstat(self._file)
        if found is not None and (found.st_dev, found.st_ino) == (ours.st_dev, ours.st_ino):
            return
        whole = read_open(self._file)
        if found is None:
            write_atomic(self.path, whole)
            os.close(self._file)
            self._open()
            self._say(f"{self.path} was removed during writing; it was restored.")
            return
        beside = self.path.with_name(f"{self.path.name}.rescued-{os.getpid()}")
        write_atomic(beside, whole)
        raise WolvesError(
            "the journal was replaced by another file during writing",
            where=self.path,
            fix=f"the answers are in {beside}: move that file back, and run the command again",
        )

    def _close(self) -> None:
        if self._file >= 0:
            os.close(self._file)
            self._file = -1
            if self._size == 0:
                self.path.unlink(missing_ok=True)
        self._lock.release()


def peek(path: Path) -> dict[str, Entry]:
    """The states of a journal's keys; never waits, writes, or fails because of a line."""
    if not path.exists():
        return {}
    return {r.key: Entry(r.status, r.error) for r in read_journal(path).responses}


def _foreign(path: Path, line: int, found: SpeakerSpec, expected: SpeakerSpec) -> WolvesError:
    return WolvesError(
        f"expected answers of {expected.name} with the requested settings, found answers of "
        f"{found.name} with {differences(found, expected)}",
        where=path,
        line=line,
        fix="give a folder, or another file, with --out: a journal holds one speaker",
    )


def differences(found: SpeakerSpec, expected: SpeakerSpec) -> str:
    """The settings in which two speakers differ, in words; empty if they are equal."""
    names = [f.name for f in fields(found)]
    names = [n for n in names if getattr(found, n) != getattr(expected, n)]
    return ", ".join(f"{n} {getattr(found, n)!r} not {getattr(expected, n)!r}" for n in names)


def _disk_fault(path: Path, error: OSError) -> WolvesError:
    words = error.strerror or str(error)
    first = (
        "free some space (or give another folder with --out)"
        if error.errno in _FULL
        else "give the path of a file that you can write with --out"
    )
    return WolvesError(
        f"the journal cannot be written: {words}",
        where=path,
        fix=f"{first}, then run the same command again: the journal is intact, and its answers "
        "will not be asked again",
    )
