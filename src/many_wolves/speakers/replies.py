"""Whole replies of API models, read as inspect-ai reads them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from many_wolves.records import Status
from many_wolves.speakers.api.output import Completion


def read_chat(reply: Any, limit: int) -> Completion:
    """A reply in OpenAI's chat format.

    Raises
    ------
    ConnectionError
        If it holds no choice.
    KeyError, TypeError, AttributeError
        If it has another form.
    """
    if not reply["choices"]:
        raise ConnectionError("the reply holds no choice")
    choice = reply["choices"][0]
    message, reason = choice["message"], choice.get("finish_reason")
    refusal = message.get("refusal")
    text = refusal or message.get("content") or ""
    reasoning = message.get("reasoning_content") or message.get("reasoning") or ""
    if not reasoning and "<think" in text:
        text, reasoning = _apart(text)
    usage = reply.get("usage") or {}
    details = usage.get("prompt_tokens_details") or {}
    read, written = details.get("cached_tokens"), details.get("cache_write_tokens")
    thought = (usage.get("completion_tokens_details") or {}).get("reasoning_tokens")
    counts = {
        "input": usage.get("prompt_tokens", 0) - (read or 0) - (written or 0),
        "output": usage.get("completion_tokens"),
        "reasoning": thought,
        "cache_read": read,
        "cache_write": written,
    }
    return _said(
        text,
        reasoning,
        counts if usage else {},
        limit,
        refused=bool(refusal) or reason == "content_filter",
        cut=reason == "length",
    )


def read_messages(reply: Any, limit: int) -> Completion:
    """A reply of Anthropic's Messages API.

    Raises
    ------
    ConnectionError
        If it gives no reason for its end: it broke off.
    KeyError, TypeError, AttributeError
        If it has another form.
    """
    reason = reply["stop_reason"]
    if reason not in ("end_turn", "stop_sequence", "max_tokens", "refusal", "tool_use"):
        raise ConnectionError("the reply broke off")
    blocks = reply["content"]
    usage = reply["usage"]
    counts = {
        "input": usage["input_tokens"],
        "output": usage["output_tokens"],
        "reasoning": (usage.get("output_tokens_details") or {}).get("thinking_tokens") or None,
        "cache_read": usage.get("cache_read_input_tokens"),
        "cache_write": usage.get("cache_creation_input_tokens"),
    }
    return _said(
        "".join(block["text"] for block in blocks if block["type"] == "text"),
        "\n".join(block["thinking"] for block in blocks if block["type"] == "thinking"),
        counts,
        limit,
        refused=reason == "refusal",
        cut=reason == "max_tokens",
    )


READERS: Mapping[str, Callable[[Any, int], Completion]] = {
    "/chat/completions": read_chat,
    "/messages": read_messages,
}
"""Who reads the replies to a request, by the end of its path."""


def _said(
    text: str,
    reasoning: str,
    counts: Mapping[str, int | None],
    limit: int,
    *,
    refused: bool,
    cut: bool,
) -> Completion:
    status: Status = "answered" if text.strip() else "empty"
    note = f"cut off by the limit of {limit} tokens" if cut else ""
    usage = {name: n for name, n in counts.items() if n is not None}
    return Completion(text, reasoning, "refused" if refused else status, note, usage)


def _apart(text: str) -> tuple[str, str]:
    from inspect_ai.model._reasoning import parse_content_with_reasoning

    rest, thought = parse_content_with_reasoning(text)
    return rest, thought.reasoning if thought is not None else ""
