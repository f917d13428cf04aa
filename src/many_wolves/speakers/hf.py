"""Transformers models: batched, in sample and score mode, on a CPU or a GPU."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from many_wolves.records import OptionScore, Response, SpeakerSpec, Trial
from many_wolves.speakers import decoding, scoring
from many_wolves.speakers.loading import Loaded, load, set_threads
from many_wolves.speakers.prompting import continuation, render
from many_wolves.speakers.protocol import Request, respond
from many_wolves.speakers.tokens import option_ids, prompt_ids

PROVIDER = "hf"
_PACKAGES = ("torch", "transformers")
_CPU_CACHE_BYTES = 2**30
_CUDA_CACHE_SHARE = 0.3
_LIKE = 1.5


@dataclass(frozen=True)
class _Job:
    """A request made ready: its prompt, and in score mode its options, as token ids."""

    request: Request
    prompt: tuple[int, ...]
    options: tuple[tuple[int, ...], ...] = ()
    baselines: tuple[float | None, ...] = ()
    error: str = ""

    @property
    def rows(self) -> int:
        """Rows of the batch that follows the prompt."""
        return max(1, len(self.options))

    @property
    def width(self) -> int:
        """Tokens of the longest row."""
        return len(self.prompt) + max((len(o) for o in self.options), default=0)


class HfSpeaker:
    """A transformers model that answers.

    Parameters
    ----------
    spec
        Who answers. ``temperature`` None is 1, ``top_p`` None is 1.
    loaded
        Its weights.
    batch_size
        Most requests in one forward pass; fewer where memory asks for it.

    Notes
    -----
    In score mode an option's log-probability includes the end of the answer, so
    that the normalised scores are the distribution of free sampling at
    temperature 1 given that the answer is exactly one of the options.
    """

    def __init__(self, spec: SpeakerSpec, loaded: Loaded, batch_size: int = 16) -> None:
        self._spec = spec
        self._loaded = loaded
        self._batch_size = batch_size
        self._baselines: dict[tuple[str, str], float] = {}

    @classmethod
    def open(
        cls,
        spec: SpeakerSpec,
        source: str | Path,
        *,
        batch_size: int = 16,
        device: str = "auto",
        threads: int | None = None,
    ) -> HfSpeaker:
        """Load the weights that ``spec`` names from ``source``, a folder or a hub name.

        Raises
        ------
        WolvesError
            If they cannot be loaded.
        """
        set_threads(threads)
        loaded = load(source, spec.revision, spec.dtype, device, spec.prompt_format)
        loaded = replace(loaded, branches=scoring.can_branch(loaded))
        return cls(spec, loaded, batch_size)

    @property
    def spec(self) -> SpeakerSpec:
        """Who answers, with every setting that can change an answer."""
        return self._spec

    @property
    def stopped(self) -> str:
        """Never of its own accord."""
        return ""

    def ask(self, requests: Sequence[Request], halt: threading.Event) -> Iterator[Response]:
        """Answer in batches of prompts of like length, the longest first."""
        jobs = [self._job(request) for request in requests]
        yield from (self._failed(job) for job in jobs if job.error)
        for batch in self._batches([job for job in jobs if not job.error]):
            if halt.is_set():
                return
            yield from self._answer(batch)

    def close(self) -> None:
        """Drop the weights and give their memory back."""
        import gc

        import torch

        del self._loaded
        gc.collect()
        if torch.cuda.is_available():
            torch.cuda.empty_cache()

    def _job(self, request: Request) -> _Job:
        text = render(self._loaded.tokenizer, request.trial.messages, self._spec.prompt_format)
        prompt = prompt_ids(self._loaded.tokenizer, text, self._spec.prompt_format)
        score = self._spec.mode == "score"
        options = self._options(request.trial, text, prompt) if score else ()
        job = _Job(request, tuple(prompt), options)
        needed = job.width if score else len(prompt) + self._spec.max_tokens
        if self._loaded.window is not None and needed > self._loaded.window:
            words = f"the prompt needs {needed} tokens; the model takes {self._loaded.window}"
            return _Job(request, tuple(prompt), error=words)
        return job

    def _options(self, trial: Trial, text: str, prompt: list[int]) -> tuple[tuple[int, ...], ...]:
        form, tokenizer = self._spec.prompt_format, self._loaded.tokenizer
        return tuple(
            tuple(option_ids(tokenizer, text, prompt, continuation(o.text, form), form))
            for o in trial.options
        )

    def _batches(self, jobs: list[_Job]) -> list[list[_Job]]:
        """Neighbours in the order of their tokens, which share much; the longest first."""
        jobs.sort(key=lambda job: (job.prompt, job.request.trial.id, job.request.replicate))
        most_tokens = _most_cached_tokens(self._loaded)
        grown = 0 if self._spec.mode == "score" else self._spec.max_tokens
        batches: list[list[_Job]] = []
        for job in jobs:
            batch = batches[-1] if batches else []
            widths = [j.width for j in (*batch, job)]
            rows = sum(j.rows for j in batch) + job.rows
            alike = max(widths) <= _LIKE * min(widths)
            fits = len(batch) < self._batch_size and rows * (max(widths) + grown) <= most_tokens
            if batch and alike and fits:
                batch.append(job)
            else:
                batches.append([job])
        return sorted(batches, key=lambda batch: -max(job.width for job in batch))

    def _answer(self, batch: list[_Job]) -> list[Response]:
        import torch

        try:
            if self._spec.mode == "score":
                return self._score(batch)
            return self._sample(batch)
        except torch.OutOfMemoryError as error:
            if len(batch) == 1:
                return [self._failed(batch[0], f"out of memory: {str(error).splitlines()[0]}")]
        torch.cuda.empty_cache()
        half = len(batch) // 2
        return self._answer(batch[:half]) + self._answer(batch[half:])

    def _score(self, batch: list[_Job]) -> list[Response]:
        begun = time.perf_counter()
        baselines = [self._baseline(job.request.trial) for job in batch]
        prefilled = decoding.prefill(self._loaded, [job.prompt for job in batch])
        sums = scoring.score(self._loaded, prefilled, [job.options for job in batch])
        each = (time.perf_counter() - begun) / len(batch)
        return [
            self._scored(job, of_job, baseline, each)
            for job, of_job, baseline in zip(batch, sums, baselines, strict=True)
        ]

    def _scored(
        self, job: _Job, sums: list[float], baselines: list[float | None], seconds: float
    ) -> Response:
        if not all(_is_finite(x) for x in sums):
            return self._failed(job, f"the model gave log-probabilities {sums}")
        scores = tuple(
            OptionScore(option.id, logprob, len(ids) + 1, baseline)
            for option, ids, logprob, baseline in zip(
                job.request.trial.options, job.options, sums, baselines, strict=True
            )
        )
        usage = {"input": len(job.prompt), "output": 0}
        return respond(
            job.request,
            self._spec,
            *_PACKAGES,
            status="answered",
            scores=scores,
            usage=usage,
            latency_s=seconds,
        )

    def _baseline(self, trial: Trial) -> list[float | None]:
        """Unconditional log-probability of each option, computed once a distinct baseline."""
        if not trial.baseline:
            return [None] * len(trial.options)
        text = render(self._loaded.tokenizer, trial.baseline, self._spec.prompt_format)
        missing = [o.text for o in trial.options if (text, o.text) not in self._baselines]
        if missing:
            form, tokenizer = self._spec.prompt_format, self._loaded.tokenizer
            prompt = prompt_ids(tokenizer, text, form)
            ids = [
                option_ids(tokenizer, text, prompt, continuation(m, form), form) for m in missing
            ]
            prefilled = decoding.prefill(self._loaded, [prompt])
            (sums,) = scoring.score(self._loaded, prefilled, [ids])
            self._baselines |= {(text, m): s for m, s in zip(missing, sums, strict=True)}
        return [self._baselines[text, o.text] for o in trial.options]

    def _sample(self, batch: list[_Job]) -> list[Response]:
        begun = time.perf_counter()
        distinct = list(dict.fromkeys(job.prompt for job in batch))
        answers = decoding.sample(
            self._loaded,
            decoding.prefill(self._loaded, distinct),
            [distinct.index(job.prompt) for job in batch],
            [_draws(self._spec, job.request).random for job in batch],
            temperature=1.0 if self._spec.temperature is None else self._spec.temperature,
            top_p=1.0 if self._spec.top_p is None else self._spec.top_p,
            max_tokens=self._spec.max_tokens,
        )
        each = (time.perf_counter() - begun) / len(batch)
        return [self._said(job, ids, each) for job, ids in zip(batch, answers, strict=True)]

    def _said(self, job: _Job, ids: list[int], seconds: float) -> Response:
        said = ids[:-1] if ids and ids[-1] in self._loaded.ends else ids
        text = self._loaded.tokenizer.decode(said, skip_special_tokens=True)
        if self._spec.prompt_format == "completion":
            text = text.split("\n", 1)[0]
        return respond(
            job.request,
            self._spec,
            *_PACKAGES,
            status="answered" if text.strip() else "empty",
            text=text,
            usage={"input": len(job.prompt), "output": len(ids)},
            latency_s=seconds,
        )

    def _failed(self, job: _Job, words: str = "") -> Response:
        return respond(
            job.request, self._spec, *_PACKAGES, status="failed", error=words or job.error
        )


def _draws(spec: SpeakerSpec, request: Request) -> random.Random:
    return random.Random(f"{spec.seed + request.replicate}:{request.trial.id}")


def _is_finite(x: float) -> bool:
    return x - x == 0


def _most_cached_tokens(loaded: Loaded) -> int:
    """How many tokens' keys and values may be held at once."""
    import torch

    config: Any = loaded.model.config.get_text_config()
    heads = getattr(config, "num_key_value_heads", None) or config.num_attention_heads
    size = getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads
    a_token: int = 2 * config.num_hidden_layers * heads * size * loaded.model.dtype.itemsize
    room = _CPU_CACHE_BYTES
    if loaded.device.startswith("cuda"):
        room = int(torch.cuda.mem_get_info(loaded.device)[0] * _CUDA_CACHE_SHARE)
    return max(1, room // a_token)
