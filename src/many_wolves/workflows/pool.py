"""Fit many speakers in one model, with partial, no and complete pooling."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from many_wolves.contracts import Observations, PooledModel, Problem
from many_wolves.errors import WolvesError
from many_wolves.files import write_atomic
from many_wolves.progress import log, step
from many_wolves.sources import nearest
from many_wolves.workflows.compare import mark
from many_wolves.workflows.folders import make_ready, seal_of
from many_wolves.workflows.models import options_of, pooled_model
from many_wolves.workflows.sampling import POOLED, Sampling

if TYPE_CHECKING:
    import pandas as pd

    from many_wolves.inference import Settings
    from many_wolves.inference.engines.protocol import Program

UNIT = "choice"


@dataclass(frozen=True)
class Pooling:
    """A comparison of pooling methods.

    Parameters
    ----------
    table
        One row per pooling method, with its leave-one-out predictive accuracy.
    folder
        Folder of the table and the fits; each method has a fit folder with its name.
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


def pool_speakers(
    observations: Observations,
    out: Path,
    *,
    poolings: Sequence[str] = (),
    model: str | None = None,
    options: Mapping[str, Any] | None = None,
    sampling: Sampling | None = None,
) -> Pooling:
    """Fit all speakers of a table jointly; finished fits are not repeated.

    Parameters
    ----------
    poolings
        Pooling methods: partial, none, complete; all if empty.

    Raises
    ------
    WolvesError
        If a pooling method is unknown, or the observations cannot be fitted.
    """
    from many_wolves import inference

    settings = sampling or POOLED
    found = pooled_model(observations, model)
    problems = _problems(found, observations, poolings, options or {})
    for note in next(iter(problems.values())).notes:
        log.info("Note: %s", note)
    make_ready(out)
    program = inference.load(next(iter(problems.values())).program, settings.engine, step)
    for name, problem in problems.items():
        _fit(name, problem, found, program, settings.settings, out, observations)
    rows = _rows(list(problems), out)
    write_atomic(out / "pooling.csv", rows.to_csv(index=False))
    return Pooling(rows, out)


def read_groups(path: Path) -> dict[str, str]:
    """Speaker -> group from a CSV file with the columns speaker, group.

    Raises
    ------
    WolvesError
        If it is not such a file.
    """
    import pandas as pd

    try:
        frame = pd.read_csv(path, dtype=str, keep_default_na=False)
        return dict(zip(frame["speaker"], frame["group"], strict=True))
    except (OSError, ValueError, KeyError) as error:
        raise WolvesError(
            f"expected a CSV file with the columns speaker, group; {error}",
            where=path,
            fix="write a line `speaker,group`, then one line per speaker",
        ) from error


def _problems(
    model: PooledModel,
    observations: Observations,
    asked: Sequence[str],
    given: Mapping[str, Any],
) -> dict[str, Problem]:
    for name in asked:
        if name not in model.poolings:
            raise WolvesError(f"unknown pooling {name!r}", fix=nearest(name, model.poolings))
    options = options_of(model, given)
    return {
        name: model.problem(observations, **{**options, "pooling": name})
        for name in model.poolings
        if not asked or name in asked
    }


def _fit(
    name: str,
    problem: Problem,
    model: PooledModel,
    program: Program,
    settings: Settings,
    out: Path,
    observations: Observations,
) -> None:
    """Fit one pooling method and write its row; do nothing if the row is up to date."""
    from many_wolves import inference
    from many_wolves.inference.evaluation.compare import accuracy
    from many_wolves.inference.evaluation.loo import write_parts
    from many_wolves.inference.evaluation.pooling import row

    folder = out / name
    seal = mark(problem, settings, UNIT, program)
    if (folder / "row.json").exists():
        if seal_of(folder / "row.json") == seal:
            log.info("%s: already done", name)
            return
        (folder / "row.json").unlink()
    log.info("%s pooling:", name)
    done = inference.fit_with_retries(
        problem, program, model.parameters, settings, step, attempts=1
    )
    inference.save(done, folder, {"source": dict(observations.meta)})
    left_out = accuracy(done)
    write_parts(left_out, folder / "loo.csv")
    record = row(name, done, left_out).to_json() | {"fingerprint": seal}
    write_atomic(folder / "row.json", json.dumps(record, indent=2) + "\n")


def _rows(names: list[str], out: Path) -> pd.DataFrame:
    from many_wolves.inference.evaluation.loo import read_parts
    from many_wolves.inference.evaluation.pooling import compared

    records = [json.loads((out / name / "row.json").read_text()) for name in names]
    return compared(records, [read_parts(out / name / "loo.csv") for name in names])
