"""Sections on the further tasks of a study, and the comparison of speakers across tasks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from many_wolves.figures import Figure, Fitted, Section
from many_wolves.figures.cross_family import across
from many_wolves.figures.figure import both_widths
from many_wolves.figures.fitted import distinct, read_fitted
from many_wolves.figures.theme import Width
from many_wolves.report.registry import family_of, pages_of
from many_wolves.report.summary import speaker_table

Task = tuple[str, str]
"""Family and task; the task is empty for a family with a single task."""


def by_task(folders: Sequence[str]) -> Mapping[Task, list[Fitted]]:
    """Fits by family and task, in the order given; short names are unique within a task.

    Raises
    ------
    WolvesError
        If a folder is not a fit folder.
    """
    found: dict[Task, list[Fitted]] = {}
    for folder in folders:
        fit = read_fitted(folder)
        family = family_of(fit)
        task = str(fit.info.get("source", {}).get("task") or "")
        found.setdefault((family, "" if task == family else task), []).append(fit)
    return {task: distinct(fits) for task, fits in found.items()}


def name_of(task: Task) -> str:
    """The name of a task in headings."""
    return f"{task[0]}, {task[1]}" if task[1] else task[0]


def further_summaries(tasks: Mapping[Task, Sequence[Fitted]]) -> Iterator[Section]:
    """The summary of each task after the first, one row per fit."""
    for task, fits in list(tasks.items())[1:]:
        name = name_of(task)
        yield Section(_mark(name), f"In {name}", (), (speaker_table(fits),))


def further_sections(tasks: Mapping[Task, Sequence[Fitted]]) -> Iterator[Section]:
    """The sections of each task after the first, all parameters first; their ids are unique."""
    for task, fits in list(tasks.items())[1:]:
        pages, name = pages_of(fits), name_of(task)
        mark = _mark(name)
        every = (pages.study_summary(fits),)
        yield Section(f"{mark}-parameters", f"Every parameter ({name})", (), every)
        for section in pages.study_sections(fits):
            yield replace(section, id=f"{mark}-{section.id}", title=f"{section.title} ({name})")


def _mark(name: str) -> str:
    return name.replace(", ", "-")


def across_section(tasks: Mapping[Task, Sequence[Fitted]]) -> list[Section]:
    """The first task against every other, speaker by speaker; None if no speaker has both."""
    points = _points(tasks)
    if points.empty:
        return []
    x = points["axis"].iloc[0]
    n = points["speaker"].nunique()
    caption = (
        f"n = {n} speaker{'s' if n > 1 else ''}. Points: posterior means; lines: 95 % "
        "equal-tailed intervals; both averaged over the conditions or groups of the speaker."
    )

    def draw(width: Width) -> Figure:
        return across(points, x=x, caption=caption, width=width)

    correlated = _correlations(points)
    words = "Does a speaker that scores high in one task also score high in the others?"
    figure = both_widths(draw)
    warned = _warning(tasks, set(points["speaker"]))
    return [Section("across", "Across tasks", (words, *warned, *correlated), (), (figure,))]


def _points(tasks: Mapping[Task, Sequence[Fitted]]) -> pd.DataFrame:
    (_, first), *others = tasks.items()
    words = {fit.label: pages_of([fit]).headline(fit) for fit in first}
    rows = []
    for task, fits in others:
        for fit in fits:
            x, y = words.get(fit.label), pages_of([fit]).headline(fit)
            if x is None or y is None:
                continue
            where = {
                "speaker": fit.label,
                "axis": x.words,
                "panel": f"{y.words} ({task[1] or task[0]})",
            }
            of_x = {"x": x.mean, "x_low": x.low, "x_high": x.high}
            of_y = {"y": y.mean, "y_low": y.low, "y_high": y.high}
            rows.append({**where, **of_x, **of_y})
    return pd.DataFrame(rows)


def _warning(tasks: Mapping[Task, Sequence[Fitted]], drawn: set[str]) -> Iterator[str]:
    """A warning that lists the drawn speakers whose numbers cannot be interpreted."""
    fits = [fit for group in tasks.values() for fit in group if fit.label in drawn]
    doubted = {fit.label for fit in fits if not fit.converged or fit.failed_checks}
    if doubted:
        yield (
            "Do not interpret these speakers, because a fit did not converge or the speaker "
            f"failed a check of the task: {', '.join(sorted(doubted))}."
        )


def _correlations(points: pd.DataFrame) -> Iterator[str]:
    """Correlations between the tasks, if there are enough speakers."""
    for panel, part in points.groupby("panel", sort=False):
        if len(part) < 5 or part["x"].nunique() < 2 or part["y"].nunique() < 2:
            continue
        r = np.corrcoef(part["x"], part["y"])[0, 1]
        yield (
            f"Over {len(part)} speakers, the correlation of posterior means with {panel} is "
            f"{r:.2f} (without their uncertainty)."
        )
