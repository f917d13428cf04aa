"""Readers that several families share; this package knows no family.

``read`` handles every answer type: an option given by its text, id or letter; a
number in prose; free text; a JSON object. A family may use it as its own reader, or take
the parts: ``thoughts``, ``numbers``, ``objects``, ``refusals``.

``responses``: selects the responses that count, and labels their speakers.
``scoring``: probabilities of options from their scores.
"""

from many_wolves.reading.plain import read
from many_wolves.reading.responses import Intake, labels, take_newest
from many_wolves.reading.scoring import SCORINGS, check_scoring, option_shares

__all__ = ["SCORINGS", "Intake", "check_scoring", "labels", "option_shares", "read", "take_newest"]
