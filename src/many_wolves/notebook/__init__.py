"""Many-wolves in Python: from tables of answers to parameters, figures and reports.

>>> import many_wolves as mw
>>> choices = mw.read_choices("choices.csv")
>>> fit = mw.fit(choices, out="rsa-output/mine")
>>> fit.weights
>>> fit.figure("weights")
>>> fit.report()

Each function does the same as the command with its name. Long work shows its progress on one
line; ``progress=False`` hides it. Messages go to ``logging.getLogger("many_wolves")``.
"""

from many_wolves.contracts import Observations
from many_wolves.errors import WolvesError
from many_wolves.notebook.collection import collect
from many_wolves.notebook.comparisons import compare, influence, pool, sensitivity
from many_wolves.notebook.designs import design
from many_wolves.notebook.displays import figure_of, findings_of, report_on
from many_wolves.notebook.fits import export, fit, fit_all, read_fit
from many_wolves.notebook.observations import choices, compile, data, read_choices
from many_wolves.notebook.observations import people as people
from many_wolves.notebook.simulations import calibrate, power, predict, recover
from many_wolves.notebook.studies import Study
from many_wolves.workflows.collect import Answers
from many_wolves.workflows.results import Fits, SpeakerFit, read_fits

__all__ = [
    "Answers",
    "Fits",
    "Observations",
    "SpeakerFit",
    "Study",
    "WolvesError",
    "calibrate",
    "choices",
    "collect",
    "compare",
    "compile",
    "data",
    "design",
    "export",
    "figure_of",
    "findings_of",
    "fit",
    "fit_all",
    "influence",
    "pool",
    "power",
    "predict",
    "read_choices",
    "read_fit",
    "read_fits",
    "recover",
    "report_on",
    "sensitivity",
]
