"""Vignettes: the design, its balance, its reproducibility, what prompts say, what is selected."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from collections.abc import Sequence
from itertools import pairwise
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from designs import by_cell, of, places
from many_wolves.cli import run, wolves
from many_wolves.commands.compile import command
from many_wolves.families.politeness.options import PolitenessDesign
from many_wolves.families.politeness.task.compiler import compile_trials, trials_of
from many_wolves.families.politeness.task.counterbalance import Slot, deal, spread, williams
from many_wolves.files import file_fingerprint, shipped
from many_wolves.records import Trial

ITEMS = {
    *("poem", "song", "painting", "cake", "film", "recital", "monologue"),
    *("cookie", "dance", "review", "app", "solo", "presentation"),
}
EIGHT = ("poem", "song", "painting", "cake", "film", "recital", "dance", "app")


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


def test_every_utterance_is_in_every_position_equally_often(trials):
    assert set(places(of(trials, "choice")).values()) == {624 // 8}
    assert set(places(of(trials, "literal")).values()) == {416 // 2}


@pytest.mark.parametrize("seed", [1, 2])
def test_each_cell_is_balanced_but_for_one_trial(seed):
    trials = trials_of(PolitenessDesign(seed=seed))
    for cell in by_cell(of(trials, "choice"), "state", "goal", "framing").values():
        assert set(places(cell).values()) <= {1, 2}
    for cell in by_cell(of(trials, "literal"), "state", "utterance").values():
        assert set(places(cell).values()) <= {6, 7}


def test_each_cell_is_balanced_exactly_where_its_trials_allow_it():
    trials = trials_of(PolitenessDesign(items=EIGHT))
    for cell in by_cell(of(trials, "choice"), "state", "goal", "framing").values():
        assert set(places(cell).values()) == {1}
    trials = trials_of(PolitenessDesign(orders=8, tasks=("choice",)))
    for cell in by_cell(trials, "state", "goal", "framing").values():
        assert set(places(cell).values()) == {13}
    for scene in by_cell(trials, "item", "state", "goal", "framing").values():
        assert len({tuple(o.id for o in t.options) for t in scene}) == 8


@settings(max_examples=40)
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
    one, again, other = (compile_trials(PolitenessDesign(seed=s)) for s in (5, 5, 6))
    assert [t.to_json() for t in one.trials] == [t.to_json() for t in again.trials]
    assert one.facts == again.facts

    def orders(compiled) -> dict[tuple, tuple[str, ...]]:
        return {
            tuple(sorted(t.cell.items(), key=str)): tuple(o.id for o in t.options)
            for t in compiled.trials
        }

    assert orders(one).keys() == orders(other).keys()
    assert orders(one) != orders(other)


def test_a_limit_is_spread_over_the_whole_design():
    trials = trials_of(PolitenessDesign(limit=96, tasks=("choice",)))
    assert {len(c) for c in by_cell(trials, "state", "goal", "framing").values()} == {2}
    assert set(places(trials).values()) == {12}
    few = trials_of(PolitenessDesign(limit=24))
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


def test_prompts_have_the_expected_words(trials):
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
        PolitenessDesign(
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
    assert manifest["schema"] == 2
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


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--items", "poen"], "did you mean 'poem'?"),
        (["--goals", "informativ"], "did you mean 'informative'?"),
        (["--framings", "forth"], "known: 'first', 'second', 'third'"),
        (["--scale", "heart"], "did you mean 'hearts'?"),
        (["--utterances", "nine"], "known: 'eight'"),
        (["--task", "choices"], "did you mean 'choice'?"),
        (["--items", "poem,poem"], "duplicate item 'poem'"),
        (["--limit", "0"], "a number greater than or equal to 1"),
        (["--orders", "0"], "a number greater than or equal to 1"),
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


def test_prompts_are_printed_as_a_model_gets_them(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert run(wolves, ["compile", "--task", "choice", "--show", "1"]) == 0
    out = capsys.readouterr().out
    assert out.startswith("--- 1: choice item=")
    assert "[user]\n" in out and "Options:\nA) It was" in out
    assert run(wolves, ["compile", "--task", "dilemma", "--show", "1", "--json"]) == 0
    (first,) = json.loads(capsys.readouterr().out)["prompts"]
    assert "This is round 1" in first["messages"][-1]["content"]
    assert run(wolves, ["compile", "--task", "planning", "--show", "1"]) == 2
    assert not list(tmp_path.iterdir())
