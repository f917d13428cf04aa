"""``wolves collect``: collect a speaker's answers; resumes after an interrupt."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from many_wolves import families
from many_wolves.collection import AT_ONCE
from many_wolves.commands import adaptive_options
from many_wolves.commands.collect_output import OK, act, failing, interrupted, say, warn
from many_wolves.commands.command import Results
from many_wolves.commands.command import command as wolves_command
from many_wolves.contracts import EpisodicFamily, WorldFamily
from many_wolves.errors import WolvesError
from many_wolves.speakers.api.retry import RetryPolicy
from many_wolves.speakers.api.settings import OMISSIBLE
from many_wolves.speakers.checkpoints import expand
from many_wolves.speakers.effort import LEVELS
from many_wolves.speakers.speaker_request import SpeakerRequest
from many_wolves.workflows.collect import Collection, Table, family_in
from many_wolves.workflows.seats import read_parameters, read_seats

COMPILED = Path("task-data/compiled")


@wolves_command("collect", as_json=True)
@click.argument("trials", required=False, type=click.Path(path_type=Path))
@click.option(
    "--task",
    default="politeness",
    show_default=True,
    help="Without TRIALS, task-data/compiled/TASK.jsonl is read.",
)
@click.option(
    "--model_type",
    "--provider",
    "provider",
    required=True,
    help="hf, vllm, simulated, api (with model names that begin with their provider), or a "
    "provider: anthropic, openai, google, openai-compatible.",
)
@click.option("--model_name", default="", help="Name of the model at its provider.")
@click.option("--model_path", type=click.Path(path_type=Path), help="Folder of the model.")
@click.option("--revision", default="", help="Checkpoint on the hub.")
@click.option(
    "--revisions",
    default="",
    help="Several checkpoints, each a separate speaker: names or patterns, separated by commas, "
    "of folders below --model_path or of branches on the hub.",
)
@click.option(
    "--adapter",
    type=click.Path(path_type=Path),
    help="hf, vllm: folder of a LoRA adapter on top of the weights.",
)
@click.option(
    "--mode",
    type=click.Choice(["sample", "score"]),
    default="sample",
    show_default=True,
    help="sample: generate answers; score: compute the probability of every option (local models).",
)
@click.option(
    "--replicates",
    type=click.IntRange(1, 1_000_000),
    default=1,
    show_default=True,
    help="Number of answers to each trial.",
)
@click.option(
    "--temperature",
    type=click.FloatRange(0),
    help="Sampling temperature (default for local models: 1).",
)
@click.option("--top_p", type=click.FloatRange(0, 1, min_open=True), help="Nucleus sampling.")
@click.option(
    "--max_tokens",
    type=click.IntRange(1),
    help="Maximum length of an answer in tokens (default: 64 for local models; 4096 plus "
    "reasoning for an API).",
)
@click.option("--seed", type=int, default=0, show_default=True, help="Seed of sampled answers.")
@click.option("--effort", default="", type=click.Choice(["", *LEVELS]), help="Reasoning effort.")
@click.option("--thinking_tokens", type=click.IntRange(0), help="Reasoning budget in tokens.")
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
@click.option(
    "--batch_size",
    type=click.IntRange(1),
    help="Trials per batch (hf: 16, vllm: 256, on a CPU 64).",
)
@click.option(
    "--tensor_parallel_size", type=click.IntRange(1), default=1, help="vllm: number of GPUs."
)
@click.option(
    "--gpu_memory_utilization",
    type=click.FloatRange(0, 1, min_open=True),
    help="vllm: share of the memory that it may use.",
)
@click.option("--base_url", default="", help="Address of an API server.")
@click.option(
    "--omit",
    multiple=True,
    type=click.Choice(OMISSIBLE),
    help="Omit a field from requests to an openai-compatible server that rejects it; can be "
    "given twice.",
)
@click.option("--api_key", help="Accepted, but a key belongs in the environment.")
@click.option(
    "--connections",
    type=click.IntRange(1),
    default=32,
    show_default=True,
    help="Maximum number of API requests at once.",
)
@click.option(
    "--retries",
    type=click.IntRange(0),
    default=10,
    show_default=True,
    help="Maximum number of retries per API request.",
)
@click.option(
    "--retry_wait",
    type=click.FloatRange(0),
    default=1.0,
    show_default=True,
    help="Seconds before the first retry; doubled after each retry.",
)
@click.option(
    "--timeout",
    type=click.FloatRange(0, min_open=True),
    default=600.0,
    show_default=True,
    help="Seconds after which a request is abandoned.",
)
@click.option("--batch", is_flag=True, help="The provider's batch mode: half price, takes hours.")
@click.option(
    "--max-cost",
    "max_cost",
    type=click.FloatRange(0),
    help="Stop before the cost exceeds this many US dollars.",
)
@click.option(
    "--prices",
    type=click.Path(path_type=Path),
    help="Table of prices (default: task-data/prices.yaml).",
)
@click.option(
    "--parameters",
    type=click.Path(path_type=Path),
    help="JSON file: parameters of a simulated speaker's cognitive model.",
)
@click.option(
    "--at_once",
    type=click.IntRange(1),
    default=AT_ONCE,
    show_default=True,
    help="Number of games played at once; their open turns form one batch.",
)
@click.option(
    "--with",
    "opponent",
    metavar="self|FILE.json",
    help="Games: the opponent, either the speaker itself or the one described by a file of these "
    "options.",
)
@click.option(
    "--seat",
    "seats",
    multiple=True,
    metavar="NAME=FILE.json|self",
    help="Games with several seats: the speaker for a seat or role; can be given several times. "
    "Several files, separated by commas, take the seats of a role in turn. --with X means --seat "
    "partner=X.",
)
@click.option("--engine", default="", help="Experiments: the engine that runs them.")
@click.option(
    "--engine_option",
    "engine_options",
    multiple=True,
    metavar="NAME=VALUE",
    help="Experiments: a setting of the engine; can be given several times.",
)
@click.option("--server", default="", help="Experiments: address of a running server.")
@click.option(
    "--project",
    type=click.Path(path_type=Path),
    help="Experiments: folder of the app for which the engine starts a server.",
)
@click.option(
    "--delay", type=click.FloatRange(0), default=0.0, help="Simulated: seconds per trial."
)
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    default=Path("llm-output"),
    show_default=True,
    help="Folder of journals, or one journal (a name that ends in .jsonl).",
)
@adaptive_options.options
@click.option(
    "--dry-run",
    is_flag=True,
    help="Print the numbers of calls and tokens and the cost; ask nothing.",
)
@click.option(
    "--explain",
    "explained",
    is_flag=True,
    help="Print for each trial why it would be asked or not.",
)
def command(
    *,
    trials: Path | None,
    task: str,
    revisions: str,
    replicates: int,
    out: Path,
    dry_run: bool,
    explained: bool,
    at_once: int,
    opponent: str | None,
    seats: tuple[str, ...],
    engine: str,
    engine_options: tuple[str, ...],
    server: str,
    project: Path | None,
    **options: Any,
) -> int:
    """Ask a speaker every trial in TRIALS, and play every game in it.

    Answers are appended to a journal. If you run the same command again, it asks only trials
    that are missing or failed, and resumes in the middle of a game.

    With --adaptive, trials are asked in rounds. Each round holds the trials and replicates with the
    most expected information, and asking stops when the intervals are narrow enough.
    """
    if options["api_key"]:
        warn(
            "Warning: a key on the command line can be read by others on this machine. It is "
            "used for this run and stored nowhere. Set it in the environment instead."
        )
    path = trials or COMPILED / f"{task}.jsonl"
    in_rounds = adaptive_options.taken(options)
    seed = options["seed"]
    wanted = _wanted(options)
    several = expand(wanted, revisions)
    family = families.get(family_in(path))
    results = Results("speakers")
    do = act(dry_run, explained, results)
    if in_rounds is not None:
        from many_wolves.commands import collect_adaptive

        adaptive = collect_adaptive.request_of(in_rounds, seed)
        collect_adaptive.check(adaptive, family, several, replicates, idle=dry_run or explained)
        do = collect_adaptive.act(path, adaptive, results)
    settings = _settings(engine_options)
    settings |= {"server": server} if server else {}
    settings |= {"project": str(project)} if project is not None else {}
    if not isinstance(family, EpisodicFamily | WorldFamily):
        _refuse_options_of_games(opponent, seats, engine, engine_options, server, project)
    seated = read_seats(seats, opponent, wanted.patience)
    collection = Collection(path, out, replicates, Table(seated, at_once, engine, settings))
    speakers = collection.speakers(several, say)
    statuses = collection.each(speakers, do, failing(results), interrupted)
    results.close()
    return max(statuses, default=OK)


def _refuse_options_of_games(
    opponent: str | None,
    seats: tuple[str, ...],
    engine: str,
    engine_options: tuple[str, ...],
    server: str,
    project: Path | None,
) -> None:
    for option, given in (
        ("--with", opponent),
        ("--seat", seats),
        ("--engine", engine),
        ("--engine_option", engine_options),
        ("--server", server),
        ("--project", project),
    ):
        if given:
            raise WolvesError(
                f"{option} is for games, and these trials are not games", fix="leave it out"
            )


def _wanted(options: dict[str, Any]) -> SpeakerRequest:
    parameters = options.pop("parameters")
    timeout = None if options["batch"] else options.pop("timeout")
    options.pop("timeout", None)
    return SpeakerRequest(
        model=options.pop("model_name"),
        path=options.pop("model_path"),
        delay_s=options.pop("delay"),
        parameters=read_parameters(parameters) if parameters else {},
        patience=RetryPolicy(
            options.pop("connections"), options.pop("retries"), options.pop("retry_wait"), timeout
        ),
        **options,
    )


def _settings(named: tuple[str, ...]) -> dict[str, str]:
    """The settings that were given as NAME=VALUE."""
    for words in named:
        if "=" not in words:
            raise WolvesError(
                f"expected NAME=VALUE, found {words!r}",
                fix="write it as in --engine_option server=URL",
            )
    return dict(words.split("=", 1) for words in named)
