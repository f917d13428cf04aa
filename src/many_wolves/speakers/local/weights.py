"""Fingerprints of local weights and adapters, which do not depend on the folder's path."""

from __future__ import annotations

import hashlib
from pathlib import Path

from many_wolves.errors import WolvesError
from many_wolves.files import fingerprint, read_json_object

ADAPTER_CONFIG = "adapter_config.json"
_KINDS = {".safetensors", ".bin", ".pt", ".json", ".jinja", ".txt", ".model", ".gguf"}
_ASIDE = {
    "many-wolves.json",
    "optimizer.pt",
    "scheduler.pt",
    "trainer_state.json",
    "training_args.bin",
}
_WHOLE = 64 * 2**20
_BLOCK = 2**20
_BLOCKS = 64


def weights_fingerprint(folder: Path) -> str:
    """Fingerprint of the files in the model folder that can change an answer.

    Of a file above 64 MiB, the size and 64 evenly spaced blocks of 1 MiB are hashed. So a folder
    of 100 GB takes no longer than a small one. Two checkpoints of one training run differ in
    every block.

    Raises
    ------
    WolvesError
        If the folder is missing, or contains no model, or an adapter alone.
    """
    if not (folder / "config.json").is_file():
        if (folder / ADAPTER_CONFIG).is_file():
            raise WolvesError(
                "this is an adapter: it lacks the weights of its base model",
                where=folder,
                fix="give it with --adapter, and the folder of its base model with --model_path; "
                "in a study file, the fields are `adapter`, and `path` or `model`",
            )
        raise WolvesError(
            "expected a Hugging Face model folder (with config.json, weights and tokenizer)",
            where=folder,
            fix="check --model_path, or make one with `wolves models prepare smollm2`",
        )
    return _of_files(folder)


def adapter_fingerprint(folder: Path) -> str:
    """Fingerprint of a LoRA adapter, by the same files.

    Raises
    ------
    WolvesError
        If the folder is missing, or contains no adapter.
    """
    if not (folder / ADAPTER_CONFIG).is_file():
        raise WolvesError(
            f"expected a LoRA adapter (with {ADAPTER_CONFIG} and its weights)",
            where=folder,
            fix="check --adapter: save_pretrained of peft writes such a folder",
        )
    return _of_files(folder)


def adapter_rank(folder: Path) -> int:
    """Rank of a LoRA adapter: the largest rank of its layers.

    Raises
    ------
    WolvesError
        If the configuration has no rank.
    """
    record = read_json_object(folder / ADAPTER_CONFIG, "save the adapter again")
    try:
        return max(int(record["r"]), *map(int, dict(record.get("rank_pattern") or {}).values()), 1)
    except (KeyError, TypeError, ValueError) as fault:
        raise WolvesError(
            f"expected the rank of a LoRA adapter in the field r, found {record.get('r')!r}",
            where=folder / ADAPTER_CONFIG,
            fix="give the folder of a LoRA adapter",
        ) from fault


def _of_files(folder: Path) -> str:
    files = sorted(
        f for f in folder.iterdir() if f.is_file() and f.suffix in _KINDS and f.name not in _ASIDE
    )
    return fingerprint([[f.name, _digest(f)] for f in files])


def _digest(file: Path) -> str:
    size = file.stat().st_size
    with file.open("rb") as handle:
        if size <= _WHOLE:
            return hashlib.file_digest(handle, "sha256").hexdigest()
        digest = hashlib.sha256(str(size).encode())
        for i in range(_BLOCKS):
            handle.seek((size - _BLOCK) * i // (_BLOCKS - 1))
            digest.update(handle.read(_BLOCK))
        return digest.hexdigest()
