"""Read a file of trials."""

from __future__ import annotations

import json
from pathlib import Path

from many_wolves.errors import WolvesError
from many_wolves.records import Trial


def read_trials(path: Path) -> list[Trial]:
    """Trials of a JSON-lines file, in its order, each once.

    Raises
    ------
    WolvesError
        If the file is missing or empty, or a line is not a trial or stands twice.
    """
    if not path.is_file():
        raise WolvesError("expected a file of trials", where=path, mend="wolves compile")
    trials: dict[str, Trial] = {}
    with path.open(encoding="utf-8") as file:
        for number, line in enumerate(file, start=1):
            if not line.strip():
                continue
            try:
                trial = Trial.from_json(json.loads(line))
            except (ValueError, KeyError, TypeError) as error:
                raise WolvesError(
                    f"expected a trial as JSON, found {type(error).__name__}: {error}",
                    where=path,
                    line=number,
                    mend="make the file again with `wolves compile`",
                ) from error
            if trial.id in trials:
                raise WolvesError(
                    f"the trial {trial.id} stands twice",
                    where=path,
                    line=number,
                    mend="make the file again with `wolves compile`",
                )
            trials[trial.id] = trial
    if not trials:
        raise WolvesError("the file holds no trial", where=path, mend="wolves compile")
    return list(trials.values())
