"""Fits of one or many speakers: making, reading and exporting them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from many_wolves.contracts import Observations
from many_wolves.notebook.inputs import DEFAULT, observations_of, sampling_of, tables_of
from many_wolves.notebook.signatures import with_options
from many_wolves.progress import one_line
from many_wolves.workflows.fits import FitRequest, default_folder
from many_wolves.workflows.results import Fits, SpeakerFit, no_fits, read_fits
from many_wolves.workflows.sampling import EngineName

if TYPE_CHECKING:
    import pandas as pd


@with_options()
def fit(
    choices: Observations | str | Path | pd.DataFrame,
    *,
    out: str | Path | None = None,
    model: str | None = None,
    variant: str | None = None,
    engine: EngineName = DEFAULT.engine,
    chains: int = DEFAULT.chains,
    warmup: int = DEFAULT.warmup,
    draws: int = DEFAULT.draws,
    adapt_delta: float = DEFAULT.adapt_delta,
    seed: int = DEFAULT.seed,
    progress: bool = True,
    **options: Any,
) -> SpeakerFit:
    """Infer the parameters of one speaker, and write the fit to a folder.

    Parameters
    ----------
    choices
        Observations, or what ``read_choices`` takes.
    out
        Folder of the fit (default: ``rsa-output/SPEAKER``).
    model, variant
        Names of the cognitive model and of its variant (default: the full variant of the task's
        first model).
    engine, chains, warmup, draws, adapt_delta, seed
        Sampling settings.
    progress
        Whether progress is shown.
    options
        Options of the cognitive model. For politeness: ``literal`` (``joint``, ``cut``,
        ``fixed``), ``utilities``, ``cost_form``, ``weights_form``, ``position_bias``,
        ``nodes``, ``priors``; for games: ``form``, ``memory``, ``spread``, ...

    Returns
    -------
    SpeakerFit
        ``converged`` and ``verdict`` state whether its numbers can be used.

    Raises
    ------
    WolvesError
        If an option is unknown or not allowed (with the nearest known one), or the
        observations cannot be fitted.

    Examples
    --------
    >>> fit = mw.fit(mw.data("yoon2020"), literal="fixed", out="rsa-output/people")
    >>> fit.weights
    """
    from many_wolves.workflows.fits import fit_into

    observations = observations_of(choices)
    sampling = sampling_of(engine, chains, warmup, draws, adapt_delta, seed)
    folder = Path(out) if out else default_folder(observations)
    request = FitRequest(options, model, variant, sampling, report=False)
    with one_line(progress):
        fit_into(observations, folder, request)
    return read_fit(folder)


@with_options()
def fit_all(
    choices: Observations | str | Path | pd.DataFrame | Iterable[Observations | str | Path],
    *,
    out: str | Path = "rsa-output/fits",
    task: str | None = None,
    human: bool = False,
    labels: str | Path | Mapping[str, Mapping[str, str | float]] | None = None,
    model: str | None = None,
    variant: str | None = None,
    engine: EngineName = DEFAULT.engine,
    chains: int = DEFAULT.chains,
    warmup: int = DEFAULT.warmup,
    draws: int = DEFAULT.draws,
    adapt_delta: float = DEFAULT.adapt_delta,
    seed: int = DEFAULT.seed,
    workers: int | None = None,
    cluster: str | None = None,
    progress: bool = True,
    **options: Any,
) -> Fits:
    """Fit every speaker of one or more tables, several at once; finished fits are kept.

    Parameters
    ----------
    choices
        Tables with any number of speakers, or several of them. A table is a CSV file, a folder
        of ``wolves choices``, a folder of such folders, a data frame, or observations.
    out
        Folder; each speaker has a subfolder.
    task
        Their task (default for CSV files and data frames: politeness).
    human
        Whether to fit the people of the task family as well.
    labels
        Labels for comparisons in findings: speaker -> label -> value, or a CSV file with the
        column ``speaker`` and one for each label (``family``, ``training``, ``parameters``, ...).
    model, variant, engine, chains, warmup, draws, adapt_delta, seed, progress, options
        As in ``fit``.
    workers
        Number of fits at once (default: the number of cores).
    cluster
        Address of a dask scheduler, such as ``tcp://host:8786``.

    Returns
    -------
    Fits
        Fits by the short names of their speakers; ``refused`` lists those that could not be fitted.

    Raises
    ------
    WolvesError
        If no table is found, or an option is not allowed.
    """
    from many_wolves.inference.threads import cores
    from many_wolves.workflows.fit_all import fit_many, people_of
    from many_wolves.workflows.labels import read_labels, with_labels

    tables = tables_of(choices, task)
    if labels is not None:
        given = read_labels(Path(labels)) if isinstance(labels, str | Path) else labels
        tables = with_labels(tables, given, Path(str(labels)) if given is not labels else Path())
    request = FitRequest(
        options,
        model,
        variant,
        sampling_of(engine, chains, warmup, draws, adapt_delta, seed),
        report=False,
    )
    people = people_of(tables) if human else []
    with one_line(progress):
        done = fit_many(
            [*people, *tables], Path(out), request, workers=workers or cores(), cluster=cluster
        )
    return read_fits(done.folders, done.refused)


def read_fit(folder: str | Path) -> SpeakerFit:
    """Read a fit of ``fit`` or ``wolves fit``.

    Raises
    ------
    WolvesError
        If the folder is not a complete fit.
    """
    from many_wolves.figures import read_fitted

    return SpeakerFit(read_fitted(folder))


def export(
    fits: Fits | SpeakerFit | str | Path | Sequence[str | Path],
    out: str | Path,
    *,
    every: bool = False,
) -> list[Path]:
    """Write fits as CSV files for R and spreadsheets, as ``wolves export`` does.

    Parameters
    ----------
    fits
        Fits, their folders, or folders that contain some.
    out
        Folder of ``draws.csv``, ``summary.csv`` and ``choices.csv``, one row per value.
    every
        Whether draws of parameters with an entry for each of many cells are written as well.

    Returns
    -------
    list of Path
        The files written.

    Raises
    ------
    WolvesError
        If a folder is not a fit, or ``out`` cannot be written into.
    """
    from many_wolves.workflows.export import export as export_files

    if isinstance(fits, SpeakerFit):
        fits = [fits.folder]
    elif isinstance(fits, Fits):
        fits = [one.folder for one in fits.values()]
    elif isinstance(fits, str | Path):
        fits = [fits]
    folders = [Path(fit) for fit in fits]
    if not folders:
        raise no_fits()
    return export_files(folders, Path(out), every=every)
