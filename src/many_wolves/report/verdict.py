"""The verdict on a fit in words, in three parts.

Did the speaker do the task, did the chains converge, does the model describe the speaker?
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import pandas as pd

from many_wolves.figures import Fitted, Table
from many_wolves.figures.fitted import LEAST_DESCRIBED, P_LIMIT, WELL_DESCRIBED
from many_wolves.report.variants import better_variant

Grade = Literal["good", "doubtful", "bad"]

MEASURES: tuple[tuple[str, str, str], ...] = (
    ("divergences", "divergent transitions", "0"),
    ("max_r_hat", "largest R-hat", "below 1.01"),
    ("min_ess_bulk", "smallest bulk ESS", "400 or more"),
    ("min_ess_tail", "smallest tail ESS", "400 or more"),
    ("min_e_bfmi", "smallest E-BFMI", "0.3 or more"),
    ("tree_depth_hits", "transitions at the maximum tree depth", "0"),
    ("modes", "local maxima found before sampling", "1, or others with little mass"),
    ("chains_apart", "parameters for which chains are in different modes", "0"),
)
"""Field of the diagnostics, its name in words, and the value for a good fit."""


NOTHING = "–"
ALIKE = 1.5
"""Design effect from which a verdict warns: intervals are then too narrow by a factor of 1.2."""
PARTLY = "only in part"
MOST_MOVED = 3
"""Maximum number of influential parts that a verdict lists."""


@dataclass(frozen=True)
class Part:
    """One of the three questions of a verdict, and its answer.

    Parameters
    ----------
    name
        ``task``, ``chains`` or ``model``.
    question
        The question in words.
    ok
        Whether the answer is yes; None if it was not examined.
    answer
        The answer in words, one string per sentence.
    degree
        How far the answer is yes, such as *only in part*; empty if it is simply yes.
    """

    name: str
    question: str
    ok: bool | None
    answer: tuple[str, ...]
    degree: str = ""

    @property
    def mark(self) -> str:
        """The answer in a few words."""
        if self.ok and self.degree:
            return self.degree
        return {True: "yes", False: "NO", None: "not known"}[self.ok]

    @property
    def line(self) -> str:
        """Question and answer in one line."""
        return f"{self.question} {self.mark}. {' '.join(self.answer)}".strip()


@dataclass(frozen=True)
class Verdict:
    """The verdict that a reader must know before any number.

    Parameters
    ----------
    grade
        ``bad``: do not use the numbers. ``doubtful``: the speaker did not do the task, or the
        model does not describe it.
    headline
        The verdict in one sentence.
    reasons
        Objections to the numbers, and caveats.
    holds
        Checks that passed.
    parts
        Did the speaker do the task, did the chains converge, does the model describe the
        speaker?
    """

    grade: Grade
    headline: str
    reasons: tuple[str, ...] = ()
    holds: tuple[str, ...] = ()
    parts: tuple[Part, ...] = ()

    @property
    def partly(self) -> bool:
        """Whether the model describes the speaker only in part."""
        return any(part.mark == PARTLY for part in self.parts)

    @property
    def tone(self) -> Grade:
        """The grade that its box shows: doubtful if the speaker is described only in part."""
        return "doubtful" if self.grade == "good" and self.partly else self.grade

    @property
    def idle(self) -> bool:
        """Whether the speaker is known not to have done the task."""
        return any(part.name == "task" and part.ok is False for part in self.parts)


def judge(fit: Fitted) -> Verdict:
    """The verdict on one fit: on the task, the chains and the model."""
    parts = task, chains, model = _task(fit), _chains(fit), _model(fit)
    edges = edge_words(fit)
    reasons = [sentence for part in parts if part.ok is False for sentence in part.answer]
    unknown = [sentence for part in parts if part.ok is None for sentence in part.answer]
    holds = [sentence for part in parts if part.ok for sentence in part.answer]
    also = (*reasons, *edges, *moved_words(fit), *unknown)
    if not chains.ok:
        tail = " The speaker did not do the task, either." if task.ok is False else ""
        headline = "Do not use these numbers: the chains have not converged." + tail
        return Verdict("bad", headline, also, tuple(holds), parts)
    if task.ok is False:
        headline = (
            "The speaker did not do the task. The fit converged, but its numbers do not measure "
            "the speaker's values."
        )
        return Verdict("doubtful", headline, also, tuple(holds), parts)
    if model.ok is False:
        headline = (
            "The model does not describe the speaker. The fit converged, but the model predicts "
            "choices that differ from the observed ones."
        )
        return Verdict("doubtful", headline, also, tuple(holds), parts)
    done = "The chains converged"
    if task.ok and model.ok:
        headline = f"{done}, the speaker did the task, and {_described(fit)}."
    elif task.ok:
        headline = f"{done}, and the speaker did the task."
    else:
        headline = f"{done}, and {_described(fit)}." if model.ok else f"{done}."
    return Verdict("good", headline, also, tuple(holds), parts)


def _task(fit: Fitted) -> Part:
    checks = fit.info.get("checks", ())
    question = "Did the speaker do the task?"
    if not checks:
        unchecked = "No check of the task is available for these choices."
        return Part("task", question, None, (unchecked,))
    failed = tuple(_statement(check, fit) for check in checks if not check["ok"])
    passed = tuple(_statement(check, fit) for check in checks if check["ok"])
    unknown = tuple(_statement(check, fit) for check in fit.open_checks)
    if unknown and not failed:
        return Part("task", question, None, unknown)
    return Part("task", question, not failed, failed or passed)


def _chains(fit: Fitted) -> Part:
    sentences = _sentences(fit.diagnostics["verdict"])
    return Part("chains", "Did the chains converge?", fit.converged, sentences)


def _model(fit: Fitted) -> Part:
    question = "Does the model describe the speaker?"
    found = fit.info.get("describes")
    if not found or not found.get("ceiling"):
        r2 = fit.info.get("r2")
        text = "The fit was not compared with its own predictions"
        text += "; fit again to get it." if "describes" not in fit.info else " by cells."
        if r2 is not None:
            text = f"Observed and predicted values: r² = {r2:.3f}. {text}"
        return Part("model", question, None, (text,))
    numbers = (
        f"r² of observed and predicted shares is {_decimal(found['r2'])}; with so many answers, a "
        f"correct model reaches {_decimal(found['ceiling'])}."
    )
    moved = (
        f"{100 * found['misplaced']:.0f} % of the choices would have to change to match "
        f"the model ({100 * found['misplaced_by_chance']:.0f} % under sampling error alone). "
        f"Posterior predictive p {_p(found['p'])}; {found['cells_missed']} of {found['cells']} "
        "cells are missed."
    )
    share = fit.described or 0.0
    mend = better_variant(fit) if share < WELL_DESCRIBED else ()
    answer = (numbers, moved, *_worst(found), *mend, *_clusters(fit))
    return Part("model", question, share >= LEAST_DESCRIBED, answer, _degree(fit))


def _degree(fit: Fitted) -> str:
    """How well the model describes the speaker, if it does at all; empty if fully."""
    if fit.info["describes"]["p"] >= P_LIMIT:
        return ""
    return "roughly" if (fit.described or 0.0) >= WELL_DESCRIBED else PARTLY


def _described(fit: Fitted) -> str:
    """The same, as part of a headline."""
    found, degree = fit.info["describes"], _degree(fit)
    more = {
        "": "",
        "roughly": ", with a misfit larger than sampling error",
        PARTLY: (f" (r² {_decimal(found['r2'])} of at most {_decimal(found['ceiling'])})"),
    }
    return f"the model describes it {degree}".rstrip() + more[degree]


def _clusters(fit: Fitted) -> tuple[str, ...]:
    """Caveats about similar answers to one item or of one person."""
    source = fit.info.get("source", {})
    likelihood = dict(fit.info.get("options", {})).get("likelihood", "counts")
    if likelihood != "counts":
        cluster = str(likelihood).partition("+")[0]
        return (f"Intervals account for the similarity of answers to the same {cluster}.",)
    if "clusters" not in source:
        return ()
    if not source["clusters"]:
        return (
            "The table does not record which answers share an item or a person. If such answers "
            "are similar, intervals are too narrow.",
        )
    n = float(fit.info.get("choices", 0))
    words = []
    for cluster in source["clusters"]:
        effect = dict(source.get("design_effects", {})).get(cluster, {}).get(fit.speaker)
        if effect is None:
            words.append(
                f"Answers to the same {cluster} may be similar, but intervals treat them as "
                "independent."
            )
        elif effect >= ALIKE:
            words.append(
                f"Answers to the same {cluster} are similar: {n:,.0f} are worth about "
                f"{n / effect:,.0f} "
                "independent ones. So p is too small, and intervals should be about "
                f"{effect**0.5:.1f} times as wide (design effect {effect:.1f})."
            )
        else:
            words.append(
                f"Answers to the same {cluster} are hardly more similar than others (design effect "
                f"{effect:.1f})."
            )
    return tuple(words)


def moved_words(fit: Fitted) -> tuple[str, ...]:
    """Items, participants or cells that move a weight by more than two standard deviations."""
    noted: list[Mapping[str, Any]] = list(fit.info.get("influence") or [])
    words = [
        f"Without the {one['by']} {one['left_out']!r}, {one['parameter']} "
        f"{one['condition']}".strip()
        + f" moves by {one['shift']:+.1f} posterior standard deviations."
        for one in noted
        if one["shift"] is not None
    ]
    left = [f"{one['left_out']!r}" for one in noted if one["shift"] is None]
    more = [f"{len(words) - MOST_MOVED} others do the same."] if len(words) > MOST_MOVED else []
    unknown = (
        [
            f"These draws do not show the influence of the {noted[0]['by']} {', '.join(left)}; "
            "`wolves influence` fits again without it."
        ]
        if left
        else []
    )
    return (*words[:MOST_MOVED], *more, *unknown)


def _worst(found: Mapping[str, Any]) -> tuple[str, ...]:
    """The cells that the model misses by most choices, in words."""
    words = []
    for one in found["worst"]:
        *where, (_, event) = one["labels"].items()
        place = ", ".join(f"{dim} {label}" for dim, label in where)
        words.append(
            f"at {place}, {event!r}: predicted {100 * one['predicted']:.0f} %, observed "
            f"{100 * one['observed']:.0f} % of {one['n']:,.0f}"
        )
    return (f"The largest misfits: {'; '.join(words)}.",) if words else ()


def edge_words(fit: Fitted) -> tuple[str, ...]:
    """Sentences on posteriors that pile up at a bound of their prior."""
    return tuple(
        f"The posterior of {one['parameter']} piles up at the {one['which']} bound of its prior "
        f"({one['end']:g}), and other parameters compensate. {one['option']} "
        "widens the range."
        for one in fit.info.get("edges") or ()
    )


def _decimal(value: float | None) -> str:
    return "unknown" if value is None else f"{value:.2f}"


def _p(value: float) -> str:
    return "below 0.01" if value < 0.01 else f"= {value:.2f}"


def _statement(check: Mapping[str, Any], fit: Fitted) -> str:
    """A check in words, without the name of the speaker, which the heading gives."""
    text = str(check["statement"]).removeprefix(f"Speaker {fit.speaker}: ")
    return text[:1].upper() + text[1:]


def diagnostics_table(fit: Fitted) -> Table:
    """The sampler's diagnostics, with the values for a good fit."""
    rows = [
        {"measure": words, "found": measured(fit, key), "should be": wanted}
        for key, words, wanted in MEASURES
        if fit.diagnostics.get(key) is not None
    ]
    return Table(
        pd.DataFrame(rows, columns=["measure", "found", "should be"]),
        "Sampler diagnostics over all parameters. ESS: effective sample size; E-BFMI: energy "
        "Bayesian fraction of missing information.",
    )


def measured(fit: Fitted, key: str) -> str:
    """One diagnostic as text: the length of a list, a dash if it is missing."""
    value = fit.diagnostics.get(key)
    return NOTHING if value is None else _number(value)


def _sentences(verdict: object) -> tuple[str, ...]:
    if isinstance(verdict, str):
        return (verdict,)
    return tuple(str(sentence) for sentence in verdict) if isinstance(verdict, list) else ()


def _number(value: object) -> str:
    if isinstance(value, list | tuple):
        value = len(value)
    if isinstance(value, float) and not value.is_integer():
        return f"{value:.3f}" if abs(value) < 10 else f"{value:,.0f}"
    return f"{value:,.0f}" if isinstance(value, int | float) else str(value)
