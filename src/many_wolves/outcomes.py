"""The outcome that a cognitive model predicts: an observed variable, and its kind."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]
Kind = Literal["counts", "real", "category"]


@dataclass(frozen=True)
class Outcome:
    """The outcome of a problem, given by the names of its variables.

    Parameters
    ----------
    observed
        Observed variable that is predicted. Its pointwise log-likelihood and its replicates have
        the same name in their groups of the DataTree.
    predicted
        Variables of the posterior with its expectation: probabilities along ``event`` for counts
        and categories, means for real outcomes. The first one that exists is used.
    event
        Dimension of the alternatives of one question; None if there is none (real outcomes).
    kind
        ``counts``: how often each alternative was chosen; expected counts are allowed.
        ``real``: numbers, NaN if missing. ``category``: the index of the chosen alternative,
        from zero, NaN if missing; its dimensions lack ``event``.
    cluster
        Dimension of ``observed`` whose entries depend on each other, such as participants or
        items; leave-one-out can leave out a whole one. Empty if there is none.
    by_cluster
        Observed variable with the number of answers by cluster, if the likelihood of a cluster is
        not a product over ``observed``. The pointwise log-likelihood then has this name, and the
        smallest part that can be left out is a cluster's answers to one question.
    """

    observed: str = "counts"
    predicted: tuple[str, ...] = ("predicted",)
    event: str | None = None
    kind: Kind = "counts"
    cluster: str = ""
    by_cluster: str = ""

    def total(self, values: npt.ArrayLike) -> float:
        """Number of answers in the observed values."""
        found = np.asarray(values, dtype=float)
        return float(found.sum()) if self.kind == "counts" else float(np.isfinite(found).sum())

    def variable(self, posterior: Any) -> str | None:
        """Name of the variable with the predictions in ``posterior``; None if it has none."""
        return next((name for name in self.predicted if name in posterior), None)

    def agreement(
        self, dims: tuple[str, ...], values: npt.ArrayLike, predicted: Any
    ) -> tuple[Array, Array]:
        """Observed and predicted values, (n,) each, over the cells with answers.

        Parameters
        ----------
        dims, values
            Dimensions and values of the observed variable.
        predicted
            Posterior mean of the prediction, a DataArray.
        """
        seen = np.asarray(values, dtype=float)
        if self.kind == "real":
            expected = predicted.transpose(*dims).to_numpy()
            asked = np.isfinite(seen)
            return seen[asked], expected[asked]
        assert self.event is not None
        if self.kind == "category":
            expected = predicted.transpose(*dims, self.event).to_numpy()
            one = np.eye(expected.shape[-1])
            asked = np.isfinite(seen)
            return one[seen[asked].astype(int)].ravel(), expected[asked].ravel()
        axis = dims.index(self.event)
        totals = seen.sum(axis=axis, keepdims=True)
        asked = np.broadcast_to(totals > 0, seen.shape)
        share = seen / np.where(totals > 0, totals, 1)
        return share[asked], predicted.transpose(*dims).to_numpy()[asked]


def r_squared(observed: npt.ArrayLike, predicted: npt.ArrayLike) -> float:
    """Squared Pearson correlation; NaN with fewer than three points or without variation."""
    x, y = np.asarray(observed, dtype=float), np.asarray(predicted, dtype=float)
    if x.size < 3 or np.ptp(x) == 0 or np.ptp(y) == 0:
        return float("nan")
    return float(np.corrcoef(x, y)[0, 1] ** 2)


def draws_of(tree: Any, names: Sequence[str], outcome: str = "counts") -> dict[str, Array]:
    """Posterior draws of some parameters.

    Parameters
    ----------
    tree
        The DataTree of a fit.
    names
        Parameters; ``log_lik`` is the log-likelihood of all answers.
    outcome
        Variable of the pointwise log-likelihood.

    Returns
    -------
    dict
        Name -> (chains, draws, ...).
    """
    posterior = tree["posterior"].to_dataset()
    found = {name: posterior[name].to_numpy() for name in names if name != "log_lik"}
    if "log_lik" in names:
        each = tree["log_likelihood"].to_dataset()[outcome]
        dims = [dim for dim in each.dims if dim not in ("chain", "draw")]
        found["log_lik"] = each.sum(dims).to_numpy()
    return found
