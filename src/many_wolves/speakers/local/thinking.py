"""Local models that think before they answer: how thoughts begin, their budget, and their end.

A reasoning model writes its thought between two tags, ``<think>`` and ``</think>`` for
most. The thought is generated up to a budget of tokens, then closed, and the answer is
read or its options scored after it. A budget of zero closes the thought at once.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from many_wolves.errors import WolvesError
from many_wolves.records import Message, SpeakerSpec
from many_wolves.speakers.effort import BUDGETS
from many_wolves.speakers.prompting import render

TAGS = (
    ("<think>", "</think>"),
    ("<thinking>", "</thinking>"),
    ("<seed:think>", "</seed:think>"),
    ("[THINK]", "[/THINK]"),
)
"""Tags that begin and end a thought in known models."""

_SWITCHES = ("enable_thinking", "thinking")
"""Variables with which chat templates turn thoughts on and off."""
_PROBE = (Message("user", "Hello"),)
_TAIL = 12
"""Number of last tokens in which a closing tag is searched: more than any tag has."""


@dataclass(frozen=True)
class Opening:
    """How a prompt begins a thought: variables of the chat template, and text after it."""

    template: dict[str, bool]
    text: str


@dataclass(frozen=True)
class Thinking:
    """How a model with a thinking section is made to think.

    Parameters
    ----------
    budget
        Maximum number of tokens of a thought.
    open, shut
        Openings that begin a thought, and that contain an empty one.
    tag, closing
        The tag that ends a thought, and the text that closes one.
    """

    budget: int
    open: Opening
    shut: Opening
    tag: str
    closing: str

    def prompt(self, tokenizer: Any, messages: Sequence[Message], *, thought: bool) -> str:
        """The text that a model continues with its thought, or directly with its answer."""
        way = self.open if thought else self.shut
        return render(tokenizer, messages, "chat", **way.template) + way.text

    def ended(self, tokenizer: Any, ids: Sequence[int]) -> bool:
        """Whether the last of these tokens ends the thought."""
        return self.tag in tokenizer.decode(ids[-_TAIL:], skip_special_tokens=False)

    def cut(
        self, tokenizer: Any, ids: Sequence[int], ends: Collection[int]
    ) -> tuple[tuple[int, ...], str]:
        """The thought without its end, as token ids and as text."""
        said = list(ids)
        while said and said[-1] in ends:
            said.pop()
        text = tokenizer.decode(said, skip_special_tokens=False)
        if self.tag not in text:
            return tuple(said), text
        text = text.split(self.tag, 1)[0]
        while said and self.tag in tokenizer.decode(said, skip_special_tokens=False):
            said.pop()
        if tokenizer.decode(said, skip_special_tokens=False) != text:
            # The tag is several tokens, or shares one with the thought.
            said = list(tokenizer(text, add_special_tokens=False)["input_ids"])
        return tuple(said), text

    def close(self, tokenizer: Any, thought: str) -> list[int]:
        """Tokens that close a thought."""
        text = self.closing.lstrip("\n") if thought.endswith("\n") else self.closing
        return list(tokenizer(text, add_special_tokens=False)["input_ids"])


def settle(tokenizer: Any, spec: SpeakerSpec) -> Thinking | None:
    """How the model thinks under the requested effort; None if it does not think.

    Raises
    ------
    WolvesError
        If it does not support the requested effort. Also if a thinking model has no requested
        effort, because it would answer inside its thought.
    """
    tags = _agreed(getattr(tokenizer, "chat_template", None), spec)
    budget = asked(spec)
    return None if tags is None or budget is None else _thinking(tokenizer, tags, budget)


def check_folder(folder: Path, spec: SpeakerSpec) -> None:
    """Reject an effort that the chat template in a folder does not support; loads nothing.

    Raises
    ------
    WolvesError
        As in ``settle``. A folder without a tokenizer's settings passes.
    """
    found = template_in(folder)
    if found is not None:
        _agreed(found, spec)


def template_in(folder: Path) -> Any:
    """The chat template of a folder; empty without one, None if unknown."""
    try:
        own = folder / "chat_template.jinja"
        if own.is_file():
            return own.read_text(encoding="utf-8")
        settings = json.loads((folder / "tokenizer_config.json").read_text(encoding="utf-8"))
        found = settings.get("chat_template") or ""
        if isinstance(found, list):
            return {one["name"]: one["template"] for one in found}
    except (OSError, ValueError, LookupError, TypeError, AttributeError):
        return None  # Loading the model reports this in detail.
    return found


def _agreed(template: Any, spec: SpeakerSpec) -> tuple[str, str] | None:
    """The tags of the thought; None if there is none. Raises the errors of ``settle``."""
    budget = asked(spec)
    tags = _tags(template) if spec.prompt_format == "chat" else None
    if tags is None:
        if budget:
            why = (
                "its chat template has no thinking section"
                if spec.prompt_format == "chat"
                else "a thought needs the model's chat format"
            )
            raise WolvesError(
                f"{spec.name}: reasoning effort is not supported: {why}; nothing was asked",
                fix="leave --effort and --thinking_tokens out, or use --effort none",
            )
        return None
    if budget is None:
        raise WolvesError(
            f"{spec.name}: this model thinks before it answers, but no effort was requested; "
            "nothing was asked",
            fix="--effort none for an answer without a thought, --effort low|medium|high, "
            "or --thinking_tokens N",
        )
    return tags


def asked(spec: SpeakerSpec) -> int | None:
    """Reasoning tokens that the requested effort allows; None if none was requested."""
    if spec.thinking_tokens is not None:
        return spec.thinking_tokens
    return BUDGETS[spec.effort] if spec.effort else None


def _tags(template: Any) -> tuple[str, str] | None:
    """The tags in the chat template, apart from the template of tool calls."""
    if isinstance(template, dict):
        template = template.get("default", "")
    template = template or ""
    for opening, closing in TAGS:
        if opening in template or closing in template:
            return opening, closing
    return None


def _thinking(tokenizer: Any, tags: tuple[str, str], budget: int) -> Thinking:
    tag, end = tags
    on, off = (dict.fromkeys(_SWITCHES, value) for value in (True, False))
    begun = render(tokenizer, _PROBE, "chat", **on)
    quiet = render(tokenizer, _PROBE, "chat", **off)
    closing = f"\n{end}\n\n"
    if quiet.rstrip().endswith(end):
        # The template writes an empty thought, with the line breaks of the model.
        closing, shut = "\n" + end + quiet.rpartition(end)[2], ""
    elif quiet.rstrip().endswith(tag):
        shut = closing
    else:
        # A template that gives the same text in both cases has no switch.
        shut = f"{tag}\n{closing}" if quiet == begun else ""
    opened = begun.rstrip().endswith(tag)
    return Thinking(
        budget=budget,
        open=Opening(on, "" if opened else f"{tag}\n"),
        shut=Opening(off, shut),
        tag=end,
        closing=closing,
    )
