"""Many-wolves in Python: from tables of answers to parameters, figures and reports.

>>> import many_wolves as mw
>>> choices = mw.read_choices("choices.csv")
>>> fit = mw.fit(choices, out="rsa-output/mine")
>>> fit.weights
>>> fit.figure("weights")
>>> fit.report()

Each function does what the command of its name does. Long work shows its steps on one
line; ``progress=False`` shows nothing. Messages go to ``logging.getLogger("many_wolves")``.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from many_wolves.contracts import Observations
from many_wolves.errors import WolvesError
from many_wolves.progress import one_line
from many_wolves.sources import nearest
from many_wolves.workflows.compare import Comparison, Unit
from many_wolves.workflows.fits import FitRequest, default_folder
from many_wolves.workflows.pool import Pooling
from many_wolves.workflows.results import Fits, SpeakerFit, read_fits
from many_wolves.workflows.sampling import POOLED, USUAL, EngineName, Sampling
from many_wolves.workflows.sensitivity import Sensitivity

if TYPE_CHECKING:
    import pandas as pd
    import plotnine as p9

    from many_wolves.workflows.choices import Kind, Scoring
    from many_wolves.workflows.power import Power
    from many_wolves.workflows.simulation import Calibrated, Recovery, Trials

__all__ = [
    "Fits",
    "Observations",
    "SpeakerFit",
    "Study",
    "WolvesError",
    "calibrate",
    "choices",
    "compare",
    "compile",
    "data",
    "export",
    "figure_of",
    "findings_of",
    "fit",
    "fit_all",
    "pool",
    "power",
    "predict",
    "read_choices",
    "read_fit",
    "read_fits",
    "recover",
    "report_on",
    "sensitivity",
]

_DEFAULT = Sampling()


def compile(task: str = "politeness", out: str | Path | None = None, **design: Any) -> Path:
    """Make the trials of a task, or the openings of its episodes, as ``wolves compile`` does.

    Parameters
    ----------
    task
        A task, a part of one (``choice``), several with commas between, or a family.
    out
        File of the trials, as JSON lines; ``task-data/compiled/TASK.jsonl`` when left out.
        Its manifest is written to the same folder.
    design
        Values of the task's design, such as ``goals=["social"]``, ``items="poem,cake"``,
        ``seed=2``; ``wolves compile --help`` names them.

    Returns
    -------
    Path
        The file of trials.

    Raises
    ------
    WolvesError
        If the task or a value is unknown, or the sources are at fault.
    """
    from many_wolves.workflows.compiling import request, write_trials

    wanted = request([name.strip() for name in task.split(",")], design)
    target = Path(out) if out is not None else Path("task-data/compiled") / f"{task}.jsonl"
    write_trials(wanted, target)
    return target


def choices(
    journals: str | Path | Sequence[str | Path],
    *,
    family: str | None = None,
    kind: Kind = "all",
    scoring: Scoring = "sum",
    only: Sequence[str] = (),
    trials: str | Path | None = None,
    out: str | Path | None = None,
) -> Observations:
    """Read the answers in journals, folders and Inspect logs, as ``wolves choices`` does.

    Parameters
    ----------
    journals
        Files, or folders that hold some.
    family
        Task or task family; that of the answers when left out.
    kind
        ``hf`` or ``api``: only speakers of that kind.
    scoring
        ``sum``, ``mean`` or ``pmi``: how options are scored in score mode.
    only
        ``FACTOR=VALUE``: parts of the design.
    trials
        File of trials whose answers alone count.
    out
        Folder to write the tables into.

    Returns
    -------
    Observations
        Tables of all speakers, with checks of whether each did the task.

    Raises
    ------
    WolvesError
        If there are no answers, or they are of several families and none is named.
    """
    from many_wolves.tables import write_table
    from many_wolves.workflows.choices import Selection, family_named, tabulated

    listed = [journals] if isinstance(journals, str | Path) else journals
    named = family_named(family) if family else None
    selection = Selection(named, kind, tuple(only), Path(trials) if trials else None)
    found = tabulated([Path(one) for one in listed], selection, scoring)
    if out is not None:
        write_table(found, out)
    return found


def read_choices(
    choices: str | Path | pd.DataFrame,
    *,
    task: str | None = None,
    speaker: str | None = None,
    only: Sequence[str] = (),
    **aside: pd.DataFrame,
) -> Observations:
    """The answers of one speaker: a CSV file, a folder of ``wolves choices``, or a data frame.

    Parameters
    ----------
    choices
        Of politeness: columns goal, state, utterance, count, and if known speaker and
        framing. With a CSV file, ``literal.csv`` of the same folder is read too.
    task
        Which task it holds; politeness when left out.
    speaker
        Which speaker, where there are several; its name, where a data frame has none.
    only
        ``COLUMN=VALUE``: rows that are kept, such as ``framing=third``.
    aside
        Of a data frame: further tables, such as ``literal`` with utterance, state, yes, n.

    Raises
    ------
    WolvesError
        If it cannot be read, or holds several speakers and none is named.
    """
    from many_wolves.workflows.data import from_frame, of_one, one_speaker, part

    if isinstance(choices, str | Path):
        if aside:
            name = next(iter(aside))
            raise WolvesError(
                f"read_choices() of a file has no option {name!r}",
                fix=nearest(name, ("task", "speaker", "only")),
            )
        return one_speaker(Path(choices), speaker=speaker, parts=only, task=task)
    found = from_frame(choices, task, speaker, aside)
    for one in only:
        found = part(found, one, "the data frame")
    return of_one(found, speaker, "the data frame")


def data(name: str = "yoon2020") -> Observations:
    """Data that ship with a task family, such as the 203 people of Yoon et al. (2020).

    Parameters
    ----------
    name
        Name of the data; ``wolves fit --data`` takes the same.

    Raises
    ------
    WolvesError
        If there are none of that name.
    """
    from many_wolves.workflows.data import reference

    return reference(name)


def fit(
    choices: Observations | str | Path | pd.DataFrame,
    *,
    out: str | Path | None = None,
    model: str | None = None,
    variant: str | None = None,
    engine: EngineName = _DEFAULT.engine,
    chains: int = _DEFAULT.chains,
    warmup: int = _DEFAULT.warmup,
    draws: int = _DEFAULT.draws,
    adapt_delta: float = _DEFAULT.adapt_delta,
    seed: int = _DEFAULT.seed,
    progress: bool = True,
    **options: Any,
) -> SpeakerFit:
    """Infer the parameters of one speaker, and keep the fit in a folder.

    Parameters
    ----------
    choices
        Observations, or what ``read_choices`` takes.
    out
        Folder of the fit; ``rsa-output/SPEAKER`` when left out.
    model, variant
        Names of the cognitive model and of its variant; the task's first, and the full one,
        when left out.
    engine, chains, warmup, draws, adapt_delta, seed
        How the posterior is sampled.
    progress
        Whether the steps are shown.
    options
        Options of the cognitive model. Of politeness: ``literal`` (``joint``, ``cut``,
        ``fixed``), ``utilities``, ``cost_form``, ``weights_form``, ``position_bias``,
        ``nodes``, ``priors``; of games ``form``, ``memory``, ``spread``, ...

    Returns
    -------
    SpeakerFit
        Its ``converged`` and ``verdict`` say whether to use its numbers.

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

    observations = _observations(choices)
    sampling = _sampling(engine, chains, warmup, draws, adapt_delta, seed)
    folder = Path(out) if out else default_folder(observations)
    request = FitRequest(options, model, variant, sampling, report=False)
    with one_line(progress):
        fit_into(observations, folder, request)
    return read_fit(folder)


def fit_all(
    choices: Observations | str | Path | pd.DataFrame | Iterable[Observations | str | Path],
    *,
    out: str | Path = "rsa-output/fits",
    task: str | None = None,
    human: bool = False,
    labels: str | Path | Mapping[str, Mapping[str, str | float]] | None = None,
    model: str | None = None,
    variant: str | None = None,
    engine: EngineName = _DEFAULT.engine,
    chains: int = _DEFAULT.chains,
    warmup: int = _DEFAULT.warmup,
    draws: int = _DEFAULT.draws,
    adapt_delta: float = _DEFAULT.adapt_delta,
    seed: int = _DEFAULT.seed,
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
        Which task they hold; of CSV files and data frames politeness when left out.
    human
        Whether to fit the people of the task family as well.
    labels
        What findings compare by: speaker -> label -> value, or a CSV file with the column
        ``speaker`` and one for each label (``family``, ``training``, ``parameters``, ...).
    model, variant, engine, chains, warmup, draws, adapt_delta, seed, progress, options
        As of ``fit``.
    workers
        Fits at once; as many as cores when left out.
    cluster
        Address of a dask scheduler, such as ``tcp://host:8786``.

    Returns
    -------
    Fits
        Fits by the short names of their speakers; ``refused`` says who could not be fitted.

    Raises
    ------
    WolvesError
        If no table is found, or an option is not allowed.
    """
    from many_wolves.inference.threads import cores
    from many_wolves.workflows.fit_all import fit_many, people_of
    from many_wolves.workflows.labels import read_labels, with_labels

    tables = _tables(choices, task)
    if labels is not None:
        given = read_labels(Path(labels)) if isinstance(labels, str | Path) else labels
        tables = with_labels(tables, given, Path(str(labels)) if given is not labels else Path())
    request = FitRequest(
        options,
        model,
        variant,
        _sampling(engine, chains, warmup, draws, adapt_delta, seed),
        report=False,
    )
    people = people_of(tables) if human else []
    with one_line(progress):
        done = fit_many(
            [*people, *tables], Path(out), request, workers=workers or cores(), cluster=cluster
        )
    return read_fits(done.folders, done.refused)


def read_fit(folder: str | Path) -> SpeakerFit:
    """A fit that ``fit`` or ``wolves fit`` has kept.

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
        Fits, their folders, or folders that hold some.
    out
        Folder of ``draws.csv``, ``summary.csv`` and ``choices.csv``, one row per value.
    every
        Whether draws of parameters with an entry for each of many cells are written too.

    Returns
    -------
    list of Path
        The files written.

    Raises
    ------
    WolvesError
        If a folder is no fit, or ``out`` cannot be written into.
    """
    from many_wolves.workflows import exporting

    if isinstance(fits, SpeakerFit):
        fits = [fits.folder]
    elif isinstance(fits, Fits):
        fits = [one.folder for one in fits.values()]
    elif isinstance(fits, str | Path):
        fits = [fits]
    return exporting.export([Path(fit) for fit in fits], Path(out), every=every)


def compare(
    choices: Observations | str | Path | pd.DataFrame,
    out: str | Path,
    *,
    variants: Sequence[str] = (),
    model: str | None = None,
    unit: Unit = "choice",
    engine: EngineName = _DEFAULT.engine,
    chains: int = _DEFAULT.chains,
    warmup: int = _DEFAULT.warmup,
    draws: int = _DEFAULT.draws,
    adapt_delta: float = _DEFAULT.adapt_delta,
    seed: int = _DEFAULT.seed,
    progress: bool = True,
    **options: Any,
) -> Comparison:
    """Evidence and leave-one-out accuracy of the variants of a model.

    Parameters
    ----------
    choices
        Observations of one speaker, or what ``read_choices`` takes.
    out
        Folder of comparison.csv, the figure and the fits; finished variants are kept.
    variants
        Names of variants to compare with the full model; all when empty.
    unit
        What leave-one-out leaves out: ``choice``, ``cell``, ``row`` or ``cluster``.
    model, engine, chains, warmup, draws, adapt_delta, seed, progress, options
        As of ``fit``.

    Raises
    ------
    WolvesError
        If a variant is unknown, or the observations cannot be fitted.
    """
    from many_wolves.workflows.compare import compare_variants

    with one_line(progress):
        return compare_variants(
            _observations(choices),
            Path(out),
            variants=variants,
            model=model,
            options=options,
            unit=unit,
            sampling=_sampling(engine, chains, warmup, draws, adapt_delta, seed),
        )


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
        Folder of pooling.csv and of one fit for each way of pooling; finished ones are kept.
    poolings
        Ways of pooling; all when empty.
    model, engine, chains, warmup, draws, adapt_delta, seed, progress, options
        As of ``fit``; of politeness also ``groups``, a mapping of speakers to groups.

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
            sampling=_sampling(engine, chains, warmup, draws, adapt_delta, seed),
        )


def sensitivity(
    choices: Observations | str | Path | pd.DataFrame,
    out: str | Path,
    *,
    model: str | None = None,
    engine: EngineName = _DEFAULT.engine,
    chains: int = _DEFAULT.chains,
    warmup: int = _DEFAULT.warmup,
    draws: int = _DEFAULT.draws,
    adapt_delta: float = _DEFAULT.adapt_delta,
    seed: int = _DEFAULT.seed,
    progress: bool = True,
    **options: Any,
) -> Sensitivity:
    """How much a fit owes to its prior and to single assumptions.

    Parameters
    ----------
    choices
        Observations of one speaker, or what ``read_choices`` takes.
    out
        Folder of the fit; sensitivity.csv is written into it.
    model, engine, chains, warmup, draws, adapt_delta, seed, progress, options
        As of ``fit``.

    Raises
    ------
    WolvesError
        If the observations cannot be fitted, or the model names no alternatives.
    """
    from many_wolves.workflows.sensitivity import vary_assumptions

    with one_line(progress):
        return vary_assumptions(
            _observations(choices),
            Path(out),
            model=model,
            options=options,
            sampling=_sampling(engine, chains, warmup, draws, adapt_delta, seed),
            report=False,
        )


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
        Observations whose design is simulated, or what ``read_choices`` takes.
    out
        Folder of the tables and the simulations; simulations that are there are not run again.
    n
        Number of simulations.
    given
        Parameters, as a simulated speaker takes them; drawn from the prior when left out.
    model, variant, engine, chains, warmup, draws, adapt_delta, seed, progress, options
        As of ``fit``.
    workers
        Simulations at once.

    Raises
    ------
    WolvesError
        If the model has no simulator, or a worker process is killed.
    """
    from many_wolves.workflows.simulation import recover_parameters

    sampling = _sampling(engine, chains, warmup, draws, adapt_delta, seed)
    trials = _trials(choices, model, variant, options, sampling, given)
    with one_line(progress):
        return recover_parameters(trials, n, Path(out), seed=seed, workers=workers)


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
    """Simulation-based calibration: do posteriors hold the truth as often as they say?

    Parameters
    ----------
    choices, out, n, model, variant, workers
        As of ``recover``.
    engine, chains, warmup, draws, adapt_delta, seed, progress, options
        As of ``fit``.

    Raises
    ------
    WolvesError
        If the model has no simulator, or its posterior is one of cut inference.

    References
    ----------
    Talts, Betancourt, Simpson, Vehtari & Gelman (2018), Validating Bayesian inference
    algorithms with simulation-based calibration, arXiv:1804.06788.
    """
    from many_wolves.workflows.simulation import calibrate_model

    sampling = _sampling(engine, chains, warmup, draws, adapt_delta, seed)
    trials = _trials(choices, model, variant, options, sampling, None)
    with one_line(progress):
        return calibrate_model(trials, n, Path(out), seed=seed, workers=workers)


def power(
    out: str | Path,
    *,
    parameter: str | None = None,
    difference: float = 0.1,
    items: Sequence[int] = (13,),
    replicates: Sequence[int] = (1, 3, 10),
    n: int = 40,
    given: Mapping[str, Any] | None = None,
    model: str | None = None,
    seed: int = 1,
    workers: int = 1,
    progress: bool = True,
) -> Power:
    """How many answers are needed to see a difference in a parameter?

    Parameters
    ----------
    out
        Folder of power.csv and the simulations; simulations that are there are not run again.
    parameter, difference
        What differs between two conditions, and by how much.
    items, replicates
        Sizes of the designs: each product is tried once.
    n
        Simulations of each design.
    given
        Parameters of the first condition; the model's own choice when left out.
    model
        Cognitive model; that of politeness when left out.
    seed, workers, progress
        As of ``recover``.

    Raises
    ------
    WolvesError
        If the model cannot make the parameter differ so.
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
            sampling=SETTINGS.model_copy(update={"seed": seed}),
            workers=workers,
        )


def predict(parameters: Mapping[str, Any], model: str | None = None) -> Mapping[str, Any]:
    """What a model predicts for given parameters, as nested lists.

    Parameters
    ----------
    parameters
        Parameters of the model; ``wolves predict --help`` names those of politeness.
    model
        Cognitive model; that of politeness when left out.

    Raises
    ------
    WolvesError
        If a parameter is missing or has the wrong shape.
    """
    from many_wolves.workflows.models import predicting_model

    return predicting_model(model).predict(parameters)


def findings_of(fits: Fits | Sequence[SpeakerFit | str | Path]) -> pd.DataFrame:
    """What several fits say together, one row per statement; see ``wolves findings``.

    Parameters
    ----------
    fits
        Fits, or fit folders.

    Raises
    ------
    WolvesError
        If a fit did not converge, or the fits are of several families.
    """
    return _fits(fits).findings()


def figure_of(fits: Fits | Sequence[SpeakerFit | str | Path], name: str = "weights") -> p9.ggplot:
    """One figure of several fits, as ``wolves plot NAME`` draws it.

    Parameters
    ----------
    fits
        Fits, or fit folders.
    name
        A figure of ``wolves plot --list``.

    Raises
    ------
    WolvesError
        If there is none of that name, or the fits do not allow it.
    """
    return _fits(fits).figure(name)


def report_on(
    fits: Fits | Sequence[SpeakerFit | str | Path],
    out: str | Path,
    title: str = "Speakers side by side",
) -> Path:
    """Write one HTML page with several fits side by side; returns its path.

    Parameters
    ----------
    fits
        Fits, or fit folders.
    out
        The page.
    title
        Its heading.
    """
    return _fits(fits).report(out, title)


class Study:
    """A study file: what is asked, who answers, how it is fitted.

    Parameters
    ----------
    file
        The YAML file.

    Raises
    ------
    WolvesError
        If it cannot be read, or says something that the schema does not allow.
    """

    def __init__(self, file: str | Path) -> None:
        from many_wolves.study import StudyPaths, read_study

        self.file = Path(file)
        self.study = read_study(self.file)
        self.places = StudyPaths(self.study.study)

    @classmethod
    def new(
        cls,
        name: str,
        *,
        task: str = "politeness",
        provider: str = "",
        model: str = "",
        checkpoints: str | Path | None = None,
        out: str | Path | None = None,
    ) -> Study:
        """Write a study file with comments, as ``wolves study new`` does.

        Parameters
        ----------
        name
            Names the study and the folder of its results.
        task
            The task that is given.
        provider, model
            Who answers; a small model that runs anywhere when both are left out.
        checkpoints
            A local model, or the folder of a training run's checkpoints.
        out
            The file; ``studies/NAME.yaml`` when left out.

        Raises
        ------
        WolvesError
            If the file is there already, or what is wanted makes no study.
        """
        from many_wolves.study import NewStudy, new_study

        folder = None if checkpoints is None else Path(checkpoints)
        wanted = NewStudy(name, task, provider, model, folder)
        return cls(new_study(wanted, None if out is None else Path(out)))

    def status(self) -> pd.DataFrame:
        """One row per stage: stage, why it is to run (empty where it is up to date), command."""
        import pandas as pd

        from many_wolves.study import StateFile, in_order, plan, shown, why

        done = StateFile(self.places.state).load()
        stages = in_order(plan(self.study, self.places))
        rows = [(s.name, why(s, done), shown(s.command)) for s in stages]
        return pd.DataFrame(rows, columns=["stage", "why", "command"])

    def run(self, *, again: bool = False) -> Fits:
        """Run the stages that are out of date; the fits of its first task.

        Raises
        ------
        WolvesError
            If a stage fails; the stages that ended well are kept.
        """
        from many_wolves.study.running import run_study

        run_study(self.study, self.places, again=again)
        return self.fits()

    def fits(self) -> Fits:
        """The fits of its first task that are there."""
        from many_wolves.study import fitted_names

        folders = [self.places.fit(name) for name in fitted_names(self.study)]
        return read_fits([folder for folder in folders if (folder / "fit.json").is_file()])

    @property
    def report(self) -> Path:
        """The study's report."""
        return self.places.report

    def __repr__(self) -> str:
        return f"Study({str(self.file)!r})"


def people(name: str = "yoon2020") -> Observations:
    """The former name of ``data``."""
    return data(name)


def _observations(choices: Observations | str | Path | pd.DataFrame) -> Observations:
    from many_wolves.workflows.data import of_one

    if isinstance(choices, Observations):
        return of_one(choices, None)
    return read_choices(choices)


def _tables(choices: Any, task: str | None) -> list[Observations]:
    from many_wolves.workflows.data import from_frame
    from many_wolves.workflows.fit_all import tables_in

    if isinstance(choices, Observations):
        return [choices]
    if isinstance(choices, str | Path):
        return tables_in(Path(choices), task)
    if hasattr(choices, "columns"):
        return [from_frame(choices, task)]
    return [table for one in choices for table in _tables(one, task)]


def _fits(fits: Fits | Sequence[SpeakerFit | str | Path]) -> Fits:
    if isinstance(fits, Fits):
        return fits
    return read_fits([one.folder if isinstance(one, SpeakerFit) else one for one in fits])


def _sampling(
    engine: str, chains: int, warmup: int, draws: int, adapt_delta: float, seed: int
) -> Sampling:
    given = {
        "engine": engine,
        "chains": chains,
        "warmup": warmup,
        "draws": draws,
        "adapt_delta": adapt_delta,
        "seed": seed,
    }
    return Sampling.read(given, of="sampling")


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
        _observations(choices),
        model=model,
        variant=variant,
        options=options,
        sampling=sampling,
        given=given,
    )


def _with_options(function: Any) -> None:
    """Show the options of the installed models in a function's signature, for completion."""
    from many_wolves.contracts import PooledModel
    from many_wolves.workflows.models import all_models

    pooled = function is pool
    fields = {
        name: field
        for model in all_models().values()
        if isinstance(model, PooledModel) == pooled
        for name, field in model.options.model_fields.items()
        if name != "pooling"
    }
    signature = inspect.signature(function)
    *own, _ = signature.parameters.values()
    more = [
        inspect.Parameter(
            name, inspect.Parameter.KEYWORD_ONLY, default=field.default, annotation=field.annotation
        )
        for name, field in fields.items()
        if name not in signature.parameters
    ]
    function.__signature__ = signature.replace(parameters=[*own, *more])


for _function in (fit, fit_all, compare, pool, sensitivity, recover, calibrate):
    _with_options(_function)
