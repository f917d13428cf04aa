"""What a family of experiments may offer beyond play: trained players, and a search for rules."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

from many_wolves.contracts import TaskFamily

if TYPE_CHECKING:
    pass


@dataclass(frozen=True)
class TrainingRequest:
    """Which player is to be trained.

    Parameters
    ----------
    role, place
        Its seat: which one of the role, from 0.
    cast
        Role -> parameters of the simulated players on its other seats, who sit in turn.
    design
        Values of the task's design, by name.
    steps
        Decisions of the learner.
    sessions
        Sessions of the evaluation.
    seed
        Of the learner and of its sessions.
    """

    role: str
    cast: Mapping[str, Sequence[Mapping[str, Any]]]
    design: Mapping[str, Any]
    place: int = 0
    steps: int = 100_000
    sessions: int = 200
    seed: int = 1


@runtime_checkable
class TrainingFamily(TaskFamily, Protocol):
    """A family whose simulated sessions can train a player."""

    def train_agent(
        self, request: TrainingRequest, out: Path, advance: Callable[[int, int], None]
    ) -> Mapping[str, Any]:
        """Train a player, or go on with an interrupted training; write it into a folder.

        Parameters
        ----------
        request
            What is trained.
        out
            Its folder, which is made.
        advance
            Called with the decisions made, and all of them.

        Returns
        -------
        Mapping
            ``sentences`` on what was learnt, and ``speaker``, the file that seats the player.

        Raises
        ------
        WolvesError
            If the request is at fault, or packages are missing.
        """
        ...


@runtime_checkable
class RuleSearchFamily(TaskFamily, Protocol):
    """A family that searches for the rules of its experiment."""

    def design_rules(
        self, file: Path, out: Path, advance: Callable[[str, int, int], None]
    ) -> Mapping[str, Any]:
        """Search for rules, or go on with a search, and write its tables into a folder.

        Parameters
        ----------
        file
            The search, in YAML.
        out
            Folder of the results, which is made.
        advance
            Called with what is done, how much of it, and of how much.

        Returns
        -------
        Mapping
            ``pareto`` is a table; ``search`` and ``objectives`` name its columns. ``rules`` maps a
            name to its mechanism and a file for ``wolves compile``. ``models`` maps a role to the
            file of a speaker, ``cast`` a role to the parameters of a simulated player. Also
            ``model_sessions`` and ``seed``.

        Raises
        ------
        WolvesError
            If the file is at fault, or packages are missing.
        """
        ...

    def played_estimates(self, payoffs: Any) -> Mapping[str, float]:
        """Objectives, with the bounds of their intervals, from a table of payoffs."""
        ...
