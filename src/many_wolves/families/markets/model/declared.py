"""The model ``declared-value``: why land is declared at more or less than its value."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
from pydantic import Field

from many_wolves.contracts import ModelOptions, Outcome, Parameter, Problem, Variable
from many_wolves.families.markets.model.beliefs import fitted_rate
from many_wolves.families.markets.model.declared_data import (
    FINAL_POINTS,
    FIRST_POINTS,
    Array,
    Declarations,
    read_declarations,
    with_declarations,
)
from many_wolves.families.markets.model.declared_numpy import (
    declarer_of,
    draw,
    draw_declarer,
    log_likelihood,
)
from many_wolves.files import shipped
from many_wolves.observations import Observations

NAME = "declared-value"
PROGRAM = "market-model/stan_model/declared_value.stan"
SPREAD = 0.5
FEW_PARTICIPANTS = 3
"""With fewer participants, nothing is said of how they vary."""


class DeclaredOptions(ModelOptions):
    """Options of the model."""

    beliefs: Literal["estimated", "rational"] = Field(
        default="estimated",
        description="Whether the believed purchase rate is estimated, or the observed one.",
    )
    honesty: bool = Field(default=False, description="Whether deviations from the value cost.")
    first: bool = Field(default=True, description="Whether first declarations are fitted too.")
    spread: float = Field(default=SPREAD, gt=0, description="Prior mean of how participants vary.")


class DeclaredValue:
    """Logit choice of a declaration, given taxes, purchases and loss aversion."""

    name = NAME
    tasks = ("planning",)
    options = DeclaredOptions
    parameters = (
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

    def files(self) -> tuple[Path, ...]:
        """The program and its functions."""
        program = shipped(PROGRAM)
        return (program, program.with_suffix(".stanfunctions"))

    def variants(self) -> Mapping[str, Mapping[str, Any]]:
        """The full model, and what becomes of it with an assumption more or less."""
        return {
            "full": {},
            "rational beliefs": {"beliefs": "rational"},
            "honest": {"honesty": True},
            "final only": {"first": False},
        }

    def problem(self, observations: Observations, **options: Any) -> Problem:
        """Stan data for one speaker's declarations; see the class of options.

        Raises
        ------
        WolvesError
            If there is no declaration.
        """
        chosen = DeclaredOptions.read(options, of=f"the model {NAME!r}")
        data = read_declarations(observations, chosen.first)
        rational = chosen.beliefs == "rational"
        takeover, slope = fitted_rate(observations) if rational else (0.0, 0.0)
        n, participants = len(data.labels), len(data.participants)
        strategy = bool(data.pivots.any())
        varied = participants >= FEW_PARTICIPANTS
        stan = {
            **_arrays(data),
            "weight": np.ones(n),
            "has_beliefs": int(rational),
            "given_takeover": takeover,
            "given_slope": slope,
            "has_honesty": int(chosen.honesty),
            "has_strategy": int(strategy),
            "has_participants": int(varied),
            "spread": chosen.spread,
        }
        each = (("answer",), (n,))
        names = ["takeover", "slope", "loss", "precision"]
        names += ["strategic"] if strategy else []
        names += ["honesty"] if chosen.honesty else []
        variables = [Variable("posterior", name, name) for name in names]
        if varied:
            per = (("participant",), (participants,))
            variables += [
                Variable("posterior", "each_takeover", "each_takeover", *per),
                Variable("posterior", "each_precision", "each_precision", *per),
                Variable("posterior", "sd_participant", "sd_participant", ("varies",), (2,)),
            ]
        variables += [
            Variable("posterior", "predicted", "predicted", *each),
            Variable("posterior_predictive", "markup", "markup_rep", *each),
            Variable("log_likelihood", "markup", "log_lik", *each),
        ]
        # Programs of named parameters say their size themselves.
        return Problem(  # type: ignore[call-arg, unused-ignore]
            model=NAME,
            family="markets",
            speaker=str(observations.rows["speaker"].iloc[0]),
            program=shipped(PROGRAM),
            data=stan,
            coords={
                "answer": data.labels,
                "participant": data.participants,
                "varies": ("takeover", "log precision"),
            },
            variables=tuple(variables),
            observed={"markup": (("answer",), data.markups())},
            outcome=Outcome("markup", ("predicted",), kind="real"),
            options=chosen.model_dump(),
            notes=notes(data, strategy),
            tempered=lambda power: {"weight": np.full(n, power)},
            without=lambda part, _: {"weight": left_out(data.labels, part)},
        )

    def simulate(
        self,
        observations: Observations,
        rng: np.random.Generator,
        given: Mapping[str, Any] | None = None,
        **options: Any,
    ) -> tuple[Mapping[str, Any], Observations]:
        """Parameters from the prior (or given), and the same questions with answers from them."""
        chosen = DeclaredOptions.read(options, of=f"the model {NAME!r}")
        data = read_declarations(observations, chosen.first)
        strategy = bool(data.pivots.any())
        participants = len(data.participants)
        declarer = (
            draw_declarer(participants, rng, strategy, chosen.honesty, chosen.spread)
            if given is None
            else declarer_of(given)
        )
        if chosen.beliefs == "rational":
            takeover, slope = fitted_rate(observations)
            declarer = replace(declarer, takeover=takeover, slope=slope)
        drawn = draw(declarer, data, rng)
        truth = {"loss": declarer.loss, "precision": declarer.precision}
        if chosen.beliefs == "estimated":
            truth |= {"takeover": declarer.takeover, "slope": declarer.slope}
        truth |= {"strategic": declarer.strategic} if strategy else {}
        truth |= {"honesty": declarer.honesty} if chosen.honesty else {}
        truth["log_lik"] = float(log_likelihood(declarer, drawn).sum())
        return truth, with_declarations(observations, drawn)

    def draws(self, tree: Any, names: Sequence[str]) -> Mapping[str, Array]:
        """Posterior draws by the names of ``simulate``."""
        return posterior_draws(tree, names, "markup")


def posterior_draws(tree: Any, names: Sequence[str], outcome: str) -> dict[str, Array]:
    """Draws (chains, draws, ...) of named variables; ``log_lik`` is summed over the answers."""
    posterior = tree["posterior"].to_dataset()
    found = {name: posterior[name].to_numpy() for name in names if name != "log_lik"}
    if "log_lik" in names:
        each = tree["log_likelihood"].to_dataset()[outcome]
        rest = [dim for dim in each.dims if dim not in ("chain", "draw")]
        found["log_lik"] = each.sum(rest).to_numpy()
    return found


def notes(data: Declarations, strategy: bool) -> tuple[str, ...]:
    """What a reader must know before the numbers: what this design leaves open."""
    said = []
    if len(data.rates) < 3:
        rates = ", ".join(f"{rate:.3f}" for rate in data.rates)
        said.append(
            f"The final tax takes {len(data.rates)} effective rate{'s' * (len(data.rates) != 1)} "
            f"({rates}): beliefs about purchases and loss aversion are hardly told apart. "
            "Sessions with several tax rates would tell them apart."
        )
    if not strategy:
        said.append(
            "First declarations do not choose the condition here, or are left out: "
            "the strategic weight is not estimated."
        )
    if data.outside:
        said.append(
            f"{data.outside} declarations lie outside the grid (below .4 of the low end of the "
            "band, or above 1.3 of its high end) and are left out."
        )
    if len(data.participants) < FEW_PARTICIPANTS:
        said.append("With so few participants, they are taken to be alike.")
    return tuple(said)


def _arrays(data: Declarations) -> dict[str, Any]:
    """Stan data of the answers; indices count from 1."""
    first = len(data.first_who)
    return {
        "N": len(data.who),
        "F": first,
        "J": len(data.participants),
        "K": FINAL_POINTS,
        "L": FIRST_POINTS,
        "who": data.who + 1,
        "value": data.value,
        "low": data.low,
        "high": data.high,
        "tax": data.tax,
        "share": data.share,
        "chosen": data.chosen + 1,
        "first_who": data.first_who + 1,
        "first_value": data.first_value.reshape(first, 2),
        "first_low": data.first_low.reshape(first, 2),
        "first_high": data.first_high.reshape(first, 2),
        "first_tax": data.first_tax,
        "first_share": data.first_share,
        "first_chosen": data.first_chosen.reshape(first, 2) + 1,
        "pivots": data.pivots.astype(float),
        "lead": data.lead,
        "lead_sd": data.lead_sd,
    }


def left_out(labels: Sequence[str], part: Mapping[str, Any]) -> Array:
    """Weights that leave out the answer that ``part`` names."""
    return np.array([0.0 if label == part["answer"] else 1.0 for label in labels])
