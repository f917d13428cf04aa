"""The report on several fits, which compares speakers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import pandas as pd

from many_wolves.counting import number_of
from many_wolves.figures import Figure, Fitted, Section, Table, read_all
from many_wolves.files import write_atomic
from many_wolves.findings import Findings, has_findings, lead_figure, quantities_of, state
from many_wolves.report.excluded import missing_table
from many_wolves.report.findings import best, findings_sections
from many_wolves.report.fit import command, facts
from many_wolves.report.methods import bibtex, methods_section
from many_wolves.report.other_families import (
    Task,
    across_section,
    by_task,
    further_sections,
    further_summaries,
    name_of,
)
from many_wolves.report.page import cells, render_page
from many_wolves.report.registry import pages_of
from many_wolves.report.speakers import speakers_section
from many_wolves.report.summary import speaker_table
from many_wolves.report.verdict import MEASURES, Grade, Verdict, judge, measured


def write_study_report(
    title: str,
    fit_folders: Sequence[str | Path],
    out: str | Path,
    *,
    introduction: Sequence[str] = (),
    commands: Sequence[str] = (),
) -> Path:
    """Write one HTML page on several fits: findings, one row per speaker, then details.

    Verdicts with notes are open; all further sections are folded.

    Parameters
    ----------
    title
        Heading of the page.
    fit_folders
        Fit folders, in the order shown; the page begins with the task of the first,
        and every further task gets further sections.
    out
        The HTML file to write.
    introduction
        Paragraphs on the question and the design.
    commands
        Commands that reproduce the study; by default those of the fits.

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
        "summary": speaker_table(fits),
        "best": best(findings) if findings else (),
        "verdicts": [(fit.label, v) for fit, v in verdicts if has_notes(v)],
        "sound": [(fit.label, v) for fit, v in verdicts if not has_notes(v)],
        "sections": [
            *further_summaries(tasks),
            *across_section(tasks),
            *map(
                _folded,
                [
                    *speakers_section(fits),
                    Section("parameters", "Every parameter", (), (pages.study_summary(fits),)),
                    *pages.study_sections(fits),
                    *_findings(findings),
                    *further_sections(tasks),
                    _answered(every),
                    _diagnostics(every),
                    methods_section(fits),
                ],
            ),
        ],
        "bibtex": bibtex(fits),
        "design": [(fit.label, facts(fit), fit.info.get("notes", ())) for fit in every],
        "commands": list(commands) or list(dict.fromkeys(command(fit) for fit in every)),
    }
    return write_atomic(out, render_page("study.html", context))


def summary_markdown(fit_folders: Sequence[str | Path]) -> str:
    """Every parameter by condition or group as a table in Markdown, for a README."""
    table = summary_of(fit_folders)
    names = [str(name) for name in table.frame]
    rows = cells(table.frame, table.digits)
    rule = ["--:" if number else ":--" for _, number in rows[0]] if rows else [":--"] * len(names)
    lines = [names, rule, *[[_plain(text) for text, _ in row] for row in rows]]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines) + "\n"


def summary_of(fit_folders: Sequence[str | Path]) -> Table:
    """Every parameter by condition or group, one row per fit."""
    fits = read_all(fit_folders)
    return pages_of(fits).study_summary(fits)


def _plain(text: str) -> str:
    """Text escaped for a cell of a Markdown table."""
    return " ".join(text.replace("|", "\\|").split())


def _named(tasks: Mapping[Task, Sequence[Fitted]]) -> list[Fitted]:
    """All fits; the short names of those of further tasks include the task."""
    (_, first), *others = tasks.items()
    further = [
        replace(fit, name=f"{fit.label} ({name_of(task)})") for task, fits in others for fit in fits
    ]
    return [*first, *further]


def overall(verdicts: Sequence[tuple[Fitted, Verdict]]) -> Verdict:
    """The verdict on all fits together."""
    bad = [fit.label for fit, verdict in verdicts if verdict.grade == "bad"]
    idle = [f.label for f, v in verdicts if v.grade == "doubtful" and v.idle]
    other = [f.label for f, v in verdicts if v.grade == "doubtful" and not v.idle]
    doubtful = [*idle, *other]
    partly = [fit.label for fit, verdict in verdicts if verdict.grade == "good" and verdict.partly]
    n = len(verdicts)
    unchecked = [f.label for f, v in verdicts if v.grade == "good" and unknown_task(v)]
    if not bad and not doubtful:
        grade: Grade = "doubtful" if partly else "good"
        each = "The fit" if n == 1 else f"All {n} fits"
        described = (f"Described only in part: {', '.join(partly)}.",) if partly else ()
        if len(unchecked) == n:
            who = "speaker" if n == 1 else "speakers"
            words = f"{each} converged; no check shows whether the {who} did the task."
            return Verdict(grade, words, described)
        known = f"Not checked whether they did the task: {', '.join(unchecked)}."
        words = f"{each} converged, and no speaker failed a check of the task."
        return Verdict(grade, words, (*described, *((known,) if unchecked else ())))
    reasons = []
    if bad:
        reasons.append(f"Not converged (do not use): {', '.join(bad)}.")
    if idle:
        reasons.append(f"Did not do the task, so the weights are meaningless: {', '.join(idle)}.")
    if other:
        reasons.append(
            f"Not described by the model (predictions differ from the choices): {', '.join(other)}."
        )
    if unchecked:
        reasons.append(f"Not checked whether they did the task: {', '.join(unchecked)}.")
    if partly:
        reasons.append(f"Described only in part: {', '.join(partly)}.")
    sound = n - len(bad) - len(doubtful) - len(partly)
    headline = f"{sound} of {number_of(n, 'fit')} can be interpreted without reservations."
    return Verdict("bad" if bad else "doubtful", headline, tuple(reasons))


def has_notes(verdict: Verdict) -> bool:
    """Whether a reader must know something about this fit."""
    return verdict.grade != "good" or bool(verdict.reasons)


def unknown_task(verdict: Verdict) -> bool:
    """Whether the answers did not allow a check of the task."""
    return any(part.name == "task" and part.ok is None for part in verdict.parts)


def _folded(section: Section) -> Section:
    return replace(section, folded=True)


def _found(fits: Sequence[Fitted]) -> Findings | None:
    """The findings from the converged fits; None if the family has no findings."""
    sound = [fit for fit in fits if fit.converged]
    gone = [fit for fit in fits if not fit.converged]
    return state(sound, left_out=gone) if len(sound) >= 2 and has_findings(sound) else None


def _lead_figure(fits: Sequence[Fitted], found: Findings | None) -> Figure | None:
    """The figure at the top of the page; None if nothing is compared."""
    if found is None:
        return None
    return lead_figure(found.members, quantities_of(fits))


def _findings(found: Findings | None) -> list[Section]:
    if found is None:
        return []
    lacking = Section("unsaid", "Findings that need more fits", found.lacking)
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
