"""How fast a local model is asked: ours against a bare loop over the same engine.

    python benchmarks/collect_local.py hf      transformers
    python benchmarks/collect_local.py vllm    vLLM, where it is installed

Every way gets the same prompts, as token ids, and one thread. The time of ours includes
rendering, tokenising and making the responses. The last line of output is the figures
as JSON.
"""

from __future__ import annotations

import argparse
import json
import os
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from many_wolves.families.politeness.options import PolitenessDesign
from many_wolves.families.politeness.task.compiler import trials_of
from many_wolves.records import SpeakerSpec, Trial
from many_wolves.speakers import Request, Speaker
from many_wolves.speakers.local.packaged_models import prepare
from many_wolves.speakers.local.requests import TokenizedRequest

ROOT = Path(__file__).parent.parent
THREADS = 1
ANSWER_TOKENS = 8


def choice_trials(n: int) -> list[Trial]:
    """The first ``n`` of the compiled choice trials."""
    return list(trials_of(PolitenessDesign(tasks=("choice",))))[:n]


def smollm2() -> Path:
    """Folder of the small real model."""
    return prepare("smollm2", ROOT / "models" / "smollm2", lambda text: None)


def hf(n: int) -> dict[str, Any]:
    """transformers: scoring, and sampling up to 8 tokens."""
    from many_wolves.speakers.local.hf import HfSpeaker

    spec = SpeakerSpec("hf", "smollm2", mode="score", dtype="float32")
    speaker = HfSpeaker.open(spec, smollm2(), device="cpu", threads=THREADS)
    loaded, trials = speaker._loaded, choice_trials(n)
    jobs = [speaker.codec.encode(Request(trial)) for trial in trials]
    for trial in trials:
        # Baselines are scored once a run; they are no part of the comparison.
        speaker.baseline(trial)
    scored = rates(
        n,
        ours=lambda: ask(speaker, trials),
        bare_loop=lambda: bare_scores(loaded, jobs),
        afresh=lambda: fresh_scores(loaded, jobs),
    )
    sampling = SpeakerSpec("hf", "smollm2", dtype="float32", max_tokens=ANSWER_TOKENS)
    sampler = HfSpeaker(sampling, loaded)
    sampled = rates(
        n, ours=lambda: ask(sampler, trials), bare_loop=lambda: bare_samples(loaded, jobs)
    )
    return {"score": scored, "sample": sampled, "prompts": n, "threads": THREADS}


def bare_scores(loaded: Any, jobs: Sequence[TokenizedRequest]) -> None:
    """A prompt cached once, its options as one batch, one prompt after the other."""
    import torch

    for job in jobs:
        with torch.inference_mode():
            first = loaded.model(torch.tensor([job.prompt]), use_cache=True, logits_to_keep=1)
            keys = first.past_key_values
            keys.batch_repeat_interleave(len(job.options))
            width = max(len(t) for t in job.options)
            ids = torch.tensor([[*t, *[0] * (width - len(t))] for t in job.options])
            loaded.model(ids, past_key_values=keys).logits.log_softmax(-1)


def fresh_scores(loaded: Any, jobs: Sequence[TokenizedRequest]) -> None:
    """Prompt and option as one text, for each option again."""
    import torch

    for job in jobs:
        for text in job.options:
            with torch.inference_mode():
                loaded.model(torch.tensor([[*job.prompt, *text]])).logits.log_softmax(-1)


def bare_samples(loaded: Any, jobs: Sequence[TokenizedRequest], size: int = 16) -> None:
    """transformers' own ``generate``, in batches padded on the left."""
    import torch

    for start in range(0, len(jobs), size):
        prompts = [job.prompt for job in jobs[start : start + size]]
        width = max(len(p) for p in prompts)
        ids = torch.tensor([[0] * (width - len(p)) + list(p) for p in prompts])
        mask = torch.tensor([[0] * (width - len(p)) + [1] * len(p) for p in prompts])
        with torch.inference_mode():
            loaded.model.generate(
                ids,
                attention_mask=mask,
                do_sample=True,
                top_k=0,
                max_new_tokens=ANSWER_TOKENS,
                eos_token_id=list(loaded.ends),
                pad_token_id=0,
            )


def vllm(n: int) -> dict[str, Any]:
    """vLLM: scoring by walking the options, and sampling by structured choice."""
    from many_wolves.speakers.local.vllm import VllmSpeaker, find_dtype

    dtype = find_dtype(smollm2(), "", "auto")
    spec = SpeakerSpec("vllm", "smollm2", mode="score", dtype=dtype)
    begun = time.perf_counter()
    speaker = VllmSpeaker.open(spec, smollm2(), threads=THREADS)
    start_up = time.perf_counter() - begun
    trials = choice_trials(n)
    figures: dict[str, Any] = {"start_up_s": start_up, "dtype": dtype, "prompts": n}
    llm = speaker._engine.llm
    sampler = speaker.with_spec(SpeakerSpec("vllm", "smollm2", dtype=dtype))
    # Baselines are scored once a run; they are no part of the comparison.
    ask(speaker, trials)
    for mode, asked in (("score", speaker), ("sample", sampler)):
        jobs = [asked._jobs.make(Request(trial)) for trial in trials]
        calls = [call for job in jobs for call in next(asked._course(job))]
        figures[mode] = rates(
            n,
            prepared=llm.reset_prefix_cache,
            ours=lambda asked=asked: ask(asked, trials),
            bare_loop=lambda calls=calls: bare_calls(llm, calls),
        )
    return figures


def bare_calls(llm: Any, calls: Sequence[Any]) -> None:
    """vLLM's own loop, with the same calls in one batch."""
    prompts = [{"prompt_token_ids": list(call.prompt)} for call in calls]
    llm.generate(prompts, [call.params for call in calls], use_tqdm=False)


def ask(speaker: Speaker, trials: Sequence[Trial]) -> None:
    """Ask through the speaker; every trial must be answered."""
    found = list(speaker.ask([Request(trial) for trial in trials], threading.Event()))
    assert len(found) == len(trials)
    assert {response.status for response in found} <= {"answered", "empty"}


def rates(
    n: int, prepared: Callable[[], None] = lambda: None, **ways: Callable[[], None]
) -> dict[str, float]:
    """Trials a second of each way, by the clock and by the CPU; the best of two rounds.

    The overhead is that of CPU seconds: other processes cannot take part in it.
    """
    found: dict[str, float] = {}
    for _ in range(2):
        for name, way in ways.items():
            prepared()
            begun, cpu = time.perf_counter(), time.process_time()
            way()
            wall, cpu = time.perf_counter() - begun, time.process_time() - cpu
            for key, value in ((f"{name}_trials_per_s", n / wall), (f"{name}_per_cpu_s", n / cpu)):
                found[key] = max(found.get(key, 0.0), value)
    found["overhead"] = found["bare_loop_per_cpu_s"] / found["ours_per_cpu_s"] - 1
    if "afresh" in ways:
        found["cached_over_afresh"] = found["ours_per_cpu_s"] / found["afresh_per_cpu_s"]
    return found


def main() -> None:
    """Measure one backend."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("backend", choices=["hf", "vllm"])
    parser.add_argument("--n", type=int, default=32)
    options = parser.parse_args()
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    print(json.dumps({"hf": hf, "vllm": vllm}[options.backend](options.n)))


if __name__ == "__main__":
    main()
