"""Sections on excluded answers: refusals and unreadable answers are data, too."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from many_wolves.figures import Fitted, Section, Table

CHOICE = "choice"
"""Task whose answers are fitted if the fit does not record one."""
LONGEST = 200
"""Maximum number of rows in the detailed table; the choice table on disk has all of them."""


def excluded_section(fit: Fitted) -> Section:
    """Counts by status, then the rows with an example each."""
    frame = pd.DataFrame(list(fit.info.get("excluded", ())))
    kept = float(fit.info.get("choices", 0))
    if frame.empty:
        text = f"No answer was excluded: all {kept:,.0f} choices are in the fit."
        return Section("excluded", "Excluded answers", (text,))
    task = _task(fit, frame)
    choices = frame[frame["task"] == task] if "task" in frame else frame
    out = float(choices["n"].sum())
    text = (
        f"{out:,.0f} answers to the {task} task were excluded, {_share(out, kept)} of "
        f"{out + kept:,.0f}. They are counted, never guessed."
    )
    beside = float(frame["n"].sum()) - out
    if beside:
        text += f" In the other tasks, {beside:,.0f} more were excluded."
    return Section(
        "excluded",
        "Excluded answers",
        (text,),
        (_by_status(frame), *_detail(frame)),
    )


def missing_table(fits: Sequence[Fitted]) -> Table:
    """One row per speaker: the numbers of answers kept, and of answers excluded by status."""
    rows = []
    for fit in fits:
        frame = pd.DataFrame(list(fit.info.get("excluded", ())))
        row: dict[str, object] = {"speaker": fit.label, "kept": float(fit.info.get("choices", 0))}
        if not frame.empty:
            choices = frame[frame["task"] == _task(fit, frame)] if "task" in frame else frame
            row |= {str(k): float(v) for k, v in choices.groupby("status")["n"].sum().items()}
        rows.append(row)
    table = pd.DataFrame(rows).fillna(0.0)
    if len(table.columns) == 2:
        table["left out"] = 0.0
    return Table(table, "Choices in the fit, and excluded answers to the choice task by reason.")


def _task(fit: Fitted, frame: pd.DataFrame) -> str:
    """The fitted task, by its name in the table of excluded answers."""
    named = str(fit.info.get("source", {}).get("task", CHOICE))
    return named if "task" in frame and named in set(frame["task"]) else CHOICE


def _share(out: float, kept: float) -> str:
    return f"{100 * out / (out + kept):.1f} %" if out + kept else "none"


def _by_status(frame: pd.DataFrame) -> Table:
    keys = [key for key in ("task", "status") if key in frame]
    counts = frame.groupby(keys, sort=False)["n"].sum().reset_index()
    return Table(
        counts.rename(columns={"status": "reason", "n": "answers"}), "Excluded answers, by reason."
    )


def _detail(frame: pd.DataFrame) -> tuple[Table, ...]:
    columns = [c for c in frame if c != "speaker" and frame[c].nunique(dropna=False) > 1]
    columns += [c for c in ("n", "example") if c in frame and c not in columns]
    if len(frame) < 2 or not columns:
        return ()
    shown = frame[columns].head(LONGEST)
    more = f" The first {LONGEST} of {len(frame)} rows." if len(frame) > LONGEST else ""
    return (Table(shown, f"Excluded answers by condition, with one example each.{more}"),)
