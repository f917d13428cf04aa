"""The settings of a speaker, declared once for study files, the command line and Python."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar, Literal, get_args

from pydantic import Field, create_model
from pydantic.fields import FieldInfo

from many_wolves.options import Options
from many_wolves.records import Effort, Mode, PromptFormat
from many_wolves.speakers.api.retry import RetryPolicy
from many_wolves.speakers.speaker_request import SpeakerRequest

Dtype = Literal["auto", "bfloat16", "float16", "float32"]


class SpeakerConfig(Options):
    """The settings of a speaker: its identity, how it is asked, and how it is run.

    ``describe`` turns it into a ``SpeakerSpec``: all settings that can change an answer.
    """

    provider: str = Field(
        min_length=1,
        description="hf, vllm, simulated, api (with model names that begin with their provider), "
        "or a provider: anthropic, openai, google, openai-compatible.",
    )
    model: str = Field(default="", description="Name of the model at its provider.")
    path: Path | None = Field(default=None, description="Folder of the model.")
    revision: str = Field(default="", description="Checkpoint on the hub.")
    adapter: Path | None = Field(
        default=None, description="hf, vllm: folder of a LoRA adapter on top of the weights."
    )
    mode: Mode = Field(
        default="sample",
        description="sample: answers are sampled and read; score: exact probabilities of the "
        "options.",
    )
    prompt_format: PromptFormat = Field(
        default="chat", description="chat: the model's chat template; completion: for base models."
    )
    temperature: float | None = Field(
        default=None, ge=0, description="Sampling temperature (default for local models: 1)."
    )
    top_p: float | None = Field(default=None, gt=0, le=1, description="Nucleus sampling.")
    max_tokens: int | None = Field(
        default=None,
        ge=1,
        description="Maximum length of an answer in tokens (default: 64 for local models; 4096 "
        "plus reasoning for an API).",
    )
    seed: int = Field(default=0, description="Seed of the sampling.")
    effort: Literal["", Effort] = Field(default="", description="Reasoning effort.")
    thinking_tokens: int | None = Field(
        default=None, ge=0, description="Reasoning budget in tokens."
    )
    base_url: str = Field(default="", description="Address of an API server.")
    omit: tuple[Literal["max_tokens", "seed"], ...] = Field(
        default=(),
        description="Fields to omit from requests to an openai-compatible server that rejects "
        "them.",
    )
    dtype: Dtype = Field(default="auto", description="auto: float32 on a CPU, as stored on a GPU.")
    parameters: dict[str, Any] = Field(
        default={}, description="Simulated: parameters of the cognitive model."
    )
    api_key: str | None = Field(
        default=None,
        repr=False,
        exclude=True,
        description="Accepted, but a key belongs in the environment.",
    )
    batch: bool = Field(
        default=False, description="The provider's batch mode: half price, takes hours."
    )
    connections: int = Field(
        default=32, ge=1, description="API: maximum number of simultaneous requests."
    )
    retries: int = Field(default=10, ge=0, description="API: retries after a failed request.")
    retry_wait: float = Field(
        default=1.0, ge=0, description="Seconds before the first retry; doubled after each retry."
    )
    timeout: float = Field(
        default=600.0, gt=0, description="Seconds after which a request is abandoned."
    )
    max_cost: float | None = Field(
        default=None, ge=0, description="Stop before the cost exceeds this many US dollars."
    )
    prices: Path | None = Field(
        default=None, description="Table of prices (default: task-data/prices.yaml)."
    )
    batch_size: int | None = Field(
        default=None, ge=1, description="Trials per batch (hf: 16, vllm: 256, on a CPU 64)."
    )
    threads: int | None = Field(default=None, ge=1, description="CPU threads.")
    device: str = Field(default="auto", description="cpu, cuda, cuda:1, mps.")
    tensor_parallel_size: int = Field(default=1, ge=1, description="vllm: number of GPUs.")
    gpu_memory_utilization: float | None = Field(
        default=None, gt=0, le=1, description="vllm: share of the GPU's memory that it may use."
    )
    delay: float = Field(default=0.0, ge=0, description="Simulated: seconds per trial.")

    NAMED: ClassVar[tuple[str, ...]] = (
        "provider",
        "model",
        "path",
        "revision",
        "adapter",
        "effort",
        "base_url",
        "parameters",
        "api_key",
    )
    """Fields that identify the speaker; the others describe how it is asked and run."""
    RUN: ClassVar[tuple[str, ...]] = (
        "batch",
        "connections",
        "retries",
        "retry_wait",
        "timeout",
        "max_cost",
        "prices",
        "batch_size",
        "threads",
        "device",
        "tensor_parallel_size",
        "gpu_memory_utilization",
        "delay",
    )
    """Fields that do not affect answers."""

    def wanted(self) -> SpeakerRequest:
        """The request for ``describe`` and ``open_speaker``."""
        own = self.model_dump(exclude={"retry_wait", "retries", "connections", "timeout", "delay"})
        patience = RetryPolicy(
            self.connections, self.retries, self.retry_wait, None if self.batch else self.timeout
        )
        return SpeakerRequest(**own, api_key=self.api_key, patience=patience, delay_s=self.delay)


def partial_settings(name: str, fields: tuple[str, ...], **more: Any) -> type[Options]:
    """A pydantic model with some fields of ``SpeakerConfig``, each None if not set.

    Parameters
    ----------
    name
        Name of the model.
    fields
        The fields.
    more
        Further fields, as ``pydantic.create_model`` takes them.
    """
    optional: dict[str, Any] = {}
    for field in fields:
        info: FieldInfo = SpeakerConfig.model_fields[field]
        kind: Any = info.annotation
        constrained = FieldInfo.merge_field_infos(info, annotation=kind, default=None)
        optional[field] = (
            kind if type(None) in get_args(kind) else kind | None,
            constrained,
        )
    return create_model(name, __base__=Options, **optional, **more)
