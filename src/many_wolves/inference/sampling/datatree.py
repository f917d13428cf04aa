"""Draws of a Stan program as an ArviZ DataTree with named dimensions."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from itertools import groupby
from typing import TYPE_CHECKING, Any

import numpy as np

from many_wolves.contracts import Array, Problem, Variable
from many_wolves.inference.engines.draws import Draws
from many_wolves.inference.engines.protocol import Program, StanData

if TYPE_CHECKING:
    import xarray as xr

PRIOR_DRAWS = 400
"""Draws from the prior: enough for its 95 % intervals."""
PRIOR_STREAM = 0x9A10
"""Separates these random numbers from any other use of the same seed."""
SAMPLE_STATS = {
    "lp__": "lp",
    "accept_stat__": "acceptance_rate",
    "stepsize__": "step_size",
    "treedepth__": "tree_depth",
    "n_leapfrog__": "n_steps",
    "divergent__": "diverging",
    "energy__": "energy",
}


def shaped(names: Sequence[str], values: Array, variable: Variable) -> Array:
    """(chains, draws, *shape) of one variable; Stan lists the first index fastest.

    Parameters
    ----------
    names, values
        Stan's names of the scalars, such as ``theta.1.2``, and their draws (chains, draws, names).
    """
    stan = variable.stan
    block = values[:, :, [i for i, n in enumerate(names) if n.split(".", 1)[0] == stan]]
    chains, count = block.shape[:2]
    if not variable.shape:
        return block[:, :, 0]
    # Stan lists arrays of matrices with the array index fastest, too.
    full = np.moveaxis(
        block.reshape(chains, count, *variable.shape[::-1]),
        range(2, 2 + len(variable.shape)),
        range(1 + len(variable.shape), 1, -1),
    )
    return full if variable.row is None else full[:, :, variable.row]


def quantities(
    problem: Problem, program: Program, draws: Draws, seed: int
) -> tuple[tuple[str, ...], Array]:
    """The program's quantities for each draw: names, and (chains, draws, names)."""
    chains, count, size = draws.x.shape
    if draws.changes:
        parts = [
            _with_changes(problem, program, chain, changes, seed + number)
            for number, (chain, changes) in enumerate(zip(draws.x, draws.changes, strict=True))
        ]
        return parts[0][0], np.stack([values for _, values in parts])
    with program.open(problem.data) as model:
        found = model.quantities(draws.x.reshape(-1, size), seed)
        return model.quantity_names, found.reshape(chains, count, -1)


def _with_changes(
    problem: Problem, program: Program, x: Array, changes: Sequence[StanData], seed: int
) -> tuple[tuple[str, ...], Array]:
    """The same for one chain (draws, D), each draw with the data behind it."""
    names: tuple[str, ...] = ()
    found = []
    first = 0
    for _, group in groupby(changes, key=id):
        same = list(group)
        with program.open({**problem.data, **same[0]}) as model:
            names = model.quantity_names
            found.append(model.quantities(x[first : first + len(same)], seed + first))
        first += len(same)
    return names, np.concatenate(found)


def to_tree(problem: Problem, program: Program, draws: Draws, seed: int = 0) -> xr.DataTree:
    """Groups posterior, posterior_predictive, log_likelihood, log_prior, sample_stats, ...

    ``seed`` sets the replicated data, and the draws from the prior if the problem has them.
    """
    import arviz_base as azb

    groups: dict[str, dict[str, Any]] = defaultdict(dict)
    dims: dict[str, list[str]] = {}
    columns, values = quantities(problem, program, draws, seed)
    for variable in problem.variables:
        groups[variable.group][variable.name] = shaped(columns, values, variable)
        dims[variable.name] = list(variable.dims)
    for column, name in SAMPLE_STATS.items():
        groups["sample_stats"][name] = draws.statistic(column)
    groups["sample_stats"]["diverging"] = groups["sample_stats"]["diverging"].astype(bool)
    if problem.derive is not None:
        for name, (names, derived) in problem.derive(groups["posterior"]).items():
            groups["posterior"][name] = derived
            dims[name] = list(names)
    if problem.prior is not None:
        rng = np.random.default_rng([seed, PRIOR_STREAM])
        for name, (names, drawn) in problem.prior(rng, PRIOR_DRAWS).items():
            groups["prior"][name] = drawn[None]
            dims[name] = list(names)
    groups["posterior"]["x"] = draws.x
    dims["x"] = ["unconstrained"]
    for name, (names, seen) in problem.observed.items():
        groups["observed_data"][name] = seen
        dims[name] = list(names)
    tree: xr.DataTree = azb.from_dict(
        {name: dict(group) for name, group in groups.items()},
        coords={name: list(labels) for name, labels in problem.coords.items()},
        dims=dims,
    )
    return tree
