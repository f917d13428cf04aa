"""Facts about API providers: keys, limits, and unsupported settings."""

from __future__ import annotations

import os

from many_wolves.errors import SettingError, WolvesError
from many_wolves.records import SpeakerSpec
from many_wolves.secrets import clean_key
from many_wolves.speakers.effort import BUDGETS

COMPATIBLE = "openai-compatible"
"""Provider name of any server that speaks OpenAI's chat format."""

PROVIDERS = ("anthropic", "openai", "google", COMPATIBLE)
"""The providers that the help names."""

ANSWER_TOKENS = 4096
"""Tokens for an answer in addition to its reasoning: a limit, not what is paid."""

OMISSIBLE = ("max_tokens", "seed")
"""Fields of every request to a compatible server, unless omitted."""

_KEY_NAMES = {COMPATIBLE: "OPENAI_COMPATIBLE_API_KEY"}
_NO_SAMPLING = {"anthropic"}
_BATCHES = {"anthropic", "openai", "google"}
_OTHER_KEYS = {"anthropic": ("ANTHROPIC_AUTH_TOKEN",)}
"""Environment variables that a provider's client reads."""


def key_name(provider: str) -> str:
    """Environment variable of a provider's key."""
    return _KEY_NAMES.get(provider, f"{provider.upper().replace('-', '_')}_API_KEY")


def read_key(provider: str, given: str | None) -> str:
    """The key for a provider.

    Parameters
    ----------
    given
        Key from the command line; by default that of the environment.

    Raises
    ------
    WolvesError
        If there is none, or it contains invalid characters.
    """
    name = key_name(provider)
    key = clean_key("--api_key", given) if given else clean_key(name, os.environ.get(name, ""))
    for other in _OTHER_KEYS.get(provider, ()):
        clean_key(other, os.environ.get(other, ""))
    if not key and provider == COMPATIBLE:
        return "none"
    if not key:
        raise WolvesError(
            f"{provider}: the environment variable {name} has no key",
            fix=f"export {name}=...",
        )
    return key


def answer_limit(effort: str, thinking_tokens: int | None) -> int:
    """Default maximum number of tokens of reasoning and answer."""
    thought = thinking_tokens if thinking_tokens is not None else BUDGETS.get(effort, 0)
    return ANSWER_TOKENS + thought


def check_settings(spec: SpeakerSpec, *, batch: bool) -> None:
    """Reject settings that no API of this provider supports.

    Raises
    ------
    WolvesError
        With the setting to change.
    """
    if spec.mode == "score":
        raise WolvesError(
            f"{spec.name}: API models do not give the probability of a whole answer",
            fix="--mode sample, with --replicates for frequencies",
        )
    if spec.provider in _NO_SAMPLING:
        for name in ("temperature", "top_p"):
            if getattr(spec, name) is not None:
                raise SettingError(
                    f"{spec.name}: its API does not support {name}",
                    setting=name,
                    fix=f"leave --{name} out",
                )
    if batch and spec.provider not in _BATCHES:
        raise WolvesError(
            f"{spec.name}: expected a provider with a batch mode ({', '.join(sorted(_BATCHES))})",
            fix="leave --batch out",
        )
    if spec.omit and spec.provider != COMPATIBLE:
        raise WolvesError(
            f"{spec.name}: --omit works for openai-compatible servers only",
            fix="leave --omit out",
        )
    if spec.provider == COMPATIBLE and not spec.base_url:
        raise WolvesError(
            "an OpenAI-compatible server needs an address", fix="--base_url http://HOST:PORT/v1"
        )
