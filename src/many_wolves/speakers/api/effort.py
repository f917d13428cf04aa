"""Reasoning effort of API models: what is asked for, and what a provider makes of it.

Each provider has its own words for effort, and inspect-ai translates; some levels it
lowers, some it leaves out. The request has what is in effect.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from many_wolves.errors import WolvesError

DEFAULT = "provider's default"
"""The effort in effect where a request leaves it to the provider."""


def effort_in_request(request: Mapping[str, Any]) -> str:
    """The effort that a request asks for, as sent or as inspect-ai records it.

    Returns
    -------
    str
        A level, ``N tokens``, or empty when the request leaves it to the provider.
    """
    request = {**request, **(request.get("extra_body") or {})}
    thinking = request.get("thinking") or {}
    if thinking.get("type") in ("disabled", "between_tools"):
        return "none"
    if thinking.get("type") == "enabled":
        return f"{thinking['budget_tokens']} tokens"
    level = (request.get("output_config") or {}).get("effort")
    level = level or request.get("reasoning_effort")
    reasoning = request.get("reasoning") or {}
    level = level or reasoning.get("effort")
    if level:
        return str(level)
    if reasoning.get("max_tokens"):
        return f"{reasoning['max_tokens']} tokens"
    return _of_google(request)


def _of_google(request: Mapping[str, Any]) -> str:
    generation = request.get("generationConfig") or request.get("generation_config") or {}
    thinking = generation.get("thinkingConfig") or generation.get("thinking_config") or {}
    level = thinking.get("thinkingLevel") or thinking.get("thinking_level")
    if level:
        return str(level).lower()
    budget = thinking.get("thinkingBudget", thinking.get("thinking_budget"))
    if budget is None:
        return ""
    return "none" if budget == 0 else f"{budget} tokens"


def check_effort(
    effort: str,
    thinking_tokens: int | None,
    found: str,
    *,
    thinks: bool,
    always: bool,
    who: str,
) -> str:
    """The effort in effect, or an error before the first call.

    Parameters
    ----------
    effort, thinking_tokens
        What the user asks for; empty and None for the provider's default.
    found
        What ``effort_in_request`` reads from a request that was made and not sent.
    thinks, always
        Whether the model reasons when nothing is said, and whatever is said.
    who
        Name of the speaker, for the message.

    Raises
    ------
    WolvesError
        If the provider does not take what the user asks for.
    """
    if not effort and thinking_tokens is None:
        return found or DEFAULT
    if effort == "none":
        if not always and (found == "none" or (not found and not thinks)):
            return "none"
        raise _unsupported(who, "reasoning cannot be turned off for it", "leave --effort out")
    if thinking_tokens is not None:
        if found == f"{thinking_tokens} tokens":
            return found
        raise _unsupported(
            who, "it does not support a budget of tokens", "use --effort low|medium|high"
        )
    if not found:
        raise _unsupported(
            who, f"it does not support a reasoning effort ({effort!r} requested)", "--effort none"
        )
    return found


def _unsupported(who: str, words: str, fix: str) -> WolvesError:
    return WolvesError(f"{who}: {words}; nothing was asked", fix=fix)
