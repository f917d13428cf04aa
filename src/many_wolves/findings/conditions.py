"""Effects of the conditions of a design (goal prompts), in models and in the reference."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations

import numpy as np

from many_wolves.contracts import Array, FindingsSpec
from many_wolves.findings.fits import Member, common_conditions, others, people
from many_wolves.findings.regression import measured, regression
from many_wolves.findings.statement import Statement

ALL = "all models"
"""All models that did the task."""


def conditions(found: Sequence[Member], quantities: FindingsSpec, seed: int) -> Iterator[Statement]:
    """Shift of every parameter between conditions, such as goal prompts.

    For each speaker: every condition against its default. Over speakers that did the task: the
    mean shift, from a model in which each fit measures its speaker's shift with a known error.
    With a reference: the shift between two shared conditions in models, in the reference, and
    their difference.
    """
    asked = others(found, quantities)
    for member in asked:
        for condition in member.fit.conditions:
            base = quantities.default(condition)
            if base in member.fit.conditions:
                yield from _shifts(member.label, member, condition, base, quantities)
    models = [member for member in asked if member.did_task]
    shared = common_conditions(models)
    if len(models) > 1:
        for condition in shared:
            base = quantities.default(condition)
            if base in shared:
                yield from _mean_shifts(models, condition, base, quantities, seed)
    reference = people(found, quantities)
    if reference is None or not models:
        return
    pairs = _pairs(shared, reference, quantities)
    for one, other in pairs:
        yield from _beside(models, reference, one, other, quantities, seed)


def _shifts(
    who: str, member: Member, condition: str, base: str, quantities: FindingsSpec
) -> Iterator[Statement]:
    for parameter in quantities.words:
        if member.has(parameter):
            drawn = member.quantities[parameter, condition] - member.quantities[parameter, base]
            yield _statement(who, parameter, condition, base, drawn, quantities)


def _mean_shifts(
    models: Sequence[Member], condition: str, base: str, quantities: FindingsSpec, seed: int
) -> Iterator[Statement]:
    for parameter in quantities.words:
        if all(m.has(parameter) for m in models):
            drawn = _mean_shift(models, parameter, condition, base, quantities, seed)
            yield _statement(ALL, parameter, condition, base, drawn, quantities)


def _mean_shift(
    models: Sequence[Member],
    parameter: str,
    one: str,
    other: str,
    quantities: FindingsSpec,
    seed: int,
) -> Array:
    """(D,) draws of the mean over speakers, or of the shift of a single speaker."""
    shifts = [m.quantities[parameter, one] - m.quantities[parameter, other] for m in models]
    if len(shifts) == 1:
        return shifts[0]
    _, sd = quantities.prior[parameter]
    y = measured(shifts, 0.0, sd * 2**0.5)
    n = len(shifts)
    rng = np.random.default_rng(
        [seed, *f"{quantities.conditions} {parameter} {one} {other}".encode()]
    )
    X, Z = np.ones((n, 1)), [np.eye(n)]
    return regression(y, X, Z, np.zeros(1), np.full(1, 0.5), rng).coefficients[:, 0]


def _pairs(
    shared: Sequence[str], reference: Member, quantities: FindingsSpec
) -> list[tuple[str, str]]:
    """Pairs of conditions, the later first, that people had as well."""
    known = [c for c in shared if quantities.comparable(c) in reference.fit.conditions]
    return [
        (b, a)
        for a, b in combinations(known, 2)
        if quantities.default(a) == quantities.default(b)
        and quantities.comparable(a) != quantities.comparable(b)
    ]


def _beside(
    models: Sequence[Member],
    reference: Member,
    one: str,
    other: str,
    quantities: FindingsSpec,
    seed: int,
) -> Iterator[Statement]:
    who = models[0].label if len(models) == 1 else ALL
    there = quantities.comparable(one), quantities.comparable(other)
    for parameter in quantities.words:
        if not (reference.has(parameter) and all(m.has(parameter) for m in models)):
            continue
        ours = _mean_shift(models, parameter, one, other, quantities, seed)
        theirs = (
            reference.quantities[parameter, there[0]] - reference.quantities[parameter, there[1]]
        )
        yield _statement(who, parameter, one, other, ours, quantities)
        yield _statement(reference.label, parameter, *there, theirs, quantities)
        yield Statement(
            finding=quantities.conditions,
            subject=f"{who} - {reference.label}",
            condition=one,
            quantity=parameter,
            contrast=f"{one} - {other}",
            draws=ours - theirs,
            words=f"The shift of {parameter} from {other} to {one} in {who} differs from that in "
            f"{quantities.reference_words}",
            between=True,
        )


def _statement(
    who: str, parameter: str, condition: str, base: str, drawn: Array, quantities: FindingsSpec
) -> Statement:
    return Statement(
        finding=quantities.conditions,
        subject=who,
        condition=condition,
        quantity=parameter,
        contrast=f"{condition} - {base}",
        draws=drawn,
        words=f"In {who}, the {quantities.condition} {condition}, compared with {base}, changes "
        f"{parameter} ({quantities.words[parameter]})",
    )
