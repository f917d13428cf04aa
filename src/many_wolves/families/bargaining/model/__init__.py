"""The family's cognitive models; their parts are imported when they are asked for."""

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
from many_wolves.families.bargaining.model.options import (
    AspirationOptions,
    ConcessionOptions,
    OutcomesOptions,
    ValuesOptions,
    WordsOptions,
)
from many_wolves.files import shipped
from many_wolves.outcomes import draws_of

_HERE = "many_wolves.families.bargaining.model"
HAGGLE, WORDS = ("haggle",), ("haggle-words",)
_SPREAD = "exponential, mean 0.5 prior sds"


class _Model:
    """What the models have in common: a module that builds problems and simulates."""

    name: str
    tasks: tuple[str, ...] = HAGGLE
    options: type[ModelOptions]
    parameters: tuple[Parameter, ...]
    module: str
    named_variants: Mapping[str, Mapping[str, Any]]

    def problem(self, observations: Observations, **options: Any) -> Problem:
        """Stan data for one speaker's observations.

        Raises
        ------
        WolvesError
            If an option is not allowed, or the observations cannot be fitted.
        """
        chosen = self.options.read(options, of=f"the model {self.name!r}")
        problem: Problem = self._part().build(observations, **chosen.model_dump())
        return problem

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
        """True parameters, and the same situations with other moves in them."""
        chosen = self.options.read(options, of=f"the model {self.name!r}")
        found: tuple[Mapping[str, Any], Observations] = self._part().simulate(
            observations, rng, given, **chosen.model_dump()
        )
        return found

    def draws(self, tree: Any, names: Sequence[str]) -> Mapping[str, Array]:
        """Posterior draws (chains, draws, ...) of parameters named as ``simulate`` names them."""
        return draws_of(tree, names)

    @property
    def program(self) -> str:
        """Name of the Stan program."""
        return self.module

    def files(self) -> tuple[Path, ...]:
        """Folder of the Stan programs."""
        return (shipped("bargain-model/stan_model"),)

    def _part(self) -> Any:
        return importlib.import_module(f"{_HERE}.{self.module}")


class Concession(_Model):
    """What a speaker does next, without theory: kinds of moves and conceded fractions."""

    name: str = "concession"
    options: type[ModelOptions] = ConcessionOptions
    module: str = "concession"
    named_variants: Mapping[str, Mapping[str, Any]] = {
        "concession": {},
        "gap only": {"memory": "gap"},
        "intercepts": {"memory": "none"},
        "games alike": {"by_game": False},
    }
    parameters: tuple[Parameter, ...] = (
        Parameter("rate", "share", "see coefficient", "of each kind of move in the situations met"),
        Parameter("middle_fraction", "fraction", "logit normal(-0.2, 0.7)",
                  "of the gap that a concession gives up, median at the middle situation"),
        Parameter("coefficient", "log-odds", "intercepts normal(0, 1.5), slopes normal(0, 1), "
                  "arms normal(0, 0.5)", "of each kind against hold, and of the fraction's logit",
                  detail=True),
        Parameter("contrast", "log-odds", "see coefficient",
                  "effect of advice less that of the constant line"),
        Parameter("size_scale", "logits", "lognormal(-0.5, 0.4)", "scale of conceded fractions"),
        Parameter("sd_group", "prior sds", _SPREAD, "between groups"),
        Parameter("sd_participant", "prior sds", _SPREAD, "between role prompts within groups"),
        Parameter("sd_chain", "log-odds", "exponential, mean 0.5", "softness of chains"),
        Parameter("sd_game", "log-odds", "exponential, mean 0.5", "softness of games"),
    )  # fmt: skip


class Outcomes(_Model):
    """How games end: in which round, with a deal or not, and at which share."""

    name: str = "outcomes"
    options: type[ModelOptions] = OutcomesOptions
    module: str = "outcomes"
    named_variants: Mapping[str, Mapping[str, Any]] = {
        "outcomes": {},
        "partners alike": {"by_partner": False},
        "no advice": {"arms": False},
    }
    parameters: tuple[Parameter, ...] = (
        Parameter("deal_rate", "share", "see coefficient", "of games begun that end with a deal"),
        Parameter("share", "share of the pie", "see coefficient", "mean of a deal: its power"),
        Parameter("expected_share", "share of the pie", "see coefficient",
                  "deal rate times mean share: the expected result of a game"),
        Parameter("coefficient", "log-odds", "end normal(-1, 1), deal normal(1, 1.5), middle "
                  "normal(0, 0.5); slopes normal(0, 1)", "of an end, a deal, the share's logit",
                  detail=True),
        Parameter("round_slope", "log-odds", "normal(0, 1)", "of an end, per unit of log round"),
        Parameter("contrast", "log-odds", "see coefficient",
                  "effect of advice less that of the constant line"),
        Parameter("atom", "probability", "dirichlet(8, 1, 1, 1)",
                  "of shares at none of them, half, the other's and the own opening price"),
        Parameter("sd_partner", "prior sds", _SPREAD, "between partners"),
        Parameter("sd_group", "prior sds", _SPREAD, "between groups"),
        Parameter("sd_participant", "prior sds", _SPREAD, "between role prompts within groups"),
        Parameter("sd_chain", "logits", "exponential, mean 0.5", "of the share between chains"),
    )  # fmt: skip


class Aspiration(_Model):
    """An aspiration that falls with time from an opening to a bottom."""

    name: str = "aspiration"
    options: type[ModelOptions] = AspirationOptions
    module: str = "aspiration"
    named_variants: Mapping[str, Mapping[str, Any]] = {
        "aspiration": {},
        "no reciprocity": {"reciprocity": False},
        "games alike": {"by_game": False},
    }
    parameters: tuple[Parameter, ...] = (
        Parameter("opening", "share of the pie", "logit normal(2, 1)", "first demand"),
        Parameter("bottom", "share of the pie", "logit(bottom / opening) normal(-0.4, 1)",
                  "smallest share that is accepted in the end"),
        Parameter("exponent", "", "log normal(0, 0.8)",
                  "below 1 concedes late (Boulware), above 1 early (conceder)"),
        Parameter("reciprocity", "", "normal(0, 0.5)", "response to the other side's concessions"),
        Parameter("demand_spread", "share of the pie", "log normal(-2.5, 0.6)",
                  "of demands around the aspiration"),
        Parameter("precision", "per pie", "log normal(2.5, 0.7)", "of acceptance"),
        Parameter("walk", "log-odds", "normal(-4, 1.5)", "of leaving at the bottom"),
        Parameter("walk_slope", "per pie", "normal(4, 2)",
                  "of leaving, per share that the offer is below the bottom"),
        Parameter("slope", "prior sds", "role normal(0, 1), arms normal(0, 0.5)",
                  "effects on logit opening, logit bottom, log exponent", detail=True),
        Parameter("contrast", "logits", "see slope",
                  "effect of advice less that of the constant line"),
        Parameter("sd_group", "prior sds", _SPREAD, "between groups"),
        Parameter("sd_participant", "prior sds", _SPREAD, "between role prompts within groups"),
        Parameter("sd_chain", "logits", "exponential, mean 0.5", "of the bottom between chains"),
        Parameter("sd_game", "logits", "exponential, mean 0.5", "of the bottom between games"),
    )  # fmt: skip


class Values(_Model):
    """A speaker's values: own gain, an even split, agreement; the weights add up to one."""

    name: str = "values"
    options: type[ModelOptions] = ValuesOptions
    module: str = "values"
    named_variants: Mapping[str, Mapping[str, Any]] = {
        "values": {},
        "no fair": {"fair": "none"},
        "no deal": {"deal": False},
        "inequity": {"fair": "inequity"},
        "smooth": {"fair": "smooth"},
        "own gain": {"fair": "none", "deal": False},
    }
    parameters: tuple[Parameter, ...] = (
        Parameter("w", "weight", "softmax of normal(0, 1.2), normal(0, 1.2), 0",
                  "of own gain, an even split, agreement; they add up to one"),
        Parameter("pays_to_close", "share of the pie", "see w",
                  "w_deal / w_own: share given up to close a deal"),
        Parameter("precision", "per unit of utility", "log normal(2.5, 1)", "of choice"),
        Parameter("hope", "share of the pie", "normal(0.2, 0.25)",
                  "demand beyond the offer that is accepted with probability 1/2"),
        Parameter("sharpness", "per pie", "log normal(2, 0.7)", "of that belief"),
        Parameter("breakdown", "probability", "logit normal(-2, 1)",
                  "subjective, that a rejected demand ends the talk"),
        Parameter("slope", "log-ratios", "role normal(0, 1), arms normal(0, 0.5)",
                  "effects on the weights", detail=True),
        Parameter("contrast", "log-ratios", "see slope",
                  "effect of advice less that of the constant line"),
        Parameter("sd_group", "log-ratios", _SPREAD, "between groups"),
        Parameter("sd_participant", "log-ratios", _SPREAD, "between role prompts within groups"),
        Parameter("sd_chain", "prior sds", "exponential, mean 0.5", "of hope between chains"),
        Parameter("sd_game", "prior sds", "exponential, mean 0.5", "of hope between games"),
    )  # fmt: skip


class KindWords(_Model):
    """Kind words against gain: a choice among replies at several prices in several tones."""

    name: str = "kind-words"
    tasks: tuple[str, ...] = WORDS
    options: type[ModelOptions] = WordsOptions
    module: str = "words"
    named_variants: Mapping[str, Mapping[str, Any]] = {
        "kind-words": {},
        "no kindness": {"kind": False},
    }
    parameters: tuple[Parameter, ...] = (
        Parameter("w", "weight", "softmax of 0, normal(0, 1.2), normal(0, 1.2)",
                  "of own gain, taking the standing price, kind words; they add up to one"),
        Parameter("precision", "per unit of utility", "log normal(2.5, 1)", "of choice"),
        Parameter("slope", "log-ratios", "normal(0, 1)", "effect of the role", detail=True),
        Parameter("sd_group", "log-ratios", _SPREAD, "between groups"),
        Parameter("sd_participant", "log-ratios", _SPREAD, "between role prompts within groups"),
    )  # fmt: skip


def models() -> dict[str, CognitiveModel]:
    """The models by name; the first of a task is its default."""
    every = (Concession(), Outcomes(), Aspiration(), Values(), KindWords())
    return {model.name: model for model in every}
