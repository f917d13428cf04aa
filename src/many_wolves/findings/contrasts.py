"""Effects of a label of speakers: post-training, size, or another ordered label."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from many_wolves.contracts import Array, FindingsSpec
from many_wolves.figures.lineage import BASE, TRAINING
from many_wolves.findings.distance import divergence
from many_wolves.findings.fits import Member, common_conditions, others, people
from many_wolves.findings.statement import Statement

FINDING = "contrasts"
LEVELS = {TRAINING: (BASE, "instruct")}
"""Labels with levels in words -> the levels in order; numeric labels need no entry."""
OVERALL = ""
"""Condition of the mean over all conditions."""
NAMED = 5
"""Maximum number of speakers in a sentence; of more, only the extremes are listed."""


@dataclass(frozen=True)
class Pair:
    """Two speakers whose labels differ in exactly one factor.

    Parameters
    ----------
    factor
        The label that differs.
    first, second
        The speakers, the lower level first.
    """

    factor: str
    first: Member
    second: Member

    @property
    def words(self) -> str:
        """The difference between the speakers, in words."""
        if self.factor == TRAINING:
            return f"Post-training of {self.first.label}"
        levels = (self.first.labels[self.factor], self.second.labels[self.factor])
        low, high = map(_level, levels)
        speakers = f"{self.first.label}, {self.second.label}"
        return f"A change of {self.factor} from {low} to {high} ({speakers})"


def _level(value: str | float) -> str:
    """A level in words: 7B for 7,000,000,000."""
    if isinstance(value, str):
        return value
    for size, letter in ((1e12, "T"), (1e9, "B"), (1e6, "M")):
        if abs(value) >= size:
            return f"{value / size:.3g}{letter}"
    return f"{value:,.6g}"


def pairs(found: Sequence[Member], factor: str = "") -> list[Pair]:
    """All pairs that differ in exactly one ordered factor (in ``factor``, if given).

    For numeric factors, only neighbouring levels are paired.
    """
    result: dict[tuple[str, str], Pair] = {}
    for first in found:
        for second in found:
            differs = _differs(first, second)
            if not differs or (factor and differs != factor):
                continue
            known = result.get((differs, first.label))
            if _before(first, second, differs) and (
                known is None or _before(second, known.second, differs)
            ):
                result[differs, first.label] = Pair(differs, first, second)
    return list(result.values())


def _differs(first: Member, second: Member) -> str:
    """The label in which two speakers differ; empty if there is none or several.

    Speakers at different checkpoints or efforts differ in more than labels.
    """
    if (first.stage, first.at) != (second.stage, second.at) or first.effort != second.effort:
        return ""
    keys = set(first.labels) | set(second.labels)
    found = [key for key in keys if first.labels.get(key) != second.labels.get(key)]
    both = len(found) == 1 and found[0] in first.labels and found[0] in second.labels
    return found[0] if both else ""


def _before(first: Member, second: Member, factor: str) -> bool:
    one, other = first.labels[factor], second.labels[factor]
    levels = LEVELS.get(factor, ())
    if one in levels and other in levels:
        return levels.index(str(one)) < levels.index(str(other))
    if isinstance(one, int | float) and isinstance(other, int | float):
        return one < other
    return False


def contrasts(found: Sequence[Member], quantities: FindingsSpec) -> Iterator[Statement]:
    """Change of every parameter from the first speaker of a pair to the second.

    The posteriors of two fits are independent, so draws can be subtracted in any order.
    """
    for pair in pairs(others(found, quantities)):
        shared = common_conditions([pair.first, pair.second])
        for parameter in quantities.words:
            if not (pair.first.has(parameter) and pair.second.has(parameter)):
                continue
            for condition in (OVERALL, *shared):
                at = [condition] if condition else shared
                where = (
                    f" under the {quantities.condition} {condition}"
                    if condition
                    else f", averaged over the {quantities.conditions},"
                )
                yield Statement(
                    finding=FINDING,
                    subject=pair.first.label,
                    condition=condition,
                    quantity=parameter,
                    contrast=f"{pair.second.label} - {pair.first.label}",
                    draws=pair.second.mean_over(parameter, at)
                    - pair.first.mean_over(parameter, at),
                    words=f"{pair.words} moves {parameter} ({quantities.words[parameter]}){where}",
                )


def mean_distance(member: Member, reference: Member, quantities: FindingsSpec) -> Array | None:
    """(D,) draws of the divergence from the reference, averaged over comparable conditions."""
    each = []
    for condition in member.fit.conditions:
        at = quantities.comparable(condition)
        ours, theirs = member.predicted.get(condition), reference.predicted.get(at)
        if ours is not None and theirs is not None and ours.shape == theirs.shape:
            each.append(divergence(ours, theirs))
    if not each:
        return None
    mean: Array = np.mean(each, axis=0)
    return mean


def lead(found: Sequence[Member], quantities: FindingsSpec) -> str:
    """The effect of post-training, and each speaker's distance from the reference, in two
    sentences.

    Speakers that did not do the task are listed as excluded. Empty if nothing is known.
    """
    sound = [member for member in found if member.did_task]
    idle = [member.label for member in found if not member.did_task]
    sentences = [*_training(sound, quantities), *_distances(sound, quantities)]
    if sentences and idle:
        sentences.append(f"Excluded because they did not do the task: {', '.join(idle)}.")
    return " ".join(sentences)


def _training(found: Sequence[Member], quantities: FindingsSpec) -> Iterator[str]:
    known = pairs(others(found, quantities), TRAINING)
    statements = [
        s
        for s in contrasts([member for pair in known for member in (pair.first, pair.second)],
                           quantities)
        if s.condition == OVERALL and s.contrast in {_contrast(p) for p in known}
    ]  # fmt: skip
    most: dict[str, Statement] = {}
    for s in statements:
        if s.contrast not in most or abs(s.estimate) > abs(most[s.contrast].estimate):
            most[s.contrast] = s
    shown = list(most.values())
    if len(shown) > NAMED:
        shown = sorted(shown, key=lambda s: -abs(s.estimate))[:NAMED]
    words: list[str] = []
    for s in shown:
        named = any(text.startswith(f"{s.quantity} ") for text in words)
        meaning = "" if named else f"({quantities.words[s.quantity]}) "
        words.append(
            f"{s.quantity} {meaning}of {s.subject} by {s.estimate:+.2f} "
            f"[{s.interval[0]:+.2f}, {s.interval[1]:+.2f}]"
        )
    if words:
        more = f" The effects in {len(most) - NAMED} other pairs are smaller." * (len(most) > NAMED)
        yield (
            f"Largest effect of post-training on each speaker, averaged over the "
            f"{quantities.conditions}: {'; '.join(words)}.{more}"
        )


def _contrast(pair: Pair) -> str:
    return f"{pair.second.label} - {pair.first.label}"


def _distances(found: Sequence[Member], quantities: FindingsSpec) -> Iterator[str]:
    reference = people(found, quantities)
    if reference is None:
        return
    each = [(m, mean_distance(m, reference, quantities)) for m in others(found, quantities)]
    known = sorted(
        ((m.label, float(np.median(d))) for m, d in each if d is not None), key=lambda one: one[1]
    )
    if known:
        words = [f"{label} {bits:.2f}" for label, bits in known]
        far = (
            f"{_listed(words)}."
            if len(words) <= NAMED
            else f"nearest {_listed(words[: NAMED - 2])}; farthest {_listed(words[-2:])}."
        )
        yield (
            f"Distance in bits of the predicted choices from those of {quantities.reference_words} "
            f"(0: the same choices, 1: no overlap): {far}"
        )


def _listed(words: Sequence[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"
