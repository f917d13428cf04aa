"""Vignettes: the design, its balance, its reproducibility, and faults in the sources."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Sequence
from itertools import pairwise
from pathlib import Path
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from many_wolves.cli import run
from many_wolves.commands.compile import command
from many_wolves.errors import WolvesError
from many_wolves.families.politeness.compiler import Selection, compile_trials
from many_wolves.families.politeness.orders import Slot, deal, spread, williams
from many_wolves.files import file_fingerprint, shipped
from many_wolves.records import Trial

ITEMS = {
    *("poem", "song", "painting", "cake", "film", "recital", "monologue"),
    *("cookie", "dance", "review", "app", "solo", "presentation"),
}
EIGHT = ("poem", "song", "painting", "cake", "film", "recital", "dance", "app")


@pytest.fixture(scope="module")
def trials() -> list[Trial]:
    return list(compile_trials(Selection()).trials)


def of(trials: Sequence[Trial], task: str) -> list[Trial]:
    return [trial for trial in trials if trial.task == task]


def places(trials: Sequence[Trial]) -> Counter[tuple[str, int]]:
    """How often every option stands in every place, zeros included."""
    names = {option.id for trial in trials for option in trial.options}
    counts = Counter({(name, place): 0 for name in names for place in range(len(names))})
    counts.update((o.id, place) for t in trials for place, o in enumerate(t.options))
    return counts


def by_cell(trials: Sequence[Trial], *factors: str) -> dict[tuple, list[Trial]]:
    cells: dict[tuple, list[Trial]] = {}
    for trial in trials:
        cells.setdefault(tuple(trial.cell[f] for f in factors), []).append(trial)
    return cells


def test_the_default_design_is_complete(trials):
    choice = by_cell(of(trials, "choice"), "item", "state", "goal", "framing")
    assert set(choice) == {
        (item, state, goal, framing)
        for item in ITEMS
        for state in range(4)
        for goal in ("informative", "social", "both", "none")
        for framing in ("first", "second", "third")
    }
    literal = by_cell(of(trials, "literal"), "item", "state", "utterance")
    assert len(literal) == 13 * 4 * 8
    assert all(len(cell) == 1 for cell in (*choice.values(), *literal.values()))
    assert len({trial.id for trial in trials}) == len(trials) == 624 + 416


def test_every_utterance_stands_in_every_place_equally_often(trials):
    assert set(places(of(trials, "choice")).values()) == {624 // 8}
    assert set(places(of(trials, "literal")).values()) == {416 // 2}


@pytest.mark.parametrize("seed", [1, 2])
def test_each_cell_is_balanced_but_for_one_trial(seed):
    trials = compile_trials(Selection(seed=seed)).trials
    for cell in by_cell(of(trials, "choice"), "state", "goal", "framing").values():
        assert set(places(cell).values()) <= {1, 2}
    for cell in by_cell(of(trials, "literal"), "state", "utterance").values():
        assert set(places(cell).values()) <= {6, 7}


def test_each_cell_is_balanced_exactly_where_its_trials_allow_it():
    trials = compile_trials(Selection(items=EIGHT)).trials
    for cell in by_cell(of(trials, "choice"), "state", "goal", "framing").values():
        assert set(places(cell).values()) == {1}
    trials = compile_trials(Selection(orders=8, tasks=("choice",))).trials
    for cell in by_cell(trials, "state", "goal", "framing").values():
        assert set(places(cell).values()) == {13}
    for scene in by_cell(trials, "item", "state", "goal", "framing").values():
        assert len({tuple(o.id for o in t.options) for t in scene}) == 8


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_any_selection_is_balanced_as_far_as_numbers_allow(data):
    levels = data.draw(st.lists(st.integers(1, 3), min_size=1, max_size=3))
    cells = [()]
    for n in levels:
        cells = [(*cell, level) for cell in cells for level in range(n)]
    items = [f"item{i}" for i in range(data.draw(st.integers(1, 6)))]
    rows = data.draw(st.integers(2, 8))
    orders = data.draw(st.integers(1, rows))
    rng = Random(data.draw(st.integers(0, 99)))
    slots = spread(cells, items, orders, rng)
    assert len(set(slots)) == len(slots) == len(cells) * len(items) * orders
    slots = slots[: data.draw(st.integers(1, len(slots)))]
    dealt = deal(slots, rows, rng)

    def even(group: Sequence[Slot]) -> bool:
        counts = Counter(dict.fromkeys(range(rows), 0))
        counts.update(row for slot, row in zip(slots, dealt, strict=True) if slot in group)
        return max(counts.values()) - min(counts.values()) <= 1

    assert even(slots)
    for cell in cells:
        assert even([slot for slot in slots if slot.cell == cell])
    scenes = Counter((slot.cell, slot.item) for slot in slots)
    different = {(s.cell, s.item, row) for s, row in zip(slots, dealt, strict=True)}
    assert len(different) == sum(scenes.values())


@pytest.mark.parametrize("n", range(2, 13))
def test_the_square_is_a_latin_square(n):
    square = williams(n)
    assert all(sorted(row) == list(range(n)) for row in square)
    assert all(sorted(column) == list(range(n)) for column in zip(*square, strict=True))
    if n % 2 == 0:
        neighbours = Counter(pair for row in square for pair in pairwise(row))
        assert set(neighbours.values()) == {1}


def test_the_same_seed_gives_the_same_bytes_and_another_other_orders():
    one, again, other = (compile_trials(Selection(seed=s)) for s in (5, 5, 6))
    assert one.lines == again.lines
    assert one.manifest == again.manifest

    def orders(compiled) -> dict[tuple, tuple[str, ...]]:
        return {
            tuple(sorted(t.cell.items(), key=str)): tuple(o.id for o in t.options)
            for t in compiled.trials
        }

    assert orders(one).keys() == orders(other).keys()
    assert orders(one) != orders(other)


def test_a_limit_is_spread_over_the_whole_design():
    trials = compile_trials(Selection(limit=96, tasks=("choice",))).trials
    assert {len(c) for c in by_cell(trials, "state", "goal", "framing").values()} == {2}
    assert set(places(trials).values()) == {12}
    few = compile_trials(Selection(limit=24)).trials
    for task, factors in (
        ("choice", ("goal", "framing", "state")),
        ("literal", ("utterance", "state")),
    ):
        chosen = of(few, task)
        assert len(chosen) == 24
        for factor in factors:
            counts = Counter(trial.cell[factor] for trial in chosen)
            assert max(counts.values()) - min(counts.values()) <= 1
        assert max(Counter(t.cell["item"] for t in chosen).values()) <= 2


def test_every_beginning_of_the_file_is_balanced(trials):
    beginning = of(trials[:160], "choice")
    assert len(beginning) == 96
    assert {len(c) for c in by_cell(beginning, "state", "goal", "framing").values()} == {2}


def test_prompts_say_what_they_should(trials):
    for trial in trials:
        prompt = trial.messages[-1].content
        alone = trial.baseline[-1].content
        state, item = trial.cell["state"], trial.cell["item"]
        assert f"{state} out of 3 hearts" in prompt
        assert "{" not in prompt + alone
        assert "  " not in prompt + alone
        assert "hearts" not in alone
        assert item not in alone
        for place, option in enumerate(trial.options):
            assert f"\n{'ABCDEFGH'[place]}) {option.text}\n" in prompt
            assert f"\n{'ABCDEFGH'[place]}) {option.text}\n" in alone


def test_prompts_name_the_goal_and_the_framing(trials):
    choice = of(trials, "choice")
    for (framing,), group in by_cell(choice, "framing").items():
        starts = {trial.messages[0].content.split()[0] for trial in group}
        assert starts == {{"first": "You", "second": "Ann", "third": "Ann's"}[framing]}
    scene = {"item": "cake", "state": 1, "framing": "third", "scale": "hearts"}
    texts = {
        t.cell["goal"]: t.messages[0].content.split("Options")[0]
        for t in choice
        if scene.items() <= dict(t.cell).items()
    }
    assert len(set(texts.values())) == 4
    assert "feel good" in texts["social"]
    assert "accurately" in texts["informative"]
    assert "feel good" in texts["both"]
    assert "accurately" in texts["both"]
    assert "wants" not in texts["none"]
    assert "Bob baked a cake, and Ann tasted it" in texts["none"]


def test_selections_select():
    compiled = compile_trials(
        Selection(
            tasks=("choice",),
            items=("poem", "cake"),
            goals=("social",),
            framings=("first",),
            scale="stars",
        )
    )
    cells = [trial.cell for trial in compiled.trials]
    assert {c["item"] for c in cells} == {"poem", "cake"}
    assert {c["goal"] for c in cells} == {"social"}
    assert {c["framing"] for c in cells} == {"first"}
    assert sorted({c["state"] for c in cells}) == [1, 2, 3, 4, 5]
    assert {c["scale"] for c in cells} == {"stars"}
    assert len(cells) == 2 * 5
    assert "4 out of 5 stars" in "".join(t.messages[0].content for t in compiled.trials)


def test_the_written_file_and_its_manifest(tmp_path):
    out = tmp_path / "trials.jsonl"
    assert run(command, ["--limit", "64", "--seed", "9", "--out", str(out)]) == 0
    read = [Trial.from_json(json.loads(line)) for line in out.read_text().splitlines()]
    manifest = json.loads((tmp_path / "trials.manifest.json").read_text())
    assert len(read) == 128 == manifest["trials"]
    assert manifest["fingerprint"] == file_fingerprint(out)
    assert manifest["seed"] == 9
    assert manifest["schema"] == 1
    counted = Counter(
        (t.task, *(t.cell.get(f) for f in ("goal", "framing", "state"))) for t in read
    )
    for cell in manifest["cells"]:
        if cell["task"] == "choice":
            key = ("choice", cell["goal"], cell["framing"], cell["state"])
            assert cell["trials"] == counted[key]
    assert sum(cell["trials"] for cell in manifest["cells"]) == 128
    assert {p["trials"] for p in manifest["places"] if p["task"] == "choice"} == {8}
    assert set(manifest["sources"]) == {
        "items.yaml",
        "scales.yaml",
        "utterances.yaml",
        "templates.en.yaml",
    }


def test_the_staged_script_runs_as_a_user_runs_it(tmp_path):
    script = shipped("task-data/compile-vignettes.py")
    done = subprocess.run(
        [sys.executable, str(script), "--items", "poem,cake", "--framings", "third"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    lines = (tmp_path / "task-data/compiled/politeness.jsonl").read_text().splitlines()
    assert len(lines) == 2 * 4 * 4 + 2 * 4 * 8
    assert "96 trials" in done.stdout


@pytest.fixture
def sources(tmp_path) -> Path:
    folder = tmp_path / "sources"
    shutil.copytree(shipped("task-data/politeness"), folder)
    return folder


def line_of(file: Path, fragment: str) -> int:
    return file.read_text().split(fragment)[0].count("\n") + 1


def replaced(name: str, old: str, new: str) -> Callable[[Path], tuple[Path, int]]:
    """A fault made by replacing words; it is on the line of the new words."""

    def spoil(folder: Path) -> tuple[Path, int]:
        file = folder / name
        text = file.read_text()
        assert old in text
        line = line_of(file, old)
        file.write_text(text.replace(old, new, 1))
        return file, line

    return spoil


T = "templates.en.yaml"
FAULTS = {
    "unknown placeholder": (replaced(T, "{made}, and you {met}", "{mead}, and you"), "mead"),
    "placeholder without a name": (replaced(T, "deserves {rating}", "deserves {}"), "{}"),
    "placeholder with a format": (
        replaced(T, "deserves {rating}", "deserves {rating:d}"),
        "rating",
    ),
    "unknown key in a framing": (replaced(T, "question: What do you say", "qestion: What"), "qest"),
    "duplicate key": (replaced(T, "language: en", "language: en\nlanguage: de"), "twice"),
    "goal of one framing": (replaced(T, "social: >-", "kind: >-"), "kind"),
    "duplicate item": (replaced("items.yaml", "id: cookie", "id: cake"), "duplicate item 'cake'"),
    "item without a field": (replaced("items.yaml", ", met: tasted it", ""), "'met'"),
    "item with an unknown field": (replaced("items.yaml", "made: wrote", "mode: wrote"), "'mode'"),
    "item without words": (
        replaced("items.yaml", "made: wrote a poem", "made: ''"),
        "items[1].made",
    ),
    "no number": (replaced("scales.yaml", "value: 2,", "value: two,"), "'two'"),
    "duplicate state": (replaced("scales.yaml", "value: 2,", "value: 1,"), "duplicate state"),
    "no flag": (replaced("utterances.yaml", "negated: true", "negated: perhaps"), "perhaps"),
    "duplicate sentence": (
        replaced("utterances.yaml", "It was bad.", "It was terrible."),
        "duplic",
    ),
    "duplicate utterance": (replaced("utterances.yaml", "id: not bad", "id: bad"), "'bad'"),
    "no YAML": (replaced("items.yaml", "- {id: poem,", "- {id: [poem,"), "YAML"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_names_file_line_and_mend_and_nothing_is_written(fault, sources, capsys, tmp_path):
    spoil, words = FAULTS[fault]
    file, line = spoil(sources)
    out = tmp_path / "out" / "trials.jsonl"
    assert run(command, ["--sources", str(sources), "--out", str(out)]) == 2
    said = capsys.readouterr().err
    assert str(file) in said
    assert words in said
    assert "Mend: " in said
    found = int(said.split(", line ")[1].split(":")[0])
    # a missing part is named at the mapping that lacks it, an odd one at its own line
    assert abs(found - line) <= (20 if fault == "goal of one framing" else 5)
    if "unknown" in fault or "placeholder" in fault:
        assert found == line
    assert not out.parent.exists()


def test_a_missing_field_names_the_part_that_lacks_it(sources, capsys, tmp_path):
    file = sources / T
    text = file.read_text()
    file.write_text(text.replace("    question: What would Ann say to Bob?\n", ""))
    assert run(command, ["--sources", str(sources), "--out", str(tmp_path / "o.jsonl")]) == 2
    said = capsys.readouterr().err
    assert "'question'" in said
    assert "choice.third" in said
    assert f"line {line_of(file, 'third:') + 1}:" in said
    assert "add a line `question: ...`" in said


def test_a_missing_placeholder_is_a_fault(sources):
    replaced(T, "deserves {rating}, where", "is one where")(sources)
    with pytest.raises(WolvesError, match=r"expected the placeholder \{rating\}"):
        compile_trials(Selection(sources=sources))


def test_an_empty_list_of_utterances_is_a_fault(sources, capsys, tmp_path):
    file = sources / "utterances.yaml"
    file.write_text("# none yet\nsets:\n  eight: []\n")
    assert run(command, ["--sources", str(sources), "--out", str(tmp_path / "o.jsonl")]) == 2
    said = capsys.readouterr().err
    assert f"{file}, line 3" in said
    assert "list with entries" in said
    file.write_text("# none yet\nsets:\n  eight:\n")
    assert run(command, ["--sources", str(sources), "--out", str(tmp_path / "o.jsonl")]) == 2
    assert "found nothing" in capsys.readouterr().err
    assert list(tmp_path.glob("o*")) == []


def test_options_that_read_alike_are_a_fault(sources):
    replaced("utterances.yaml", "It was bad.", "it was  TERRIBLE!")(sources)
    with pytest.raises(WolvesError, match="would be read as"):
        compile_trials(Selection(sources=sources))


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--items", "poen"], "did you mean 'poem'?"),
        (["--goals", "informativ"], "did you mean 'informative'?"),
        (["--framings", "forth"], "known: 'first', 'second', 'third'"),
        (["--scale", "heart"], "did you mean 'hearts'?"),
        (["--utterances", "nine"], "known: 'eight'"),
        (["--task", "choices"], "did you mean 'choice'?"),
        (["--items", "poem,poem"], "stands twice"),
        (["--limit", "0"], "one or more"),
        (["--orders", "0"], "one or more"),
        (["--templates", "nowhere.yaml"], "nowhere.yaml"),
        (["--sources", "nowhere"], "nowhere"),
    ],
)
def test_a_wrong_selection_names_the_right_one(arguments, words, capsys, tmp_path):
    out = tmp_path / "trials.jsonl"
    assert run(command, [*arguments, "--out", str(out)]) == 2
    assert words in capsys.readouterr().err
    assert not out.exists()


def test_a_place_that_cannot_be_written_is_named(tmp_path, capsys):
    (tmp_path / "file").write_text("")
    out = tmp_path / "file" / "trials.jsonl"
    assert run(command, ["--limit", "8", "--out", str(out)]) == 2
    assert f"{out}: the trials cannot be written" in capsys.readouterr().err


def test_an_item_a_goal_a_scale_and_utterances_can_be_added_as_data(sources):
    with (sources / "items.yaml").open("a") as file:
        file.write("  - {id: scarf, made: knitted a scarf, met: tried it on}\n")
    file = sources / T
    file.write_text(
        file.read_text().replace('      none: ""', '      none: ""\n      brief: Be brief.')
    )
    with (sources / "scales.yaml").open("a") as file:
        file.write(
            "  thumbs:\n    about: down is bad and up is good\n    states:\n"
            "      - {value: -1, rating: a thumb down}\n      - {value: 0.5, rating: a thumb up}\n"
        )
    with (sources / "utterances.yaml").open("a") as file:
        file.write(
            "  three:\n"
            + "".join(
                f"    - {{id: {w}, sentence: It was {w}., claim: was {w}, negated: false}}\n"
                for w in ("dull", "fair", "great")
            )
        )
    compiled = compile_trials(Selection(sources=sources, scale="thumbs", utterances="three"))
    choice = of(compiled.trials, "choice")
    assert len(choice) == 14 * 5 * 3 * 2
    assert {t.cell["state"] for t in choice} == {-1, 0.5}
    assert "Bob knitted a scarf, and Ann tried it on" in "".join(
        t.messages[0].content for t in choice
    )
    assert set(places(choice).values()) == {len(choice) // 3}
