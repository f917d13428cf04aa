"""The fits behind findings: speaker, effort and training step of each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from many_wolves.contracts import Array, FindingsSpec
from many_wolves.errors import WolvesError
from many_wolves.figures import Fitted
from many_wolves.figures.lineage import FACTS

if TYPE_CHECKING:
    import xarray as xr

DRAWS = 4000
"""Number of posterior draws of every fit that the findings use."""
PREDICTED = 1000
"""Number of these for predicted choices, each of which takes more memory."""


@dataclass(frozen=True)
class Member:
    """One fit among those that findings compare.

    Parameters
    ----------
    fit
        The fit.
    quantities
        (D,) draws by (parameter, condition), all in the same order; parameters that the fit
        lacks are left out.
    predicted
        (``PREDICTED``, ..., outcomes) draws of the predicted probabilities by condition,
        cells and outcomes in sorted order.
    """

    fit: Fitted
    quantities: Mapping[tuple[str, str], Array]
    predicted: Mapping[str, Array]

    @property
    def label(self) -> str:
        """Short name."""
        return self.fit.label

    @property
    def labels(self) -> Mapping[str, str | float]:
        """Factors of the study, without those of ``FACTS``."""
        return {k: v for k, v in self.fit.labels.items() if k not in FACTS}

    @property
    def model(self) -> str:
        """The speaker without checkpoint and effort."""
        return str(self.fit.labels.get("model", self.fit.speaker))

    @property
    def effort(self) -> str:
        """Reasoning effort; ``none`` if none was requested."""
        return str(self.fit.labels.get("effort", "")) or "none"

    @property
    def at(self) -> float | None:
        """Position in training: tokens if known, otherwise the step."""
        found = self.fit.labels.get("tokens", self.fit.labels.get("step"))
        return None if found is None else float(found)

    @property
    def did_task(self) -> bool:
        """Whether the speaker failed no check; otherwise its numbers do not measure its values."""
        return not self.fit.failed_checks

    @property
    def stage(self) -> str:
        """Later stage of training, from whose start ``at`` is counted; otherwise empty."""
        return str(self.fit.labels.get("training_stage", ""))

    def mean_over(self, parameter: str, conditions: Sequence[str] = ()) -> Array:
        """(D,) draws of a parameter's mean over the given conditions, or over all."""
        chosen = conditions or self.fit.conditions
        draws: Array = np.mean([self.quantities[parameter, c] for c in chosen], axis=0)
        return draws

    def has(self, parameter: str) -> bool:
        """Whether the fit has the parameter by condition."""
        return any(name == parameter for name, _ in self.quantities)


def members(fits: Sequence[Fitted], quantities: FindingsSpec, seed: int = 1) -> list[Member]:
    """The fits as members of a comparison.

    Raises
    ------
    WolvesError
        If there is no fit, or one of them has not converged.
    """
    if not fits:
        raise WolvesError(
            "expected fits to compare, found none",
            fix="give fit folders, as written by `wolves fit ... --out FOLDER`",
        )
    failed = [fit.label for fit in fits if not fit.converged]
    if failed:
        raise WolvesError(
            f"expected fits that converged; these did not: {', '.join(failed)}",
            where=next(fit.folder for fit in fits if not fit.converged),
            fix="fit them again (their verdicts give a remedy), or leave them out "
            "(--skip-unconverged of wolves findings)",
        )
    return [_member(fit, quantities, seed + i) for i, fit in enumerate(fits)]


def _member(fit: Fitted, quantities: FindingsSpec, seed: int) -> Member:
    # A copy, so that the cached draws are freed with it.
    posterior = replace(fit).draws["posterior"].dataset
    n = posterior.sizes["chain"] * posterior.sizes["draw"]
    order = np.random.default_rng(seed).permutation(np.resize(np.arange(n), DRAWS))
    found = {}
    for name in quantities.words:
        if name in posterior and "condition" in posterior[name].dims:
            for condition in fit.conditions:
                values = posterior[name].sel(condition=condition).to_numpy().reshape(-1)
                found[name, condition] = values[order].astype(np.float64)
    return Member(fit, found, _predicted(posterior, fit.conditions, quantities, order))


def _predicted(
    posterior: xr.Dataset, conditions: Sequence[str], quantities: FindingsSpec, order: Array
) -> dict[str, Array]:
    name = next((v for v in quantities.predicted if v in posterior), None)
    if name is None:
        return {}
    array = posterior[name].stack(sample=("chain", "draw")).transpose("sample", "condition", ...)
    for dim in array.dims[2:]:
        array = array.sortby(str(dim))
    kept = order[:PREDICTED]
    return {c: array.sel(condition=c).to_numpy()[kept].astype(np.float64) for c in conditions}


def people(found: Sequence[Member], quantities: FindingsSpec) -> Member | None:
    """The reference among the members; None if it was not fitted."""
    return next((m for m in found if m.fit.speaker == quantities.reference), None)


def others(found: Sequence[Member], quantities: FindingsSpec) -> list[Member]:
    """All but the reference."""
    return [m for m in found if m.fit.speaker != quantities.reference]


def able(found: Sequence[Member], quantities: FindingsSpec) -> list[Member]:
    """All but the reference that did the task; only they show effects of effort, training, size."""
    return [m for m in others(found, quantities) if m.did_task]


def common_conditions(found: Sequence[Member]) -> list[str]:
    """Conditions that all members share, in the order of the first."""
    if not found:
        return []
    return [c for c in found[0].fit.conditions if all(c in m.fit.conditions for m in found)]
