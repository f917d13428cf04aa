"""``wolves pool``: many speakers in one model, beside no and complete pooling."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from many_wolves.commands.options import (
    FRAMING,
    NODES,
    UTILITIES,
    sampling_options,
    settings_of,
)

if TYPE_CHECKING:
    import pandas as pd

    from many_wolves.contracts import PooledModel, Problem
    from many_wolves.inference import Settings
    from many_wolves.inference.engines.protocol import Program
    from many_wolves.records import ChoiceTable

UNIT = "choice"


@click.command("pool")
@click.argument("tables", nargs=-1, type=click.Path(path_type=Path))
@click.option(
    "--pooling", help="Only these, with commas: partial, none, complete; all when left out."
)
@click.option(
    "--groups",
    type=click.Path(path_type=Path),
    help="CSV file with columns speaker, group: speakers of a group are alike a priori.",
)
@FRAMING
@click.option(
    "--literal",
    type=click.Choice(["fixed", "shared"]),
    default="fixed",
    show_default=True,
    help="theta at the means of each speaker's judgments, or of all judgments together.",
)
@UTILITIES
@NODES
@sampling_options(adapt_delta=0.9)
@click.option("--out", type=click.Path(path_type=Path), required=True, help="Folder of the result.")
def command(tables: tuple[Path, ...], **options: Any) -> int:
    """Fit all speakers of TABLES at once, so that they borrow strength from each other.

    TABLES are folders of `wolves choices` or CSV files. Writes pooling.csv, which
    compares the ways of pooling by leave-one-out accuracy, and a fit folder for
    each. Fits that are done are not made again.

    \b
    Exit status: 0 every row is to be trusted, 1 some row is not; its verdict says why.
    """
    from many_wolves import inference
    from many_wolves.commands.modelling import pooled_model
    from many_wolves.files import write_atomic

    table = joined(tables, options["framing"])
    model = pooled_model(table.family)
    problems = _problems(model, table, options)
    for note in next(iter(problems.values())).notes:
        click.echo(f"Note: {note}", err=True)
    program = inference.load(next(iter(problems.values())).program, options["engine"], _say)
    settings = settings_of(options)
    out: Path = options["out"]
    for name, problem in problems.items():
        _fit(name, problem, model, program, settings, out, table)
    rows = _rows(list(problems), out)
    write_atomic(out / "pooling.csv", rows.to_csv(index=False))
    shown = rows.drop(columns=["verdict"])
    click.echo(shown.to_string(index=False, float_format=lambda x: f"{x:.2f}"))
    for _, row in rows[~rows["ok"]].iterrows():
        click.echo(f"{row['pooling']}: {row['verdict']}")
    click.echo(f"elpd: per choice left out, nats, over all choices. Written to {out}")
    return 0 if rows["ok"].all() else 1


def joined(paths: tuple[Path, ...], framing: str | None = None) -> ChoiceTable:
    """One table of all speakers of several tables.

    Raises
    ------
    WolvesError
        If there is no table, a speaker stands in two of them, or families differ.
    """
    import pandas as pd

    from many_wolves.commands.tables import load_table, only
    from many_wolves.errors import WolvesError

    if not paths:
        raise WolvesError(
            "expected tables of choices, found none",
            mend="wolves pool rsa-output/ONE/choices rsa-output/TWO/choices --out FOLDER",
        )
    found = [load_table(path) for path in paths]
    if framing is not None:
        found = [only(t, "framing", framing, p) for t, p in zip(found, paths, strict=True)]
    names = [speaker for table in found for speaker in table.speakers]
    twice = [name for name in dict.fromkeys(names) if names.count(name) > 1]
    if twice or len({table.family for table in found}) > 1:
        raise WolvesError(
            f"the speaker {twice[0]} stands in two tables"
            if twice
            else "the tables are of different families",
            mend="give every speaker one table, all of one family",
        )
    asides = list(dict.fromkeys(name for table in found for name in table.aside))
    return replace(
        found[0],
        counts=pd.concat([table.counts for table in found], ignore_index=True),
        aside={
            name: pd.concat(
                [_with_speaker(t, name) for t in found if name in t.aside], ignore_index=True
            )
            for name in asides
        },
        checks=tuple(check for table in found for check in table.checks),
        excluded=pd.concat([table.excluded for table in found], ignore_index=True),
        meta={"sources": [str(path) for path in paths]},
    )


def _with_speaker(table: ChoiceTable, name: str) -> pd.DataFrame:
    """A table aside in which each row names its speaker."""
    frame = table.aside[name]
    return frame if "speaker" in frame else frame.assign(speaker=table.speakers[0])


def _problems(
    model: PooledModel, table: ChoiceTable, options: Mapping[str, Any]
) -> dict[str, Problem]:
    from many_wolves.errors import WolvesError

    asked = [p.strip() for p in (options["pooling"] or "").split(",") if p.strip()]
    unknown = [p for p in asked if p not in model.poolings]
    if unknown:
        raise WolvesError(
            f"unknown pooling {unknown[0]!r}", mend=f"--pooling {','.join(model.poolings)}"
        )
    return {
        name: model.problem(
            table,
            pooling=name,
            groups=_groups(options["groups"]),
            literal=options["literal"],
            utilities=[u.strip() for u in options["utilities"].split(",") if u.strip()],
            nodes=options["nodes"],
        )
        for name in model.poolings
        if not asked or name in asked
    }


def _groups(path: Path | None) -> dict[str, str]:
    import pandas as pd

    from many_wolves.errors import WolvesError

    if path is None:
        return {}
    try:
        frame = pd.read_csv(path, dtype=str)
        return dict(zip(frame["speaker"], frame["group"], strict=True))
    except (OSError, ValueError, KeyError) as error:
        raise WolvesError(
            f"expected a CSV file with the columns speaker, group; {error}",
            where=path,
            mend="write a line `speaker,group`, then one line a speaker",
        ) from error


def _fit(
    name: str,
    problem: Problem,
    model: PooledModel,
    program: Program,
    settings: Settings,
    out: Path,
    table: ChoiceTable,
) -> None:
    """Fit one way of pooling and write its row; nothing if the same row is there already."""
    from many_wolves import inference
    from many_wolves.commands.compare import mark
    from many_wolves.files import write_atomic
    from many_wolves.inference.evaluation.compare import accuracy
    from many_wolves.inference.evaluation.loo import write_parts
    from many_wolves.inference.evaluation.pooling import row

    folder = out / name
    seal = mark(problem, settings, UNIT, program)
    if (folder / "row.json").exists():
        if json.loads((folder / "row.json").read_text())["fingerprint"] == seal:
            click.echo(f"{name}: done before", err=True)
            return
        (folder / "row.json").unlink()
    click.echo(f"{name} pooling:", err=True)
    done = inference.fit_carefully(problem, program, model.parameters, settings, _say, attempts=1)
    inference.save(done, folder, {"source": dict(table.meta)})
    left_out = accuracy(done)
    write_parts(left_out, folder / "loo.csv")
    record = row(name, done, left_out).to_json() | {"fingerprint": seal}
    write_atomic(folder / "row.json", json.dumps(record, indent=2) + "\n")


def _rows(names: list[str], out: Path) -> pd.DataFrame:
    from many_wolves.inference.evaluation.loo import read_parts
    from many_wolves.inference.evaluation.pooling import compared

    records = [json.loads((out / name / "row.json").read_text()) for name in names]
    return compared(records, [read_parts(out / name / "loo.csv") for name in names])


def _say(sentence: str) -> None:
    click.echo(f"  {sentence} ...", err=True)
