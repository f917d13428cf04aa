"""Reads observations from a folder, a CSV file, a data frame, or shipped data."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import replace
from difflib import get_close_matches
from pathlib import Path

import pandas as pd

from many_wolves import families
from many_wolves.contracts import Observations
from many_wolves.errors import WolvesError
from many_wolves.sources import nearest
from many_wolves.tables import no_name, read_table, refuse_first

DATA_FRAME = "the data frame"
"""Name of a data frame in messages."""


def reference(name: str) -> Observations:
    """Shipped data by name, such as ``yoon2020``.

    Raises
    ------
    WolvesError
        If there are none with that name.
    """
    known = families.references()
    if name not in known:
        raise WolvesError(f"no shipped data are called {name!r}", fix=nearest(name, known))
    found = known[name][1].load()
    task = known[name][1].task
    return replace(found, meta={"task": task, **found.meta, "reference": name})


def load(path: Path, task: str | None = None) -> Observations:
    """Observations from a folder of ``wolves choices`` or from one CSV file.

    Parameters
    ----------
    path
        The folder or file.
    task
        Task of the table; by default, a CSV file is of the default family's task.

    Raises
    ------
    WolvesError
        If there is no such table, or it belongs to another family.
    """
    if path.is_dir():
        return _folder(path, task)
    if not path.exists():
        raise WolvesError(
            "the table of choices does not exist",
            where=path,
            fix="run `wolves choices` first, or correct the path",
        )
    if path.suffix == ".csv" and (path.parent / "meta.json").exists():
        found = read_table(path.parent)
        if path.stem == found.main:
            return _folder(path.parent, task)
    family, own = families.of_task(task or _default_task())
    return _with_speakers(family.from_csv(path, own))


def from_frame(
    frame: pd.DataFrame,
    task: str | None = None,
    speaker: str | None = None,
    aside: Mapping[str, pd.DataFrame] | None = None,
) -> Observations:
    """Observations from a data frame, with further tables ``aside``."""
    family, own = families.of_task(task or _default_task())
    if "speaker" not in frame and speaker is not None:
        frame = frame.assign(speaker=speaker)
    return _with_speakers(family.from_frame(frame, own, **(aside or {})))


def of_one(observations: Observations, speaker: str | None, where: str | Path = "") -> Observations:
    """The observations of one speaker: the given one, or the only one.

    Raises
    ------
    WolvesError
        If the speaker is missing, or there are several and none is given.
    """
    if speaker is not None:
        kept = only(observations, "speaker", speaker, where).meta["kept"]
        one = observations.of(speaker)
        if len(observations.speakers) == 1:
            return one
        return replace(one, meta={**one.meta, "kept": kept})
    if len(observations.speakers) > 1:
        raise WolvesError(
            f"a fit needs one speaker; the table contains {', '.join(observations.speakers)}",
            where=where or None,
            fix=_choose_one(observations, where),
        )
    return observations


def _choose_one(observations: Observations, where: str | Path) -> str:
    """How to select a speaker or fit all, in the language that the table was given in."""
    name = observations.speakers[0]
    if where == DATA_FRAME:
        return f"choose one with speaker={name!r}, or fit all of them with `mw.fit_all(FRAME)`"
    return (
        f"choose one with --speaker {shlex.quote(name)}, or fit all of "
        f"them with `wolves fit-all {_place(observations, where)}`"
    )


def _place(observations: Observations, where: str | Path) -> str:
    """The argument that selects the observations on the command line."""
    name = observations.meta.get("reference")
    return f"--data {name}" if name else shlex.quote(str(where or "TABLE.csv"))


def one_speaker(
    path: Path | None,
    name: str | None = None,
    *,
    speaker: str | None = None,
    parts: Sequence[str] = (),
    task: str | None = None,
) -> Observations:
    """The observations of one speaker, from a path or from shipped data.

    Parameters
    ----------
    path, name
        Exactly one of the two.
    speaker
        Which speaker.
    parts
        Rows to keep, as ``COLUMN=VALUE``.
    task
        As in ``load``.

    Raises
    ------
    WolvesError
        If neither or both are given, or the table contains several speakers and none is given.
    """
    found, where = _chosen(path, name, parts, task)
    return of_one(found, speaker, where)


def each_speaker(
    path: Path | None,
    name: str | None = None,
    *,
    speaker: str | None = None,
    parts: Sequence[str] = (),
    task: str | None = None,
) -> list[Observations]:
    """The same for the given speaker, or for all speakers of the table if none is given."""
    found, where = _chosen(path, name, parts, task)
    names = [speaker] if speaker is not None else found.speakers
    return [of_one(found, one, where) for one in names]


def _chosen(
    path: Path | None, name: str | None, parts: Sequence[str], task: str | None
) -> tuple[Observations, str | Path]:
    """The kept rows of a table, and its name in messages."""
    if (path is None) == (name is None):
        raise WolvesError(
            "expected either a table of choices or --data NAME",
            fix="wolves fit rsa-output/NAME/choices, or wolves fit --data yoon2020; "
            "`wolves data list` prints the names",
        )
    found = reference(name) if name is not None else load(Path(str(path)), task)
    if name is not None and task is not None and families.of_task(task)[0].name != found.family:
        raise WolvesError(
            f"the shipped data {name} are of the family {found.family}, which has no task {task!r}",
            fix="leave --task out: it names the task of a table CHOICES",
        )
    where = path or f"--data {name}"
    for one in parts:
        found = part(found, one, where)
    return found, where


def only(observations: Observations, column: str, value: str, where: str | Path) -> Observations:
    """The rows with one value in a column; ``WolvesError`` if there are none."""
    present = list(dict.fromkeys(map(str, observations.rows.get(column, ()))))
    if value not in present:
        named = "speaker={!r}" if where == DATA_FRAME else "--speaker {!r}"
        option = named if column == "speaker" else f"--only {column}={{}}"
        close = get_close_matches(value, present, n=1, cutoff=0) or present
        raise WolvesError(
            f"no {column} {value!r} in the table; it contains {', '.join(present) or 'none'}",
            where=where or None,
            column=column,
            fix=option.format(close[0]) if present else f"leave {column} out",
        )
    tables = {
        name: _where(frame, column, value) if column in frame else frame
        for name, frame in observations.tables.items()
    }
    kept = {**observations.meta.get("kept", {}), column: value}
    return replace(observations, tables=tables, meta={**observations.meta, "kept": kept})


def joined(found: Sequence[Observations], sources: Sequence[str]) -> Observations:
    """The observations of all speakers of several tables.

    Raises
    ------
    WolvesError
        If the list is empty, a speaker is in two of them, or families differ.
    """
    if not found:
        raise WolvesError(
            "expected tables of choices, found none",
            fix="wolves pool rsa-output/ONE/choices rsa-output/TWO/choices --out FOLDER",
        )
    names = [speaker for table in found for speaker in table.speakers]
    twice = [name for name in dict.fromkeys(names) if names.count(name) > 1]
    if twice or len({table.family for table in found}) > 1:
        raise WolvesError(
            f"the speaker {twice[0]} is in two tables"
            if twice
            else "the tables are of different families",
            fix="give one table per speaker, all of the same family",
        )
    tables = list(dict.fromkeys(name for table in found for name in table.tables))
    return replace(
        found[0],
        tables={
            name: pd.concat(
                [_with_speaker(t, name) for t in found if name in t.tables], ignore_index=True
            )
            for name in tables
        },
        checks=tuple(check for table in found for check in table.checks),
        excluded=pd.concat([table.excluded for table in found], ignore_index=True),
        meta={"sources": list(sources), "task": found[0].task},
    )


def _folder(path: Path, task: str | None) -> Observations:
    table = read_table(path)
    told = {}
    if task is not None:
        family, own = families.of_task(task)
        if family.name != table.family:
            raise WolvesError(
                f"the table is of the family {table.family!r}, to which the task {task!r} "
                "does not belong",
                where=path,
                fix="leave --task out, or give another table",
            )
        told = {"task": own}
    main = str(path / f"{table.main}.csv")
    return _with_speakers(replace(table, meta={**table.meta, **told, "path": main}))


def _with_speakers(found: Observations) -> Observations:
    """The observations with the speaker of every row of the main table as text.

    Raises
    ------
    WolvesError
        If the main table has no rows, or a row has no speaker.
    """
    if found.rows.empty and not any(len(frame) for frame in found.aside.values()):
        raise WolvesError(
            "the table has no rows",
            where=found.where,
            fix="collect answers first: `wolves collect`, then `wolves choices`",
        )
    refuse_first(
        no_name(found.rows["speaker"]),
        found.rows["speaker"],
        "the name of a speaker",
        where=found.where,
        fix="write it in the column speaker",
    )
    text = {
        name: frame.assign(speaker=frame["speaker"].astype(str))
        for name, frame in found.tables.items()
        if "speaker" in frame
    }
    return found.having(**text)


def _default_task() -> str:
    return next(iter(families.get(families.DEFAULT).tasks))


def part(observations: Observations, words: str, where: str | Path) -> Observations:
    """The rows that ``COLUMN=VALUE`` selects; ``WolvesError`` if there are none."""
    column, equals, value = (word.strip() for word in words.partition("="))
    if not equals:
        raise WolvesError(
            f"expected COLUMN=VALUE in --only, found {words!r}",
            fix="write, for example, --only framing=third",
        )
    return only(observations, column, value, where)


def _with_speaker(table: Observations, name: str) -> pd.DataFrame:
    """A table with a speaker column."""
    frame = table.tables[name]
    return frame if "speaker" in frame else frame.assign(speaker=table.speakers[0])


def _where(frame: pd.DataFrame, column: str, value: str) -> pd.DataFrame:
    return frame[frame[column].astype(str) == value].reset_index(drop=True)
