"""Reads choices and literal judgments from tables of other software.

Tables may have one row per cell with its count, a share with its total, or one row per
choice. They may also be wide, with a column for each utterance. Clusters (item,
participant) are kept.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from many_wolves.contracts import Array
from many_wolves.errors import WolvesError
from many_wolves.families.politeness.reading.negation import canonical_labels
from many_wolves.families.politeness.task.utterances import UTTERANCES
from many_wolves.store.foreign_csv import ForeignTable
from many_wolves.store.shape import counts_from_shares, digits_of, longer

CLUSTERS = ("item", "participant")
"""Clusters of possibly similar answers: the item and the participant."""
SHARES = ("share", "percent", "percentage", "proportion", "prop", "fraction", "rate")
NAMES: dict[str, tuple[str, ...]] = {
    "speaker": ("model", "speakers"),
    "item": ("items", "object", "vignette", "stimulus"),
    "participant": (
        "participants",
        "participant_id",
        "subject",
        "subject_id",
        "worker_id",
        "subid",
    ),
    "goal": ("goals", "condition"),
    "framing": (),
    "state": ("states", "hearts", "stars", "true_state"),
    "utterance": ("utterances", "response", "choice", "answer"),
    "count": ("counts", "freq", "frequency"),
}
"""Column -> its names in other software."""
EXAMPLE = "a table of choices has the columns goal, state, utterance, count"
LITERAL_EXAMPLE = "literal judgments have the columns utterance, state, yes, n"
NOT_UTTERANCES = frozenset({"goal", "state", "speaker", "framing", "n", "total", *CLUSTERS})


@dataclass(frozen=True)
class Choices:
    """The choices of a foreign table.

    Parameters
    ----------
    frame
        speaker, the clusters that are there, goal, framing if it is there, state (whole
        number), utterance, count (float).
    negated
        Utterance -> whether it is a negation, if the table has this column.
    clusters
        Those of CLUSTERS that the table has.
    unused
        Columns that are not used.
    notes
        Sentences that a reader must know.
    """

    frame: pd.DataFrame
    negated: dict[str, bool]
    clusters: tuple[str, ...]
    unused: tuple[str, ...]
    notes: tuple[str, ...]

    @property
    def total(self) -> float:
        """The sum of the counts."""
        return math.fsum(self.frame["count"])


def read_choices(table: ForeignTable, speaker: str, known: Collection[str] = UTTERANCES) -> Choices:
    """The choices of a foreign table.

    Parameters
    ----------
    table
        The table.
    speaker
        Name of the speaker if there is no such column.
    known
        Labels of utterances that are known from elsewhere, to recognize a wide table.

    Raises
    ------
    WolvesError
        If a column is missing, an entry is not what its column holds, or there are no choices;
        with line and column.
    """
    named = table.renamed(NAMES)
    wide = _wide_columns(named, known)
    if wide:
        named = longer(named, wide, "utterance", "count")
    named.require("goal", "state", "utterance", example=EXAMPLE)
    if "speaker" not in named.frame:
        named = named.with_column("speaker", speaker)
    clusters = tuple(name for name in CLUSTERS if name in named.frame)
    factors = ["speaker", *clusters, "goal", *_framing(named), "state", "utterance"]
    for factor in factors:
        _refuse_empty(named, factor)
    count, used, notes = _counts(named, [f for f in factors if f != "utterance"])
    if not count.sum() > 0:
        raise WolvesError(
            "the table contains no choices",
            where=named.where,
            column="count" if "count" in named.frame else None,
            fix="collect answers first: `wolves collect`, then `wolves choices`",
        )
    renamed = canonical_labels(list(dict.fromkeys(named.text("utterance"))), known)
    frame = named.frame[factors].assign(state=named.levels("state"), count=count)
    frame["utterance"] = frame["utterance"].replace(renamed)
    unused = tuple(c for c in named.columns if c not in {*factors, *used, "negated"})
    return Choices(
        frame=frame,
        negated=_told(named, renamed),
        clusters=clusters,
        unused=unused,
        notes=(*named.notes, *notes, *_label_note(renamed), *_unused_note(unused)),
    )


def read_literal(table: ForeignTable, known: Collection[str] = UTTERANCES) -> Choices:
    """Literal judgments of a foreign table, as ``frame`` with utterance, state, yes and n.

    A row is a cell with yes and n, yes and no, or a share and n; or one judgment. The column
    ``speaker`` is kept where there is one.

    Raises
    ------
    WolvesError
        If a column is missing, or an entry is not what its column holds.
    """
    named = table.renamed(
        {name: NAMES[name] for name in ("speaker", "state", "utterance", *CLUSTERS)}
        | {
            "yes": ("true", "yeses"),
            "no": ("false",),
            "n": ("total", "judgments", "trials"),
            "judgment": ("judgement", "literally_true", "answer"),
        }
    )
    named.require("utterance", "state", example=LITERAL_EXAMPLE)
    keys = [name for name in ("speaker", "utterance", "state") if name in named.frame]
    for factor in keys:
        _refuse_empty(named, factor)
    yes, n, used, notes = _judgments(named)
    renamed = canonical_labels(list(dict.fromkeys(named.text("utterance"))), known)
    frame = named.frame[keys].assign(state=named.levels("state"), yes=yes, n=n)
    frame["utterance"] = frame["utterance"].replace(renamed)
    unused = tuple(c for c in named.columns if c not in {*keys, *used, "negated", *CLUSTERS})
    return Choices(
        frame=frame,
        negated=_told(named, renamed),
        clusters=tuple(name for name in CLUSTERS if name in named.frame),
        unused=unused,
        notes=(*named.notes, *notes, *_label_note(renamed), *_unused_note(unused)),
    )


def of_speakers(
    literal: pd.DataFrame, speakers: Sequence[str], where: str
) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """The judgments of the speakers with choices, and notes on the others.

    Raises
    ------
    WolvesError
        If judgments of several speakers come with choices of another speaker, because they would be
        pooled.
    """
    if "speaker" not in literal:
        return literal, ()
    there = list(dict.fromkeys(literal["speaker"]))
    if len(speakers) == 1 and speakers[0] not in there:
        if len(there) > 1:
            raise WolvesError(
                f"the literal judgments are of {', '.join(there)}; the choices of {speakers[0]}",
                where=where,
                column="speaker",
                fix="give the table of choices a column speaker with one of these names, or "
                "leave out the rows of the others",
            )
        return literal.assign(speaker=speakers[0]), (
            f"The literal judgments of {there[0]} were used for {speakers[0]}.",
        )
    others = [name for name in there if name not in speakers]
    if not others:
        return literal, ()
    kept = literal[literal["speaker"].isin(list(speakers))].reset_index(drop=True)
    return kept, (f"Ignored: literal judgments of {', '.join(others)}, who made no choices here.",)


def check_total(read: float, used: float, where: str) -> None:
    """Reject a fit whose counts differ from those of its table.

    Raises
    ------
    WolvesError
        If the sums differ by more than rounding.
    """
    if abs(read - used) > 1e-6 * max(abs(read), 1.0):
        raise WolvesError(
            f"the table contains {read:,.10g} choices and the fit would use {used:,.10g}",
            where=where,
            column="count",
            fix="give states as whole numbers and a goal and an utterance in every row",
        )


def _wide_columns(table: ForeignTable, known: Collection[str]) -> list[str]:
    """Columns that are utterances, where the table has no column of utterances."""
    if "utterance" in table.frame:
        return []
    labels = {label.casefold() for label in known}
    candidates = [c for c in table.columns if c not in NOT_UTTERANCES]
    negated = canonical_labels(candidates, known)
    named = [c for c in candidates if negated.get(c, c).casefold() in labels]
    return named if len(named) >= 2 else []


def _framing(table: ForeignTable) -> list[str]:
    return ["framing"] if "framing" in table.frame else []


def _refuse_empty(table: ForeignTable, column: str) -> None:
    empty = np.array([entry == "" for entry in table.text(column)])
    if empty.any():
        raise WolvesError(
            f"expected an entry for {column} in every row, found an empty entry",
            where=table.where,
            line=table.lines[int(empty.argmax())],
            column=column,
            fix="add the entry, or leave out the row",
        )


def _counts(table: ForeignTable, cell: Sequence[str]) -> tuple[Array, set[str], tuple[str, ...]]:
    """Counts, the columns that they come from, and notes."""
    share = next((c for c in table.columns if c.casefold() in SHARES), None)
    total = next((c for c in table.columns if c.casefold() in ("n", "total")), None)
    if "count" in table.frame:
        if not _are_shares(table, total, cell):
            counts = table.numbers("count")
            return counts, {"count"}, _like_shares(table, counts, cell)
        share = "count"
    if share is not None and total is None:
        raise WolvesError(
            f"the table gives shares ({share}) without the number of answers",
            where=table.where,
            line=1,
            column=share,
            fix="add a column n with the number of answers in each cell, or give counts",
        )
    if share is not None and total is not None:
        counts, note = counts_from_shares(table, share, total, cell)
        return counts, {share, total}, (note,)
    if total is not None:
        return table.numbers(total), {total}, (f"The column {total!r} was read as 'count'.",)
    note = f"No column of counts was found: each of the {len(table.frame):,} rows is one choice."
    return np.ones(len(table.frame)), set(), (note,)


def _are_shares(table: ForeignTable, total: str | None, cell: Sequence[str]) -> bool:
    """Whether the column of counts has shares or percentages, as in wide tables of them.

    They have percent signs, or add up to 1 or to 100 in every cell although the total differs.
    """
    if any(entry.rstrip().endswith("%") for entry in table.text("count")):
        return True
    if total is None:
        return False
    counts = table.numbers("count")
    if (counts == np.rint(counts)).all() and counts.max() <= 1:
        return False  # single choices, in a column for each utterance
    sums, _ = _sums(table, counts, cell)
    most = pd.Series(table.numbers(total)).groupby(_keys(table, cell), sort=False).max()
    return not (abs(sums - most) <= 1e-6).any() and _whole(table, counts, cell) is not None


def _keys(table: ForeignTable, cell: Sequence[str]) -> list[np.ndarray]:
    return [table.frame[name].to_numpy() for name in cell]


def _sums(table: ForeignTable, counts: Array, cell: Sequence[str]) -> tuple[pd.Series, pd.Series]:
    """Sum and number of rows of every cell."""
    by = pd.Series(counts).groupby(_keys(table, cell), sort=False)
    return by.sum(), by.size()


def _whole(table: ForeignTable, counts: Array, cell: Sequence[str]) -> float | None:
    """1 or 100, if the counts of every cell add up to it within their rounding; else None."""
    sums, rows = _sums(table, counts, cell)
    digits = max(map(digits_of, table.text("count")), default=0)
    rounding = 0.5 * 10.0**-digits * rows + 1e-9
    for whole in (1.0, 100.0):
        if (abs(sums - whole) <= rounding.clip(upper=0.05 * whole)).all():
            return whole
    return None


def _like_shares(table: ForeignTable, counts: Array, cell: Sequence[str]) -> tuple[str, ...]:
    """A note where counts are fractions that add up to 1, or to 100, in every cell."""
    if (counts == np.rint(counts)).all():
        return ()
    whole = _whole(table, counts, cell)
    if whole is None:
        return ()
    what = "shares" if whole == 1.0 else "percentages"
    return (
        f"The counts of every cell add up to {whole:.0f}, as {what} do. If they are "
        f"{what}, name the column 'share' and add a column n with the number of answers.",
    )


def _judgments(table: ForeignTable) -> tuple[Array, Array, set[str], tuple[str, ...]]:
    """Yes-judgments, all judgments, the columns that they come from, and notes."""
    if {"yes", "n"} <= set(table.columns):
        return table.numbers("yes"), table.numbers("n"), {"yes", "n"}, ()
    if {"yes", "no"} <= set(table.columns):
        yes = table.numbers("yes")
        return yes, yes + table.numbers("no"), {"yes", "no"}, ()
    share = next((c for c in table.columns if c.casefold() in SHARES), None)
    if share is not None and "n" in table.frame:
        counts, note = counts_from_shares(table, share, "n")
        return counts, table.numbers("n"), {share, "n"}, (note,)
    column = "judgment" if "judgment" in table.frame else "yes" if "yes" in table.frame else None
    if column is None:
        table.require("yes", "n", example=LITERAL_EXAMPLE)
    assert column is not None
    yes = table.numbers(column, words=True)
    if (yes > 1).any():
        raise WolvesError(
            "the table gives yes-judgments without the number of judgments",
            where=table.where,
            line=1,
            column="n",
            fix="add a column n with the number of judgments in each cell",
        )
    note = f"No column n was found: each of the {len(table.frame):,} rows is one judgment."
    return yes, np.ones(len(yes)), {column}, (note,)


def _told(table: ForeignTable, renamed: dict[str, str]) -> dict[str, bool]:
    """Utterance -> negated, where the table has it.

    Raises
    ------
    WolvesError
        If it has both for one utterance.
    """
    if "negated" not in table.frame:
        return {}
    values = table.numbers("negated", words=True).astype(bool)
    told: dict[str, bool] = {}
    for row, (label, value) in enumerate(zip(table.text("utterance"), values, strict=True)):
        name = renamed.get(label, label)
        if told.setdefault(name, bool(value)) != bool(value):
            raise WolvesError(
                f"{label!r} is a negation in one row but not in another",
                where=table.where,
                line=table.lines[row],
                column="negated",
                fix="write the same in every row of that utterance",
            )
    return told


def _label_note(renamed: dict[str, str]) -> tuple[str, ...]:
    if not renamed:
        return ()
    pairs = ", ".join(f"{old!r} as {new!r}" for old, new in sorted(renamed.items()))
    return (f"Labels of negations were normalized: {pairs}.",)


def _unused_note(unused: tuple[str, ...]) -> tuple[str, ...]:
    if not unused:
        return ()
    return (f"Columns that a fit ignores: {', '.join(unused)}.",)
