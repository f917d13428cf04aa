"""A toy family of somebody else's: what is this mug worth, in a number and in a letter?"""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path
from types import MappingProxyType

import pandas as pd
from pydantic import Field

from many_wolves.contracts import (
    Compiled,
    Design,
    FindingsSpec,
    Observations,
    Reading,
    Reference,
)
from many_wolves.options import Names
from many_wolves.records import Check, Message, Number, Text, Trial
from toy_prices.model import LinearPrice

TONES = ("plain", "kind")
QUALITIES = (1, 2, 3, 4, 5)
HIGHEST = 10
COLUMNS = ["speaker", "task", "tone", "quality", "price"]


class PriceDesign(Design):
    """Mugs of every quality, in some tones."""

    tones: Names = Field(default=TONES, description="Tones, with commas between.")
    copies: int = Field(default=1, ge=1, description="How often each mug is asked about.")


class Prices:
    """The family ``prices``."""

    name = "prices"
    tasks = MappingProxyType(
        {"price": "A price, as a number.", "letter": "A letter that names a price."}
    )

    def design(self, task):
        return PriceDesign

    def compile(self, task, design):
        trials = [
            _trial(task, tone, quality, copy)
            for copy in range(design.copies)
            for tone in design.tones
            for quality in QUALITIES
        ]
        return Compiled(trials, {"seed": design.seed}, ("tone", "quality"))

    def read(self, question, text):
        """The one sum of dollars that an answer names, be it a number or a letter."""
        if not text.strip():
            return Reading(None, "empty")
        named = [float(n) for n in re.findall(r"\d+(?:\.\d+)?", text)]
        if len(named) != 1 or not 0 <= named[0] <= HIGHEST:
            return Reading(None, "unparsed")
        return Reading(named[0], "answered")

    def tabulate(self, responses, *, scoring="sum"):
        newest = {response.key: response for response in responses}.values()
        rows = [
            (r.speaker.name, r.task, r.cell["tone"], r.cell["quality"], r.value)
            for r in newest
            if r.value is not None
        ]
        status: dict[str, Counter] = {}
        for response in newest:
            status.setdefault(response.speaker.name, Counter())[response.status] += 1
        speakers = {r.speaker.name: r.speaker.settings for r in newest}
        tasks = {r.task for r in newest}
        return Observations(
            "prices",
            {"prices": pd.DataFrame(rows, columns=COLUMNS)},
            main="prices",
            excluded=pd.DataFrame(columns=["speaker", "task", "status", "n", "example"]),
            checks=tuple(
                Check("readable", name, True, f"{name}: all prices were read", 0.0, 1.0)
                for name in speakers
            ),
            meta={
                "status": {name: dict(found) for name, found in status.items()},
                "speakers": speakers,
                "task": tasks.pop() if len(tasks) == 1 else "",
            },
        )

    def simulator(self, parameters):
        from toy_prices.model import Seller

        return Seller(parameters)

    def from_csv(self, path: Path, task, **foreign):
        found = self.from_frame(pd.read_csv(path, keep_default_na=False), task)
        return Observations(
            "prices", found.tables, "prices", meta={"task": task, "path": str(path)}
        )

    def from_frame(self, frame, task, **aside):
        return Observations("prices", {"prices": frame}, main="prices", meta={"task": task})

    def references(self):
        return {
            "buyers": Reference("buyers", "40 buyers (made up)", "price", _buyers, speaker="buyers")
        }

    def models(self):
        model = LinearPrice()
        return {model.name: model}

    def report(self):
        from toy_prices.report import PricesReport

        return PricesReport()

    def findings(self):
        return FindingsSpec(
            words={"level": "the mean price, as a share of the highest"},
            prior={"level": (0.5, (1 / 12) ** 0.5)},
            condition="tone",
            default=lambda tone: "" if tone == "plain" else "plain",
            reference="buyers",
            reference_words="40 buyers",
            reference_command="wolves fit --data buyers",
        )


def _trial(task, tone, quality, copy):
    what = {
        "price": "What is it worth, in dollars?",
        "letter": "Write a letter that names a price.",
    }
    text = f"A mug of quality {quality} of 5. Be {tone}. {what[task]} (Copy {copy}.)"
    return Trial(
        family="prices",
        task=task,
        cell={"tone": tone, "quality": quality},
        answer=Number(0, HIGHEST, "dollars") if task == "price" else Text(400),
        messages=(Message("user", text),),
    )


def _buyers():
    rows = [
        ("buyers", "price", tone, quality, quality + (tone == "kind") + bit)
        for tone in TONES
        for quality in QUALITIES
        for bit in (0.5, 1.0, 1.5, 2.0)
    ]
    return Observations("prices", {"prices": pd.DataFrame(rows, columns=COLUMNS)}, main="prices")
