"""`mw.collect`: what `wolves collect` does, in Python."""

import json
from pathlib import Path

import pytest

import many_wolves as mw
from many_wolves.errors import WolvesError

GOLDEN = Path(__file__).parent / "golden" / "schema1"
VIGNETTES = GOLDEN / "politeness" / "trials.jsonl"
KNOWN = json.loads((GOLDEN / "politeness" / "parameters.json").read_text())
PLAYERS = json.loads((GOLDEN / "games" / "parameters.json").read_text())


def ask(out, **settings):
    return mw.collect(
        VIGNETTES, out=out, provider="simulated", parameters=KNOWN, **{"model": "s", **settings}
    )


def test_a_speaker_is_asked_once_and_its_answers_are_read(tmp_path, capfd):
    first = ask(tmp_path, progress=False)
    assert first.complete and first.asked == {"answered": 24}
    assert capfd.readouterr().err == ""
    again = ask(tmp_path)
    assert again.complete and not again.asked and again.journals == first.journals
    table = mw.choices(again.journals)
    assert table.counts["count"].sum() == 8
    assert "simulated/s: complete" in first._repr_html_()


def test_answers_equal_those_of_the_command(tmp_path):
    done = ask(tmp_path, model="speaker", replicates=2)
    expected = mw.choices(GOLDEN / "politeness" / "simulated-sample.jsonl").counts
    columns = ["goal", "state", "utterance", "count"]
    assert mw.choices(done.journals).counts[columns].equals(expected[columns])


def test_games_take_a_speaker_on_each_seat(tmp_path):
    openings = GOLDEN / "games" / "pair.jsonl"
    one = {"provider": "simulated", "model": "one", "parameters": PLAYERS}
    with pytest.raises(WolvesError, match="expected a speaker for each of the seats"):
        mw.collect(openings, out=tmp_path, **one)
    both = {"partner": one | {"model": "two"}}
    done = mw.collect(openings, out=tmp_path, seats=both, **one)
    assert done.complete and [path.name[:13] for path in done.journals] == [
        "simulated-one",
        "simulated-two",
    ]
    itself = mw.collect(openings, out=tmp_path / "self", seats={"partner": "self"}, **one)
    assert itself.complete and len(itself.journals) == 1


@pytest.mark.parametrize(
    ("settings", "problem", "fix"),
    [
        ({"temprature": 1}, "no option 'temprature'", "did you mean 'temperature'"),
        ({"mode": "scored"}, "mode", "sample"),
        ({"seats": {"partner": "me"}}, "expected \"self\"", "partner"),
        ({"mode": "score", "replicates": 2}, "expected one replicate", "replicates"),
    ],
)  # fmt: skip
def test_settings_that_cannot_be_are_refused(tmp_path, settings, problem, fix):
    with pytest.raises(WolvesError, match=problem) as caught:
        ask(tmp_path, **settings)
    assert fix in caught.value.fix
    assert not list(tmp_path.iterdir())
