"""Optional features of a family of experiments: trained players, and a search for rules."""

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
    """The player to train.

    Parameters
    ----------
    role, place
        Role, and index of its seat within the role, from 0.
    cast
        Role -> parameters of the simulated players for its other seats, used in turn.
    design
        Values of the task's design, by name.
    steps
        Number of decisions of the learner.
    sessions
        Number of evaluation sessions.
    seed
        Seed of the learner and of its sessions.
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
        """Train a player, or resume an interrupted training, and write it into a folder.

        Parameters
        ----------
        request
            The player and the settings of the training.
        out
            Its folder, which is created.
        advance
            Called with the number of decisions made, and their total.

        Returns
        -------
        Mapping
            ``sentences`` about the trained player, and ``speaker``, its file for ``--seat``.

        Raises
        ------
        WolvesError
            If the request is invalid, or packages are missing.
        """
        ...


@runtime_checkable
class RuleSearchFamily(TaskFamily, Protocol):
    """A family that searches for the rules of its experiment."""

    def design_rules(
        self, file: Path, out: Path, advance: Callable[[str, int, int], None]
    ) -> Mapping[str, Any]:
        """Search for rules, or resume a search, and write its tables into a folder.

        Parameters
        ----------
        file
            The search, in YAML.
        out
            Folder of the results, which is created.
        advance
            Called with the name of the current part, its progress and its total.

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
            If the file is invalid, or packages are missing.
        """
        ...

    def played_estimates(self, payoffs: Any) -> Mapping[str, float]:
        """Objectives, with the bounds of their intervals, from a table of payoffs."""
        ...
