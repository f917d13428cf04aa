"""Opens an API model through inspect-ai, with all checks that need no call."""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from types import SimpleNamespace
from typing import Any

from many_wolves.errors import SettingError, WolvesError
from many_wolves.extras import needs
from many_wolves.records import Message, SpeakerSpec
from many_wolves.secrets import Redactor, known_secrets, redactor
from many_wolves.sources import nearest
from many_wolves.speakers.api.accepted import is_accepted, remember_accepted
from many_wolves.speakers.api.effort import check_effort, effort_in_request
from many_wolves.speakers.api.http import Guard, NotSentError, ReplyError, guarded_client
from many_wolves.speakers.api.retry import ErrorClass, RetryPolicy, classify_error
from many_wolves.speakers.api.settings import COMPATIBLE, PROVIDERS, key_name, read_key

_PROBE = (Message("user", "Hello"),)
_NO_KEY = "none"
_UNKNOWN = re.compile(r"not recognized", re.IGNORECASE)
_NEEDS_LIBRARY = re.compile(r"requires optional dependencies|pip install", re.IGNORECASE)
_MARKUP = re.compile(r"\[/?(?:bold|blue)\]")
_READ_S = 600.0
"""Seconds without a byte after which a bookkeeping request of a batch is abandoned."""


@dataclass(frozen=True)
class Connection:
    """One model at its provider, with the HTTP client for its requests.

    inspect-ai's ``ModelAPI`` closes its client with the event loop that used it, so each round
    of requests has a separate connection.

    Parameters
    ----------
    api
        inspect-ai's ``ModelAPI``.
    client
        Its HTTP client.
    classify
        Classifies the errors of calls.
    """

    api: Any
    client: Any
    classify: Callable[[Exception], ErrorClass]

    async def close(self) -> None:
        """Close every connection."""
        await self.client.aclose()


@dataclass(frozen=True)
class ApiModel:
    """An API model that is ready for requests.

    Parameters
    ----------
    connect
        Opens a connection.
    config
        inspect-ai's generation settings, the same for every request.
    effort
        Effective reasoning effort.
    redact
        Removes every key from a text.
    sends_schemas
        Whether requests contain the JSON schema of their answers.
    """

    connect: Callable[[], Connection]
    config: Any
    effort: str
    redact: Redactor
    sends_schemas: bool


def open_model(
    spec: SpeakerSpec,
    api_key: str | None,
    policy: RetryPolicy,
    *,
    batch: bool,
) -> ApiModel:
    """Find the key and the provider, and determine the effective effort.

    The effort is read from a request that inspect-ai prepares and the client does not send.

    Parameters
    ----------
    api_key
        Key from the command line; by default that of the environment.
    policy
        Time limit of a request, and polling interval of a batch.
    batch
        Use the provider's batch mode.

    Raises
    ------
    WolvesError
        If the key is missing, the provider is unknown, or it does not support the effort.
    """
    key = read_key(spec.provider, api_key)
    redact = redactor(known_secrets(key, api_key or ""))
    with needs("api", f"the speaker `{spec.provider}`"):
        import inspect_ai.model  # noqa: F401

    if batch:
        from many_wolves.speakers.api.batches import prepare_batches

        prepare_batches(redact)
    guard = Guard()

    def connect() -> Connection:
        return _connect(spec, key, guard, policy.timeout_s or _READ_S)

    effort, sends_schemas = _learn(spec, connect, guard, redact)
    return ApiModel(
        connect, _config(spec, policy if batch else None), effort, redact, sends_schemas
    )


def check_request(spec: SpeakerSpec) -> None:
    """Reject settings that requests to this provider would omit; needs no key.

    Without the extra ``api``, nothing can be checked, and nothing is rejected.

    Raises
    ------
    SettingError
        If a sampling setting would be omitted.
    WolvesError
        If the provider does not support the effort, or is unknown.
    """
    if find_spec("inspect_ai") is None or is_accepted(spec):
        return
    check_provider(spec.provider)
    guard = Guard()
    redact = redactor(known_secrets())
    _learn(spec, lambda: _connect(spec, _NO_KEY, guard, _READ_S), guard, redact)
    remember_accepted(spec)


def check_provider(provider: str) -> None:
    """Reject a provider that inspect-ai does not know; needs no key.

    Without the extra ``api``, nothing can be checked, and nothing is rejected.

    Raises
    ------
    WolvesError
        With the nearest provider.
    """
    if provider in PROVIDERS or find_spec("inspect_ai") is None:
        return
    from inspect_ai.model import get_model

    try:
        get_model(f"{provider}/model", api_key=_NO_KEY, memoize=False)
    except Exception as error:  # Others are about settings, which are checked later.
        if _UNKNOWN.search(str(error)):
            raise WolvesError(
                f"no provider is called {provider!r}; nothing was asked",
                fix=f"{nearest(provider, (*PROVIDERS, 'hf', 'vllm', 'simulated'))}, "
                "and others that inspect-ai has",
            ) from None


def _learn(
    spec: SpeakerSpec, connect: Callable[[], Connection], guard: Guard, redact: Redactor
) -> tuple[str, bool]:
    """The effective effort, and whether schemas are supported, from requests that are not sent.

    Raises
    ------
    WolvesError
        If the provider is unknown, or would omit a setting.
    """
    try:
        connection = connect()
        request = _request(connection, guard, _config(spec))
        sends_schemas = _sends_schemas(connection, guard, _config(spec))
    except WolvesError:
        raise
    except ReplyError as error:
        raise WolvesError(f"{spec.name}: {redact(error.words)}", fix=error.fix) from None
    except Exception as error:  # Clients raise arbitrary errors before a request is sent.
        words = redact(" ".join(_MARKUP.sub("", str(error)).split()))
        if _NEEDS_LIBRARY.search(words):
            raise _unguarded(spec, "needs a special library for this provider") from None
        raise WolvesError(
            f"{spec.name}: {words.rstrip('.')}; nothing was asked",
            fix="check --provider, --model_name, --effort and --thinking_tokens",
        ) from None
    for setting in ("temperature", "top_p"):
        if getattr(spec, setting) is not None and not _holds(request, setting):
            raise SettingError(
                f"{spec.name}: this model does not support {setting}; nothing was asked",
                setting=setting,
                fix=f"leave --{setting} out",
            )
    effort = check_effort(
        spec.effort,
        spec.thinking_tokens,
        effort_in_request(request),
        thinks=_says(connection.api, "is_claude_4_7_or_later", "has_reasoning_options")
        or _says(connection.api, "is_gemini_thinking"),
        always=_says(connection.api, "always_reasons", "is_gemini_thinking_only"),
        who=spec.name,
    )
    return effort, sends_schemas


def _holds(request: Any, name: str) -> bool:
    """Whether a request has a field of this name, in either spelling, at any depth."""
    if isinstance(request, list):
        return any(_holds(part, name) for part in request)
    if not isinstance(request, dict):
        return False
    plain = name.replace("_", "")
    return any(
        key.replace("_", "").lower() == plain or _holds(part, name) for key, part in request.items()
    )


def messages(prompt: Sequence[Message]) -> list[Any]:
    """Messages in the form of inspect-ai."""
    from inspect_ai.model import ChatMessageAssistant, ChatMessageSystem, ChatMessageUser

    kinds = {
        "system": ChatMessageSystem,
        "user": ChatMessageUser,
        "assistant": ChatMessageAssistant,
    }
    return [kinds[m.role](content=m.content) for m in prompt]


def _connect(spec: SpeakerSpec, key: str, guard: Guard, timeout_s: float) -> Connection:
    """The provider's ``ModelAPI``, made to send through our client.

    Raises
    ------
    WolvesError
        If its client cannot be replaced, because nothing could then prevent it from following a
        redirect with the key.
    """
    from inspect_ai.model import get_model

    name = (
        f"openai-api/local/{spec.model}"
        if spec.provider == COMPATIBLE
        else f"{spec.provider}/{spec.model}"
    )
    api = get_model(name, base_url=spec.base_url or None, api_key=key, memoize=False).api
    guarded = _guard_google if hasattr(api, "_http_options") else _guard_vendor
    client = guarded(api, guard, timeout_s)
    if client is None:
        raise _unguarded(spec, "reaches this provider with a client that may follow redirects")
    provider = SimpleNamespace(should_retry=api.should_retry, is_auth_failure=api.is_auth_failure)

    def classify(error: Exception) -> ErrorClass:
        return classify_error(
            error,
            provider,
            reached=guard.replied,
            answered=guard.answered,
            key_name=key_name(spec.provider),
        )

    # inspect-ai retries the bookkeeping of a batch as long as this returns True.
    api.should_retry = lambda error: classify(error).kind == "retry"
    return Connection(api, client, classify)


def _unguarded(spec: SpeakerSpec, why: str) -> WolvesError:
    """The error for a provider whose client cannot be replaced by ours."""
    return WolvesError(
        f"{spec.name}: inspect-ai {why}; nothing was asked",
        fix="use --provider openai-compatible with the provider's address in --base_url",
    )


def _guard_google(api: Any, guard: Guard, timeout_s: float) -> Any:
    """Guard Google's library, which makes a client per request from its options."""
    import httpx

    client = guarded_client(httpx, guard, timeout_s)
    make = api._http_options

    def http_options(config: Any = None) -> Any:
        options = make(config)
        options.httpx_async_client = client
        options.timeout = int(1000 * timeout_s)
        return options

    api._http_options = http_options
    return client


def _guard_vendor(api: Any, guard: Guard, timeout_s: float) -> Any:
    """Guard the libraries of OpenAI and Anthropic, which take a client, and retry by default.

    None if the provider has another library.
    """
    own = getattr(getattr(api, "client", None), "_client", None)
    library = next((name for name in ("httpx2", "httpx") if _is_of(own, name)), None)
    if library is None:
        return None
    client = guarded_client(import_module(library), guard, timeout_s)
    api.model_args = {**api.model_args, "max_retries": 0}
    if hasattr(api, "http_client"):
        api.http_client = client
    else:
        api.model_args["http_client"] = client
    api.initialize()
    return client if api.client._client is client else None


def _is_of(client: Any, library: str) -> bool:
    return any(base.__module__.partition(".")[0] == library for base in type(client).__mro__)


def _request(connection: Connection, guard: Guard, config: Any) -> Any:
    """The body of the request that inspect-ai would send.

    Raises
    ------
    Exception
        The provider's error, if it prepared no request.
    """
    guard.holding = True
    fault: Exception | None = None
    # Its warnings about omitted settings are reported as errors or visible in the record.
    log = logging.getLogger("inspect_ai")
    level = log.level
    log.setLevel(logging.ERROR)
    try:
        _run(connection.api.generate(messages(_PROBE), [], "none", config))
    except Exception as error:
        fault = error
    finally:
        guard.holding = False
        log.setLevel(level)
    if guard.held is None:
        raise fault or NotSentError("the provider prepared no request")
    return guard.held


def _sends_schemas(connection: Connection, guard: Guard, config: Any) -> bool:
    """Whether inspect-ai puts a schema into a request; for some providers it omits it."""
    from inspect_ai.model import ResponseSchema
    from inspect_ai.util import JSONSchema

    field = "field_of_the_probe"
    schema = JSONSchema(type="object", properties={field: JSONSchema(type="integer")})
    asked = ResponseSchema(name="probe", json_schema=schema)
    request = _request(connection, guard, config.model_copy(update={"response_schema": asked}))
    return field in json.dumps(request)


def _run[T](work: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine to its end, even if an event loop is running, as in a notebook."""
    import asyncio
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(1) as pool:
        return pool.submit(asyncio.run, work).result()


def _config(spec: SpeakerSpec, batch: RetryPolicy | None = None) -> Any:
    from inspect_ai.model import BatchConfig, GenerateConfig

    return GenerateConfig(
        max_tokens=spec.max_tokens or None,
        temperature=spec.temperature,
        top_p=spec.top_p,
        reasoning_effort=spec.effort or None,
        reasoning_tokens=spec.thinking_tokens,
        # By default, the client asks the server whether summaries are allowed.
        reasoning_summary="none",
        # Every prompt differs, so a cache would be written at a surcharge and never read.
        cache_prompt=False,
        batch=BatchConfig(tick=batch.tick_s) if batch else None,
        max_retries=batch.retries if batch else None,
    )


def _says(api: Any, *questions: str) -> bool:
    """Whether any of these methods of the provider returns True."""
    return any(bool(getattr(api, question)()) for question in questions if hasattr(api, question))
