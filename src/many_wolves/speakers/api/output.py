"""Reads an inspect-ai output: text, reasoning, refusal, and token counts."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from many_wolves.reading.thoughts import TAGS
from many_wolves.records import Status

_TAG = "|".join(re.escape(tag) for tag in TAGS)
_OPENING = re.compile(rf"\s*(?:<(?:{_TAG})>|\[THINK\])", re.IGNORECASE)
_BLOCKED = "BLOCKED: BlockedReason."
"""Prefix with which inspect-ai gives the reason why Google blocked a prompt."""
_CLOSING = re.compile(rf"</(?:{_TAG})>|\[/THINK\]", re.IGNORECASE)


class Completion(NamedTuple):
    """An answer before its family has read it.

    ``status`` is ``answered`` if there is a text, otherwise ``refused`` or ``empty``. ``note``
    states whether the answer was cut off or blocked, or a tool was called.
    """

    text: str
    reasoning: str
    status: Status
    note: str
    usage: dict[str, int]


def parse_output(
    output: Any, limit: int | None, reply: Mapping[str, Any] | None = None
) -> Completion:
    """Read an inspect-ai ``ModelOutput`` that has a choice.

    Parameters
    ----------
    limit
        Maximum number of tokens of the answer, for the note; None if unknown.
    reply
        The provider's reply, which contains its finish reason.
    """
    text, reasoning, refusal = _parts(output)
    text, thought = split_thought(text)
    # If there is only a thought, inspect-ai returns it both as reasoning and as text.
    if thought and thought != reasoning.strip():
        reasoning = f"{reasoning}\n{thought}" if reasoning else thought
    status: Status = "answered" if text.strip() else "empty"
    note = _note(output, limit, reply)
    if refusal or output.stop_reason == "content_filter":
        status = "refused"
    if text.startswith(_BLOCKED) and status == "refused":
        # This is the provider's reason, not the model's text.
        reason = " ".join(text.removeprefix(_BLOCKED).split())
        text, note = "", f"the prompt was blocked: {reason}"
    if status == "empty" and output.stop_reason == "tool_calls":
        note = "the model called a tool, although none was offered"
    return Completion(text, reasoning, status, note, _usage(output.usage))


def split_thought(text: str) -> tuple[str, str]:
    """Split a text into its answer and the thought between tags before it.

    A thought that was cut off has no closing tag, and no answer. If the opening tag is in the
    prompt, the text has only a closing tag.
    """
    opening, closing = _OPENING.match(text), _CLOSING.search(text)
    begin = opening.end() if opening else 0
    if closing is not None:
        return text[closing.end() :].lstrip(), text[begin : closing.start()].strip()
    return ("", text[begin:].strip()) if opening else (text, "")


def _note(output: Any, limit: int | None, reply: Mapping[str, Any] | None) -> str:
    """Whether the answer was cut off, and by what."""
    if (reply or {}).get("stop_reason") == "model_context_window_exceeded":
        return "cut off by the end of the model's context window"
    if output.stop_reason not in ("max_tokens", "model_length"):
        return ""
    return "cut off by " + (f"the limit of {limit} tokens" if limit else "its token limit")


def _parts(output: Any) -> tuple[str, str, bool]:
    """Text, reasoning, and whether the model declined."""
    content = output.choices[0].message.content
    if isinstance(content, str):
        return content, "", False
    text = "".join(part.text for part in content if part.type == "text")
    thoughts = (
        part.summary or "" if part.redacted else part.reasoning
        for part in content
        if part.type == "reasoning"
    )
    reasoning = "\n".join(thought for thought in thoughts if thought)
    refusal = any(bool(getattr(part, "refusal", None)) for part in content)
    return text, reasoning, refusal


def _usage(usage: Any) -> dict[str, int]:
    """The known token counts; zero tokens in total means unknown."""
    if usage is None or not (usage.input_tokens or usage.output_tokens):
        return {}
    counts = {
        "input": usage.input_tokens,
        "output": usage.output_tokens,
        "reasoning": usage.reasoning_tokens,
        "cache_read": usage.input_tokens_cache_read,
        "cache_write": usage.input_tokens_cache_write,
    }
    return {name: n for name, n in counts.items() if n is not None}
