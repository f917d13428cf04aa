"""Reads Inspect logs (``.eval``) like journals."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import IO, Any, cast, get_args

from pydantic import ValidationError

from many_wolves.errors import WolvesError
from many_wolves.evals.invalid_samples import reason, without_invalid
from many_wolves.evals.samples import QuestionOfSample, read_question
from many_wolves.evals.speaker import speaker_of
from many_wolves.records import Answer, Response, SpeakerSpec, Status, Value, response_key
from many_wolves.records.fields import read_value
from many_wolves.secrets import known_secrets, redactor
from many_wolves.speakers.api.effort import effort_in_request
from many_wolves.speakers.api.output import parse_output
from many_wolves.store.journal_lines import Reading, log_format


def read_log(file: Path) -> Reading:
    """Every sample of an Inspect log as a response.

    The replicate is the epoch, counted from zero. The requested effort is the configured one; the
    effective effort comes from the request in the log. A sample without an answer is ``failed``
    with the reason. A log of another task gives no responses, and a note.

    Raises
    ------
    WolvesError
        If the file is not an Inspect log.
    """
    log, invalid = _open(file)
    redact = redactor(known_secrets())
    spec = speaker_of(log, redact)
    responses: list[Response] = []
    bad = list(invalid.items())
    numbers = (number for number in count(1) if number not in invalid)
    for number, sample in zip(numbers, log.samples or [], strict=False):
        try:
            asked = read_question(sample.metadata)
        except ValueError as fault:
            bad.append((number, str(fault)))
            continue
        if sample.invalidation is not None:
            bad.append((number, f"it was invalidated: {sample.invalidation.reason or 'no reason'}"))
            continue
        response = _response(sample, asked, spec, _versions(log))
        responses.append(
            replace(
                response,
                text=redact(response.text),
                reasoning=redact(response.reasoning),
                error=redact(response.error),
            )
        )
    return Reading(
        file,
        tuple(responses),
        False,
        tuple(sorted((number, redact(why)) for number, why in bad)),
        unit="sample",
        note=_note(log, len(invalid)),
    )


def _open(file: Path) -> tuple[Any, dict[int, str]]:
    """The log with its valid samples, and why each other sample is invalid, by its number."""
    from inspect_ai.log import read_eval_log

    kind = log_format(file) or "eval"
    invalid: dict[int, str] = {}

    def opened(source: Path | IO[bytes]) -> Any:
        return read_eval_log(
            source, resolve_attachments="core", exclude_fields={"store"}, format=kind
        )

    try:
        try:
            return opened(file), invalid
        except Exception:  # Inspect's readers raise arbitrary errors.
            rest, invalid = without_invalid(file, kind)
            return opened(rest), invalid
    except Exception as fault:
        raise WolvesError(
            f"expected an Inspect log; the file cannot be read ({reason(fault)})",
            where=file,
            fix=_fix(fault),
        ) from fault


def _fix(fault: Exception) -> str:
    if isinstance(fault, ValidationError):
        return "correct or remove this part of the log, or run the evaluation again"
    return "if its run was killed: inspect log recover FILE"


def _note(log: Any, invalid: int) -> str:
    """A note on the missing samples of an incomplete run; empty if none are missing."""
    wanted = len(log.eval.dataset.sample_ids or []) * (log.eval.config.epochs or 1)
    found = len(log.samples or []) + invalid
    if log.status == "success" and found >= wanted:
        return ""
    return (
        f"the run ended with status {log.status!r}: {found} of {wanted} samples exist "
        "(`inspect eval-retry FILE` asks the rest)"
    )


def _versions(log: Any) -> dict[str, str]:
    found = {"many-wolves": str((log.eval.metadata or {}).get("code_version", ""))}
    return found | {name.replace("_", "-"): str(v) for name, v in log.eval.packages.items()}


def _response(
    sample: Any, asked: QuestionOfSample, spec: SpeakerSpec, versions: Mapping[str, str]
) -> Response:
    calls = [event for event in sample.events if event.event == "model"]
    last = calls[-1] if calls else None
    replicate = sample.epoch - 1
    retries = sum(call.retries or 0 for call in calls) + len(sample.error_retries or [])
    blank = Response(
        **vars(asked.question),
        key=response_key(asked.trial_id, spec, replicate),
        trial_id=asked.trial_id,
        speaker=spec,
        replicate=replicate,
        status="failed",
        effort_used=effort_in_request(last.call.request) if last is not None and last.call else "",
        latency_s=(last.working_time or 0.0) if last is not None else 0.0,
        retries=retries,
        waited_s=max((sample.total_time or 0.0) - (sample.working_time or 0.0), 0.0),
        versions=versions,
        created=str(sample.completed_at or ""),
    )
    return _answered(blank, sample, last)


def _answered(blank: Response, sample: Any, last: Any) -> Response:
    """The response with the model's answer, or with the reason why there is none."""
    faults = list(_faults(sample, last))
    output = sample.output
    if not output.choices or output.error:
        return replace(blank, error="; ".join(faults) or "the log contains no answer")
    answer = parse_output(output, blank.speaker.max_tokens or None)
    if faults and answer.status == "empty":
        return replace(blank, usage=answer.usage, error="; ".join(faults))
    value, status = _read(sample, blank.answer, answer.status)
    return replace(
        blank,
        value=value,
        status=status,
        text=answer.text,
        reasoning=answer.reasoning,
        usage=answer.usage,
        error="; ".join(filter(None, (answer.note, *faults))),
    )


def _faults(sample: Any, last: Any) -> Iterator[str]:
    if last is not None and last.error:
        yield str(last.error)
    elif sample.error is not None:
        yield str(sample.error.message)
    if sample.output.error:
        yield str(sample.output.error)
    if sample.limit is not None:
        yield f"stopped by the sample's limit: {sample.limit.type} {sample.limit.limit:g}"


def _read(sample: Any, answer: Answer, status: Status) -> tuple[Value, Status]:
    """The value that the family's scorer read at the time."""
    for score in (sample.scores or {}).values():
        found = score.metadata or {}
        if status != "answered" or found.get("status") not in get_args(Status):
            continue
        try:
            # Schema 1 kept the id of the option as the score's answer alone.
            value = read_value(answer, found.get("value", score.answer))
        except ValueError:
            return None, "unparsed"
        return value, cast(Status, found["status"])
    return None, status
