"""The report on several fits: speakers side by side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import pandas as pd

from many_wolves.figures import Figure, Fitted, Section, Table, read_all
from many_wolves.files import write_atomic
from many_wolves.findings import Findings, has_findings, lead_figure, quantities_of, state
from many_wolves.report.excluded import missing_table
from many_wolves.report.findings import findings_sections
from many_wolves.report.fit import command, facts
from many_wolves.report.methods import bibtex, methods_section
from many_wolves.report.other_families import (
    Task,
    across_section,
    by_task,
    further_sections,
    name_of,
)
from many_wolves.report.page import cells, render_page
from many_wolves.report.registry import pages_of
from many_wolves.report.speakers import speakers_section
from many_wolves.report.verdict import MEASURES, Verdict, in_part, judge, measured


def write_study_report(
    title: str,
    fit_folders: Sequence[str | Path],
    out: str | Path,
    *,
    introduction: Sequence[str] = (),
    commands: Sequence[str] = (),
) -> Path:
    """Write one HTML page on several fits: summary first, then verdicts and figures.

    Parameters
    ----------
    title
        Heading of the page.
    fit_folders
        Fit folders, in the order shown; the first says which task the page begins with,
        and every further task gets further sections.
    out
        The HTML file to write.
    introduction
        Paragraphs on the question and the design.
    commands
        Commands that make the study again; by default those of the fits.

    Raises
    ------
    WolvesError
        If a folder is not a complete fit.
    """
    tasks = by_task([str(folder) for folder in fit_folders])
    fits, *_ = tasks.values()
    pages = pages_of(fits)
    every = _named(tasks)
    verdicts = [(fit, judge(fit)) for fit in every]
    findings = _found(fits)
    context = {
        "title": title,
        "lead": findings.lead if findings else "",
        "lead_figure": _lead_figure(fits, findings),
        "introduction": list(introduction),
        "overall": overall(verdicts),
        "summary": pages.study_summary(fits),
        "verdicts": [(fit.label, verdict) for fit, verdict in verdicts],
        "sections": [
            *speakers_section(fits),
            *pages.study_sections(fits),
            *_findings(findings),
            *further_sections(tasks),
            *across_section(tasks),
            _answered(every),
            _diagnostics(every),
            methods_section(fits),
        ],
        "bibtex": bibtex(fits),
        "design": [(fit.label, facts(fit), fit.info.get("notes", ())) for fit in every],
        "commands": list(commands) or list(dict.fromkeys(command(fit) for fit in every)),
    }
    return write_atomic(out, render_page("study.html", context))


def summary_markdown(fit_folders: Sequence[str | Path]) -> str:
    """The summary table of a study report in Markdown, for a README."""
    fits = read_all(fit_folders)
    table = pages_of(fits).study_summary(fits)
    names = [str(name) for name in table.frame]
    rows = cells(table.frame, table.digits)
    rule = ["--:" if number else ":--" for _, number in rows[0]] if rows else [":--"] * len(names)
    lines = [names, rule, *[[text for text, _ in row] for row in rows]]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines) + "\n"


def _named(tasks: Mapping[Task, Sequence[Fitted]]) -> list[Fitted]:
    """All fits; those of further tasks with the task in their short names."""
    (_, first), *others = tasks.items()
    further = [
        replace(fit, name=f"{fit.label} ({name_of(task)})") for task, fits in others for fit in fits
    ]
    return [*first, *further]


def overall(verdicts: Sequence[tuple[Fitted, Verdict]]) -> Verdict:
    """What holds for all fits together."""
    bad = [fit.label for fit, verdict in verdicts if verdict.grade == "bad"]
    idle = [f.label for f, v in verdicts if v.grade == "doubtful" and v.idle]
    other = [f.label for f, v in verdicts if v.grade == "doubtful" and not v.idle]
    doubtful = [*idle, *other]
    partly = [fit.label for fit, verdict in verdicts if verdict.grade == "good" and in_part(fit)]
    n = len(verdicts)
    if not bad and not doubtful:
        each = "The fit" if n == 1 else f"All {n} fits"
        headline = f"{each} converged, and no speaker failed a check of the task."
        described = (f"Described only in part: {', '.join(partly)}.",) if partly else ()
        return Verdict("good", headline, described)
    reasons = []
    if bad:
        reasons.append(f"Not converged, so not to be used: {', '.join(bad)}.")
    if idle:
        reasons.append(
            f"Did not do the task, so that the weights do not mean what they say: "
            f"{', '.join(idle)}."
        )
    if other:
        reasons.append(
            f"Not described by the model, which predicts other choices: {', '.join(other)}."
        )
    if partly:
        reasons.append(f"Described only in part: {', '.join(partly)}.")
    sound = n - len(bad) - len(doubtful) - len(partly)
    headline = f"{sound} of {n} fits can be read at face value."
    return Verdict("bad" if bad else "doubtful", headline, tuple(reasons))


def _found(fits: Sequence[Fitted]) -> Findings | None:
    """What the fits that converged say together; None where the family has no findings."""
    sound = [fit for fit in fits if fit.converged]
    return state(sound) if len(sound) >= 2 and has_findings(sound) else None


def _lead_figure(fits: Sequence[Fitted], found: Findings | None) -> Figure | None:
    """The figure that belongs to the first sentence; None where there is no such sentence."""
    if found is None or not found.lead:
        return None
    return lead_figure(found.members, quantities_of(fits))


def _findings(found: Findings | None) -> list[Section]:
    if found is None:
        return []
    lacking = Section("unsaid", "What the fits leave open", found.lacking)
    return [*findings_sections(found), *([lacking] if found.lacking else [])]


def _answered(fits: Sequence[Fitted]) -> Section:
    text = "Refusals, empty and unread answers are counted, never guessed."
    return Section("answered", "Who answered", (text,), (missing_table(fits),))


def _diagnostics(fits: Sequence[Fitted]) -> Section:
    rows = [
        {"speaker": fit.label} | {words: measured(fit, key) for key, words, _ in MEASURES}
        for fit in fits
    ]
    should = "; ".join(f"{words} {wanted}" for _, words, wanted in MEASURES)
    table = Table(pd.DataFrame(rows), f"Diagnostics of every fit. They should be: {should}.")
    return Section("diagnostics", "Diagnostics", (), (table,))
