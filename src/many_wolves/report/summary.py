"""The table at the top of a study page: one row per fit, its verdict last."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd

from many_wolves.figures import Fitted, Table
from many_wolves.figures.fitted import WELL_DESCRIBED
from many_wolves.figures.section import HeadlineMeasure, headline
from many_wolves.findings import has_findings, quantities_of
from many_wolves.report.registry import pages_of
from many_wolves.report.verdict import NOTHING, Verdict, judge


def speaker_table(fits: Sequence[Fitted]) -> Table:
    """One row per fit: its measures averaged over conditions, r² and the verdict.

    Parameters
    ----------
    fits
        Fits of one task family.

    Returns
    -------
    Table
        Columns speaker, model (where several were fitted), the measures, choices, r² and verdict.
    """
    several = len({str(fit.info["model"]) for fit in fits}) > 1
    rows = [
        {"speaker": fit.label}
        | ({"model": str(fit.info["model"])} if several else {})
        | _measures(fit)
        | {"choices": f"{float(fit.info.get('choices', 0)):,.0f}", "r²": _fraction(fit)}
        | {"verdict": standing(judge(fit), fit)}
        for fit in fits
    ]
    frame = pd.DataFrame(rows).fillna(NOTHING)
    last = ["choices", "r²", "verdict"]
    frame = frame[[*(name for name in frame if name not in last), *last]]
    n = len({fit.label for fit in fits})
    total = sum(float(fit.info.get("choices", 0)) for fit in fits)
    return Table(
        frame,
        f"{n} speaker{'' if n == 1 else 's'}, n = {total:,.0f} choices. Posterior means over the "
        "conditions of each speaker, with 95 % equal-tailed intervals. r²: agreement of observed "
        "and predicted shares. Sound: the chains converged, the speaker did the task, and the "
        f"model describes it.{_meanings(fits)}",
    )


def standing(verdict: Verdict, fit: Fitted) -> str:
    """The verdict in a word or two."""
    answers = {part.name: part.ok for part in verdict.parts}
    faults = [
        words
        for name, words in (
            ("chains", "not converged"),
            ("task", "did not do the task"),
            ("model", "not described"),
        )
        if answers[name] is False
    ]
    if faults:
        return ", ".join(faults)
    if answers["task"] is None:
        return "task not checked"
    share = fit.described
    return "described in part" if share is not None and share < WELL_DESCRIBED else "sound"


def _measures(fit: Fitted) -> dict[str, str]:
    """Name -> mean and interval of each quantity of the findings, or of the headline measure."""
    if has_findings([fit]):
        names = [name for name in quantities_of([fit]).words if fit.has("posterior", name)]
        return {name: _text(headline(name, fit.values("posterior", name))) for name in names}
    measure = pages_of([fit]).headline(fit)
    return {} if measure is None else {measure.words: _text(measure)}


def _text(found: HeadlineMeasure) -> str:
    return f"{found.mean:.2f} [{found.low:.2f}, {found.high:.2f}]"


def _fraction(fit: Fitted) -> str:
    # The verdict, which shows it next to what can be reached, predicts from fewer draws.
    r2 = (fit.info.get("describes") or fit.info).get("r2")
    return NOTHING if r2 is None else f"{float(r2):.2f}"


def _meanings(fits: Sequence[Fitted]) -> str:
    """The meanings of column names that are symbols."""
    if not has_findings(fits):
        return ""
    words: Mapping[str, str] = quantities_of(fits).words
    shown = [f"{name}: {text}" for name, text in words.items() if any(_has(f, name) for f in fits)]
    return f" {'; '.join(shown)}." if shown else ""


def _has(fit: Fitted, name: str) -> bool:
    return fit.has("posterior", name)
