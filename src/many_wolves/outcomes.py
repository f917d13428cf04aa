"""What a cognitive model predicts: which observed variable, of which kind."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]
Kind = Literal["counts", "real", "category"]


@dataclass(frozen=True)
class Outcome:
    """The outcome of a problem, by the names of its variables.

    Parameters
    ----------
    observed
        Observed variable that is predicted. Its pointwise log-likelihood, and its
        replications, have the same name in their groups of the DataTree.
    predicted
        Variables of the posterior that hold its expectation, the first one there counts:
        probabilities along ``event`` for counts and categories, means for real outcomes.
    event
        Dimension along which the alternatives of one question lie; None where there is
        none (real outcomes).
    kind
        ``counts``: how often each alternative was chosen, expected counts allowed.
        ``real``: numbers, missing ones NaN. ``category``: the number of the alternative
        that was chosen, from zero, missing ones NaN; its dimensions lack ``event``.
    cluster
        Dimension of ``observed`` whose entries depend on each other, such as participants or
        items: leave-one-out can leave one out whole. Empty where there is none.
    by_cluster
        Observed variable with the number of answers by cluster, whose log-likelihood has its
        name, where answers of a cluster are not a product over ``observed``. The smallest part that
        can be left out is then the answers of a cluster to one question.
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
        """Name of the variable with the predictions in ``posterior``; None where it has none."""
        return next((name for name in self.predicted if name in posterior), None)

    def agreement(
        self, dims: tuple[str, ...], values: npt.ArrayLike, predicted: Any
    ) -> tuple[Array, Array]:
        """What was observed, and what is predicted: (n,) and (n,), where anything was asked.

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
    """Squared Pearson correlation; NaN with fewer than three points, or where one does not vary."""
    x, y = np.asarray(observed, dtype=float), np.asarray(predicted, dtype=float)
    if x.size < 3 or np.ptp(x) == 0 or np.ptp(y) == 0:
        return float("nan")
    return float(np.corrcoef(x, y)[0, 1] ** 2)
