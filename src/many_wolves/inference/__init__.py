"""Fits of any cognitive model: engines for Stan, sampling, evaluation, storage."""

from many_wolves.inference.engines.select import EngineName, choose, load
from many_wolves.inference.sampling.diagnostics import Diagnostics
from many_wolves.inference.sampling.fit import Fit, fit
from many_wolves.inference.sampling.retry import fit_with_retries
from many_wolves.inference.settings import Settings
from many_wolves.inference.store import save

__all__ = [
    "Diagnostics",
    "EngineName",
    "Fit",
    "Settings",
    "choose",
    "fit",
    "fit_with_retries",
    "load",
    "save",
]
