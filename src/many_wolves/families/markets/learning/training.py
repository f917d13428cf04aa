"""Training one seat against a cast, and whether what it learned counts as an exploiter."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from many_wolves.errors import WolvesError
from many_wolves.families.markets.learning.policy import TrainedAgent, save_policy
from many_wolves.families.markets.rules.parameters import Rules
from many_wolves.families.markets.simulation.exploitation import exploitation
from many_wolves.families.markets.simulation.play import Cast
from many_wolves.families.markets.simulation.replies import known_reply

ENOUGH = 0.95
"""Share of the known best reply's gain from which on a player is called an exploiter."""
HIDDEN = 32
ENVIRONMENTS = 8


@dataclass(frozen=True)
class TrainingPlan:
    """How a player is trained.

    Parameters
    ----------
    steps
        Decisions of the learner.
    seed
        Of everything.
    evaluation
        Sessions on which it is held against the known best reply; none was trained on.
    """

    steps: int = 100_000
    seed: int = 1
    evaluation: int = 200


@dataclass(frozen=True)
class Verdict:
    """What a trained player is.

    Parameters
    ----------
    gain
        Points a round beyond a truthful player, with a 95 % interval.
    best
        The same of the known best reply; None where none is known.
    share
        Gain over the best reply's gain; None where none is known.
    exploiter
        Whether the share reaches .95.
    loss
        Points a round that all others lose, with a 95 % interval.
    """

    gain: tuple[float, float, float]
    best: tuple[float, float, float] | None
    share: float | None
    exploiter: bool
    loss: tuple[float, float, float]

    def sentence(self, role: str) -> str:
        """The verdict in words."""
        gained = f"The trained {role} gains {self.gain[0]:,.0f} points a round"
        interval = f" [{self.gain[1]:,.0f}, {self.gain[2]:,.0f}]"
        against = " beyond a truthful one in the same seat"
        if self.share is None or self.best is None:
            return (
                f"{gained}{interval}{against}. Its best reply to this cast is not known, so it "
                "is not called an exploiter."
            )
        name = "It is an exploiter" if self.exploiter else "It is no exploiter"
        return (
            f"{gained}{interval}{against}, {100 * self.share:.0f} % of the known best reply's "
            f"{self.best[0]:,.0f}. {name} ({100 * ENOUGH:.0f} % are needed)."
        )


def train(
    rules: Rules,
    cast: Cast,
    role: str,
    plan: TrainingPlan,
    folder: Path,
    cast_names: Mapping[str, Any] | None = None,
    progress: Callable[[int], None] | None = None,
) -> tuple[TrainedAgent, Verdict]:
    """Train a seat by proximal policy optimisation, save it, and judge it.

    Parameters
    ----------
    rules, cast, role
        The rules, who sits on the other seats, and the learner's role.
    plan
        Steps, seed, sessions of the evaluation.
    folder
        Gets ``policy.npz`` (what plays), ``model.zip`` (of stable-baselines3) and
        ``verdict.json``.
    cast_names
        Names of the cast, for the record.
    progress
        Called with the number of steps done.

    Raises
    ------
    WolvesError
        If the extra ``rl`` is not installed.

    References
    ----------
    Schulman, J., Wolski, F., Dhariwal, P., Radford, A., & Klimov, O. (2017). Proximal policy
    optimization algorithms. arXiv:1707.06347.
    """
    try:
        import torch
        from stable_baselines3 import PPO
        from stable_baselines3.common.vec_env import DummyVecEnv
    except ImportError as error:
        raise WolvesError(
            f"training needs the extra `rl`: {error.name} is missing",
            mend="pip install 'many-wolves[rl]'",
        ) from error
    from many_wolves.families.markets.learning.environments import SeatEnv

    torch.set_num_threads(1)

    def make(number: int) -> Callable[[], SeatEnv]:
        # Seeds of sessions: far apart, and none of those that evaluation uses.
        return lambda: SeatEnv(rules, cast, role, seed=10_000_000 * (number + 1) + plan.seed)

    environments = DummyVecEnv([make(number) for number in range(ENVIRONMENTS)])
    model = PPO(
        "MlpPolicy",
        environments,
        n_steps=256,
        batch_size=256,
        n_epochs=8,
        gamma=1.0,
        gae_lambda=1.0,
        learning_rate=lambda left: 1e-3 * left,
        ent_coef=0.0,
        policy_kwargs={"net_arch": [HIDDEN, HIDDEN], "log_std_init": -0.5},
        seed=plan.seed,
        device="cpu",
    )
    model.learn(plan.steps, callback=_callback(progress))
    about = {
        "rules": rules.to_json(),
        "cast": dict(cast_names or {}),
        **asdict(plan),
        "algorithm": "PPO",
    }
    agent = TrainedAgent(role, _layers(model), about)
    folder.mkdir(parents=True, exist_ok=True)
    save_policy(folder / "policy.npz", agent)
    model.save(folder / "model.zip")
    verdict = judge(rules, cast, role, agent, plan.evaluation)
    record = {**asdict(verdict), "sentence": verdict.sentence(role), "about": about}
    (folder / "verdict.json").write_text(json.dumps(record, indent=1) + "\n")
    return agent, verdict


def judge(rules: Rules, cast: Cast, role: str, agent: TrainedAgent, sessions: int = 200) -> Verdict:
    """Hold a player against a truthful one, and against the best reply where it is known."""
    own = exploitation(rules, cast, agent, role, sessions)
    best = known_reply(rules, cast, role)
    if best is None:
        return Verdict(own.interval("gain"), None, None, False, own.interval("loss"))
    reference = exploitation(rules, cast, best, role, sessions)
    top = float(reference.gain.mean())
    share = float(own.gain.mean()) / top if top > 0 else float("nan")
    return Verdict(
        own.interval("gain"),
        reference.interval("gain"),
        share,
        bool(share >= ENOUGH),
        own.interval("loss"),
    )


def _layers(model: Any) -> Any:
    """The policy's network as NumPy arrays."""
    parts = [*model.policy.mlp_extractor.policy_net, model.policy.action_net]
    return tuple(
        (
            part.weight.detach().numpy().astype(np.float32),
            part.bias.detach().numpy().astype(np.float32),
        )
        for part in parts
        if hasattr(part, "weight")
    )


def _callback(progress: Callable[[int], None] | None) -> Any:
    from stable_baselines3.common.callbacks import BaseCallback

    class Report(BaseCallback):
        """Passes the number of steps on."""

        def _on_step(self) -> bool:
            if progress is not None:
                progress(self.num_timesteps)
            return True

    return Report()
