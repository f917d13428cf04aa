"""The polite speaker as a cognitive model: its options, alternatives and simulations."""

from __future__ import annotations

import importlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from many_wolves.cognitive import AnswerKind
from many_wolves.contracts import (
    Alternative,
    Array,
    CognitiveModel,
    ModelOptions,
    Observations,
    Parameter,
    Problem,
)
from many_wolves.families.politeness.options import PoliteOptions, PooledOptions
from many_wolves.files import shipped
from many_wolves.records import Question

_HERE = "many_wolves.families.politeness"
PROGRAMS = "rsa-model/stan_model"
FINE_NODES = 200
"""Number of nodes of the alternative that shows the error of the quadrature."""
POOLINGS = ("partial", "none", "complete")
"""Pooling methods, in the order of interest."""


def _part(name: str) -> Any:
    """A module of the family, imported on demand, because this module must load quickly."""
    return importlib.import_module(f"{_HERE}.{name}")


class PoliteSpeaker:
    """Second-order pragmatic speaker of Yoon et al. (2020), all variants."""

    name: str = "polite-speaker"
    program: str = "politeness"
    tasks: tuple[str, ...] = ("politeness",)
    options: type[ModelOptions] = PoliteOptions
    contrasts: tuple[str, ...] = ("w_inf", "w_soc", "w_pres", "phi")
    together: tuple[tuple[str, ...], ...] = (("w_inf", "w_soc", "w_pres"),)
    parameters: tuple[Parameter, ...] = (
        Parameter("w_inf", "share", "Dirichlet(1, 1, 1)", "weight of being informative"),
        Parameter("w_soc", "share", "Dirichlet(1, 1, 1)", "weight of being kind"),
        Parameter("w_pres", "share", "Dirichlet(1, 1, 1)", "weight of self-presentation"),
        Parameter("phi", "share", "U(0, 1)", "projected goal: 1 informative, 0 kind"),
        Parameter("alpha", "inverse utility", "U(0, 20)", "speaker optimality"),
        Parameter("cost", "nats", "U(1, 10)", "cost of a negation; other utterances cost 1"),
        Parameter("lapse", "share", "Beta(1, 9)", "answers by chance"),
        Parameter(
            "icc", "correlation", "U(0, 1)", "of two answers of one item (participant) in a cell"
        ),
        Parameter("item_sd", "log-odds", "exponential, mean 1", "spread of effects of items"),
        Parameter(
            "theta", "probability", "U(0, 1)", "that an utterance is true of a state", detail=True
        ),
        Parameter(
            "place_bias",
            "log-odds",
            "normal(0, 1), sum zero",
            "effect of the position of an option",
        ),
    )

    def problem(self, observations: Observations, **options: Any) -> Problem:
        """Stan data for one speaker.

        Parameters
        ----------
        observations
            Choices of one speaker, with its literal judgments; without these, those of
            people are used.
        options
            Fields of ``PoliteOptions``.

        Raises
        ------
        WolvesError
            If the table cannot be fitted; the message says why and what to do.
        """
        problem: Problem = _part("model.problem").build(observations, **options)
        return problem

    def alternatives(self, **options: Any) -> Mapping[str, Alternative]:
        """Form of the cost, priors of phi and the weights, quadrature."""
        chosen = PoliteOptions.read(options)
        form = "prior" if chosen.cost_form == "utility" else "utility"
        where = "inside alpha * (...)" if form == "utility" else "added to alpha * utility"

        def priors(**shapes: Any) -> dict[str, Any]:
            return {"priors": chosen.priors.model_copy(update=shapes)}

        return {
            f"cost: {form}": Alternative({"cost_form": form}, f"the cost is {where}"),
            "phi ~ Beta(2, 2)": Alternative(priors(phi=(2.0, 2.0)), "phi is likely in the middle"),
            "phi ~ Beta(.5, .5)": Alternative(priors(phi=(0.5, 0.5)), "phi is likely at an end"),
            "w ~ Dirichlet(2)": Alternative(
                priors(weights=(2.0, 2.0, 2.0)), "even weights are likely"
            ),
            "200 nodes": Alternative(
                {"nodes": FINE_NODES}, "the integral over phi has 200 quadrature nodes"
            ),
        }

    def files(self) -> tuple[Path, ...]:
        """The folder of the Stan programs."""
        return (shipped(PROGRAMS),)

    def variants(self) -> Mapping[str, Mapping[str, Any]]:
        """Seven subsets of utilities, the full model first; the first-order speaker; own meanings.

        The last one estimates literal meanings with the choices, whatever ``literal`` is.
        """
        variants: Mapping[str, Mapping[str, Any]] = _part("simulation.simulate").variants()
        return variants

    def simulate(
        self,
        observations: Observations,
        rng: np.random.Generator,
        given: Mapping[str, Any] | None = None,
        **options: Any,
    ) -> tuple[Mapping[str, Any], Observations]:
        """True parameters, and a table of the same design with simulated answers."""
        build, simulate = _part("model.problem").build, _part("simulation.simulate")
        problem = build(observations, **options)
        known = (
            simulate.from_prior(problem, rng)
            if given is None
            else simulate.from_json(given, problem)
        )
        answered = simulate.simulate(observations, known, rng, **options)
        return simulate.truth(build(answered, **options), known), answered

    def draws(self, tree: Any, names: Sequence[str]) -> Mapping[str, Array]:
        """Posterior draws (chains, draws, ...) of parameters, by the names of ``simulate``."""
        found: Mapping[str, Array] = _part("simulation.simulate").draws(tree, names)
        return found

    def planned(self, items: int, replicates: int) -> Observations:
        """A design of two conditions, with items and replicates for each human state."""
        design: Observations = _part("simulation.plan").design(items, replicates)
        return design

    def differing(
        self, parameter: str, difference: float, given: Mapping[str, Any] | None
    ) -> Mapping[str, Any]:
        """Parameters of both conditions; the other weights of the second are rescaled."""
        found: Mapping[str, Any] = _part("simulation.plan").differing(parameter, difference, given)
        return found

    def kinds(self, problem: Problem) -> Mapping[str, AnswerKind]:
        """Each condition and state; each utterance and state that is judged."""
        found: Mapping[str, AnswerKind] = _part("model.designer").kinds(problem)
        return found

    def kinds_of(self, problem: Problem, questions: Sequence[Question]) -> Sequence[str]:
        """Name of the kind of each question; see ``designer.kinds_of``."""
        found: Sequence[str] = _part("model.designer").kinds_of(problem, questions)
        return found

    def before(self, questions: Sequence[Question], **options: Any) -> Problem:
        """The problem of these questions without any answer."""
        problem: Problem = _part("model.designer").before(questions, **options)
        return problem

    def start(self, questions: Sequence[Question], **options: Any) -> Sequence[int]:
        """Two items for each goal and state, one of them twice; each judgment once."""
        found: Sequence[int] = _part("model.designer").start(questions, **options)
        return found

    def answered(self, observations: Observations, questions: Sequence[Question]) -> Sequence[int]:
        """Answers to each question among the observations."""
        found: Sequence[int] = _part("model.designer").answered(observations, questions)
        return found

    given = (
        "theta (utterance x state), alpha, cost, negated (per utterance), values (per state), "
        'phi_grid, and conditions. Conditions is a list of {"w_inf", "w_soc", "w_pres", "phi"}; '
        'cost_form ("prior" or "utility") is optional. The result contains prior, L0, S1, '
        "L1 and S2."
    )

    def predict(self, given: Mapping[str, Any]) -> Mapping[str, Any]:
        """Prior, L0, S1, L1 and S2 of the recursion as nested lists; see ``wolves predict``."""
        tables: Mapping[str, Any] = _part("simulation.predict").predict(given)
        return tables


class PoliteHierarchy:
    """Second-order pragmatic speakers whose parameters come from one population.

    Without pooling, every speaker has the priors of ``PoliteSpeaker``. With complete pooling, all
    speakers share their parameters. With partial pooling, the data determine how much speakers
    differ. theta is fixed at the means of the literal judgments.
    """

    name: str = "polite-hierarchy"
    program: str = "hierarchy"
    tasks: tuple[str, ...] = ("politeness",)
    options: type[ModelOptions] = PooledOptions
    poolings: tuple[str, ...] = POOLINGS
    parameters: tuple[Parameter, ...] = (
        Parameter("w_inf", "share", "Dirichlet(1, 1, 1) or population", "weight of informing"),
        Parameter("w_soc", "share", "Dirichlet(1, 1, 1) or population", "weight of kindness"),
        Parameter(
            "w_pres", "share", "Dirichlet(1, 1, 1) or population", "weight of self-presentation"
        ),
        Parameter("phi", "share", "U(0, 1) or population", "projected goal"),
        Parameter("alpha", "inverse utility", "U(0, 20) or population", "speaker optimality"),
        Parameter("cost", "nats", "U(1, 10) or population", "cost of a negation"),
        Parameter("w_inf_middle", "share", "Dirichlet(1, 1, 1)", "w_inf in its middle"),
        Parameter("w_soc_middle", "share", "Dirichlet(1, 1, 1)", "w_soc in its middle"),
        Parameter("w_pres_middle", "share", "Dirichlet(1, 1, 1)", "w_pres in its middle"),
        Parameter("phi_middle", "share", "U(0, 1)", "phi in its middle"),
        Parameter("sd_group", "probit", "exponential, mean 0.5", "spread of groups of speakers"),
        Parameter("sd_speaker", "probit", "exponential, mean 0.5", "spread of speakers"),
        Parameter("sd_cell", "probit", "exponential, mean 0.5", "spread of a speaker's conditions"),
    )

    def problem(self, observations: Observations, **options: Any) -> Problem:
        """Stan data for all speakers of a table; ``options`` are fields of ``PooledOptions``.

        Raises
        ------
        WolvesError
            If the table cannot be fitted; the message says why and what to do.
        """
        problem: Problem = _part("model.hierarchy").build_pooled(observations, **options)
        return problem

    def files(self) -> tuple[Path, ...]:
        """The folder of the Stan programs."""
        return (shipped(PROGRAMS),)


def models() -> Mapping[str, CognitiveModel]:
    """The family's cognitive models by name."""
    return {PoliteSpeaker.name: PoliteSpeaker(), PoliteHierarchy.name: PoliteHierarchy()}
