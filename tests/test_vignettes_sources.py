"""Sources of vignettes: a fault names file, line and fix, and what is new can be added as data."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from designs import of, places
from many_wolves.cli import run
from many_wolves.commands.compile import command
from many_wolves.errors import WolvesError
from many_wolves.families.politeness.options import PolitenessDesign
from many_wolves.families.politeness.task.compiler import compile_trials
from many_wolves.files import shipped


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
    "duplicate key": (replaced(T, "language: en", "language: en\nlanguage: de"), "duplicate"),
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
    "invalid YAML": (replaced("items.yaml", "- {id: poem,", "- {id: [poem,"), "YAML"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_an_error_gives_file_line_and_fix_and_nothing_is_written(fault, sources, capsys, tmp_path):
    spoil, words = FAULTS[fault]
    file, line = spoil(sources)
    out = tmp_path / "out" / "trials.jsonl"
    assert run(command, ["--sources", str(sources), "--out", str(out)]) == 2
    said = capsys.readouterr().err
    assert str(file) in said
    assert words in said
    assert "Fix: " in said
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
        compile_trials(PolitenessDesign(sources=sources))


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
        compile_trials(PolitenessDesign(sources=sources))


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
    compiled = compile_trials(PolitenessDesign(sources=sources, scale="thumbs", utterances="three"))
    choice = of(compiled.trials, "choice")
    assert len(choice) == 14 * 5 * 3 * 2
    assert {t.cell["state"] for t in choice} == {-1, 0.5}
    assert "Bob knitted a scarf, and Ann tried it on" in "".join(
        t.messages[0].content for t in choice
    )
    assert set(places(choice).values()) == {len(choice) // 3}
