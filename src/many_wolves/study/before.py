"""What keeps a study from running on this machine: keys, packages, weights, a GPU."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from importlib.util import find_spec
from pathlib import Path

from many_wolves.errors import WolvesError
from many_wolves.extras import missing_extra
from many_wolves.records import PromptFormat
from many_wolves.sources import read_source
from many_wolves.study.schema import WEIGHTS, Speaker, Study
from many_wolves.study.speakers import Cast, cast_of

_PACKAGES = {"hf": ("torch", "transformers"), "vllm": ("vllm",)}
_GPUS = ("/dev/nvidiactl", "/dev/kfd", "/dev/dxg")
"""Devices of Nvidia, of AMD, and of Windows' subsystem for Linux."""


def lacking(study: Study, file: Path) -> Iterator[WolvesError]:
    """What speakers and players lack on this machine; nothing is loaded.

    Yields
    ------
    WolvesError
        With the line of the study file where it is about one entry.
    """
    entries = {"speakers": study.speakers, "players": study.players}
    everyone = [one for several in entries.values() for one in several]
    for provider in dict.fromkeys(one.provider for one in everyone):
        yield from _fault(partial(_check_provider, provider))
    for section, several in entries.items():
        for number, entry in enumerate(several):
            if entry.provider not in WEIGHTS:
                continue
            for field, check in _checks(study, entry):
                for fault in _fault(check):
                    yield at_its_line(file, section, number, field, fault)


def _fault(check: Callable[[], None]) -> Iterator[WolvesError]:
    try:
        check()
    except WolvesError as fault:
        yield fault


def _check_provider(provider: str) -> None:
    """Refuse a provider without its packages, or without a key."""
    if provider == "simulated":
        return
    if provider not in WEIGHTS:
        from many_wolves.speakers.api.settings import read_key

        read_key(provider, None)
        return
    absent = [name for name in _PACKAGES[provider] if find_spec(name) is None]
    if absent:
        error = ImportError(f"No module named {absent[0]!r}")
        raise missing_extra(provider, f"the speaker `{provider}`", error)


def _checks(study: Study, entry: Speaker) -> Iterator[tuple[str, Callable[[], None]]]:
    """Checks of a speaker's folders and device, each with the field that it is about."""
    from many_wolves.speakers.local.folder import check_adapter, check_model

    everyone = list(cast_of(study, [entry]))
    if entry.path:
        field = "revisions" if entry.revisions else "path"
        for one in {one.folder: one for one in everyone}.values():
            if one.folder is not None:
                yield field, partial(check_model, one.folder, _format(one))
    if entry.adapter:
        yield "adapter", partial(check_adapter, Path(entry.adapter))
    for device in {str(one.asking.get("device") or "") for one in everyone}:
        yield "device", partial(_check_device, device)


def _format(one: Cast) -> PromptFormat:
    return "completion" if one.asking.get("prompt_format") == "completion" else "chat"


def _check_device(device: str) -> None:
    if device.startswith("cuda") and not any(Path(gpu).exists() for gpu in _GPUS):
        raise WolvesError(f"{device}: this machine has no GPU", fix="leave `device` out")


def at_its_line(
    file: Path, section: str, number: int, field: str, fault: WolvesError, fix: str = ""
) -> WolvesError:
    """The error, moved to the line with the field of an entry in the study file."""
    entry = read_source(file).entries()[section].sequence()[number]
    at = entry.entries().get(field, entry)
    words = f"{fault.where}: {fault.problem}" if fault.where else fault.problem
    return at.error(f"{section}.{number}.{field}: {words}", fix or fault.fix)
