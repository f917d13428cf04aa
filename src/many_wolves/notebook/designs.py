"""The choice of the next questions for a speaker."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from many_wolves.contracts import Observations
from many_wolves.notebook.inputs import observations_of
from many_wolves.notebook.signatures import with_options
from many_wolves.progress import one_line
from many_wolves.workflows.results import SpeakerFit

if TYPE_CHECKING:
    import pandas as pd

    from many_wolves.workflows.design import Design


@with_options()
def design(
    trials: str | Path,
    choices: Observations | SpeakerFit | str | Path | pd.DataFrame | None = None,
    *,
    about: Sequence[str] = (),
    calls: int | None = None,
    width: float | None = None,
    max_replicates: int | None = None,
    out: str | Path | None = None,
    model: str | None = None,
    variant: str | None = None,
    seed: int = 1,
    progress: bool = True,
    **options: Any,
) -> Design:
    """Choose the next questions by expected information about target parameters.

    Parameters
    ----------
    trials
        File of the questions to choose from.
    choices
        Answers so far, or a fit of them; by default the design starts from the prior.
    about
        Target parameters, such as ``w_inf`` or ``w_inf:social``; the model's contrasts if empty.
    calls
        Maximum number of calls (default: 64, or 2000 if ``width`` is given).
    width
        Target width of the 95 % intervals.
    max_replicates
        Maximum number of answers per prompt.
    out
        Folder for the trials, for ``wolves collect``; by default nothing is written.
    model, variant, progress, options
        As in ``fit``; by default those of the fit, if ``choices`` is a fit.
    seed
        Seed of the draws at which the information is evaluated.

    Raises
    ------
    WolvesError
        If the model cannot compute the information of an answer, or an option is invalid.

    Examples
    --------
    >>> mw.design("task-data/compiled/politeness.jsonl", about=["w_inf:social"], calls=100)
    """
    from many_wolves.collection import read_trials
    from many_wolves.workflows import design_files
    from many_wolves.workflows.design import DesignRequest, Sofar
    from many_wolves.workflows.design import design as choose

    sofar: Sofar | None = None
    given: dict[str, Any] = {"model": model, "variant": variant, "options": options}
    if isinstance(choices, SpeakerFit):
        sofar, given = design_files.of_fit(choices.folder, model, variant, options)
    elif choices is not None:
        sofar = Sofar(observations_of(choices))
    request = DesignRequest(tuple(about), calls, width, most=max_replicates, seed=seed, **given)
    with one_line(progress):
        found = choose(read_trials(Path(trials)), request, sofar)
        if out is not None:
            design_files.write(found, request, Path(out))
    return found
