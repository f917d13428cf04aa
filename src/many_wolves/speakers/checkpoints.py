"""Checkpoints of one model: a hub's branches and tags, or folders in a folder."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from pathlib import Path

from many_wolves.errors import WolvesError
from many_wolves.speakers.speaker_request import SpeakerRequest

_STEP = re.compile(
    r"(?:step|checkpoint|ckpt|iter)s?[-_]?(\d+(?:\.\d+)?)([kmbt]?)(?![a-z0-9])", re.I
)
_TOKENS = re.compile(r"tok(?:en)?s?[-_]?(\d+(?:\.\d+)?)([kmbt]?)(?![a-z0-9])", re.I)
_TOKENS_BEHIND = re.compile(r"(\d+(?:\.\d+)?)([kmbt]?)[-_]?tok(?:en)?s?(?![a-z0-9])", re.I)
_STAGE = re.compile(r"(?<![a-z])(?:stage|phase|ingredient|seed)[-_]?(\d+)(?!\d)", re.I)
_FIRST = re.compile(r"(?:stage|phase)[-_]?0*1")
_FACTORS = {"": 1, "k": 10**3, "m": 10**6, "b": 10**9, "t": 10**12}
_WILD = re.compile(r"[*?\[]")


@dataclass(frozen=True, slots=True)
class Position:
    """Position of a checkpoint in training, from its name; None if unknown."""

    step: int | None
    tokens: int | None


def position(name: str) -> Position:
    """Step and tokens from a name: ``checkpoint-500``, ``stage1-step3000-tokens13B``."""
    behind = _TOKENS.search(name) or _TOKENS_BEHIND.search(name)
    return Position(_number(_STEP.search(name)), _number(behind))


def training_stage(name: str) -> str:
    """Later stage of training from a name: ``stage2-ingredient1`` of ``stage2-ingredient1-step9``.

    Its steps and tokens are counted from its own start, so stages have no common axis.
    Empty in the first stage, and if the name has no stage.
    """
    found = [part[0].lower() for part in _STAGE.finditer(name)]
    return "-".join(part for part in found if not _FIRST.fullmatch(part))


def has_pattern(name: str) -> bool:
    """Whether a revision is a pattern that must be expanded."""
    return _WILD.search(name) is not None


def expand(wanted: SpeakerRequest, revisions: str) -> list[SpeakerRequest]:
    """One speaker per checkpoint, in the order of training.

    Parameters
    ----------
    wanted
        The model; ``path`` is the folder that contains the folders of checkpoints.
    revisions
        Names and patterns (``checkpoint-*``, ``step*000``), separated by commas. Whether a name
        exists is checked only when it is loaded.

    Raises
    ------
    WolvesError
        If a pattern matches nothing.
    """
    entries = [entry.strip() for entry in revisions.split(",") if entry.strip()]
    if not entries:
        return [wanted]
    known: list[str] | None = None
    names: dict[str, None] = {}
    for entry in entries:
        if not has_pattern(entry):
            names[entry] = None
            continue
        known = _known(wanted) if known is None else known
        fitting = _in_order(name for name in known if fnmatchcase(name, entry))
        if not fitting:
            raise WolvesError(
                f"no checkpoint matches {entry!r}",
                where=wanted.path,
                fix=f"existing: {', '.join(_in_order(known)[:12]) or 'none'}",
            )
        names |= dict.fromkeys(fitting)
    return [_checkpoint(wanted, name) for name in names]


def _checkpoint(wanted: SpeakerRequest, name: str) -> SpeakerRequest:
    path = wanted.path / name if wanted.path else None
    model = wanted.model or (wanted.path.resolve().name if wanted.path else "")
    return replace(wanted, model=model, path=path, revision=name)


def _known(wanted: SpeakerRequest) -> list[str]:
    if wanted.path is not None:
        return _folders(wanted.path)
    from huggingface_hub import HfApi

    try:
        refs = HfApi().list_repo_refs(wanted.model)
    except Exception as error:  # The hub's client raises many kinds of errors.
        raise WolvesError(
            f"the branches of {wanted.model} cannot be listed: {' '.join(str(error).split())}",
            fix="list the revisions one by one, or check --model_name and the network; for a "
            "gated model set HF_TOKEN",
        ) from error
    return [ref.name for ref in (*refs.branches, *refs.tags)]


def _folders(path: Path) -> list[str]:
    if not path.is_dir():
        raise WolvesError("expected a folder of checkpoints", where=path, fix="check --model_path")
    return [folder.name for folder in path.iterdir() if (folder / "config.json").is_file()]


def _in_order(names: Iterable[str]) -> list[str]:
    def place(name: str) -> tuple[list[int], int, int, str]:
        at = position(name)
        stage = [int(found[1]) for found in _STAGE.finditer(name)]
        return (stage, at.step or 0, at.tokens or 0, name)

    return sorted(names, key=place)


def _number(match: re.Match[str] | None) -> int | None:
    if match is None:
        return None
    return int(float(match[1]) * _FACTORS[match[2].lower()])
