"""``wolves choices``: journals and Inspect logs -> a choice table with its checks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

import click

from many_wolves import families
from many_wolves.collection import Trials
from many_wolves.errors import WolvesError
from many_wolves.extras import needs
from many_wolves.files import file_fingerprint, fingerprint
from many_wolves.journals import Reading, journal_files, read_journal
from many_wolves.records import ChoiceTable, Response
from many_wolves.sources import nearest, quoted
from many_wolves.tables import write_table

KINDS = {
    "hf": "Hugging Face (hf, vllm)",
    "api": "an API (anthropic, openai, google, ...)",
    "all": "any provider",
}
"""Kind of speaker -> its providers in words."""
USUAL = "politeness"
STATUSES = ("answered", "unparsed", "refused", "empty", "failed")


@click.command("choices")
@click.argument("journals", nargs=-1, type=click.Path(path_type=Path))
@click.option(
    "--task",
    "family",
    help="Task family; that of the answers when left out. Without JOURNALS its own in "
    f"llm-output/TASK are read, and without both those of {USUAL}.",
)
@click.option(
    "--model_type",
    "--model-type",
    "kind",
    type=click.Choice(list(KINDS)),
    default="all",
    show_default=True,
    help="Read only speakers from Hugging Face (transformers, vLLM), or behind an API.",
)
@click.option(
    "--scoring",
    type=click.Choice(["sum", "mean", "pmi"]),
    default="sum",
    show_default=True,
    help="Score mode: log-probability of an option, its mean per token, or its gain over the "
    "log-probability without the scene.",
)
@click.option(
    "--only",
    multiple=True,
    metavar="FACTOR=VALUE",
    help="Count only this part of the design, for example scale=hearts or framing=third; "
    "may be given several times.",
)
@click.option(
    "--trials",
    type=click.Path(path_type=Path),
    help="Count only answers to the trials in this file, which `wolves compile` wrote.",
)
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    help="Folder of the table; rsa-output/TASK[-MODEL_TYPE]/choices when left out.",
)
def command(
    *,
    journals: tuple[Path, ...],
    family: str | None,
    kind: str,
    scoring: str,
    only: tuple[str, ...],
    trials: Path | None,
    out: Path | None,
) -> None:
    """Read answers into a table of choices.

    JOURNALS are files or folders that `wolves collect` wrote, or logs (.eval) of `inspect
    eval many_wolves/politeness`. What cannot be read is counted and listed with an
    example, never guessed.
    """
    # an unknown family is named before any file is read
    wanted = _named(family) if family else None
    sources = journals or (Path("llm-output") / (wanted or USUAL),)
    readings = [_read(file) for file in journal_files(sources)]
    _warn(readings)
    responses = _of_kind([r for reading in readings for r in reading.responses], kind)
    if not responses:
        raise _none(sources, readings, kind)
    if trials is not None:
        responses = _to(responses, trials)
    for part in only:
        responses = _part(responses, part)
    family, responses = _of_family(responses, wanted)
    table = families.get(family).tabulate(responses, scoring=scoring)
    meta = {
        **table.meta,
        "efforts": _efforts(table, responses),
        "only": list(only),
        "sources": _sources(readings),
    }
    table = replace(table, meta=meta)
    name = family if kind == "all" else f"{family}-{kind}"
    folder = write_table(table, out or Path("rsa-output") / name / "choices")
    if table.meta.get("repeated"):
        click.echo(
            f"{table.meta['repeated']} answers are to a question (trial, settings, replicate) that "
            "has a later one, and are left out; more answers to a question are more replicates",
            err=True,
        )
    click.echo(_overview(table))
    for check in table.checks:
        click.echo(f"{'ok    ' if check.ok else 'FAILED'}  {check.statement}")
    click.echo(f"table in {folder}")


def _named(task: str) -> str:
    """Name of the family that is asked for by its name or by that of a task."""
    if task in families.tasks() and task not in families.names():
        return families.of_task(task).name
    return families.get(task).name


def _of_family(responses: list[Response], wanted: str | None) -> tuple[str, list[Response]]:
    """The family that is read, and the answers to its questions."""
    found = sorted({response.family for response in responses})
    if wanted is None and len(found) > 1:
        raise WolvesError(
            f"expected answers of one task family, found those of {quoted(found)}",
            mend=f"--task {found[0]}, and each of the others by itself",
        )
    family = wanted or found[0]
    if family not in found:
        raise WolvesError(
            f"expected answers of the task family {family!r}, found those of {quoted(found)}",
            mend=f"--task {found[0]}",
        )
    return family, [response for response in responses if response.family == family]


def _read(file: Path) -> Reading:
    """A journal, or an Inspect log by its ending."""
    if file.suffix != ".eval":
        return read_journal(file)
    with needs("api", "reading an Inspect log"):
        from many_wolves.evals.logs import read_log

    return read_log(file)


def _of_kind(responses: Sequence[Response], kind: str) -> list[Response]:
    return [r for r in responses if kind in ("all", _kind(r.speaker.provider))]


def _kind(provider: str) -> str:
    if provider in ("hf", "vllm"):
        return "hf"
    return "simulated" if provider == "simulated" else "api"


def _to(responses: Sequence[Response], trials: Path) -> list[Response]:
    """The answers to the trials of a file."""
    asked = {trial.id for trial in Trials(trials)}
    found = [r for r in responses if {r.trial_id, r.episode.partition("-")[0]} & asked]
    if not found:
        raise WolvesError(
            f"expected answers to its {len(asked)} trials, found none",
            where=trials,
            mend=f"wolves collect {trials} ...",
        )
    return found


def _part(responses: Sequence[Response], part: str) -> list[Response]:
    """The responses in one part of the design; tasks without the factor are kept whole."""
    factor, equals, value = (word.strip() for word in part.partition("="))
    found = sorted({str(r.cell[factor]) for r in responses if factor in r.cell})
    if not equals or not found:
        known = sorted({name for r in responses for name in r.cell})
        raise WolvesError(
            f"expected FACTOR=VALUE in --only, found {part!r}",
            mend=f"factors: {quoted(known)}; for example --only scale=hearts",
        )
    if value not in found:
        raise WolvesError(f"no answer has {part!r}, given with --only", mend=nearest(value, found))
    return [r for r in responses if str(r.cell.get(factor, value)) == value]


def _warn(readings: Iterable[Reading]) -> None:
    """Name every line that could not be used."""
    for reading in readings:
        if reading.torn:
            click.echo(
                f"{reading.file}: the last line is torn (the writer was stopped); it is left out, "
                "and `wolves collect` asks its question again",
                err=True,
            )
        if reading.note:
            click.echo(f"{reading.file}: {reading.note}", err=True)
        for number, reason in reading.bad:
            click.echo(f"{reading.file}, {reading.unit} {number}: left out, {reason}", err=True)


def _none(sources: Sequence[Path], readings: Sequence[Reading], kind: str) -> WolvesError:
    found = Counter(r.speaker.provider for reading in readings for r in reading.responses)
    what = ", ".join(f"{n} from {provider}" for provider, n in found.items()) or "none"
    return WolvesError(
        f"expected answers from {KINDS[kind]}, found {what}",
        where=sources[0] if len(sources) == 1 else None,
        mend="run `wolves collect` first"
        if not found
        else "leave --model_type out, or give the journals of such a speaker",
    )


def _efforts(table: ChoiceTable, responses: Iterable[Response]) -> dict[str, dict[str, int]]:
    """Number of answers of each speaker by the effort in effect, where that is known."""
    names = {fingerprint(spec): name for name, spec in table.meta["speakers"].items()}
    found: dict[str, Counter[str]] = {}
    for response in responses:
        name = names.get(fingerprint(response.speaker.settings))
        if name is not None and response.effort_used:
            found.setdefault(name, Counter())[response.effort_used] += 1
    return {name: dict(counts) for name, counts in found.items()}


def _sources(readings: Iterable[Reading]) -> list[dict[str, object]]:
    return [
        {
            "file": reading.file.name,
            "fingerprint": file_fingerprint(reading.file),
            "responses": len(reading.responses),
            "torn": reading.torn,
            "left_out": [{reading.unit: number, "reason": why} for number, why in reading.bad],
        }
        for reading in readings
    ]


def _overview(table: ChoiceTable) -> str:
    """A short table: how many answers of each speaker could be read, and its checks."""
    rows = [["speaker", *STATUSES, "checks"]]
    for speaker, found in table.meta["status"].items():
        failed = [check.name for check in table.checks if check.speaker == speaker and not check.ok]
        verdict = f"failed: {', '.join(failed)}" if failed else "ok"
        rows.append([speaker, *(str(found.get(status, 0)) for status in STATUSES), verdict])
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    return "\n".join(
        "  ".join(
            cell.rjust(width) if 0 < i <= len(STATUSES) else cell.ljust(width)
            for i, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    )
