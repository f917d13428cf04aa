"""Transformers models: batched, sampled or scored, on a CPU or a GPU."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from many_wolves.records import Message, Response, SpeakerSpec, Trial
from many_wolves.speakers.feed import Feed
from many_wolves.speakers.local import generation, scoring
from many_wolves.speakers.local.load import Loaded, load, set_threads
from many_wolves.speakers.local.requests import RequestCodec, TokenizedRequest
from many_wolves.speakers.local.thinking import settle
from many_wolves.speakers.protocol import Request

BATCH_SIZE = 16
_PACKAGES = ("torch", "transformers")
_CPU_CACHE_BYTES = 2**30
_CUDA_CACHE_SHARE = 0.3
_LIKE = 1.5


class HfSpeaker:
    """A transformers model as a speaker.

    Parameters
    ----------
    spec
        The speaker. ``temperature`` None means 1, ``top_p`` None means 1.
    loaded
        Its weights.
    batch_size
        Maximum number of requests in one forward pass; reduced if memory is short.

    Notes
    -----
    In score mode, an option's log-probability includes the end of the answer. So the normalized
    scores are the distribution of free sampling at temperature 1, given that the answer is
    exactly one of the options.
    """

    def __init__(self, spec: SpeakerSpec, loaded: Loaded, batch_size: int = BATCH_SIZE) -> None:
        self._spec = spec
        self._loaded = loaded
        self._batch_size = batch_size
        self._baselines: dict[tuple[tuple[Message, ...], str], float] = {}
        thinking = settle(loaded.tokenizer, spec)
        self.codec = RequestCodec(
            spec,
            loaded.tokenizer,
            loaded.ends,
            loaded.text_ends,
            loaded.window,
            thinking,
            _PACKAGES,
        )

    @classmethod
    def open(
        cls,
        spec: SpeakerSpec,
        source: str | Path,
        *,
        batch_size: int = BATCH_SIZE,
        device: str = "auto",
        threads: int | None = None,
        adapter: Path | None = None,
    ) -> HfSpeaker:
        """Load the weights of ``spec`` from ``source``, a folder or a hub name.

        ``adapter`` is the folder of a LoRA adapter on top of them.

        Raises
        ------
        WolvesError
            If they cannot be loaded, or do not support the requested effort.
        """
        set_threads(threads)
        loaded = load(
            source,
            spec.revision,
            spec.dtype,
            device,
            spec.prompt_format,
            lambda tokenizer: settle(tokenizer, spec),
            adapter,
        )
        loaded = replace(loaded, branches=scoring.can_branch(loaded))
        return cls(spec, loaded, batch_size)

    @property
    def spec(self) -> SpeakerSpec:
        """The speaker, with every setting that can change an answer."""
        return self._spec

    @property
    def stopped(self) -> str:
        """Empty: this speaker never stops."""
        return ""

    def ask(self, requests: Feed | Sequence[Request], halt: threading.Event) -> Iterator[Response]:
        """Answer all requests in batches of prompts of similar length, the longest first."""
        for taken in Feed.of(requests).batches(halt):
            jobs = [self.codec.encode(request) for request in taken]
            yield from (self.codec.failed(job) for job in jobs if job.error)
            for batch in self._batches([job for job in jobs if not job.error]):
                if halt.is_set():
                    return
                yield from self._answer(batch)

    def close(self) -> None:
        """Free the weights and their memory."""
        import gc

        import torch

        del self._loaded
        gc.collect()
        if torch.cuda.is_available():
            torch.cuda.empty_cache()

    def _batches(self, jobs: list[TokenizedRequest]) -> list[list[TokenizedRequest]]:
        """Batches of neighbours in the order of tokens, which share prefixes; the longest first."""
        jobs.sort(
            key=lambda job: (job.scored, job.prompt, job.request.trial.id, job.request.replicate)
        )
        most_tokens = _most_cached_tokens(self._loaded)
        batches: list[list[TokenizedRequest]] = []
        for job in jobs:
            batch = batches[-1] if batches else []
            widths = [j.width for j in (*batch, job)]
            rows = sum(j.rows for j in batch) + job.rows
            grown = 0 if job.scored else self._spec.max_tokens
            alike = max(widths) <= _LIKE * min(widths)
            alike &= not batch or batch[0].scored == job.scored
            fits = len(batch) < self._batch_size and rows * (max(widths) + grown) <= most_tokens
            if batch and alike and fits:
                batch.append(job)
            else:
                batches.append([job])
        return sorted(batches, key=lambda batch: -max(job.width for job in batch))

    def _answer(self, batch: list[TokenizedRequest]) -> list[Response]:
        import torch

        begun = time.perf_counter()
        try:
            ready = self._think(batch) if self.codec.thinks else batch
            if batch[0].scored:
                return self._score(ready, begun)
            return self._sample(ready, begun)
        except torch.OutOfMemoryError as error:
            if len(batch) == 1:
                words = f"out of memory: {str(error).splitlines()[0]}"
                return [self.codec.failed(batch[0], words)]
        torch.cuda.empty_cache()
        half = len(batch) // 2
        return self._answer(batch[:half]) + self._answer(batch[half:])

    def _think(self, batch: list[TokenizedRequest]) -> list[TokenizedRequest]:
        """The batch with a generated thought appended to every prompt."""
        thoughts = self._generate(
            batch,
            "thought",
            [self._loaded.text_ends] * len(batch),
            [job.budget for job in batch],
            lambda answer, said: self.codec.thought_ended(said),
        )
        return [
            self.codec.after_thought(job, ids) for job, ids in zip(batch, thoughts, strict=True)
        ]

    def _score(self, batch: list[TokenizedRequest], begun: float) -> list[Response]:
        baselines = [self.baseline(job.request.trial) for job in batch]
        prefilled = generation.prefill(self._loaded, [job.prompt for job in batch])
        sums = scoring.score(self._loaded, prefilled, [job.options for job in batch])
        each = (time.perf_counter() - begun) / len(batch)
        return [
            self.codec.scored(job, of_job, baseline, each)
            for job, of_job, baseline in zip(batch, sums, baselines, strict=True)
        ]

    def baseline(self, trial: Trial) -> list[float | None]:
        """Unconditional log-probability of each option, computed once per distinct baseline."""
        asked = trial.baseline
        if not asked:
            return [None] * len(trial.options)
        missing = [o.text for o in trial.options if (asked, o.text) not in self._baselines]
        if missing:
            prompt, texts = self.codec.baseline(asked, missing)
            prefilled = generation.prefill(self._loaded, [prompt])
            (sums,) = scoring.score(self._loaded, prefilled, [texts])
            self._baselines |= {(asked, m): s for m, s in zip(missing, sums, strict=True)}
        return [self._baselines[asked, o.text] for o in trial.options]

    def _sample(self, batch: list[TokenizedRequest], begun: float) -> list[Response]:
        answers = self._generate(
            batch,
            "",
            [self.codec.ends(job) for job in batch],
            [self._spec.max_tokens] * len(batch),
            lambda answer, said: self.codec.ended(batch[answer], said),
        )
        each = (time.perf_counter() - begun) / len(batch)
        return [self.codec.sampled(job, ids, each) for job, ids in zip(batch, answers, strict=True)]

    def _generate(
        self,
        batch: list[TokenizedRequest],
        purpose: str,
        ends: Sequence[Collection[int]],
        most: list[int],
        stops: Callable[[int, Sequence[int]], bool],
    ) -> list[list[int]]:
        prompts = dict.fromkeys(job.prompt for job in batch)
        distinct = {prompt: row for row, prompt in enumerate(prompts)}
        return generation.sample(
            self._loaded,
            generation.prefill(self._loaded, list(distinct)),
            [distinct[job.prompt] for job in batch],
            [self.codec.draws(job, purpose).random for job in batch],
            ends=ends,
            temperature=1.0 if self._spec.temperature is None else self._spec.temperature,
            top_p=1.0 if self._spec.top_p is None else self._spec.top_p,
            max_tokens=most,
            stops=stops,
        )


def _most_cached_tokens(loaded: Loaded) -> int:
    """Maximum number of tokens whose keys and values may be cached at once."""
    import torch

    config: Any = loaded.model.config.get_text_config()
    heads = getattr(config, "num_key_value_heads", None) or config.num_attention_heads
    size = getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads
    a_token: int = 2 * config.num_hidden_layers * heads * size * loaded.model.dtype.itemsize
    room = _CPU_CACHE_BYTES
    if loaded.device.startswith("cuda"):
        room = int(torch.cuda.mem_get_info(loaded.device)[0] * _CUDA_CACHE_SHARE)
    return max(1, room // a_token)
