"""Fit the second-order speaker to every speaker of the choice tables: ``wolves fit``, staged.

    uv run python rsa-model/stan_model/fit_speaker2_model.py

Without arguments it fits people and every speaker of every table in
``rsa-output/*/choices``, each into ``rsa-output/fits/SPEAKER``. With arguments it
is ``wolves fit``.
"""

import sys

from many_wolves.cli import run
from many_wolves.commands.fit import command
from many_wolves.commands.fit_all import command as fit_all

if __name__ == "__main__":
    sys.exit(run(command if sys.argv[1:] else fit_all))
