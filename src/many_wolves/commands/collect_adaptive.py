"""``wolves collect --adaptive``: ask in rounds until the intervals are narrow enough."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from many_wolves.commands.collect_output import FAILED, INTERRUPTED, OK, conclude, warn
from many_wolves.commands.command import Results, wants_json
from many_wolves.commands.options import names_of
from many_wolves.contracts import TaskFamily
from many_wolves.counting import number_of
from many_wolves.errors import WolvesError
from many_wolves.speakers.speaker_request import SpeakerRequest
from many_wolves.workflows.adaptive import Adaptive, AdaptiveRequest
from many_wolves.workflows.collect import Games, Vignettes
from many_wolves.workflows.design import DesignRequest, designing_model
from many_wolves.workflows.round_limits import MOST_CALLS, PER_ROUND

if TYPE_CHECKING:
    import pandas as pd

ENDS = {
    "width": "All intervals are narrow enough.",
    "max_calls": "Stopped at --max-calls; some intervals are still too wide.",
    "trials": "No trial is left: every prompt has --max-replicates answers.",
}


def request_of(own: dict[str, Any], seed: int) -> AdaptiveRequest:
    """The request that follows from the options of an adaptive collection.

    Raises
    ------
    WolvesError
        If an option is invalid.
    """
    design = DesignRequest(
        about=tuple(names_of(own["about"])),
        width=own["width"],
        most=own["most"],
        options=_json(own["model_options"]),
        seed=seed,
    )
    return AdaptiveRequest(design, own["per_round"] or PER_ROUND, own["max_calls"] or MOST_CALLS)


def _json(words: str | None) -> dict[str, Any]:
    try:
        found = json.loads(words or "{}")
    except ValueError as error:
        raise WolvesError(
            f"expected JSON in --model-options: {error}",
            fix='--model-options \'{"literal": "fixed"}\'',
        ) from error
    if not isinstance(found, dict):
        raise WolvesError(
            "expected options by name in --model-options",
            fix='--model-options \'{"literal": "fixed"}\'',
        )
    return found


def check(
    request: AdaptiveRequest,
    family: TaskFamily,
    several: Sequence[SpeakerRequest],
    replicates: int,
    *,
    idle: bool,
) -> None:
    """Refuse a request that cannot be collected in rounds.

    Raises
    ------
    WolvesError
        If the family has no suitable model, or an option is incompatible.
    """
    designing_model(family.name, request.design.model)
    if several[0].mode == "score":
        raise WolvesError(
            "--adaptive counts sampled answers; in score mode one call gives all probabilities",
            fix="leave --mode score or --adaptive out",
        )
    if replicates > 1:
        raise WolvesError(
            "--adaptive chooses the number of replicates",
            fix=f"--max-replicates {replicates} for the largest number of answers to one prompt",
        )
    if idle:
        raise WolvesError(
            "--adaptive decides after each round what it asks next",
            fix="`wolves design` shows the first round; or leave --dry-run and --explain out",
        )


def act(
    path: Path, request: AdaptiveRequest, results: Results
) -> Callable[[Vignettes | Games], int]:
    """The action for each speaker: collect the trials of ``path`` in rounds."""

    from many_wolves.workflows.rounds import ask_in_rounds

    def do(asked: Vignettes | Games) -> int:
        assert isinstance(asked, Vignettes)
        return _conclude(ask_in_rounds(path, asked, request, warn), asked, results)

    return do


def _conclude(done: Adaptive, asked: Vignettes, results: Results) -> int:
    """Show how the collection ended; return the exit status."""
    weights = done.weights
    if not done.stopped and done.collected is not None:
        if weights is not None and not wants_json():
            click.echo(_shown(weights))
        status = conclude(done.collected, asked, results)
        return INTERRUPTED if status == OK else status

    def words() -> None:
        if weights is not None:
            click.echo(_shown(weights))
        size = f"{number_of(done.calls, 'call')} in {number_of(done.rounds, 'round')}"
        click.echo(f"{size}. {ENDS[done.stopped]}")
        if done.fit is not None:
            click.echo(f"Fit: {done.fit}")
        click.echo(asked.journal)

    found = {
        "speaker": asked.spec.name,
        "journals": [asked.journal],
        "calls": done.calls,
        "rounds": done.rounds,
        "stopped": done.stopped,
        "weights": weights,
        "fit": done.fit,
    }
    results.add(found, words)
    return OK if done.stopped == "width" else FAILED


def _shown(weights: pd.DataFrame) -> str:
    text: str = weights.to_string(index=False, float_format=lambda x: f"{x:.3f}")
    return text
