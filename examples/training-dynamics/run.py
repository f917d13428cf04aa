"""The whole example: feedback, training, measuring, the drift; goes on where it stopped."""

from __future__ import annotations

import json
import shutil
import sys
import time
from dataclasses import asdict
from functools import partial
from importlib.metadata import version
from pathlib import Path

import click
import drift
import feedback
import measure
from settings import QUICK, RATERS, RUNS, Settings
from training import FINISHED

HERE = Path(__file__).parent
TEMPLATE = HERE / "vignettes" / "chat_template.jinja"
PACKAGES = ("many-wolves", "trl", "transformers", "torch", "datasets", "httpstan")


@click.command()
@click.option("--quick", is_flag=True, help="Two steps a stage: shows that it runs.")
@click.option(
    "--workers", type=click.IntRange(1), default=2, show_default=True, help="Cores to use."
)
@click.option("--build", type=click.Path(path_type=Path), help="Folder of all that is made.")
@click.option("--results", type=click.Path(path_type=Path), help="Folder of tables and figure.")
def main(quick: bool, workers: int, build: Path | None, results: Path | None) -> None:
    """Train a small model to blunt truth and to kindness, and measure how its weights drift."""
    settings = QUICK if quick else Settings()
    build = build or HERE / "build" / ("quick" if quick else "full")
    results = results or (build / "results" if quick else HERE / "results")
    begin(settings, build)
    steps = {
        "feedback": lambda: make_feedback(settings, build),
        "training, supervised": lambda: train("sft", settings, build, workers),
        "training, DPO": lambda: measure.at_once(
            [partial(train, run, settings, build, 1) for run in RUNS], workers
        ),
        "trials of items not trained on": lambda: measure.compile_tasks(settings, build),
        "asking every checkpoint": lambda: measure.collect(settings, build, workers),
        "tables": lambda: measure.tabulate(settings, build),
        "fits": lambda: measure.fit(settings, build, workers),
        "drift": lambda: conclude(settings, build, results),
    }
    for number, (name, step) in enumerate(steps.items(), 1):
        begun = time.monotonic()
        click.echo(f"[{number}/{len(steps)}] {name}", err=True)
        step()
        _note(build, name, time.monotonic() - begun)
    _record(settings, build, results)


def begin(settings: Settings, build: Path) -> None:
    """Record the settings; refuse a folder made with others."""
    build.mkdir(parents=True, exist_ok=True)
    file = build / "settings.json"
    text = json.dumps(asdict(settings), indent=1) + "\n"
    if file.exists() and json.loads(file.read_text()) != json.loads(text):
        sys.exit(f"{build} was made with other settings; remove it, or give another with --build")
    file.write_text(text)


def make_feedback(settings: Settings, build: Path) -> None:
    """Supervised answers and preference pairs, exactly as many as are trained on."""
    first, then = settings.supervised, settings.preference
    answers = feedback.supervised(settings, first.steps * first.batch)
    feedback.write(answers, build / "data" / "sft.jsonl")
    for run in RUNS:
        pairs = feedback.preferences(settings, run, then.steps * then.batch)
        feedback.write(pairs, build / "data" / f"{run}.jsonl")


def train(name: str, settings: Settings, build: Path, threads: int) -> None:
    """One stage in a process of its own, whose memory is given back."""
    out = build / name
    if (out / FINISHED).exists():
        return
    start = build / "sft" / f"checkpoint-{settings.supervised.steps}"
    if name == "sft":
        start = _untrained(out)
    data = build / "data" / f"{name}.jsonl"
    script = [sys.executable, HERE / "training.py"]
    places = [start, data, out, build / "settings.json"]
    measure.command([*script, name, *places, str(threads)], f"training ({name})")


def conclude(settings: Settings, build: Path, results: Path) -> None:
    """Tables, figure, and a word on whether the weights moved as they should."""
    found = drift.write(settings, build, results)
    drift.choices(settings, build, results)
    measure.own_judgments(build, results)
    click.echo(found.to_string(index=False))
    click.echo(f"tables and figure in {results}")


def _untrained(out: Path) -> Path:
    """The model before training, as checkpoint 0, without the system message of its template.

    All prompts begin with that message otherwise, and it is a fifth of their tokens.
    """
    base = (HERE.parent.parent / "models" / "smollm2").resolve()
    measure.wolves("models", "prepare", "smollm2", "--out", base)
    place = out / "checkpoint-0"
    place.mkdir(parents=True, exist_ok=True)
    for file in base.iterdir():
        if file.name != TEMPLATE.name and not (place / file.name).exists():
            (place / file.name).symlink_to(file)
    shutil.copy(TEMPLATE, place)
    return place


def _note(build: Path, name: str, seconds: float) -> None:
    """Add to the seconds that a step has taken, over all goes."""
    file = build / "seconds.json"
    spent = json.loads(file.read_text()) if file.exists() else {}
    spent[name] = round(spent.get(name, 0) + seconds, 1)
    file.write_text(json.dumps(spent, indent=1) + "\n")


def _record(settings: Settings, build: Path, results: Path) -> None:
    """Settings, versions and seconds beside the results."""
    record = {
        "settings": asdict(settings),
        "raters": dict(RATERS),
        "versions": {name: version(name) for name in PACKAGES},
        "seconds": json.loads((build / "seconds.json").read_text()),
    }
    (results / "run.json").write_text(json.dumps(record, indent=1) + "\n")


if __name__ == "__main__":
    main()
