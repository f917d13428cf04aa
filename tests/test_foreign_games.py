"""Published tables of games: strategy methods, full tables of replies, transitions, rates."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from many_wolves.errors import WolvesError
from many_wolves.families.dilemmas.model import models
from many_wolves.families.dilemmas.model.divisions import read_divisions
from many_wolves.families.dilemmas.model.mixtures import games_of, history_name
from many_wolves.families.dilemmas.model.rounds import CONTEXTS, read_rounds
from many_wolves.families.dilemmas.model.strategies import STRATEGIES, UNKNOWN, prescribed
from many_wolves.files import shipped
from many_wolves.observations import Observations
from many_wolves.workflows.data import load

REFERENCE = "task-data/reference"


def reference(name: str, task: str, speaker: str | None = None) -> Observations:
    table = load(shipped(f"{REFERENCE}/{name}"), task)
    return table.of(speaker or table.speakers[0])


def from_text(folder: Path, text: str, task: str, name: str = "rounds.csv") -> Observations:
    (folder / name).write_text(text)
    return load(folder / name, task)


def by_context(table: Observations) -> dict[str, tuple[float, float]]:
    """Context -> counts of C and of D."""
    frame = read_rounds(table).frame
    found = {}
    for index, context in enumerate(CONTEXTS):
        here = frame[frame["context"] == index]
        found[context] = tuple(
            float(here.loc[here["own"] == move, "count"].sum()) for move in ("C", "D")
        )
    return found


class TestNamesOfOtherSoftware:
    def test_rounds_of_subjects_and_matches(self, tmp_path: Path) -> None:
        rows = ["1,1,1,1,0", "1,1,2,0,0", "1,2,1,TRUE,TRUE", "2,1,1,0,1", "2,1,2,false,no"]
        text = "\n".join(["subject,match,period,coop,other_coop", *rows]) + "\n"
        table = from_text(tmp_path, text, "dilemma")
        frame = read_rounds(table).frame
        assert list(zip(frame["own"], frame["other"], strict=True)) == [
            ("C", "D"), ("D", "D"), ("C", "C"), ("D", "C"), ("D", "D"),
        ]  # fmt: skip
        assert frame["game"].nunique() == 3
        assert frame["participant"].tolist() == ["1", "1", "1", "2", "2"]
        assert any("no group or partner" in note for note in table.meta["notes"])

    def test_games_that_are_numbered_once_keep_their_numbers(self, tmp_path: Path) -> None:
        text = "player,game,round,own,other\na,7,1,C,D\na,7,2,D,D\nb,9,1,C,C\n"
        assert read_rounds(from_text(tmp_path, text, "dilemma")).frame["game"].tolist() == [7, 7, 9]

    def test_without_games_a_player_has_one_with_each_partner(self, tmp_path: Path) -> None:
        text = "player,partner,round,own,other\na,x,1,C,D\na,x,2,D,D\na,y,1,C,C\n"
        frame = read_rounds(from_text(tmp_path, text, "dilemma")).frame
        assert frame.groupby("game")["round"].max().tolist() == [2, 1]

    def test_a_round_twice_needs_a_column_of_games(self, tmp_path: Path) -> None:
        text = "player,round,own,other\na,1,C,D\na,2,D,D\na,1,C,C\n"
        with pytest.raises(WolvesError, match="no column that tells games apart") as found:
            from_text(tmp_path, text, "dilemma")
        assert "line 4" in str(found.value)

    @pytest.mark.parametrize("move", ["A", "1", "TRUE"])
    def test_moves_without_a_meaning_are_refused(self, tmp_path: Path, move: str) -> None:
        text = f"player,game,round,own,other\na,1,1,{move},C\n"
        with pytest.raises(WolvesError, match="expected the move C or D"):
            read_rounds(from_text(tmp_path, text, "dilemma"))

    @pytest.mark.parametrize("name", ["least", "mao", "min_accept"])
    def test_least_accepted_amounts(self, tmp_path: Path, name: str) -> None:
        table = from_text(tmp_path, f"subject,pie,{name}\n1,10,4\n2,10,1\n", "ultimatum")
        assert table.rows["count"].sum() == pytest.approx(2)


class TestTransitions:
    def test_every_count_has_its_context(self) -> None:
        name = "mei2024/transitions.csv"
        raw = pd.read_csv(shipped(f"{REFERENCE}/{name}"))
        for speaker in ("people", "gpt-4-0314"):
            rows = raw[raw["model"] == speaker]
            found = by_context(reference(name, "dilemma", speaker))
            for before in ("CC", "CD", "DC", "DD"):
                here = rows[(rows["own_before"] == before[0]) & (rows["other_before"] == before[1])]
                expected = tuple(here.loc[here["own"] == m, "count"].sum() for m in "CD")
                assert found[before] == expected
            openings = tuple(rows.loc[rows["own_before"] == m, "count"].sum() for m in "CD")
            assert found["start"] == openings

    def test_of_later_rounds_the_first_move_is_no_opening(self, tmp_path: Path) -> None:
        text = "own_before,other_before,own,count\nC,D,D,5\nC,D,cooperate,2\n"
        found = by_context(from_text(tmp_path, text, "dilemma"))
        assert found["start"] == (0, 0)
        assert found["CD"] == (2, 5)

    def test_nobody_knew_the_second_round_to_be_the_last(self) -> None:
        frame = read_rounds(reference("mei2024/transitions.csv", "dilemma")).frame
        assert not frame["last"].any()


class TestReplyTable:
    def test_each_history_counts_once(self) -> None:
        name = "akata2025/reply_table.csv"
        raw = pd.read_csv(shipped(f"{REFERENCE}/{name}"), keep_default_na=False)
        table = reference(name, "dilemma", "gpt-4")
        assert table.rows["count"].sum() == pytest.approx((raw["model"] == "gpt-4").sum())
        frame = read_rounds(table).frame
        per_round = frame.groupby("round")["count"].sum()
        assert per_round.tolist() == [2.0 ** (r - 1) for r in range(1, 11)]
        assert any("each history counts once" in note for note in table.meta["notes"])

    def test_the_last_move_of_the_other_is_unknown(self) -> None:
        rounds = read_rounds(reference("akata2025/reply_table.csv", "dilemma", "gpt-4"))
        assert rounds.frame["other"].isna().sum() == 512

    def test_a_history_without_a_move_is_refused(self, tmp_path: Path) -> None:
        text = "round,others_moves,own\n1,,C\n3,CD,D\n"
        with pytest.raises(WolvesError, match="the history 'C' has no move"):
            from_text(tmp_path, text, "dilemma")

    def test_strategy_frequencies_refuse_single_moves(self) -> None:
        model = models()["strategy-frequencies"]
        with pytest.raises(WolvesError, match="count whole games"):
            model.problem(reference("akata2025/reply_table.csv", "dilemma", "gpt-4"))
        assert models()["memory-one"].problem(
            reference("akata2025/reply_table.csv", "dilemma", "gpt-4")
        )


class TestLastMove:
    TEXT = "group,participant,partner,game,round,own,other\n,1,x,0,1,C,D\n,1,x,0,2,D,\n"

    def test_it_may_be_missing(self, tmp_path: Path) -> None:
        rounds = read_rounds(from_text(tmp_path, self.TEXT, "dilemma"))
        (game,) = games_of(rounds)
        assert game.other.tolist() == [1, UNKNOWN]
        assert history_name(game) == "CD against D?"
        for strategy in STRATEGIES:
            known = prescribed(strategy, game.own, np.array([1, 0]))
            assert prescribed(strategy, game.own, game.other).tolist() == known.tolist()

    def test_elsewhere_it_may_not(self, tmp_path: Path) -> None:
        with pytest.raises(WolvesError, match="the move C or D"):
            read_rounds(from_text(tmp_path, self.TEXT.replace("1,C,D", "1,C,"), "dilemma"))


class TestLeastAccepted:
    def test_a_stated_amount_counts_as_one_reply(self) -> None:
        raw = pd.read_csv(shipped(f"{REFERENCE}/mei2024/least_accepted.csv"))
        table = reference("mei2024/least_accepted.csv", "ultimatum", "people")
        people = raw[raw["model"] == "people"]
        replies = table.rows[table.rows["part"] == "replies"]
        assert replies["count"].sum() == pytest.approx(people["count"].sum())
        assert any("Least accepted amounts" in note for note in table.meta["notes"])

    def test_the_share_that_accepts_is_that_of_the_statements(self) -> None:
        raw = pd.read_csv(shipped(f"{REFERENCE}/mei2024/least_accepted.csv"))
        people = raw[raw["model"] == "people"]
        divisions = read_divisions(reference("mei2024/least_accepted.csv", "ultimatum", "people"))
        for _, question, counts in divisions.cells():
            if question.part != "replies":
                continue
            takes = people.loc[people["least"] <= question.offer + 1e-9, "count"].sum()
            assert counts[1] / counts.sum() == pytest.approx(takes / people["count"].sum())

    def test_offers_and_least_amounts_are_read_together(self) -> None:
        table = reference("mei2024/offers.csv", "ultimatum", "gpt-4-0314")
        parts = {question.part for question in read_divisions(table).questions}
        assert parts == {"offers", "replies", "gifts"}
        assert models()["social-preferences"].problem(table)

    def test_an_amount_above_the_stake_is_refused(self, tmp_path: Path) -> None:
        text = "model,endowment,least,count\na,10,11,1\n"
        with pytest.raises(WolvesError, match="within the stake"):
            from_text(tmp_path, text, "ultimatum", "least_accepted.csv")


class TestRates:
    @pytest.mark.parametrize(
        ("name", "task"), [("engel2011/shares.csv", "dictator"), ("vonk2025/rates.csv", "dilemma")]
    )
    def test_rates_without_counts_are_refused(self, name: str, task: str) -> None:
        with pytest.raises(WolvesError, match=r"rates .* without the number of choices"):
            reference(name, task)


class TestForms:
    def test_words_semicolons_and_marks(self, tmp_path: Path) -> None:
        text = (
            "\ufeffsep=;\r\ngroup;participant;partner;game;round;own;other\r\n"
            "NA;007;x;0;1;Cooperate;defect\r\nNA;007;x;0;2;D;C\r\n"
        )
        table = from_text(tmp_path, text, "dilemma")
        frame = read_rounds(table).frame
        assert frame["own"].tolist() == ["C", "D"]
        assert frame["participant"].tolist() == ["007", "007"]
        assert frame["group"].tolist() == ["NA", "NA"]

    def test_decimal_commas_in_gifts(self, tmp_path: Path) -> None:
        text = "group;participant;endowment;given;count\n;1;4;1,5;2\n;1;4;0;3\n"
        divisions = read_divisions(from_text(tmp_path, text, "dictator", "gifts.csv"))
        assert 1.5 in divisions.questions[0].amounts
        assert divisions.counts.sum() == 5

    def test_accepted_in_words(self, tmp_path: Path) -> None:
        rows = "responder,1,10,2,rejected\nresponder,1,10,5,TRUE\n"
        text = f"role,participant,endowment,offer,accepted\n{rows}"
        divisions = read_divisions(from_text(tmp_path, text, "ultimatum", "replies.csv"))
        assert divisions.counts[:, :2].tolist() == [[1, 0], [0, 1]]


@pytest.mark.parametrize("name", ["dalbo2011", "akata2025", "payne2025"])
def test_the_shipped_rounds_are_read_for_every_speaker(name: str) -> None:
    table = load(shipped(f"{REFERENCE}/{name}/rounds.csv"), "dilemma")
    read = [read_rounds(table.of(speaker)).frame for speaker in table.speakers]
    assert sum(map(len, read)) == len(table.rows)
