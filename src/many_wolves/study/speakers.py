"""The speakers of a study, one for every speaker x revision x effort."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict

from many_wolves.errors import WolvesError
from many_wolves.files import file_name
from many_wolves.records import SpeakerSpec
from many_wolves.study.schema import Speaker, Study
from many_wolves.study.task_schema import OF_A_TASK, Task


class Cast(BaseModel):
    """One speaker of a study at one revision and one effort, with its settings filled in.

    ``name`` is the speaker's name, with ``@revision`` and ``+effort`` if the study lists
    several. ``asking`` contains the settings that are set.
    """

    model_config = ConfigDict(frozen=True)

    name: str
    entry: Speaker
    asking: dict[str, Any]
    revision: str = ""
    effort: str = ""
    parameters: dict[str, Any] = {}

    def given(self, task: Task) -> Cast:
        """The same speaker in a further task, without the study's settings for its first task."""
        kept = {k: v for k, v in self.asking.items() if k not in (*OF_A_TASK, "batch")}
        own = {k: v for k, v in task.asking.items() if v is not None}
        return self.model_copy(
            update={"asking": {**kept, **own}, "parameters": self.entry.as_player}
        )

    @property
    def replicates(self) -> int:
        """Number of times that each trial is asked."""
        return int(self.asking.get("replicates", 1))

    @property
    def folder(self) -> Path | None:
        """Folder of its weights, if the study specifies one."""
        if self.entry.path is None:
            return None
        return Path(self.entry.path) / self.revision

    @property
    def spoken_name(self) -> str:
        """Its name in tables."""
        entry = self.entry
        provider, model = entry.provider, entry.model
        if provider == "api":
            provider, _, model = model.partition("/")
        folder = Path(entry.prepare) if entry.prepare else self.folder
        model = model or (folder.resolve().name if folder else "speaker")
        adapter = Path(entry.adapter).resolve().name if entry.adapter else ""
        spec = SpeakerSpec(provider, model, self.revision, effort=self.effort, adapter=adapter)
        return spec.name


def cast(study: Study) -> Iterator[Cast]:
    """Every speaker x revision x effort, in the order of the file; checkpoints in training order.

    Raises
    ------
    WolvesError
        If a pattern of revisions fits nothing, or cannot be looked up.
    """
    yield from cast_of(study, study.speakers)


def cast_of(study: Study, entries: Iterable[Speaker]) -> Iterator[Cast]:
    """The same for some entries of a study: its speakers, its players, or both.

    Raises
    ------
    WolvesError
        If a pattern of revisions fits nothing, or cannot be looked up; if two revisions would
        have the same folder.
    """
    taken: dict[str, str] = {}
    shared = {k: v for k, v in study.collect.model_dump().items() if v is not None}
    own = {k: v for k, v in study.plan[0].asking.items() if v is not None}
    for entry in entries:
        for revision in _revisions(entry):
            for effort in entry.efforts or ("",):
                name = entry.name + (f"@{file_name(revision)}" if revision else "")
                name += f"+{effort}" if effort else ""
                other = taken.setdefault(name.casefold(), revision)
                if other != revision:
                    raise WolvesError(
                        f"speaker {entry.name!r}: the revisions {other!r} and {revision!r} would "
                        f"both be written to the folder {name}",
                        fix="keep one of them, or give them two entries with different names",
                    )
                yield Cast(
                    name=name,
                    entry=entry,
                    asking={**shared, **own, **entry.asking},
                    revision=revision,
                    effort=effort,
                    parameters=entry.parameters,
                )


def _revisions(entry: Speaker) -> list[str]:
    """Names of the checkpoints that match; a single empty name if none are listed."""
    if not entry.revisions:
        return [""]
    from many_wolves.speakers.checkpoints import expand, has_pattern
    from many_wolves.speakers.speaker_request import SpeakerRequest

    if not any(has_pattern(revision) for revision in entry.revisions):
        return list(entry.revisions)
    path = Path(entry.path) if entry.path else None
    wanted = SpeakerRequest(provider=entry.provider, model=entry.model, path=path)
    try:
        return [found.revision for found in expand(wanted, ",".join(entry.revisions))]
    except WolvesError as fault:
        raise WolvesError(
            f"speaker {entry.name!r}: {fault.problem}",
            where=fault.where or None,
            fix=fault.fix.replace("check --model_path", "check its `path` in the study file"),
        ) from fault
