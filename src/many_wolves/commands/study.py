"""``wolves study``: run a study file from trials to report, or show its progress."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import click

from many_wolves import families
from many_wolves.collection import read_trials
from many_wolves.commands.command import Group, show, wants_json
from many_wolves.commands.planning import bill_lines, bill_record, compiled, stage_line
from many_wolves.counting import number_of
from many_wolves.progress import log
from many_wolves.records import Trial
from many_wolves.study import (
    Bill,
    NewStudy,
    Stage,
    StateFile,
    Study,
    StudyPaths,
    bills,
    cast,
    check_speakers,
    check_study,
    fitted_names,
    in_order,
    lacking,
    new_study,
    plan,
    read_study,
    run_study,
    shown,
    why,
)

_WIDTH = 120
"""Maximum length of a command in a dry run; one on 60 fits has thousands of characters."""
_EACH = 3
"""Maximum number of commands of a kind, and of faults at a place, in a dry run."""


def _say(text: str) -> None:
    log.info("%s", text)


@click.group(cls=Group)
def command() -> None:
    """Run a study file from trials to report."""


@command.command("new", as_json=True)
@click.argument("name")
@click.option("--task", default=families.DEFAULT, show_default=True, help="The task of the study.")
@click.option(
    "--checkpoints",
    metavar="FOLDER",
    type=click.Path(path_type=Path),
    help="A local model, or the folder of a training run's checkpoints.",
)
@click.option("--provider", default="", help="hf, vllm, anthropic, openai, google, ...")
@click.option("--model", default="", help="Name of the model at its provider.")
@click.option(
    "--out", type=click.Path(path_type=Path), help="The file (default: studies/NAME.yaml)."
)
def new_command(out: Path | None, **wanted: Any) -> None:
    """Write a study file with comments, ready to run.

    NAME is the name of the study and of its results folder. Without a model or
    checkpoints, the study uses a small model that runs anywhere.
    """
    file = new_study(NewStudy(**wanted), out)
    show({"file": file}, lambda: click.echo(file))


@command.command("run", as_json=True)
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--again", is_flag=True, help="Run every stage, even if it is up to date.")
@click.option("--dry-run", is_flag=True, help="Print the cost and the commands; run nothing.")
@click.option("--commands", is_flag=True, help="Print every command in full; run nothing.")
def run_command(file: Path, again: bool, dry_run: bool, commands: bool) -> None:
    """Run the stages of the study FILE that are out of date.

    A stage that fails stops only the stages that need it. After an interrupt, run the
    same command to resume.
    """
    study = read_study(file)
    places = StudyPaths(study.study)
    stages = plan(study, places)
    trials = _trials(study, file)
    if dry_run or commands:
        asked = _bills(study, places, trials)

        def words() -> None:
            if commands:
                lines = [shown(stage.command) for stage in in_order(stages)]
            else:
                costs = _costs(study, places, stages, trials, asked)
                lines = [*costs, *_briefly(_lacking(study, file)), "", *_shortened(stages)]
            for line in lines:
                click.echo(line)

        show(_planned(study, file, stages, trials, asked), words)
        return
    for line in _briefly(_lacking(study, file)):
        log.warning("%s", line)
    started = time.monotonic()
    run_study(study, places, again=again)
    _close(study, places, time.monotonic() - started)


@command.command("plan", as_json=True)
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "--prices",
    type=click.Path(path_type=Path),
    help="Table of prices (default: task-data/prices.yaml).",
)
def plan_command(file: Path, prices: Path | None) -> None:
    """Print the size and cost of the study FILE; ask nothing.

    The table has the number of questions per speaker, their tokens and their cost.
    """
    study = read_study(file)
    places = StudyPaths(study.study)
    trials = _trials(study, file)
    stages = plan(study, places)
    asked = _bills(study, places, trials, prices)
    result = _planned(study, file, stages, trials, asked)

    def words() -> None:
        costs = _costs(study, places, stages, trials, asked)
        for line in (*costs, *_briefly(result["lacking"])):
            click.echo(line)

    show(result, words)


@command.command("status", as_json=True)
@click.argument("file", type=click.Path(path_type=Path))
def status_command(file: Path) -> None:
    """Print which stages of the study FILE are up to date.

    Every other stage has the reason why it must run.
    """
    study = read_study(file)
    places = StudyPaths(study.study)
    done = StateFile(places.state).load()
    stages = in_order(plan(study, places))
    width = max(len(stage.name) for stage in stages)
    waiting: set[str] = set()
    asked = _asked(study, places)
    rows = []
    for stage in stages:
        reason = why(stage, done) or _waits(stage, waiting)
        if reason:
            waiting.add(stage.name)
        far = asked.get(stage.name, "") if reason else ""
        seconds = None if reason else done[stage.name].seconds
        rows.append({"stage": stage.name, "to_do": reason, "so_far": far, "seconds": seconds})

    def words() -> None:
        for row in rows:
            state = (
                f"to do: {row['to_do']}" if row["to_do"] else f"up to date, {row['seconds']:.0f} s"
            )
            far = f" ({row['so_far']})" if row["so_far"] else ""
            click.echo(f"{str(row['stage']).ljust(width)}  {state}{far}")

    show({"study": study.study, "stages": rows}, words)


def _bills(
    study: Study, places: StudyPaths, trials: Sequence[Trial], prices: Path | None = None
) -> list[Bill]:
    """A bill per speaker; none if nobody is asked."""
    return list(bills(study, places, trials, prices)) if study.speakers else []


def _planned(
    study: Study,
    file: Path,
    stages: Sequence[Stage],
    trials: Sequence[Trial],
    asked: Sequence[Bill],
) -> dict[str, Any]:
    """The plan of a study as a JSON object."""
    return {
        "study": study.study,
        "stages": [{"name": stage.name, "command": stage.command} for stage in in_order(stages)],
        "trials": len(trials),
        "speakers": [bill_record(bill) for bill in asked],
        "lacking": list(_lacking(study, file)),
    }


def _trials(study: Study, file: Path) -> list[Trial]:
    """The trials of the first task, if the study has speakers to ask."""
    check_study(study, file)
    if not study.speakers:
        if study.trials:
            compiled(study, file)
        return []
    trials = compiled(study, file)
    check_speakers(study, file, trials)
    return trials


def _asked(study: Study, places: StudyPaths) -> dict[str, str]:
    """The progress of each collection by stage name; empty before trials are compiled."""
    if not (study.speakers and places.trials.is_file()):
        return {}
    found = bills(study, places, read_trials(places.trials))
    return {
        f"collect {bill.name}": f"{bill.answered:,} of {bill.answered + bill.calls:,} answered"
        for bill in found
    }


def _shortened(stages: Sequence[Stage]) -> Iterator[str]:
    """The first commands of each kind, each shortened to one line of a terminal."""
    kinds: Counter[str] = Counter()
    cut = False
    for stage in in_order(stages):
        kind = stage.name.split()[0]
        kinds[kind] += 1
        if kinds[kind] <= _EACH:
            line = shown(stage.command)
            cut |= len(line) > _WIDTH
            yield line if len(line) <= _WIDTH else f"{line[: _WIDTH - 4]} ..."
    more = [f"{n - _EACH:,} more of {kind}" for kind, n in kinds.items() if n > _EACH]
    if more:
        yield f"... and {', '.join(more)}"
    if more or cut:
        yield "To print all commands in full, add --commands."


def _waits(stage: Stage, waiting: set[str]) -> str:
    """The first unfinished stage that this one waits for, in words."""
    before = (*stage.after, *stage.after_all)
    return next((f"after `{name}`" for name in before if name in waiting), "")


def _costs(
    study: Study,
    places: StudyPaths,
    stages: Sequence[Stage],
    trials: Sequence[Trial],
    asked: Sequence[Bill],
) -> Iterator[str]:
    yield f"Study {study.study}: {stage_line(stages)}"
    if study.speakers:
        most = max(speaker.replicates for speaker in cast(study))
        yield number_of(len(trials), "trial") + (f", each up to {most} times" if most > 1 else "")
        yield from bill_lines(asked)
    for task in study.plan[1:] if study.speakers else ():
        yield (
            f"The table leaves out the task {task.task}. Once it is compiled, `wolves collect "
            f"{places.of(task.task).trials} ... --dry-run` prints its cost."
        )


def _lacking(study: Study, file: Path) -> Iterator[str]:
    """One line for each thing that a speaker lacks on this machine."""
    for fault in lacking(study, file):
        words = f"{fault.place}: {fault.problem}" if fault.place else fault.problem
        yield f"Before it can run: {words}. Fix: {fault.fix}"


def _briefly(lines: Iterable[str]) -> Iterator[str]:
    """The first lines on each place of the study file, and the number of the others."""
    seen: Counter[str] = Counter()
    for line in lines:
        place = ": ".join(line.split(": ")[:3])
        seen[place] += 1
        if seen[place] <= _EACH:
            yield line
    for place, n in seen.items():
        if n > _EACH:
            yield f"{place}: {n - _EACH:,} more like the last"


def _close(study: Study, places: StudyPaths, seconds: float) -> None:
    from many_wolves.report import summary_markdown, summary_of

    folders = [places.fit(name) for name in fitted_names(study)]
    report = places.report.resolve()
    if wants_json():
        result = {"study": study.study, "report": report, "summary": summary_of(folders).frame}
        show(result, lambda: None)
        return
    click.echo(summary_markdown(folders))
    _say(f"Posterior means with 95 % intervals. Done in {seconds:.0f} s.")
    click.echo(f"Report: {report}")
