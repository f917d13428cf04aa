"""Comparison of the variants of a model by marginal likelihood and leave-one-out accuracy."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from many_wolves.contracts import Observations, Problem, SimulatedModel
from many_wolves.errors import WolvesError
from many_wolves.files import code_version, fingerprint, write_atomic
from many_wolves.progress import log, step
from many_wolves.sources import nearest
from many_wolves.workflows.folders import make_ready, seal_of
from many_wolves.workflows.models import options_of, simulated_model
from many_wolves.workflows.sampling import Sampling

if TYPE_CHECKING:
    import pandas as pd

    from many_wolves.inference import Settings
    from many_wolves.inference.engines.protocol import Program

Unit = Literal["choice", "cell", "row", "cluster"]
LONG_PATH = 100
"""Leapfrog steps per draw above which a retry would take minutes and not help."""
COLUMNS = (
    "model",
    "utilities",
    "log_ml",
    "log_ml_se",
    "log_bf",
    "elpd_loo",
    "elpd_se",
    "elpd_diff",
    "elpd_diff_se",
    "pareto_k_max",
    "r2",
    "ok",
    "verdict",
    "seconds",
)


@dataclass(frozen=True)
class Comparison:
    """The comparison of the variants of a model.

    Parameters
    ----------
    table
        One row per variant, the full model first: log_ml, log_bf, elpd_loo, elpd_diff (all in
        nats), their standard errors, r2, and whether the row is reliable.
    folder
        Where the table, the figure and the fits are.
    """

    table: pd.DataFrame
    folder: Path

    @property
    def ok(self) -> bool:
        """Whether every row is reliable."""
        return bool(self.table["ok"].all())

    def _repr_html_(self) -> str:
        state = "All rows are reliable." if self.ok else "Some rows are unreliable."
        return f"<p>{state}</p>{self.table.round(2).to_html(index=False, na_rep='')}"


def compare_variants(
    observations: Observations,
    out: Path,
    *,
    variants: Sequence[str] = (),
    model: str | None = None,
    options: Mapping[str, Any] | None = None,
    unit: Unit = "choice",
    sampling: Sampling | None = None,
) -> Comparison:
    """Fit the variants of a model and compare them; finished variants are not fitted again.

    Parameters
    ----------
    observations
        Observations of one speaker.
    out
        Folder of comparison.csv, the figure and the fits.
    variants
        Names of variants to compare with the full model; all when empty.
    model, options
        Cognitive model, and its options.
    unit
        Unit that leave-one-out leaves out: one answer of each cell, a cell, all answers to a
        question, or all answers of a cluster.

    Raises
    ------
    WolvesError
        If a variant is unknown, or the observations cannot be fitted.
    """
    from many_wolves import inference
    from many_wolves.figures.comparison import comparison
    from many_wolves.figures.save import save

    settings = sampling or Sampling()
    found = simulated_model(observations, model)
    problems = _problems(found, observations, options or {}, variants)
    make_ready(out)
    program = inference.load(next(iter(problems.values())).program, settings.engine, step)
    full = next(iter(problems.values()))
    for name, problem in problems.items():
        same = _of_same_data(problem, full)
        _fit_variant(name, problem, found, program, settings.settings, unit, out, evident=same)
    rows = _table(list(problems), out)
    write_atomic(out / "comparison.csv", rows.to_csv(index=False))
    first = json.loads((out / "variants" / next(iter(problems)) / "row.json").read_text())
    how = {"options": options_of(found, options or {}), "loo_unit": first["loo_unit"]}
    facts = how | settings.model_dump() | _facts(observations)
    write_atomic(out / "comparison.json", json.dumps(facts, indent=2, default=str) + "\n")
    save(comparison(rows), out)
    return Comparison(rows, out)


def _problems(
    model: SimulatedModel,
    observations: Observations,
    given: Mapping[str, Any],
    asked: Sequence[str],
) -> dict[str, Problem]:
    """The problem of every requested variant; the full one always comes first."""
    variants = model.variants()
    options = options_of(model, given)
    for name in asked:
        if name not in variants:
            raise WolvesError(f"unknown variant {name!r}", fix=nearest(name, variants))
    full = next(iter(variants))
    chosen = [full, *(m for m in variants if m != full and (not asked or m in asked))]
    found = {name: model.problem(observations, **{**options, **variants[name]}) for name in chosen}
    return {
        name: problem
        for name, problem in found.items()
        if name == full or (_possible(name, problem) and _differs(name, problem, found[full]))
    }


def _possible(name: str, problem: Problem) -> bool:
    """Whether the variant can be fitted; if not, log why."""
    if problem.refused is not None:
        log.info("Note: the variant %s is left out: %s", name, problem.refused)
    return problem.refused is None


def _differs(name: str, problem: Problem, full: Problem) -> bool:
    """Whether a variant differs from the full model with these options."""
    same = problem.options == full.options
    if same:
        log.info("Note: with these options, the variant %s equals the full model", name)
    return not same


def _of_same_data(problem: Problem, full: Problem) -> bool:
    """Whether both densities are of the same data, which Bayes factors require."""
    parts, whole = (
        {v.name for v in one.variables if v.group.startswith("log_likelihood")}
        for one in (problem, full)
    )
    return parts == whole


def _fit_variant(
    name: str,
    problem: Problem,
    model: SimulatedModel,
    program: Program,
    settings: Settings,
    unit: Unit,
    out: Path,
    *,
    evident: bool,
) -> None:
    """Fit one variant and write its row; nothing if the same row is there already.

    Without ``evident``, the marginal likelihood is left out, because it refers to different data.
    """
    from many_wolves import inference
    from many_wolves.inference.evaluation.compare import accuracy, refitting, row
    from many_wolves.inference.evaluation.loo import write_parts
    from many_wolves.inference.evaluation.marginal_likelihood import evidence

    folder = out / "variants" / name
    seal = mark(problem, settings, unit, program)
    if seal_of(folder / "row.json") == seal:
        log.info("%s: already done", name)
        return
    log.info("%s:", name)
    done = inference.fit_with_retries(
        problem, program, model.parameters, settings, step, longest_path=LONG_PATH
    )
    inference.save(done, folder, {})
    bridged = None
    if evident:
        step("marginal likelihood by bridge sampling")
        bridged = evidence(done, program, settings.seed)
    again = refitting(done, program, model.parameters, unit, step) if done.diagnostics.ok else None
    left_out = accuracy(done, again, unit)
    write_parts(left_out, folder / "loo.csv")
    facts = {"fingerprint": seal, "loo_unit": left_out.unit}
    record = row(name, done, bridged, left_out).to_json() | facts
    write_atomic(folder / "row.json", json.dumps(record, indent=2) + "\n")


def mark(problem: Problem, settings: Settings, unit: str, program: Program) -> str:
    """Fingerprint of everything that a row depends on."""
    import numpy as np

    from many_wolves.inference.engines.programs import program_text

    data = {k: np.asarray(v).tolist() for k, v in problem.data.items()}
    options = {k: str(v) for k, v in problem.options.items()}
    text = program_text(problem.program)
    return fingerprint([data, options, asdict(settings), unit, program.version, text])


def _table(names: list[str], out: Path) -> pd.DataFrame:
    """All rows, with differences against the first (full) one."""
    import pandas as pd

    from many_wolves.inference.evaluation.compare import against_full
    from many_wolves.inference.evaluation.loo import difference, read_parts

    records = [json.loads((out / "variants" / n / "row.json").read_text()) for n in names]
    parts = [read_parts(out / "variants" / n / "loo.csv") for n in names]
    rows = pd.DataFrame(records)
    rows["ok"] = rows["ok"].astype(bool)
    numeric = ["log_ml", "log_ml_se", "elpd_loo", "elpd_se", "pareto_k_max", "r2"]
    rows[numeric] = rows[numeric].astype(float)
    unit = records[0]["loo_unit"]
    differences = [difference(part, parts[0], unit) for part in parts]
    rows["elpd_diff"], rows["elpd_diff_se"] = zip(*differences, strict=True)
    return against_full(rows)[list(COLUMNS)]


def _facts(observations: Observations) -> dict[str, Any]:
    return {"source": dict(observations.meta), "code_version": code_version()}
