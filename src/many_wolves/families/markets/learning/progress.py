"""Callbacks of a training: show progress, and save the model."""

from __future__ import annotations

from collections.abc import Callable
from io import BytesIO
from pathlib import Path

from stable_baselines3.common.callbacks import BaseCallback

from many_wolves.files import write_atomic


class Keeper(BaseCallback):  # type: ignore[misc]  # its types are skipped
    """Keeps the model after every update, so that an interrupted training goes on.

    Parameters
    ----------
    path
        File of the model.
    keep
        Called with the number of decisions once the model is written.
    advance
        Called with the number of decisions, and of all.
    steps
        All decisions.
    """

    def __init__(
        self,
        path: Path,
        keep: Callable[[int], None],
        advance: Callable[[int, int], None],
        steps: int,
    ) -> None:
        super().__init__()
        self._path, self._keep, self._advance, self._steps = path, keep, advance, steps

    def _on_step(self) -> bool:
        return True

    def _on_rollout_start(self) -> None:
        """Keep what the update before has made."""
        if self.num_timesteps:
            self._write()

    def _on_training_end(self) -> None:
        self._write()

    def _write(self) -> None:
        content = BytesIO()
        self.model.save(content)
        write_atomic(self._path, content.getvalue())
        self._keep(self.num_timesteps)
        self._advance(min(self.num_timesteps, self._steps), self._steps)
