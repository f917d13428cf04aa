"""Wording of the prompts, read from a template file and checked before it is used."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from string import Formatter

from many_wolves.families.politeness.task.scenes import Item, Scale, State, Utterance
from many_wolves.records import LABELS, Message, Option
from many_wolves.sources import Source, nearest, quoted, read_source

_SCENE = ("item", "made", "met", "rating", "scale")
_ANSWERS = ("yes", "no")


@dataclass(frozen=True)
class Framing:
    """A framing of the choice task: the parts of its prompts, and its ``goals`` by name."""

    scene: str
    goals: Mapping[str, str]
    question: str
    baseline: str


@dataclass(frozen=True)
class Templates:
    """All wording of one template file, with its placeholders unfilled.

    Parameters
    ----------
    language
        Language of the wording.
    prompt, option
        The frame of every prompt, and of one line of its options.
    framings
        Framings of the choice task by name; all have the same goals.
    literal
        Parts of the literal task; its ``goals`` are empty.
    answers
        The answers of the literal task: yes and no, with the words shown.
    """

    language: str
    prompt: str
    option: str
    framings: Mapping[str, Framing]
    literal: Framing
    answers: tuple[Option, ...]

    @property
    def goals(self) -> dict[str, str]:
        """Names of the goals, in the order of the file."""
        return {name: name for name in next(iter(self.framings.values())).goals}

    def choice(
        self, framing: str, goal: str, item: Item, scale: Scale, state: State
    ) -> tuple[str, str]:
        """The question of the choice task, without options: with the scene, and without it."""
        parts = self.framings[framing]
        text = _join(parts.scene, parts.goals[goal], parts.question)
        return text.format_map(_words(item, scale, state)), parts.baseline.format_map({})

    def judgment(
        self, utterance: Utterance, item: Item, scale: Scale, state: State
    ) -> tuple[str, str]:
        """The question of the literal task, without options: with the scene, and without it."""
        words = _words(item, scale, state) | {"claim": utterance.claim}
        text = _join(self.literal.scene, self.literal.question)
        return text.format_map(words), self.literal.baseline.format_map(words)

    def messages(self, text: str, options: tuple[Option, ...]) -> tuple[Message, ...]:
        """The prompt: ``text`` in its frame, with the options in the order given."""
        lines = [
            self.option.format_map({"letter": letter, "sentence": option.text})
            for letter, option in zip(LABELS, options, strict=False)
        ]
        content = self.prompt.format_map({"text": text, "options": "\n".join(lines)})
        return (Message("user", content),)


def read_templates(path: Path, further: Collection[str] = ()) -> Templates:
    """Read a template file, whose placeholders may include those that items define.

    Raises
    ------
    WolvesError
        On a missing or unknown field, an unknown or missing placeholder, or
        framings with different goals, with file and line.
    """
    root = read_source(path).fields(["language", "prompt", "option", "choice", "literal"])
    literal = root["literal"].fields(["scene", "question", "baseline", "answers"])
    answers = literal["answers"].fields(_ANSWERS)
    scene = (*_SCENE, *further)
    return Templates(
        language=root["language"].words(),
        prompt=_template(root["prompt"], ["text", "options"], ["text", "options"]),
        option=_template(root["option"], ["letter", "sentence"], ["letter", "sentence"]),
        framings=_framings(root["choice"], scene),
        literal=Framing(
            scene=_template(literal["scene"], scene, ["rating"]),
            goals={},
            question=_template(literal["question"], [*scene, "claim"], ["claim"]),
            baseline=_template(literal["baseline"], ["claim"], []),
        ),
        answers=tuple(Option(name, answers[name].words()) for name in _ANSWERS),
    )


def _framings(source: Source, scene: Collection[str]) -> dict[str, Framing]:
    framings: dict[str, Framing] = {}
    first = ""
    # If items define words, one of these may describe the item.
    named = "item" if set(scene) == set(_SCENE) else "made"
    for name, entry in source.entries().items():
        parts = entry.fields(["scene", "goals", "question", "baseline"])
        goals = parts["goals"].entries()
        if framings and set(goals) != set(framings[first].goals):
            odd = set(goals) ^ set(framings[first].goals)
            raise parts["goals"].error(
                f"expected the same goals in every framing, but {quoted(sorted(odd))} are in "
                f"only one of {first!r} and {name!r}",
                "write a sentence for every goal under every framing",
            )
        first = first or name
        framings[name] = Framing(
            scene=_template(parts["scene"], scene, ["rating", named]),
            goals={goal: _template(text, scene, [], empty=True) for goal, text in goals.items()},
            question=_template(parts["question"], scene, []),
            baseline=_template(parts["baseline"], [], []),
        )
    if not framings or not framings[first].goals:
        raise source.error(
            "expected one framing with one goal at least, found none",
            "restore the file with `git checkout`, and edit it from there",
        )
    return framings


def _template(
    source: Source, allowed: Collection[str], needed: Collection[str], *, empty: bool = False
) -> str:
    """The text of a field whose placeholders have been checked."""
    text = source.words(empty=empty)
    try:
        parts = [part for part in Formatter().parse(text) if part[1] is not None]
    except ValueError as fault:
        raise source.error(
            f"a brace in `{source.name}` is not closed ({fault})",
            "close it, or write two braces, {{ or }}, for a literal brace",
        ) from fault
    names = [str(name) for _, name, _, _ in parts]
    for (_, _, form, conversion), name in zip(parts, names, strict=True):
        if name not in allowed or form or conversion:
            known = nearest(name, allowed) if allowed else "no placeholder is allowed here"
            raise source.error(
                f"unknown placeholder {{{name}}} in `{source.name}`",
                f"{known}; write {{{{ }}}} for literal braces",
                source.line_of("{" + name + (":" if form else "!" if conversion else "}")),
            )
    for name in needed:
        if name not in names:
            raise source.error(
                f"expected the placeholder {{{name}}} in `{source.name}`, found "
                + (quoted(names) if names else "no placeholder"),
                f"write {{{name}}} where it belongs",
            )
    return text


def _join(*parts: str) -> str:
    return " ".join(part for part in parts if part)


def _words(item: Item, scale: Scale, state: State) -> dict[str, str]:
    return {
        **item.words,
        "item": item.noun,
        "made": item.made,
        "met": item.met,
        "rating": state.rating,
        "scale": scale.about,
    }
