"""Where the commands take their choice table from: a folder, a CSV file, or people."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pandas as pd

from many_wolves import families
from many_wolves.errors import WolvesError
from many_wolves.records import ChoiceTable
from many_wolves.tables import read_table


def human_or_table(
    choices: Path | None,
    human: str | None,
    speaker: str | None = None,
    framing: str | None = None,
    task: str | None = None,
) -> ChoiceTable:
    """The table of one speaker, from ``--human NAME`` or from a path.

    Raises
    ------
    WolvesError
        If neither or both are given, or the table holds several speakers and
        none is named.
    """
    if (choices is None) == (human is None):
        raise WolvesError(
            "expected a table of choices or --human NAME, and not both",
            mend="wolves fit rsa-output/NAME/choices, or wolves fit --human yoon2020",
        )
    if human is not None:
        from many_wolves.families.politeness.human import human_table

        return human_table(human)
    assert choices is not None
    table = load_table(choices, task)
    if framing is not None:
        table = only(table, "framing", framing, choices)
    return of_one_speaker(table, speaker, choices)


def of_one_speaker(table: ChoiceTable, speaker: str | None, where: str | Path) -> ChoiceTable:
    """The part of a table that is one speaker's.

    Raises
    ------
    WolvesError
        If there are several speakers and none is named, or none of that name.
    """
    if speaker is not None:
        return only(table, "speaker", speaker, where).of(speaker)
    if len(table.speakers) > 1:
        raise WolvesError(
            f"one fit is of one speaker; the table holds {', '.join(table.speakers)}",
            where=where,
            mend=f"--speaker {table.speakers[0]!r}",
        )
    return table


def load_table(path: Path, task: str | None = None) -> ChoiceTable:
    """A choice table from a folder of ``wolves choices`` or from one CSV file.

    Parameters
    ----------
    path
        The folder or file.
    task
        What the table is of; of a CSV file politeness if not given.

    Raises
    ------
    WolvesError
        If there is no such table, or it is of another family.
    """
    if path.is_dir():
        table = read_table(path)
        if task is not None and families.of_task(task).name != table.family:
            raise WolvesError(
                f"the table is of the family {table.family!r}, to which the task {task!r} "
                "does not belong",
                where=path,
                mend="leave --task out, or give another table",
            )
        told = {} if task is None else {"task": task}
        return replace(table, meta={**table.meta, **told, "path": str(path / "counts.csv")})
    if not path.exists():
        raise WolvesError(
            "there is no such table of choices",
            where=path,
            mend="run `wolves choices` first, or correct the path",
        )
    if (path.parent / "meta.json").exists() and path.name == "counts.csv":
        return load_table(path.parent, task)
    named = task or families.tasks()[0]
    return families.of_task(named).from_csv(path, named)


def only(table: ChoiceTable, column: str, value: str, path: str | Path) -> ChoiceTable:
    """The rows with one value in a column; WolvesError where there are none."""
    present = list(dict.fromkeys(map(str, table.counts.get(column, ()))))
    if value not in present:
        raise WolvesError(
            f"no {column} {value!r} in the table; it holds {', '.join(present) or 'none'}",
            where=path,
            column=column,
            mend=f"--{column} {present[0]!r}" if present else f"leave --{column} out",
        )
    aside = {
        name: _where(frame, column, value) if column in frame else frame
        for name, frame in table.aside.items()
    }
    return replace(table, counts=_where(table.counts, column, value), aside=aside)


def _where(frame: pd.DataFrame, column: str, value: str) -> pd.DataFrame:
    return frame[frame[column].astype(str) == value].reset_index(drop=True)
