"""Reads journals and Inspect logs into observations with their checks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from many_wolves import families
from many_wolves.contracts import Observations, RecordingFamily
from many_wolves.counting import number_of
from many_wolves.errors import WolvesError
from many_wolves.extras import needs
from many_wolves.files import file_fingerprint, fingerprint
from many_wolves.progress import log
from many_wolves.records import Response
from many_wolves.sources import nearest, quoted
from many_wolves.store.journal_lines import (
    Reading,
    journal_files,
    log_format,
    read_journal,
    session_folders,
)

Kind = Literal["hf", "api", "all"]
Scoring = Literal["sum", "mean", "pmi"]
KINDS = {
    "hf": "Hugging Face (hf, vllm)",
    "api": "an API (anthropic, openai, google, ...)",
    "all": "any provider",
}
"""Kind of speaker -> description of its providers."""
LOCAL = ("hf", "vllm")


@dataclass(frozen=True)
class Selection:
    """Which answers are tabulated.

    Parameters
    ----------
    family
        Task family; None for that of the answers.
    kind
        Kind of provider.
    parts
        ``FACTOR=VALUE``: parts of the design.
    trials
        File of trials; only answers to these are kept.
    """

    family: str | None = None
    kind: Kind = "all"
    parts: tuple[str, ...] = ()
    trials: Path | None = None


def tabulated(
    sources: Sequence[Path], selection: Selection, scoring: Scoring = "sum"
) -> Observations:
    """The answers in journals, folders of journals and Inspect logs, as observations.

    Raises
    ------
    WolvesError
        If there are no answers, or they are of several families and none is given.
    """
    readings = [_read(file) for file in journal_files(sources)]
    _warn(readings)
    responses = [r for reading in readings for r in reading.responses]
    responses = [r for r in responses if selection.kind in ("all", _kind(r.speaker.provider))]
    if not responses:
        raise _none(sources, readings, selection.kind)
    if selection.trials is not None:
        responses = _to(responses, selection.trials)
    for part in selection.parts:
        responses = _part(responses, part)
    family, responses = _of_family(responses, selection.family)
    chosen = families.get(family)
    if isinstance(chosen, RecordingFamily):
        table = chosen.tabulate_sessions(responses, session_folders(sources))
    else:
        table = chosen.tabulate(responses, scoring=scoring)
    _warn_of_counts(table)
    meta = {
        **table.meta,
        "efforts": _efforts(table, responses),
        "only": list(selection.parts),
        "sources": [_source(reading) for reading in readings],
    }
    return replace(table, meta=meta)


def family_named(name: str) -> str:
    """Name of a family, given its own name or that of one of its tasks."""
    return families.parts(name)[0].family


def _of_family(responses: list[Response], wanted: str | None) -> tuple[str, list[Response]]:
    """The family, and the answers to its questions."""
    found = sorted({response.family for response in responses})
    if wanted is None and len(found) > 1:
        raise WolvesError(
            f"expected answers of one task family, found those of {quoted(found)}",
            fix=f"--task {found[0]}, and separate runs for the others",
        )
    family = wanted or found[0]
    if family not in found:
        raise WolvesError(
            f"expected answers of the task family {family!r}, found those of {quoted(found)}",
            fix=f"--task {found[0]}",
        )
    return family, [response for response in responses if response.family == family]


def _read(file: Path) -> Reading:
    """Read a journal, or an Inspect log in either of its formats."""
    if log_format(file) is None:
        return read_journal(file)
    with needs("api", "reading an Inspect log"):
        from many_wolves.evals.logs import read_log

    return read_log(file)


def _kind(provider: str) -> str:
    if provider in LOCAL:
        return "hf"
    return "simulated" if provider == "simulated" else "api"


def _to(responses: Sequence[Response], trials: Path) -> list[Response]:
    """The answers to the trials of a file."""
    from many_wolves.collection import Trials

    asked = {trial.id for trial in Trials(trials)}
    found = [r for r in responses if {r.trial_id, r.episode.partition("-")[0]} & asked]
    if not found:
        raise WolvesError(
            f"expected answers to its {number_of(len(asked), 'trial')}, found none",
            where=trials,
            fix=f"wolves collect {trials} ...",
        )
    return found


def _part(responses: Sequence[Response], part: str) -> list[Response]:
    """The responses in one part of the design; tasks without the factor are kept in full."""
    factor, equals, value = (word.strip() for word in part.partition("="))
    found = sorted({str(r.cell[factor]) for r in responses if factor in r.cell})
    if not equals or not found:
        known = sorted({name for r in responses for name in r.cell})
        raise WolvesError(
            f"expected FACTOR=VALUE in --only, found {part!r}",
            fix=f"factors: {quoted(known)}; for example --only scale=hearts",
        )
    if value not in found:
        raise WolvesError(f"no answer matches --only {part!r}", fix=nearest(value, found))
    return [r for r in responses if str(r.cell.get(factor, value)) == value]


def _warn(readings: Iterable[Reading]) -> None:
    """Warn about every line that could not be used; once for a file without any answer."""
    for reading in readings:
        if reading.bad and not reading.responses:
            number, reason = reading.bad[0]
            log.warning(
                "%s: found no answer in its %s; %s %d: %s",
                reading.file,
                number_of(len(reading.bad), reading.unit),
                reading.unit,
                number,
                reason,
            )
            continue
        if reading.torn:
            log.warning(
                "%s: the last line is incomplete (the writer was stopped); it is ignored, "
                "and `wolves collect` asks its question again",
                reading.file,
            )
        if reading.note:
            log.warning("%s: %s", reading.file, reading.note)
        for number, reason in reading.bad:
            log.warning("%s, %s %d: left out, %s", reading.file, reading.unit, number, reason)


def _warn_of_counts(table: Observations) -> None:
    """Report how many answers the tables leave out."""
    if table.meta.get("repeated"):
        log.warning(
            "%s left out: replaced by later answers to the same question (trial, settings, "
            "replicate); use more replicates for more answers",
            number_of(table.meta["repeated"], "answer"),
        )
    if table.meta.get("foreign"):
        log.warning(
            "%s left out: task, options and cell of the design are not recorded; "
            "`wolves collect` records all of these",
            number_of(table.meta["foreign"], "answer"),
        )


def _none(sources: Sequence[Path], readings: Sequence[Reading], kind: str) -> WolvesError:
    found = Counter(r.speaker.provider for reading in readings for r in reading.responses)
    what = ", ".join(f"{n} from {provider}" for provider, n in found.items()) or "none"
    return WolvesError(
        f"expected answers from {KINDS[kind]}, found {what}",
        where=sources[0] if len(sources) == 1 else None,
        fix="leave --model_type out, or give the journals of such a speaker"
        if found
        else _where_answers_are(readings),
    )


def _where_answers_are(readings: Sequence[Reading]) -> str:
    """A fix for files without answers: a journal may be empty, other files have no answers."""
    if not any(reading.bad for reading in readings):
        return "run `wolves collect` first"
    fix = "give journals of `wolves collect` (*.jsonl) or logs of `inspect eval`"
    tables = any(reading.file.suffix.lower() in (".csv", ".tsv") for reading in readings)
    return fix + ("; a table of choices is for `wolves fit`" if tables else "")


def _efforts(table: Observations, responses: Iterable[Response]) -> dict[str, dict[str, int]]:
    """Number of answers of each speaker by effective effort, if known."""
    names = {fingerprint(spec): name for name, spec in dict(table.meta.get("speakers", {})).items()}
    found: dict[str, Counter[str]] = {}
    for response in responses:
        name = names.get(fingerprint(response.speaker.settings))
        if name is not None and response.effort_used:
            found.setdefault(name, Counter())[response.effort_used] += 1
    return {name: dict(counts) for name, counts in found.items()}


def _source(reading: Reading) -> dict[str, object]:
    return {
        "file": reading.file.name,
        "fingerprint": file_fingerprint(reading.file),
        "responses": len(reading.responses),
        "torn": reading.torn,
        "left_out": [{reading.unit: number, "reason": why} for number, why in reading.bad],
    }
