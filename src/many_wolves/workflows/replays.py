"""Reads the content of a session's page from the journals."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from many_wolves import families
from many_wolves.collection import read_trials
from many_wolves.contracts import ReplayingFamily
from many_wolves.errors import WolvesError
from many_wolves.figures.replay import Replay
from many_wolves.records import Response, Trial
from many_wolves.sources import quoted
from many_wolves.store.journal_lines import journal_files, read_journal, session_folders
from many_wolves.worlds import Episode

_LISTED = 8


def read_replay(session: str, sources: Sequence[Path], trials: Path | None = None) -> Replay:
    """A session up to its last answer.

    Parameters
    ----------
    session
        Its name in tables (column ``session``), or the beginning of the name.
    sources
        Journals, or folders with them.
    trials
        The file of openings that ``wolves compile`` wrote.

    Raises
    ------
    WolvesError
        If there is no such session or several, or its family has no page for sessions.
    """
    found: dict[str, list[Response]] = {}
    for file in journal_files(sources):
        if file.suffix == ".jsonl":
            for response in read_journal(file).responses:
                name = f"{response.episode}-{response.replicate}"
                found.setdefault(name, []).append(response)
    if not found:
        raise WolvesError(
            "the journals hold no answers",
            where=next(iter(sources), None),
            fix="run `wolves collect` first, or give the path of another journal",
        )
    answers = _one(session, found)
    family = families.get(answers[0].family)
    if not isinstance(family, ReplayingFamily):
        raise WolvesError(
            f"the task family {family.name!r} has no page for its sessions",
            fix="use `wolves choices` for a table of its answers",
        )
    name = f"{answers[0].episode}-{answers[0].replicate}"
    opening = None if trials is None else _opening(trials, answers[0].episode)
    return family.replay(name, answers, session_folders(sources), opening)


def _one(session: str, found: dict[str, list[Response]]) -> list[Response]:
    """The answers of the session with this name, or with the only name that begins with it."""
    if session in found:
        return found[session]
    names = [name for name in found if name.startswith(session)]
    if len(names) == 1:
        return found[names[0]]
    shown = names or sorted(found)
    listed = quoted(shown[:_LISTED]) + (
        f" and {len(shown) - _LISTED} more" * (len(shown) > _LISTED)
    )
    problem = f"several sessions begin with {session!r}" if names else f"no session {session!r}"
    raise WolvesError(problem, fix=f"give one of {listed}")


def _opening(path: Path, episode: str) -> Trial:
    wanted = Episode.opening_id(episode)
    opening = next((trial for trial in read_trials(path) if trial.id == wanted), None)
    if opening is None:
        raise WolvesError(
            "the file does not contain the opening of this session",
            where=path,
            fix="give the file that the session was collected from, or leave out --trials",
        )
    return opening
