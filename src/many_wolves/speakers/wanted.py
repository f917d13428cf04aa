"""From the options of a command to a speaker: who is wanted, and how to reach them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from many_wolves.contracts import OptionProbabilities
from many_wolves.errors import WolvesError
from many_wolves.records import Mode, PromptFormat, SpeakerSpec
from many_wolves.speakers.protocol import Speaker
from many_wolves.speakers.simulated import SimulatedSpeaker

LOCAL = ("hf", "simulated")

Simulator = Callable[[Mapping[str, Any]], OptionProbabilities]


@dataclass(frozen=True)
class Wanted:
    """A speaker as the user names it.

    Parameters
    ----------
    provider
        ``simulated``, ``hf``, ...
    model, path, revision
        Name of the model, folder of its weights if it is local, checkpoint.
    mode, prompt_format, temperature, top_p, max_tokens, seed
        As in ``SpeakerSpec``.
    dtype
        ``auto``: float32 on a CPU, the format of the stored weights on a GPU.
    parameters
        Of a simulated speaker.
    batch_size, threads, device, delay_s
        How it is run: nothing that is recorded as who answers.
    """

    provider: str
    model: str = ""
    path: Path | None = None
    revision: str = ""
    mode: Mode = "sample"
    prompt_format: PromptFormat = "chat"
    temperature: float | None = None
    top_p: float | None = None
    max_tokens: int = 64
    seed: int = 0
    dtype: str = "auto"
    parameters: Mapping[str, Any] = field(default_factory=dict)
    batch_size: int = 16
    threads: int | None = None
    device: str = "auto"
    delay_s: float = 0.0


def describe(wanted: Wanted) -> SpeakerSpec:
    """Who answers, in full; loads no weights.

    Raises
    ------
    WolvesError
        If the model is not named, or its folder or settings cannot be read.
    """
    if wanted.provider == "simulated":
        return _simulated(wanted)
    return _hf(wanted)


def open_speaker(wanted: Wanted, spec: SpeakerSpec, simulator: Simulator) -> Speaker:
    """The speaker itself: loads weights, opens connections.

    Parameters
    ----------
    spec
        What ``describe`` gave.
    simulator
        The family's maker of simulated speakers.

    Raises
    ------
    WolvesError
        If it cannot be had.
    """
    if wanted.provider == "simulated":
        return SimulatedSpeaker(spec, simulator(spec.parameters), wanted.delay_s)
    from many_wolves.speakers.hf import HfSpeaker

    return HfSpeaker.open(
        spec,
        wanted.path or wanted.model,
        batch_size=wanted.batch_size,
        device=wanted.device,
        threads=wanted.threads,
    )


def _sampling(wanted: Wanted) -> dict[str, Any]:
    """Settings that matter in the mode asked for: scoring draws nothing."""
    if wanted.mode == "score":
        return {"mode": "score"}
    return {"mode": "sample", "seed": wanted.seed}


def _simulated(wanted: Wanted) -> SpeakerSpec:
    if not wanted.parameters:
        raise WolvesError(
            "a simulated speaker needs the parameters of its cognitive model",
            mend="--parameters FILE.json",
        )
    return SpeakerSpec(
        provider="simulated",
        model=wanted.model or "speaker",
        parameters=wanted.parameters,
        **_sampling(wanted),
    )


def _hf(wanted: Wanted) -> SpeakerSpec:
    from many_wolves.speakers.loading import resolve_dtype
    from many_wolves.speakers.weights import weights_fingerprint

    if not wanted.model and wanted.path is None:
        raise WolvesError(
            "the speaker `hf` needs a model",
            mend="--model_name NAME for a model on the hub, --model_path FOLDER for a local one",
        )
    weights = weights_fingerprint(wanted.path) if wanted.path else ""
    sampling = _sampling(wanted)
    if wanted.mode == "sample":
        sampling["temperature"] = 1.0 if wanted.temperature is None else wanted.temperature
        sampling["top_p"] = 1.0 if wanted.top_p is None else wanted.top_p
        sampling["max_tokens"] = wanted.max_tokens
    return SpeakerSpec(
        provider="hf",
        model=wanted.model or (wanted.path.resolve().name if wanted.path else ""),
        revision=wanted.revision,
        weights=weights,
        prompt_format=wanted.prompt_format,
        dtype=resolve_dtype(
            wanted.path or wanted.model, wanted.revision, wanted.dtype, wanted.device
        ),
        **sampling,
    )
