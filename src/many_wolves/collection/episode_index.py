"""The journal of episodes, with an index of turns by episode that needs little memory."""

from __future__ import annotations

import hashlib
from array import array
from collections.abc import Callable
from pathlib import Path

import numpy as np

from many_wolves.collection.journal import Entry, Journal
from many_wolves.records import Response, SpeakerSpec
from many_wolves.store.journal_lines import parse_line

_KEY_BYTES = 12


class TurnJournal(Journal):
    """A journal whose answers are read back by episode; ``entries`` contains only failed turns.

    The content of the file at opening is indexed with 28 bytes per turn. Of appended turns, only
    failed ones are kept in memory: the player of an episode knows its other turns.

    Parameters
    ----------
    path, speaker, say
        As for ``Journal``.
    """

    def __init__(self, path: Path, speaker: SpeakerSpec, say: Callable[[str], None]) -> None:
        super().__init__(path, speaker, say)
        self._like: Response | None = None
        self._begin()

    def answers(self, episode: str, replicate: int) -> dict[str, Response]:
        """Answers of an episode in the file at opening, by key, without failed turns."""
        name = np.uint64(_number(episode, replicate))
        lo, hi = (int(np.searchsorted(self._episodes, name, side)) for side in ("left", "right"))
        if lo == hi:
            return {}
        found: dict[str, Response] = {}
        with self.path.open("rb") as file:
            for at in self._places[lo:hi]:
                file.seek(int(at))
                response = parse_line(file.readline(), self._like)
                self._like = response
                ours = (response.episode, response.replicate) == (episode, replicate)
                if ours and response.status != "failed":
                    found[response.key] = response
        return found

    def _begin(self) -> None:
        super()._begin()
        self._keys = bytearray()
        self._numbers, self._starts = array("Q"), array("Q")
        self._episodes = self._places = np.empty(0, np.uint64)

    def _found(self, response: Response, at: int) -> bool:
        self._keys += bytes.fromhex(response.key)
        self._numbers.append(_number(response.episode, response.replicate))
        self._starts.append(at)
        self._wrote(response)
        return True

    def _wrote(self, response: Response) -> None:
        if response.status == "failed":
            self._entries[response.key] = Entry(response.status, response.error)

    def _twice(self) -> set[int]:
        """Build the index; return the offsets of lines with duplicate keys."""
        keys = np.frombuffer(bytes(self._keys), dtype=np.dtype((np.void, _KEY_BYTES)))
        starts = np.frombuffer(self._starts, dtype=np.uint64).copy()
        numbers = np.frombuffer(self._numbers, dtype=np.uint64)
        order = np.argsort(numbers, kind="stable")
        self._episodes, self._places = numbers[order], starts[order]
        _, first = np.unique(keys, return_index=True)
        again = np.ones(len(keys), dtype=bool)
        again[first] = False
        self._keys, self._numbers, self._starts = bytearray(), array("Q"), array("Q")
        return {int(at) for at in starts[again]}


def _number(episode: str, replicate: int) -> int:
    """A hash of an episode; two episodes may share one, so matches are verified."""
    digest = hashlib.blake2b(f"{episode}:{replicate}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "little")
