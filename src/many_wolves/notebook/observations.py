"""Trials and tables of answers: compiling trials, reading choices, shipped data."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from many_wolves.contracts import Observations
from many_wolves.errors import WolvesError
from many_wolves.sources import nearest

if TYPE_CHECKING:
    import pandas as pd

    from many_wolves.workflows.choices import Kind, Scoring


def compile(task: str = "politeness", out: str | Path | None = None, **design: Any) -> Path:
    """Compile the trials of a task, or the openings of its episodes, as ``wolves compile`` does.

    Parameters
    ----------
    task
        A task, a part of one (``choice``), several separated by commas, or a family.
    out
        File of the trials, as JSON lines (default: ``task-data/compiled/TASK.jsonl``).
        Its manifest is written to the same folder.
    design
        Values of the task's design, such as ``goals=["social"]``, ``items="poem,cake"``,
        ``seed=2``; ``wolves compile --help`` lists them.

    Returns
    -------
    Path
        The file of trials.

    Raises
    ------
    WolvesError
        If the task or a value is unknown, or the sources are invalid.
    """
    from many_wolves.workflows.compile import request, write_trials

    wanted = request([name.strip() for name in task.split(",")], design)
    target = Path(out) if out is not None else Path("task-data/compiled") / f"{task}.jsonl"
    write_trials(wanted, target)
    return target


def choices(
    journals: str | Path | Sequence[str | Path],
    *,
    family: str | None = None,
    kind: Kind = "all",
    scoring: Scoring = "sum",
    only: Sequence[str] = (),
    trials: str | Path | None = None,
    out: str | Path | None = None,
) -> Observations:
    """Read the answers in journals, folders and Inspect logs, as ``wolves choices`` does.

    Parameters
    ----------
    journals
        Files, or folders that contain some.
    family
        Task or task family (default: that of the answers).
    kind
        ``hf`` or ``api``: only speakers of that kind.
    scoring
        ``sum``, ``mean`` or ``pmi``: how options are scored in score mode.
    only
        Parts of the design, as ``FACTOR=VALUE``.
    trials
        File of trials; only answers to these are kept.
    out
        Folder to write the tables into.

    Returns
    -------
    Observations
        Tables of all speakers, with checks of whether each did the task.

    Raises
    ------
    WolvesError
        If there are no answers, or they are of several families and none is given.
    """
    from many_wolves.tables import write_table
    from many_wolves.workflows.choices import Selection, family_named, tabulated

    listed = [journals] if isinstance(journals, str | Path) else journals
    named = family_named(family) if family else None
    selection = Selection(named, kind, tuple(only), Path(trials) if trials else None)
    found = tabulated([Path(one) for one in listed], selection, scoring)
    if out is not None:
        write_table(found, out)
    return found


def read_choices(
    choices: str | Path | pd.DataFrame,
    *,
    task: str | None = None,
    speaker: str | None = None,
    only: Sequence[str] = (),
    **aside: pd.DataFrame,
) -> Observations:
    """The answers of one speaker: a CSV file, a folder of ``wolves choices``, or a data frame.

    Parameters
    ----------
    choices
        For politeness: the columns goal, state, utterance, count, and optionally speaker and
        framing. With a CSV file, ``literal.csv`` in the same folder is read as well.
    task
        Its task (default: politeness).
    speaker
        The speaker to select if there are several; its name, if a data frame has none.
    only
        Rows to keep, as ``COLUMN=VALUE``, such as ``framing=third``.
    aside
        Further tables of a data frame, such as ``literal`` with utterance, state, yes, n.

    Raises
    ------
    WolvesError
        If it cannot be read, or contains several speakers and none is given.
    """
    from many_wolves.workflows.data import DATA_FRAME, from_frame, of_one, one_speaker, part

    if isinstance(choices, str | Path):
        if aside:
            name = next(iter(aside))
            raise WolvesError(
                f"read_choices() has no option {name!r} for a file",
                fix=nearest(name, ("task", "speaker", "only")),
            )
        return one_speaker(Path(choices), speaker=speaker, parts=only, task=task)
    for name, table in aside.items():
        if not hasattr(table, "columns"):
            raise WolvesError(
                f"read_choices() has no option {name!r}, and a further table is a data frame; "
                f"found {table!r}",
                fix=nearest(name, ("task", "speaker", "only")),
            )
    found = from_frame(choices, task, speaker, aside)
    for one in only:
        found = part(found, one, DATA_FRAME)
    return of_one(found, speaker, DATA_FRAME)


def data(name: str = "yoon2020") -> Observations:
    """Shipped data, such as the 203 people of Yoon et al. (2020).

    Parameters
    ----------
    name
        Name of the data, as for ``wolves fit --data``.

    Raises
    ------
    WolvesError
        If there are none with that name.
    """
    from many_wolves.workflows.data import reference

    return reference(name)


def people(name: str = "yoon2020") -> Observations:
    """The former name of ``data``."""
    return data(name)
