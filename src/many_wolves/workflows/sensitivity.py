"""Sensitivity of a fit to its prior and other assumptions."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from many_wolves.contracts import Array, Observations, Problem
from many_wolves.files import file_name, fingerprint, write_atomic
from many_wolves.progress import log, step
from many_wolves.workflows.calls import command, shown
from many_wolves.workflows.compare import mark
from many_wolves.workflows.fits import facts_of
from many_wolves.workflows.folders import make_ready, seal_of
from many_wolves.workflows.models import options_of, sensitive_model
from many_wolves.workflows.sampling import Sampling

if TYPE_CHECKING:
    import pandas as pd

    from many_wolves.inference import Fit


@dataclass(frozen=True)
class Sensitivity:
    """A fit under alternative assumptions.

    Parameters
    ----------
    table
        One row per variant, parameter and condition: mean, sd, shift of the mean in posterior
        standard deviations, sensitivity to power-scaling, verdict.
    folder
        The fit, with sensitivity.csv in its folder.
    details
        Parameters with an entry for each of many cells.
    """

    table: pd.DataFrame
    folder: Path
    details: frozenset[str] = frozenset()

    @property
    def short(self) -> pd.DataFrame:
        """The table without parameters that have an entry for each of many cells."""
        return self.table[~self.table["parameter"].isin(self.details)]

    @property
    def ok(self) -> bool:
        """Whether all numbers are reliable."""
        return bool(self.table["ok"].all())

    def _repr_html_(self) -> str:
        state = "All numbers are reliable." if self.ok else "Some numbers are unreliable."
        return f"<p>{state}</p>{self.short.round(2).to_html(index=False, na_rep='')}"


def vary_assumptions(
    observations: Observations,
    out: Path,
    *,
    model: str | None = None,
    options: Mapping[str, Any] | None = None,
    sampling: Sampling | None = None,
    report: bool = True,
) -> Sensitivity:
    """Fit, power-scale the prior and the likelihood, and try the model's alternatives.

    If an earlier call was interrupted, the alternatives that it finished are kept. If it ended,
    its fit and its table are kept too.

    Raises
    ------
    WolvesError
        If the observations cannot be fitted, or the model defines no alternatives.
    """
    from many_wolves import inference
    from many_wolves.inference.evaluation.sensitivity import sensitivity

    chosen_sampling = sampling or Sampling()
    found = sensitive_model(observations, model)
    chosen = options_of(found, options or {})
    problem = found.problem(observations, **chosen)
    alternatives = {
        name: (found.problem(observations, **{**chosen, **other.options}), other)
        for name, other in found.alternatives(**chosen).items()
    }
    make_ready(out)
    program = inference.load(problem.program, chosen_sampling.engine, step)

    def sample(which: Problem, known: Sequence[Array] = ()) -> Fit:
        return inference.fit_with_retries(
            which, program, found.parameters, chosen_sampling.settings, step, known=known
        )

    where = ["--out", shown(out)]
    told = command(
        "sensitivity", observations, chosen, {"model": model}, chosen_sampling, flags=where
    )
    seal = mark(problem, chosen_sampling.settings, "sensitivity", program)

    seals = {
        name: fingerprint([seal, mark(other, chosen_sampling.settings, name, program)])
        for name, (other, _) in alternatives.items()
    }

    def keep(name: str, other: Problem, make: Callable[[], pd.DataFrame]) -> pd.DataFrame:
        file = out / "alternatives" / f"{file_name(name)}.json"
        return _kept(file, lambda: seals[name], name, make)

    def make() -> pd.DataFrame:
        done = sample(problem)
        inference.save(done, out, facts_of(observations) | {"command": told})
        step("varying the assumptions")
        names = tuple(p.name for p in found.parameters)
        # A new search could miss the best mode, which would look like an effect of the assumption.
        return sensitivity(
            done, names, alternatives, program, lambda one: sample(one, done.points), keep
        )

    file = out / "alternatives" / "all.json"
    whole = fingerprint([seal, seals])
    table = _kept(file, lambda: _with_fit(out, whole), "the fit and its alternatives", make)
    write_atomic(out / "sensitivity.csv", table.to_csv(index=False))
    meanings = {name: other.meaning for name, (_, other) in alternatives.items()}
    write_atomic(out / "sensitivity.json", json.dumps(meanings, indent=2) + "\n")
    if report:
        from many_wolves.report import write_fit_report

        write_fit_report(out)
    return Sensitivity(table, out, frozenset(p.name for p in found.parameters if p.detail))


def _with_fit(out: Path, seal: str) -> str:
    """A fingerprint that also depends on the fit in the folder."""
    fit = out / "fit.json"
    return fingerprint([seal, fit.read_text(encoding="utf-8") if fit.is_file() else ""])


def _kept(
    file: Path, seal: Callable[[], str], name: str, make: Callable[[], pd.DataFrame]
) -> pd.DataFrame:
    """The rows of a file with this fingerprint; otherwise made and written.

    ``seal`` is called again after ``make``, which may change the fit that it depends on.
    """
    import pandas as pd

    if seal_of(file) == seal():
        log.info("%s: already done", name)
        return pd.DataFrame(json.loads(file.read_text(encoding="utf-8"))["rows"])
    rows = make()
    record = {"fingerprint": seal(), "rows": rows.to_dict(orient="records")}
    write_atomic(file, json.dumps(record, default=float) + "\n")
    return rows
