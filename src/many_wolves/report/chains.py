"""The section on the chains: rank plots of all parameters, traces of the worst."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from many_wolves.figures import Fitted, Section
from many_wolves.figures.chains import ranks, trace
from many_wolves.report.verdict import diagnostics_table

Draws = npt.NDArray[np.float64]

TRACES = 4
"""Number of parameters whose traces are shown, those with the highest R-hat."""


def chains_section(fit: Fitted, variables: Sequence[str]) -> Section:
    """A section on whether the chains agree, for every element of ``variables``."""
    draws = scalars(fit, variables)
    if not draws:
        return Section("chains", "Chains", tables=(diagnostics_table(fit),))
    bulk, tail = _summary(fit, "ess_bulk"), _summary(fit, "ess_tail")
    ess = {name: min(bulk[name], tail.get(name, bulk[name])) for name in bulk}
    r_hat = _summary(fit, "r_hat")
    worst = sorted(draws, key=lambda name: -r_hat.get(name, 0.0))[:TRACES]
    wide = ranks(draws, ess)
    figures = (
        replace(wide, narrow=ranks(draws, ess, columns=2, width="one")),
        trace({name: draws[name] for name in draws if name in worst}),
    )
    n_chains, n_draws = next(iter(draws.values())).shape
    text = (
        f"{n_chains} chains of {n_draws:,} draws each, started from dispersed points. Chains that "
        "sample the same distribution have uniform ranks."
    )
    return Section("chains", "Chains", (text,), (diagnostics_table(fit),), figures)


def scalars(fit: Fitted, variables: Sequence[str]) -> dict[str, Draws]:
    """Draws (chain, draw) of every element of ``variables``, by a readable name.

    Constant elements are left out: they have no ranks.
    """
    found: dict[str, Draws] = {}
    for variable in variables:
        values = fit.values("posterior", variable).transpose("chain", "draw", ...)
        inner = values.dims[2:]
        stacked = values.stack(element=inner) if inner else values.expand_dims("element", 2)
        for i in range(stacked.sizes["element"]):
            label = str(stacked["condition"].to_numpy()[i]) if "condition" in inner else ""
            draws = stacked.isel(element=i).to_numpy()
            if np.ptp(draws) > 0:
                found[f"{variable} {label}".strip()] = draws
    return found


def _summary(fit: Fitted, column: str) -> dict[str, float]:
    if column not in fit.summary:
        return {}
    names = (fit.summary["parameter"] + " " + fit.summary["condition"]).str.strip()
    return {str(name): float(v) for name, v in zip(names, fit.summary[column], strict=True)}
