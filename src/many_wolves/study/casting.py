"""Who is asked, one by one: every speaker x revision x effort of a study."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict

from many_wolves.errors import WolvesError
from many_wolves.files import file_name
from many_wolves.speakers.checkpoints import expand, has_pattern
from many_wolves.speakers.wanted import Wanted
from many_wolves.study.schema import Asking, Game, Speaker, Study

_SET_BY_GAMES = ("mode", "replicates", "temperature", "top_p", "max_tokens")


class Cast(BaseModel):
    """One speaker of a study at one revision and one effort, with its settings filled in.

    ``name`` is the speaker's name, with ``@revision`` and ``+effort`` where the
    study names several.
    """

    model_config = ConfigDict(frozen=True)

    name: str
    entry: Speaker
    asking: Asking
    revision: str = ""
    effort: str = ""
    parameters: dict[str, Any] = {}

    def in_game(self, game: Game) -> Cast:
        """The same speaker as a player: what the study sets for its own trials is left out."""
        own = {name: getattr(game, name) for name in _SET_BY_GAMES}
        asking = self.asking.model_copy(update={**own, "batch": None})
        return self.model_copy(update={"asking": asking, "parameters": self.entry.as_player})

    @property
    def folder(self) -> Path | None:
        """Folder of its weights, where the study names one."""
        if self.entry.path is None:
            return None
        return Path(self.entry.path) / self.revision


def cast(study: Study) -> Iterator[Cast]:
    """Every speaker x revision x effort, in the order of the file; checkpoints by training.

    Raises
    ------
    WolvesError
        If a pattern of revisions fits nothing, or cannot be looked up.
    """
    for entry in study.speakers:
        asking = _asking(entry, study)
        for revision in _revisions(entry):
            for effort in entry.efforts or ("",):
                name = entry.name + (f"@{file_name(revision)}" if revision else "")
                name += f"+{effort}" if effort else ""
                yield Cast(
                    name=name,
                    entry=entry,
                    asking=asking,
                    revision=revision,
                    effort=effort,
                    parameters=entry.parameters,
                )


def _asking(entry: Speaker, study: Study) -> Asking:
    """The speaker's own settings, and the study's where it has none."""
    own, shared = entry.model_dump(), study.collect.model_dump()
    chosen = {f: own[f] if own[f] is not None else shared[f] for f in Asking.model_fields}
    return Asking(**chosen)


def _revisions(entry: Speaker) -> list[str]:
    """Names of the checkpoints, patterns looked up; one empty name where there are none."""
    if not any(has_pattern(revision) for revision in entry.revisions):
        return list(entry.revisions) or [""]
    path = Path(entry.path) if entry.path else None
    wanted = Wanted(provider=entry.provider, model=entry.model, path=path)
    try:
        return [found.revision for found in expand(wanted, ",".join(entry.revisions))]
    except WolvesError as fault:
        raise WolvesError(
            f"speaker {entry.name!r}: {fault.problem}",
            where=fault.where or None,
            mend=fault.mend.replace("check --model_path", "check its `path` in the study file"),
        ) from fault
