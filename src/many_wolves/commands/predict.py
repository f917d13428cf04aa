"""``wolves predict``: a model's predictions for given parameters, as JSON."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import click

from many_wolves.commands.command import command as wolves_command
from many_wolves.commands.command import show
from many_wolves.commands.options import MODEL
from many_wolves.contracts import PredictingModel
from many_wolves.errors import WolvesError
from many_wolves.files import json_object, read_json_object
from many_wolves.workflows.models import all_models, predicting_model


def _given() -> str:
    """The parameters that each model expects, in words."""
    models = [m for m in all_models().values() if isinstance(m, PredictingModel)]
    return "\n\n".join(f"PARAMS of {model.name}: {model.given}" for model in models)


@wolves_command("predict", as_json=True, epilog=_given())
@click.argument("params", type=click.Path(path_type=Path))
@MODEL
def command(params: Path, model: str | None) -> None:
    """Print the predictions for the parameters in PARAMS (JSON; - for stdin).

    The output is always JSON; without --json it is on one line.
    """
    given = _read(params)
    try:
        found = predicting_model(model).predict(given)
    except WolvesError as fault:
        raise WolvesError(
            fault.problem, where=fault.where or params, column=fault.column, fix=fault.fix
        ) from fault
    show(found, lambda: click.echo(json.dumps(found)))


def _read(path: Path) -> dict[str, Any]:
    fix = 'write {"NAME": VALUE, ...}; see `wolves predict --help`'
    if str(path) == "-":
        return json_object(sys.stdin.read(), path, fix)
    return read_json_object(path, fix)
