"""All statements that a set of fits supports, with the draws behind them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from many_wolves import families
from many_wolves.contracts import FindingsSpec
from many_wolves.errors import WolvesError
from many_wolves.figures import Fitted
from many_wolves.findings.conditions import conditions
from many_wolves.findings.contrasts import contrasts, lead
from many_wolves.findings.distance import distance
from many_wolves.findings.dynamics import dynamics
from many_wolves.findings.effort import effort
from many_wolves.findings.fits import Member, members
from many_wolves.findings.gaps import reasons
from many_wolves.findings.scaling import scaling
from many_wolves.findings.signature import signature
from many_wolves.findings.statement import Statement
from many_wolves.findings.tables import titles

if TYPE_CHECKING:
    import xarray as xr


@dataclass(frozen=True)
class Findings:
    """The findings of a set of fits.

    Parameters
    ----------
    members
        The fits that are compared.
    statements
        All statements, by kind.
    lacking
        Why a kind of statement could not be made, in words.
    seed
        Seed of the draws.
    titles
        Kind of finding -> its heading, in the order of a page.
    lead
        The leading sentences; empty if neither post-training nor a reference is known.
    """

    members: tuple[Member, ...]
    statements: tuple[Statement, ...]
    lacking: tuple[str, ...]
    seed: int
    titles: Mapping[str, str] = field(default_factory=dict)
    lead: str = ""

    def of(self, finding: str) -> list[Statement]:
        """Statements of one kind."""
        return [s for s in self.statements if s.finding == finding]

    def draws(self) -> xr.Dataset:
        """The draws behind every statement: (statement, draw); shorter rows are padded with NaN."""
        import xarray as xr

        n = max((len(s.draws) for s in self.statements), default=0)
        values = np.full((len(self.statements), n), np.nan, dtype=np.float32)
        for row, statement in zip(values, self.statements, strict=True):
            row[: len(statement.draws)] = statement.draws
        return xr.Dataset(
            {"draws": (("statement", "draw"), values)},
            coords={"statement": [s.id for s in self.statements]},
            attrs={"seed": self.seed},
        )


def state(
    fits: Sequence[Fitted],
    seed: int = 1,
    axes: Sequence[str] = (),
    left_out: Sequence[Fitted] = (),
) -> Findings:
    """Make all statements about the fits of one family.

    Parameters
    ----------
    fits
        The fits.
    seed
        Seed of the draws.
    axes
        Axes of ``scaling.AXES`` for which scaling laws are fitted as well.
    left_out
        Fits that did not converge, to explain why a finding is missing.

    Raises
    ------
    WolvesError
        If there is no fit, a fit has not converged, or the fits are of several families.
    """
    quantities = quantities_of(fits)
    found = members(fits, quantities, seed)
    sound = [member for member in found if member.did_task]
    statements = [
        *contrasts(found, quantities),
        *effort(sound, quantities, seed),
        *conditions(found, quantities, seed),
        *signature(found, quantities),
        *dynamics(sound, quantities, seed),
        *distance(found, quantities),
        *(s for axis in axes for s in scaling(sound, quantities, axis, seed)),
    ]
    unique = {s.id: s for s in statements}
    gone = [fit for fit in left_out if _families([fit]) == _families(fits)]
    lacking = reasons(found, quantities, gone, axes)
    first = lead(found, quantities)
    return Findings(tuple(found), tuple(unique.values()), lacking, seed, titles(quantities), first)


def has_findings(fits: Sequence[Fitted]) -> bool:
    """Whether all fits are of one family, and that family has findings."""
    names = _families(fits)
    return len(names) == 1 and quantities_of_family(names[0]) is not None


def quantities_of(fits: Sequence[Fitted]) -> FindingsSpec:
    """The findings specification of the fits' family.

    Raises
    ------
    WolvesError
        If the fits are of several families, or their family has none.
    """
    names = _families(fits)
    if len(names) != 1:
        raise WolvesError(
            f"expected fits of one task family, found {', '.join(names) or 'no fit'}",
            fix="give the fits of one family at a time",
        )
    found = quantities_of_family(names[0])
    if found is None:
        raise WolvesError(
            f"the task family {names[0]!r} has no findings",
            fix="return a FindingsSpec from the method `findings` of its class",
        )
    return found


def quantities_of_family(name: str) -> FindingsSpec | None:
    """The findings specification of a family; None if it has none."""
    return families.get(name).findings()


def _families(fits: Sequence[Fitted]) -> list[str]:
    return sorted({str(fit.info.get("family", families.DEFAULT)) for fit in fits})
