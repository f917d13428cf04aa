"""The command ``wolves``: one module per subcommand, imported when it runs."""

from __future__ import annotations

import errno
import importlib
import os
import sys
import threading
import traceback
from collections.abc import Sequence
from contextlib import suppress
from io import StringIO
from pathlib import Path

import click

from many_wolves import interrupts
from many_wolves.commands.command import Group, show_messages
from many_wolves.errors import WolvesError
from many_wolves.files import code_version
from many_wolves.interrupts import INTERRUPTED

BAD_INPUT, UNEXPECTED = 2, 3
"""Exit statuses besides 0 (success), 1 and 4 (the command's verdict), and 130 (interrupt)."""

_LAST_S = 5.0
"""Seconds that threads get to finish after an interrupt, before the process is ended."""

COMMANDS: dict[str, tuple[str, str]] = {
    "data": ("data", "List the shipped data, with their description."),
    "compile": ("compile", "Make trials from items and templates, or openings of games."),
    "collect": ("collect", "Collect a speaker's answers; resumes after an interrupt."),
    "serve": ("serve", "Serve an experiment on this machine, for people and models."),
    "tournament": ("tournament", "Play all ordered pairs of several speakers."),
    "models": ("models", "Prepare local model folders."),
    "programs": ("programs", "Compile the models' programs before the first fit."),
    "choices": ("choices", "Read answers into a table of choices."),
    "replay": ("replay", "Show a session of an experiment as one page."),
    "train-agent": ("train_agent", "Train a player of an experiment by reinforcement."),
    "design-rules": ("design_rules", "Search for rules that serve several objectives."),
    "predict": ("predict", "Print a model's predictions for given parameters."),
    "fit": ("fit", "Infer the parameters of a speaker from its choices."),
    "fit-all": ("fit_all", "Fit every speaker of many tables, several at once."),
    "compare": ("compare", "Compare variants: marginal likelihood and LOO accuracy."),
    "sensitivity": ("sensitivity", "Sensitivity of a fit to its prior and other assumptions."),
    "influence": ("influence", "Influence of each item, participant or cell on each weight."),
    "pool": ("pool", "Fit many speakers in one model; compare pooling methods."),
    "recover": ("recover", "Recover known parameters: bias, coverage, contraction."),
    "power": ("power", "Number of answers needed to detect a difference."),
    "design": ("design", "Choose the next questions by expected information."),
    "calibrate": ("calibrate", "Simulation-based calibration of the fit."),
    "findings": ("findings", "State the effects of effort, goals and training."),
    "plot": ("plot", "Draw a figure from fits."),
    "report": ("report", "Write a report on fits."),
    "export": ("export", "Write fits as CSV files for R and spreadsheets."),
    "study": ("study", "Run a study file from trials to report."),
}
"""Subcommand -> (module under ``many_wolves.commands``, one-line help)."""


class LazyGroup(Group):
    """A group that imports a subcommand's module only when it runs."""

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
    """Measure the values that language models trade against each other, from what they choose.

    \b
    Exit status: 0 success, 1 a bad verdict (a fit that did not converge, answers that
    failed). Status 2 means bad input, or a path that cannot be read or written. Status 3
    means an unexpected error. Status 4 means that the speaker did not do the task, or that
    the model does not describe it. Status 130 means an interrupt.
    """


def run(command: click.Command, arguments: Sequence[str] | None = None) -> int:
    """Run a click command; any error becomes one sentence with its fix.

    Returns
    -------
    int
        The exit status: 0 success, 1 or 4 the command's verdict, 2 bad usage or bad input, 3 an
        unexpected error, 130 interrupted.
    """
    from many_wolves.secrets import known_secrets, option_secrets, redacted_output, redactor

    words = list(sys.argv[1:] if arguments is None else arguments)
    show_messages()
    with redacted_output(redactor(known_secrets(*option_secrets(words)))):
        return _ended(command, words)


def _ended(  # noqa: PLR0911  (one status for each kind of end)
    command: click.Command, words: list[str]
) -> int:
    """Run a command; the exit status, after its error was printed."""
    from many_wolves.secrets import refuse_secrets, without_secret_option

    try:
        refuse_secrets(without_secret_option(words), where="the command line")
        result = command.main(args=words, standalone_mode=False)
        return result if isinstance(result, int) else 0
    except WolvesError as error:
        _say(f"Error: {error}{_without_folder()}")
        return BAD_INPUT
    except click.exceptions.Exit as leave:
        return leave.exit_code
    except click.ClickException as error:
        shown = StringIO()
        error.show(file=shown)
        _say(shown.getvalue().rstrip())
        return error.exit_code
    except (click.Abort, KeyboardInterrupt):
        if not interrupts.came():
            _say(interrupts.AGAIN)
        return INTERRUPTED
    except OSError as error:
        _trace(words)
        _say(f"Error: {_of_the_system(error)}{_without_folder()}")
        return BAD_INPUT
    except MemoryError:
        _trace(words)
        _say("Error: there is not enough memory\n  Fix: use fewer draws, chains or --workers")
        return BAD_INPUT
    except Exception as error:
        _trace(words)
        if isinstance(error, ValueError) and str(error) == "embedded null byte":
            _say("Error: a path contains a null byte\n  Fix: give a path without it")
            return BAD_INPUT
        if interrupts.came():
            return INTERRUPTED
        _say(
            f"Error: unexpected {type(error).__name__}: {error}\n  Fix: run the command again "
            "with --debug, and report its output as a bug in many-wolves"
        )
        return UNEXPECTED


def _of_the_system(error: OSError) -> str:
    """An operating-system error in words, with a fix for the user."""
    place = f"{error.filename}: " if error.filename is not None else ""
    fixes = {
        errno.ENOSPC: "free some space on the disk, or write to another one",
        errno.EDQUOT: "free some of your quota, or write to another disk",
        errno.EACCES: "give a path that you may read and write",
        errno.EPERM: "give a path that you may read and write",
        errno.EROFS: "give a path that can be written",
        errno.EMFILE: "allow more open files: `ulimit -n 4096`",
        errno.ENAMETOOLONG: "give a shorter name",
        errno.ENOENT: "check the path",
        errno.EISDIR: "give the path of a file",
        errno.ENOTDIR: "give the path of a folder",
        errno.EEXIST: "give another name",
    }
    fix = fixes.get(error.errno or 0, "check the path, the disk and the network")
    return f"{place}{error.strerror or error}\n  Fix: {fix}"


def _without_folder() -> str:
    """A sentence if the current folder was deleted, which makes every relative path fail."""
    try:
        Path.cwd()
    except OSError:
        return (
            "\nThe current folder does not exist any more. Change to another one with `cd` first."
        )
    return ""


def _trace(words: Sequence[str]) -> None:
    """The traceback, if the user requested it."""
    if "--debug" in words:
        _say(traceback.format_exc())


def _say(text: str) -> None:
    """Print a message, without keys from the environment or the command line."""
    with suppress(OSError):  # A full or closed output has no place for it; the status remains.
        click.echo(text, err=True)


def main() -> None:
    """Entry point of ``wolves``."""
    # A notebook's kernel passes on a backend that this environment may lack.
    os.environ["MPLBACKEND"] = "agg"
    try:
        with interrupts.answered() as interrupt:
            status = run(wolves)
    except KeyboardInterrupt:
        status = INTERRUPTED
    if interrupt.came.is_set():
        # Python would wait for every thread, for instance minutes for a download or a chain.
        late = threading.Timer(_LAST_S, os._exit, (INTERRUPTED,))
        late.daemon = True
        late.start()
        interrupts.end_early(status)
    sys.exit(status)
