"""Tables of answers: every row is used or refused, every name kept, and a table shows itself."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

import many_wolves as mw
from many_wolves.families.politeness.reading.human import choice_counts
from many_wolves.records import Check
from many_wolves.workflows.models import problem_of, single_model


def fitted_total(observations: mw.Observations) -> tuple[tuple[str, ...], float]:
    """Conditions of the fit, and the answers in it."""
    model = single_model(observations, None)
    problem = problem_of(observations, model, {"literal": "fixed"}, None)
    values = problem.observed[problem.outcome.observed][1]
    return problem.coords["condition"], problem.outcome.total(values)


@pytest.mark.parametrize("word", ["None", "NA", "null", "nan", "n/a", "N/A", "-"])
@pytest.mark.parametrize("road", ["csv", "frame"])
def test_words_for_nothing_are_names(word, road, tmp_path):
    counts = choice_counts()
    half = counts[counts["goal"] == "social"]
    frame = pd.concat([half, half.assign(goal=word)], ignore_index=True)
    frame.to_csv(tmp_path / "c.csv", index=False)
    table = mw.read_choices(tmp_path / "c.csv" if road == "csv" else frame)
    conditions, total = fitted_total(table)
    assert conditions == ("social", word)
    assert total == table.total == 2 * half["count"].sum()


@pytest.mark.parametrize("column", ["goal", "utterance", "speaker"])
@pytest.mark.parametrize("value", ["", " ", None, float("nan")])
@pytest.mark.parametrize("road", ["csv", "frame"])
def test_a_row_without_a_name_is_refused_with_its_line(column, value, road, tmp_path):
    frame = choice_counts().assign(speaker="me").astype({column: object})
    frame.loc[3, column] = value
    frame.to_csv(tmp_path / "c.csv", index=False)
    with pytest.raises(mw.WolvesError, match=f"line 5, column {column}.*an empty entry"):
        fitted_total(mw.read_choices(tmp_path / "c.csv" if road == "csv" else frame))


@pytest.mark.parametrize("named", ["NA", "None", "007"])
def test_speakers_keep_their_names(named, tmp_path):
    choice_counts().assign(speaker=named).to_csv(tmp_path / "c.csv", index=False)
    assert mw.read_choices(tmp_path / "c.csv").speakers == [named]


def test_a_speaker_may_be_a_number_in_a_frame():
    table = mw.read_choices(choice_counts().assign(speaker=7))
    assert table.speakers == ["7"]
    assert mw.read_choices(choice_counts().assign(speaker=7), speaker="7").total == table.total


def several() -> pd.DataFrame:
    return pd.concat([choice_counts().assign(speaker=name) for name in ("one", "two")])


def test_of_several_speakers_one_must_be_named():
    """The first of nine was once taken without a word."""
    with pytest.raises(mw.WolvesError, match="the table contains one, two"):
        mw.read_choices(several())
    with pytest.raises(mw.WolvesError, match="the table contains one, two"):
        mw.fit(several())
    assert mw.read_choices(several(), speaker="two").speakers == ["two"]


def test_a_table_shows_its_speakers_and_what_it_holds():
    checks = (Check("state", "one", False, "it did not", 0.1, 0.4),)
    frame = several().reset_index(drop=True)
    table = mw.Observations.from_rows("politeness", frame, checks=checks)
    shown = table._repr_html_()
    assert "failed: state" in shown and "not checked" in shown
    assert "informative, social, both" in shown
    assert "2 speakers" in repr(table) and "4,872 answers" in repr(table)
    assert len(repr(table)) < 100


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"literal": "fixd"}, "did you mean 'fixed'"),
        ({"literal": "Joint"}, "did you mean 'joint'"),
        ({"lietral": "joint"}, "did you mean 'literal'"),
        ({"utilities": ["inf", "sog"]}, "found inf, sog"),
        ({"nodes": 0}, "nodes"),
        ({"chains": 0}, "chains"),
        ({"adapt_delta": float("nan")}, "adapt_delta"),
        ({"engine": "httpstn"}, "did you mean 'httpstan'"),
        ({"seed": -1}, "seed"),
        ({"variant": "inf+sog"}, "inf\\+soc"),
        ({"model": "polite-speakr"}, "polite-speaker"),
    ],
)
def test_a_misspelt_option_is_answered_in_python_too(options, words, monkeypatch, tmp_path):
    monkeypatch.setattr("many_wolves.inference.load", lambda *_: pytest.fail("went on"))
    with pytest.raises(mw.WolvesError, match=words):
        mw.fit(mw.data(), out=tmp_path / "fit", **options)


def test_options_are_in_the_signature():
    """So that a notebook completes them."""
    import inspect

    names = set(inspect.signature(mw.fit).parameters)
    assert {"literal", "utilities", "form", "memory", "chains", "progress"} <= names
    assert "pooling" not in names


def test_names_of_the_package_are_its_own():
    assert set(dir(mw)) >= {"fit", "fit_all", "data", "Study"}
    assert not {"Any", "importlib", "annotations"} & set(dir(mw))
    for name in mw.__all__:
        found = getattr(mw, name)
        assert found.__doc__, name


def test_one_reads_the_column_model_of_games(tmp_path: Path):
    games = pd.DataFrame({"model": ["a", "a", "b"], "endowment": 10, "given": [1, 2, 3]})
    games.to_csv(tmp_path / "gifts.csv", index=False)
    table = mw.read_choices(tmp_path / "gifts.csv", task="dictator", speaker="a")
    assert table.total == 2
    renamed = games.rename(columns={"model": "speaker"})
    assert mw.read_choices(renamed, task="dictator", speaker="b").total == 1
