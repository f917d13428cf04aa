"""Open an API model through inspect-ai, and settle what can be settled before the first call."""

from __future__ import annotations

import asyncio
import logging
import os
from dataclasses import dataclass
from typing import Any

from many_wolves.errors import WolvesError
from many_wolves.records import Message, SpeakerSpec
from many_wolves.speakers.effort import BUDGETS, in_effect, rehearse, settle
from many_wolves.speakers.secrets import redact, secrets

COMPATIBLE = "openai-compatible"
"""Provider name of any server that speaks OpenAI's chat format."""

ANSWER_TOKENS = 4096
"""Room for an answer beside its reasoning: a limit, not what is paid."""

_KEY_NAMES = {
    "anthropic": "ANTHROPIC_API_KEY",
    "openai": "OPENAI_API_KEY",
    "google": "GOOGLE_API_KEY",
    COMPATIBLE: "OPENAI_COMPATIBLE_API_KEY",
}
_NO_SAMPLING = {"anthropic"}
_BATCHES = {"anthropic", "openai", "google"}
_OWN_RETRIES = {"anthropic", "openai", COMPATIBLE}


@dataclass(frozen=True)
class Opened:
    """An API model that is ready to be asked.

    Parameters
    ----------
    model
        inspect-ai's model.
    config
        inspect-ai's generation settings, the same for every request.
    effort_used
        Reasoning effort in effect.
    key_name
        Environment variable of the key.
    keys
        What must never be written.
    """

    model: Any
    config: Any
    effort_used: str
    key_name: str
    keys: tuple[str, ...]


def key_name(provider: str) -> str:
    """Environment variable of a provider's key."""
    return _KEY_NAMES.get(provider, f"{provider.upper().replace('-', '_')}_API_KEY")


def answer_limit(effort: str, thinking_tokens: int | None) -> int:
    """Most tokens of reasoning and answer, where the user sets no limit."""
    thought = thinking_tokens if thinking_tokens is not None else BUDGETS.get(effort, 0)
    return ANSWER_TOKENS + thought


def check_settings(spec: SpeakerSpec, *, batch: bool) -> None:
    """Refuse what no API of this provider takes.

    Raises
    ------
    WolvesError
        With the mend.
    """
    if spec.mode == "score":
        raise WolvesError(
            f"{spec.name}: API models do not give the probability of a whole answer",
            mend="--mode sample, with --replicates for frequencies",
        )
    if spec.provider in _NO_SAMPLING:
        for name in ("temperature", "top_p"):
            if getattr(spec, name) is not None:
                raise WolvesError(
                    f"{spec.name}: its API takes no {name}", mend=f"leave --{name} out"
                )
    if batch and spec.provider not in _BATCHES:
        raise WolvesError(
            f"{spec.name}: expected a provider with a batch mode ({', '.join(sorted(_BATCHES))})",
            mend="leave --batch out",
        )
    if spec.provider == COMPATIBLE and not spec.base_url:
        raise WolvesError(
            "an OpenAI-compatible server needs its address", mend="--base_url http://HOST:PORT/v1"
        )


def open_model(
    spec: SpeakerSpec, api_key: str | None, *, batch: bool, tick_s: float | None = None
) -> Opened:
    """Make the client, and rehearse one request to learn the effort in effect.

    Parameters
    ----------
    api_key
        Key given on the command line; the environment's is used without it.
    batch
        Use the provider's batch mode.
    tick_s
        Seconds between two looks at a batch; None leaves inspect-ai's 15.

    Raises
    ------
    WolvesError
        If there is no key, the provider is unknown, or it does not take the effort.
    """
    name = key_name(spec.provider)
    key = api_key or os.environ.get(name) or ("none" if spec.provider == COMPATIBLE else "")
    if not key:
        raise WolvesError(
            f"{spec.name}: there is no key in the environment variable {name}",
            mend=f"export {name}=...",
        )
    keys = secrets(key)
    logging.getLogger("httpx").setLevel(logging.WARNING)
    config = _config(spec, batch=False)
    try:
        rehearsed = rehearse(lambda url: _say_hello(spec, url, config), asyncio.run)
        model = _get_model(spec, spec.base_url or None, key)
    except WolvesError:
        raise
    except Exception as error:  # clients raise what they like before a request is sent
        words = redact(" ".join(str(error).split()), keys)
        raise WolvesError(
            f"{spec.name}: {words}; nothing was asked",
            mend="check --provider, --model_name, --effort and --thinking_tokens",
        ) from None
    effort = settle(
        spec.effort,
        spec.thinking_tokens,
        in_effect(rehearsed),
        thinks=_says(model.api, "is_claude_4_7_or_later", "has_reasoning_options")
        or _says(model.api, "is_gemini_thinking"),
        always=_says(model.api, "always_reasons", "is_gemini_thinking_only"),
        who=spec.name,
    )
    return Opened(model, _config(spec, batch=batch, tick_s=tick_s), effort, name, keys)


def messages(prompt: tuple[Message, ...]) -> list[Any]:
    """Messages as inspect-ai takes them."""
    from inspect_ai.model import ChatMessageAssistant, ChatMessageSystem, ChatMessageUser

    kinds = {
        "system": ChatMessageSystem,
        "user": ChatMessageUser,
        "assistant": ChatMessageAssistant,
    }
    return [kinds[m.role](content=m.content) for m in prompt]


async def _say_hello(spec: SpeakerSpec, address: str, config: Any) -> None:
    path = "/v1" if spec.provider not in ("anthropic", "google") else ""
    model = _get_model(spec, address + path, "rehearsal")
    try:
        await model.api.generate(messages((Message("user", "Hello"),)), [], "none", config)
    finally:
        await model.api.aclose()


def _get_model(spec: SpeakerSpec, base_url: str | None, key: str) -> Any:
    from inspect_ai.model import get_model

    name = (
        f"openai-api/local/{spec.model}"
        if spec.provider == COMPATIBLE
        else f"{spec.provider}/{spec.model}"
    )
    # Every retry is ours, so that it is counted and its wait recorded.
    options = {"max_retries": 0} if spec.provider in _OWN_RETRIES else {}
    return get_model(name, base_url=base_url, api_key=key, memoize=False, **options)


def _config(spec: SpeakerSpec, *, batch: bool, tick_s: float | None = None) -> Any:
    from inspect_ai.model import BatchConfig, GenerateConfig

    return GenerateConfig(
        max_tokens=spec.max_tokens,
        temperature=spec.temperature,
        top_p=spec.top_p,
        reasoning_effort=spec.effort or None,
        reasoning_tokens=spec.thinking_tokens,
        # Left to itself the client asks the server whether it may have summaries.
        reasoning_summary="none",
        # Every prompt differs: a cache would be written at a surcharge and never read.
        cache_prompt=False,
        batch=BatchConfig(tick=tick_s) if batch else None,
    )


def _says(api: Any, *questions: str) -> bool:
    """Whether the provider answers yes to any of the questions it knows."""
    return any(bool(getattr(api, question)()) for question in questions if hasattr(api, question))
