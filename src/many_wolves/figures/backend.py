"""The backend of matplotlib, if the environment names one that this environment lacks."""

from __future__ import annotations

import logging
import os
import sys
from importlib.util import find_spec

log = logging.getLogger("many_wolves")


def usable_backend() -> None:
    """Draw with ``agg`` if matplotlib refuses the backend in ``MPLBACKEND``.

    A notebook's kernel passes its backend on to programs that may lack it; matplotlib then cannot
    be imported at all.
    """
    named = os.environ.get("MPLBACKEND")
    if not named or "matplotlib" in sys.modules:
        return
    del os.environ["MPLBACKEND"]
    import matplotlib

    os.environ["MPLBACKEND"] = named
    module = named.removeprefix("module://")
    try:
        matplotlib.rcParams["backend"] = named
        found = module == named or find_spec(module) is not None
    except (ValueError, ModuleNotFoundError):
        found = False
    if not found:
        matplotlib.rcParams["backend"] = os.environ["MPLBACKEND"] = "agg"
        log.warning("MPLBACKEND=%s is not available here; figures are drawn with agg", named)
