"""How fast answers are collected: API against ideal, transformers against a bare loop.

    python benchmarks/collection.py api      64 connections, 50 ms a reply
    python benchmarks/collection.py hf       scoring: ours, a bare loop, each option afresh

The last line of output is the figures as JSON.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

from many_wolves.families.politeness.compiler import Selection, compile_trials
from many_wolves.records import SpeakerSpec, Trial
from many_wolves.speakers import Request

ROOT = Path(__file__).parent.parent
CONNECTIONS, REPLY_S = 64, 0.05
THREADS = 1


def choice_trials(n: int) -> list[Trial]:
    """The first ``n`` of the compiled choice trials."""
    return list(compile_trials(Selection(tasks=("choice",))).trials)[:n]


def api(n: int) -> dict[str, Any]:
    """Answers a second from a server in another process, and the share of the ideal."""
    from many_wolves.speakers.patience import Patience
    from many_wolves.speakers.wanted import Wanted, describe, open_speaker

    server = [sys.executable, str(ROOT / "tests" / "fault_server.py"), str(REPLY_S)]
    with subprocess.Popen(server, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            url = f"http://127.0.0.1:{int(process.stdout.readline())}/v1"
            who = Wanted(
                "openai-compatible",
                "tester",
                base_url=url,
                api_key="sk-planted-7f3a9c51d2e84b06",
                patience=Patience(connections=CONNECTIONS),
            )
            requests = [Request(t, r) for r in range(n) for t in choice_trials(1)]

            def ask(asked: list[Request]) -> float:
                speaker = open_speaker(who, describe(who), lambda parameters: lambda trial: None)
                begun = time.perf_counter()
                statuses = {r.status for r in speaker.ask(asked, threading.Event())}
                assert statuses == {"answered"}
                return time.perf_counter() - begun

            ask(requests[:CONNECTIONS])
            cpu = time.process_time()
            seconds = ask(requests)
            cpu = time.process_time() - cpu
        finally:
            process.terminate()
    ideal = CONNECTIONS / REPLY_S
    return {
        "answers_per_s": n / seconds,
        "ideal_per_s": ideal,
        "share_of_ideal": n / seconds / ideal,
        "cpu_ms_per_answer": 1000 * cpu / n,
    }


def hf(n: int, batch_size: int) -> dict[str, Any]:
    """Trials a second in score mode; every way gets the same prompts and one thread."""
    import torch

    from many_wolves.speakers.hf import HfSpeaker
    from many_wolves.speakers.prepare import prepare

    folder = prepare("smollm2", ROOT / "models" / "smollm2", lambda text: None)
    spec = SpeakerSpec("hf", "smollm2", mode="score", dtype="float32")
    speaker = HfSpeaker.open(spec, folder, batch_size=batch_size, device="cpu", threads=THREADS)
    trials = choice_trials(n)
    loaded = speaker._loaded
    prompts, options = [], []
    for trial in trials:
        job = speaker._job(Request(trial))
        prompts.append(list(job.prompt))
        options.append([list(option) for option in job.options])

    def ours() -> None:
        assert len(list(speaker.ask([Request(t) for t in trials], threading.Event()))) == n

    def bare() -> None:
        """transformers alone: a prompt cached once, its options as one batch."""
        for prompt, texts in zip(prompts, options, strict=True):
            with torch.inference_mode():
                cache = loaded.model(torch.tensor([prompt]), use_cache=True, logits_to_keep=1)
                keys = cache.past_key_values
                keys.batch_repeat_interleave(len(texts))
                width = max(len(t) for t in texts)
                ids = torch.tensor([t + [0] * (width - len(t)) for t in texts])
                loaded.model(ids, past_key_values=keys).logits.log_softmax(-1)

    def afresh() -> None:
        for prompt, texts in zip(prompts, options, strict=True):
            for text in texts:
                with torch.inference_mode():
                    loaded.model(torch.tensor([prompt + text])).logits.log_softmax(-1)

    # The baseline prompts are scored once a run; they are no part of the comparison.
    for trial in trials:
        speaker._baseline(trial)
    rates = {}
    for name, way in (("ours", ours), ("bare_loop", bare), ("afresh", afresh)):
        begun, cpu = time.perf_counter(), time.process_time()
        way()
        rates[f"{name}_trials_per_s"] = n / (time.perf_counter() - begun)
        rates[f"{name}_trials_per_cpu_s"] = n / (time.process_time() - cpu)
    return rates | {
        "overhead": rates["bare_loop_trials_per_cpu_s"] / rates["ours_trials_per_cpu_s"] - 1,
        "cached_over_afresh": rates["ours_trials_per_cpu_s"] / rates["afresh_trials_per_cpu_s"],
        "prompts": n,
        "batch_size": batch_size,
        "threads": THREADS,
    }


def main() -> None:
    """Measure one of the two."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=["api", "hf"])
    parser.add_argument("--n", type=int)
    parser.add_argument("--batch_size", type=int, default=16)
    options = parser.parse_args()
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    if options.what == "api":
        print(json.dumps(api(options.n or 2000)))
    else:
        print(json.dumps(hf(options.n or 32, options.batch_size)))


if __name__ == "__main__":
    main()
