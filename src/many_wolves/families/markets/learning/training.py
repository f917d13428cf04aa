"""Training of one seat by proximal policy optimisation, in process."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from many_wolves.extras import needs
from many_wolves.families.markets.learning.policy import Layers, TrainedAgent
from many_wolves.families.markets.rules.parameters import Rules
from many_wolves.families.markets.simulation.play import Cast
from many_wolves.files import fingerprint, write_atomic

EXTRA = "exploiters"
MODEL, STATE = "model.zip", "training.json"
"""The model of stable-baselines3, and how far it has been trained."""
ENVIRONMENTS, STEPS_EACH = 8, 64
"""Sessions at once, and the decisions of each between two updates."""
_HIDDEN = (32, 32)
_LOG_NOISE = -2.0
"""Logarithm of the standard deviation of actions at the beginning; they are in [-1, 1]."""
_RATE = 1e-3
"""Learning rate at the beginning; it falls to 0."""
_FAR = 10_000_000
"""Seeds of sessions of two environments are so far apart; those of evaluations are below."""


@dataclass(frozen=True)
class Plan:
    """How a player is trained.

    Parameters
    ----------
    rules, cast, role, place
        The rules, who sits on the other seats, and the learner's seat.
    told
        The cast as its settings say it, for the record.
    steps
        Decisions of the learner.
    seed
        Of the learner, and of the sessions that it plays.
    """

    rules: Rules
    cast: Cast
    role: str
    place: int
    told: Mapping[str, Any]
    steps: int = 100_000
    seed: int = 1

    def about(self) -> dict[str, Any]:
        """The plan as a JSON object."""
        return {
            "algorithm": "PPO",
            "rules": self.rules.to_json(),
            "cast": dict(self.told),
            "role": self.role,
            "place": self.place,
            "steps": self.steps,
            "seed": self.seed,
        }


def train(plan: Plan, folder: Path, advance: Callable[[int, int], None]) -> TrainedAgent:
    """Train a seat, or go on with a training that was interrupted.

    Parameters
    ----------
    plan
        What is trained.
    folder
        Gets the model and its state after every update.
    advance
        Called with the number of decisions made, and of all.

    Raises
    ------
    WolvesError
        If the packages of the extra are missing.

    References
    ----------
    Schulman, J., Wolski, F., Dhariwal, P., Radford, A., & Klimov, O. (2017). Proximal policy
    optimization algorithms. arXiv:1707.06347.
    """
    with needs(EXTRA, "training"):
        import torch
        from stable_baselines3.common.vec_env import DummyVecEnv

        from many_wolves.families.markets.learning.environments import SeatEnv
        from many_wolves.families.markets.learning.progress import Keeper
    folder.mkdir(parents=True, exist_ok=True)
    done = _done(plan, folder)
    if not done:
        (folder / MODEL).unlink(missing_ok=True)
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:

        def make(number: int) -> Callable[[], SeatEnv]:
            first = _FAR * (number + 1 + ENVIRONMENTS * plan.seed) + done
            return lambda: SeatEnv(plan.rules, plan.cast, plan.role, first, plan.place)

        environments = DummyVecEnv([make(number) for number in range(ENVIRONMENTS)])
        model = _model(environments, plan, folder, done)
        if done < plan.steps:
            keeper = Keeper(folder / MODEL, lambda n: _keep(plan, folder, n), advance, plan.steps)
            model.learn(
                plan.steps - done, callback=keeper, reset_num_timesteps=not done, progress_bar=False
            )
    finally:
        torch.set_num_threads(threads)
    return TrainedAgent(plan.role, _layers(model), plan.about())


def _model(environments: Any, plan: Plan, folder: Path, done: int) -> Any:
    from stable_baselines3 import PPO

    if done:
        return PPO.load(folder / MODEL, env=environments, device="cpu")
    return PPO(
        "MlpPolicy",
        environments,
        n_steps=STEPS_EACH,
        batch_size=ENVIRONMENTS * STEPS_EACH // 2,
        n_epochs=8,
        gamma=1.0,
        gae_lambda=1.0,
        learning_rate=lambda left: _RATE * left,
        ent_coef=0.0,
        policy_kwargs={"net_arch": list(_HIDDEN), "log_std_init": _LOG_NOISE},
        seed=plan.seed,
        device="cpu",
    )


def _done(plan: Plan, folder: Path) -> int:
    """Decisions of an earlier training with the same plan."""
    try:
        state = json.loads((folder / STATE).read_text(encoding="utf-8"))
        same = state["plan"] == fingerprint(plan.about()) and (folder / MODEL).is_file()
        return int(state["steps"]) if same else 0
    except (OSError, ValueError, KeyError, TypeError):
        return 0


def _keep(plan: Plan, folder: Path, steps: int) -> None:
    state = {"plan": fingerprint(plan.about()), "steps": steps, "of": plan.steps}
    write_atomic(folder / STATE, json.dumps(state, indent=1) + "\n")


def _layers(model: Any) -> Layers:
    """The policy's network as NumPy arrays."""
    parts = [*model.policy.mlp_extractor.policy_net, model.policy.action_net]
    return tuple(
        (
            part.weight.detach().cpu().numpy().astype(np.float32),
            part.bias.detach().cpu().numpy().astype(np.float32),
        )
        for part in parts
        if hasattr(part, "weight")
    )
