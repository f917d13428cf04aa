"""The command ``wolves``: one module a subcommand, loaded when it is asked for."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Sequence

import click

from many_wolves.errors import WolvesError
from many_wolves.files import code_version

COMMANDS: dict[str, tuple[str, str]] = {
    "compile": ("compile", "Make trials from items and templates."),
    "collect": ("collect", "Ask a speaker the trials; resumes where it stopped."),
    "models": ("models", "Prepare local model folders."),
    "choices": ("choices", "Read answers into a table of choices."),
    "predict": ("predict", "Print the recursion's tables for given parameters."),
    "fit": ("fit", "Infer utility weights from choices."),
    "fit-all": ("fit_all", "Fit every speaker of many tables, several at once."),
    "compare": ("compare", "Compare variants: evidence and leave-one-out accuracy."),
    "sensitivity": ("sensitivity", "How much a fit owes to its prior and other assumptions."),
    "pool": ("pool", "Fit many speakers in one model; compare ways of pooling."),
    "recover": ("recover", "Find known weights again: bias, coverage, contraction."),
    "power": ("power", "How many answers a difference in a weight needs."),
    "calibrate": ("calibrate", "Simulation-based calibration of the fit."),
    "findings": ("findings", "State what effort, goals and training change."),
    "plot": ("plot", "Draw a figure from fits."),
    "report": ("report", "Write a report on fits."),
    "study": ("study", "Run a study file from vignettes to report."),
}
"""Subcommand -> (module under ``many_wolves.commands``, one-line help)."""


class LazyGroup(click.Group):
    """A group that imports a subcommand's module only when it is run."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module = importlib.import_module(f"many_wolves.commands.{COMMANDS[cmd_name][0]}")
        command: click.Command = module.command
        command.name = cmd_name
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in COMMANDS.items()])


@click.command(cls=LazyGroup)
@click.version_option(code_version(), prog_name="wolves")
def wolves() -> None:
    """Measure how language models trade being informative against being kind."""


def run(command: click.Command, arguments: Sequence[str] | None = None) -> int:
    """Run a click command; a ``WolvesError`` becomes a message, never a traceback.

    Returns the exit status: 0 well, 1 the command's own verdict, 2 bad usage or
    bad input, 130 interrupted.
    """
    try:
        result = command.main(args=arguments, standalone_mode=False)
        return result if isinstance(result, int) else 0
    except WolvesError as error:
        click.echo(f"Error: {error}", err=True)
        return 2
    except click.exceptions.Exit as leave:
        return leave.exit_code
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except (click.Abort, KeyboardInterrupt):
        click.echo("Interrupted. Run the same command again to go on.", err=True)
        return 130


def main() -> None:
    """Entry point of ``wolves``."""
    sys.exit(run(wolves))
