"""Read answers into a table of choices: the same as ``wolves choices``."""

import sys

from many_wolves.cli import run
from many_wolves.commands.choices import command

if __name__ == "__main__":
    sys.exit(run(command))
