"""Cognitive models of the social dilemmas: memory-one, strategies, social preferences, agents.

The classes are light: what builds and simulates is imported when it is needed.
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
from many_wolves.families.dilemmas.options import (
    FrequenciesOptions,
    MemoryOneOptions,
    PrincipalOptions,
    SocialOptions,
)
from many_wolves.files import shipped
from many_wolves.outcomes import draws_of

PROGRAMS = "game-model/stan_model"
_HERE = "many_wolves.families.dilemmas"


class _GameModel:
    """What all models of games do alike; ``module`` has ``build``, ``simulate``, ``VARIANTS``."""

    name: str
    module: str
    program: str
    tasks: tuple[str, ...]
    options: type[ModelOptions]
    parameters: tuple[Parameter, ...]

    def problem(self, observations: Observations, **options: Any) -> Problem:
        """Stan data for one speaker's answers.

        Parameters
        ----------
        observations
            Rounds, gifts, offers, replies or agents' choices of one speaker.
        options
            Fields of ``self.options``.

        Raises
        ------
        WolvesError
            If the observations cannot be fitted; the message says why and what to do.
        """
        part = _part(self.module)
        asked = self._asked(observations)
        problem: Problem = part.build(asked, **self._chosen(options))
        return problem

    def files(self) -> tuple[Path, ...]:
        """The folder of the Stan programs."""
        return (shipped(PROGRAMS),)

    def variants(self) -> Mapping[str, Mapping[str, Any]]:
        """Options by the name of the variant, the full model first."""
        variants: Mapping[str, Mapping[str, Any]] = _part(self.module).VARIANTS
        return variants

    def simulate(
        self,
        observations: Observations,
        rng: np.random.Generator,
        given: Mapping[str, Any] | None = None,
        **options: Any,
    ) -> tuple[Mapping[str, Any], Observations]:
        """As many answers in the same situations: games against the same moves of partners."""
        asked = self._asked(observations)
        found: tuple[Mapping[str, Any], Observations] = _part(self.module).simulate(
            asked, rng, given, **self._chosen(options)
        )
        return found

    def draws(self, tree: Any, names: Sequence[str]) -> Mapping[str, Array]:
        """Posterior draws (chains, draws, ...) of parameters named as ``simulate`` names them."""
        return draws_of(tree, names)

    def _chosen(self, options: Mapping[str, Any]) -> dict[str, Any]:
        return self.options.read(options, of=f"the model {self.name!r}").model_dump()

    def _asked(self, observations: Observations) -> Observations:
        """The rows that the model is about."""
        asked: Observations = _part("reading.tables").of_task(observations, self.tasks[0])
        return asked


class MemoryOne(_GameModel):
    """A player that remembers one round, with partially pooled log-odds.

    Every participant has log-odds of C after start, CC, CD, DC and DD (its own move
    first), and a change in the last round. Participants are pooled within groups.
    """

    name: str = "memory-one"
    module: str = "model.memory_one"
    program: str = "decisions"
    tasks: tuple[str, ...] = ("dilemma",)
    options: type[ModelOptions] = MemoryOneOptions
    parameters: tuple[Parameter, ...] = (
        Parameter("p_c", "probability", "see middle", "C after each context, mean of a group"),
        Parameter("cooperation", "share", "see middle", "of C in the situations that were met"),
        Parameter("opening", "probability", "see middle", "C in the first round"),
        Parameter("retaliation", "probability", "see middle", "D after the other defected on C"),
        Parameter("forgiveness", "probability", "see middle", "C after own D met the other's C"),
        Parameter("spite", "probability", "see middle", "D twice after the other defected once"),
        Parameter("endgame_drop", "share", "see middle", "less C in the last round"),
        Parameter("middle", "log-odds", "normal(0, 1.5); last round normal(0, 1)", "of all"),
        Parameter("sd_group", "log-odds", "exponential, mean 0.75 (0.5)", "spread of groups"),
        Parameter(
            "sd_participant", "log-odds", "exponential, mean 0.75 (0.5)", "spread within groups"
        ),
    )


class StrategyFrequencies(_GameModel):
    """A mixture of strategies with trembles, one mixture a group (Dal Bo & Frechette 2011)."""

    name: str = "strategy-frequencies"
    module: str = "model.frequencies"
    program: str = "strategies"
    tasks: tuple[str, ...] = ("dilemma",)
    options: type[ModelOptions] = FrequenciesOptions
    parameters: tuple[Parameter, ...] = (
        Parameter("frequency", "share of games", "Dirichlet(1, ..., 1)", "of a class"),
        Parameter("tremble", "probability", "U(0, 0.5)", "of a move that is not prescribed"),
    )


class SocialPreferences(_GameModel):
    """Utility of one's own and the other's payoff, with a softmax over the options.

    Preferences of participants (prompts) vary around those of their group; precision is
    one for all, unless ``vary_precision``. Proposers take responders to be like themselves.
    """

    name: str = "social-preferences"
    module: str = "model.social"
    program: str = "social"
    tasks: tuple[str, ...] = ("dictator", "ultimatum")
    options: type[ModelOptions] = SocialOptions
    parameters: tuple[Parameter, ...] = (
        Parameter("guilt", "utility per dollar", "U(0, 1) at the middle", "of being ahead"),
        Parameter("envy", "utility per dollar", "exponential, mean 0.8", "of being behind"),
        Parameter("rho", "utility per dollar", "U(-1, 1)", "weight of the other, when ahead"),
        Parameter("sigma", "utility per dollar", "U(-1, rho)", "weight of the other, when behind"),
        Parameter("weight_self", "share", "U(0, 1)", "weight of one's own payoff in CES"),
        Parameter("r", "exponent", "1 - exponential, median 0", "1: only the sum counts"),
        Parameter("precision", "per dollar", "lognormal(log 10 / stake, 1.5)", "of choice"),
        Parameter("given_share", "share of the stake", "follows", "mean gift or offer of a group"),
        Parameter("sd_group", "probit or log", "exponential, mean 0.5", "spread of groups"),
        Parameter("sd_participant", "probit or log", "exponential, mean 0.5", "within groups"),
    )

    def _asked(self, observations: Observations) -> Observations:
        """Gifts alone, or offers and replies with the gifts."""
        task = observations.task
        if task not in self.tasks:
            task = "ultimatum" if "replies" in observations.aside else "dictator"
        asked: Observations = _part("reading.tables").of_task(observations, task)
        return asked


class PrincipalAgent(_GameModel):
    """Log-odds that the user is served, by what is shared, principals partially pooled."""

    name: str = "principal-agent"
    module: str = "model.principal"
    program: str = "decisions"
    tasks: tuple[str, ...] = ("principal",)
    options: type[ModelOptions] = PrincipalOptions
    parameters: tuple[Parameter, ...] = (
        Parameter("user_served", "probability", "see middle", "of each principal, as it was asked"),
        Parameter("effect", "difference", "see middle", "of showing reasons, on that probability"),
        Parameter("middle", "log-odds", "normal(0, 1.5); effects normal(0, 1)", "of all"),
        Parameter("sd_participant", "log-odds", "exponential, mean half of that", "of principals"),
    )


def models() -> Mapping[str, CognitiveModel]:
    """The family's cognitive models by name; of each task, the first is the default."""
    listed: tuple[CognitiveModel, ...] = (
        MemoryOne(),
        StrategyFrequencies(),
        SocialPreferences(),
        PrincipalAgent(),
    )
    return {model.name: model for model in listed}


def _part(name: str) -> Any:
    return importlib.import_module(f"{_HERE}.{name}")
