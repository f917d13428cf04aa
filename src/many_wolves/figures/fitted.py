"""A fit folder, as figures and reports read it."""

from __future__ import annotations

import gc
import math
import sys
import traceback
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from many_wolves.errors import WolvesError
from many_wolves.files import read_json_object
from many_wolves.records.speaker import SHOWN_NAME, joined_labels

if TYPE_CHECKING:
    import xarray as xr

FILES = ("fit.json", "diagnostics.json", "summary.csv", "posterior.nc")
LABELS = "labels.json"
"""Factors of a speaker by name, in its fit folder or in the folder around it."""
P_LIMIT = 0.01
"""Posterior predictive p-value below which a misfit is larger than sampling error."""
WELL_DESCRIBED = 0.8
"""Share of the attainable r2 from which a model describes a speaker roughly."""
LEAST_DESCRIBED = 0.5
"""Share of the attainable r2 below which a model does not describe a speaker."""
SUMMARY_COLUMNS = {"parameter", "condition", "mean", "sd", "hdi_low", "hdi_high"}


@dataclass(frozen=True)
class Fitted:
    """A fit that was read from its folder.

    Parameters
    ----------
    folder
        Its path.
    info
        ``fit.json``: what was fitted.
    diagnostics
        ``diagnostics.json``: the verdict and its numbers.
    summary
        ``summary.csv``: one row per parameter and condition; ``condition`` is empty
        for parameters that conditions share.
    name
        Short name, if a study gives one, or if the default name (from the speaker) is not unique.
    """

    folder: Path
    info: Mapping[str, Any]
    diagnostics: Mapping[str, Any]
    summary: pd.DataFrame
    name: str = ""

    @property
    def speaker(self) -> str:
        """Name of the speaker, in full."""
        return str(self.info["speaker"])

    @property
    def label(self) -> str:
        """Short name: without the provider and the organisation of a model that was asked.

        The name of a speaker that a table gives is whole; ``name`` comes first.
        """
        model = str(self.labels.get("model", ""))
        start = model.rfind("/") + 1 if self.speaker.startswith(model) else 0
        return self.name or self.speaker[start:]

    @property
    def conditions(self) -> list[str]:
        """Conditions in the order of the fit."""
        return [str(c) for c in self.info["conditions"]]

    @property
    def labels(self) -> Mapping[str, str | float]:
        """Model, effort, step and tokens of the speaker, and the factors of the study."""
        return dict(self.info.get("labels", {}))

    @property
    def converged(self) -> bool:
        """Whether the sampler's diagnostics are good."""
        return bool(self.diagnostics["ok"])

    @property
    def described(self) -> float | None:
        """r2 as a share of what a correct model attains; 1 if sampling error explains the rest.

        None if the fit was not compared with its own predictions.
        """
        found = self.info.get("describes")
        if not found or not found.get("ceiling"):
            return None
        if found["p"] >= P_LIMIT:
            return 1.0
        return float(found["r2"] or 0.0) / float(found["ceiling"])

    @property
    def failed_checks(self) -> list[Mapping[str, Any]]:
        """Checks that the speaker failed."""
        return [check for check in self.info.get("checks", ()) if not check["ok"]]

    @property
    def open_checks(self) -> list[Mapping[str, Any]]:
        """Checks that these answers do not allow, such as that of the state with a single state."""
        return [
            check
            for check in self.info.get("checks", ())
            if check["ok"] and not check.get("note") and _absent(check.get("statistic", 0.0))
        ]

    @cached_property
    def draws(self) -> xr.DataTree:
        """The posterior and the other groups of the file, read on first access."""
        import xarray as xr

        path = self.folder / "posterior.nc"
        try:
            # Loaded whole, so that the file is closed and can be replaced.
            return xr.load_datatree(path)
        except (OSError, ValueError, LookupError, RuntimeError, TypeError) as error:
            _let_go(error)
            raise WolvesError(
                f"expected a NetCDF file with a posterior; the file cannot be read ({error})",
                where=path,
                fix="fit again: wolves fit ... --out " + str(self.folder),
            ) from error

    def values(self, group: str, name: str) -> xr.DataArray:
        """One variable of the draws.

        Raises
        ------
        WolvesError
            If the fit does not contain it.
        """
        try:
            array: xr.DataArray = self.draws[group].dataset[name]
        except KeyError:
            raise WolvesError(
                f"expected the variable {name!r} in the group {group!r}, found none",
                where=self.folder / "posterior.nc",
                fix="fit again with this version of many-wolves",
            ) from None
        return array

    def has(self, group: str, name: str) -> bool:
        """Whether the draws contain a variable."""
        return group in self.draws.children and name in self.draws[group].dataset


def _let_go(error: BaseException) -> None:
    """Discard a partly opened file, whose finalizer would otherwise print a traceback."""
    hook, sys.unraisablehook = sys.unraisablehook, lambda _: None
    try:
        found: BaseException | None = error
        while found is not None:
            traceback.clear_frames(found.__traceback__)
            found = found.__context__
        gc.collect()
    finally:
        sys.unraisablehook = hook


def read_fitted(folder: str | Path) -> Fitted:
    """Read a fit folder; the draws are read on first access.

    Raises
    ------
    WolvesError
        If a file is missing or malformed.
    """
    place = Path(folder)
    missing = [name for name in FILES if not (place / name).is_file()]
    if missing:
        raise WolvesError(
            f"expected a fit folder with {', '.join(FILES)}; {', '.join(missing)} "
            f"{'is' if len(missing) == 1 else 'are'} missing",
            where=place,
            fix="give a fit folder, as written by `wolves fit ... --out FOLDER`",
        )
    summary = _summary(place / "summary.csv")
    lacking = SUMMARY_COLUMNS - set(summary)
    if lacking:
        raise WolvesError(
            f"expected the columns {', '.join(sorted(SUMMARY_COLUMNS))}; "
            f"{', '.join(sorted(lacking))} missing",
            where=place / "summary.csv",
            fix="fit again with this version of many-wolves",
        )
    info = _json(place / "fit.json", ("model", "speaker", "conditions"))
    given = _given_labels(place)
    name = str(given.pop(SHOWN_NAME, ""))
    info["labels"] = joined_labels(info.get("labels", {}), given)
    diagnostics = _json(place / "diagnostics.json", ("ok", "verdict"))
    return Fitted(place, info, diagnostics, summary, name)


def _summary(path: Path) -> pd.DataFrame:
    """Read a summary. No word in it means a missing value: a condition may be called NA."""
    text = {"parameter": str, "condition": str}
    try:
        found = pd.read_csv(path, keep_default_na=False, na_values=[""], dtype=text)
        numbers = [name for name in ("mean", "sd", "hdi_low", "hdi_high") if name in found]
        found = found.astype(dict.fromkeys(numbers, float))
    except (ValueError, OSError) as error:
        raise WolvesError(
            f"expected a summary as CSV; {str(error).strip()}",
            where=path,
            fix="fit again; this file is written by `wolves fit`",
        ) from error
    return found.fillna({"condition": "", "parameter": ""})


def read_all(folders: Sequence[str | Path]) -> list[Fitted]:
    """Read fit folders; fits with the same short name get longer ones.

    Raises
    ------
    WolvesError
        If a folder is not a fit folder.
    """
    return distinct([read_fitted(folder) for folder in folders])


def distinct(fits: Sequence[Fitted]) -> list[Fitted]:
    """The fits, with longer names if the short ones are not unique."""
    fits = list(fits)
    for longer in (
        lambda fit: fit.speaker,
        lambda fit: f"{fit.speaker} ({fit.folder.name})",
        lambda fit: f"{fit.speaker} ({fit.folder.parent.name}/{fit.folder.name})",
        lambda fit: f"{fit.speaker} ({fit.folder})",
    ):
        names = Counter(fit.label for fit in fits)
        fits = [replace(fit, name=longer(fit)) if names[fit.label] > 1 else fit for fit in fits]
    return _numbered(fits)


def _numbered(fits: Sequence[Fitted]) -> list[Fitted]:
    """The fits, with a number after a name that is still not unique: a folder given twice."""
    taken: set[str] = set()
    found = []
    for fit in fits:
        name, number = fit.label, 1
        while name in taken:
            number += 1
            name = f"{fit.label} [{number}]"
        taken.add(name)
        found.append(fit if number == 1 else replace(fit, name=name))
    return found


def short_models(models: Iterable[str]) -> dict[str, str]:
    """Short names of models: without provider and organisation, if that tells them apart."""
    found = dict.fromkeys(models)
    short = {model: model.rpartition("/")[2] or model for model in found}
    alike = Counter(short.values())
    return {model: name if alike[name] == 1 else model for model, name in short.items()}


def _json(path: Path, needed: tuple[str, ...]) -> dict[str, Any]:
    record = read_json_object(path, "fit again; this file is written by `wolves fit`")
    absent = [key for key in needed if key not in record]
    if absent:
        raise WolvesError(
            f"expected the field {absent[0]!r}, found none",
            where=path,
            column=absent[0],
            fix="fit again with this version of many-wolves",
        )
    return record


def _given_labels(place: Path) -> dict[str, Any]:
    """Factors that a study or a person wrote into the fit folder or its parent."""
    for path in (place / LABELS, place.parent / LABELS):
        if path.is_file():
            return _json(path, ())
    return {}


def interval_frame(values: xr.DataArray, prob: float = 0.95) -> pd.DataFrame:
    """Mean and highest-density interval of every element.

    Parameters
    ----------
    values
        Draws with the dimensions chain and draw.
    prob
        Probability of the interval.

    Returns
    -------
    pandas.DataFrame
        One column per remaining dimension, then mean, hdi_low, hdi_high.
    """
    import arviz_stats  # noqa: F401  (registers the accessor)

    bounds = values.azstats.hdi(prob=prob, dim=["chain", "draw"])
    low, high = (bounds.isel(ci_bound=i, drop=True) for i in (0, 1))
    return _joined({"mean": values.mean(("chain", "draw")), "hdi_low": low, "hdi_high": high})


def quantile_frame(values: xr.DataArray, prob: float = 0.95) -> pd.DataFrame:
    """Mean and equal-tailed interval: columns of the dimensions, then mean, low, high."""
    tail = (1 - prob) / 2
    bounds = values.quantile([tail, 1 - tail], dim=("chain", "draw"))
    low, high = (bounds.isel(quantile=i, drop=True) for i in (0, 1))
    return _joined({"mean": values.mean(("chain", "draw")), "low": low, "high": high})


def _absent(value: float | None) -> bool:
    """Whether a value is missing: null in JSON, or NaN."""
    return value is None or math.isnan(value)


def _joined(columns: Mapping[str, xr.DataArray]) -> pd.DataFrame:
    import xarray as xr

    named = {name: array.drop_vars([c for c in array.coords if c not in array.dims])
             for name, array in columns.items()}  # fmt: skip
    frame = xr.Dataset(named).to_dataframe().reset_index()
    return frame.astype(dict.fromkeys(columns, np.float64))
