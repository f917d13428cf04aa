"""Simulate answers with known parameters and fit them: recovery, calibration, power."""

from __future__ import annotations

import json
from collections.abc import Mapping
from concurrent.futures.process import BrokenProcessPool
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from many_wolves import families
from many_wolves.contracts import Array, Observations, Problem, SimulatedModel
from many_wolves.errors import WolvesError
from many_wolves.files import fingerprint, write_atomic
from many_wolves.progress import bar, step
from many_wolves.workflows.executors import executing
from many_wolves.workflows.folders import make_ready
from many_wolves.workflows.models import options_of, simulated_model
from many_wolves.workflows.sampling import USUAL, Sampling

if TYPE_CHECKING:
    import pandas as pd

    from many_wolves.inference.evaluation.simulation_study import Posterior, Simulated, Simulation

Contrast = tuple[str, int, int]
"""A parameter and two conditions: second minus first."""


@dataclass(frozen=True)
class Trials:
    """Simulates observations with known parameters and fits them; can be sent to workers.

    Parameters
    ----------
    table
        The design: the number of answers in every condition and cell.
    options
        Options of the model's ``problem``.
    model
        Name of the cognitive model.
    sampling
        Sampling settings of each fit; their seed is not used.
    given
        Parameters of every simulation; drawn from the prior if None.
    contrast
        A difference between two conditions to record with the parameters.
    """

    table: Observations
    options: Mapping[str, Any]
    model: str
    sampling: Sampling = USUAL
    given: Mapping[str, Any] | None = None
    contrast: Contrast | None = None

    @property
    def simulated(self) -> SimulatedModel:
        """The cognitive model."""
        found = families.get(self.table.family).models()[self.model]
        assert isinstance(found, SimulatedModel)
        return found

    def problem(self, table: Observations) -> Problem:
        """The problem of a table, even if it has too little information to be fitted."""
        return replace(self.simulated.problem(table, **self.options), refused=None)

    def simulate(self, rng: np.random.Generator) -> Simulated:
        """One simulated table with its true parameters."""
        from many_wolves.inference.evaluation.simulation_study import Simulated

        truth, table = self.simulated.simulate(self.table, rng, self.given, **self.options)
        names = tuple(truth)
        if self.contrast is not None:
            name, first, second = self.contrast
            values = np.asarray(truth[name])
            truth = {**truth, "difference": float(values[second] - values[first])}
        return Simulated(truth, (table, names))

    def fit(self, data: tuple[Observations, tuple[str, ...]], seed: int) -> Posterior:
        """Posterior of one simulated table."""
        from many_wolves import inference
        from many_wolves.inference.evaluation.simulation_study import Posterior

        table, names = data
        problem = self.problem(table)
        program = inference.load(problem.program, self.sampling.engine)
        settings = replace(self.sampling.settings, seed=seed)
        done = inference.fit_with_retries(problem, program, self.simulated.parameters, settings)
        draws = dict(self.simulated.draws(done.tree, names))
        if self.contrast is not None:
            draws["difference"] = self._difference(draws)
        return Posterior(draws, done.diagnostics.divergences)

    def _difference(self, draws: Mapping[str, Array]) -> Array:
        assert self.contrast is not None
        name, first, second = self.contrast
        difference: Array = draws[name][..., second] - draws[name][..., first]
        return difference

    def described(self) -> dict[str, Any]:
        """Everything that a simulation depends on except its seed, for the head of its file."""
        from many_wolves.inference.engines.programs import program_text

        problem = self.simulated.problem(self.table, **self.options)
        return {
            "model": problem.model,
            "design": _design(problem),
            "options": {k: str(v) for k, v in self.options.items()},
            "settings": self.sampling.model_dump(exclude={"seed", "engine"}),
            "given": self.given,
            "contrast": self.contrast,
            "program": fingerprint(program_text(problem.program)),
        }


def _design(problem: Problem) -> list[Any]:
    """Labels of the observed axes, and how many answers each question has."""
    outcome = problem.outcome
    axes, values = problem.observed[outcome.observed]
    labels = [list(map(str, problem.coords[axis])) for axis in axes]
    seen = np.asarray(values, dtype=float)
    if outcome.kind != "counts" or outcome.event is None:
        return [labels, np.isfinite(seen).astype(int).tolist()]
    return [labels, seen.sum(axis=axes.index(outcome.event)).tolist()]


def trials_of(
    observations: Observations,
    *,
    model: str | None = None,
    variant: str | None = None,
    options: Mapping[str, Any] | None = None,
    sampling: Sampling | None = None,
    given: Mapping[str, Any] | None = None,
) -> Trials:
    """The trials with the design of some observations, and the settings of the fits."""
    found = simulated_model(observations, model)
    return Trials(
        table=observations,
        options=options_of(found, options or {}, variant),
        model=found.name,
        sampling=sampling or USUAL,
        given=given,
    )


def run_trials(
    trials: Trials, n: int, *, seed: int, path: Path, workers: int, label: str
) -> list[Simulation]:
    """Simulate and fit ``n`` times, with progress; simulations in ``path`` are not repeated.

    Raises
    ------
    WolvesError
        If a worker process is killed; the simulations done so far are kept.
    """
    from many_wolves import inference
    from many_wolves.inference.evaluation.simulation_study import simulations

    inference.load(trials.problem(trials.table).program, trials.sampling.engine, step)
    try:
        with bar(label) as advance, executing(workers) as pool:
            advance(0, n)
            return simulations(
                trials.simulate,
                trials.fit,
                n,
                seed=seed,
                path=path,
                settings=trials.described(),
                executor=pool,
                progress=advance,
            )
    except BrokenProcessPool as error:
        raise WolvesError(
            "a worker process was killed; the simulations done so far are kept",
            where=path,
            fix="run the same command again to resume; --workers 1 needs less memory",
        ) from error


@dataclass(frozen=True)
class Recovery:
    """How well known parameters are recovered.

    Parameters
    ----------
    table
        One row per parameter: bias, error, coverage, contraction, verdict.
    failed
        Errors of the fits that failed.
    folder
        Where recovery.csv, recovery_each.csv and the simulations are.
    simulations
        Number of simulations.
    """

    table: pd.DataFrame
    failed: tuple[str, ...]
    folder: Path
    simulations: int

    @property
    def ok(self) -> bool:
        """Whether intervals have their nominal coverage, and no fit failed."""
        return self._covered and not self.failed

    @property
    def _covered(self) -> bool:
        return bool((self.table["verdict"] == "as stated").all())

    def _repr_html_(self) -> str:
        have = "All intervals have" if self._covered else "Some intervals do not have"
        failed = f" {len(self.failed)} of {self.simulations} fits failed." if self.failed else ""
        table = self.table.round(3).to_html(index=False)
        return f"<p>{have} their nominal coverage.{failed}</p>{table}"


def recover_parameters(
    trials: Trials, n: int, out: Path, *, seed: int = 1, workers: int = 1
) -> Recovery:
    """Simulate with the design of some observations, fit, and compare with the truth."""
    from many_wolves.inference.evaluation.recovery import recovery

    done = _simulated(trials, n, out, seed, workers)
    prior = _prior_draws(trials, seed) if trials.given is not None else None
    table = recovery(done, prior=prior)
    write_atomic(out / "recovery.csv", table.to_csv(index=False))
    each = recovery(done, by="scalar", prior=prior)
    write_atomic(out / "recovery_each.csv", each.to_csv(index=False))
    return Recovery(table, tuple(s.error for s in done if s.error), out, len(done))


@dataclass(frozen=True)
class Calibrated:
    """The result of simulation-based calibration.

    Parameters
    ----------
    table
        One row per quantity: the test of its ranks.
    verdict, ok
        The conclusion from all tests.
    folder
        Where calibration.csv, the figure and the simulations are.
    """

    table: pd.DataFrame
    verdict: str
    ok: bool
    folder: Path

    def _repr_html_(self) -> str:
        return f"<p>{self.verdict}</p>{self.table.round(3).to_html(index=False)}"


def calibrate_model(
    trials: Trials, n: int, out: Path, *, seed: int = 1, workers: int = 1
) -> Calibrated:
    """Simulation-based calibration: ranks of true values among posterior draws.

    Raises
    ------
    WolvesError
        If the model uses cut inference, whose ranks are not uniform.
    """
    from many_wolves.figures.calibration import calibration as figure
    from many_wolves.figures.save import save
    from many_wolves.inference.evaluation.recovery import recovery
    from many_wolves.inference.evaluation.sbc import calibration

    if trials.problem(trials.table).impute is not None:
        raise WolvesError(
            "a cut posterior is not the posterior of a joint model, so its ranks are not uniform",
            fix="calibrate another treatment, such as --literal joint",
        )
    done = _simulated(trials, n, out, seed, workers)
    result = calibration(done)
    facts = {k: v for k, v in asdict(result).items() if k != "tests"} | trials.described()
    table = result.table()
    write_atomic(out / "calibration.csv", table.to_csv(index=False))
    write_atomic(out / "recovery.csv", recovery(done).to_csv(index=False))
    write_atomic(out / "calibration.json", json.dumps(facts, indent=2) + "\n")
    details = {p.name for p in trials.simulated.parameters if p.detail}
    names = {t.name: t.name for t in result.tests if t.name.partition("[")[0] not in details}
    save(figure(result, names), out)
    return Calibrated(table, result.verdict, result.ok, out)


def _simulated(trials: Trials, n: int, out: Path, seed: int, workers: int) -> list[Simulation]:
    make_ready(out)
    return run_trials(
        trials,
        n,
        seed=seed,
        path=out / "simulations.jsonl",
        workers=workers,
        label="simulations",
    )


def _prior_draws(trials: Trials, seed: int, n: int = 500) -> dict[str, Any]:
    """Prior draws by scalar name, for the contraction of recovered parameters."""
    rng = np.random.default_rng(seed)
    from_prior = replace(trials, given=None)
    truths = [from_prior.simulate(rng).truth for _ in range(n)]
    found: dict[str, Any] = {}
    for name, first in truths[0].items():
        for place in np.ndindex(np.shape(first)):
            label = f"{name}[{','.join(map(str, place))}]" if place else name
            found[label] = np.array([np.asarray(t[name])[place] for t in truths])
    return found
