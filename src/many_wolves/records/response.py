"""An answer, as one line of a journal."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Self

from many_wolves.files import canonical_json, text_fingerprint
from many_wolves.records.answer_types import Value, answer_json, bare, made
from many_wolves.records.fields import (
    FIELD_TYPES,
    SCHEMA,
    OptionScore,
    Status,
    checked,
    read_cell,
    read_counts,
    read_score,
    read_status,
    read_value,
    schema_of,
    shared_answer,
    shared_choose,
)
from many_wolves.records.question import Question, Trial
from many_wolves.records.speaker import SpeakerSpec


@dataclass(frozen=True)
class Response(Question):
    """One answer, as one line of a journal, with everything that is needed to tabulate it.

    ``value`` is what was read when the answer arrived: the id of an option, a number, a text
    or an object. Free text may be answered without a value (None). ``wolves choices``
    reads ``text`` again. The requested effort is in ``speaker``; ``effort_used`` is the effective
    one.
    ``format_used`` records how an API was asked for a number or an object: by a JSON ``schema``
    or by an ``instruction`` in the prompt. ``usage`` counts tokens
    (``input``, ``output``, ``reasoning``); ``latency_s``, ``waited_s`` are seconds, the
    second one spent waiting between retries.
    """

    key: str
    trial_id: str
    speaker: SpeakerSpec
    replicate: int
    status: Status
    value: Value = None
    scores: tuple[OptionScore, ...] = ()
    text: str = ""
    reasoning: str = ""
    effort_used: str = ""
    format_used: str = ""
    usage: Mapping[str, int] = field(default_factory=dict)
    latency_s: float = 0.0
    retries: int = 0
    waited_s: float = 0.0
    error: str = ""
    versions: Mapping[str, str] = field(default_factory=dict)
    created: str = ""

    def to_json(self) -> dict[str, Any]:
        """The response as a JSON object with its schema version; do not modify it."""
        # asdict would copy every value, which takes longer than writing the line.
        record = (
            {"schema": SCHEMA}
            | vars(self)
            | {
                "cell": dict(self.cell),
                "answer": answer_json(self.answer),
                "scores": [asdict(score) for score in self.scores],
                "speaker": self.speaker.settings,
                "usage": dict(self.usage),
                "versions": dict(self.versions),
            }
        )
        for late in ("seat", "format_used"):
            if not record[late]:
                del record[late]
        return record

    @classmethod
    def from_json(cls, record: Mapping[str, Any], like: Response | None = None) -> Self:
        """Read back what ``to_json`` gave, or gave in schema 1.

        Parameters
        ----------
        record
            The JSON object.
        like
            Another response, whose speaker and versions are reused if they are equal.

        Raises
        ------
        KeyError, TypeError, ValueError
            If a field is missing, unknown, or of another type.
        """
        fields = {k: v for k, v in record.items() if k != "schema"}
        if schema_of(record) == 1:
            fields["answer"] = shared_choose(fields.pop("options"))
            fields["value"] = fields.pop("choice", None)
        else:
            fields["answer"] = shared_answer(fields["answer"])
        for name in fields.keys() & FIELD_TYPES.keys():
            checked(fields, name)
        fields["status"] = read_status(fields["status"])
        fields["value"] = read_value(fields["answer"], fields.get("value"))
        fields["cell"] = read_cell(fields["cell"])
        fields["usage"] = read_counts(fields.get("usage", {}))
        fields["scores"] = tuple(read_score(score) for score in fields.get("scores", ()))
        if like is not None and like.speaker.settings == fields["speaker"]:
            fields["speaker"] = like.speaker
        else:
            fields["speaker"] = SpeakerSpec.from_json(fields["speaker"])
        if like is not None and like.versions == fields.get("versions"):
            fields["versions"] = like.versions
        return made(cls, fields, "an answer")


def response_key(trial_id: str, speaker: SpeakerSpec, replicate: int) -> str:
    """Hash of everything that can change the answer: the trial, the settings, the replicate."""
    # The canonical JSON of [trial_id, settings, replicate], whose middle part is cached.
    text = f"[{canonical_json(trial_id)},{speaker.canonical},{replicate}]"
    return text_fingerprint(text, 24)


def blank_response(
    trial: Trial, speaker: SpeakerSpec, replicate: int, status: Status = "failed", **known: Any
) -> Response:
    """A response to ``trial`` with the known fields; ``failed`` until it has an answer."""
    return Response(
        key=response_key(trial.id, speaker, replicate),
        trial_id=trial.id,
        family=trial.family,
        task=trial.task,
        cell=trial.cell,
        answer=bare(trial.answer),
        speaker=speaker,
        replicate=replicate,
        status=status,
        episode=trial.episode,
        turn=trial.turn,
        seat=trial.seat,
        **known,
    )
