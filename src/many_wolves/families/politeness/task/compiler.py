"""Compiles sources into trials of the choice task and of the literal task."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from heapq import merge
from pathlib import Path
from random import Random
from typing import Any

from many_wolves.contracts import Compiled
from many_wolves.errors import WolvesError
from many_wolves.families.politeness.options import TRIALS, PolitenessDesign
from many_wolves.families.politeness.reading.phrases import phrases
from many_wolves.families.politeness.reading.reader import read
from many_wolves.families.politeness.task.counterbalance import Cell, Slot, deal, spread, williams
from many_wolves.families.politeness.task.scenes import (
    Item,
    Scale,
    State,
    Utterance,
    read_items,
    read_scale,
    read_utterances,
    select,
)
from many_wolves.families.politeness.task.shipped_scenes import sources_of
from many_wolves.families.politeness.task.templates import Templates, read_templates
from many_wolves.files import file_fingerprint
from many_wolves.records import Choose, Option, Trial

FAMILY = "politeness"
FACTORS = ("state", "scale", "goal", "framing", "utterance")
"""Factors by which the manifest counts trials."""


@dataclass(frozen=True)
class _Scenes:
    """The selected parts of the sources."""

    items: list[Item]
    scale: Scale
    utterances: tuple[Utterance, ...]
    templates: Templates
    goals: list[str]
    framings: list[str]
    files: tuple[Path, ...]


def compile_trials(design: PolitenessDesign) -> Compiled:
    """Compile trials; equal designs with equal sources give equal trials.

    Every initial part of the sequence of trials is as balanced as possible, with both kinds
    mixed in proportion.

    Raises
    ------
    WolvesError
        On an error in the sources (with file, line, fix) or an unknown name.
    """
    scenes = _scenes(design)
    return Compiled(_trials(design, scenes), _facts(design, scenes), FACTORS, _notes(scenes))


def _notes(scenes: _Scenes) -> tuple[str, ...]:
    """A note about a language for which the reader has no phrases."""
    language = scenes.templates.language
    if language in phrases().languages:
        return ()
    return (
        f"In the language {language!r}, an answer is read only if it repeats an option word for "
        "word, or is a letter. Score mode reads no answers.",
    )


def trials_of(design: PolitenessDesign) -> tuple[Trial, ...]:
    """The trials alone; see ``compile_trials``."""
    return _trials(design, _scenes(design))


def _trials(design: PolitenessDesign, scenes: _Scenes) -> tuple[Trial, ...]:
    makers = {"choice": _choice_trials, "literal": _literal_trials}
    kinds = {kind: makers[kind](scenes, design) for kind in design.tasks}
    trials = tuple(trial for _, _, trial in merge(*(_paced(t) for t in kinds.values())))
    _all_different(trials)
    return trials


def _scenes(selection: PolitenessDesign) -> _Scenes:
    select({kind: kind for kind in TRIALS}, selection.tasks, "task", "--task")
    folder = selection.sources or sources_of(selection.language)
    wording = selection.templates or _wording(folder)
    files = (folder / "items.yaml", folder / "scales.yaml", folder / "utterances.yaml", wording)
    _check_present(files[:3], folder)
    items = read_items(files[0])
    templates = read_templates(wording, next(iter(items.values())).words)
    utterances = read_utterances(files[2], selection.utterances)
    _readable([Option(u.id, u.sentence) for u in utterances], files[2])
    _readable(list(templates.answers), wording)
    framings = {name: name for name in templates.framings}
    return _Scenes(
        items=select(items, selection.items, "item", "--items"),
        scale=read_scale(files[1], selection.scale),
        utterances=utterances,
        templates=templates,
        goals=select(templates.goals, selection.goals, "goal", "--goals"),
        framings=select(framings, selection.framings, "framing", "--framings"),
        files=files,
    )


def _check_present(files: Sequence[Path], folder: Path) -> None:
    """Refuse a folder of sources without one of its files."""
    absent = [file.name for file in files if not file.is_file()]
    if absent:
        raise WolvesError(
            f"expected {', '.join(file.name for file in files)} in the folder, "
            f"found no {', '.join(absent)}",
            where=folder,
            fix=f"check the path, or begin with copies of the files in {sources_of('en')}",
        )


def _wording(folder: Path) -> Path:
    """The templates in a folder of sources; the English ones if it has none.

    Raises
    ------
    WolvesError
        If it has several.
    """
    found = sorted(folder.glob("templates.*.yaml"))
    if len(found) > 1:
        raise WolvesError(
            f"expected one file of templates, found {', '.join(path.name for path in found)}",
            where=folder,
            fix="choose one with --templates",
        )
    return found[0] if found else sources_of("en") / "templates.en.yaml"


def _readable(options: Sequence[Option], file: Path) -> None:
    """Reject options that the reader cannot distinguish: collected answers would be lost."""
    for option in options:
        found = read(options, option.text).value
        if found != option.id:
            raise WolvesError(
                f"the answer {option.text!r} would be read as {found or 'unparsed'}, "
                f"not as {option.id!r}",
                where=file,
                fix="change it so that no two options have the same words",
            )


def _choice_trials(design: _Scenes, selection: PolitenessDesign) -> list[Trial]:
    cells: list[Cell] = [
        (goal, framing, state)
        for framing in design.framings
        for goal in design.goals
        for state in design.scale.states
    ]
    options = [Option(u.id, u.sentence) for u in design.utterances]
    items = {item.id: item for item in design.items}

    def build(slot: Slot, shown: tuple[Option, ...]) -> Trial:
        goal, framing, state = slot.cell
        assert isinstance(state, State)
        text, alone = design.templates.choice(
            str(framing), str(goal), items[slot.item], design.scale, state
        )
        return Trial(
            family=FAMILY,
            task="choice",
            cell={
                "item": slot.item,
                "state": state.value,
                "scale": design.scale.id,
                "goal": str(goal),
                "framing": str(framing),
            },
            answer=Choose(shown, design.templates.messages(alone, shown)),
            messages=design.templates.messages(text, shown),
        )

    return _ordered("choice", cells, options, build, items=list(items), selection=selection)


def _literal_trials(design: _Scenes, selection: PolitenessDesign) -> list[Trial]:
    cells: list[Cell] = [
        (utterance, state) for utterance in design.utterances for state in design.scale.states
    ]
    items = {item.id: item for item in design.items}

    def build(slot: Slot, shown: tuple[Option, ...]) -> Trial:
        utterance, state = slot.cell
        assert isinstance(utterance, Utterance) and isinstance(state, State)
        text, alone = design.templates.judgment(utterance, items[slot.item], design.scale, state)
        return Trial(
            family=FAMILY,
            task="literal",
            cell={
                "item": slot.item,
                "state": state.value,
                "scale": design.scale.id,
                "utterance": utterance.id,
            },
            answer=Choose(shown, design.templates.messages(alone, shown)),
            messages=design.templates.messages(text, shown),
        )

    answers = list(design.templates.answers)
    return _ordered("literal", cells, answers, build, items=list(items), selection=selection)


def _ordered(
    task: str,
    cells: Sequence[Cell],
    options: Sequence[Option],
    build: Callable[[Slot, tuple[Option, ...]], Trial],
    *,
    items: Sequence[str],
    selection: PolitenessDesign,
) -> list[Trial]:
    """The trials of one task, with their orders of options."""
    rng = Random(f"{selection.seed}/{task}")
    orders = min(selection.orders, len(options))
    slots = spread(cells, items, orders, rng)
    slots = slots[: selection.limit]
    symbols = list(options)
    rng.shuffle(symbols)
    square = williams(len(symbols))
    rows = deal(slots, len(square), rng)
    return [
        build(slot, tuple(symbols[symbol] for symbol in square[row]))
        for slot, row in zip(slots, rows, strict=True)
    ]


def _paced(trials: Sequence[Trial]) -> Iterator[tuple[float, str, Trial]]:
    """Trials with the share of their task that they complete."""
    return (((i + 1) / len(trials), t.task, t) for i, t in enumerate(trials))


def _all_different(trials: Sequence[Trial]) -> None:
    seen: dict[str, Trial] = {}
    for trial in trials:
        twin = seen.setdefault(trial.id, trial)
        if twin is not trial:
            raise WolvesError(
                f"two trials are the same in every word: {dict(trial.cell)}",
                fix="give different texts to the entries that they come from",
            )


def _facts(selection: PolitenessDesign, design: _Scenes) -> dict[str, Any]:
    """The sources of the trials, without local paths."""
    chosen = selection.model_dump(exclude={"sources", "templates", "language"})
    return {
        "seed": selection.seed,
        "selection": {name: value for name, value in chosen.items() if value is not None},
        "sources": {file.name: file_fingerprint(file) for file in design.files},
        "language": design.templates.language,
        "scale": {state.rating: state.value for state in design.scale.states},
        "utterances": {utterance.id: utterance.negated for utterance in design.utterances},
    }
