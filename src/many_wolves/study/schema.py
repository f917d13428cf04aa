"""The schema of a study file: every field with its type, default and meaning."""

from __future__ import annotations

from functools import cached_property
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from many_wolves import families
from many_wolves.options import OptionError, explain
from many_wolves.records import Effort
from many_wolves.records.speaker import SHOWN_NAME
from many_wolves.secrets import base_url
from many_wolves.sources import nearest
from many_wolves.speakers.config import SpeakerConfig, partial_settings
from many_wolves.study.task_schema import SELF, Count, Fit, Section, Task

Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$", max_length=100)]
"""A name that is also the name of a folder."""
Address = Annotated[str, AfterValidator(base_url)]
"""Address of a server, without anything that could be a key."""
WEIGHTS = ("hf", "vllm")
"""Providers that load weights, and therefore have checkpoints and probabilities."""

_REPLICATES: Any = (
    Count | None,
    Field(default=None, description="Number of times that a trial is asked."),
)

Asking: Any = partial_settings(
    "Asking",
    tuple(f for f in SpeakerConfig.model_fields if f not in SpeakerConfig.NAMED),
    replicates=_REPLICATES,
)
"""Settings of collection, as in ``SpeakerConfig``; None if not set."""


class Speaker(Asking):  # type: ignore[misc]
    """A speaker: one model at every listed revision and effort.
    Its settings override those of ``collect``.

    Parameters
    ----------
    name
        Name in the study, and of its folder.
    provider
        ``hf``, ``vllm``, ``simulated``, ``anthropic``, ``openai``, ``google``, ...
    model
        Name at the provider.
    path
        Folder of a local model.
    adapter
        Folder of a LoRA adapter on top of the weights; for hf or vllm.
    prepare
        Name of a packaged model, as for ``wolves models prepare``.
    revisions
        Checkpoints: names, and patterns for the folders in ``path`` or for the hub's
        branches (``checkpoint-*``, ``step?000``); empty means the default checkpoint.
    efforts
        Reasoning efforts; empty means that none is requested.
    base_url
        Server of an OpenAI-compatible model.
    parameters
        For ``simulated``: the parameters of its cognitive model.
    as_player
        For ``simulated``: its parameters in further tasks.
    labels
        Factors by which findings group speakers, such as ``base: llama``
        or ``parameters: 70e6``.
    """

    name: Name
    provider: Annotated[str, Field(min_length=1)]
    model: str = ""
    path: str | None = None
    adapter: str | None = None
    prepare: str | None = None
    revisions: tuple[str, ...] = ()
    efforts: tuple[Effort, ...] = ()
    base_url: Address = ""
    parameters: dict[str, Any] = Field(default={})
    as_player: dict[str, Any] = Field(default={})
    labels: dict[str, str | int | float] = Field(default={})

    @property
    def asking(self) -> dict[str, Any]:
        """Its own settings that are set."""
        found = {name: getattr(self, name) for name in Asking.model_fields}
        return {name: value for name, value in found.items() if value is not None}

    @model_validator(mode="after")
    def _has_a_source(self) -> Self:
        if self.provider == "simulated":
            if not self.parameters:
                raise OptionError(
                    "expected `parameters` for a simulated speaker, found none",
                    "add `parameters: {...}`, as in the file of `wolves predict`",
                )
        elif not (self.model or self.path or self.prepare):
            raise OptionError(
                "expected one of `model`, `path`, `prepare`, found none",
                "add `model: NAME` for an API or a hub, or `path: FOLDER`",
            )
        if self.path and self.prepare:
            raise OptionError(
                "expected `path` or `prepare`, found both", "remove one of them", ("prepare",)
            )
        if SHOWN_NAME in self.labels:
            raise OptionError(
                f"expected no label {SHOWN_NAME!r}: it is the name of the speaker",
                "choose another name for the label",
            )
        return self

    @model_validator(mode="after")
    def _takes_what_it_is_given(self) -> Self:
        if self.adapter and self.provider not in WEIGHTS:
            raise OptionError(
                "expected `adapter` only for hf or vllm",
                "remove `adapter`, or write `provider: hf`",
                ("adapter",),
            )
        for field in ("revisions", "efforts"):
            values = getattr(self, field)
            twice = sorted({value for value in values if values.count(value) > 1})
            if twice:
                raise OptionError(
                    f"expected every one of `{field}` once, found a duplicate: {twice[0]}",
                    f"write {twice[0]!r} once",
                    (field,),
                )
        if self.revisions and (self.provider not in WEIGHTS or self.prepare):
            raise OptionError(
                "expected `revisions` only for hf or vllm, with `model` or `path`",
                "remove `revisions`",
                ("revisions",),
            )
        if self.efforts and self.provider == "simulated":
            raise OptionError(
                "expected no `efforts` for a simulated speaker, which does not reason",
                "remove `efforts`",
                ("efforts",),
            )
        if self.asking.get("mode") == "score":
            self.check_scored()
        return self

    def check_scored(self) -> None:
        """Reject score mode for speakers without probabilities: any API."""
        if self.provider not in (*WEIGHTS, "simulated"):
            raise OptionError(
                f"expected `mode: sample` for {self.name}: an API does not give the "
                "probabilities of answers",
                "write `mode: sample`, or ask a local model",
            )


class Shipped(Section):
    """A speaker of shipped data, fitted together with those that are asked.

    Parameters
    ----------
    name
        Name in the study, and of its folder.
    data
        Name of the data, as ``wolves data list`` prints it.
    speaker
        Speaker of the data; empty if there is only one.
    """

    name: Name
    data: str
    speaker: str = ""


class Choices(Section):
    """Settings of reading: ``scoring`` of option probabilities in score mode."""

    scoring: Literal["sum", "mean", "pmi"] = "sum"


class Report(Section):
    """Figures and pages to write.

    Parameters
    ----------
    figures
        Names of the figures of the first task to write, as ``wolves plot --list`` prints
        them (default: all that compare fits).
    pages
        Whether each fit gets its own page, next to the report on all of them.
    """

    figures: tuple[str, ...] = ()
    pages: bool = True


class Study(Section):
    """A study: a question, tasks, speakers and fits.

    Parameters
    ----------
    study
        Name of the study, and of the folder of its results.
    title, question
        Words for the report.
    collect
        Settings of collection.
    tasks
        The tasks; the report begins with the first.
    speakers
        Speakers to ask.
    players
        Further speakers that only take seats; the ``cast`` of a task refers to them.
    human
        Shipped data of people, such as ``yoon2020``, fitted together with the
        speakers.
    data
        Speakers of shipped data, fitted with them.
    fit
        Settings of fits; the model's options are those of the first task.
    report
        Figures and pages to write.
    family, trials, choices
        The first task, if ``tasks`` is missing: its family, its design, and settings of
        reading.
    games
        Further tasks, if ``tasks`` is missing.
    """

    study: Name
    title: str = ""
    question: str = ""
    family: str = families.DEFAULT
    trials: dict[str, Any] = Field(default={})
    collect: Asking = Asking()
    choices: Choices = Choices()
    fit: Fit = Fit()
    report: Report = Report()
    tasks: tuple[Task, ...] = ()
    games: tuple[Task, ...] = ()
    human: tuple[str, ...] = ()
    data: tuple[Shipped, ...] = ()
    speakers: tuple[Speaker, ...] = ()
    players: tuple[Speaker, ...] = ()

    @property
    def shipped(self) -> tuple[Shipped, ...]:
        """All shipped data that are fitted, those of ``human`` first."""
        return (*(Shipped(name=name, data=name) for name in self.human), *self.data)

    @cached_property
    def plan(self) -> tuple[Task, ...]:
        """All tasks, the first one with the study's own options."""
        first, *others = self.tasks or (self._first(), *self.games)
        if self.tasks:
            merged = {**self.fit.model_dump(exclude_unset=True), **_told(first.fit)}
            first = first.model_copy(update={"fit": Fit(**merged)})
        shared = {k: v for k, v in self.fit.given.items() if k in Fit.SAMPLING}
        return (
            first,
            *(t.model_copy(update={"fit": Fit(**{**shared, **_told(t.fit)})}) for t in others),
        )

    def _first(self) -> Task:
        """The first task of a file without ``tasks``."""
        own = families.get(self.family).tasks
        if len(own) != 1:
            raise OptionError(
                f"the family {self.family!r} has {len(own)} tasks",
                f"write `tasks:` with `- task: {next(iter(own))}`",
                ("family",),
            )
        fields = {"scoring": self.choices.scoring, "fit": self.fit.model_dump(exclude_unset=True)}
        return Task.model_validate({"task": next(iter(own)), **self.trials, **fields})

    @model_validator(mode="after")
    def _someone_answers(self) -> Self:
        if not self.speakers and not self.shipped:
            raise OptionError(
                "expected `speakers`, `human` or `data`, found none",
                "add `speakers:` with the models to ask, or `human: [yoon2020]`",
            )
        names = [one.name for one in (*self.speakers, *self.players)]
        names += [one.name for one in self.shipped]
        # Names are folders, and some disks ignore the case of letters.
        folded = [name.casefold() for name in names]
        twice = sorted({name for name in names if folded.count(name.casefold()) > 1})
        if twice:
            raise OptionError(
                f"expected every name once, found duplicates: {', '.join(twice)}",
                f"rename one of the entries called {twice[0]!r}",
            )
        known = families.references()
        for one in self.shipped:
            if one.data not in known:
                raise OptionError(
                    f"no shipped data are called {one.data!r}",
                    nearest(one.data, known),
                    ("human",) if one.data in self.human else ("data",),
                )
        for speaker in self.speakers:
            if (speaker.asking | {}).get("mode", self.collect.mode) == "score":
                speaker.check_scored()
        return self

    @model_validator(mode="after")
    def _tasks_fit_together(self) -> Self:
        if self.tasks and (self.games or self.trials):
            found = "games" if self.games else "trials"
            raise OptionError(
                "expected `tasks`, or `trials` and `games`, found both",
                f"move what `{found}` contains to `tasks`, and remove `{found}`",
                (found,),
            )
        if not self.speakers and (self.games or self.tasks):
            raise OptionError(
                "expected `speakers` for the tasks, found none",
                "add `speakers:` with the models to ask",
                ("tasks" if self.tasks else "games",),
            )
        first, *others = self._checked_plan()
        names = [task.task for task in (first, *others)]
        twice = sorted({task for task in names if names.count(task) > 1})
        if twice:
            raise OptionError(
                f"expected every task once, found a duplicate: {twice[0]}",
                f"keep one entry with `task: {twice[0]}`",
                ("tasks" if self.tasks else "games",),
            )
        for task in (first, *others):
            self._check_players(task)
        for speaker in self.speakers:
            if speaker.asking.get("mode", first.mode) == "score":
                speaker.check_scored()
            if others and speaker.provider == "simulated" and not speaker.as_player:
                raise OptionError(
                    f"expected `as_player` of {speaker.name}: its parameters in {others[0].task}",
                    "add `as_player: {...}` to the speaker",
                    ("speakers", self.speakers.index(speaker)),
                )
            for task in others:
                if task.mode == "score":
                    speaker.check_scored()
        return self

    def _check_players(self, task: Task) -> None:
        """Reject a name in a cast that the study does not define."""
        entries = [one.name for one in (*self.speakers, *self.players)]
        for seat, several in task.cast.items():
            for who in several:
                if not isinstance(who, str) or who in (SELF, *entries):
                    continue
                if not who.startswith(tuple(f"{name}{mark}" for name in entries for mark in "@+")):
                    place = self.plan.index(task)
                    raise OptionError(
                        f"no speaker or player is called {who!r}",
                        f"{nearest(who, [SELF, *entries])}; a scripted one is {{strategy: NAME}}",
                        ("tasks", place, "cast", seat) if self.tasks else ("games", place - 1),
                    )

    def _checked_plan(self) -> tuple[Task, ...]:
        """The plan; an error in the first task of an older file is reported in its section."""
        from pydantic import ValidationError

        try:
            return self.plan
        except ValidationError as invalid:
            fault = invalid.errors()[0]
            error = fault.get("ctx", {}).get("error")
            if not isinstance(error, OptionError):
                problem, fix = explain(fault, ())
                raise OptionError(problem, fix, ("trials", *fault["loc"])) from None
            fields = error.fields if error.fields[:1] == ("fit",) else ("trials", *error.fields)
            raise OptionError(str(error), error.fix, fields) from None


def _told(fit: Fit) -> dict[str, Any]:
    return fit.model_dump(exclude_unset=True)
