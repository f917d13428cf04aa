"""Open an API model through inspect-ai, and settle what can be settled before the first call."""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from many_wolves.errors import SettingError, WolvesError
from many_wolves.files import code_version
from many_wolves.records import Message, SpeakerSpec
from many_wolves.speakers.effort import BUDGETS, Rehearsed, in_effect, rehearse, settle
from many_wolves.speakers.replies import READERS
from many_wolves.speakers.secrets import redact, secrets
from many_wolves.speakers.wire import Wire

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
_PLAIN_CLIENTS = {"AsyncOpenAI", "AsyncAnthropic"}
_OF_TRANSPORT = {
    "host",
    "connection",
    "content-length",
    "accept-encoding",
    "user-agent",
    "x-irid",
}
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
    wire
        Sends plain requests; None where inspect-ai's client sends all of them.
    again
        Makes ``model`` anew: its client is closed after each round of requests.
    """

    model: Any
    config: Any
    effort_used: str
    key_name: str
    keys: tuple[str, ...]
    wire: Wire | None = None
    again: Callable[[], Any] | None = None


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
                raise SettingError(
                    f"{spec.name}: its API takes no {name}",
                    setting=name,
                    mend=f"leave --{name} out",
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
        rehearsed = _rehearse(spec, config, (Message("user", "Hello"),), "rehearsal")
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
        in_effect(rehearsed.body),
        thinks=_says(model.api, "is_claude_4_7_or_later", "has_reasoning_options")
        or _says(model.api, "is_gemini_thinking"),
        always=_says(model.api, "always_reasons", "is_gemini_thinking_only"),
        who=spec.name,
    )
    wire = None if batch else _wire(spec, config, model, rehearsed, key)
    config = _config(spec, batch=batch, tick_s=tick_s)

    def again() -> Any:
        return _get_model(spec, spec.base_url or None, key)

    return Opened(model, config, effort, name, keys, wire, again)


def messages(prompt: tuple[Message, ...]) -> list[Any]:
    """Messages as inspect-ai takes them."""
    from inspect_ai.model import ChatMessageAssistant, ChatMessageSystem, ChatMessageUser

    kinds = {
        "system": ChatMessageSystem,
        "user": ChatMessageUser,
        "assistant": ChatMessageAssistant,
    }
    return [kinds[m.role](content=m.content) for m in prompt]


def _rehearse(spec: SpeakerSpec, config: Any, prompt: Sequence[Message], key: str) -> Rehearsed:
    """What inspect-ai would send."""

    async def say(address: str) -> None:
        model = _get_model(spec, address + _prefix(spec), key)
        try:
            await model.api.generate(messages(tuple(prompt)), [], "none", config)
        finally:
            await model.api.aclose()

    return rehearse(say, asyncio.run)


def _wire(
    spec: SpeakerSpec, config: Any, model: Any, rehearsed: Rehearsed, key: str
) -> Wire | None:
    """How plain requests are sent; None where replies are streamed or of another format."""
    path = rehearsed.path.partition("?")[0]
    reader = next((read for end, read in READERS.items() if path.endswith(end)), None)
    client: Any = getattr(model.api, "client", None)
    plain = type(client).__name__ in _PLAIN_CLIENTS and not rehearsed.body.get("stream")
    if reader is None or not plain:
        return None

    def again(prompt: Sequence[Message], seed: int | None) -> Rehearsed:
        # With the true key: which header carries it may depend on what it looks like.
        sent = _rehearse(spec, config.model_copy(update={"seed": seed}), prompt, key)
        return sent._replace(headers=_headers(sent.headers))

    return Wire(
        again,
        reader,
        str(client.base_url),
        _prefix(spec),
        limit=spec.max_tokens,
        seeded=spec.provider == COMPATIBLE,
    )


def _headers(rehearsed: Mapping[str, str]) -> dict[str, str]:
    """Headers that matter: what the transport adds is left out."""
    kept = {
        name: value
        for name, value in rehearsed.items()
        if name not in _OF_TRANSPORT and not name.startswith("x-stainless-")
    }
    return kept | {"user-agent": f"many-wolves/{code_version()}"}


def _prefix(spec: SpeakerSpec) -> str:
    """What stands in a provider's base address before its paths."""
    return "" if spec.provider in ("anthropic", "google") else "/v1"


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
