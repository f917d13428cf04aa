"""Ask a speaker the trials of a task; the same as ``wolves collect``."""

import sys

from many_wolves.cli import run
from many_wolves.commands.collect import command

sys.exit(run(command))
