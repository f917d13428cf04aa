"""The recursion's tables for given parameters."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from many_wolves.errors import WolvesError
from many_wolves.families.politeness.model.recursion import Condition, Lexicon, recurse, speaker2

FIELDS = ("theta", "alpha", "cost", "negated", "values", "phi_grid", "conditions")


def predict(given: Mapping[str, Any]) -> dict[str, Any]:
    """Prior, L0, S1, L1 and S2 as nested lists.

    Parameters
    ----------
    given
        theta (utterance x state), alpha, cost, negated (per utterance), values (per
        state), phi_grid, and conditions, a list of {w_inf, w_soc, w_pres, phi}.
        The field ``cost_form`` (``prior`` or ``utility``) is optional.

    Raises
    ------
    WolvesError
        If a field is missing, or has the wrong shape or kind.
    """
    missing = [name for name in FIELDS if name not in given]
    if missing:
        raise WolvesError(
            f"expected the fields {', '.join(FIELDS)}; {', '.join(missing)} missing",
            column=missing[0],
            fix=f'add "{missing[0]}" to the file',
        )
    cost_form = given.get("cost_form", "prior")
    if cost_form not in ("prior", "utility"):
        raise WolvesError(
            f"expected the cost form prior or utility; found {cost_form!r}",
            column="cost_form",
            fix='"cost_form": "prior"',
        )
    try:
        theta = np.asarray(given["theta"], dtype=float)
        lexicon = Lexicon(
            theta.reshape(theta.shape[0], -1),
            np.asarray(given["negated"], dtype=bool),
            np.asarray(given["values"], dtype=float),
        )
        conditions = [
            Condition(float(c["w_inf"]), float(c["w_soc"]), float(c["w_pres"]), float(c["phi"]))
            for c in given["conditions"]
        ]
        alpha, cost = float(given["alpha"]), float(given["cost"])
        grid = np.asarray(given["phi_grid"], dtype=float)
    except (TypeError, ValueError, KeyError, IndexError) as error:
        raise WolvesError(
            f"a field has the wrong shape or kind: {error}",
            fix="theta: rows of numbers; negated: true/false per utterance; values: a number per "
            'state; conditions: [{"w_inf": .4, "w_soc": .1, "w_pres": .5, "phi": .5}]',
        ) from error
    inside = all(0 <= c.phi <= 1 for c in conditions)
    if not (inside and grid.ndim == 1 and grid.size and np.all((grid >= 0) & (grid <= 1))):
        raise WolvesError(
            "expected phi in [0, 1], on the grid and in the conditions",
            column="phi_grid",
            fix="correct the values outside [0, 1]",
        )
    tables = recurse(lexicon, alpha, cost, grid, cost_form=cost_form)
    S2 = speaker2(lexicon, alpha, cost, conditions, grid, cost_form=cost_form)
    return {
        "prior": tables.prior.tolist(),
        "L0": tables.L0.tolist(),
        "S1": tables.S1.tolist(),
        "L1_state": tables.L1_state.tolist(),
        "L1_phi": tables.L1_phi.tolist(),
        "S2": S2.tolist(),
    }
