"""The polite speaker as a cognitive model: its options, alternatives and simulations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from many_wolves.contracts import Alternative, Array, CognitiveModel, Parameter, Problem
from many_wolves.families.politeness import simulate
from many_wolves.families.politeness.hierarchy import PoliteHierarchy
from many_wolves.families.politeness.problem import NAME, Priors, build
from many_wolves.families.politeness.recursion import CostForm
from many_wolves.records import ChoiceTable

FINE_NODES = 200
"""Nodes that show what the quadrature leaves out."""


class PoliteSpeaker:
    """Second-order pragmatic speaker of Yoon et al. (2020), all variants."""

    name: str = NAME
    tasks: tuple[str, ...] = ("politeness",)
    takes: tuple[str, ...] = (
        "literal",
        "utilities",
        "cost_form",
        "weights_form",
        "nodes",
        "position_bias",
    )
    parameters: tuple[Parameter, ...] = (
        Parameter("w_inf", "share", "Dirichlet(1, 1, 1)", "weight of being informative"),
        Parameter("w_soc", "share", "Dirichlet(1, 1, 1)", "weight of being kind"),
        Parameter("w_pres", "share", "Dirichlet(1, 1, 1)", "weight of how it wants to be seen"),
        Parameter("phi", "share", "U(0, 1)", "projected goal: 1 informative, 0 kind"),
        Parameter("alpha", "inverse utility", "U(0, 20)", "speaker optimality"),
        Parameter("cost", "nats", "U(1, 10)", "cost of a negation; other utterances cost 1"),
        Parameter("theta", "probability", "U(0, 1)", "that an utterance is true of a state"),
        Parameter(
            "place_bias", "log-odds", "normal(0, 1), sum zero", "pull of the place of an option"
        ),
    )

    def problem(self, table: ChoiceTable, **options: Any) -> Problem:
        """Stan data for one speaker.

        Parameters
        ----------
        table
            Choices of one speaker, with its literal judgments in ``aside``; those
            of people are taken where it has none.
        literal
            ``joint``, ``cut`` or ``fixed``.
        utilities
            Non-empty subset of inf, soc, pres; or ``("s1",)``.
        cost_form
            ``prior`` (reference implementation) or ``utility`` (equation of the paper).
        weights_form
            ``normalised`` over the utilities at hand, or ``three-way`` as published.
        nodes, priors
            Quadrature nodes and ``Priors``.
        position_bias
            Whether each place in the list of options has log-odds of its own.

        Raises
        ------
        WolvesError
            If the table cannot be fitted; the message says why and what to do.
        """
        return build(table, **options)

    def alternatives(self, **options: Any) -> Mapping[str, Alternative]:
        """Form of the cost, priors of phi and the weights, quadrature."""
        form: CostForm = "prior" if options.get("cost_form") == "utility" else "utility"
        where = "inside alpha * (...)" if form == "utility" else "beside alpha * utility"
        given = options.get("priors") or Priors()
        return {
            f"cost: {form}": Alternative({"cost_form": form}, f"the cost stands {where}"),
            "phi ~ Beta(2, 2)": Alternative(
                {"priors": replace(given, phi=(2.0, 2.0))}, "phi is likely in the middle"
            ),
            "phi ~ Beta(.5, .5)": Alternative(
                {"priors": replace(given, phi=(0.5, 0.5))}, "phi is likely at an end"
            ),
            "w ~ Dirichlet(2)": Alternative(
                {"priors": replace(given, weights=(2.0, 2.0, 2.0))}, "even weights are likely"
            ),
            "200 nodes": Alternative(
                {"nodes": FINE_NODES}, "the integral over phi has 200 quadrature nodes"
            ),
        }

    def variants(self) -> Mapping[str, Mapping[str, Any]]:
        """The seven subsets of utilities, the full model first, and the first-order speaker."""
        return simulate.variants()

    def simulate(
        self,
        table: ChoiceTable,
        rng: np.random.Generator,
        given: Mapping[str, Any] | None = None,
        **options: Any,
    ) -> tuple[Mapping[str, Any], ChoiceTable]:
        """True parameters, and a table of the same design answered with them."""
        problem = build(table, **options)
        known = (
            simulate.from_prior(problem, rng)
            if given is None
            else simulate.from_json(given, problem)
        )
        answered = simulate.simulate(table, known, rng, **options)
        return simulate.truth(build(answered, **options), known), answered

    def draws(self, tree: Any, names: Sequence[str]) -> Mapping[str, Array]:
        """Posterior draws (chains, draws, ...) of parameters named as ``simulate`` names them."""
        return simulate.draws(tree, names)


def models() -> Mapping[str, CognitiveModel]:
    """The family's cognitive models by name."""
    return {PoliteSpeaker.name: PoliteSpeaker(), PoliteHierarchy.name: PoliteHierarchy()}
