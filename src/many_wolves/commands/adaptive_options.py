"""Options of ``wolves collect --adaptive``; every collection imports them, so they load little."""

from __future__ import annotations

from typing import Any

import click

from many_wolves.errors import WolvesError
from many_wolves.workflows.round_limits import MOST_CALLS, PER_ROUND

ABOUT = click.option(
    "--about",
    default="",
    metavar="NAMES",
    help="Target parameters, separated by commas: w_inf for all its "
    "conditions, w_inf:social for one (default: the model's contrasts).",
)
MOST = click.option(
    "--max_replicates",
    "most",
    type=click.IntRange(1),
    help="Maximum number of answers per prompt (default: no limit).",
)
_LISTED = (
    click.option(
        "--adaptive",
        is_flag=True,
        help="Ask in rounds: the trials with the most expected information first.",
    ),
    ABOUT,
    click.option(
        "--width",
        type=click.FloatRange(0, min_open=True),
        help="Adaptive: stop when all 95 % intervals are at most this wide.",
    ),
    click.option(
        "--per_round",
        type=click.IntRange(1),
        help=f"Adaptive: maximum number of calls per round (default: {PER_ROUND}).",
    ),
    click.option(
        "--max_calls",
        type=click.IntRange(1),
        help=f"Adaptive: maximum number of calls, including earlier ones (default: {MOST_CALLS}).",
    ),
    MOST,
    click.option(
        "--model_options",
        metavar="JSON",
        help='Adaptive: options of the cognitive model, such as \'{"literal": "fixed"}\'.',
    ),
)
_OWN = ("about", "width", "per_round", "max_calls", "most", "model_options")


def options(command: Any) -> Any:
    """Give a command the options of an adaptive collection."""
    for option in reversed(_LISTED):
        command = option(command)
    return command


def taken(given: dict[str, Any]) -> dict[str, Any] | None:
    """Remove the options of an adaptive collection and return them; None without --adaptive.

    Raises
    ------
    WolvesError
        If one of them is given without --adaptive, or no stopping rule is given.
    """
    adaptive = given.pop("adaptive")
    own = {name: given.pop(name) for name in _OWN}
    named = [name for name, value in own.items() if value not in (None, "")]
    if not adaptive:
        if named:
            name = "max-replicates" if named[0] == "most" else named[0].replace("_", "-")
            raise WolvesError(f"--{name} needs --adaptive", fix="add --adaptive, or leave it out")
        return None
    if own["width"] is None and own["max_calls"] is None:
        raise WolvesError(
            "--adaptive needs to know when to stop", fix="add --width 0.2 or --max-calls 500"
        )
    return own
