"""Reads a file of trials."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from many_wolves.errors import WolvesError
from many_wolves.records import Choose, Trial


def read_trials(path: Path) -> list[Trial]:
    """Read the trials of a JSON-lines file, in order, each once.

    Raises
    ------
    WolvesError
        If the file is missing or empty, or a line is not a trial or is a duplicate.
    """
    trials: dict[str, Trial] = {}
    for number, trial in _numbered(path):
        if trial.id in trials:
            raise _twice(path, number, trial)
        trials[trial.id] = trial
    if not trials:
        raise _none(path)
    return list(trials.values())


class Trials:
    """The trials of a file, read again for each iteration, so that only one is in memory.

    ``families`` lists their families. ``sampled`` states whether some of them require an
    answer other than a choice, which is sampled in score mode as well.

    Parameters
    ----------
    path
        The file; checked at construction.

    Raises
    ------
    WolvesError
        As in ``read_trials``.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        seen: set[bytes] = set()
        families: dict[str, None] = {}
        sampled = False
        for number, trial in _numbered(path):
            short = bytes.fromhex(trial.id)
            if short in seen:
                raise _twice(path, number, trial)
            seen.add(short)
            families[trial.family] = None
            sampled |= not isinstance(trial.answer, Choose)
        if not seen:
            raise _none(path)
        self.families = tuple(families)
        self.sampled = sampled
        self._n = len(seen)

    @staticmethod
    def read(path: Path) -> Iterator[Trial]:
        """The trials of a file one by one, without checks for duplicates.

        Raises
        ------
        WolvesError
            If the file is missing or contains none, or a line is not a trial.
        """
        n = 0
        for n, trial in _numbered(path):  # noqa: B007
            yield trial
        if not n:
            raise _none(path)

    def __len__(self) -> int:
        return self._n

    def __iter__(self) -> Iterator[Trial]:
        return (trial for _, trial in _numbered(self.path))


def _numbered(path: Path) -> Iterator[tuple[int, Trial]]:
    """Trials with the numbers of their lines."""
    if not path.is_file():
        raise WolvesError(
            "expected a file of trials", where=path, fix=f"wolves compile --task {path.stem}"
        )
    with path.open("rb") as file:
        for number, line in enumerate(file, start=1):
            if not line.strip():
                continue
            try:
                trial = Trial.from_json(json.loads(line))
            except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
                raise WolvesError(
                    f"expected a trial as JSON, found {type(error).__name__}: {error}",
                    where=path,
                    line=number,
                    fix="make the file again with `wolves compile`",
                ) from error
            yield number, trial


def _twice(path: Path, line: int, trial: Trial) -> WolvesError:
    return WolvesError(
        f"duplicate trial {trial.id}",
        where=path,
        line=line,
        fix="make the file again with `wolves compile`",
    )


def _none(path: Path) -> WolvesError:
    return WolvesError("the file contains no trials", where=path, fix="wolves compile")
