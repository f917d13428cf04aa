"""Finds the family that contributes its parts to the report on a fit."""

from __future__ import annotations

from collections.abc import Sequence

from many_wolves import families
from many_wolves.errors import WolvesError
from many_wolves.figures import FamilyReport, Fitted


def family_of(fit: Fitted) -> str:
    """The name of a fit's task family."""
    return str(fit.info.get("family", families.DEFAULT))


def pages_of(fits: Sequence[Fitted]) -> FamilyReport:
    """The report parts of the family to which all fits belong.

    Raises
    ------
    WolvesError
        If there is no fit, or the fits belong to several families, or to one without a report.
    """
    found = sorted({family_of(fit) for fit in fits})
    if len(found) != 1:
        raise WolvesError(
            f"expected fits of one task family, found {', '.join(found) or 'no fit'}",
            fix="give the fits of one family at a time",
        )
    return pages_of_family(found[0])


def pages_of_family(name: str) -> FamilyReport:
    """The report parts of the family ``name``.

    Raises
    ------
    WolvesError
        If there is no such family, or it has no report.
    """
    report = families.get(name).report()
    if report is None:
        raise WolvesError(
            f"the task family {name!r} has no figures and reports",
            fix="return a FamilyReport from the method `report` of its class",
        )
    return report
