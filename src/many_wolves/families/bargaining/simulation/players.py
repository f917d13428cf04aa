"""Simulated players with known parameters: what each does in a game, by one of the models.

Parameters, as a simulated speaker takes them; haggling needs one of the first three::

    {"concession": {"opening": .9, "walk": -5, "back": -3, "split": -.5, "concede": 1,
                    "accept": -1, "size": -.4, "scale": .6, "gap": {"accept": -1},
                    "reciprocity": {"concede": .5}},
     "aspiration": {"opening": .95, "bottom": .4, "exponent": .6, "reciprocity": .1, "spread": .05,
                    "precision": 15, "walk": -5, "walk_slope": 4},
     "values": {"own": .54, "fair": .2, "deal": .26, "precision": 20, "hope": .2, "sharpness": 7,
                "breakdown": .1, "opening": .9},
     "words": {"own": .5, "deal": .2, "kind": .3, "precision": 12},
     "advice": {"ai": {"after": .3, "more": .1}},
     "refuses": .02,
     "groups": {"Fair": {"values": {...}}}}

``advice`` shifts a player after advice of that arm. It shifts the softness of ``concession``, the
logit of bottom over opening of ``aspiration``, and the log-weight of own gain of ``values``.
``refuses`` is the share of messages that decline the task.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from many_wolves.errors import WolvesError
from many_wolves.families.bargaining.moves import Move, Role, Terms
from many_wolves.families.bargaining.simulation import aspiration, concession, values
from many_wolves.families.bargaining.task.cells import terms_from_cell
from many_wolves.families.bargaining.task.partners import told_prices
from many_wolves.outcomes import Array
from many_wolves.records import Cell
from many_wolves.sources import nearest

HAGGLING = ("concession", "aspiration", "values")
_REQUIRED: Mapping[str, tuple[str, ...]] = {
    "concession": (),
    "aspiration": ("opening", "bottom", "exponent"),
    "values": ("own", "fair", "deal"),
    "words": ("own", "deal", "kind"),
}
_DEFAULTS: Mapping[str, Mapping[str, Any]] = {
    "concession": {
        "opening": 0.9, "walk": -6.0, "back": -4.0, "split": -0.5, "concede": 1.0, "accept": -1.0,
        "size": -0.4, "scale": 0.6, "gap": {}, "round": {}, "reciprocity": {},
    },
    "aspiration": {
        "reciprocity": 0.0, "spread": 0.05, "precision": 15.0, "walk": -6.0, "walk_slope": 4.0,
    },
    "values": {
        "precision": 20.0, "hope": 0.2, "sharpness": 7.0, "breakdown": 0.1, "opening": 0.9,
    },
    "words": {"precision": 12.0},
}  # fmt: skip
_BESIDE = ("advice", "refuses", "groups", "critic", "moderator")


@dataclass(frozen=True)
class Scene:
    """Where a simulated player stands: the cell of a question, in shares of the pie."""

    cell: Cell
    terms: Terms
    role: Role

    @classmethod
    def of(cls, cell: Cell) -> Scene:
        """The scene of a question."""
        role: Role = "seller" if cell["asked_role"] == "seller" else "buyer"
        return cls(cell, terms_from_cell(cell), role)

    def share(self, name: str) -> float | None:
        """The player's share at a price of the cell; None without one."""
        price = self.cell[name]
        return None if price == "" else self.terms.share(self.role, float(price))

    @property
    def step(self) -> float:
        """One step of the grid, as a share of the pie."""
        return self.terms.step / self.terms.pie

    @property
    def outside(self) -> float:
        """Payoff without a deal, as a share of the pie."""
        return self.terms.outside(self.role) / self.terms.pie

    @property
    def round(self) -> int:
        """Number of the player's message."""
        return int(self.cell["round"])

    @property
    def rule(self) -> str:
        """Kind of the partner's rule."""
        return str(json.loads(str(self.cell["rule"]))["kind"])

    def offer(self, share: float) -> Move:
        """An offer of the price nearest to a share."""
        return Move("offer", self.terms.on_grid(self.terms.price(self.role, share)))

    def advised(self, advice: Mapping[str, Any]) -> float:
        """Shift by the advice before this game."""
        given = advice.get(str(self.cell["arm"]))
        later = int(self.cell["game"]) - 1
        if given is None or later < 1:
            return 0.0
        return float(given.get("after", 0.0)) + (later - 1) * float(given.get("more", 0.0))


Plays = Callable[[Scene, Mapping[str, Any], float, np.random.Generator], Move]
"""The move of a player with numbers, and the shift by advice."""


def check_parameters(parameters: Mapping[str, Any]) -> None:
    """Refuse parameters that are unknown, or lack a number.

    Raises
    ------
    WolvesError
        With what is expected.
    """
    known = (*_REQUIRED, *_BESIDE)
    for found in (parameters, *parameters.get("groups", {}).values()):
        for name, numbers in found.items():
            if name not in known:
                raise WolvesError(
                    f"unknown parameters {name!r} of a simulated player", fix=nearest(name, known)
                )
            if name in _REQUIRED:
                _check_numbers(name, numbers)
    if sum(name in parameters for name in HAGGLING) > 1:
        raise WolvesError(
            f"expected one of {', '.join(HAGGLING)}, found several",
            fix="keep the model that the player follows",
        )


def _check_numbers(name: str, numbers: Mapping[str, Any]) -> None:
    needed, allowed = _REQUIRED[name], {*_REQUIRED[name], *_DEFAULTS[name]}
    missing = [n for n in needed if n not in numbers]
    unknown = [n for n in numbers if n not in allowed]
    if missing or unknown:
        raise WolvesError(
            f"parameters {name!r}: " + (f"{missing[0]!r} is missing" if missing else
                                        f"{unknown[0]!r} is unknown"),
            fix=f"give {', '.join(needed) or 'any'} of: {', '.join(sorted(allowed))}",
        )  # fmt: skip
    if {"own", "deal"} <= set(needed) and not math.isclose(
        sum(float(numbers[n]) for n in needed), 1.0, abs_tol=1e-6
    ):
        raise WolvesError(
            f"parameters {name!r}: expected weights that add up to 1, found "
            + ", ".join(f"{n} {numbers[n]}" for n in needed),
            fix="divide each by their sum",
        )


def numbers_of(parameters: Mapping[str, Any], name: str, group: str) -> dict[str, Any]:
    """The numbers of a model for a group, defaults filled in.

    Raises
    ------
    WolvesError
        If there are none.
    """
    own = parameters.get("groups", {}).get(group, {})
    numbers = own.get(name, parameters.get(name))
    if numbers is None:
        raise WolvesError(
            f"a simulated player needs the parameters {name!r}",
            fix=f'add "{name}": {{...}} to its parameters',
        )
    return {**_DEFAULTS[name], **numbers}


def haggle(parameters: Mapping[str, Any], cell: Cell, rng: np.random.Generator) -> Move:
    """The move of a player in a game."""
    group = str(cell["group"])
    own = parameters.get("groups", {}).get(group, {})
    name = next((n for n in HAGGLING if n in own or n in parameters), HAGGLING[0])
    scene = Scene.of(cell)
    shift = scene.advised(parameters.get("advice", {}))
    return _PLAYS[name](scene, numbers_of(parameters, name, group), shift, rng)


def _concede(scene: Scene, p: Mapping[str, Any], shift: float, rng: np.random.Generator) -> Move:
    """By ``concession``; its opening is given, since the model has none."""
    own, offered = scene.share("own_before"), scene.share("standing")
    if offered is None or scene.cell["bundle"] == "yes":
        return scene.offer(own if own is not None else float(p["opening"]))
    first = own is None
    own = max(1.0, float(p["opening"])) if own is None else own
    gap = own - offered
    if gap <= 1e-9:
        return Move("accept")
    odds = _odds(p, gap, scene)
    at = concession.Situations(np.array([gap]), np.array([scene.step]), np.zeros((1, 0)))
    known = concession.Parameters(odds[:, None], np.array([float(p["size"])]), float(p["scale"]))
    zero = np.zeros((1, 5))
    probability = np.exp(concession.kind_log_probability(at, known, zero, np.array([shift])))[0]
    if first:
        probability[[concession.KINDS.index(k) for k in ("back", "split", "concede")]] = 0
    kind = concession.KINDS[int(rng.choice(6, p=probability / probability.sum()))]
    if kind in ("walk", "accept"):
        return Move("walk" if kind == "walk" else "accept")
    if first:
        return scene.offer(float(p["opening"]))
    if kind == "concede":
        size = concession.draw_size(at, 0, float(p["size"]), float(p["scale"]), rng)
        return scene.offer(own - size * gap)
    return scene.offer({"hold": own, "back": own + scene.step, "split": own - gap / 2}[kind])


def _odds(p: Mapping[str, Any], gap: float, scene: Scene) -> Array:
    """Log-odds of each kind: intercepts, and slopes on the log gap, the round and reciprocity."""
    given = scene.cell.get("other_conceded", "")
    at = {
        "gap": math.log(gap) - math.log(0.3),
        "round": (scene.round - 3) / 3,
        "reciprocity": 0.0 if given == "" else (float(given) - 0.25) / 0.25,
    }
    return np.array([
        float(p[kind]) + sum(float(p[name].get(kind, 0.0)) * value for name, value in at.items())
        for kind in concession.FREE
    ])  # fmt: skip


def _aspire(scene: Scene, p: Mapping[str, Any], shift: float, rng: np.random.Generator) -> Move:
    """By ``aspiration``."""
    offered = None if scene.cell["bundle"] == "yes" else scene.share("standing")
    before = scene.share("standing_before")
    opening = float(p["opening"])
    ratio = float(p["bottom"]) / opening
    bottom = opening / (1 + math.exp(-(math.log(ratio / (1 - ratio)) + shift)))
    last = max(scene.terms.rounds - 1, 1)
    change = 0.0 if offered is None or before is None else offered - before
    at = aspiration.Messages(
        np.array([min(1.0, (scene.round - 1) / last)]),
        np.array([np.nan if offered is None else offered]),
        np.array([change]),
        np.array([scene.step]),
    )
    known = aspiration.Parameters(
        np.array([opening]), np.array([bottom]), np.array([float(p["exponent"])]),
        float(p["reciprocity"]), float(p["spread"]), float(p["precision"]),
        float(p["walk"]), float(p["walk_slope"]),
    )  # fmt: skip
    (action,), (demand,) = aspiration.draw(at, known, rng)
    if action == aspiration.OFFER:
        return scene.offer(float(demand))
    return Move("walk" if action == aspiration.WALK else "accept")


def _want(scene: Scene, p: Mapping[str, Any], shift: float, rng: np.random.Generator) -> Move:
    """By ``values``; the opening is given, since no belief is there yet."""
    offered = None if scene.cell["bundle"] == "yes" else scene.share("standing")
    at = choices_at(scene, offered)
    if at is None:
        own = scene.share("own_before")
        return scene.offer(own if own is not None else float(p["opening"]))
    raw = np.array(
        [float(p[n]) * math.exp(s) for n, s in (("own", shift), ("fair", 0), ("deal", 0))]
    )
    w = values.Weights(*(raw / raw.sum()))
    beliefs = values.Beliefs(
        float(p["precision"]), float(p["hope"]), float(p["sharpness"]), float(p["breakdown"])
    )
    (option,) = values.draw(at, [w], beliefs, np.zeros(1), rng)
    if option == values.ACCEPT:
        return Move("accept")
    if option == values.LEAVE:
        return Move("walk")
    return scene.offer(float(at.demands(0)[option - values.FIRST]))


def choices_at(scene: Scene, offered: float | None) -> values.Choices | None:
    """The options of a message by ``values``; None where nothing has been offered."""
    out, step = np.array([scene.outside]), np.array([scene.step])
    if scene.rule == "told":
        rule = scene.cell["rule"]
        demands, odds = told_menu(str(rule), scene.terms, scene.role)
        return values.Choices(["told"], np.array([np.nan]), step, out, {0: (demands, odds)})
    if offered is None:
        return None
    kind: values.Kind = "last" if scene.rule == "last" else "talk"
    return values.Choices([kind], np.array([offered]), step, out)


def told_menu(rule: str, terms: Terms, role: Role) -> tuple[Array, Array]:
    """Demands, as shares, and odds that a ``told`` partner names."""
    record = json.loads(rule)
    prices = told_prices(record, terms, role)
    return np.array([terms.share(role, price) for price in prices]), np.array(record["odds"])


_PLAYS: Mapping[str, Plays] = {"concession": _concede, "aspiration": _aspire, "values": _want}
