"""The figures of the politeness family, one per module."""

from many_wolves.families.politeness.reporting.figures.agreement import (
    choice_agreement,
    study_agreement,
)
from many_wolves.families.politeness.reporting.figures.cells import choice_cells
from many_wolves.families.politeness.reporting.figures.contrast import human_choices, lacks_people
from many_wolves.families.politeness.reporting.figures.efforts import (
    lacks_efforts,
    weights_by_effort,
)
from many_wolves.families.politeness.reporting.figures.literal import literal_semantics
from many_wolves.families.politeness.reporting.figures.tables import listener_table, speaker_table
from many_wolves.families.politeness.reporting.figures.triangle import (
    lacks_weights,
    weight_triangle,
)
from many_wolves.families.politeness.reporting.figures.weights import utility_weights

__all__ = [
    "choice_agreement",
    "choice_cells",
    "human_choices",
    "lacks_efforts",
    "lacks_people",
    "lacks_weights",
    "listener_table",
    "literal_semantics",
    "speaker_table",
    "study_agreement",
    "utility_weights",
    "weight_triangle",
    "weights_by_effort",
]
