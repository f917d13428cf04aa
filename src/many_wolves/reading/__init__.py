"""What families read alike; no family is known here.

``responses``: which of the responses count, and what their speakers are called.
``scoring``: probabilities of options from their scores.
"""

from many_wolves.reading.responses import Intake, labels, take_newest
from many_wolves.reading.scoring import SCORINGS, check_scoring, option_shares

__all__ = ["SCORINGS", "Intake", "check_scoring", "labels", "option_shares", "take_newest"]
