"""Commands with options of odd values; nothing of them asks a model or waits for one."""

from __future__ import annotations

from random import Random

import click

from many_wolves.cli import wolves

STARTS: dict[str, list[str]] = {
    "compile": ["compile", "--limit", "2", "--out", "t.jsonl"],
    "collect": ["collect", "trials.jsonl", "--provider", "simulated", "--dry-run"],
    "choices": ["choices", "j.jsonl", "--out", "table"],
    "predict": ["predict"],
    "fit": ["fit", "choices.csv", "--literal", "fixed", "--out", "out"],
    "fit-all": ["fit-all", "choices.csv", "--literal", "fixed", "--out", "out"],
    "compare": ["compare", "choices.csv", "--literal", "fixed", "--out", "out"],
    "sensitivity": ["sensitivity", "choices.csv", "--literal", "fixed", "--out", "out"],
    "pool": ["pool", "choices.csv", "--out", "out"],
    "recover": ["recover", "choices.csv", "--literal", "fixed", "--out", "out"],
    "power": ["power", "choices.csv", "--literal", "fixed", "--out", "out"],
    "calibrate": ["calibrate", "choices.csv", "--literal", "fixed", "--out", "out"],
    "findings": ["findings", "fit", "--out", "out"],
    "plot": ["plot", "forest", "fit", "--out", "out"],
    "report": ["report", "fit"],
    "export": ["export", "fit", "--out", "out"],
    "tournament": ["tournament"],
    "data list": ["data", "list"],
    "data show": ["data", "show", "yoon2020"],
    "models list": ["models", "list"],
    "programs list": ["programs", "list"],
    "study new": ["study", "new", "mine"],
    "study plan": ["study", "plan", "study.yaml"],
    "study status": ["study", "status", "study.yaml"],
}
"""A line of each command that would run, to which options are added."""
# No device stands here: a fault in what is tried must not cost the machine that tries it.
_VALUES = (
    "",
    " ",
    "-1",
    "0",
    "1",
    "nan",
    "inf",
    "1e400",
    "999999999999999999999999",
    "x",
    "None",
    "x" * 300,
    "a/../../b",
    "/proc/x",
    "/nowhere/x",
    ".",
    "..",
    "~",
    "trials.jsonl",
    "choices.csv",
    "fit",
    "study.yaml",
    "a,b,,c",
    "goal=social",
    "state=",
    "=",
    "{}",
    "[1",
    '{"alpha": [1, 1]}',
    '{"alpha": "x"}',
    "\u6a21\u578b",
    "http://[::1/v1",
    "http://user:secret@host/v1?token=x",
    "joint",
    "inf,soc",
    "good",
)


def odd_words(rng: Random) -> list[str]:
    """Make the words of a command with one to three options of odd values."""
    name = rng.choice(list(STARTS))
    found: click.Command = wolves
    for word in name.split():
        context = click.Context(found, **found.context_settings)
        assert isinstance(found, click.Group)
        found = found.get_command(context, word) or found
    words = list(STARTS[name])
    options = [
        option
        for option in found.get_params(click.Context(found, **found.context_settings))
        if isinstance(option, click.Option)
        and not {"--help", "--delay", "--cluster", "--server"} & set(option.opts)
    ]
    for option in rng.sample(options, min(len(options), rng.randrange(1, 4))):
        words.append(rng.choice([*option.opts, *option.secondary_opts]))
        if not option.is_flag:
            words.append(rng.choice(_VALUES))
    if rng.random() < 0.15:
        words.append(rng.choice(_VALUES))
    return words
