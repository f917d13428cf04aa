"""Exports fits as CSV files for R and spreadsheets: draws, summaries, choices."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from many_wolves.errors import WolvesError
from many_wolves.files import write_atomic
from many_wolves.progress import log
from many_wolves.replacement import refuse_other
from many_wolves.workflows.folders import fit_folders, make_ready
from many_wolves.workflows.results import details

if TYPE_CHECKING:
    import xarray as xr

    from many_wolves.figures import Fitted

MISSING = "NA"
"""A missing number, as R writes it."""
_PREDICTED = "predicted"
"""The variable that is preferred if several have the dimensions of the observed one."""
_SUM_TOLERANCE = 1e-6


_OWN = {"draws": "draw", "summary": "parameter", "choices": "observed"}
"""A column of each file, by which one of an earlier export is known."""


def export(fits: Sequence[Path], out: Path, *, every: bool = False) -> list[Path]:
    """Write draws, summaries and choices of some fits as CSV, one row per value.

    Parameters
    ----------
    fits
        Fit folders, or folders that contain some.
    out
        Folder of ``draws.csv``, ``summary.csv`` and ``choices.csv``.
    every
        Whether to write draws of parameters with an entry for each of many cells, such as the
        literal meanings of utterances. Their summaries are always written.

    Returns
    -------
    list of Path
        The files written.

    Raises
    ------
    WolvesError
        If a folder is not a fit, or ``out`` cannot be written into. If ``out`` contains
        other tables of these names, such as the summary of a fit.
    """
    from many_wolves.figures import read_all

    found = read_all(_folders(fits))
    make_ready(out)
    for name, column in _OWN.items():
        what = f"{name} of an earlier export"
        refuse_other(out / f"{name}.csv", partial(_exported, column), what)
    tables: dict[str, dict[str, pd.DataFrame | None]] = {
        "draws": {fit.label: draws_of(fit, every=every) for fit in found},
        "summary": {fit.label: fit.summary for fit in found},
        "choices": {fit.label: choices_of(fit) for fit in found},
    }
    written = []
    for name, parts in tables.items():
        there = [_of(speaker, part) for speaker, part in parts.items() if part is not None]
        if len(there) < len(parts):
            lacking = [speaker for speaker, part in parts.items() if part is None]
            log.warning(
                "%s.csv does not include these fits, which have no predictions: %s",
                name,
                ", ".join(lacking),
            )
        if there:
            written.append(_write(out / f"{name}.csv", pd.concat(there, ignore_index=True)))
    return written


def _exported(column: str, header: str) -> bool:
    """Whether a header is that of an export: the speaker first, then this column."""
    first, *others = header.split(",")
    return first == "speaker" and column in others


def draws_of(fit: Fitted, *, every: bool = False) -> pd.DataFrame:
    """The posterior of one fit, one row per value.

    Returns
    -------
    pandas.DataFrame
        chain and draw counted from 1, parameter, condition, value. The condition is empty for a
        single value; several labels are joined by ``/``, as in the summary.
    """
    known = set(fit.summary["parameter"])
    known -= set() if every else details(str(fit.info.get("family", "")), str(fit.info["model"]))
    posterior = _group(fit, "posterior")
    parts = [_long(name, array) for name, array in posterior.items() if name in known]
    if not parts:
        raise WolvesError(
            "expected draws of the parameters in the summary, found none",
            where=fit.folder / "posterior.nc",
            fix="fit again with this version of many-wolves",
        )
    return pd.concat(parts, ignore_index=True)


def choices_of(fit: Fitted) -> pd.DataFrame | None:
    """Observed and predicted values, one row per outcome.

    Returns
    -------
    pandas.DataFrame
        The labels of each outcome, and observed (how often it was chosen, or the number that was
        given). For choices, share (its share of the cell). Also predicted, low, high (mean and
        95 % interval of the prediction). None if the fit has no predictions.
    """
    from many_wolves.figures.fitted import quantile_frame

    observed = _group(fit, "observed_data")
    posterior = _group(fit, "posterior")
    for array in observed.values():
        predicted = _predicted(array, posterior)
        if predicted is None:
            continue
        dims = [str(dim) for dim in array.dims]
        frame = array.to_dataframe(name="observed").reset_index()[[*dims, "observed"]]
        # Whole numbers stay whole even if another fit lacks the label.
        labels = {dim: "Int64" for dim in dims if pd.api.types.is_integer_dtype(frame[dim])}
        event = _event(predicted)
        if event is not None:
            totals = array.sum(event)
            share = (array / totals.where(totals > 0)).transpose(*dims)
            frame["share"] = share.to_numpy().ravel()
        mean = quantile_frame(predicted.transpose("chain", "draw", *dims))
        whole = frame.merge(mean.rename(columns={"mean": "predicted"}), on=dims, how="left")
        return whole.astype(labels)
    return None


def _group(fit: Fitted, name: str) -> xr.Dataset:
    """A group of the draws; ``WolvesError`` if the file lacks it."""
    if name not in fit.draws.children:
        raise WolvesError(
            f"expected the group {name!r} in the draws, found none",
            where=fit.folder / "posterior.nc",
            fix="fit again with this version of many-wolves",
        )
    return fit.draws[name].to_dataset()


def _predicted(observed: xr.DataArray, posterior: xr.Dataset) -> xr.DataArray | None:
    """The prediction of an observed variable: the variable that has its dimensions."""
    wanted = {"chain", "draw", *map(str, observed.dims)}
    alike = [v for v in posterior.data_vars.values() if set(map(str, v.dims)) == wanted]
    return min(alike, key=lambda variable: variable.name != _PREDICTED, default=None)


def _event(predicted: xr.DataArray) -> str | None:
    """The dimension along which predictions sum to one."""
    for dim in predicted.dims:
        if dim not in ("chain", "draw"):
            total = predicted.sum(str(dim))
            if bool((np.abs(total - 1) < _SUM_TOLERANCE).all()):
                return str(dim)
    return None


def _long(name: object, array: xr.DataArray) -> pd.DataFrame:
    """The draws of one parameter, one row per value."""
    dims = [str(dim) for dim in array.dims if dim not in ("chain", "draw")]
    frame = array.to_dataframe(name="value").reset_index()
    labels: Iterable[str] = (
        ["/".join(map(str, row)) for row in frame[dims].itertuples(index=False)]
        if dims
        else [""] * len(frame)
    )
    return pd.DataFrame(
        {
            "chain": frame["chain"].astype(int) + 1,
            "draw": frame["draw"].astype(int) + 1,
            "parameter": str(name),
            "condition": list(labels),
            "value": frame["value"].astype(float),
        }
    )


def _of(speaker: str, frame: pd.DataFrame) -> pd.DataFrame:
    """A table with the speaker as first column."""
    return pd.DataFrame({"speaker": speaker}, index=frame.index).join(frame)


def _write(path: Path, frame: pd.DataFrame) -> Path:
    return write_atomic(path, _pieces(frame))


def _pieces(frame: pd.DataFrame, rows: int = 200_000) -> Iterator[bytes]:
    """A table as CSV in pieces: the draws of many fits are hundreds of megabytes."""
    for start in range(0, max(len(frame), 1), rows):
        part = frame.iloc[start : start + rows]
        text = part.to_csv(index=False, header=start == 0, na_rep=MISSING, lineterminator="\n")
        yield text.encode()


def _folders(fits: Sequence[Path]) -> list[Path]:
    return list(dict.fromkeys(folder for given in fits for folder in fit_folders(given)))
