"""Writes a new study file with a comment on each part, after checking it."""

from __future__ import annotations

import json
import re
import textwrap
from dataclasses import dataclass
from pathlib import Path

from many_wolves import families
from many_wolves.contracts import WorldFamily
from many_wolves.errors import WolvesError
from many_wolves.files import write_atomic
from many_wolves.sources import nearest, source_of
from many_wolves.study.schema import WEIGHTS
from many_wolves.study.study_file import study_of
from many_wolves.workflows.compile import Request, trials_of
from many_wolves.workflows.seats import role_of

_SMALL = "smollm2"
"""The default model, which comes from the package index and needs no hub."""


@dataclass(frozen=True)
class NewStudy:
    """The content of a new study.

    Parameters
    ----------
    name
        Its name, also that of its results folder.
    task
        The task of the speakers.
    provider, model
        The speaker; a small model that runs anywhere if neither a model nor checkpoints are
        given.
    checkpoints
        Folder of one model, or of the checkpoints of a training run.
    """

    name: str
    task: str = "politeness"
    provider: str = ""
    model: str = ""
    checkpoints: Path | None = None

    def text(self, path: Path) -> str:
        """The study file, as it will be at ``path``.

        Raises
        ------
        WolvesError
            If the task is unknown, or the folder contains no model.
        """
        if self.task not in families.tasks():
            raise WolvesError(
                f"expected a task, found {self.task!r}", fix=nearest(self.task, families.tasks())
            )
        return "\n".join(
            [*self._head(path), *self._tasks(), *self._people(), *self._speakers(), ""]
        )

    @property
    def _local(self) -> bool:
        return self.provider in ("", *WEIGHTS)

    @property
    def _polite(self) -> bool:
        return self.task == families.DEFAULT

    def _head(self, path: Path) -> list[str]:
        return [
            *_comment(
                "A study: tasks, speakers and fits. Print its size and cost, run it, or print its "
                "progress:"
            ),
            "#",
            f"#   wolves study plan {path}",
            f"#   wolves study run {path}",
            f"#   wolves study status {path}",
            "",
            f"study: {_quoted(self.name)}",
            f"title: {_quoted(self.name)}",
            *_comment("One sentence for the top of the report."),
            'question: ""',
            "",
        ]

    def _tasks(self) -> list[str]:
        if not self._polite:
            return [
                *_comment(
                    "The tasks; `wolves compile --help` lists the fields of each. Several tasks "
                    "can be listed, each with its own fit."
                ),
                "tasks:",
                f"  - task: {_quoted(self.task)}",
                *self._cast(),
                "",
                *self._asked(),
                "fit:",
                "  seed: 1",
                "",
            ]
        return [
            f"family: {families.DEFAULT}",
            "",
            *_comment(
                "The scenes, with all goals, so that their weights can be compared with each "
                "other. For your own material: `sources: FOLDER` with items.yaml, scales.yaml, "
                "utterances.yaml and templates; `wolves compile --show 2` prints prompts."
            ),
            "trials:",
            "  goals: [informative, social, both, none]",
            "  framings: [third]",
            "  scale: hearts",
            "  seed: 1",
            "",
            *self._asked(),
            *_comment(
                "The cognitive model: its utilities, and how literal meanings are estimated "
                "(joint, cut, fixed)."
            ),
            "fit:",
            "  utilities: [inf, soc, pres]",
            "  literal: joint",
            "  seed: 1",
            "",
        ]

    def _cast(self) -> list[str]:
        """The cast of an experiment: initially the speaker in all seats."""
        family, name = families.of_task(self.task)
        if not isinstance(family, WorldFamily):
            return []
        opening = next(iter(trials_of(Request(family.name, {name: family.design(name)()}))))
        roles = dict.fromkeys(role_of(seat) for seat in family.extent(opening).seats)
        words = _comment(
            "The players in the seats of each role: self, the name of a speaker or player, or a "
            "script such as {strategy: truthful}."
        )
        return [
            *(f"    {line}" for line in [*words, "cast:"]),
            *(f"      {r}: self" for r in roles),
        ]

    def _asked(self) -> list[str]:
        if not self._local:
            return [
                *_comment("Collection: how often each trial is asked, and a limit in US dollars."),
                "collect:",
                "  mode: sample",
                "  replicates: 3",
                "  max_cost: 10",
                "",
            ]
        if not self._polite:
            return []
        return [
            *_comment(
                "score: exact probabilities of the options, one pass per option. sample: the "
                "model's answer is sampled and read, `replicates` times per trial."
            ),
            "collect:",
            "  mode: score",
            "",
            *_comment(
                "sum: log-probability of an option; pmi: its gain over that without the scene, "
                "which is better for small models; mean: per token."
            ),
            "choices:",
            f"  scoring: {'sum' if self.model or self.checkpoints else 'pmi'}",
            "",
        ]

    def _people(self) -> list[str]:
        if not self._polite:
            return []
        return [
            *_comment("Shipped data, fitted with the speakers: `wolves data list`."),
            "human: [yoon2020]",
            "",
        ]

    def _speakers(self) -> list[str]:
        return [
            *_comment(
                "Speakers. `labels` are factors by which findings compare them, such as "
                "`base: llama`. Further speakers follow, each with its own `- name:`."
            ),
            "speakers:",
            *(f"  {line}" for line in self._speaker()),
        ]

    def _speaker(self) -> list[str]:
        if self.checkpoints is not None:
            return self._of_a_folder(self.checkpoints)
        if self.model:
            name = re.sub(r"[^A-Za-z0-9._-]+", "-", self.model.rpartition("/")[2]).strip("-.")
            found = [
                f"- name: {_quoted(name or 'model')}",
                f"  provider: {_quoted(self.provider or 'hf')}",
                f"  model: {_quoted(self.model)}",
            ]
            note = "# efforts: [none, low, medium]   reasoning efforts, each a separate speaker"
            return found if self._local else [*found, f"  {note}"]
        if not self._local:
            raise WolvesError(
                f"a speaker of {self.provider} needs the name of its model",
                fix=f"wolves study new {self.name} --provider {self.provider} --model NAME",
            )
        return [
            f"- name: {_SMALL}",
            "  provider: hf",
            *(f"  {line}" for line in _comment("Prepared by `wolves models prepare`.")),
            f"  prepare: {_SMALL}",
        ]

    def _of_a_folder(self, folder: Path) -> list[str]:
        single = (folder / "config.json").is_file()
        names = sorted(f.parent.name for f in folder.glob("*/config.json"))
        if not single and not names:
            raise WolvesError(
                "expected a model, or folders of checkpoints, found no config.json",
                where=folder,
                fix="give the folder with the checkpoints of a trainer",
            )
        name = re.sub(r"[^A-Za-z0-9._-]+", "-", folder.resolve().name).strip("-.")
        lines = [
            f"- name: {_quoted(name or 'model')}",
            f"  provider: {_quoted(self.provider or 'hf')}",
            f"  path: {_quoted(str(folder))}",
        ]
        if single:
            return lines
        return [
            *lines,
            *(f"  {line}" for line in _comment("Checkpoints in the order of training.")),
            f"  revisions: [{', '.join(_quoted(p) for p in _patterns(names))}]",
        ]


def new_study(wanted: NewStudy, out: Path | None = None) -> Path:
    """Write a study file for `wolves study run`.

    Parameters
    ----------
    wanted
        Its content.
    out
        The file; ``studies/NAME.yaml`` if None.

    Returns
    -------
    Path
        The file.

    Raises
    ------
    WolvesError
        If the file exists, or the content is not a valid study.
    """
    path = out or Path("studies") / f"{wanted.name}.yaml"
    if path.exists():
        raise WolvesError(
            "a file with that name exists",
            where=path,
            fix="give another name, or another file with --out",
        )
    text = wanted.text(path)
    try:
        study_of(source_of(text, path))
    except WolvesError as fault:
        raise WolvesError(fault.problem, fix=fault.fix or "choose another one") from fault
    return write_atomic(path, text)


def _patterns(names: list[str]) -> list[str]:
    """One pattern for names that differ only in a number; otherwise the names."""
    stems = {re.sub(r"\d+", "*", name) for name in names}
    (stem, *others) = stems
    return [stem] if not others and stem.count("*") == 1 and len(names) > 1 else names


def _quoted(words: str) -> str:
    """A text for YAML, quoted if YAML would not read it as text."""
    plain = re.fullmatch(r"[A-Za-z][A-Za-z0-9 _./-]*", words)
    special = words.lower() in ("yes", "no", "on", "off", "true", "false", "null", "y", "n")
    return words if plain and not special else json.dumps(words, ensure_ascii=False)


def _comment(words: str) -> list[str]:
    return [f"# {line}" for line in textwrap.wrap(words, 88)]
