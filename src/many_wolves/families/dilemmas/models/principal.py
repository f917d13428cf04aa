"""Who is served, the user or the principal: hierarchical logistic regression."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import expit

from many_wolves.contracts import Array, Parameter, Problem
from many_wolves.errors import WolvesError
from many_wolves.families.dilemmas.models.decisions import (
    Cells,
    Known,
    Prior,
    Words,
    decision_problem,
    draws_of,
    from_prior,
    log_likelihood,
    probability,
)
from many_wolves.families.dilemmas.models.levels import SPREAD, Levels
from many_wolves.families.dilemmas.models.tables import of_task, real
from many_wolves.records import ChoiceTable

SERVED = ("user", "principal")
FACTORS = {"shared_with_user": "reasons shown to the user",
           "shared_with_principal": "reasons shown to the principal"}  # fmt: skip
"""Columns of what is shared -> names of their effects."""
BASE = "user served"
PRIOR_SD = 1.5
EFFECT_SD = 1.0
VARIANTS: Mapping[str, Mapping[str, Any]] = {
    "information and principal": {},
    "principal": {"information": False},
    "information": {"by_principal": False},
    "neither": {"information": False, "by_principal": False},
}
_YES = {"yes": 1.0, "true": 1.0, "1": 1.0, "1.0": 1.0}
_NO = {"no": 0.0, "false": 0.0, "0": 0.0, "0.0": 0.0}


class PrincipalAgent:
    """Log-odds that the user is served, by what is shared, principals partially pooled."""

    name: str = "principal-agent"
    tasks: tuple[str, ...] = ("principal",)
    takes: tuple[str, ...] = ("information", "by_principal", "spread")
    parameters: tuple[Parameter, ...] = (
        Parameter("user_served", "probability", "see middle", "of each principal, as it was asked"),
        Parameter("effect", "difference", "see middle", "of showing reasons, on that probability"),
        Parameter("middle", "log-odds", "normal(0, 1.5); effects normal(0, 1)", "of all"),
        Parameter("sd_participant", "log-odds", "exponential, mean half of that", "of principals"),
    )

    def problem(self, table: ChoiceTable, **options: Any) -> Problem:
        """Stan data for one speaker's choices.

        Parameters
        ----------
        information
            Whether what is shared with user and principal has effects.
        by_principal
            Whether principals differ.
        spread
            Prior mean of the sds between principals, in prior sds of the coefficients.

        Raises
        ------
        WolvesError
            If the table cannot be fitted; the message says why and what to do.
        """
        return build(of_task(table, "principal"), **options)

    def variants(self) -> Mapping[str, Mapping[str, Any]]:
        """Both kinds of effects first; then one of them, and neither."""
        return VARIANTS

    def simulate(
        self,
        table: ChoiceTable,
        rng: np.random.Generator,
        given: Mapping[str, Any] | None = None,
        **options: Any,
    ) -> tuple[Mapping[str, Any], ChoiceTable]:
        """As many choices in every situation."""
        asked = of_task(table, "principal")
        found = _Asked.of(asked, **options)
        plan = found.prior
        spread = float(options.get("spread", SPREAD))
        known = (
            from_prior(found.levels, plan, spread, rng) if given is None else _given(given, found)
        )
        total = np.rint(found.cells.counts.sum(axis=1)).astype(int)
        user = rng.binomial(total, probability(found.cells, known.coefficient))
        cells = replace(found.cells, counts=np.stack([user, total - user], axis=1).astype(float))
        truth: dict[str, Any] = {**known.truth(), **_derived(found, known.coefficient)}
        truth["log_lik"] = log_likelihood(cells, known.coefficient)
        return truth, _as_table(asked, found, cells)

    def draws(self, tree: Any, names: Sequence[str]) -> Mapping[str, Array]:
        """Posterior draws (chains, draws, ...) of parameters named as ``simulate`` names them."""
        return draws_of(tree, names)


@dataclass(frozen=True)
class _Asked:
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
        table: ChoiceTable,
        information: bool = True,
        by_principal: bool = True,
        spread: float = SPREAD,
    ) -> _Asked:
        where = str(table.meta.get("path", "the table of choices"))
        frame = _checked(table.counts.reset_index(drop=True), where)
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
            "expected the column 'served'; it is not there",
            where=where,
            column="served",
            mend="give a table such as served.csv of `wolves choices`",
        )
    bad = ~frame["served"].isin(SERVED).to_numpy()
    if bad.any():
        at = int(bad.argmax())
        raise WolvesError(
            f"expected user or principal, found {frame['served'].iloc[at]!r}",
            where=where,
            line=at + 2,
            column="served",
            mend="write who was served; leave rows without an answer out",
        )
    principal = frame["principal"].fillna("").astype(str) if "principal" in frame else ""
    found = frame.assign(principal=principal, count=real(frame, "count", where))
    for factor in FACTORS:
        if factor in found:
            words = found[factor].astype(str).str.lower()
            found[factor] = words.map(_YES | _NO)
            odd = found[factor].isna().to_numpy()
            if odd.any():
                at = int(odd.argmax())
                raise WolvesError(
                    f"expected yes or no, found {frame[factor].iloc[at]!r}",
                    where=where,
                    line=at + 2,
                    column=factor,
                    mend="write yes or no",
                )
    return found


def build(
    table: ChoiceTable,
    *,
    information: bool = True,
    by_principal: bool = True,
    spread: float = SPREAD,
) -> Problem:
    """See ``PrincipalAgent.problem``."""
    found = _Asked.of(table, information, by_principal, spread)
    situation = found.situation

    def derive(posterior: Mapping[str, Array]) -> dict[str, tuple[tuple[str, ...], Array]]:
        derived = _derived(found, posterior["coefficient"])
        dims = {"user_served": ("principal",), "effect": ("shared",)}
        return {name: (dims[name], value) for name, value in derived.items()}

    return decision_problem(
        model=PrincipalAgent.name,
        table=table,
        levels=found.levels,
        cells=found.cells,
        prior=found.prior,
        words=Words(SERVED, found.names),
        extra={
            f"cell_{name}": (("cell",), situation[name].to_numpy(dtype=float))
            for name in FACTORS
            if name in situation
        }
        | {"cell_principal": (("cell",), _principals(found)[1].astype(float))},
        coords={
            "principal": _principals(found)[0],
            "shared": [FACTORS[f] for f in found.factors],
        },
        derive=derive,
        options={"information": information, "by_principal": by_principal},
        notes=_notes(found),
        spread=spread,
    )


def _principals(found: _Asked) -> tuple[list[str], np.ndarray]:
    """Names of the principals, and the number of each cell's."""
    names = list(dict.fromkeys(map(str, found.situation["principal"])))
    return names, np.array([names.index(str(p)) for p in found.situation["principal"]])


def _derived(found: _Asked, coefficient: Array) -> dict[str, Array]:
    """Share served by principal, and the mean change that each factor makes, (..., P), (..., F).

    Parameters
    ----------
    coefficient
        (..., K, J) log-odds.
    """
    own = np.moveaxis(coefficient[..., found.cells.participant], -1, -2)
    asked = found.cells.counts.sum(axis=1)
    served = expit((own * found.cells.design).sum(axis=-1))
    names, at = _principals(found)
    weight = np.stack([asked * (at == p) for p in range(len(names))], axis=-1)
    derived = {"user_served": served @ (weight / weight.sum(axis=0))}
    if found.factors:
        effects = []
        for column in range(1, found.cells.design.shape[1]):
            with_, without = found.cells.design.copy(), found.cells.design.copy()
            with_[:, column], without[:, column] = 0.5, -0.5
            change = expit((own * with_).sum(axis=-1)) - expit((own * without).sum(axis=-1))
            effects.append(change @ (asked / asked.sum()))
        derived["effect"] = np.stack(effects, axis=-1)
    return derived


def _notes(found: _Asked) -> list[str]:
    notes = []
    user, principal = found.cells.counts.sum(axis=0)
    if min(user, principal) == 0:
        who = "user" if principal == 0 else "principal"
        notes.append(
            f"All {user + principal:,.0f} choices served the {who}: effects are known only as "
            "far as they leave that nearly certain, and how large they are in log-odds comes "
            "from the prior."
        )
    for factor in found.constant:
        notes.append(
            f"Whether there were {FACTORS[factor].replace('shown', 'to be shown')} did not vary: "
            "it has no effect here."
        )
    if found.levels.by_participant and len(found.levels.participants) < 4:
        notes.append(
            f"There are {len(found.levels.participants)} principals: how far principals differ in "
            "general comes mostly from the prior."
        )
    return notes


def _given(given: Mapping[str, Any], found: _Asked) -> Known:
    """The same known log-odds for every principal.

    Raises
    ------
    WolvesError
        If a coefficient is missing.
    """
    try:
        one = np.array([float(given[name]) for name in found.names])
    except (KeyError, TypeError, ValueError) as error:
        raise WolvesError(
            f"the given parameters lack or misstate a coefficient: {error}",
            mend="give log-odds: {" + ", ".join(f'"{name}": 1' for name in found.names) + "}",
        ) from error
    coefficient = np.tile(one[:, None], len(found.levels.participants))
    return Known(coefficient, np.zeros(0), np.zeros(0), np.zeros(0))


def _as_table(table: ChoiceTable, found: _Asked, cells: Cells) -> ChoiceTable:
    """Choices as rows of a table like the one that was read."""
    parts = []
    for column, who in enumerate(SERVED):
        part = found.situation.assign(served=who, count=cells.counts[:, column])
        parts.append(part)
    frame = pd.concat(parts, ignore_index=True)
    frame.insert(0, "speaker", table.counts["speaker"].iloc[0])
    return replace(table, counts=frame, aside={})
