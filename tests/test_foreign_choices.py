"""Published tables of choices and judgments: whatever their form, the same counts."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import many_wolves as mw
from many_wolves.errors import WolvesError
from many_wolves.families.politeness.model.problem import build
from many_wolves.families.politeness.reading.from_csv import from_frame
from many_wolves.families.politeness.reading.human import choice_counts, human_table, literal_counts
from many_wolves.families.politeness.reading.negation import canonical_labels, negations
from many_wolves.observations import Observations
from many_wolves.workflows.data import load


def problem_of(table: Observations) -> dict[str, object]:
    """What a fit takes of a table, without its names of utterances."""
    problem = build(table, literal="fixed")
    keep = ("counts", "negated", "literal_yes", "literal_no", "theta_given")
    return {name: problem.data[name] for name in keep}


def saved(folder: Path, choices: pd.DataFrame, literal: pd.DataFrame | None = None) -> Observations:
    choices.to_csv(folder / "choices.csv", index=False)
    if literal is not None:
        literal.to_csv(folder / "literal.csv", index=False)
    return load(folder / "choices.csv")


PEOPLE = choice_counts()
JUDGED = literal_counts()
PLAIN = problem_of(human_table())


class TestTheSameData:
    def test_one_row_a_choice(self, tmp_path: Path) -> None:
        rows = PEOPLE.loc[PEOPLE.index.repeat(PEOPLE["count"])].drop(columns="count")
        table = saved(tmp_path, rows)
        assert problem_of(table) == PLAIN
        assert any("2,436 rows is one choice" in note for note in table.meta["notes"])

    def test_a_wide_table(self, tmp_path: Path) -> None:
        wide = PEOPLE.pivot(index=["goal", "state"], columns="utterance", values="count")
        table = saved(tmp_path, wide.reset_index())
        problem = build(table, literal="fixed")
        ours = build(human_table(), literal="fixed")
        order = [problem.coords["condition"].index(c) for c in ours.coords["condition"]]
        assert np.array_equal(np.array(problem.data["counts"])[order], ours.data["counts"])

    def test_percentages_with_their_totals(self, tmp_path: Path) -> None:
        total = PEOPLE.groupby(["goal", "state"])["count"].transform("sum")
        share = [f"{100 * c / n:.2f} %" for c, n in zip(PEOPLE["count"], total, strict=True)]
        table = saved(tmp_path, PEOPLE.drop(columns="count").assign(percent=share, n=total))
        assert problem_of(table) == PLAIN

    @pytest.mark.parametrize("form", ["{:.2f}", "{:.1f}%", "{:.4f}"])
    def test_a_wide_table_of_shares_or_percentages(self, tmp_path: Path, form: str) -> None:
        wide = PEOPLE.pivot(index=["goal", "state"], columns="utterance", values="count")
        total = wide.sum(axis=1)
        shares = wide.div(total, axis=0) * (1 if form == "{:.4f}" else 100)
        table = saved(tmp_path, shares.map(form.format).assign(n=total).reset_index())
        kept = ["goal", "state", "utterance", "count"]
        read = table.rows[kept].sort_values(kept[:3]).reset_index(drop=True)
        ours = PEOPLE[kept].sort_values(kept[:3]).reset_index(drop=True)
        assert read["count"].tolist() == ours["count"].tolist()
        assert any("were made from the shares" in note for note in table.meta["notes"])

    def test_a_wide_table_of_single_choices(self, tmp_path: Path) -> None:
        rows = PEOPLE.loc[PEOPLE.index.repeat(PEOPLE["count"])].reset_index(drop=True)
        chosen = pd.get_dummies(rows["utterance"]).astype(int)
        wide = pd.concat([rows[["goal", "state"]], chosen], axis=1).assign(n=7)
        assert saved(tmp_path, wide).meta["total"] == 2436

    def test_states_as_text_in_a_data_frame(self) -> None:
        text = mw.read_choices(PEOPLE.astype({"state": str}))
        assert problem_of(text) == PLAIN
        assert problem_of(mw.read_choices(PEOPLE.astype({"state": "Int64"}))) == PLAIN
        words = PEOPLE.assign(state=PEOPLE["state"].map("{} hearts".format))
        assert problem_of(mw.read_choices(words)) == PLAIN

    @pytest.mark.parametrize("label", ["not_{}", "not.{}", "wasn't {}", "Not-{}", "isn't_{}"])
    def test_other_labels_of_negations(self, tmp_path: Path, label: str) -> None:
        def renamed(frame: pd.DataFrame) -> pd.DataFrame:
            names = [
                label.format(u.removeprefix("not ")) if u.startswith("not ") else u
                for u in frame["utterance"]
            ]
            return frame.assign(utterance=names)

        table = saved(tmp_path, renamed(PEOPLE), renamed(JUDGED))
        assert problem_of(table) == PLAIN
        mixed = saved(tmp_path, renamed(PEOPLE), JUDGED)
        assert problem_of(mixed) == PLAIN

    def test_a_column_that_says_what_is_negated(self, tmp_path: Path) -> None:
        german = {"terrible": "furchtbar", "bad": "schlecht", "good": "gut", "amazing": "toll"}
        german |= {f"not {k}": f"kaum {v}" for k, v in german.items()}
        choices = PEOPLE.replace({"utterance": german})
        judged = JUDGED.replace({"utterance": german})
        bare = build(saved(tmp_path, choices, judged), literal="fixed")
        assert sum(bare.data["negated"]) == 0
        assert any("counts as a negation" in note for note in bare.notes)
        told = judged.assign(negated=judged["utterance"].str.startswith("kaum"))
        problem = build(saved(tmp_path, choices, told), literal="fixed")
        assert sum(problem.data["negated"]) == 4
        assert not any("counts as a negation" in note for note in problem.notes)

    def test_clusters_are_kept_and_add_up(self, tmp_path: Path) -> None:
        halves = [PEOPLE.assign(item=name, count=PEOPLE["count"] / 2) for name in ("poem", "NA")]
        table = saved(tmp_path, pd.concat(halves))
        assert table.meta["clusters"] == ["item"]
        assert set(table.rows["item"]) == {"poem", "NA"}
        assert problem_of(table) == PLAIN


class TestNothingIsLostInSilence:
    @pytest.mark.parametrize("name", ["None", "NA", "null", "nan", "n/a", "007"])
    def test_names_that_read_as_missing(self, tmp_path: Path, name: str) -> None:
        table = saved(tmp_path, PEOPLE.replace({"goal": {"both": name}}).assign(speaker=name))
        assert table.speakers == [name]
        problem = build(table, literal="fixed")
        assert name in problem.coords["condition"]
        assert np.sum(problem.data["counts"]) == 2436

    def test_an_empty_goal_is_refused_with_its_line(self, tmp_path: Path) -> None:
        with pytest.raises(WolvesError, match="goal in every row, found an empty") as fault:
            saved(tmp_path, PEOPLE.replace({"goal": {"both": ""}}))
        assert fault.value.line == 2 + int((PEOPLE["goal"] == "both").argmax())

    def test_a_fit_uses_every_count_of_its_table(self) -> None:
        table = human_table()
        odd = Observations.from_rows("politeness", table.rows.astype({"state": str}), table.aside)
        with pytest.raises(WolvesError, match="the fit would use 0"):
            build(odd, literal="fixed")

    def test_columns_that_are_not_used_are_named(self, tmp_path: Path) -> None:
        table = saved(tmp_path, PEOPLE.assign(mood="good", trial=1))
        assert any("a fit ignores: mood, trial" in note for note in table.meta["notes"])
        assert build(table, literal="fixed").notes[0] == table.meta["notes"][0]

    def test_speakers_whose_names_are_numbers_stay_apart(self, tmp_path: Path) -> None:
        parts = [PEOPLE.assign(speaker=name) for name in ("3.10", "3.1", "7")]
        assert saved(tmp_path, pd.concat(parts)).speakers == ["3.10", "3.1", "7"]

    def test_several_speakers_and_none_named(self) -> None:
        several = pd.concat([PEOPLE.assign(speaker=name) for name in "ab"])
        with pytest.raises(WolvesError, match="the table contains a, b"):
            mw.read_choices(several)
        assert mw.read_choices(several, speaker="b").speakers == ["b"]


class TestJudgmentsOfOthers:
    def test_those_of_several_others_are_refused(self, tmp_path: Path) -> None:
        judged = pd.concat([JUDGED.assign(speaker=name) for name in "ab"])
        with pytest.raises(WolvesError, match="literal judgments are of a, b"):
            saved(tmp_path, PEOPLE, judged)

    def test_each_speaker_has_its_own(self, tmp_path: Path) -> None:
        judged = pd.concat([JUDGED.assign(speaker=name, yes=0) for name in "bc"])
        judged = pd.concat([judged, JUDGED.assign(speaker="a")])
        table = saved(tmp_path, PEOPLE.assign(speaker="a"), judged)
        assert problem_of(table.of("a")) == PLAIN
        assert any("Ignored: literal judgments of b, c" in note for note in table.meta["notes"])

    def test_one_judgment_a_row(self, tmp_path: Path) -> None:
        yes = JUDGED.loc[JUDGED.index.repeat(JUDGED["yes"])].assign(judgment="TRUE")
        no = JUDGED.loc[JUDGED.index.repeat(JUDGED["n"] - JUDGED["yes"])].assign(judgment="FALSE")
        rows = pd.concat([yes, no])[["utterance", "state", "judgment"]]
        assert problem_of(saved(tmp_path, PEOPLE, rows)) == PLAIN

    def test_yes_and_no(self, tmp_path: Path) -> None:
        judged = JUDGED.assign(no=JUDGED["n"] - JUDGED["yes"]).drop(columns="n")
        assert problem_of(saved(tmp_path, PEOPLE, judged)) == PLAIN

    def test_an_empty_table_is_named(self, tmp_path: Path) -> None:
        with pytest.raises(WolvesError, match="no rows") as fault:
            saved(tmp_path, PEOPLE, JUDGED.iloc[:0])
        assert "literal.csv" in fault.value.where


class TestRefused:
    @pytest.mark.parametrize(
        ("change", "words"),
        [
            (lambda f: f.drop(columns="goal"), "expected the columns goal"),
            (lambda f: f.assign(state="a few"), "a whole number"),
            (lambda f: f.assign(count=0), "contains no choices"),
            (lambda f: f.assign(count="x"), "a number of 0 or more"),
            (lambda f: f.drop(columns="count").assign(share=0.1), "without the number of answers"),
            (lambda f: f.assign(count=10**17), "counts are not exact"),
            (lambda f: f.assign(negated=range(len(f))), "number of 0 or more|is a negation in one"),
        ],
    )
    def test_with_a_reason(self, change: object, words: str) -> None:
        with pytest.raises(WolvesError, match=words):
            from_frame(change(PEOPLE), "politeness")  # type: ignore[operator]


def test_labels_of_negations() -> None:
    labels = ["good", "not_good", "notGood", "wasn't good", "not a word", "nothing"]
    assert canonical_labels(labels) == dict.fromkeys(labels[1:4], "not good")
    assert negations(["good", "not good", "kaum gut"], {"kaum gut": True}) == [False, True, True]


def test_the_field_case_of_a_published_table(tmp_path: Path) -> None:
    """By item, wide, semicolons, BOM, decimal commas: as a spreadsheet saves it."""
    wide = PEOPLE.pivot(index=["goal", "state"], columns="utterance", values="count") / 2
    wide.columns = [name.replace(" ", "_") for name in wide.columns]
    frame = pd.concat([wide.reset_index().assign(item=i) for i in ("app", "poem")])
    text = frame.to_csv(index=False, sep=";", decimal=",", lineterminator="\r\n")
    (tmp_path / "table.csv").write_bytes(b"\xef\xbb\xbfsep=;\r\n" + text.encode())
    table = load(tmp_path / "table.csv")
    assert math.isclose(table.meta["total"], 2436)
    assert table.meta["clusters"] == ["item"]


@pytest.mark.parametrize(("each", "what"), [("0.125", "shares"), ("12.5", "percentages")])
def test_counts_that_look_like_shares_are_named(tmp_path: Path, each: str, what: str) -> None:
    utterances = human_table().tables["counts"]["utterance"].unique()
    rows = [f"social,{s},{u},{each}" for s in range(4) for u in utterances]
    file = tmp_path / "t.csv"
    file.write_text("\n".join(["goal,state,utterance,count", *rows]) + "\n")
    assert any(f"as {what} do" in note for note in load(file).meta["notes"])
