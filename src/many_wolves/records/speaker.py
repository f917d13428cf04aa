"""A speaker, with every setting that can change an answer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from functools import cached_property
from typing import Any, Literal, Self

from many_wolves.files import canonical_json, fingerprint, plain_name
from many_wolves.records.answer_types import made

Mode = Literal["sample", "score"]
PromptFormat = Literal["chat", "completion"]
Effort = Literal["none", "minimal", "low", "medium", "high"]

LATE = frozenset({"adapter", "adapter_weights", "omit"})
"""Fields that schema 1 did not have. They enter keys only if they are set, so that earlier
answers are not asked again."""

SHOWN_NAME = "speaker"
"""Key of a speaker's short name among its labels; figures and reports show this name."""

_SLUG_CHARS = 200
"""A file name may have 255 bytes; this leaves room for the fingerprint and suffixes."""

_WORDS = (str,)
_REAL = (int, float, type(None))
_TYPES: Mapping[str, tuple[type, ...]] = {
    **dict.fromkeys(("provider", "model", "revision", "weights", "effort", "mode"), _WORDS),
    **dict.fromkeys(("prompt_format", "dtype", "base_url", "omit"), _WORDS),
    **dict.fromkeys(("adapter", "adapter_weights"), _WORDS),
    "thinking_tokens": (int, type(None)),
    "temperature": _REAL,
    "top_p": _REAL,
    "max_tokens": (int,),
    "seed": (int,),
    "parameters": (dict,),
}


@dataclass(frozen=True)
class SpeakerSpec:
    """A speaker, with every setting that can change the answer.

    Parameters
    ----------
    provider
        ``simulated``, ``hf``, ``vllm``, ``anthropic``, ``openai``, ``google``, ...
    model
        Name at the provider, such as ``HuggingFaceTB/SmolLM2-135M-Instruct``.
    revision
        Checkpoint: a hub revision, or the name of a checkpoint folder; may be empty.
    weights
        Fingerprint of a local folder of weights; empty for weights from the hub.
    effort, thinking_tokens
        Requested reasoning effort (empty: none requested), or a token budget.
    mode
        ``sample``: answers are sampled and read. ``score``: probabilities of options.
    temperature, top_p, max_tokens, seed
        Sampling settings; None leaves the provider's default. The seed of a
        replicate is ``seed`` plus its number.
    prompt_format
        ``chat`` uses the model's chat template; ``completion`` is for base models.
    dtype
        Number format of local weights.
    base_url
        Server of an OpenAI-compatible model, never with credentials.
    parameters
        For ``simulated``: the parameters of its cognitive model.
    adapter, adapter_weights
        Name of a LoRA adapter on top of the weights, and fingerprint of its folder.
    omit
        Fields that this server does not support, separated by commas. Its requests have no
        ``seed``, or no token limit (``max_tokens``, which is then 0 here).
    """

    provider: str
    model: str
    revision: str = ""
    weights: str = ""
    effort: str = ""
    thinking_tokens: int | None = None
    mode: Mode = "sample"
    temperature: float | None = None
    top_p: float | None = None
    max_tokens: int = 64
    seed: int = 0
    prompt_format: PromptFormat = "chat"
    dtype: str = ""
    base_url: str = ""
    parameters: Mapping[str, Any] = field(default_factory=dict)
    adapter: str = ""
    adapter_weights: str = ""
    omit: str = ""

    @cached_property
    def settings(self) -> dict[str, Any]:
        """The fields by name, those in ``LATE`` only if set; do not modify the result."""
        return {k: v for k, v in asdict(self).items() if v or k not in LATE}

    @cached_property
    def canonical(self) -> str:
        """The canonical JSON of the settings."""
        return canonical_json(self.settings)

    @property
    def name(self) -> str:
        """``provider/model[@revision][+adapter][+effort]``."""
        name = f"{self.provider}/{self.model}" + (f"@{self.revision}" if self.revision else "")
        return "+".join(filter(None, (name, self.adapter, self.effort)))

    @property
    def slug(self) -> str:
        """A readable file name that is unique to these settings."""
        name = plain_name(f"{self.name}-{self.mode}")[:_SLUG_CHARS]
        return f"{name}-{fingerprint(self.settings, 8)}"

    @classmethod
    def from_json(cls, record: Mapping[str, Any]) -> Self:
        """Read the result of ``settings``.

        Raises
        ------
        TypeError
            If a field is missing, unknown or of another type.
        """
        for name, value in record.items():
            if name in _TYPES and type(value) not in _TYPES[name]:
                raise TypeError(f"the speaker's {name} is {value!r}")
        return made(cls, record, "the speaker")


def joined_labels(
    known: Mapping[str, str | float], given: Mapping[str, str | float]
) -> dict[str, str | float]:
    """Labels of a speaker; a given position in training replaces the one that is known."""
    replaced = {"step", "tokens", "training_stage"} if {"step", "tokens"} & set(given) else set()
    return {k: v for k, v in known.items() if k not in replaced} | dict(given)
