"""What recover, calibrate and power share: simulate, fit, and go on where it stopped."""

from __future__ import annotations

import json
from collections.abc import Mapping
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import click
import numpy as np

from many_wolves.commands.counting import counting
from many_wolves.commands.executors import executing
from many_wolves.commands.modelling import simulated_model
from many_wolves.contracts import Array, SimulatedModel
from many_wolves.errors import WolvesError
from many_wolves.inference.evaluation.simulation_study import (
    Posterior,
    Simulated,
    Simulation,
    simulations,
)
from many_wolves.records import ChoiceTable

Contrast = tuple[str, int, int]
"""A parameter and two conditions: second minus first."""


@dataclass(frozen=True)
class Trials:
    """Simulates a table with known parameters and fits it; travels to worker processes.

    Parameters
    ----------
    table
        The design: how many answers there are in every condition and state.
    options
        Options of the model's ``problem``.
    given
        Parameters of every simulation; None draws them from the prior.
    engine, settings
        How each table is fitted; the seed of the settings is not used.
    contrast
        A difference between two conditions that is recorded beside the parameters.
    model
        The cognitive model; the family's first if not given.
    """

    table: ChoiceTable
    options: Mapping[str, Any]
    engine: str
    settings: Mapping[str, Any]
    given: Mapping[str, Any] | None = None
    contrast: Contrast | None = None
    model: str | None = None

    @property
    def simulated(self) -> SimulatedModel:
        """The cognitive model."""
        return simulated_model(self.table.family, self.model)

    def simulate(self, rng: np.random.Generator) -> Simulated:
        """One table with its truth."""
        model = self.simulated
        truth, table = model.simulate(self.table, rng, self.given, **self.options)
        names = tuple(truth)
        if self.contrast is not None:
            name, first, second = self.contrast
            values = np.asarray(truth[name])
            truth = {**truth, "difference": float(values[second] - values[first])}
        return Simulated(truth, (table, names))

    def fit(self, data: tuple[ChoiceTable, tuple[str, ...]], seed: int) -> Posterior:
        """Posterior of one simulated table."""
        from many_wolves import inference

        table, names = data
        model = self.simulated
        # What nobody would fit for its own sake belongs to the prior all the same.
        problem = replace(model.problem(table, **self.options), refused=None)
        program = inference.load(problem.program, self.engine)  # type: ignore[arg-type]
        settings = inference.Settings(**{**self.settings, "seed": seed})
        done = inference.fit_carefully(problem, program, model.parameters, settings)
        draws = dict(model.draws(done.tree, names))
        if self.contrast is not None:
            draws["difference"] = self._difference(draws)
        return Posterior(draws, done.diagnostics.divergences)

    def _difference(self, draws: Mapping[str, Array]) -> Array:
        assert self.contrast is not None
        name, first, second = self.contrast
        difference: Array = draws[name][..., second] - draws[name][..., first]
        return difference

    def described(self) -> dict[str, Any]:
        """All that a simulation depends on but its seed, for the head of its file."""
        from many_wolves.files import fingerprint
        from many_wolves.inference.engines.programs import program_text

        problem = self.simulated.problem(self.table, **self.options)
        axes, counts = problem.observed["counts"]
        labels = [list(map(str, problem.coords[axis])) for axis in axes]
        return {
            "model": problem.model,
            "design": [labels, np.asarray(counts).sum(axis=-1).tolist()],
            "options": {k: str(v) for k, v in self.options.items()},
            "settings": dict(self.settings),
            "given": self.given,
            "contrast": self.contrast,
            "program": fingerprint(program_text(problem.program)),
        }


def run_trials(
    trials: Trials, n: int, *, seed: int, path: Path, workers: int, label: str
) -> list[Simulation]:
    """Simulate and fit ``n`` times, with progress; what ``path`` holds is not run again."""
    from many_wolves import inference

    problem = trials.simulated.problem(trials.table, **trials.options)
    inference.load(problem.program, trials.engine, _say)  # type: ignore[arg-type]
    try:
        with executing(workers) as pool:
            return simulations(
                trials.simulate,
                trials.fit,
                n,
                seed=seed,
                path=path,
                settings=trials.described(),
                executor=pool,
                progress=counting(label),
            )
    except BrokenProcessPool as error:
        raise WolvesError(
            "a worker process was ended from outside; the simulations done so far are kept",
            where=path,
            mend="run the same command again to go on; with --workers 1 it needs less memory",
        ) from error


def read_given(path: Path | None) -> Mapping[str, Any] | None:
    """Parameters from a JSON file."""
    if path is None:
        return None
    try:
        given: Mapping[str, Any] = json.loads(path.read_text())
    except (OSError, ValueError) as error:
        raise WolvesError(
            f"expected parameters as JSON; {error}",
            where=path,
            mend='write {"alpha": ..., "cost": ..., "weights": {CONDITION: {"w_inf": ...}}}',
        ) from error
    return given


def _say(sentence: str) -> None:
    click.echo(f"  {sentence} ...", err=True)
