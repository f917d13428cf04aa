"""Output of `wolves study` before anything is asked: stages, calls, tokens, cost."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from many_wolves import families
from many_wolves.contracts import Design
from many_wolves.counting import number_of
from many_wolves.errors import WolvesError
from many_wolves.records import Trial
from many_wolves.sources import read_source
from many_wolves.study import Bill, Stage, Study
from many_wolves.workflows.compile import Request, trials_of


def compiled(study: Study, file: Path) -> list[Trial]:
    """The trials of a study's first task, compiled as its stage will compile them.

    Raises
    ------
    WolvesError
        With the line of the study file, if the study refers to something that the sources lack.
    """
    first = study.plan[0]
    family, task = families.of_task(first.task)
    try:
        return list(trials_of(Request(family.name, {task: first.design})))
    except WolvesError as fault:
        raise _at_its_line(fault, first.design, file) from fault


def _at_its_line(fault: WolvesError, design: Design, file: Path) -> WolvesError:
    """The error, moved to the line of the study file that refers to what is missing."""
    entries = read_source(file).entries()
    place = "trials"
    section = entries.get("trials")
    if section is None and "tasks" in entries:
        place, section = "tasks.0", entries["tasks"].sequence()[0]
    if section is None:
        return fault
    for field, value in design:
        if fault.line is None and isinstance(value, Path) and _is_in(value, fault.where):
            found = section.entries().get(field, section)
            return found.error(f"{place}.{field}: {fault.where}: {fault.problem}", fault.fix)
        named = [value] if isinstance(value, str) else value if isinstance(value, tuple) else []
        if any(repr(name) in fault.problem for name in named):
            found = section.entries().get(field, section)
            return found.error(f"{place}.{field}: {fault.problem}", fault.fix)
    return fault


def _is_in(folder: Path, where: str | Path | None) -> bool:
    """Whether an error is about a file, or about one in the folder."""
    return where is not None and folder in (Path(where), Path(where).parent)


def stage_line(stages: Sequence[Stage]) -> str:
    """Number of stages by their kind, in one line."""
    kinds = Counter(stage.name.split()[0] for stage in stages)
    return f"{len(stages)} stages: " + ", ".join(f"{n} {kind}" for kind, n in kinds.items())


def bill_lines(bills: Sequence[Bill]) -> Iterator[str]:
    """A table with the calls, tokens and cost of every speaker, and their sum."""
    rows = [["speaker", "answered", "calls", "input tokens", "output tokens", "US dollars", ""]]
    rows += [_row(bill) for bill in bills]
    rows.append(_sum(bills))
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    for row in rows:
        cells = [row[0].ljust(widths[0])]
        cells += [cell.rjust(width) for cell, width in zip(row[1:6], widths[1:6], strict=True)]
        yield "  ".join([*cells, row[6]]).rstrip()
    yield "Tokens and money are estimates; for a speaker that reasons, upper bounds."


def bill_record(bill: Bill) -> dict[str, Any]:
    """What a speaker takes, as JSON has it."""
    return {
        "speaker": bill.name,
        "answered": bill.answered,
        "calls": bill.calls,
        "input_tokens": bill.input,
        "output_tokens": bill.output,
        "dollars": bill.money,
    }


def _row(bill: Bill) -> list[str]:
    remark = bill.price.remark if bill.price else "no price in the table"
    return [bill.name, *_numbers(bill), _dollars(bill.money), remark]


def _numbers(bill: Bill) -> list[str]:
    return [f"{n:,.0f}" for n in (bill.answered, bill.calls, bill.input, bill.output)]


def _sum(bills: Sequence[Bill]) -> list[str]:
    known = [bill.money for bill in bills if bill.money is not None]
    lacking = len(bills) - len(known)
    total = Bill(
        name=number_of(len(bills), "speaker"),
        answered=sum(bill.answered for bill in bills),
        calls=sum(bill.calls for bill in bills),
        input=sum(bill.input for bill in bills),
        output=sum(bill.output for bill in bills),
        price=None,
        batch=False,
    )
    remark = f"and {lacking} without a price" if lacking else ""
    return [total.name, *_numbers(total), _dollars(sum(known)), remark]


def _dollars(money: float | None) -> str:
    return "unknown" if money is None else f"{money:,.2f}"
