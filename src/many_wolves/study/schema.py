"""What a study file may say: every field with its type, default and meaning."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from many_wolves import families
from many_wolves.records import Effort, Mode, PromptFormat
from many_wolves.secrets import base_url

Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")]
"""A name that is also the name of a folder."""
Names = Annotated[tuple[str, ...], Field(min_length=1)]
Count = Annotated[int, Field(ge=1)]
Address = Annotated[str, AfterValidator(base_url)]
"""Of a server: without anything that could be a key."""
GAMES = "dilemmas"
"""The family of the section ``games``."""
WEIGHTS = ("hf", "vllm")
"""Providers that load weights, and so know checkpoints and probabilities."""


class _Section(BaseModel):
    """A part of a study file: a field that is not named here is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Trials(_Section):
    """What is asked.

    Parameters
    ----------
    items
        Item ids; empty means all.
    goals, framings
        Conditions of the design.
    scale
        ``hearts`` (0..3) or ``stars`` (1..5).
    tasks
        ``choice`` and ``literal``; without the second one the fit cannot be ``joint``.
    utterances
        Set of utterances.
    orders
        Orders of options that each scene is shown in.
    limit
        Keep at most so many trials of each task; None keeps all.
    seed
        Seed of the order of options.
    """

    items: tuple[str, ...] = ()
    goals: Names = ("informative", "social", "both", "none")
    framings: Names = ("third",)
    scale: str = "hearts"
    tasks: Names = ("choice", "literal")
    utterances: str = "eight"
    orders: Count = 1
    limit: Count | None = None
    seed: int = 1


class Asking(_Section):
    """How a speaker is asked; a speaker's own value stands before the study's.

    Parameters
    ----------
    mode
        ``sample``: it writes and we read. ``score``: exact probabilities of the options.
    replicates
        How often each trial is asked.
    prompt_format
        ``chat`` uses the model's chat template, ``completion`` is for base models;
        None asks the model folder.
    temperature, top_p, max_tokens, seed
        Sampling settings; None leaves the default.
    thinking_tokens
        Token budget of reasoning.
    batch_size
        Trials in one batch.
    dtype, device, threads
        Number format of local weights, where they run, and CPU threads.
    connections, batch, max_cost
        API: requests at once, the provider's batch mode, US dollars not to be passed.
    tensor_parallel_size, gpu_memory_utilization
        vLLM: GPUs that share a model, and the share of their memory that it may take.
    """

    mode: Mode | None = None
    replicates: Count | None = None
    prompt_format: PromptFormat | None = None
    temperature: Annotated[float, Field(ge=0)] | None = None
    top_p: Annotated[float, Field(gt=0, le=1)] | None = None
    max_tokens: Count | None = None
    seed: int | None = None
    thinking_tokens: Count | None = None
    batch_size: Count | None = None
    dtype: str | None = None
    device: str | None = None
    threads: Count | None = None
    connections: Count | None = None
    batch: bool | None = None
    max_cost: Annotated[float, Field(ge=0)] | None = None
    tensor_parallel_size: Count | None = None
    gpu_memory_utilization: Annotated[float, Field(gt=0, le=1)] | None = None


class Speaker(Asking):
    """Who is asked: one model at every named revision and effort.

    Parameters
    ----------
    name
        The study's name for it; names its folder.
    provider
        ``hf``, ``vllm``, ``simulated``, ``anthropic``, ``openai``, ``google``, ...
    model
        Name at the provider.
    path
        Folder of local weights.
    prepare
        Name of a model that ``wolves models prepare`` makes a local folder of.
    revisions
        Checkpoints: names, and patterns over the folders in ``path`` or over the hub's
        branches (``checkpoint-*``, ``step?000``); empty means the one default.
    efforts
        Reasoning efforts; empty means that none is asked for.
    base_url
        Server of an OpenAI-compatible model.
    parameters
        For ``simulated``: the parameters of its cognitive model.
    as_player
        For ``simulated``: its parameters in games.
    labels
        Factors of the study that the findings group by, such as ``base: llama``
        or ``parameters: 70e6``.
    """

    name: Name
    provider: Annotated[str, Field(min_length=1)]
    model: str = ""
    path: str | None = None
    prepare: str | None = None
    revisions: tuple[str, ...] = ()
    efforts: tuple[Effort, ...] = ()
    base_url: Address = ""
    parameters: dict[str, Any] = {}
    as_player: dict[str, Any] = {}
    labels: dict[str, str | int | float] = {}

    @model_validator(mode="after")
    def _has_a_source(self) -> Self:
        if self.provider == "simulated":
            if not self.parameters:
                raise ValueError("expected `parameters` for a simulated speaker, found none")
        elif not (self.model or self.path or self.prepare):
            raise ValueError("expected one of `model`, `path`, `prepare`, found none")
        if self.path and self.prepare:
            raise ValueError("expected `path` or `prepare`, found both")
        return self

    @model_validator(mode="after")
    def _takes_what_it_is_given(self) -> Self:
        for field in ("revisions", "efforts"):
            values = getattr(self, field)
            twice = sorted({value for value in values if values.count(value) > 1})
            if twice:
                raise ValueError(f"expected every one of `{field}` once, found twice: {twice[0]}")
        if self.revisions and (self.provider not in WEIGHTS or self.prepare):
            raise ValueError("expected `revisions` only of hf or vllm, with `model` or `path`")
        if self.efforts and self.provider == "simulated":
            raise ValueError("expected no `efforts` of a simulated speaker, which does not reason")
        if self.mode == "score":
            self.check_scored()
        return self

    def check_scored(self) -> None:
        """Refuse to score what gives no probabilities: any API."""
        if self.provider not in (*WEIGHTS, "simulated"):
            raise ValueError(
                f"expected `mode: sample` of {self.name}: an API gives no probability of an answer"
            )


class Choices(_Section):
    """How answers are read: ``scoring`` of option probabilities in score mode."""

    scoring: Literal["sum", "mean", "pmi"] = "sum"


class Fit(_Section):
    """How choices are fitted; the fields are the options of ``wolves fit``."""

    utilities: Names = ("inf", "soc", "pres")
    literal: Literal["joint", "cut", "fixed"] = "joint"
    cost_form: Literal["prior", "utility"] = "prior"
    weights_form: Literal["normalised", "three-way"] = "normalised"
    position_bias: bool = False
    engine: Literal["auto", "httpstan", "cmdstan"] = "auto"
    chains: Count = 4
    warmup: Count = 1000
    draws: Count = 1000
    adapt_delta: Annotated[float, Field(ge=0.5, lt=1)] = 0.8
    seed: int = 1


class Game(_Section):
    """A game that the same speakers play, with a fit of its own.

    Parameters
    ----------
    task
        ``dictator``, ``dilemma``, ``ultimatum`` or ``principal``.
    groups, partners
        Groups of participants and partners, as the design of the game names them; empty
        means all.
    sample
        So many cells of the design, drawn by ``seed``; None plays all.
    seed
        Seed of the sample, and of all chance in the games.
    mode, replicates, temperature, top_p, max_tokens
        As in ``collect``, whose values they do not take over: a mode left out samples,
        and the rest is what the design of the game proposes.
    model
        Cognitive model; empty for the game's first.
    """

    task: str
    groups: tuple[str, ...] = ()
    partners: tuple[str, ...] = ()
    sample: Count | None = None
    seed: int = 1
    mode: Mode | None = None
    replicates: Count | None = None
    temperature: Annotated[float, Field(ge=0)] | None = None
    top_p: Annotated[float, Field(gt=0, le=1)] | None = None
    max_tokens: Count | None = None
    model: str = ""

    @model_validator(mode="after")
    def _is_a_game(self) -> Self:
        games = [t for t in families.tasks() if families.of_task(t).name == GAMES]
        if self.task not in games:
            raise ValueError(f"expected one of {', '.join(games)}, found {self.task!r}")
        return self


class Study(_Section):
    """A study: a question, a design, who answers, how it is fitted.

    Parameters
    ----------
    study
        Its name; names the folder of its results.
    title, question
        Words for the report.
    family
        Task family.
    trials, collect, choices, fit
        The stages' settings.
    games
        Games that the speakers play beside it.
    speakers
        Who is asked.
    human
        Human references to fit beside them, such as ``yoon2020``.
    """

    study: Name
    title: str = ""
    question: str = ""
    family: str = "politeness"
    trials: Trials = Trials()
    collect: Asking = Asking()
    choices: Choices = Choices()
    fit: Fit = Fit()
    games: tuple[Game, ...] = ()
    human: tuple[str, ...] = ()
    speakers: tuple[Speaker, ...] = ()

    @model_validator(mode="after")
    def _someone_answers(self) -> Self:
        if not self.speakers and not self.human:
            raise ValueError("expected `speakers` or `human`, found neither")
        names = [speaker.name for speaker in self.speakers] + list(self.human)
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"expected every name once, found twice: {', '.join(twice)}")
        for speaker in self.speakers:
            if (speaker.mode or self.collect.mode) == "score":
                speaker.check_scored()
        if self.fit.literal != "fixed" and "literal" not in self.trials.tasks and self.speakers:
            raise ValueError(f"`literal: {self.fit.literal}` needs the task `literal` in `trials`")
        return self

    @model_validator(mode="after")
    def _all_can_play(self) -> Self:
        tasks = [game.task for game in self.games]
        if tasks and not self.speakers:
            raise ValueError("expected `speakers`, who play the `games`, found none")
        twice = sorted({task for task in tasks if tasks.count(task) > 1})
        if twice:
            raise ValueError(f"expected every game once in `games`, found twice: {twice[0]}")
        for speaker in self.speakers:
            if tasks and speaker.provider == "simulated" and not speaker.as_player:
                raise ValueError(f"expected `as_player` of {speaker.name}, which plays games")
            for game in self.games:
                if game.mode == "score":
                    speaker.check_scored()
        return self
