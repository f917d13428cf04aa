"""Simulated answers on every seat: players, a critic, a moderator."""

from __future__ import annotations

import json
import random
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import numpy as np

from many_wolves.families.bargaining.moves import Move
from many_wolves.families.bargaining.reading.values import from_value, to_value
from many_wolves.families.bargaining.simulation import values, words
from many_wolves.families.bargaining.simulation.players import (
    Scene,
    check_parameters,
    choices_at,
    haggle,
    numbers_of,
)
from many_wolves.families.bargaining.task.material import Money, read_material
from many_wolves.outcomes import Array
from many_wolves.records import Cell, Trial, Value

ADVICE = (
    "1. Do not give way too early. 2. Give a reason for what you ask. 3. Stay calm and friendly."
)
REFUSAL = "As an AI language model, I cannot take part in this."
"""What a simulated player says that declines the task."""


class Simulated:
    """Answers of a simulated speaker on whatever seat it sits.

    Parameters
    ----------
    parameters
        See ``players``; for a critic ``{"critic": {"lines": [...]}}``, for a moderator
        ``{"moderator": {"error": .1}}``, both optional.

    Raises
    ------
    WolvesError
        If a parameter is unknown, or one is missing.
    """

    def __init__(self, parameters: Mapping[str, Any]) -> None:
        check_parameters(parameters)
        self._parameters = parameters

    def answer(self, trial: Trial, rng: np.random.Generator) -> Value:
        """A move, a verdict, or None for advice and for a refusal of the task."""
        kind = trial.cell.get("kind", "message")
        if kind == "critic":
            return None
        if kind == "moderator":
            return self._verdict(trial.cell, rng)
        if rng.random() < float(self._parameters.get("refuses", 0.0)):
            return None
        return to_value(haggle(self._parameters, trial.cell, rng))

    def text(self, trial: Trial, value: Value) -> str:
        """The words of an answer, in the form that was asked for."""
        kind = trial.cell.get("kind", "message")
        if trial.options:
            return next(option.text for option in trial.options if option.id == value)
        if kind == "critic":
            lines = self._parameters.get("critic", {}).get("lines", [ADVICE])
            return str(random.Random(trial.id).choice(list(lines)))
        if kind == "moderator":
            assert isinstance(value, Mapping)
            return json.dumps({"price": None, "closed_by": None} | dict(value))
        move = from_value(value)
        return REFUSAL if move is None else in_form(trial.cell, move, trial.id)

    def probabilities(self, trial: Trial) -> Array:
        """Probability of every option of a probe, or of every reply of ``haggle-words``."""
        group = str(trial.cell["group"])
        if trial.task == "haggle-words":
            return self._reply_probabilities(trial, group)
        scene = Scene.of(trial.cell)
        at = choices_at(scene, scene.share("standing"))
        assert at is not None
        p = numbers_of(self._parameters, "values", group)
        w = values.Weights(float(p["own"]), float(p["fair"]), float(p["deal"]))
        beliefs = values.Beliefs(
            float(p["precision"]), float(p["hope"]), float(p["sharpness"]), float(p["breakdown"])
        )
        found: Array = np.exp(values.log_probabilities(at, 0, w, beliefs))
        if scene.rule == "last":
            return found[:2]
        shown: Array = found[values.FIRST :] / found[values.FIRST :].sum()
        return shown

    def _reply_probabilities(self, trial: Trial, group: str) -> Array:
        p = numbers_of(self._parameters, "words", group)
        at = words.replies_of(trial.cell, [option.id for option in trial.options])
        weights = np.array([float(p[name]) for name in ("own", "deal", "kind")])
        found: Array = np.exp(words.log_probabilities(at, weights, float(p["precision"])))
        return found

    def _verdict(self, cell: Cell, rng: np.random.Generator) -> dict[str, Any]:
        """The verdict of the rules, with random errors."""
        state, price = str(cell["rules_state"]), cell["rules_price"]
        if rng.random() < float(self._parameters.get("moderator", {}).get("error", 0.0)):
            state = str(rng.choice([s for s in ("deal", "left", "open") if s != state]))
        found: dict[str, Any] = {"state": state}
        if state == "deal" and price != "":
            found["price"] = float(price)
        return found


def in_form(cell: Cell, move: Move, chance: str) -> str:
    """A move in one of several sentences, in the answer form of a question."""
    said = _sentence(cell, move, chance)
    if cell["form"] == "json":
        return json.dumps({"say": said, "move": move.kind, "price": move.price}, ensure_ascii=False)
    if cell["form"] == "marked":
        lines = {"accept": "Deal", "walk": "Walk away", "talk": "No offer"}
        price = "" if move.price is None else _money(cell).words(move.price)
        return f"{said}\n{lines.get(move.kind, f'Offer: {price}')}"
    return said


def _sentence(cell: Cell, move: Move, chance: str) -> str:
    scene = Scene.of(cell)
    own, standing = cell["own_before"], cell["standing"]
    holds = move.kind == "offer" and own != "" and move.price == float(own)
    price = move.price if move.price is not None else None if standing == "" else float(standing)
    material = _shipped()
    good = material.goods.goods.get(str(cell["good"]))
    lines = getattr(material.sentences.of(scene.role), "hold" if holds else move.kind)
    line = random.Random(chance).choice(list(lines))
    named = "" if price is None else _money(cell).words(price)
    names = {"the_item": "it", "The_item": "It"} if good is None else good.names
    return str(line.format(price=named, **names))


def _money(cell: Cell) -> Money:
    """How the prices of a cell are written, by the symbol and the decimal sign."""
    symbol, decimal = str(cell["currency"]), str(cell["decimal"])
    text = f"{symbol}{{amount}}" if symbol in "$£" else f"{{amount}} {symbol}"
    return Money(
        text=text, symbol=symbol, decimal=decimal, thousands="," if decimal == "." else "."
    )


@lru_cache(maxsize=1)
def _shipped() -> Any:
    return read_material()
