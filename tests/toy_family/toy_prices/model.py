"""A level for each tone, a slope over quality, and noise."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from pydantic import Field
from scipy.stats import norm

from many_wolves.contracts import ModelOptions, Outcome, Parameter, Problem, Variable
from many_wolves.errors import WolvesError

HIGHEST = 10
HERE = Path(__file__).parent


class PriceOptions(ModelOptions):
    """Options of the model."""

    slope: bool = Field(default=True, description="Whether quality has a slope.")


class LinearPrice:
    """Prices are normal around a level and a slope."""

    name = "linear-price"
    tasks = ("price", "letter")
    options = PriceOptions
    parameters = (
        Parameter("level", "share", "U(0, 1)", "mean price of a mug of middle quality"),
        Parameter("slope", "share", "normal(0, 0.1)", "change with quality"),
        Parameter("sigma", "share", "lognormal(log 0.1, 0.5)", "noise"),
    )

    def problem(self, observations, **options):
        chosen = PriceOptions.read(options, of=f"the model {self.name!r}")
        tones, quality, tone, share = read(observations)
        n = len(share)
        each = (("answer",), (n,))
        variables = [
            Variable("posterior", "level", "level", ("condition",), (len(tones),)),
            Variable("posterior", "sigma", "sigma"),
            Variable("posterior", "expected", "expected", *each),
            Variable("posterior_predictive", "share", "share_rep", *each),
            Variable("log_likelihood", "share", "log_lik", *each),
        ]
        if chosen.slope:
            variables.append(Variable("posterior", "slope", "slope"))
        return Problem(
            model=self.name,
            family="prices",
            speaker=str(observations.rows["speaker"].iloc[0]),
            program=HERE / "prices.stan",
            data={
                "N": n,
                "C": len(tones),
                "condition": (tone + 1).tolist(),
                "quality": quality.tolist(),
                "share": share.tolist(),
                "has_slope": int(chosen.slope),
            },
            coords={"condition": tones, "answer": list(range(n))},
            variables=tuple(variables),
            observed={"share": (("answer",), share)},
            outcome=Outcome("share", ("expected",), kind="real"),
            options=chosen.model_dump(),
        )

    def files(self):
        return (HERE / "prices.stan",)

    def variants(self):
        return {"full": {}, "level": {"slope": False}}

    def simulate(self, observations, rng, given=None, **options):
        chosen = PriceOptions.read(options)
        tones, quality, tone, _ = read(observations)
        if given is None:
            level = rng.uniform(size=len(tones))
            slope = 0.1 * rng.normal() if chosen.slope else 0.0
            sigma = 0.1 * np.exp(0.5 * rng.normal())
        else:
            level = np.array([given["level"][name] for name in tones])
            slope, sigma = given["slope"], given["sigma"]
        mean = level[tone] + slope * quality
        share = rng.normal(mean, sigma)
        truth = {"level": level, "sigma": float(sigma)}
        truth |= {"slope": float(slope)} if chosen.slope else {}
        truth["log_lik"] = float(norm.logpdf(share, mean, sigma).sum())
        rows = observations.rows.assign(price=HIGHEST * share)
        return truth, observations.having(prices=rows)

    def draws(self, tree, names):
        posterior = tree["posterior"].to_dataset()
        found = {name: posterior[name].to_numpy() for name in names if name != "log_lik"}
        if "log_lik" in names:
            each = tree["log_likelihood"].to_dataset()["share"]
            found["log_lik"] = each.sum("answer").to_numpy()
        return found


def read(observations):
    """Names of the tones; quality (N,) around its middle, tone (N,) and share (N,) of answers."""
    rows = observations.rows
    if not len(rows):
        raise WolvesError("the table holds no prices", where=observations.where, fix="ask first")
    tones = list(dict.fromkeys(map(str, rows["tone"])))
    tone = np.array([tones.index(str(name)) for name in rows["tone"]])
    quality = rows["quality"].to_numpy(dtype=float) - 3
    return tones, quality, tone, rows["price"].to_numpy(dtype=float) / HIGHEST


class Seller:
    """A speaker with known parameters, which names a price in cents."""

    def __init__(self, given):
        self.given = given

    def answer(self, trial, rng):
        level = self.given["level"][trial.cell["tone"]]
        mean = level + self.given["slope"] * (trial.cell["quality"] - 3)
        share = rng.normal(mean, self.given["sigma"])
        return round(HIGHEST * float(np.clip(share, 0, 1)), 2)

    def text(self, trial, value):
        if trial.task == "price":
            return f"{value:.2f}"
        return f"Dear buyer,\nI was glad of your question. Take it for {value:.2f} dollars.\nYours"
