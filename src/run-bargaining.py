"""Play the published bargaining game by the flags of the published script (Fu et al. 2023)."""

import json
import os
import re
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click
import yaml

from many_wolves.cli import run
from many_wolves.collection import Trials
from many_wolves.commands.collect_output import conclude, warn
from many_wolves.commands.command import Results
from many_wolves.errors import WolvesError
from many_wolves.families.bargaining import Bargaining
from many_wolves.families.bargaining.reporting.log import log_lines
from many_wolves.files import shipped, write_atomic
from many_wolves.sources import nearest
from many_wolves.speakers.speaker_request import SpeakerRequest
from many_wolves.store.journal_lines import read_journal
from many_wolves.workflows.collect import Collection, Games, Table
from many_wolves.workflows.compile import request, write_trials
from many_wolves.workflows.seats import Extents, speaker_of_file

# Game type -> the side that is improved, and the arms between its games.
TYPES: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "criticize_seller": ("seller", ("ai",)),
    "criticize_buyer": ("buyer", ("ai",)),
    "seller_compare_feedback": ("seller", ("ai", "constant", "human")),
    "buyer_compare_feedback": ("buyer", ("ai", "constant", "human")),
    "run_simple": ("seller", ("none",)),
}
INSTRUCTIONS = {
    "seller_instruction": ("seller", "seller_diamond"),
    "buyer_instruction": ("buyer", "buyer_no_initial_price", "buyer_diamond"),
    "seller_critic_instruction": ("seller_critic", "seller_critic_diamond"),
    "buyer_critic_instruction": (
        "buyer_critic", "buyer_critic_no_initial_price", "buyer_critic_diamond",
    ),
    "moderator_instruction": ("moderator_buyer",),
}  # fmt: skip
KEYS = {
    "api_key": "OPENAI_API_KEY",
    "anthropic_api_key": "ANTHROPIC_API_KEY",
    "ai21_api_key": "AI21_API_KEY",
    "cohere_api_key": "COHERE_API_KEY",
}
ENGINE = "gpt-3.5-turbo"
ENGINE_HELP = (
    "{} PROVIDER/MODEL, FILE.json with options of `wolves collect`, or a name with gpt or claude."
)
KEY_HELP = "Key of {}, for this run; {} in the environment is safer."


@click.command("run-bargaining")
@click.option("--game_type", type=click.Choice(list(TYPES)), required=True,
              help="Who gets advice between games: one side from a critic, one side from critic, "
              "constant line and human line (compare_feedback), or nobody "
              "(run_simple).")  # fmt: skip
@click.option("--seller_engine", default=ENGINE, show_default=True,
              help=ENGINE_HELP.format("The seller."))  # fmt: skip
@click.option("--buyer_engine", default=ENGINE, show_default=True,
              help=ENGINE_HELP.format("The buyer."))  # fmt: skip
@click.option("--seller_critic_engine", default=ENGINE, show_default=True,
              help=ENGINE_HELP.format("The seller's critic."))  # fmt: skip
@click.option("--buyer_critic_engine", default=ENGINE, show_default=True,
              help=ENGINE_HELP.format("The buyer's critic."))  # fmt: skip
@click.option("--moderator_engine", default=ENGINE, show_default=True,
              help="The moderator; used only with --moderated_by model.")  # fmt: skip
@click.option("--seller_instruction", default="seller", show_default=True,
              help="Wording of the seller, which is ours; seller_diamond plays for a "
              "ring.")  # fmt: skip
@click.option("--buyer_instruction", default="buyer", show_default=True,
              help="Wording of the buyer; buyer_no_initial_price leaves the first bid to the "
              "buyer.")  # fmt: skip
@click.option("--seller_critic_instruction", default="seller_critic", show_default=True,
              help="Wording of the seller's critic; seller_critic_diamond plays for a "
              "ring.")  # fmt: skip
@click.option("--buyer_critic_instruction", default="buyer_critic", show_default=True,
              help="Wording of the buyer's critic; also buyer_critic_no_initial_price, "
              "buyer_critic_diamond.")  # fmt: skip
@click.option("--moderator_instruction", default="moderator_buyer", show_default=True,
              help="Wording of the moderator; there is only one.")  # fmt: skip
@click.option("--moderator_trace_n_history", type=click.IntRange(1), default=5, show_default=True,
              help="Number of last messages that the moderator reads; used only with "
              "--moderated_by model.")  # fmt: skip
@click.option("--api_key", help=KEY_HELP.format("OpenAI", "OPENAI_API_KEY"))
@click.option("--anthropic_api_key", help=KEY_HELP.format("Anthropic", "ANTHROPIC_API_KEY"))
@click.option("--ai21_api_key", help=KEY_HELP.format("AI21", "AI21_API_KEY"))
@click.option("--cohere_api_key", help=KEY_HELP.format("Cohere", "COHERE_API_KEY"))
@click.option("--n_exp", type=click.IntRange(1), default=1, show_default=True,
              help="Number of chains.")  # fmt: skip
@click.option("--n_round", type=click.IntRange(1), default=10, show_default=True,
              help="Maximum number of messages per side.")  # fmt: skip
@click.option("--n_rollout", type=click.IntRange(2), default=3, show_default=True,
              help="Number of games per chain, the first included; run_simple plays one, and "
              "compare_feedback two.")  # fmt: skip
@click.option("--cost_price", type=float, default=8, show_default=True,
              help="What the good costs the seller; only the seller knows it.")  # fmt: skip
@click.option("--seller_init_price", type=float, default=20, show_default=True,
              help="First price of the seller.")  # fmt: skip
@click.option("--buyer_init_price", type=float, default=10, show_default=True,
              help="First price of the buyer.")  # fmt: skip
@click.option("--verbose", "show", type=click.IntRange(0, 1), default=1, show_default=True,
              help="1: print the log; 0: print only its path.")  # fmt: skip
@click.option("--output_path", type=click.Path(path_type=Path), default=Path("outputs"),
              show_default=True, help="Folder of the log, the games and the journals.")  # fmt: skip
@click.option(
    "--ver", default="test", show_default=True, help="Version that the headings of the log name."
)
@click.option(
    "--game_version", default="test", show_default=True, help="Name of the log, which is NAME.txt."
)
@click.option("--moderated_by", type=click.Choice(["rules", "model"]), default="rules",
              show_default=True, help="Who decides whether a deal was reached.")  # fmt: skip
def command(**flags: Any) -> int:
    """Play the published game: chains of haggling over a balloon, with advice in between.

    The journal is kept in the folder of the log. The same command run again asks only what
    is missing.
    A chain goes on after a game without a deal, which has no price.
    """
    keys(flags)
    wordings(flags)
    role, arms = TYPES[flags["game_type"]]
    folder = flags["output_path"]
    trials = compiled(flags, role, arms, folder)
    seats = Extents(Trials(trials), flags["n_exp"], Bargaining()).seats
    named = seated(flags, role, seats, folder)
    speaker = named.pop("speaker")
    collection = Collection(trials, folder / "journals", flags["n_exp"], Table(named))
    games = collection.of(speaker)
    assert isinstance(games, Games)
    status = conclude(games.ask(warn), games, Results("speakers"))
    file = folder / f"{flags['game_version']}.txt"
    text = "\n".join(log_lines(with_responses(games), flags["ver"])) + "\n"
    write_atomic(file, text)
    if flags["show"]:
        click.echo(text, nl=False)
    click.echo(file)
    return status


def keys(flags: Mapping[str, Any]) -> None:
    """Take keys into the environment of this run, with a warning; they are stored nowhere."""
    for flag, variable in KEYS.items():
        if flags[flag]:
            warn(
                f"Warning: --{flag} can be read by others on this machine; it is used for this "
                f"run and stored nowhere. Better: set {variable} in the environment."
            )
            os.environ[variable] = flags[flag]


def wordings(flags: Mapping[str, Any]) -> None:
    """Say which instructions have no counterpart."""
    for flag, known in INSTRUCTIONS.items():
        if flags[flag] not in known:
            raise WolvesError(
                f"--{flag} {flags[flag]}: that published wording has no counterpart here, where "
                "the words are our own",
                fix=f"--{flag} {known[0]}; {nearest(flags[flag], known)}",
            )


def compiled(flags: Mapping[str, Any], role: str, arms: tuple[str, ...], folder: Path) -> Path:
    """Write the openings; the file."""
    diamond = any(str(flags[name]).endswith("_diamond") for name in INSTRUCTIONS)
    good = "diamond 2023" if diamond else "balloon 2023"
    model = flags["moderated_by"] == "model"
    values: dict[str, Any] = {
        "preset": "balloon-2023",
        "goods": (good,),
        "roles": (role,),
        "rounds": (flags["n_round"],),
        "games": games(flags, arms),
        "arms": arms,
        "copies": 1,
        "moderator": float(model),
        "moderator_decides": model,
        "moderator_reads": flags["moderator_trace_n_history"],
        "sources": priced(flags, good, folder),
    }
    if flags["buyer_instruction"] == "buyer_no_initial_price":
        values |= {"openings": ("seller",), "first": ("buyer",)}
    file: Path = folder / f"{flags['game_version']}.jsonl"
    write_trials(request(["haggle"], values), file)
    return file


def games(flags: Mapping[str, Any], arms: tuple[str, ...]) -> int:
    """Games of a chain: one without advice, two where kinds of advice are compared."""
    if arms == ("none",):
        return 1
    return int(flags["n_rollout"]) if len(arms) == 1 else 2


def priced(flags: Mapping[str, Any], good: str, folder: Path) -> Path:
    """A folder of sources in which the good has the prices of the flags."""
    goods = yaml.safe_load(
        (shipped("task-data/bargaining") / "goods.en.yaml").read_text(encoding="utf-8")
    )
    prices = goods["goods"][good]["prices"][0]
    prices |= {
        "cost": flags["cost_price"],
        "ask": flags["seller_init_price"],
        "bid": flags["buyer_init_price"],
    }
    sources = folder / f"{flags['game_version']}-sources"
    sources.mkdir(parents=True, exist_ok=True)
    write_atomic(sources / "goods.en.yaml", yaml.safe_dump(goods, allow_unicode=True))
    return sources


def seated(
    flags: Mapping[str, Any], role: str, seats: tuple[str, ...], folder: Path
) -> dict[str, SpeakerRequest]:
    """Who sits where, by seat."""
    rival = "buyer" if role == "seller" else "seller"
    engines = {
        "speaker": flags[f"{role}_engine"],
        "partner": flags[f"{rival}_engine"],
        "critic": flags[f"{role}_critic_engine"],
        "moderator": flags["moderator_engine"],
    }
    return {seat: speaker_of_file(engine(engines[seat], folder)) for seat in seats}


def engine(name: str, folder: Path) -> Path:
    """The file that describes an engine; written where only its name was given."""
    if name.endswith(".json"):
        return Path(name)
    provider, slash, model = name.partition("/")
    if not slash:
        known = {"gpt": "openai", "claude": "anthropic"}
        provider, model = next((p for part, p in known.items() if part in name), ""), name
    if not provider or not model:
        raise WolvesError(
            f"unknown engine {name!r}",
            fix="give PROVIDER/MODEL, such as openai/gpt-4, or FILE.json",
        )
    file = folder / "engines" / (re.sub(r"[^\w.-]+", "-", name) + ".json")
    file.parent.mkdir(parents=True, exist_ok=True)
    settings = {"provider": provider, "model": model, "temperature": 1.0}
    return write_atomic(file, json.dumps(settings, indent=1) + "\n")


def with_responses(games: Games) -> list[tuple[Any, list[Any]]]:
    """Every episode with the responses of its turns."""
    found: dict[tuple[str, int], dict[int, Any]] = {}
    for journal in dict.fromkeys(games.casting.journals.values()):
        for response in read_journal(journal).responses if journal.exists() else ():
            found.setdefault((response.episode, response.replicate), {})[response.turn] = response
    return [(e, list(found.get((e.id, e.replicate), {}).values())) for e in games.episodes]


if __name__ == "__main__":
    sys.exit(run(command))
