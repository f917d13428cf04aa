"""Fits to simulated data with known parameters, one JSON line per simulation.

Recovery, calibration and power all read the same lines, so that one run serves all three. Every
simulation has its own random stream, set by seed and number. A run that was interrupted resumes and
ends with the same lines.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Executor, Future, as_completed
from dataclasses import asdict, dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from arviz_stats.base import array_stats

from many_wolves.contracts import Array
from many_wolves.errors import WolvesError
from many_wolves.files import fingerprint
from many_wolves.locks import hold_alone

SCHEMA = 1
LEVELS = (0.5, 0.8, 0.95)
"""Probabilities of the central intervals that are stored for every posterior."""

RANKS = 99
"""Draws among which a true value is ranked; a rank is one of 0..99."""


@dataclass(frozen=True)
class Simulated:
    """Data from known parameters.

    Parameters
    ----------
    truth
        True value of every quantity by name, scalars or arrays. ``log_lik`` is the log-likelihood
        of the data at the true parameters.
    data
        The data, in the form that ``fit`` takes.
    """

    truth: Mapping[str, npt.ArrayLike]
    data: Any


@dataclass(frozen=True)
class Posterior:
    """Draws of the quantities of a ``Simulated``.

    Parameters
    ----------
    draws
        By name, each (chains, draws, ...) with the shape of the truth at the end.
    divergences
        Divergent transitions.
    """

    draws: Mapping[str, Array]
    divergences: int = 0


Simulate = Callable[[np.random.Generator], Simulated]
Fit = Callable[[Any, int], Posterior]
"""Posterior of the data, with a seed for its sampler."""
Progress = Callable[[int, int], None]
"""Called with the number of simulations done and the total."""


@dataclass(frozen=True)
class Quantity:
    """One scalar of one simulation: its truth and its posterior summary.

    ``rank`` counts the thinned draws below the truth, ties broken at random;
    ``intervals`` are (lower, upper) of ``LEVELS`` in their order.
    """

    truth: float
    mean: float
    sd: float
    intervals: tuple[tuple[float, float], ...]
    rank: int
    ess: float
    r_hat: float


@dataclass(frozen=True)
class Simulation:
    """One line of the file: a simulation by number, or the error that its fit raised."""

    index: int
    quantities: Mapping[str, Quantity] = field(default_factory=dict)
    ranks: int = RANKS
    divergences: int = 0
    error: str = ""

    def to_json(self) -> dict[str, Any]:
        """The simulation as a JSON object."""
        return {"schema": SCHEMA} | asdict(self)

    @classmethod
    def from_json(cls, record: Mapping[str, Any]) -> Simulation:
        """Read back what ``to_json`` gave."""
        fields = {k: v for k, v in record.items() if k != "schema"}
        fields["quantities"] = {
            name: Quantity(**{**q, "intervals": tuple(tuple(i) for i in q["intervals"])})
            for name, q in fields["quantities"].items()
        }
        return cls(**fields)


def one_simulation(simulate: Simulate, fit: Fit, seed: int, index: int) -> Simulation:
    """Simulate, fit and summarise number ``index``; a failed fit is stored as its error."""
    stream = np.random.SeedSequence(seed, spawn_key=(index,))
    rng = np.random.default_rng(stream)
    simulated = simulate(rng)
    try:
        posterior = fit(simulated.data, int(rng.integers(1, 2**31 - 1)))
    except WolvesError as error:
        return Simulation(index, error=error.problem)
    quantities: dict[str, Quantity] = {}
    for name, value in simulated.truth.items():
        draws = np.asarray(posterior.draws[name], dtype=float)
        for label, truth, scalar in _scalars(name, np.asarray(value, dtype=float), draws):
            quantities[label] = _quantity(truth, scalar, rng)
    return Simulation(index, quantities, divergences=posterior.divergences)


def _scalars(name: str, truth: Array, draws: Array) -> Iterator[tuple[str, float, Array]]:
    """Every scalar of a quantity with its label: ``alpha``, ``weights[0,2]``."""
    if draws.shape[2:] != truth.shape:
        raise ValueError(f"{name}: truth has shape {truth.shape}, a draw has {draws.shape[2:]}")
    for place in np.ndindex(truth.shape):
        label = f"{name}[{','.join(map(str, place))}]" if place else name
        yield label, float(truth[place]), draws[(slice(None), slice(None), *place)]


def _quantity(truth: float, draws: Array, rng: np.random.Generator) -> Quantity:
    flat = draws.ravel()
    tails = [((1 - level) / 2, (1 + level) / 2) for level in LEVELS]
    bounds = np.quantile(flat, np.ravel(tails)).reshape(-1, 2)
    return Quantity(
        truth=truth,
        mean=float(flat.mean()),
        sd=float(flat.std(ddof=1)),
        intervals=tuple((float(low), float(high)) for low, high in bounds),
        rank=rank(truth, draws, rng),
        ess=float(array_stats.ess(draws, chain_axis=0, draw_axis=1, method="bulk")),
        r_hat=float(array_stats.rhat(draws, chain_axis=0, draw_axis=1)),
    )


def rank(truth: float, draws: Array, rng: np.random.Generator, ranks: int = RANKS) -> int:
    """Rank of the truth among ``ranks`` draws spread evenly over the chains.

    Ties are broken at random (Modrak et al. 2023, doi:10.1214/23-BA1404).

    Raises
    ------
    WolvesError
        If there are fewer draws than ranks.
    """
    flat = draws.ravel()
    if flat.size < ranks:
        raise WolvesError(
            f"expected at least {ranks} draws to rank among, found {flat.size}",
            fix="sample more draws",
        )
    thinned = flat[np.linspace(0, flat.size - 1, ranks).astype(int)]
    ties = int((thinned == truth).sum())
    return int((thinned < truth).sum()) + int(rng.integers(0, ties + 1))


def simulations(
    simulate: Simulate,
    fit: Fit,
    n: int,
    *,
    seed: int,
    path: str | Path,
    settings: Mapping[str, Any] | None = None,
    executor: Executor | None = None,
    progress: Progress | None = None,
) -> list[Simulation]:
    """Run the missing ones of ``n`` simulations, and return all of them.

    Parameters
    ----------
    simulate, fit
        The model's simulator and its fit. With an ``executor`` both are pickled.
    n
        Number of simulations.
    seed
        Seed of the whole run.
    path
        JSON lines file, with seed and settings in the first line. If it exists, it is checked and
        resumed.
    settings
        Settings of the fit, so that lines with other settings are not mixed in.
    executor
        Runs simulations in parallel: processes, or a cluster.
    progress
        Called after every simulation.

    Raises
    ------
    WolvesError
        If the file belongs to another seed or other settings, or has an invalid line; if
        another process writes to it.
    """
    target = Path(path)
    header = {"schema": SCHEMA, "seed": seed, "settings": fingerprint(dict(settings or {}))}
    target.parent.mkdir(parents=True, exist_ok=True)
    with target.open("a") as lines:
        hold_alone(
            lines,
            WolvesError(
                "another process is running these simulations",
                where=target,
                fix="wait for it to end, or stop it; finished simulations are kept",
            ),
        )
        done = {s.index: s for s in _resumed(target, header)}
        missing = [index for index in range(n) if index not in done]
        if target.stat().st_size == 0:
            lines.write(json.dumps(header) + "\n")
        for simulation in _run(simulate, fit, seed, missing, executor):
            lines.write(json.dumps(simulation.to_json()) + "\n")
            lines.flush()
            done[simulation.index] = simulation
            if progress is not None:
                progress(sum(index < n for index in done), n)
    return [done[index] for index in range(n)]


def _run(
    simulate: Simulate, fit: Fit, seed: int, missing: Sequence[int], executor: Executor | None
) -> Iterator[Simulation]:
    if executor is None:
        for index in missing:
            yield one_simulation(simulate, fit, seed, index)
        return
    # A few at a time, so that an interrupt does not wait long.
    numbers = iter(missing)
    waiting: set[Future[Simulation]] = {
        executor.submit(one_simulation, simulate, fit, seed, i) for i in islice(numbers, 8)
    }
    while waiting:
        future = next(as_completed(waiting))
        waiting.remove(future)
        for index in islice(numbers, 1):
            waiting.add(executor.submit(one_simulation, simulate, fit, seed, index))
        yield future.result()


def _resumed(path: Path, header: Mapping[str, Any]) -> list[Simulation]:
    """Simulations in the file; an incomplete last line is cut off."""
    if not path.exists() or path.stat().st_size == 0:
        return []
    text = path.read_text()
    if not text.endswith("\n"):
        text = text[: text.rfind("\n") + 1]
        path.write_text(text)
    found: list[Simulation] = []
    for number, line in enumerate(text.splitlines(), start=1):
        try:
            record = json.loads(line)
            if number > 1:
                found.append(Simulation.from_json(record))
        except (ValueError, KeyError, TypeError) as error:
            raise WolvesError(
                f"expected one simulation as JSON, found an invalid line: {error}",
                where=path,
                line=number,
                fix="delete that line; its simulation will be run again",
            ) from error
        if number == 1 and record != header:
            raise WolvesError(
                "the simulations in this file were run with another seed or other settings",
                where=path,
                line=1,
                fix="give another output folder, or the same seed and settings",
            )
    return found
