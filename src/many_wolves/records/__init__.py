"""The types that pass between stages, which every stage knows.

Data flow in one direction: ``Trial`` -> ``Response`` -> ``Observations`` -> fit. The factors of a
task family (for politeness: item, state, scale, goal, framing) are in the ``cell`` of a trial. So
no record type has fields for them.

Schema 2 contains the answer type of a question and the value of an answer. Schema 1 had only
options and a choice. Its files stay readable, and the ids and keys of its questions are
unchanged.
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
