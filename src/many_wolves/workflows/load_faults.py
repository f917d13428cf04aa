"""Handles speakers that cannot be loaded: the error is recorded, and the others continue."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

from many_wolves.errors import WolvesError
from many_wolves.files import write_atomic
from many_wolves.records import SCHEMA, SpeakerSpec
from many_wolves.speakers.checkpoints import position
from many_wolves.speakers.speaker_request import SpeakerRequest


class LoadError(WolvesError):
    """A speaker cannot be described or loaded; other speakers may still work."""


def loading[T](load: Callable[[], T]) -> T:
    """The result of ``load``; its errors become ``LoadError``.

    Raises
    ------
    LoadError
        If the speaker cannot be loaded.
    """
    try:
        return load()
    except WolvesError as error:
        raise LoadError(
            error.problem, where=error.where or None, line=error.line, fix=error.fix
        ) from error


def record_fault(fault: LoadError, wanted: SpeakerRequest, folder: Path) -> Path:
    """Record in a folder of journals that a checkpoint could not be loaded; return the file."""
    path = _fault_file(wanted, folder)
    record = {
        "schema": SCHEMA,
        "provider": wanted.provider,
        "model": wanted.model,
        "revision": wanted.revision,
        **asdict(position(wanted.revision)),
        "error": str(fault),
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
    }
    write_atomic(path, json.dumps(record, indent=2) + "\n")
    return path


def forget_fault(wanted: SpeakerRequest, folder: Path) -> None:
    """Remove the record of an earlier failure, once the checkpoint was asked."""
    _fault_file(wanted, folder).unlink(missing_ok=True)


def _fault_file(wanted: SpeakerRequest, folder: Path) -> Path:
    slug = SpeakerSpec(wanted.provider, wanted.model, wanted.revision, mode=wanted.mode).slug
    return folder / f"{slug.rpartition('-')[0]}.load-error.json"
