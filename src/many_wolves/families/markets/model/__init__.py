"""Cognitive models of declarations, purchases, orders and learning.

The classes here are light. Each model has a module that builds its problem and simulates, and
one of NumPy (``*_numpy``) with the equations. Nothing in the NumPy modules comes from the Stan
programs, so that each can check the other.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from many_wolves.contracts import (
    Array,
    CognitiveModel,
    ModelOptions,
    Observations,
    Parameter,
    Problem,
)
from many_wolves.families.markets.model.options import (
    DeclaredOptions,
    EwaOptions,
    PurchaseOptions,
    QuoteOptions,
)
from many_wolves.files import shipped
from many_wolves.outcomes import draws_of

PROGRAMS = "market-model/stan_model"
_HERE = "many_wolves.families.markets.model"


class _MarketModel:
    """What all models of markets do alike; ``module`` has ``build`` and ``simulate``."""

    name: str
    module: str
    outcome: str
    tasks: tuple[str, ...] = ("planning",)
    options: type[ModelOptions]
    parameters: tuple[Parameter, ...]
    named_variants: Mapping[str, Mapping[str, Any]]

    def problem(self, observations: Observations, **options: Any) -> Problem:
        """Stan data for one speaker's answers.

        Parameters
        ----------
        observations
            Tables of sessions; those of the model's answers are needed.
        options
            Fields of ``self.options``.

        Raises
        ------
        WolvesError
            If an option is not allowed, or there is no such answer.
        """
        problem: Problem = self._part().build(observations, self._chosen(options))
        return problem

    @property
    def program(self) -> str:
        """Name of the Stan program."""
        return self.name.replace("-", "_")

    def files(self) -> tuple[Path, ...]:
        """The folder of the Stan programs."""
        return (shipped(PROGRAMS),)

    def variants(self) -> Mapping[str, Mapping[str, Any]]:
        """Options by the name of the variant; the full model comes first."""
        return self.named_variants

    def simulate(
        self,
        observations: Observations,
        rng: np.random.Generator,
        given: Mapping[str, Any] | None = None,
        **options: Any,
    ) -> tuple[Mapping[str, Any], Observations]:
        """Parameters from the prior (or given), and the same questions with answers from them."""
        found: tuple[Mapping[str, Any], Observations] = self._part().simulate(
            observations, rng, given, self._chosen(options)
        )
        return found

    def draws(self, tree: Any, names: Sequence[str]) -> Mapping[str, Array]:
        """Posterior draws by the names of ``simulate``."""
        return draws_of(tree, names, self.outcome)

    def _chosen(self, options: Mapping[str, Any]) -> Any:
        return self.options.read(options, of=f"the model {self.name!r}")

    def _part(self) -> Any:
        return importlib.import_module(f"{_HERE}.{self.module}")


class DeclaredValue(_MarketModel):
    """Logit choice of a declaration, given taxes, purchases and loss aversion."""

    name: str = "declared-value"
    module: str = "declared"
    outcome: str = "markup"
    options: type[ModelOptions] = DeclaredOptions
    parameters: tuple[Parameter, ...] = (
        Parameter(
            "takeover", "log-odds", "normal(0, 1.5)", "believed purchase rate at the low end"
        ),
        Parameter("slope", "log-odds", "lognormal(0.7, 0.7)", "fall of that rate over the band"),
        Parameter("loss", "factor", "lognormal(0.3, 0.5)", "weight of losses by purchases"),
        Parameter(
            "precision",
            "per 10,000 points",
            "lognormal(0, 1)",
            "how surely the better declaration is chosen",
        ),
        Parameter(
            "strategic", "factor", "normal(0, 1)", "weight on deciding the condition; 1 is fully"
        ),
        Parameter("honesty", "10,000 points", "exponential(1)", "cost of a tenth of the value"),
    )
    named_variants: Mapping[str, Mapping[str, Any]] = {
        "full": {},
        "rational beliefs": {"beliefs": "rational"},
        "honest": {"honesty": True},
    }


class Purchases(_MarketModel):
    """Logit choice to buy a lot, by what its value is expected to be."""

    name: str = "purchases"
    module: str = "purchases"
    outcome: str = "counts"
    options: type[ModelOptions] = PurchaseOptions
    parameters: tuple[Parameter, ...] = (
        Parameter("base_rate", "share", "beta(2, 2)", "weight on the middle of the band"),
        Parameter("shading", "share", "normal(0, 0.2)", "believed shading of declarations"),
        Parameter("hurdle", "log-odds", "normal(0, 1)", "reluctance to buy"),
        Parameter(
            "precision", "per 10,000 points", "lognormal(0, 1)", "how surely gains are taken"
        ),
    )
    named_variants: Mapping[str, Mapping[str, Any]] = {
        "full": {},
        "no base rate": {"base_rate": False},
        "no shading": {"shading": False},
        "prices at face value": {"base_rate": False, "shading": False},
    }


class Quotes(_MarketModel):
    """Beliefs from two signals and the price; offers and acceptances around them."""

    name: str = "quotes"
    module: str = "quotes"
    outcome: str = "choice"
    options: type[ModelOptions] = QuoteOptions
    parameters: tuple[Parameter, ...] = (
        Parameter("private_weight", "share", "beta(2, 2)", "weight on the private signal"),
        Parameter("public_bias", "share", "normal(0, 0.1)", "correction of the public signal"),
        Parameter("anchor", "share", "normal(0, 0.5)", "pull of the median price; < 0 contrarian"),
        Parameter("inventory", "share", "half-normal(0.2)", "fall of the price with own shares"),
        Parameter("margin", "share", "half-normal(0.05)", "gain that an own offer asks"),
        Parameter("sigma", "log price", "lognormal(-3, 1)", "spread of own offers"),
        Parameter("precision", "per percent", "lognormal(-1, 1)", "how surely gains are taken"),
        Parameter("taste", "log-odds", "normal(0, 1.5)", "for bids, asks and taking over waiting"),
    )
    named_variants: Mapping[str, Mapping[str, Any]] = {
        "full": {},
        "no anchor": {"anchor": False},
        "no inventory": {"inventory": False},
        "signals only": {"anchor": False, "inventory": False},
    }


class Ewa(_MarketModel):
    """Experience-weighted attraction over bins of markup."""

    name: str = "ewa"
    module: str = "ewa"
    outcome: str = "chosen"
    options: type[ModelOptions] = EwaOptions
    parameters: tuple[Parameter, ...] = (
        Parameter("phi", "share", "beta(8, 2)", "how much of past attractions is kept"),
        Parameter("delta", "share", "beta(2, 2)", "weight on foregone payoffs"),
        Parameter("kappa", "share", "beta(1, 1)", "growth of experience: 0 averages, 1 sums"),
        Parameter(
            "lambda", "per 10,000 points", "lognormal(0, 1)", "how surely the best bin is chosen"
        ),
    )
    named_variants: Mapping[str, Mapping[str, Any]] = {
        "full": {},
        "sums": {"growth": "one"},
        "own payoffs only": {"foregone": False},
        "no memory": {"past": False},
    }


_MODELS: tuple[CognitiveModel, ...] = (Purchases(), Quotes(), Ewa(), DeclaredValue())
ALL: Mapping[str, CognitiveModel] = {model.name: model for model in _MODELS}
"""Every model by name; the first is the default."""
