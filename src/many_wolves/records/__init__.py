"""The types that pass between stages: the only thing that every stage knows.

Data runs one way: ``Trial`` -> ``Response`` -> ``Observations`` -> fit. The factors of a
task family are in the ``cell`` of a trial (for politeness:
item, state, scale, goal, framing), so no record names them.

Schema 2 writes the answer type of a question and the value of an answer. Schema 1 had only
options and a choice. Its files stay readable, and ids and keys of its
questions are computed as they were.
"""

from many_wolves.records.answer_types import (
    LABELS,
    Answer,
    Choose,
    Form,
    Message,
    Number,
    Option,
    Role,
    Text,
    Value,
)
from many_wolves.records.check import Check
from many_wolves.records.fields import READABLE, SCHEMA, Cell, OptionScore, Status
from many_wolves.records.question import Question, Trial, with_replicates
from many_wolves.records.response import Response, blank_response, response_key
from many_wolves.records.speaker import Effort, Mode, PromptFormat, SpeakerSpec

__all__ = [
    "LABELS",
    "READABLE",
    "SCHEMA",
    "Answer",
    "Cell",
    "Check",
    "Choose",
    "Effort",
    "Form",
    "Message",
    "Mode",
    "Number",
    "Option",
    "OptionScore",
    "PromptFormat",
    "Question",
    "Response",
    "Role",
    "SpeakerSpec",
    "Status",
    "Text",
    "Trial",
    "Value",
    "blank_response",
    "response_key",
    "with_replicates",
]
