"""Bargaining on the command line: compile, collect on every seat, resume, tables."""

from __future__ import annotations

import importlib.util
import json
import random
import re
from collections import Counter
from pathlib import Path

import pandas as pd
import pytest
import yaml

from many_wolves.cli import run, wolves
from many_wolves.errors import WolvesError
from many_wolves.families.bargaining import Bargaining
from many_wolves.records import Response
from many_wolves.store.journal_lines import read_journal
from many_wolves.tables import read_table
from many_wolves.workflows.data import reference
from many_wolves.workflows.replays import read_replay

FAMILY = Bargaining()
ROOT = Path(__file__).parent.parent
WANTS = {"values": {"own": 0.6, "fair": 0.3, "deal": 0.1}}
STUBBORN = {"aspiration": {"opening": 0.99, "bottom": 0.97, "exponent": 0.2}}


def called(*words: object, status: int = 0) -> None:
    assert run(wolves, [str(w) for w in words]) == status


def compiled(folder: Path, *options: object, task: str = "haggle") -> Path:
    file = folder / f"{task}.jsonl"
    called("compile", "--task", task, *options, "--out", file)
    return file


def player(folder: Path, name: str, parameters: dict) -> Path:
    file = folder / f"{name}.json"
    file.write_text(json.dumps(parameters))
    return file


def seat(folder: Path, name: str, parameters: dict) -> Path:
    return player(folder, name, {"provider": "simulated", "model": name, "parameters": parameters})


def collected(folder: Path, trials: Path, *options: object, parameters=WANTS, status=0) -> Path:
    out = folder / "journals"
    file = player(folder, "parameters", parameters)
    called("collect", trials, "--provider", "simulated", "--model_name", "player",
           "--parameters", file, "--out", out, *options, status=status)  # fmt: skip
    return out


def journal(out: Path, name: str) -> Path:
    [file] = (out / "bargaining").glob(f"simulated-{name}-*.jsonl")
    return file


def responses(out: Path) -> list[Response]:
    return [r for f in sorted(out.rglob("*.jsonl")) for r in read_journal(f).responses]


def tabulated(folder: Path, out: Path) -> dict[str, pd.DataFrame]:
    called("choices", out, "--task", "haggle", "--out", folder / "tables")
    return dict(read_table(folder / "tables").tables)


@pytest.fixture(scope="module")
def improved(tmp_path_factory):
    """Chains of three games in four arms with a critic, and with a partner that is a model."""
    folder = tmp_path_factory.mktemp("improved")
    trials = compiled(folder, "--preset", "improvement", "--games", 3, "--sample", 4,
                      "--partners", "linear", "--moderator", 0.5)  # fmt: skip
    critic = seat(folder, "coach", {"critic": {}})
    seats = ("--seat", f"critic={critic}", "--seat", "moderator=self")
    return folder, trials, seats, collected(folder, trials, *seats)


def test_from_openings_to_tables(improved):
    folder, _, _, out = improved
    tables = tabulated(folder, out)
    games = tables["games"]
    assert set(games["speaker"]) == {"simulated/player"}
    # The first game is shared; two more follow in each of four arms.
    assert len(games) == 4 * (1 + 4 * 2)
    assert set(games["ended"]) <= {"deal", "walked", "cap"}
    assert ((games["price"] == "") == (games["ended"] != "deal")).all()
    assert set(tables["feedback"]["critic"]) == {"simulated/coach"}
    assert len(tables["feedback"]) == 4 * 2
    assert set(tables["readings"]["moderator"]) == {"simulated/player"}
    counts = tables["counts"]
    assert counts["count"].sum() == (tables["turns"]["move"] != "").sum()


def test_a_page_shows_every_message_of_a_chain_and_its_move(improved, tmp_path):
    _, trials, _, out = improved
    answers = [r for r in responses(out) if r.cell["kind"] != "moderator"]
    name = f"{answers[0].episode}-{answers[0].replicate}"
    own = [r for r in responses(out) if f"{r.episode}-{r.replicate}" == name]
    shown = read_replay(name, [out], trials)
    cards = [card for column in shown.columns for card in column.cards]
    for response in own:
        assert [card.page != "" for card in cards if card.text == response.text].count(True) >= 1
    assert len(shown.phases) == 1 + 4 * 2
    assert {column.seat for column in shown.columns} == {"seller", "buyer", "critic", "moderator"}
    sides = [card for column in shown.columns[:2] for card in column.cards]
    spoken = [message for message in shown.messages if message.sender in ("seller", "buyer")]
    opening = [message for message in spoken if message.text.endswith("[scripted opening]")]
    assert len(opening) == 3 * len(shown.phases)
    assert len(spoken) == len(sides) + len(opening)
    assert {card.receipt for card in sides} <= {"offer", "accept", "walk", "talk"}
    deals = [row for row in shown.payoffs[1:] if row[1] == "deal"]
    assert deals
    assert all(row[2].startswith("$") for row in deals)
    assert len(shown.payoffs) == 1 + 9
    called("replay", name, out, "--out", tmp_path / "page.html")
    page = (tmp_path / "page.html").read_text()
    assert "offers $" in page
    assert "--trials FILE adds the prompts" in page
    assert page.count("<h3 data-phase=") == len(shown.phases)


def test_the_same_command_asks_nothing_again(improved, capsys):
    folder, trials, seats, out = improved
    before = {f: f.read_bytes() for f in out.rglob("*.jsonl")}
    collected(folder, trials, *seats)
    assert "nothing to ask" in capsys.readouterr().err
    assert {f: f.read_bytes() for f in out.rglob("*.jsonl")} == before
    critics = [r.key for r in responses(out) if r.cell["kind"] == "critic"]
    assert len(critics) == len(set(critics)) == 8


def test_cut_anywhere_a_run_goes_on_in_the_middle_of_a_game(improved, tmp_path):
    _, trials, seats, whole = improved
    expected = {r.key: r.text for r in responses(whole)}
    chance = random.Random(3)
    for number in range(3):
        folder = tmp_path / str(number)
        kept = {}
        for name in ("player", "coach"):
            text = journal(whole, name).read_bytes()
            file = folder / "journals" / "bargaining" / journal(whole, name).name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(text[: chance.randrange(len(text))])
            kept[name] = {r.key for r in read_journal(file).responses}
        out = collected(folder, trials, *seats)
        found = responses(out)
        asked = Counter(r.key for r in found)
        assert {r.key: r.text for r in found} == expected
        assert max(asked.values()) == 1, "a turn was asked twice"
        assert kept["coach"] <= set(expected)


def test_a_chain_goes_on_after_a_game_without_a_deal(tmp_path):
    trials = compiled(tmp_path, "--preset", "improvement", "--games", 4, "--arms", "none",
                      "--partners", "fixed", "--sample", 2)  # fmt: skip
    out = collected(tmp_path, trials, parameters=STUBBORN)
    games = tabulated(tmp_path, out)["games"]
    assert games["game"].tolist() == [1, 2, 3, 4] * 2
    assert "deal" not in set(games["ended"])
    assert (games["price"] == "").all()


def test_the_published_game_with_itself_and_with_another(tmp_path):
    trials = compiled(tmp_path, "--preset", "balloon-2023", "--copies", 2)
    out = collected(tmp_path, trials, "--with", "self", "--seat", "critic=self")
    games = tabulated(tmp_path, out)["games"]
    assert set(games["seat"]) == {"speaker", "partner"}
    assert games[games["seat"] == "speaker"]["arm"].value_counts().to_dict() == {
        "": 2, "ai": 2, "constant": 2, "human": 2,
    }  # fmt: skip
    rival = seat(tmp_path, "rival", STUBBORN)
    other = tmp_path / "other"
    other.mkdir()
    out = collected(other, trials, "--with", rival, "--seat", "critic=self")
    assert set(tabulated(other, out)["games"]["speaker"]) == {"simulated/player", "simulated/rival"}


def test_a_seat_without_a_speaker_is_named_with_the_option_that_fills_it(tmp_path, capsys):
    trials = compiled(tmp_path, "--preset", "balloon-2023", "--copies", 1)
    collected(tmp_path, trials, status=2)
    told = capsys.readouterr().err
    assert "--seat critic=self" in told and "--with self" in told


def test_replies_are_chosen_and_counted(tmp_path):
    trials = compiled(tmp_path, "--sample", 6, task="haggle-words")
    out = collected(tmp_path, trials, parameters={"words": {"own": 0.5, "deal": 0.2, "kind": 0.3}})
    called("choices", out, "--task", "haggle-words", "--out", tmp_path / "tables")
    rows = read_table(tmp_path / "tables").rows
    assert rows["count"].sum() == 6
    assert set(rows["tone"]) == {"kind", "plain", "cold"}


def test_a_tournament_plays_the_same_games_in_every_cell(tmp_path, capsys):
    trials = compiled(tmp_path, "--preset", "tournament", "--sample", 3)
    one, two = seat(tmp_path, "one", WANTS), seat(tmp_path, "two", STUBBORN)
    words = ("tournament", trials, one, two, "--out", tmp_path / "journals")
    called(*words)
    games = tabulated(tmp_path, tmp_path / "journals")["games"]
    cells = games[games["seat"] == "speaker"].groupby(["speaker", "partner"])
    assert len(cells) == 4
    assert {tuple(sorted(g["good"] + g["role"])) for _, g in cells} == {
        tuple(sorted(g["good"] + g["role"])) for _, g in list(cells)[:1]
    }
    assert set(cells.size()) == {3}
    # Who walks away at once leaves the other without a word, and with a game all the same.
    assert games[games["seat"] == "speaker"]["messages"].astype(int).min() == 1
    capsys.readouterr()
    called(*words)
    assert capsys.readouterr().err.count("nothing to ask") == 4
    called("tournament", trials, one, status=2)
    study = tmp_path / "study.yaml"
    study.write_text(yaml.safe_dump({
        "study": "rivals",
        "tasks": [{"task": "haggle"}],
        "speakers": [
            {"name": name, "provider": "simulated", "parameters": parameters}
            for name, parameters in (("one", WANTS), ("two", STUBBORN))
        ],
    }))  # fmt: skip
    # The same speakers by the same names: all of their answers are there.
    capsys.readouterr()
    called("tournament", trials, study, "--out", tmp_path / "journals")
    assert capsys.readouterr().err.count("nothing to ask") == 4


def loaded_script():
    spec = importlib.util.spec_from_file_location("run2023", ROOT / "src" / "run-bargaining.py")
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    return script


def script_of_2023(folder: Path, *words: object, status: int = 0) -> None:
    script = loaded_script()
    file = seat(folder, "player", WANTS)
    engines = ("seller", "buyer", "seller_critic", "buyer_critic", "moderator")
    named = [word for name in engines for word in (f"--{name}_engine", str(file))]
    listed = [*named, *map(str, words), "--output_path", str(folder / "outputs")]
    assert run(script.command, listed) == status


def test_the_published_flags_play_and_log(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("OPENAI_API_KEY", "")
    words = ("--game_type", "criticize_seller", "--n_exp", 2, "--n_rollout", 3, "--cost_price", 6)
    script_of_2023(tmp_path, *words, "--api_key", "sk-secret")
    log = (tmp_path / "outputs" / "test.txt").read_text()
    told = capsys.readouterr()
    assert log in told.out
    assert "stored nowhere" in told.err
    assert log.count("==== RUN ") == log.count("PRICE: ") == 6
    assert log.count("FEEDBACK:") == 4
    assert log.count("  seller: It costs $20.") == 6
    assert "PRICE: -1" not in log and "2 runs" in log
    for number in (1, 2, 3):
        assert re.search(rf"Round {number} ai: \d deals? of 2 games", log)
    kept = [f for f in (tmp_path / "outputs").rglob("*") if f.is_file()]
    assert not any("sk-secret" in file.read_text() for file in kept)
    costs = {r.cell["cost"] for r in responses(tmp_path / "outputs" / "journals")}
    assert costs == {6.0}
    script_of_2023(tmp_path, *words, "--verbose", 0)
    assert "nothing to ask" in capsys.readouterr().err
    assert (tmp_path / "outputs" / "test.txt").read_text() == log


def test_every_published_flag_is_explained():
    options = {option.opts[0]: option.help for option in loaded_script().command.params}
    assert len(options) == 27
    assert not [name for name, text in options.items() if not text or text.startswith("The same")]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("kind", "games"),
    [("criticize_buyer", 3), ("seller_compare_feedback", 4), ("buyer_compare_feedback", 4),
     ("run_simple", 1)],
)  # fmt: skip
def test_every_game_type_plays(tmp_path, kind, games, capsys):
    script_of_2023(tmp_path, "--game_type", kind, "--moderated_by", "model")
    told = capsys.readouterr().out
    assert told.count("==== RUN ") == games
    assert "MODERATE: " in told


def test_engines_and_wordings_without_a_counterpart_are_named(tmp_path, capsys):
    words = ("--game_type", "run_simple")
    script_of_2023(tmp_path, *words, "--seller_engine", "j2", status=2)
    assert "PROVIDER/MODEL" in capsys.readouterr().err
    script_of_2023(tmp_path, *words, "--seller_instruction", "seller_ai21", status=2)
    assert "seller_ai21" in capsys.readouterr().err


def test_nothing_is_asked_where_calls_are_only_counted(improved, capsys):
    folder, trials, seats, _ = improved
    new = folder / "dry"
    new.mkdir()
    out = collected(new, trials, *seats, "--dry-run")
    assert not out.exists()
    assert "input tokens" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("name", "games", "deals"),
    [("he2018-bargaining", 643, 462), ("fu2023-balloon", 100, 91),
     ("chatterjee2024-haggle", 1650, 1316)],
)  # fmt: skip
def test_published_games_ship_as_tables(name, games, deals):
    """Fu: 94 deals, of which three were about other goods; their price is no balloon's."""
    found = reference(name)
    rows = found.tables["games"]
    assert len(rows) == 2 * games
    assert (rows["ended"] == "deal").sum() == 2 * deals
    assert found.task == "haggle"


def test_models_are_offered_for_their_task(tmp_path, capsys):
    observations = reference("fu2023-balloon").of("gpt-3.5-turbo (2023)")
    problem = FAMILY.models()["outcomes"].problem(observations)
    assert problem.observed["counts"][1].sum() == 100
    with pytest.raises(WolvesError, match="expected"):
        FAMILY.models()["outcomes"].problem(observations, fair="even")
    called("fit", "--data", "fu2023-balloon", "--model", "kind-words", "--out", tmp_path / "f",
           status=2)  # fmt: skip
    assert "kind-words" in capsys.readouterr().err


@pytest.mark.slow
@pytest.mark.model
def test_checks_show_that_a_model_cannot_bargain(tmp_path, capsys):
    """SmolLM2: whatever it says is kept, counted and judged."""
    pytest.importorskip("torch")
    from local_models import smollm2

    weights = smollm2()
    trials = compiled(tmp_path, "--goods", "balloon", "--partners", "linear", "--rounds", 2,
                      "--forms", "free,marked,json", "--sample", 3)  # fmt: skip
    out = tmp_path / "journals"
    words = ("collect", trials, "--provider", "hf", "--model_path", weights, "--model_name",
             "smollm2", "--max_tokens", 24, "--out", out)  # fmt: skip
    called(*words)
    found = responses(out)
    assert 3 <= len(found) <= 6
    tables = tabulated(tmp_path, out)
    assert len(tables["games"]) == 3
    ended = set(tables["games"]["ended"])
    assert ended <= {"unparsed", "cap", "walked", "deal", "refused"}
    assert "FAILED  " in capsys.readouterr().out
    called(*words)
    assert "nothing to ask" in capsys.readouterr().err
