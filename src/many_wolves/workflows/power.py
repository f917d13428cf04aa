"""How many items and answers are needed to detect a difference in a parameter?"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from many_wolves.errors import WolvesError
from many_wolves.files import write_atomic
from many_wolves.sources import nearest
from many_wolves.workflows.folders import make_ready
from many_wolves.workflows.models import options_of, planned_model
from many_wolves.workflows.sampling import Sampling
from many_wolves.workflows.simulation import Trials, run_trials

if TYPE_CHECKING:
    import pandas as pd

ENOUGH = 0.8
"""The usual target of power."""
ITEMS = (6, 24)
REPLICATES = (3, 12)
"""Default numbers of items and replicates; two of the designs have equally many answers."""
SHORT = Sampling(chains=2, warmup=400, draws=300)


@dataclass(frozen=True)
class Power:
    """Probability of detecting a difference, by the size of the design.

    Parameters
    ----------
    table
        One row per design: items, replicates, answers, power, low, high.
    parameter, difference
        The parameter that differs between the two conditions, and the difference.
    folder
        Where power.csv and the simulations are.
    """

    table: pd.DataFrame
    parameter: str
    difference: float
    folder: Path

    @property
    def conclusion(self) -> str:
        """The smallest design that suffices, in words."""
        if self.difference == 0:
            worst = self.table["power"].max()
            return (
                f"With no difference in {self.parameter}, at most {100 * worst:.0f} % of fits "
                "detect one."
            )
        enough = self.table[self.table["power"] >= ENOUGH]
        if enough.empty:
            return (
                f"No design detects a difference of {self.difference:+g} in {self.parameter} in "
                f"{100 * ENOUGH:.0f} % of fits; try more items.{self._more}"
            )
        least = enough.iloc[0]
        return (
            f"{least['items']:.0f} items x {least['replicates']:.0f} replicates "
            f"({least['answers']:.0f} answers in all) detect a difference of "
            f"{self.difference:+g} in {self.parameter} in {100 * least['power']:.0f} % of fits "
            f"(95 % interval {100 * least['low']:.0f} to {100 * least['high']:.0f}).{self._more}"
        )

    @property
    def _more(self) -> str:
        """A sentence on the effect of more items and of more replicates."""
        words = []
        for name, other in (("items", "replicates"), ("replicates", "items")):
            fixed = self.table[other].min()
            along = self.table[self.table[other] == fixed].sort_values(name)
            if len(along) > 1:
                first, last = along.iloc[0], along.iloc[-1]
                words.append(
                    f"{first[name]:.0f} to {last[name]:.0f} {name} ({fixed:.0f} {other}): "
                    f"{100 * first['power']:.0f} to {100 * last['power']:.0f} %"
                )
        return f" Power from {'; from '.join(words)}." if len(words) > 1 else ""

    def _repr_html_(self) -> str:
        return f"<p>{self.conclusion}</p>{self.table.round(3).to_html(index=False)}"


def find_power(
    out: Path,
    *,
    parameter: str | None = None,
    difference: float = 0.1,
    items: Sequence[int] = ITEMS,
    replicates: Sequence[int] = REPLICATES,
    n: int = 40,
    given: Mapping[str, Any] | None = None,
    model: str | None = None,
    options: Mapping[str, Any] | None = None,
    sampling: Sampling | None = None,
    workers: int = 1,
) -> Power:
    """Estimate the probability that a 95 % interval of a difference excludes zero.

    Raises
    ------
    WolvesError
        If the model has no such option, or does not allow such a difference.
    """
    import pandas as pd

    from many_wolves.inference.evaluation.recovery import power

    found = planned_model(model)
    chosen = parameter or found.contrasts[0]
    if chosen not in found.contrasts:
        raise WolvesError(
            f"the model {found.name!r} has no parameter {chosen!r} that can differ",
            fix=nearest(chosen, found.contrasts),
        )
    parameters = found.differing(chosen, difference, given)
    chosen_options = options_of(found, options or {})
    settings = sampling or SHORT
    rows: list[dict[str, Any]] = []
    make_ready(out)
    for per_cell, repeated in designs(items, replicates):
        table = found.planned(per_cell, repeated)
        trials = Trials(
            table=table,
            options=chosen_options,
            model=found.name,
            sampling=settings,
            given=parameters,
            contrast=(chosen, 0, 1),
        )
        done = run_trials(
            trials,
            n,
            seed=settings.seed,
            path=out / f"{chosen}_{difference:g}_{per_cell}x{repeated}.jsonl",
            workers=workers,
            label=f"{per_cell} items x {repeated} replicates",
        )
        measured = asdict(power(done, "difference"))
        sizes = {"items": per_cell, "replicates": repeated, "answers": table.total}
        rows.append(sizes | measured)
        frame = pd.DataFrame(rows)
        write_atomic(out / "power.csv", frame.to_csv(index=False))
    facts = {"given": parameters, "parameter": chosen, "difference": difference, "n": n}
    facts |= settings.model_dump() | {"options": chosen_options}
    write_atomic(out / "power.json", json.dumps(facts, indent=2, default=str) + "\n")
    return Power(frame, chosen, difference, out)


def designs(items: Sequence[int], replicates: Sequence[int]) -> Iterator[tuple[int, int]]:
    """Pairs of items and replicates in the order of their product."""
    yield from sorted(((i, r) for i in items for r in replicates), key=lambda p: (p[0] * p[1], p))
