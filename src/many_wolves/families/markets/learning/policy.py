"""A trained policy as a player: small networks in NumPy, so that playing needs no extra."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from many_wolves.errors import WolvesError
from many_wolves.families.markets.learning.encoding import Encoding
from many_wolves.families.markets.rules.actions import Action
from many_wolves.families.markets.rules.parameters import Rules
from many_wolves.families.markets.rules.view import View
from many_wolves.files import file_fingerprint

Layers = tuple[tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]], ...]
"""Weights (out, in) and biases (out,) of each layer; tanh between them."""


@dataclass(frozen=True)
class TrainedAgent:
    """Plays the mean action of a trained policy.

    Parameters
    ----------
    role
        The role it was trained for.
    layers
        Its network.
    about
        How it was trained: rules, cast, steps, seed, what it was held against.
    """

    role: str
    layers: Layers
    about: Mapping[str, Any]

    def act(self, rules: Rules, view: View, rng: np.random.Generator) -> Action:
        """The form that the policy fills in.

        Raises
        ------
        WolvesError
            If the seat has another role, or the rules another number of lots.
        """
        encoding = Encoding(rules, self.role)
        if rules.role(view.seat) != self.role:
            raise WolvesError(
                f"this player was trained as {self.role}, and sits as {rules.role(view.seat)}",
                mend=f"give it a seat of the role {self.role}",
            )
        x = encoding.observe(view)
        if len(x) != self.layers[0][0].shape[1]:
            raise WolvesError(
                "this player was trained under rules with another number of lots",
                mend="train it again",
            )
        for weight, bias in self.layers[:-1]:
            x = np.tanh(weight @ x + bias)
        weight, bias = self.layers[-1]
        return encoding.act(view, weight @ x + bias)


def save_policy(path: Path, agent: TrainedAgent) -> Path:
    """Write a player to an ``.npz`` file."""
    arrays: dict[str, Any] = {"about": np.array(json.dumps({**agent.about, "role": agent.role}))}
    for number, (weight, bias) in enumerate(agent.layers):
        arrays[f"weight_{number}"], arrays[f"bias_{number}"] = weight, bias
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as handle:
        np.savez(handle, **arrays)
    return path


def load_policy(path: Path) -> TrainedAgent:
    """Read a player that ``save_policy`` wrote.

    Raises
    ------
    WolvesError
        If the file is none.
    """
    if not path.exists():
        raise WolvesError(
            f"there is no trained player at {path}", mend="give the path of its policy.npz"
        )
    return _loaded(path, file_fingerprint(path))


@lru_cache(maxsize=16)
def _loaded(path: Path, fingerprint: str) -> TrainedAgent:
    try:
        with np.load(path, allow_pickle=False) as found:
            about = json.loads(str(found["about"]))
            count = sum(name.startswith("weight_") for name in found.files)
            layers = tuple((found[f"weight_{n}"], found[f"bias_{n}"]) for n in range(count))
    except (OSError, ValueError, KeyError) as error:
        raise WolvesError(f"no trained player: {error}", where=path) from error
    return TrainedAgent(about["role"], layers, about)
