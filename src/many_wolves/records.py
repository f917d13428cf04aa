"""The types that pass between stages: the only thing that every stage knows.

Data runs one way: ``Trial`` -> ``Response`` -> ``Observations`` -> fit. What is
special to a task family travels in the ``cell`` of a trial (for politeness:
item, state, scale, goal, framing), so that no record names a family's factors.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from functools import cached_property
from sys import intern
from typing import Any, Literal, Self

from many_wolves.files import canonical_json, file_name, fingerprint, text_fingerprint

SCHEMA = 1
"""Version of every record and file format below."""

Role = Literal["system", "user", "assistant"]
Status = Literal["answered", "refused", "empty", "unparsed", "failed"]
Mode = Literal["sample", "score"]
PromptFormat = Literal["chat", "completion"]
Effort = Literal["none", "minimal", "low", "medium", "high"]
Cell = Mapping[str, str | int | float]

LABELS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
"""Letters that stand before the options, in the order shown."""


@dataclass(frozen=True, slots=True)
class Message:
    """One turn of a prompt."""

    role: Role
    content: str


@dataclass(frozen=True, slots=True)
class Option:
    """One answer that a trial offers: its id in the tables, and the words shown."""

    id: str
    text: str


@dataclass(frozen=True)
class Trial:
    """One question to a speaker.

    Parameters
    ----------
    family, task
        Task family (``politeness``) and the task within it (``choice``, ``literal``).
    cell
        The cell of the design: for politeness item, state, scale, goal, framing,
        and for the literal task utterance.
    options
        The options in the order shown; the letter of place ``i`` is ``LABELS[i]``.
    messages
        The prompt.
    baseline
        The same question without its scene, for the unconditional probability of
        each option; empty where the family offers none.
    episode, turn
        A vignette is an episode of one turn; other episodes have many.
    script
        On the opening of an episode: all that its family needs for the turns to come.
    """

    family: str
    task: str
    cell: Cell
    options: tuple[Option, ...]
    messages: tuple[Message, ...]
    baseline: tuple[Message, ...] = ()
    episode: str = ""
    turn: int = 0
    script: Mapping[str, Any] = field(default_factory=dict)

    @cached_property
    def id(self) -> str:
        """Content hash: equal trials have equal ids, on any machine."""
        return fingerprint(self._content())

    def to_json(self) -> dict[str, Any]:
        """The trial as a JSON object, its id and schema version included."""
        return {"schema": SCHEMA, "id": self.id} | self._content()

    def _content(self) -> dict[str, Any]:
        """The fields by name; ``script`` only where there is one."""
        content = {
            "family": self.family,
            "task": self.task,
            "cell": dict(self.cell),
            "options": [{"id": o.id, "text": o.text} for o in self.options],
            "messages": [{"role": m.role, "content": m.content} for m in self.messages],
            "baseline": [{"role": m.role, "content": m.content} for m in self.baseline],
            "episode": self.episode,
            "turn": self.turn,
        }
        return content | {"script": dict(self.script)} if self.script else content

    @classmethod
    def from_json(cls, record: Mapping[str, Any]) -> Self:
        """Read back what ``to_json`` gave.

        Raises
        ------
        KeyError, TypeError, ValueError
            If a field is missing, or the id does not match the content.
        """
        trial = cls(
            family=record["family"],
            task=record["task"],
            cell=dict(record["cell"]),
            options=tuple(Option(**o) for o in record["options"]),
            messages=tuple(Message(**m) for m in record["messages"]),
            baseline=tuple(Message(**m) for m in record["baseline"]),
            episode=record["episode"],
            turn=record["turn"],
            script=dict(record.get("script", {})),
        )
        if record["id"] != trial.id:
            raise ValueError(f"expected id {trial.id} from the content, found {record['id']}")
        return trial


@dataclass(frozen=True)
class SpeakerSpec:
    """Who answers, and every setting that can change the answer.

    Parameters
    ----------
    provider
        ``simulated``, ``hf``, ``vllm``, ``anthropic``, ``openai``, ``google``, ...
    model
        Name at the provider, such as ``HuggingFaceTB/SmolLM2-135M-Instruct``.
    revision
        Checkpoint: a hub revision, or the name of a checkpoint folder; may be empty.
    weights
        Fingerprint of a local folder of weights; empty when the hub names them.
    effort, thinking_tokens
        Reasoning effort asked for (empty: not asked), or a token budget.
    mode
        ``sample``: the speaker writes and we read. ``score``: probabilities of options.
    temperature, top_p, max_tokens, seed
        Sampling settings; None leaves the provider's default. The seed of a
        replicate is ``seed`` plus its number.
    prompt_format
        ``chat`` uses the model's chat template; ``completion`` is for base models.
    dtype
        Number format of local weights.
    base_url
        Server of an OpenAI-compatible model; never with credentials in it.
    parameters
        For ``simulated``: the parameters of its cognitive model.
    """

    provider: str
    model: str
    revision: str = ""
    weights: str = ""
    effort: str = ""
    thinking_tokens: int | None = None
    mode: Mode = "sample"
    temperature: float | None = None
    top_p: float | None = None
    max_tokens: int = 64
    seed: int = 0
    prompt_format: PromptFormat = "chat"
    dtype: str = ""
    base_url: str = ""
    parameters: Mapping[str, Any] = field(default_factory=dict)

    @cached_property
    def settings(self) -> dict[str, Any]:
        """The fields by name; not to be changed."""
        return asdict(self)

    @cached_property
    def canonical(self) -> str:
        """The canonical JSON of the settings."""
        return canonical_json(self.settings)

    @property
    def name(self) -> str:
        """``provider/model[@revision]``, with the effort behind it where one was asked."""
        name = f"{self.provider}/{self.model}" + (f"@{self.revision}" if self.revision else "")
        return f"{name}+{self.effort}" if self.effort else name

    @property
    def slug(self) -> str:
        """A file name that is unique to these settings and can be read by a person."""
        return f"{file_name(f'{self.name}-{self.mode}')}-{fingerprint(asdict(self), 8)}"


@dataclass(frozen=True, slots=True)
class OptionScore:
    """Log-probability of one option after the prompt.

    Parameters
    ----------
    option
        Option id.
    logprob
        Sum over the option's tokens and the end-of-answer token, in nats.
    tokens
        Number of tokens in that sum.
    baseline
        The same sum after the trial's ``baseline`` prompt; None where there is none.
    """

    option: str
    logprob: float
    tokens: int
    baseline: float | None = None


@dataclass(frozen=True)
class Response:
    """One answer, as one line of a journal; it alone suffices to tabulate it.

    ``options`` are option ids in the order shown. ``choice`` is the option that
    was read when the answer came; ``wolves choices`` reads ``text`` again. The
    effort asked for is in ``speaker``; ``effort_used`` is the one in effect.
    ``usage`` counts tokens (``input``, ``output``, ``reasoning``); ``latency_s``,
    ``waited_s`` are seconds, the second one spent waiting between retries.
    """

    key: str
    trial_id: str
    family: str
    task: str
    cell: Cell
    options: tuple[Option, ...]
    speaker: SpeakerSpec
    replicate: int
    status: Status
    choice: str | None = None
    scores: tuple[OptionScore, ...] = ()
    text: str = ""
    reasoning: str = ""
    effort_used: str = ""
    usage: Mapping[str, int] = field(default_factory=dict)
    latency_s: float = 0.0
    retries: int = 0
    waited_s: float = 0.0
    error: str = ""
    versions: Mapping[str, str] = field(default_factory=dict)
    created: str = ""
    episode: str = ""
    turn: int = 0

    def to_json(self) -> dict[str, Any]:
        """The response as a JSON object with its schema version; not to be changed."""
        # asdict would copy every value: that takes longer than to write the line.
        return (
            {"schema": SCHEMA}
            | vars(self)
            | {
                "cell": dict(self.cell),
                "options": [{"id": o.id, "text": o.text} for o in self.options],
                "scores": [asdict(score) for score in self.scores],
                "speaker": self.speaker.settings,
                "usage": dict(self.usage),
                "versions": dict(self.versions),
            }
        )

    @classmethod
    def from_json(cls, record: Mapping[str, Any], like: Response | None = None) -> Self:
        """Read back what ``to_json`` gave.

        Parameters
        ----------
        record
            The JSON object.
        like
            Another response, whose speaker and versions are shared where they are equal.

        Raises
        ------
        KeyError, TypeError
            If a field is missing or unknown.
        """
        fields = {k: v for k, v in record.items() if k != "schema"}
        fields["cell"] = _shared(fields["cell"])
        fields["options"] = tuple(Option(**_shared(o)) for o in fields["options"])
        fields["scores"] = tuple(OptionScore(**s) for s in fields["scores"])
        if like is not None and like.speaker.settings == fields["speaker"]:
            fields["speaker"] = like.speaker
        else:
            fields["speaker"] = SpeakerSpec(**fields["speaker"])
        if like is not None and like.versions == fields.get("versions"):
            fields["versions"] = like.versions
        return cls(**fields)


def _shared(values: Mapping[str, Any]) -> dict[str, Any]:
    """A mapping whose words are those of all others: most lines of a journal repeat them."""
    return {
        intern(name): intern(value) if type(value) is str else value
        for name, value in values.items()
    }


def response_key(trial_id: str, speaker: SpeakerSpec, replicate: int) -> str:
    """Hash over all that can change the answer: the trial, the settings, the replicate."""
    # The canonical JSON of [trial_id, settings, replicate], whose middle is known.
    text = f"[{canonical_json(trial_id)},{speaker.canonical},{replicate}]"
    return text_fingerprint(text, 24)


def blank_response(
    trial: Trial, speaker: SpeakerSpec, replicate: int, status: Status = "failed", **known: Any
) -> Response:
    """The response to ``trial`` with what is known of it: a failed one while that is nothing."""
    return Response(
        key=response_key(trial.id, speaker, replicate),
        trial_id=trial.id,
        family=trial.family,
        task=trial.task,
        cell=trial.cell,
        options=trial.options,
        speaker=speaker,
        replicate=replicate,
        status=status,
        episode=trial.episode,
        turn=trial.turn,
        **known,
    )


def with_replicates(trials: Iterable[Trial], replicates: int) -> list[tuple[Trial, int]]:
    """Every trial with every replicate number from zero, replicates outermost."""
    listed = list(trials)
    return [(trial, r) for r in range(replicates) for trial in listed]


@dataclass(frozen=True, slots=True)
class Check:
    """A statement about a speaker's choices, with the numbers it rests on.

    ``ok`` False means that the speaker did not do the task in this respect.
    """

    name: str
    speaker: str
    ok: bool
    statement: str
    statistic: float
    p_value: float
