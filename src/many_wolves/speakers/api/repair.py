"""Repairs replies of servers that deviate from the documented format.

inspect-ai and the vendors' clients expect documented replies, and fail with a ``TypeError`` or a
``KeyError`` on others. Known deviations are repaired here before the clients see them. This
covers all formats: complete replies, streamed ones, and those of a batch.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from many_wolves.files import whole_text

_THOUGHTS = ("thinking", "reasoning")
_MOST_TOKENS = 10**12
"""Counts above it are errors; no reply is as long."""


def repair(value: Any) -> Any:
    """Repair a parsed JSON value of a reply.

    - An unpaired surrogate, from a text that was cut off within an emoji, becomes U+FFFD,
      because no file can contain it.
    - A chat message whose content is a list of parts gets its text as ``content`` and
      its thoughts as ``reasoning_content``.
    - Token counts that are text become numbers; those that are neither are removed.
    - An Anthropic turn that pauses for a server tool ends, because no tool was offered. A malformed
      tool call is not requested again, as inspect-ai would do.
    - A text in place of Anthropic's content, or of a response's output, is its only part.
    - Messages, contents and texts that are null are empty; items of a response that are
      neither a message nor a thought are removed.
    - A reply without the name of its model gets an empty one.
    """
    if isinstance(value, str):
        return whole_text(value)
    if isinstance(value, list):
        return [repair(one) for one in value]
    if not isinstance(value, dict):
        return value
    found = {repair(name): repair(one) for name, one in value.items()}
    if "message" in found and "finish_reason" in found:
        found["message"] = _joined(found["message"] or {})
    if found.get("stop_reason") == "pause_turn":
        found["stop_reason"] = "end_turn"
    if found.get("finishReason") == "MALFORMED_FUNCTION_CALL":
        found["finishReason"] = "UNEXPECTED_TOOL_CALL"
    if found.get("type") == "message" and not found.get("content"):
        found["content"] = []
    if "stop_reason" in found and isinstance(found.get("content"), str):
        found["content"] = [{"type": "text", "text": found["content"]}]
    if found.get("object") == "response":
        found["output"] = _items(found.get("output"))
    if (found.get("choices") or found.get("type") == "message") and not found.get("model"):
        found["model"] = ""
    return _counted(found)


def _items(output: Any) -> list[Any]:
    """The messages and thoughts of a response, with valid texts."""
    if isinstance(output, str):
        part = {"type": "output_text", "text": output, "annotations": []}
        message = {"type": "message", "id": "", "role": "assistant", "status": "completed"}
        return [{**message, "content": [part]}]
    items = [item for item in output or () if isinstance(item, dict)]
    items = [item for item in items if item.get("type") in ("message", "reasoning")]
    for item in items:
        for part in item.get("content") or ():
            if isinstance(part, dict) and part.get("type") == "output_text":
                part["text"] = _words(part.get("text"))
    return items


def _joined(message: Mapping[str, Any]) -> dict[str, Any]:
    """A chat message with its parts joined."""
    found = dict(message)
    content = found.get("content")
    if isinstance(content, list):
        parts = [part if isinstance(part, dict) else {"text": part} for part in content]
        thoughts = [_words(part) for part in parts if part.get("type") in _THOUGHTS]
        refusals = [_words(part) for part in parts if part.get("type") == "refusal"]
        found["content"] = "".join(
            _words(part) for part in parts if part.get("type", "text") in ("text", "output_text")
        )
        if refusals and not found.get("refusal"):
            found["refusal"] = "".join(refusals)
        if thoughts and not found.get("reasoning_content"):
            found["reasoning_content"] = "\n".join(thoughts)
    elif content is not None and not isinstance(content, str):
        found["content"] = _words(content)
    if not all(map(_is_tool_call, found.get("tool_calls") or ())):
        found["tool_calls"] = None
    for name in ("reasoning_content", "reasoning"):
        if isinstance(found.get(name), list | dict):
            found[name] = _words(found[name])
    return found


def _is_tool_call(call: Any) -> bool:
    """Whether inspect-ai can read the call of a tool."""
    function = call.get("function") if isinstance(call, dict) else None
    named = isinstance(function, dict) and isinstance(function.get("name"), str)
    return named and isinstance(call.get("id"), str)


def _words(part: Any) -> str:
    """The text of a part, at any depth."""
    if isinstance(part, str | int | float):
        return str(part)
    if isinstance(part, list):
        return "".join(_words(one) for one in part)
    if isinstance(part, dict):
        names = ("text", "thinking", "reasoning", "refusal", "content", "summary")
        return next((_words(part[name]) for name in names if part.get(name)), "")
    return ""


def _counted(reply: dict[str, Any]) -> dict[str, Any]:
    """A reply whose token counts, if any, are numbers."""
    if reply.get("type") == "message":
        reply["usage"] = _of_anthropic(reply.get("usage"), "input_tokens", "output_tokens")
    elif reply.get("type") == "message_delta":
        reply["usage"] = _of_anthropic(reply.get("usage"), "output_tokens")
    elif "usage" in reply and ("choices" in reply or reply.get("object") == "response"):
        reply["usage"] = _complete(_numbers(reply["usage"] or {}))
    if "usageMetadata" in reply:
        reply["usageMetadata"] = _numbers(reply["usageMetadata"])
    return reply


def _of_anthropic(usage: Any, *needed: str) -> dict[str, Any]:
    """Anthropic's counts, with zero for unknown ones, because its clients add them up.

    If the tokens of a thought are missing, inspect-ai would ask the server to count them.
    """
    counts = _numbers(usage)
    found = counts | {name: counts.get(name) or 0 for name in needed}
    details = counts.get("output_tokens_details") or {}
    if details or "input_tokens" in needed:
        thought = {"thinking_tokens": details.get("thinking_tokens") or 0}
        found["output_tokens_details"] = details | thought
    return found


def _complete(counts: dict[str, Any]) -> dict[str, Any] | None:
    """OpenAI's counts with their total; None if one of the two is unknown."""
    names = ("input_tokens", "output_tokens")
    if "prompt_tokens" in counts or "completion_tokens" in counts:
        names = ("prompt_tokens", "completion_tokens")
    known = [n for name in names if isinstance(n := counts.get(name), int)]
    if len(known) < len(names):
        return None
    return counts | {"total_tokens": counts.get("total_tokens") or sum(known)}


def _numbers(counts: Any) -> dict[str, Any]:
    """The counts, every number of tokens an integer or None; empty if they are not an object.

    Details that are neither an object nor, as Google's are, a list become None.
    """
    if not isinstance(counts, dict):
        return {}
    found = dict(counts)
    for name, value in counts.items():
        if isinstance(value, dict):
            found[name] = _numbers(value)
        elif name.lower().endswith(("tokens", "tokencount")):
            found[name] = _integer(value)
        elif name.endswith("_details") or (name.endswith("Details") and type(value) is not list):
            found[name] = None
    return found


def _integer(value: Any) -> int | None:
    """A count of tokens; None if the value cannot be one."""
    try:
        count = int(value) if type(value) is int else int(float(value))
    except (TypeError, ValueError, OverflowError):
        return None
    return count if 0 <= count <= _MOST_TOKENS else None
