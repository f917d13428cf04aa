"""Comparisons: variants of a model, pooling methods, assumptions, influence."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from many_wolves.contracts import Observations
from many_wolves.notebook.inputs import DEFAULT, observations_of, sampling_of
from many_wolves.notebook.signatures import with_options
from many_wolves.progress import one_line
from many_wolves.workflows.compare import Comparison, Unit
from many_wolves.workflows.influence import Influence
from many_wolves.workflows.pool import Pooling
from many_wolves.workflows.sampling import POOLED, EngineName
from many_wolves.workflows.sensitivity import Sensitivity

if TYPE_CHECKING:
    import pandas as pd


@with_options()
def compare(
    choices: Observations | str | Path | pd.DataFrame,
    out: str | Path,
    *,
    variants: Sequence[str] = (),
    model: str | None = None,
    unit: Unit = "choice",
    engine: EngineName = DEFAULT.engine,
    chains: int = DEFAULT.chains,
    warmup: int = DEFAULT.warmup,
    draws: int = DEFAULT.draws,
    adapt_delta: float = DEFAULT.adapt_delta,
    seed: int = DEFAULT.seed,
    progress: bool = True,
    **options: Any,
) -> Comparison:
    """Compare variants of a model by marginal likelihood and leave-one-out accuracy.

    Parameters
    ----------
    choices
        Observations of one speaker, or what ``read_choices`` takes.
    out
        Folder of comparison.csv, the figure and the fits; finished variants are kept.
    variants
        Names of variants to compare with the full model; all if empty.
    unit
        Unit that leave-one-out leaves out: ``choice``, ``cell``, ``row`` or ``cluster``.
    model, engine, chains, warmup, draws, adapt_delta, seed, progress, options
        As in ``fit``.

    Raises
    ------
    WolvesError
        If a variant is unknown, or the observations cannot be fitted.
    """
    from many_wolves.workflows.compare import compare_variants

    with one_line(progress):
        return compare_variants(
            observations_of(choices),
            Path(out),
            variants=variants,
            model=model,
            options=options,
            unit=unit,
            sampling=sampling_of(engine, chains, warmup, draws, adapt_delta, seed),
        )


@with_options(pooled=True)
def pool(
    choices: Observations | str | Path | Sequence[str | Path],
    out: str | Path,
    *,
    poolings: Sequence[str] = (),
    model: str | None = None,
    engine: EngineName = POOLED.engine,
    chains: int = POOLED.chains,
    warmup: int = POOLED.warmup,
    draws: int = POOLED.draws,
    adapt_delta: float = POOLED.adapt_delta,
    seed: int = POOLED.seed,
    progress: bool = True,
    **options: Any,
) -> Pooling:
    """Fit many speakers in one model, with partial, no and complete pooling.

    Parameters
    ----------
    choices
        Observations of several speakers, or the paths of tables.
    out
        Folder of pooling.csv and of one fit per pooling method; finished fits are kept.
    poolings
        Pooling methods; all if empty.
    model, engine, chains, warmup, draws, adapt_delta, seed, progress, options
        As in ``fit``; for politeness also ``groups``, a mapping from speakers to groups.

    Raises
    ------
    WolvesError
        If the observations cannot be pooled.
    """
    from many_wolves.workflows.data import joined, load
    from many_wolves.workflows.pool import pool_speakers

    if isinstance(choices, Observations):
        observations = choices
    else:
        paths = [choices] if isinstance(choices, str | Path) else list(choices)
        observations = joined([load(Path(path)) for path in paths], [str(path) for path in paths])
    with one_line(progress):
        return pool_speakers(
            observations,
            Path(out),
            poolings=poolings,
            model=model,
            options=options,
            sampling=sampling_of(engine, chains, warmup, draws, adapt_delta, seed),
        )


@with_options()
def sensitivity(
    choices: Observations | str | Path | pd.DataFrame,
    out: str | Path,
    *,
    model: str | None = None,
    engine: EngineName = DEFAULT.engine,
    chains: int = DEFAULT.chains,
    warmup: int = DEFAULT.warmup,
    draws: int = DEFAULT.draws,
    adapt_delta: float = DEFAULT.adapt_delta,
    seed: int = DEFAULT.seed,
    progress: bool = True,
    **options: Any,
) -> Sensitivity:
    """Compute the sensitivity of a fit to its prior and other assumptions.

    Parameters
    ----------
    choices
        Observations of one speaker, or what ``read_choices`` takes.
    out
        Folder of the fit; sensitivity.csv is written into it.
    model, engine, chains, warmup, draws, adapt_delta, seed, progress, options
        As in ``fit``.

    Raises
    ------
    WolvesError
        If the observations cannot be fitted, or the model defines no alternatives.
    """
    from many_wolves.workflows.sensitivity import vary_assumptions

    with one_line(progress):
        return vary_assumptions(
            observations_of(choices),
            Path(out),
            model=model,
            options=options,
            sampling=sampling_of(engine, chains, warmup, draws, adapt_delta, seed),
            report=False,
        )


@with_options()
def influence(
    choices: Observations | str | Path | pd.DataFrame,
    out: str | Path,
    *,
    by: str | None = None,
    model: str | None = None,
    engine: EngineName = DEFAULT.engine,
    chains: int = DEFAULT.chains,
    warmup: int = DEFAULT.warmup,
    draws: int = DEFAULT.draws,
    adapt_delta: float = DEFAULT.adapt_delta,
    seed: int = DEFAULT.seed,
    progress: bool = True,
    **options: Any,
) -> Influence:
    """Compute the influence of each item, participant or cell on each weight.

    Parameters
    ----------
    choices
        Observations of one speaker, or what ``read_choices`` takes.
    out
        Folder of influence.csv, jackknife.csv, the figure and the fit.
    by
        Unit to leave out: ``item``, ``participant`` or ``cell`` (default: the first that the table
        has).
    model, engine, chains, warmup, draws, adapt_delta, seed, progress, options
        As in ``fit``.

    Raises
    ------
    WolvesError
        If the observations cannot be fitted, or have no such part.
    """
    from many_wolves.workflows.influence import measure_influence

    with one_line(progress):
        return measure_influence(
            [observations_of(choices)],
            Path(out),
            by=by,
            model=model,
            options=options,
            sampling=sampling_of(engine, chains, warmup, draws, adapt_delta, seed),
        )
