"""Simulated answers: recovery, calibration, power, predictions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from many_wolves.contracts import Observations
from many_wolves.notebook.inputs import observations_of, sampling_of
from many_wolves.notebook.signatures import with_options
from many_wolves.progress import one_line
from many_wolves.workflows.sampling import USUAL, EngineName, Sampling

if TYPE_CHECKING:
    import pandas as pd

    from many_wolves.workflows.power import Power
    from many_wolves.workflows.simulation import Calibrated, Recovery, Trials


@with_options()
def recover(
    choices: Observations | str | Path | pd.DataFrame,
    out: str | Path,
    *,
    n: int = 100,
    given: Mapping[str, Any] | None = None,
    model: str | None = None,
    variant: str | None = None,
    engine: EngineName = USUAL.engine,
    chains: int = USUAL.chains,
    warmup: int = USUAL.warmup,
    draws: int = USUAL.draws,
    adapt_delta: float = USUAL.adapt_delta,
    seed: int = USUAL.seed,
    workers: int = 1,
    progress: bool = True,
    **options: Any,
) -> Recovery:
    """Simulate answers with known parameters and fit them: bias, error, coverage, contraction.

    Parameters
    ----------
    choices
        Observations with the design to simulate, or any input of ``read_choices``.
    out
        Folder of the tables and the simulations; existing simulations are not repeated.
    n
        Number of simulations.
    given
        Parameters, as for a simulated speaker (default: drawn from the prior).
    model, variant, engine, chains, warmup, draws, adapt_delta, seed, progress, options
        As in ``fit``.
    workers
        Number of simulations at once.

    Raises
    ------
    WolvesError
        If the model has no simulator, or a worker process is killed.
    """
    from many_wolves.workflows.simulation import recover_parameters

    sampling = sampling_of(engine, chains, warmup, draws, adapt_delta, seed)
    trials = _trials(choices, model, variant, options, sampling, given)
    with one_line(progress):
        return recover_parameters(trials, n, Path(out), seed=seed, workers=workers)


@with_options()
def calibrate(
    choices: Observations | str | Path | pd.DataFrame,
    out: str | Path,
    *,
    n: int = 200,
    model: str | None = None,
    variant: str | None = None,
    engine: EngineName = USUAL.engine,
    chains: int = USUAL.chains,
    warmup: int = USUAL.warmup,
    draws: int = USUAL.draws,
    adapt_delta: float = USUAL.adapt_delta,
    seed: int = USUAL.seed,
    workers: int = 1,
    progress: bool = True,
    **options: Any,
) -> Calibrated:
    """Simulation-based calibration: do posterior intervals have their nominal coverage?

    Parameters
    ----------
    choices, out, n, model, variant, workers
        As in ``recover``.
    engine, chains, warmup, draws, adapt_delta, seed, progress, options
        As in ``fit``.

    Raises
    ------
    WolvesError
        If the model has no simulator, or uses cut inference.

    References
    ----------
    Talts, Betancourt, Simpson, Vehtari & Gelman (2018), Validating Bayesian inference
    algorithms with simulation-based calibration, arXiv:1804.06788.
    """
    from many_wolves.workflows.simulation import calibrate_model

    sampling = sampling_of(engine, chains, warmup, draws, adapt_delta, seed)
    trials = _trials(choices, model, variant, options, sampling, None)
    with one_line(progress):
        return calibrate_model(trials, n, Path(out), seed=seed, workers=workers)


@with_options()
def power(
    out: str | Path,
    *,
    parameter: str | None = None,
    difference: float = 0.1,
    items: Sequence[int] = (6, 24),
    replicates: Sequence[int] = (3, 12),
    n: int = 40,
    given: Mapping[str, Any] | None = None,
    model: str | None = None,
    seed: int = 1,
    workers: int = 1,
    progress: bool = True,
    **options: Any,
) -> Power:
    """How many items and answers are needed to detect a difference in a parameter?

    Parameters
    ----------
    out
        Folder of power.csv and the simulations; existing simulations are not repeated.
    parameter, difference
        The parameter that differs between two conditions, and the difference.
    items, replicates
        Sizes of the designs: items per cell, and answers per item.
    n
        Number of simulations per design.
    given
        Parameters of the first condition (default: the model's own).
    model
        Cognitive model (default: that of politeness).
    seed, workers, progress
        As in ``recover``.
    options
        Options of the cognitive model, such as ``literal="fixed"``.

    Raises
    ------
    WolvesError
        If the model has no such option, or does not allow such a difference.
    """
    from many_wolves.workflows.power import SHORT as SETTINGS
    from many_wolves.workflows.power import find_power

    with one_line(progress):
        return find_power(
            Path(out),
            parameter=parameter,
            difference=difference,
            items=items,
            replicates=replicates,
            n=n,
            given=given,
            model=model,
            options=options,
            sampling=SETTINGS.model_copy(update={"seed": seed}),
            workers=workers,
        )


def predict(parameters: Mapping[str, Any], model: str | None = None) -> Mapping[str, Any]:
    """The predictions of a model for given parameters, as nested lists.

    Parameters
    ----------
    parameters
        Parameters of the model; ``wolves predict --help`` lists those of politeness.
    model
        Cognitive model (default: that of politeness).

    Raises
    ------
    WolvesError
        If a parameter is missing or has the wrong shape.
    """
    from many_wolves.workflows.models import predicting_model

    return predicting_model(model).predict(parameters)


def _trials(
    choices: Any,
    model: str | None,
    variant: str | None,
    options: Mapping[str, Any],
    sampling: Sampling,
    given: Mapping[str, Any] | None,
) -> Trials:
    from many_wolves.workflows.simulation import trials_of

    return trials_of(
        observations_of(choices),
        model=model,
        variant=variant,
        options=options,
        sampling=sampling,
        given=given,
    )
