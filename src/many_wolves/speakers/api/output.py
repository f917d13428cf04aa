"""What an inspect-ai output holds: text, reasoning, whether the model declined, tokens."""

from __future__ import annotations

from typing import Any, NamedTuple

from many_wolves.records import Status


class Completion(NamedTuple):
    """An answer before a family has read it.

    ``status`` is ``answered`` where there is a text, ``refused`` or ``empty``;
    ``note`` says that the answer was cut off.
    """

    text: str
    reasoning: str
    status: Status
    note: str
    usage: dict[str, int]


def parse_output(output: Any, limit: int | None) -> Completion:
    """Read an inspect-ai ``ModelOutput`` that has a choice.

    Parameters
    ----------
    limit
        Most tokens of the answer, for the note; None where it is not known.
    """
    text, reasoning, refusal = _parts(output)
    status: Status = "answered" if text.strip() else "empty"
    if refusal or output.stop_reason == "content_filter":
        status = "refused"
    cut = output.stop_reason in ("max_tokens", "model_length")
    words = f"the limit of {limit} tokens" if limit else "its limit of tokens"
    return Completion(
        text, reasoning, status, f"cut off by {words}" if cut else "", _usage(output.usage)
    )


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
    if usage is None:
        return {}
    counts = {
        "input": usage.input_tokens,
        "output": usage.output_tokens,
        "reasoning": usage.reasoning_tokens,
        "cache_read": usage.input_tokens_cache_read,
        "cache_write": usage.input_tokens_cache_write,
    }
    return {name: n for name, n in counts.items() if n is not None}
