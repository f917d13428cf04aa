"""A trained policy as a player: a small network in NumPy, so that playing needs no extra."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from io import BytesIO
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
import numpy.typing as npt

from many_wolves.errors import WolvesError
from many_wolves.families.markets.learning.encoding import Encoding
from many_wolves.families.markets.rules.actions import Action
from many_wolves.families.markets.rules.parameters import Rules
from many_wolves.families.markets.rules.view import View
from many_wolves.files import file_fingerprint, write_atomic

Layers = tuple[tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]], ...]
"""Weights (out, in) and biases (out,) of each layer; tanh between them."""
AGAIN = "wolves train-agent"


@dataclass(frozen=True, eq=False)
class TrainedAgent:
    """Plays the mean action of a trained policy.

    Parameters
    ----------
    role
        The role it was trained for.
    layers
        Its network.
    about
        How it was trained: rules, cast, steps, seed.
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
        role = rules.role(view.seat)
        if role != self.role:
            raise WolvesError(
                f"this player was trained as {self.role}, but has a seat of the role {role}",
                fix=f"--seat {self.role}=FILE.json",
            )
        encoding = Encoding(rules, self.role)
        sizes = (self.layers[0][0].shape[1], self.layers[-1][0].shape[0])
        if sizes != (encoding.observation_size, encoding.action_size):
            raise WolvesError(
                "this player was trained under rules with another number of lots, or of which only "
                "one has a market",
                fix=f"train one under these rules: {AGAIN} {self.role} --rules FILE.yaml",
            )
        x = encoding.observe(view)
        for weight, bias in self.layers[:-1]:
            x = np.tanh(weight @ x + bias)
        weight, bias = self.layers[-1]
        return encoding.act(view, weight @ x + bias)


def save_policy(path: Path, agent: TrainedAgent) -> Path:
    """Write a player to an ``.npz`` file."""
    arrays: dict[str, Any] = {"about": np.array(json.dumps({**agent.about, "role": agent.role}))}
    for number, (weight, bias) in enumerate(agent.layers):
        arrays[f"weight_{number}"], arrays[f"bias_{number}"] = weight, bias
    content = BytesIO()
    np.savez(content, **arrays)
    return write_atomic(path, content.getvalue())


def load_policy(path: Path, fingerprint: str = "") -> TrainedAgent:
    """Read a player that ``save_policy`` wrote.

    Parameters
    ----------
    path
        The file.
    fingerprint
        Of its bytes, as ``speaker.json`` has it; not checked if empty.

    Raises
    ------
    WolvesError
        If the file is missing, holds no player, or has another fingerprint.
    """
    if not path.is_file():
        raise WolvesError(
            f"expected a trained player, found no file {path}",
            fix="correct `policy`, the path of policy.npz",
        )
    found = file_fingerprint(path)
    if fingerprint and found != fingerprint:
        raise WolvesError(
            f"the trained player was changed: expected the fingerprint {fingerprint}, "
            f"found {found}",
            where=path,
            fix="take the `parameters` of the speaker.json next to it",
        )
    return _loaded(path, found)


@lru_cache(maxsize=16)
def _loaded(path: Path, fingerprint: str) -> TrainedAgent:
    try:
        with np.load(BytesIO(path.read_bytes()), allow_pickle=False) as found:
            about = json.loads(str(found["about"]))
            count = sum(name.startswith("weight_") for name in found.files)
            layers = tuple((found[f"weight_{n}"], found[f"bias_{n}"]) for n in range(count))
            return TrainedAgent(about["role"], layers, about)
    except (OSError, ValueError, KeyError, EOFError, BadZipFile) as error:
        raise WolvesError(f"expected a trained player: {error}", where=path, fix=AGAIN) from error
