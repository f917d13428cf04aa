"""Publication figures of API models' fits, beside people."""

import sys

from many_wolves.cli import run
from many_wolves.commands.plot_staged import staged

if __name__ == "__main__":
    sys.exit(run(staged("api")))
