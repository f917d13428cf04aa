"""A seeded sample of the altered inputs of `make fuzz`: no traceback, nothing lost unsaid."""

from __future__ import annotations

from pathlib import Path

import pytest

from tools.fuzz.cases import KINDS, try_one

SAMPLE = {kind: range(7, 9) for kind in KINDS if kind != "model"} | {"flags": range(7, 13)}


@pytest.mark.parametrize(
    ("kind", "seed"), [(kind, seed) for kind, seeds in SAMPLE.items() for seed in seeds]
)
def test_an_altered_input_ends_in_a_sentence(kind: str, seed: int, tmp_path: Path) -> None:
    case = try_one(kind, seed, tmp_path / "case")
    assert not case.faults, f"{case.what}\n{case.said}"


@pytest.mark.slow
@pytest.mark.model
@pytest.mark.parametrize("seed", range(8))
def test_an_altered_model_folder_ends_in_a_sentence(seed: int, tmp_path: Path) -> None:
    case = try_one("model", seed, tmp_path / "case")
    assert not case.faults, f"{case.what}\n{case.said}"


FOUND = [
    ("study", "study: x\ntitle: 2020-99-99\nhuman: [yoon2020]\n", "2020-99-99"),
    ("study", "study: x\ntitle: !foo x\nhuman: [yoon2020]\n", "!foo"),
    ("study", f"study: x\nhuman: {'[' * 1500}\n", "nested too deeply"),
    ("study", "study: x\nhuman: &h [*h]\n", "contains itself"),
    (
        "study",
        "a: &a [x, x]\n"
        + "".join(
            f"{new}: &{new} [{', '.join([f'*{old}'] * 9)}]\n"
            for old, new in zip("abcdefg", "bcdefgh", strict=True)
        ),
        "aliases",
    ),
    ("parameters", '{"alpha": 1, "alpha": 2}', "duplicate"),
    ("parameters", '{"a":' * 50_000, "nested too deeply"),
    ("parameters", '{"weights": {"social": {"w_inf": "NA"}}}', "is missing or invalid"),
    ("games", '{"memory_one": {"start": " ", "CC": 0, "CD": 0, "DC": 0, "DD": 0}}', "memory_one"),
    ("games", '{"preferences": {"precision": "1", "envy": 0, "guilt": 0}}', "preferences"),
    ("games", '{"groups": {"Selfish": 3}}', "by group"),
]
"""What an earlier round of altered inputs found: each ended in a traceback or did not end."""


@pytest.mark.parametrize(("kind", "text", "words"), FOUND)
def test_what_was_found_once(kind: str, text: str, words: str, tmp_path: Path) -> None:
    from tools.fuzz.cases import GOLDEN
    from tools.fuzz.command_runs import command

    (tmp_path / "odd").write_text(text)
    trials = {"parameters": "politeness/trials", "games": "games/others"}.get(kind, "")
    own = ["study", "plan", "odd"]
    if trials:
        own = ["collect", str(GOLDEN / f"{trials}.jsonl"), "--provider", "simulated"]
        own += ["--model_name", "x", "--parameters", "odd", "--out", "j.jsonl"]
    ran = command(own, tmp_path)
    assert (ran.status, ran.faults) == (2, [])
    assert words in ran.said
