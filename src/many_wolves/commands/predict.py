"""``wolves predict``: what a model predicts for given parameters, as JSON."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import click

from many_wolves.commands.command import command as wolves_command
from many_wolves.commands.options import MODEL
from many_wolves.errors import WolvesError


@wolves_command("predict")
@click.argument("params", type=click.Path(path_type=Path))
@MODEL
def command(params: Path, model: str | None) -> None:
    """Print the predictions for the parameters in PARAMS (JSON; - for stdin).

    Of politeness these are prior, L0, S1, L1 and S2. Its PARAMS hold theta (utterance x
    state), alpha, cost, negated (per utterance), values (per state), phi_grid, and
    conditions, a list of {"w_inf", "w_soc", "w_pres", "phi"}; cost_form ("prior" or
    "utility") is optional.
    """
    from many_wolves.workflows.models import predicting_model

    given = _read(params)
    try:
        found = predicting_model(model).predict(given)
    except WolvesError as fault:
        raise WolvesError(
            fault.problem, where=fault.where or params, column=fault.column, mend=fault.mend
        ) from fault
    click.echo(json.dumps(found))


def _read(path: Path) -> dict[str, Any]:
    try:
        text = sys.stdin.read() if str(path) == "-" else path.read_text(encoding="utf-8")
        given = json.loads(text)
    except OSError as error:
        raise WolvesError(
            "the file of parameters cannot be read", where=path, mend="check the path"
        ) from error
    except ValueError as error:
        raise WolvesError(
            f"expected a JSON object; {error}", where=path, mend="correct the JSON there"
        ) from error
    if not isinstance(given, dict):
        raise WolvesError("expected a JSON object", where=path, mend='{"theta": [[...]], ...}')
    return given
