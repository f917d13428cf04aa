"""Designs on disk: reads the fit that a design starts from, and writes the design."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from many_wolves.errors import WolvesError
from many_wolves.files import canonical_json, read_json_object, write_atomic
from many_wolves.workflows.design import Design, DesignRequest, Sofar
from many_wolves.workflows.folders import make_ready

PLAN = "design.json"


def from_fit(folder: Path) -> tuple[Sofar, dict[str, Any]]:
    """The answers and draws of a fit folder, and the model, variant and options of the fit.

    Raises
    ------
    WolvesError
        If the table of the fit has moved.
    """
    from many_wolves.figures import read_fitted
    from many_wolves.workflows.data import load, of_one, only, reference

    fitted = read_fitted(folder)
    info = fitted.info
    source, call = info.get("source", {}), info.get("call", {})
    path = Path(str(source.get("path", "")))
    if source.get("reference"):
        observations = reference(str(source["reference"]))
    elif source.get("path") and path.exists():
        observations = load(path, source.get("task") or None)
    else:
        raise WolvesError(
            f"the table of this fit is not at {path}"
            if source.get("path")
            else "this fit does not record its table",
            where=folder,
            fix="give the table of choices in place of the fit",
        )
    for column, value in dict(source.get("kept", {})).items():
        observations = only(observations, column, value, folder)
    posterior = fitted.draws["posterior"].to_dataset()
    x = posterior["x"].to_numpy() if "x" in posterior else None
    flat = None if x is None else x.reshape(-1, x.shape[-1])
    settings = {name: call.get(name) for name in ("model", "variant")}
    one = of_one(observations, str(info["speaker"]), folder)
    return Sofar(one, flat), settings | {"options": dict(call.get("options", {}))}


def of_fit(
    folder: Path, model: str | None, variant: str | None, options: Mapping[str, Any]
) -> tuple[Sofar, dict[str, Any]]:
    """The answers of a fit, and its settings unless others are given.

    The draws are left out if another model is requested.
    """
    sofar, found = from_fit(folder)
    if options or model or variant:
        sofar = Sofar(sofar.observations)
    return sofar, {
        "model": model or found["model"],
        "variant": variant or found["variant"],
        "options": {**found["options"], **options},
    }


def write(found: Design, request: DesignRequest, out: Path) -> list[Path]:
    """Write the trials by number of answers, the tables and the plan; return the files of trials.

    Raises
    ------
    WolvesError
        If the folder cannot be written into, or contains other files.
    """
    make_ready(out)
    earlier = out / PLAN
    if earlier.exists():
        for name in read_json_object(earlier, "give another folder").get("trials", []):
            (out / Path(str(name)).name).unlink(missing_ok=True)
    elif any(out.iterdir()):
        raise WolvesError(
            "the folder contains files that are not part of a design",
            where=out,
            fix="give an empty or a new folder with --out",
        )
    files = []
    for replicates in sorted(set(found.replicates)):
        path = out / f"trials-{replicates}.jsonl"
        lines = (
            canonical_json(trial.to_json()).encode() + b"\n"
            for trial, own in zip(found.trials, found.replicates, strict=True)
            if own == replicates
        )
        write_atomic(path, lines)
        files.append(path)
    write_atomic(out / "weights.csv", found.weights.to_csv(index=False))
    write_atomic(out / "questions.csv", found.questions.to_csv(index=False))
    plan = {
        "trials": [path.name for path in files],
        "about": list(request.about),
        "calls": found.calls,
        "width": request.width,
        "most": request.most,
        "seed": request.seed,
        "reliable": found.reliable,
    }
    write_atomic(earlier, json.dumps(plan, indent=1) + "\n")
    return files
