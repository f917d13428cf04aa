"""Reasoning effort of API models: the requested one and the effective one.

Each provider has its own names of efforts. inspect-ai translates between them; it lowers some
levels and omits others. The request shows the effective effort.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from many_wolves.errors import WolvesError

DEFAULT = "provider's default"
"""The effective effort if a request leaves it to the provider."""


def effort_in_request(request: Mapping[str, Any]) -> str:
    """The effort in a request, as sent or as inspect-ai records it.

    Returns
    -------
    str
        A level, ``N tokens``, or empty if the request leaves it to the provider.
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
    """The effective effort, or an error before the first call.

    Parameters
    ----------
    effort, thinking_tokens
        The user's request; empty and None for the provider's default.
    found
        The result of ``effort_in_request`` for a request that was prepared but not sent.
    thinks, always
        Whether the model reasons by default, and whether it always reasons.
    who
        Name of the speaker, for the message.

    Raises
    ------
    WolvesError
        If the provider does not support the requested effort.
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
