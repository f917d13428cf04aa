"""The design of games: everything published is in it, and it compiles to the same bytes."""

import hashlib
import json
from collections import Counter
from importlib.util import find_spec

import pytest

from game_players import games, write_games
from many_wolves.cli import run
from many_wolves.commands.compile import command
from many_wolves.errors import WolvesError
from many_wolves.factorial import Factorial
from many_wolves.families.dilemmas.options import GameDesign
from many_wolves.families.dilemmas.task.compiler import openings
from many_wolves.families.dilemmas.task.design import GAMES, read_material
from many_wolves.families.dilemmas.task.games import game_of
from many_wolves.files import shipped
from many_wolves.records import Trial

CONDITIONS = ("chain_of_thought", "labels", "case", "pronoun", "order", "labels_reversed")


def test_equal_seeds_give_equal_bytes(tmp_path, capfd):
    for name, seed in (("a", "3"), ("b", "3"), ("c", "4")):
        words = ["--task", "dilemmas", "--sample", "40", "--seed", seed]
        assert run(command, [*words, "--out", str(tmp_path / f"{name}.jsonl")]) == 0
    a, b, c = ((tmp_path / f"{name}.jsonl").read_bytes() for name in "abc")
    assert a == b != c
    manifest = json.loads((tmp_path / "a.manifest.json").read_text())
    assert manifest["fingerprint"] == hashlib.sha256(a).hexdigest()[:16]
    assert manifest["trials"] == a.count(b"\n") == 160
    assert manifest["asked_with"]["temperature"] == [0.1]
    for line in a.splitlines():
        Trial.from_json(json.loads(line))


def test_the_published_parameters_are_there():
    dictator, dilemma = games("dictator", 1)[0], games("dilemma", 1)[0]
    ultimatum = games("ultimatum", 1)[0]
    assert dictator.cell["endowment"] == 4
    assert sorted(o.id for o in dictator.options) == ["0", "1", "2", "3", "4"]
    assert {k: dilemma.cell[k] for k in "TRPS"} == {"T": 7, "R": 5, "P": 3, "S": 0}
    assert dilemma.cell["rounds"] == 6
    assert (ultimatum.cell["endowment"], ultimatum.cell["rounds"]) == (10, 6)
    design = read_material()
    assert Counter(p.group for p in design.participants) == dict.fromkeys(
        ("Cooperative", "Competitive", "Altruistic", "Selfish", "Mixed", "Control"), 3
    )
    assert len({p.role for p in design.participants}) == 18


def test_the_full_grid_is_the_published_one():
    factors = game_of("dilemma").factors(read_material(), ("tit for tat",), 1)
    assert len(factors) == 18 * 216
    factors = game_of("dictator").factors(read_material(), (), 1)
    cells = {tuple(str(v) for v in cell.values()) for cell in factors.cells(None, 1)}
    assert len(cells) == len(factors) == 18 * 216


@pytest.mark.parametrize("n", [1, 17, 30, 100, 10_000])
def test_a_sample_is_even_over_strata_and_takes_no_cell_twice(n):
    factors = Factorial({"a": range(5), "b": range(6), "c": range(4), "d": range(3)}, strata=2)
    cells = [tuple(cell.values()) for cell in factors.cells(n, 7)]
    assert len(cells) == len(set(cells)) == min(n, len(factors))
    per = Counter(cell[:2] for cell in cells)
    counts = [per[a, b] for a in range(5) for b in range(6)]
    assert max(counts) - min(counts) <= 1
    assert set(cells) <= {tuple(cell.values()) for cell in factors.cells(None, 7)}


def test_the_order_of_options_changes_places_and_no_word(tmp_path):
    """In the published prompts, the order of options was confounded with the format."""
    for name in ("dilemma", "dictator", "principal"):
        partners = ("always C",) if name == "dilemma" else ()
        listed = games(name, None, partners, groups=("Control",))
        twins: dict = {}
        for trial in listed:
            key = tuple((k, v) for k, v in trial.cell.items() if k != "order")
            twins.setdefault(key, []).append(trial)
        assert all(len(pair) == 2 for pair in twins.values())
        for forward, backward in twins.values():
            assert forward.options == backward.options[::-1]
            said = [_said(t).lower() for t in (forward, backward)]
            assert said[0] != said[1]
            assert sorted(said[0].split()) == sorted(said[1].split())
            assert [len(line) for line in said[0].splitlines() if "project" not in line] == [
                len(line) for line in said[1].splitlines() if "project" not in line
            ] or name == "principal"


def _said(trial: Trial) -> str:
    return trial.messages[0].content + str(trial.script.get("answer", ""))


def test_conditions_change_the_prompt_as_documented():
    seen: dict = {name: set() for name in CONDITIONS}
    for trial in games("dilemma", None, ("always D",), groups=("Mixed",)):
        cell, said = trial.cell, trial.script["rules"][0]
        answer = trial.script["answer"]
        for name in CONDITIONS:
            seen[name].add(cell[name])
        first = {"colours": "green", "numbers": "one", "numerals": "1"}[cell["labels"]]
        names = {o.id: o.text.lower().removeprefix("project ") for o in trial.options}
        assert names["D" if cell["labels_reversed"] == "yes" else "C"] == first
        assert ("step by step" in answer) == (cell["chain_of_thought"] == "yes")
        waits = {"he": "He is", "she": "She is", "they": "They are"}[cell["pronoun"]]
        assert f"{waits} waiting" in said
        if cell["case"] == "upper":
            assert all(o.text.isupper() or not o.text.isalpha() for o in trial.options)
    assert [len(seen[name]) for name in CONDITIONS] == [2, 3, 3, 3, 2, 2]


def edited(folder, old, new, name="games.yaml"):
    """The shipped design with one change."""
    folder.mkdir(exist_ok=True)
    for file in shipped("task-data/dilemmas").glob("*.yaml"):
        text = file.read_text()
        if file.name == name:
            assert old in text
            text = text.replace(old, new)
        (folder / file.name).write_text(text)
    return folder


def test_hidden_and_geometric_lengths(tmp_path):
    lengths = "- {announced: 6}\n    - {hidden: 6}\n    - {geometric: 0.8, most: 40}"
    sources = edited(tmp_path / "d", "- {announced: 6}", lengths)
    listed = games("dilemma", 864, ("tit for tat",), sources=sources)
    by: dict = {}
    for trial in listed:
        by.setdefault(trial.cell["length"], []).append(trial)
    assert {k: len(v) for k, v in by.items()} == dict.fromkeys(
        ("announced", "hidden", "geometric"), 288
    )
    assert all("6 rounds" in t.script["rules"][0] for t in by["announced"])
    assert not any("6" in t.script["rules"][0] for t in by["hidden"])
    assert all("80 %" in t.script["rules"][0] for t in by["geometric"])
    assert not any("{rounds}" in t.script["question"] for t in by["hidden"] + by["geometric"])
    rounds = [t.cell["rounds"] for t in by["geometric"]]
    # mean 1 / (1 - 0.8) = 5, standard deviation sqrt(0.8) / 0.2 = 4.5
    assert abs(sum(rounds) / len(rounds) - 5) < 4 * 4.5 / len(rounds) ** 0.5
    assert 15 < max(rounds) <= 40
    assert [t.id for t in listed] == [
        t.id for t in games("dilemma", 864, ("tit for tat",), sources=sources)
    ]


@pytest.mark.parametrize(
    ("old", "new", "words", "line"),
    [
        ("T: 7", "T: 4", "T > R > P > S", 42),
        ("{announced: 6}", "{anounced: 6}", "anounced", None),
        ("labels: [colours, numbers, numerals]", "labels: [colors]", "colors", None),
        ("start: 1, CC: 1, CD: 1", "start: 1, CC: 1, CD: 7", "probability", None),
        ("colours: [green, blue]", "colours: [green, Green]", "2 different labels", None),
        ("gifts: [0, 1, 2, 3, 4]", "gifts: [0, 1, 2, 3, 9]", "at most the endowment", None),
        ("rounds: 6", "rounds: 0", "one or more", None),
        ("{offers: 1, accepts_from: 1}", "{offers: 11, accepts_from: 1}", "among the game", None),
        ("endowment: 4 ", "endowmnt: 4 ", "endowmnt", None),
    ],
)
def test_a_fault_names_file_and_line(tmp_path, old, new, words, line):
    sources = edited(tmp_path / "d", old, new)
    with pytest.raises(WolvesError, match=words) as caught:
        write_games(tmp_path / "g.jsonl", ("dilemmas",), sources=sources, sample=20)
    assert caught.value.where == str(sources / "games.yaml")
    assert caught.value.line is not None
    assert caught.value.fix
    assert not (tmp_path / "g.jsonl").exists()


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("{waits} next door", "{wait} next door", "placeholders"),
        ("{mine} and your partner chose {theirs}", "{mine} and {them}", "placeholders"),
        ("\nmoney: ", "\nmony: ", "money"),
    ],
)
def test_a_fault_in_the_wording_is_found_before_anything_is_asked(tmp_path, old, new, words):
    sources = edited(tmp_path / "d", old, new, "wording.en.yaml")
    with pytest.raises(WolvesError, match=words) as caught:
        [list(openings(game, GameDesign(sources=sources, sample=3))) for game in GAMES]
    assert "wording.en.yaml" in str(caught.value.where)


@pytest.mark.parametrize(
    ("more", "words"),
    [
        (["--items", "poem"], "no option --items"),
        (["--partners", "tit for tad"], "did you mean 'tit for tat'"),
        (["--groups", "Altruistc"], "did you mean 'Altruistic'"),
    ],
)
def test_what_does_not_belong_to_games_is_refused(tmp_path, capfd, more, words):
    out = ["--out", str(tmp_path / "g.jsonl")]
    assert run(command, ["--task", "dilemma", *more, *out]) == 2
    assert words in capfd.readouterr().err
    assert run(command, ["--task", "choice", "--sample", "3", *out]) == 2
    err = capfd.readouterr().err
    assert "no option --sample" in err and "'--templates', '--" not in err
    assert all(flag in err for flag in ("'--utterances'", "'--orders'"))


def test_groups_and_partners_are_chosen(tmp_path):
    chosen = GameDesign(groups=("Selfish",), partners=("grim", "random"), sample=60)
    listed = list(openings("dilemma", chosen))
    assert Counter(t.cell["partner"] for t in listed) == {"grim": 30, "random": 30}
    assert {t.cell["group"] for t in listed} == {"Selfish"}


@pytest.mark.skipif(find_spec("axelrod") is not None, reason="the Axelrod library is installed")
def test_a_strategy_of_the_library_says_how_to_get_it(tmp_path):
    new = 'always C: {axelrod: "Hard Tit For Tat"}'
    sources = edited(tmp_path / "d", "always C: {start: 1, CC: 1, CD: 1, DC: 1, DD: 1}", new)
    with pytest.raises(WolvesError, match="not installed") as caught:
        games("dilemma", 3, ("always C",), sources=sources)
    assert "uv sync --extra axelrod" in caught.value.fix
    assert caught.value.line is not None
