"""``wolves collect``: ask a speaker every trial; resumes where it stopped."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from many_wolves import families
from many_wolves.collection import Collected, collect, explain, make_plan, peek, read_trials
from many_wolves.errors import WolvesError
from many_wolves.records import SpeakerSpec, Trial
from many_wolves.speakers.wanted import LOCAL, Wanted, describe, open_speaker

COMPILED = Path("task-data/compiled")
_OK, _FAILED, _INTERRUPTED = 0, 1, 130


def say(text: str) -> None:
    """A notice to the user, apart from what the command prints."""
    click.echo(text, err=True)


@click.command("collect")
@click.argument("trials", required=False, type=click.Path(path_type=Path))
@click.option(
    "--task",
    default="politeness",
    show_default=True,
    help="Where TRIALS is left out: task-data/compiled/TASK.jsonl.",
)
@click.option("--model_type", "--provider", "provider", type=click.Choice(LOCAL), required=True)
@click.option("--model_name", default="", help="Name of the model, as on its hub.")
@click.option("--model_path", type=click.Path(path_type=Path), help="Folder of its weights.")
@click.option("--revision", default="", help="Checkpoint on the hub.")
@click.option("--mode", type=click.Choice(["sample", "score"]), default="sample", show_default=True)
@click.option("--replicates", type=click.IntRange(1), default=1, show_default=True)
@click.option("--temperature", type=click.FloatRange(0), help="Sampling; 1 when left out.")
@click.option("--top_p", type=click.FloatRange(0, 1, min_open=True), help="Sampling; 1 = all.")
@click.option("--max_tokens", type=click.IntRange(1), default=64, show_default=True)
@click.option("--seed", type=int, default=0, show_default=True)
@click.option(
    "--prompt_format",
    type=click.Choice(["chat", "completion"]),
    default="chat",
    show_default=True,
    help="`completion` is for base models.",
)
@click.option(
    "--dtype",
    type=click.Choice(["auto", "bfloat16", "float16", "float32"]),
    default="auto",
    show_default=True,
    help="auto: float32 on a CPU, as stored on a GPU.",
)
@click.option("--device", default="auto", show_default=True, help="cpu, cuda, cuda:1, mps.")
@click.option("--threads", type=click.IntRange(1), help="CPU threads.")
@click.option("--batch_size", type=click.IntRange(1), default=16, show_default=True)
@click.option("--api_key", help="Taken, but the environment is the place for a key.")
@click.option(
    "--parameters",
    type=click.Path(path_type=Path),
    help="JSON file: parameters of a simulated speaker's cognitive model.",
)
@click.option("--delay", type=click.FloatRange(0), default=0.0, help="Simulated: seconds a trial.")
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    default=Path("llm-output"),
    show_default=True,
    help="Folder of journals, or one journal (a name that ends in .jsonl).",
)
@click.option("--dry-run", is_flag=True, help="Print what would be asked, and ask nothing.")
@click.option("--explain", "explained", is_flag=True, help="Print why each trial is asked or not.")
def command(
    *,
    trials: Path | None,
    task: str,
    replicates: int,
    parameters: Path | None,
    out: Path,
    dry_run: bool,
    explained: bool,
    **options: Any,
) -> int:
    """Ask a speaker every trial in TRIALS.

    Answers are appended to a journal; the same command run again asks only what is
    missing or failed.
    """
    if options.pop("api_key"):
        say(
            "Warning: a key on the command line can be read by others on this machine; it is "
            "used for this run and stored nowhere. Better: set it in the environment."
        )
    listed = read_trials(trials or COMPILED / f"{task}.jsonl")
    family = families.get(_family(listed))
    wanted = _wanted(parameters, options)
    if wanted.mode == "score" and replicates > 1:
        raise WolvesError(
            f"expected one replicate in score mode, found {replicates}",
            mend="leave --replicates out: the same scores would come every time",
        )
    spec = describe(wanted)
    journal = out if out.suffix == ".jsonl" else out / family.name / f"{spec.slug}.jsonl"
    if dry_run or explained:
        return _tell(listed, replicates, spec, journal, explained)
    done = collect(
        listed,
        replicates=replicates,
        spec=spec,
        open_speaker=lambda: open_speaker(wanted, spec, family.simulator),
        reader=family.read,
        journal=journal,
        say=say,
    )
    return _conclude(done, spec)


def _wanted(parameters: Path | None, options: dict[str, Any]) -> Wanted:
    return Wanted(
        model=options.pop("model_name"),
        path=options.pop("model_path"),
        delay_s=options.pop("delay"),
        parameters=_json(parameters) if parameters else {},
        **options,
    )


def _json(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise WolvesError(
            f"the parameters cannot be read: {error.strerror}", where=path, mend="check the path"
        ) from error
    except ValueError as error:
        raise WolvesError(
            f"expected JSON: {error}", where=path, line=getattr(error, "lineno", None)
        ) from error
    if not isinstance(found, dict):
        raise WolvesError(
            f"expected a JSON object, found {type(found).__name__}",
            where=path,
            mend='write an object such as {"alpha": 4.5, "cost": 2.6, ...}',
        )
    return found


def _family(trials: list[Trial]) -> str:
    found = sorted({trial.family for trial in trials})
    if len(found) > 1:
        raise WolvesError(
            f"expected trials of one task family, found {', '.join(found)}",
            mend="ask each family in a run of its own",
        )
    return found[0]


def _tell(
    trials: list[Trial], replicates: int, spec: SpeakerSpec, journal: Path, explained: bool
) -> int:
    entries = peek(journal)
    if explained:
        for line in explain(trials, replicates, spec, entries):
            click.echo(line)
    plan = make_plan(trials, replicates, spec, entries)
    click.echo(f"speaker  {spec.name}")
    click.echo(f"journal  {journal}")
    for status, n in sorted(plan.known.items()):
        click.echo(f"{n:8d} {status}")
    click.echo(f"{len(plan.ask):8d} to ask")
    return _OK


def _conclude(done: Collected, spec: SpeakerSpec) -> int:
    if not done.asked and not done.halted:
        say(f"{spec.name}: nothing to ask, {sum(done.known.values())} answers are there.")
    failed = done.asked.get("failed", 0)
    click.echo(done.journal)
    if done.halted:
        say("Stopped before the end. Run the same command again to go on.")
        return _INTERRUPTED
    if failed:
        say(f"{failed} failed; run the same command again to ask them again.")
        return _FAILED
    return _OK
