"""Draws of a Stan program as an ArviZ DataTree with named dimensions."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any

import numpy as np

from many_wolves.contracts import Array, Problem, Variable
from many_wolves.inference.engines.draws import Draws

if TYPE_CHECKING:
    import xarray as xr

PRIOR_DRAWS = 400
"""Draws from the prior: enough for its 95 % intervals."""
PRIOR_STREAM = 0x9A10
"""Sets these random numbers apart from any other use of the same seed."""
SAMPLE_STATS = {
    "lp__": "lp",
    "accept_stat__": "acceptance_rate",
    "stepsize__": "step_size",
    "treedepth__": "tree_depth",
    "n_leapfrog__": "n_steps",
    "divergent__": "diverging",
    "energy__": "energy",
}


def shaped(draws: Draws, variable: Variable) -> Array:
    """(chains, draws, *shape) of one variable; Stan lists the first index fastest."""
    block = draws.block(variable.stan)
    chains, count = block.shape[:2]
    if not variable.shape:
        return block[:, :, 0]
    # Arrays of matrices are listed with the array index fastest as well.
    full = np.moveaxis(
        block.reshape(chains, count, *variable.shape[::-1]),
        range(2, 2 + len(variable.shape)),
        range(1 + len(variable.shape), 1, -1),
    )
    return full if variable.row is None else full[:, :, variable.row]


def to_tree(problem: Problem, draws: Draws, seed: int = 0) -> xr.DataTree:
    """Groups posterior, posterior_predictive, log_likelihood, log_prior, sample_stats, ...

    ``seed`` is that of the draws from the prior, where the problem offers them.
    """
    import arviz_base as azb

    groups: dict[str, dict[str, Any]] = defaultdict(dict)
    dims: dict[str, list[str]] = {}
    for variable in problem.variables:
        groups[variable.group][variable.name] = shaped(draws, variable)
        dims[variable.name] = list(variable.dims)
    for column, name in SAMPLE_STATS.items():
        groups["sample_stats"][name] = draws.column(column)
    groups["sample_stats"]["diverging"] = groups["sample_stats"]["diverging"].astype(bool)
    if problem.derive is not None:
        for name, (names, values) in problem.derive(groups["posterior"]).items():
            groups["posterior"][name] = values
            dims[name] = list(names)
    if problem.prior is not None:
        rng = np.random.default_rng([seed, PRIOR_STREAM])
        for name, (names, values) in problem.prior(rng, PRIOR_DRAWS).items():
            groups["prior"][name] = values[None]
            dims[name] = list(names)
    groups["posterior"]["z"] = draws.block("z")
    dims["z"] = ["unconstrained"]
    for name, (names, values) in problem.observed.items():
        groups["observed_data"][name] = values
        dims[name] = list(names)
    tree: xr.DataTree = azb.from_dict(
        {name: dict(group) for name, group in groups.items()},
        coords={name: list(labels) for name, labels in problem.coords.items()},
        dims=dims,
    )
    return tree
