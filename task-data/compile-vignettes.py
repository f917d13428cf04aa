"""Compile the vignettes: the same as ``wolves compile``."""

import sys

from many_wolves.cli import run
from many_wolves.commands.compile import command

if __name__ == "__main__":
    sys.exit(run(command))
