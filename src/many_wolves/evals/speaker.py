"""The speaker of an Inspect log, with every setting that can change an answer."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit, urlunsplit

from many_wolves.records import SpeakerSpec
from many_wolves.secrets import Redactor
from many_wolves.speakers.api.settings import COMPATIBLE

_MAPPED = {
    "reasoning_effort",
    "reasoning_tokens",
    "temperature",
    "top_p",
    "max_tokens",
    "seed",
}
_HOW_IT_RUNS = {
    "max_retries",
    "timeout",
    "attempt_timeout",
    "stream_idle_timeout",
    "max_connections",
    "adaptive_connections",
    "reasoning_summary",
    "reasoning_history",
    "cache",
    "cache_prompt",
    "batch",
    "extra_headers",
    "logprobs",
    "top_logprobs",
}
"""Settings that do not affect answers, or may contain what must not be stored."""

_SECRET = ("key", "token", "secret", "password", "auth", "bearer", "credential", "header")


def speaker_of(log: Any, redact: Redactor) -> SpeakerSpec:
    """The speaker of a log, without the keys that ``redact`` knows.

    The model's settings are those of its first call, which contain the provider's defaults.
    Settings without a field, such as a special solver, go into ``parameters``, so that answers
    under different settings are never pooled. ``max_tokens`` is 0 if no limit was set.
    """
    config = _config(log)
    arguments = {k: v for k, v in log.eval.model_args.items() if not _secret(k)}
    provider, model = _named(log.eval.model)
    return SpeakerSpec(
        provider=provider,
        model=model,
        revision=str(arguments.pop("revision", "")),
        effort=str(config.get("reasoning_effort", "")),
        thinking_tokens=config.get("reasoning_tokens"),
        temperature=config.get("temperature"),
        top_p=config.get("top_p"),
        max_tokens=config.get("max_tokens", 0),
        seed=config.get("seed", 0),
        base_url=redact(_address(log.eval.model_base_url or "")),
        parameters=without_keys(_others(log, config, arguments), redact),
    )


def without_keys(value: Any, redact: Redactor) -> Any:
    """A JSON value whose texts, those of its keys included, are redacted."""
    if isinstance(value, str):
        return redact(value)
    if isinstance(value, dict):
        return {redact(k): without_keys(v, redact) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [without_keys(part, redact) for part in value]
    return value


def _named(name: str) -> tuple[str, str]:
    """Provider and model of an Inspect model name."""
    provider, _, model = name.partition("/")
    if provider == "openai-api":
        return COMPATIBLE, model.partition("/")[2] or model
    return (provider, model) if model else ("", provider)


def _config(log: Any) -> dict[str, Any]:
    for sample in log.samples or []:
        for event in sample.events:
            if event.event == "model":
                return _given(event.config)
    return _given(log.plan.config) | _given(log.eval.model_generate_config)


def _given(config: Any) -> dict[str, Any]:
    found: dict[str, Any] = config.model_dump(mode="json", exclude_none=True)
    return found


def _others(log: Any, config: dict[str, Any], arguments: dict[str, Any]) -> dict[str, Any]:
    settings = {k: v for k, v in config.items() if k not in _MAPPED | _HOW_IT_RUNS}
    steps = [{"solver": s.solver, "params": s.params_passed or s.params} for s in log.plan.steps]
    plain = [step.solver for step in log.plan.steps] in ([], ["generate"])
    found = {
        "config": settings,
        "model_args": {k: v for k, v in arguments.items() if isinstance(v, str | int | float)},
        "solver": [] if plain else steps,
    }
    return {name: value for name, value in found.items() if value}


def _secret(name: str) -> bool:
    return any(word in name.lower() for word in _SECRET)


def _address(url: str) -> str:
    """A server's address without credentials."""
    if not url:
        return ""
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2]
    return urlunsplit((parts.scheme, host, parts.path, "", ""))
