"""The fitted social preferences, and their predictions of gifts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import xlogy

from many_wolves.contracts import Array
from many_wolves.errors import WolvesError
from many_wolves.families.dilemmas.model.divisions import Divisions
from many_wolves.families.dilemmas.model.preferences import (
    FORMS,
    NAMES,
    Form,
    Preference,
    log_choice,
)
from many_wolves.families.dilemmas.options import SPREAD
from many_wolves.sources import nearest

FULL: Form = "fehr-schmidt"


@dataclass(frozen=True)
class Plan:
    """Which preferences, and which of their coordinates vary."""

    form: Form
    vary_precision: bool
    spread: float

    @classmethod
    def of(cls, form: str = FULL, vary_precision: bool = False, spread: float = SPREAD) -> Plan:
        """The plan; WolvesError where there is no such form."""
        if form not in FORMS:
            raise WolvesError(f"unknown form {form!r} of preferences", fix=nearest(form, FORMS))
        return cls(FORMS[FORMS.index(form)], vary_precision, spread)

    @property
    def preferences(self) -> tuple[str, ...]:
        """The parameters of the form other than precision."""
        return NAMES[self.form]

    @property
    def names(self) -> tuple[str, ...]:
        """Coordinates, precision last."""
        return (*self.preferences, "precision")

    @property
    def varying(self) -> int:
        """How many of them vary between groups and participants."""
        return len(self.preferences) + int(self.vary_precision)


def has_gifts(found: Divisions) -> bool:
    """Whether somebody gave or offered something: not all are replies."""
    return any(q.part != "replies" for q in found.questions)


def expected_share(found: Divisions, predicted: Array) -> Array:
    """(..., G) share of the stake that a group gives or offers, by probabilities (..., N, A)."""
    amounts = found.padded(lambda q: np.array(q.amounts) / q.stake * float(q.part != "replies"))
    asked = found.counts.sum(axis=1) * [q.part != "replies" for _, q, _ in found.cells()]
    of = np.array(found.levels.of_participants)[found.participant]
    weight = np.stack([asked * (of == g) for g in range(len(found.levels.groups))], axis=-1)
    total = weight.sum(axis=0)
    mean = (predicted * amounts).sum(axis=-1) @ (weight / np.where(total > 0, total, 1.0))
    return np.asarray(mean)


def shares_of(found: Divisions, each: Sequence[Preference]) -> Array:
    """(G,) share of the stake that each group gives or offers, by known preferences."""
    p = np.zeros(found.counts.shape)
    for row, (who, question, _) in zip(p, found.cells(), strict=True):
        own = np.exp(log_choice(each[who], question))
        row[: own.size] = own
    return expected_share(found, p)


def log_likelihood(found: Divisions, each: Sequence[Preference]) -> float:
    """Of the choices in their order: no multinomial coefficient."""
    return float(
        sum(
            xlogy(counts, np.exp(log_choice(each[who], question))).sum()
            for who, question, counts in found.cells()
        )
    )
