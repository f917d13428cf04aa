"""The model ``purchases``: which lots speculators buy.

References
----------
Edwards, W. (1968). Conservatism in human information processing. In B. Kleinmuntz (Ed.),
*Formal representation of human judgment* (pp. 17-52). Wiley.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from pydantic import Field
from scipy.special import log_expit

from many_wolves.contracts import ModelOptions, Outcome, Parameter, Problem, Variable
from many_wolves.errors import WolvesError
from many_wolves.families.markets.model.declared import FEW_PARTICIPANTS, posterior_draws
from many_wolves.files import shipped
from many_wolves.observations import Observations

Array = npt.NDArray[np.float64]

NAME = "purchases"
PROGRAM = "market-model/stan_model/purchases.stan"
POINTS = 10_000.0
COLUMNS = (
    "session", "round", "participant", "stage", "condition", "lot", "declared", "low", "high",
    "bought", "buyers", "speculators", "buyer_share", "given",
)  # fmt: skip


@dataclass(frozen=True)
class Purchases:
    """Decisions to buy, (N,) each.

    Parameters
    ----------
    participants
        Names of the participants, (J,).
    who, declared, middle, share
        Participant, declaration and middle of the band in points, the buyers' share of the gap.
    buyers
        Expected number of buyers with this one: the mean of the round before, else 1 more
        than half of the other speculators.
    bought
        Whether it was bought.
    rows, labels
        Place in the table, and a label.
    """

    participants: tuple[str, ...]
    who: npt.NDArray[np.int64]
    declared: Array
    middle: Array
    share: Array
    buyers: Array
    bought: Array
    rows: npt.NDArray[np.int64]
    labels: tuple[str, ...]


@dataclass(frozen=True)
class Buyer:
    """Parameters of one speaker; ``hurdle_each`` are deviations of participants, (J,)."""

    base_rate: float = 0.0
    shading: float = 0.0
    hurdle: float = 0.0
    precision: float = 1.0
    hurdle_each: Array | None = None


class PurchaseOptions(ModelOptions):
    """Options of the model."""

    base_rate: bool = Field(default=True, description="Whether the middle of the band has weight.")
    shading: bool = Field(default=True, description="Whether declarations are believed shaded.")
    spread: float = Field(default=0.5, gt=0, description="Prior mean of how participants vary.")


class PurchaseModel:
    """Logit choice to buy a lot, by what its value is expected to be."""

    name = NAME
    tasks = ("planning",)
    options = PurchaseOptions
    parameters = (
        Parameter("base_rate", "share", "beta(2, 2)", "weight on the middle of the band"),
        Parameter("shading", "share", "normal(0, 0.2)", "believed shading of declarations"),
        Parameter("hurdle", "log-odds", "normal(0, 1)", "reluctance to buy"),
        Parameter(
            "precision", "per 10,000 points", "lognormal(0, 1)", "how surely gains are taken"
        ),
    )

    def files(self) -> tuple[Path, ...]:
        """The program."""
        return (shipped(PROGRAM),)

    def variants(self) -> Mapping[str, Mapping[str, Any]]:
        """The full model, and simpler ones."""
        return {
            "full": {},
            "no base rate": {"base_rate": False},
            "no shading": {"shading": False},
            "prices at face value": {"base_rate": False, "shading": False},
        }

    def problem(self, observations: Observations, **options: Any) -> Problem:
        """Stan data for one speaker's purchases.

        Raises
        ------
        WolvesError
            If there is no decision to buy.
        """
        chosen = PurchaseOptions.read(options, of=f"the model {NAME!r}")
        data = read_purchases(observations)
        n, participants = len(data.labels), len(data.participants)
        varied = participants >= FEW_PARTICIPANTS
        counts = np.stack([1 - data.bought, data.bought], axis=-1)
        cells = (("answer", "option"), (n, 2))
        names = ["hurdle", "precision"]
        names += [name for name in ("base_rate", "shading") if getattr(chosen, name)]
        variables = [Variable("posterior", name, name) for name in names]
        if varied:
            variables.append(
                Variable("posterior", "sd_participant", "sd_participant", ("varies",), (1,))
            )
        variables += [
            Variable("posterior", "predicted", "predicted", *cells),
            Variable("posterior_predictive", "counts", "counts_rep", *cells),
            Variable("log_likelihood", "counts", "log_lik", *cells),
        ]

        def without(part: Mapping[str, Any], most: float) -> Mapping[str, Any]:
            left = counts.copy()
            column = ("left", "bought").index(part["option"]) if "option" in part else slice(None)
            at = (data.labels.index(part["answer"]), column)
            left[at] = np.maximum(left[at] - most, 0.0)
            return {"counts": left}

        # Programs of named parameters say their size themselves.
        return Problem(  # type: ignore[call-arg, unused-ignore]
            model=NAME,
            family="markets",
            speaker=_speaker(observations),
            program=shipped(PROGRAM),
            data={
                "N": n,
                "J": participants,
                "who": data.who + 1,
                "declared": data.declared,
                "middle": data.middle,
                "share": data.share,
                "buyers": data.buyers,
                "counts": counts,
                "total": np.ones(n, int),
                "has_base_rate": int(chosen.base_rate),
                "has_shading": int(chosen.shading),
                "has_participants": int(varied),
                "spread": chosen.spread,
            },
            coords={"answer": data.labels, "option": ("left", "bought"), "varies": ("hurdle",)},
            variables=tuple(variables),
            observed={"counts": (("answer", "option"), counts)},
            outcome=Outcome("counts", event="option"),
            options=chosen.model_dump(),
            notes=notes(data),
            tempered=lambda power: {"counts": power * counts},
            without=without,
        )

    def simulate(
        self,
        observations: Observations,
        rng: np.random.Generator,
        given: Mapping[str, Any] | None = None,
        **options: Any,
    ) -> tuple[Mapping[str, Any], Observations]:
        """Parameters from the prior (or given), and the same decisions taken with them.

        The numbers of buyers in the table stay those that the speaker could have seen.
        """
        chosen = PurchaseOptions.read(options, of=f"the model {NAME!r}")
        data = read_purchases(observations)
        buyer = draw_buyer(data, rng, chosen) if given is None else Buyer(**given)
        bought = rng.random(len(data.rows)) < np.exp(log_expit(logits(buyer, data)))
        frame = observations.tables["purchases"].copy()
        taken = frame["bought"].to_numpy(bool).copy()
        taken[data.rows] = bought
        truth: dict[str, Any] = {"hurdle": buyer.hurdle, "precision": buyer.precision}
        truth |= {"base_rate": buyer.base_rate} if chosen.base_rate else {}
        truth |= {"shading": buyer.shading} if chosen.shading else {}
        sign = np.where(bought, 1.0, -1.0)
        truth["log_lik"] = float(log_expit(sign * logits(buyer, data)).sum())
        return truth, observations.having(purchases=frame.assign(bought=taken))

    def draws(self, tree: Any, names: Sequence[str]) -> Mapping[str, Array]:
        """Posterior draws by the names of ``simulate``."""
        return posterior_draws(tree, names, "counts")


def logits(buyer: Buyer, data: Purchases) -> Array:
    """Log-odds of buying, (N,).

    ``precision g (E[v | d] - d) / k - hurdle`` with
    ``E[v | d] = (1 - w) d (1 + m) + w * middle``.
    """
    w, m = buyer.base_rate, buyer.shading
    expected = (1 - w) * (1 + m) * data.declared + w * data.middle
    gain = data.share * (expected - data.declared) / data.buyers / POINTS
    hurdle = buyer.hurdle + (0.0 if buyer.hurdle_each is None else buyer.hurdle_each[data.who])
    found: Array = buyer.precision * gain - hurdle
    return found


def draw_buyer(data: Purchases, rng: np.random.Generator, options: PurchaseOptions) -> Buyer:
    """Parameters from the prior."""
    participants = len(data.participants)
    varied = participants >= FEW_PARTICIPANTS
    sd = rng.exponential(options.spread) if varied else 0.0
    return Buyer(
        base_rate=rng.beta(2, 2) if options.base_rate else 0.0,
        shading=rng.normal(0, 0.2) if options.shading else 0.0,
        hurdle=rng.normal(),
        precision=float(np.exp(rng.normal())),
        hurdle_each=sd * rng.normal(size=participants) if varied else None,
    )


def read_purchases(observations: Observations) -> Purchases:
    """Decisions to buy that were given, of one speaker.

    Raises
    ------
    WolvesError
        If a column is missing, or there is no decision.
    """
    frame = observations.tables.get("purchases", pd.DataFrame())
    missing = sorted(set(COLUMNS) - set(frame.columns))
    if missing or not len(frame):
        raise WolvesError(
            f"the table of purchases lacks: {', '.join(missing) or 'any row'}",
            where=observations.where,
            fix="mechanisms without speculators have no purchases",
        )
    rows = frame.assign(row=np.arange(len(frame)), before=_mean_before(frame))
    rows = rows[rows["given"].astype(bool)]
    names = rows["session"].astype(str) + "/" + rows["participant"].astype(str)
    participants = tuple(dict.fromkeys(names))
    others = rows["speculators"].to_numpy(float) - 1
    buyers = np.where(rows["before"].isna(), 1 + 0.5 * others, np.maximum(rows["before"], 1.0))
    labels = (
        f"{who} | {number} | {stage} | {condition} | {lot}"
        for who, number, stage, condition, lot in zip(
            names, rows["round"], rows["stage"], rows["condition"], rows["lot"], strict=True
        )
    )
    return Purchases(
        participants=participants,
        who=np.asarray(names.map({name: n for n, name in enumerate(participants)}), np.int64),
        declared=rows["declared"].to_numpy(float),
        middle=((rows["low"] + rows["high"]) / 2).to_numpy(float),
        share=rows["buyer_share"].to_numpy(float),
        buyers=np.asarray(buyers, float),
        bought=rows["bought"].to_numpy(float),
        rows=np.asarray(rows["row"], np.int64),
        labels=tuple(labels),
    )


def notes(data: Purchases) -> tuple[str, ...]:
    """What this design leaves open."""
    share = data.bought.mean()
    said = []
    if np.ptp(data.declared / data.middle) < 0.2:
        said.append(
            "Declarations hardly vary around the middle of their bands: the weight on the base "
            "rate and the believed shading are not told apart."
        )
    if share in (0.0, 1.0):
        bought = "everything" if share else "nothing"
        said.append(f"This speaker bought {bought}: hurdle and precision rest on their priors.")
    return tuple(said)


def _mean_before(frame: pd.DataFrame) -> pd.Series:
    """Mean number of buyers of a bought lot in the same stage of the round before."""
    lots = frame.drop_duplicates(["session", "round", "stage", "condition", "lot"])
    bought = lots[lots["buyers"] > 0]
    mean = bought.groupby(["session", "stage", "round"])["buyers"].mean()
    keys = zip(frame["session"], frame["stage"], frame["round"] - 1, strict=True)
    return pd.Series([mean.get(key, np.nan) for key in keys], index=frame.index)


def _speaker(observations: Observations) -> str:
    return str(observations.tables["purchases"]["speaker"].iloc[0])
