"""Counts of who was served in each situation, with the factors that vary."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from many_wolves.errors import WolvesError
from many_wolves.families.dilemmas.model.decisions import Cells, Prior
from many_wolves.families.dilemmas.model.levels import Levels
from many_wolves.families.dilemmas.options import SPREAD
from many_wolves.families.dilemmas.reading.tables import real
from many_wolves.observations import Observations
from many_wolves.tables import refuse_first

SERVED = ("user", "principal")
FACTORS = {"shared_with_user": "reasons shown to the user",
           "shared_with_principal": "reasons shown to the principal"}  # fmt: skip
"""Columns of what is shared -> names of their effects."""
BASE = "user served"
PRIOR_SD = 1.5
EFFECT_SD = 1.0
_YES = {"yes": 1.0, "true": 1.0, "1": 1.0, "1.0": 1.0}
_NO = {"no": 0.0, "false": 0.0, "0": 0.0, "0.0": 0.0}


@dataclass(frozen=True)
class Situations:
    """Situations counted: cells, and the factors that vary (their names and columns).

    ``situation`` holds for every cell the principal and the factors, as the table has them.
    """

    levels: Levels
    cells: Cells
    factors: tuple[str, ...]
    situation: pd.DataFrame
    constant: tuple[str, ...]

    @property
    def names(self) -> tuple[str, ...]:
        return (BASE, *(FACTORS[f] for f in self.factors))

    @property
    def prior(self) -> Prior:
        sd = np.array([PRIOR_SD, *([EFFECT_SD] * len(self.factors))])
        return Prior(np.zeros(sd.size), sd)

    @classmethod
    def of(
        cls,
        table: Observations,
        information: bool = True,
        by_principal: bool = True,
        spread: float = SPREAD,
    ) -> Situations:
        where = str(table.meta.get("path", "the table of choices"))
        frame = _checked(table.rows.reset_index(drop=True), where)
        present = [f for f in FACTORS if f in frame]
        varied = [f for f in present if frame[f].nunique() > 1]
        factors = tuple(varied) if information else ()
        constant = tuple(f for f in FACTORS if f not in varied) if information else ()
        keys = ["principal", *present]
        counted = frame.pivot_table(
            index=keys, columns="served", values="count", aggfunc="sum", fill_value=0.0, sort=False
        ).reindex(columns=list(SERVED), fill_value=0.0)
        counted = counted[counted.sum(axis=1) > 0]
        situation = counted.index.to_frame(index=False)
        who = situation["principal"] if by_principal else pd.Series("", index=situation.index)
        levels = Levels.of([("", str(p)) for p in who])
        index = {name: i for i, (_, name) in enumerate(levels.participants)}
        # Effects are differences between yes and no, so that the base is their middle.
        columns = [situation[f].to_numpy(dtype=float) - 0.5 for f in factors]
        design = np.column_stack([np.ones(len(situation)), *columns])
        names = tuple(
            " | ".join([str(row["principal"]), *(f"{f}: {row[f]:g}" for f in present)])
            for _, row in situation.iterrows()
        )
        cells = Cells(
            np.array([index[str(p)] for p in who]), design, counted.to_numpy(dtype=float), names
        )
        return cls(levels, cells, factors, situation, constant)


def _checked(frame: pd.DataFrame, where: str) -> pd.DataFrame:
    """The rows with principals as words, what is shared as 0 and 1, and counts as numbers."""
    if "served" not in frame:
        raise WolvesError(
            "expected the column 'served', found none",
            where=where,
            column="served",
            fix="give a table such as served.csv of `wolves choices`",
        )
    refuse_first(
        ~frame["served"].isin(SERVED),
        frame["served"],
        "user or principal",
        where=where,
        fix="write who was served; leave out rows without an answer",
    )
    principal = frame["principal"].fillna("").astype(str) if "principal" in frame else ""
    found = frame.assign(principal=principal, count=real(frame, "count", where))
    for factor in FACTORS:
        if factor in found:
            words = found[factor].astype(str).str.lower()
            found[factor] = words.map(_YES | _NO)
            odd = found[factor].isna()
            refuse_first(odd, frame[factor], "yes or no", where=where, fix="write yes or no")
    return found


def principals_of(found: Situations) -> tuple[list[str], np.ndarray]:
    """Names of the principals, and the number of each cell's."""
    names = list(dict.fromkeys(map(str, found.situation["principal"])))
    return names, np.array([names.index(str(p)) for p in found.situation["principal"]])
