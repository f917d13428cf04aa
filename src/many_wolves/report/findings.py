"""The findings as files: tidy tables, tables for a paper, draws, and one page."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice, zip_longest
from pathlib import Path

import pandas as pd

from many_wolves.counting import number_of
from many_wolves.figures import Section, Table
from many_wolves.files import write_atomic
from many_wolves.findings import DRAWS, Findings, Statement, matrix, table
from many_wolves.report.page import render_page
from many_wolves.report.verdict import Verdict

SHOWN = 12
"""Number of sentences of each kind at the top of the page; the table has all of them."""
FIRST = 5
"""Number of sentences at the top of a study page."""
SETTLED = ("strong", "moderate")
STARS = "Stars: moderate (*) and strong (**) evidence on the direction."
INTERVALS = "Estimates with 95 % equal-tailed intervals."


def write_findings(
    found: Findings, folder: str | Path, *, title: str = "Findings", notes: Sequence[str] = ()
) -> Path:
    """Write all statements; returns the page, ``findings.html``.

    The folder also gets ``statements.csv``, one row per statement, and ``KIND.csv``,
    ``KIND.md`` and ``KIND.tex`` for each kind of finding. ``draws.nc`` has the draws behind
    each statement, under the name in its row.

    Parameters
    ----------
    notes
        Sentences that a reader must know first, such as a list of excluded fits.
    """
    place = Path(folder)
    place.mkdir(parents=True, exist_ok=True)
    write_atomic(place / "statements.csv", table(found.statements).to_csv(index=False))
    for kind, title_of_kind in found.titles.items():
        statements = found.of(kind)
        if statements:
            frame = matrix(statements)
            write_atomic(place / f"{kind}.csv", table(statements).to_csv(index=False))
            write_atomic(place / f"{kind}.md", markdown(frame))
            write_atomic(place / f"{kind}.tex", latex(frame, title_of_kind))
    temporary = place / f".{DRAWS}"
    found.draws().to_netcdf(temporary, engine="h5netcdf")
    temporary.replace(place / DRAWS)
    context = {
        "title": title,
        "introduction": [*([found.lead] if found.lead else []), *notes],
        "verdict": verdict(found),
        "sections": findings_sections(found),
    }
    return write_atomic(place / "findings.html", render_page("findings.html", context))


def findings_sections(found: Findings) -> list[Section]:
    """One section per kind of finding: its main sentences, then the table of all statements."""
    sections = []
    for kind, title in found.titles.items():
        statements = found.of(kind)
        if statements:
            caption = f"{title}: {len(statements)} numbers. {INTERVALS} {STARS}"
            sections.append(
                Section(
                    f"finding-{kind}",
                    title,
                    paragraphs=(
                        *_warning(found, statements),
                        *(s.sentence for s in telling(_sound(found, kind))),
                    ),
                    tables=(Table(matrix(statements), caption),),
                )
            )
    return sections


def _warning(found: Findings, statements: Sequence[Statement]) -> tuple[str, ...]:
    """A sentence on those speakers of some statements that did not do the task."""
    named = set().union(*map(_of, statements))
    doubtful = [m.label for m in found.members if not m.did_task and m.label in named]
    if not doubtful:
        return ()
    return (
        "Do not interpret the table's numbers of these speakers, because they did not do the task: "
        f"{', '.join(doubtful)}.",
    )


def best(found: Findings) -> tuple[str, ...]:
    """The sentences at the top of a study page: the best of each kind in turn.

    Only settled statements about speakers that did the task, one per quantity of a speaker.
    Distances are left out, because the
    page's first sentence reports them.
    """
    kinds = [
        sorted((s for s in telling(_sound(found, kind)) if s.evidence in SETTLED), key=_doubt)
        for kind in found.titles
    ]
    turns = (s for turn in zip_longest(*map(_each_once, kinds)) for s in turn if s is not None)
    return tuple(s.sentence for s in islice(turns, FIRST))


def _sound(found: Findings, kind: str) -> list[Statement]:
    """The statements of a kind about speakers that did the task."""
    idle = {m.label for m in found.members if not m.did_task}
    return [s for s in found.of(kind) if not idle & _of(s)]


def _each_once(statements: Sequence[Statement]) -> list[Statement]:
    """The first statement on each quantity of a subject: other conditions rarely add to it."""
    first = {(s.subject, s.quantity): s for s in reversed(statements)}
    return [s for s in statements if first[s.subject, s.quantity] is s]


def _of(statement: Statement) -> set[str]:
    """The speakers that a statement compares, as far as it mentions them."""
    return {statement.subject, *statement.contrast.split(" - ")}


def _doubt(statement: Statement) -> tuple[float, float]:
    """Sort key: strongest evidence first, then largest number."""
    return -abs(statement.probability - 0.5), -abs(statement.estimate)


def telling(statements: Sequence[Statement]) -> list[Statement]:
    """The statements whose sentences a reader should see first, in their original order.

    These are all sizes and probabilities, and the changes with the strongest evidence.
    """
    changes = [s for s in statements if s.kind == "change"]
    rest = [s for s in statements if s.kind != "change"]
    best = sorted(changes, key=lambda s: -abs(s.probability - 0.5) - abs(s.estimate) / 1000)
    kept = {s.id for s in (*rest[:SHOWN], *best[: max(SHOWN - len(rest), 3)])}
    return [s for s in statements if s.id in kept]


def verdict(found: Findings) -> Verdict:
    """The verdict that a reader must know before any finding."""
    doubtful = {m.label: m.fit.failed_checks for m in found.members if not m.did_task}
    reasons = [
        f"{label} did not do the task ({', '.join(str(c['name']) for c in checks)}), so "
        "its weights are meaningless."
        for label, checks in doubtful.items()
    ]
    n = len(found.members)
    if not n:
        return Verdict("bad", "No fit converged, so findings are missing.")
    counts = number_of(len(found.statements), "statement"), number_of(n, "fit")
    headline = f"{counts[0]} from {counts[1]}, {'all of which' if n > 1 else 'which'} converged."
    return Verdict("doubtful" if doubtful else "good", headline, (*reasons, *found.lacking))


def markdown(frame: pd.DataFrame) -> str:
    """A table in Markdown."""
    rows = [[str(c) for c in frame], ["---"] * len(frame.columns), *frame.astype(str).to_numpy()]
    return "\n".join("| " + " | ".join(_plain(v) for v in row) + " |" for row in rows) + "\n"


def _plain(text: str) -> str:
    """Text with the stars and bars escaped for Markdown."""
    return text.replace("*", "\\*").replace("|", "\\|")


def latex(frame: pd.DataFrame, title: str) -> str:
    """A table in LaTeX, for the package booktabs."""
    body = frame.rename(columns=str).map(_tex).rename(columns=_tex)
    return body.to_latex(index=False, escape=False, caption=f"{title}. {INTERVALS} {STARS}".replace(
        "%", "\\%"), label="tab:findings", column_format="l" * len(frame.columns))  # fmt: skip


def _tex(text: str) -> str:
    """Text with every character escaped that is special in LaTeX."""
    return " ".join("".join(_TEX.get(letter, letter) for letter in text).split())


_TEX = {letter: f"\\{letter}" for letter in "_%&#${}"} | {
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
}
