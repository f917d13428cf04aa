"""What a folder of a local model lacks, found without loading it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from jinja2 import Environment, TemplateSyntaxError

from many_wolves.errors import WolvesError
from many_wolves.files import read_json_object
from many_wolves.records import PromptFormat
from many_wolves.speakers.local.thinking import template_in
from many_wolves.speakers.local.weights import (
    ADAPTER_CONFIG,
    adapter_fingerprint,
    weights_fingerprint,
)

_POINTER = b"version https://git-lfs.github.com/spec/"
_WEIGHTS = ("*.safetensors", "pytorch_model*.bin", "*.gguf")
_TOKENIZERS = (
    *("tokenizer.json", "tokenizer.model", "tokenizer_config.json", "vocab.json", "vocab.txt"),
    *("spiece.model", "tekken.json", "*.tiktoken"),
)
_DOWNLOAD_AGAIN = "download or save the folder again"


def check_model(folder: Path, prompt_format: PromptFormat) -> None:
    """Refuse a folder whose model cannot be loaded.

    Raises
    ------
    WolvesError
        If the folder, its configuration, weights or tokenizer are missing, or a file was not
        downloaded. Also if the chat format has no template that can be used.
    """
    if not folder.exists():
        raise WolvesError("no such folder", where=folder, fix="check the path")
    if not folder.is_dir():
        raise WolvesError(
            "expected a folder, found a file", where=folder, fix="give the folder of the model"
        )
    if not (folder / "config.json").is_file():
        weights_fingerprint(folder)
    read_json_object(folder / "config.json", _DOWNLOAD_AGAIN)
    _check_weights(folder)
    tokenizers = [file for name in _TOKENIZERS for file in folder.glob(name)]
    if not tokenizers:
        raise WolvesError(
            "the folder holds no tokenizer",
            where=folder,
            fix="save the tokenizer of the model into it",
        )
    for file in tokenizers:
        _check_downloaded(file)
    if prompt_format == "chat":
        _check_template(folder)


def check_adapter(folder: Path) -> None:
    """Refuse a folder that holds no adapter with its weights.

    Raises
    ------
    WolvesError
        If its configuration or its weights are missing or were not downloaded.
    """
    if not (folder / ADAPTER_CONFIG).is_file():
        adapter_fingerprint(folder)
    read_json_object(folder / ADAPTER_CONFIG, _DOWNLOAD_AGAIN)
    files = [*folder.glob("adapter_model*.safetensors"), *folder.glob("adapter_model*.bin")]
    if not files:
        raise WolvesError("the adapter holds no weights", where=folder, fix=_DOWNLOAD_AGAIN)
    for file in files:
        _check_downloaded(file)


def _check_weights(folder: Path) -> None:
    """Refuse missing weights, also a missing part of them."""
    for index in (*folder.glob("*.safetensors.index.json"), *folder.glob("*.bin.index.json")):
        parts = read_json_object(index, _DOWNLOAD_AGAIN).get("weight_map")
        names = set(map(str, parts.values())) if isinstance(parts, dict) else set()
        lacking = sorted(name for name in names if not (folder / name).is_file())
        if lacking:
            raise WolvesError(
                f"{len(lacking)} of {len(names)} files of weights are missing: {lacking[0]}",
                where=folder,
                fix=_DOWNLOAD_AGAIN,
            )
    files = [file for name in _WEIGHTS for file in folder.glob(name)]
    if not files:
        raise WolvesError(
            "the folder holds no weights (*.safetensors)", where=folder, fix=_DOWNLOAD_AGAIN
        )
    for file in files:
        _check_downloaded(file)


def _check_downloaded(file: Path) -> None:
    with file.open("rb") as handle:
        begin = handle.read(len(_POINTER))
    if begin == _POINTER:
        raise WolvesError(
            "this is a Git LFS pointer: the file itself was not downloaded",
            where=file,
            fix="git lfs pull",
        )
    if not begin:
        raise WolvesError("the file is empty", where=file, fix=_DOWNLOAD_AGAIN)


def _check_template(folder: Path) -> None:
    """Refuse a missing chat template, and one that Jinja cannot read."""
    found: Any = template_in(folder)
    if found == "":
        raise WolvesError(
            "this model has no chat template: it is a base model, which continues text",
            where=folder,
            fix="ask it with `--prompt_format completion`",
        )
    template = found.get("default", "") if isinstance(found, dict) else found
    # transformers adds this tag to the language.
    if not isinstance(template, str) or "generation" in template:
        return
    try:
        Environment(extensions=["jinja2.ext.loopcontrols"]).parse(template)
    except TemplateSyntaxError as fault:
        raise WolvesError(
            f"the chat template cannot be read: {fault.message} (line {fault.lineno})",
            where=folder,
            fix="correct it in chat_template.jinja or tokenizer_config.json",
        ) from fault
