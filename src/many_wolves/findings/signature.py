"""The probability that a speaker shows a signature, such as that of sycophancy."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from many_wolves.contracts import Array, FindingsSpec
from many_wolves.findings.fits import Member, others, people
from many_wolves.findings.statement import Statement


def signature(found: Sequence[Member], quantities: FindingsSpec) -> Iterator[Statement]:
    """Probability that every parameter of the signature is on its side of the reference.

    The probability is joint, from joint draws. It is preceded by each parameter's difference
    from the reference.
    """
    reference = people(found, quantities)
    if reference is None or not quantities.signature:
        return
    for member in others(found, quantities):
        if not all(member.has(p) and reference.has(p) for p in quantities.signature):
            continue
        for condition in member.fit.conditions:
            yield from _of(member, condition, reference, quantities)


def _of(
    member: Member, condition: str, reference: Member, quantities: FindingsSpec
) -> Iterator[Statement]:
    at = quantities.comparable(condition)
    beside = [at] if at in reference.fit.conditions else []
    where = (
        f"{reference.label} ({at})"
        if beside
        else f"{reference.label} (mean over {quantities.conditions})"
    )
    shows = None
    for parameter, side in quantities.signature.items():
        difference: Array = member.quantities[parameter, condition] - reference.mean_over(
            parameter, beside
        )
        on_its_side = difference < 0 if side == "low" else difference > 0
        shows = on_its_side if shows is None else shows & on_its_side
        yield Statement(
            finding=quantities.signature_name,
            subject=member.label,
            condition=condition,
            quantity=parameter,
            contrast=where,
            draws=difference,
            words=f"Under the {quantities.condition} {condition}, {parameter} of {member.label} "
            f"differs from that of {where}",
            between=True,
        )
    assert shows is not None
    sides = ", ".join(f"{side} {name}" for name, side in quantities.signature.items())
    yield Statement(
        finding=quantities.signature_name,
        subject=member.label,
        condition=condition,
        quantity="signature",
        contrast=where,
        draws=shows.astype(np.float64),
        words=f"Under the {quantities.condition} {condition}, {member.label} shows the signature "
        f"of {quantities.signature_name} ({sides}; compared with {where})",
        kind="probability",
    )
