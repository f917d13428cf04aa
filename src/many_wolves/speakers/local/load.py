"""Loads a transformers model and its tokenizer, with the facts needed to use them."""

from __future__ import annotations

import inspect
import os
import string
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from many_wolves.errors import WolvesError
from many_wolves.extras import needs
from many_wolves.records import PromptFormat
from many_wolves.speakers.prompting import check_format


@dataclass(frozen=True)
class Loaded:
    """A causal language model that is ready for requests.

    Parameters
    ----------
    model, tokenizer
        The objects of transformers; the model is in evaluation mode.
    device
        Device of the weights: ``cpu``, ``cuda``, ``cuda:1``, ``mps``.
    ends
        Ids of the tokens that end an answer of one line.
    text_ends
        Ids of the tokens that end an answer of several lines: the same without line breaks.
    window
        Maximum sequence length in tokens; None if the model does not state it.
    last_only
        Whether the model can compute only the logits of the last positions.
    branches
        Whether prompts may share a prefix, and options may share a row as branches of a tree;
        determined by a trial.
    """

    model: Any
    tokenizer: Any
    device: str
    ends: tuple[int, ...]
    text_ends: tuple[int, ...]
    window: int | None
    last_only: bool
    branches: bool = False


def load(
    source: str | Path,
    revision: str,
    dtype: str,
    device: str,
    prompt_format: PromptFormat,
    check: Callable[[Any], object] = lambda tokenizer: None,
    adapter: Path | None = None,
) -> Loaded:
    """Load a model from a folder or by its name on the hub.

    Parameters
    ----------
    check
        Checks the tokenizer before the weights are loaded, and may raise.
    adapter
        Folder of a LoRA adapter, which is merged into the weights.

    Raises
    ------
    WolvesError
        If transformers is not installed, the model cannot be found or read, or it
        has no chat template although ``prompt_format`` is ``chat``.
    """
    torch, transformers = _libraries()
    options = _at(source, revision)
    tokenizer = load_tokenizer(source, revision, prompt_format)
    check(tokenizer)
    with without_bars(transformers), readable(source, revision):
        model, report = transformers.AutoModelForCausalLM.from_pretrained(
            source, dtype=getattr(torch, dtype), output_loading_info=True, **options
        )
        _check_whole(report)
        _check_tokens(model, tokenizer)
    if adapter is not None:
        model = _with_adapter(model, adapter)
    where = find_device(torch, device)
    model = _on(model, where).eval()
    return Loaded(
        model=model,
        tokenizer=tokenizer,
        device=where,
        ends=end_tokens(model.generation_config, tokenizer, prompt_format),
        text_ends=end_tokens(model.generation_config, tokenizer, "chat"),
        window=getattr(model.config.get_text_config(), "max_position_embeddings", None),
        last_only="logits_to_keep" in inspect.signature(model.forward).parameters,
    )


def load_tokenizer(source: str | Path, revision: str, prompt_format: PromptFormat) -> Any:
    """The tokenizer of a model.

    Raises
    ------
    WolvesError
        As ``load``.
    """
    _, transformers = _libraries()
    with readable(source, revision):
        tokenizer = transformers.AutoTokenizer.from_pretrained(source, **_at(source, revision))
    check_format(tokenizer, prompt_format)
    return tokenizer


def load_config(source: str | Path, revision: str) -> tuple[Any, Any]:
    """A model's configuration and its generation configuration.

    Raises
    ------
    WolvesError
        As ``load``.
    """
    _, transformers = _libraries()
    options = _at(source, revision)
    with readable(source, revision):
        config = transformers.AutoConfig.from_pretrained(source, **options)
        try:
            generation = transformers.GenerationConfig.from_pretrained(source, **options)
        except OSError:  # A generation configuration is optional.
            generation = transformers.GenerationConfig.from_model_config(config)
    return config, generation


def stored_dtype(config: Any) -> str:
    """The dtype of the stored weights, from their configuration."""
    dtype = getattr(config, "dtype", None) or getattr(config.get_text_config(), "dtype", None)
    return str(dtype or "float32").removeprefix("torch.")


def resolve_dtype(source: str | Path, revision: str, dtype: str, device: str) -> str:
    """The effective dtype.

    ``auto`` means float32 on a CPU, where it is exact and usually faster than bfloat16. On a GPU
    it means the dtype of the stored weights.

    Raises
    ------
    WolvesError
        If the model's configuration cannot be found.
    """
    if dtype != "auto":
        return dtype
    torch, _ = _libraries()
    if find_device(torch, device) == "cpu":
        return "float32"
    return stored_dtype(load_config(source, revision)[0])


def end_tokens(generation: Any, tokenizer: Any, prompt_format: PromptFormat) -> tuple[int, ...]:
    """Ids of the tokens that end an answer.

    These are the end-of-sequence tokens of the model's generation configuration and
    of its tokenizer. In the completion format, for an answer of one line, every token
    that begins with a line break ends it as well.

    Raises
    ------
    WolvesError
        If the model does not have an end-of-sequence token.
    """
    ends: set[int] = set()
    for source in (generation.eos_token_id, tokenizer.eos_token_id):
        listed = source if isinstance(source, list | tuple) else [source]
        ends.update(_token(found) for found in listed if found is not None)
    if prompt_format == "completion":
        words = tokenizer.batch_decode([[i] for i in range(len(tokenizer))])
        ends.update(i for i, word in enumerate(words) if word.startswith("\n"))
    return tuple(sorted(ends))


def _token(found: Any) -> int:
    """Check and return the id of a token."""
    if type(found) is not int or found < 0:
        raise WolvesError(
            f"expected the model's end-of-sequence token as a number from 0, found {found!r}",
            fix="correct eos_token_id in its generation_config.json or config.json",
        )
    return found


def set_threads(threads: int | None) -> None:
    """Set the number of CPU threads of torch; None leaves it unchanged."""
    if threads is not None:
        torch, _ = _libraries()
        torch.set_num_threads(threads)


def _libraries() -> tuple[Any, Any]:
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    with needs("hf", "the speaker `hf`"):
        import torch
        import transformers
    return torch, transformers


def _at(source: str | Path, revision: str) -> dict[str, str]:
    return {"revision": revision} if revision and not Path(source).is_dir() else {}


def find_device(torch: Any, device: str) -> str:
    """The torch device; ``auto`` means a GPU if there is one."""
    if device != "auto":
        return device
    if torch.cuda.is_available():
        return "cuda"
    return "mps" if torch.backends.mps.is_available() else "cpu"


def _on(model: Any, device: str) -> Any:
    """The model on a device."""
    try:
        return model.to(device)
    except (RuntimeError, AssertionError) as error:  # torch raises both without a driver
        words = str(error).strip().splitlines() or [type(error).__name__]
        raise WolvesError(
            f"the model cannot be put on the device {device!r}: {words[0]}",
            fix="leave --device out, or use --device cpu",
        ) from error


def _with_adapter(model: Any, folder: Path) -> Any:
    """The model with a LoRA adapter merged into its weights (Hu et al. 2021)."""
    with needs("hf", "an adapter"):
        import peft
    try:
        return peft.PeftModel.from_pretrained(model, str(folder)).merge_and_unload()
    except Exception as error:  # peft and its readers raise arbitrary errors.
        words = str(error).strip().splitlines() or [type(error).__name__]
        raise WolvesError(
            f"the adapter cannot be applied to this model: {words[0]}",
            where=folder,
            fix="check --adapter: its adapter_config.json states the model that it was trained on",
        ) from error


def _check_whole(report: dict[str, Any]) -> None:
    """Reject incomplete weights, because the rest would be random."""
    lacking = sorted(map(str, [*report["missing_keys"], *report["mismatched_keys"]]))
    if lacking:
        raise ValueError(
            f"{len(lacking)} of its weights are missing or of another shape: {lacking[0]}, ..."
        )


def _check_tokens(model: Any, tokenizer: Any) -> None:
    """Reject a tokenizer with tokens that the weights lack, as after a change of its files."""
    rows = model.get_input_embeddings().num_embeddings
    largest = max(tokenizer(string.printable)["input_ids"], default=0)
    if largest >= rows:
        raise ValueError(
            f"its tokenizer gives token {largest}, but its weights know the tokens 0 to {rows - 1}"
        )


@contextmanager
def without_bars(transformers: Any) -> Iterator[None]:
    """Hide the library's progress bars, which would disturb ours."""
    shown = transformers.utils.logging.is_progress_bar_enabled()
    transformers.utils.logging.disable_progress_bar()
    try:
        yield
    finally:
        if shown:
            transformers.utils.logging.enable_progress_bar()


@contextmanager
def readable(source: str | Path, revision: str) -> Iterator[None]:
    """Turn any exception in the block into an error about this model."""
    name = f"{source}@{revision}" if revision else str(source)
    try:
        yield
    except WolvesError:
        raise
    except Exception as error:  # Readers of damaged files raise arbitrary errors.
        words = str(error).strip().splitlines() or [type(error).__name__]
        raise WolvesError(
            f"the model {name} cannot be loaded: {words[0]}",
            fix="check --model_name, --model_path and --revision; for a gated model set HF_TOKEN; "
            "without a network give a folder as --model_path (`wolves models prepare smollm2`)",
        ) from error
