"""The distance of a speaker's choices from those of people."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from many_wolves.contracts import Array, FindingsSpec
from many_wolves.findings.fits import Member, others, people
from many_wolves.findings.statement import Statement


def distance(found: Sequence[Member], quantities: FindingsSpec) -> Iterator[Statement]:
    """Jensen-Shannon divergence of predicted choices from the reference's, in bits.

    Between the predicted distributions over outcomes, averaged over the cells of a
    condition (for politeness, its states). It is 0 if the two distributions are the same, 1 if
    they do not overlap (Lin 1991). Draws of both fits are paired, so
    the uncertainty of both is included. A speaker that answered on a different scale is left out.
    """
    reference = people(found, quantities)
    if reference is None:
        return
    theirs = reference.predicted
    for member in others(found, quantities):
        ours = member.predicted
        for condition in member.fit.conditions:
            at = quantities.comparable(condition)
            if at not in theirs or condition not in ours:
                continue
            if ours[condition].shape != theirs[at].shape:
                continue
            yield Statement(
                finding="distance",
                subject=member.label,
                condition=condition,
                quantity="divergence",
                contrast=f"{reference.label} ({at})",
                draws=divergence(ours[condition], theirs[at]),
                words=f"Under the {quantities.condition} {condition}, the distance of the choices "
                f"of {member.label} from those of {quantities.reference_words} is",
                kind="size",
                unit=" bits",
            )


def divergence(p: Array, q: Array) -> Array:
    """Jensen-Shannon divergence in bits over the last axis, averaged over the middle axes."""
    from scipy.special import rel_entr

    middle = (p + q) / 2
    each = (rel_entr(p, middle) + rel_entr(q, middle)).sum(axis=-1) / (2 * np.log(2))
    mean: Array = each.reshape(len(each), -1).mean(axis=1)
    return mean
