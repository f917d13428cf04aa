"""Tables from elsewhere, and answers of simulated players: what goes out comes back."""

from __future__ import annotations

import json

import pytest

from bargaining_chains import (
    FAMILY,
    SPEC,
    asked_and_answered,
    openings,
    spec,
    tables,
)
from many_wolves.errors import WolvesError
from many_wolves.families.bargaining.model.decisions import read_decisions
from many_wolves.families.bargaining.simulation.answers import Simulated

ONE = {"goods": ["balloon"], "roles": ["seller"], "openings": ["both"], "first": ["seller"],
       "groups": ["Plain"], "forms": ["free"], "sample": None}  # fmt: skip


def only(preset="default", **changed):
    """The one opening of a narrowed design."""
    found = openings(preset, **{**ONE, **changed})
    assert len(found) >= 1
    return found[0]


def in_turn(*texts):
    """Says these texts one after the other, the last one on and on."""
    left = list(texts)
    return lambda trial: left.pop(0) if len(left) > 1 else left[0]


class TestForeignTables:
    def test_tables_go_out_and_come_back(self, tmp_path):
        chain = asked_and_answered(only(partners=["fixed"]), in_turn("$17?", "Deal."))
        found = tables(chain)
        for name, frame in found.tables.items():
            frame.to_csv(tmp_path / f"{name}.csv", index=False)
        back = FAMILY.from_csv(tmp_path / "turns.csv", "haggle")
        assert set(back.tables) == {"turns", "games"}
        assert back.speakers == found.speakers
        assert back.rows["price"].astype(str).tolist() == ["17.0", ""]
        games = FAMILY.from_csv(tmp_path / "games.csv", "haggle")
        assert set(games.tables) == {"turns", "games"}

    def test_a_frame_of_games_alone_will_do_for_outcomes(self):
        chain = asked_and_answered(only(partners=["fixed"]), in_turn("$17?", "Deal."))
        games = tables(chain).tables["games"]
        found = FAMILY.from_frame(games, "haggle")
        assert found.main == "games"
        with pytest.raises(WolvesError, match="no table 'goods'"):
            FAMILY.from_frame(games, "haggle", goods=games)

    @pytest.mark.parametrize(
        ("write", "encoding"),
        [
            (lambda frame: frame.to_csv(index=False, sep=";", decimal=","), "utf-8"),
            (lambda frame: frame.to_csv(index=False, sep="\t"), "utf-8-sig"),
            (lambda frame: frame.to_csv(lineterminator="\r\n"), "utf-16"),
        ],
    )
    def test_a_spreadsheet_may_have_saved_the_turns(self, write, encoding, tmp_path):
        chain = asked_and_answered(only(partners=["fixed"]), in_turn("$17.5?", "Deal."))
        turns = tables(chain).tables["turns"]
        turns["price"] = turns["price"].replace("", float("nan")).astype(float)
        (tmp_path / "mine.csv").write_text(write(turns), encoding=encoding, newline="")
        back = FAMILY.from_csv(tmp_path / "mine.csv", "haggle")
        assert back.speakers == [str(turns["speaker"].iloc[0])]
        assert back.rows["price"].astype(str).tolist() == ["17.5", ""]

    @pytest.mark.parametrize(
        ("change", "words"),
        [
            (lambda t: t.replace(",price", ",price,price", 1), "fields as in the header"),
            (lambda t: "\n".join(f"{line},{line.split(',')[0]}" for line in t.split()), "speaker"),
            (lambda t: t.replace(",17.0,", ",inf,", 1), "a number in price, found 'inf'"),
            (lambda t: t.replace(",seller,", ",nan,", 1), "seller or buyer, found 'nan'"),
            (lambda t: t.replace("seller", "sel\0ler", 1), "NUL|null|binary"),
        ],
    )
    def test_what_no_table_of_turns_holds_is_named(self, change, words, tmp_path):
        chain = asked_and_answered(only(partners=["fixed"]), in_turn("$17?", "Deal."))
        text = tables(chain).tables["turns"].to_csv(index=False)
        changed = change(text)
        assert changed != text
        (tmp_path / "mine.csv").write_text(changed)
        with pytest.raises(WolvesError, match=words):
            read_decisions(FAMILY.from_csv(tmp_path / "mine.csv", "haggle"))

    def test_an_empty_file_is_refused(self, tmp_path):
        (tmp_path / "turns.csv").write_text("speaker,move\n")
        with pytest.raises(WolvesError, match="no rows"):
            FAMILY.from_csv(tmp_path / "turns.csv", "haggle")


class TestSimulatedAnswers:
    def test_text_and_value_agree_in_every_form(self):
        import numpy as np

        player = Simulated({"concession": {"opening": 0.9}})
        differ = []
        for form in ("free", "marked", "json"):
            for number, opening in enumerate(openings("default", forms=[form], sample=30)):

                def say(trial, number=number, form=form):
                    value = player.answer(trial, np.random.default_rng([number, trial.turn]))
                    text = player.text(trial, value)
                    reading = FAMILY.read(trial, text)
                    if reading.value != value:
                        differ.append((form, value, reading, text))
                    return text

                asked_and_answered(opening, say)
        assert not differ, differ[:3]

    def test_a_refusal_is_read_as_one(self):
        player = Simulated({"concession": {}, "refuses": 1.0})
        import numpy as np

        trial = None

        def say(asked):
            nonlocal trial
            trial = asked
            return player.text(asked, player.answer(asked, np.random.default_rng(1)))

        chain = asked_and_answered(only(partners=["fixed"]), say)
        assert [r.status for r in chain] == ["refused"]
        assert tables(chain).tables["games"]["ended"].tolist() == ["refused"]

    def test_unknown_parameters_are_refused_with_the_nearest(self):
        with pytest.raises(WolvesError, match="concesion") as caught:
            Simulated({"concesion": {}})
        assert "concession" in str(caught.value)
        with pytest.raises(WolvesError, match="add up to 1"):
            Simulated({"values": {"own": 0.5, "fair": 0.5, "deal": 0.5}})
        with pytest.raises(WolvesError, match="found several"):
            Simulated(
                {"concession": {}, "aspiration": {"opening": 1, "bottom": 0.4, "exponent": 1}}
            )

    def test_a_moderator_errs_as_often_as_it_is_told(self):
        import numpy as np

        moderator = Simulated({"moderator": {"error": 0.25}})
        opening = only(partners=["fixed"], moderator=1.0)
        say = {"speaker": in_turn("$17?", "Deal."), "moderator": lambda trial: "{}"}
        chain = asked_and_answered(opening, say, {"speaker": SPEC, "moderator": spec("m")})
        asked = next(r for r in chain if r.cell["kind"] == "moderator")
        rng = np.random.default_rng(0)
        says = [moderator.answer(asked, rng)["state"] for _ in range(2000)]
        assert np.mean([s != asked.cell["rules_state"] for s in says]) == pytest.approx(
            0.25, abs=0.03
        )
        assert json.loads(moderator.text(asked, {"state": "open"}))["state"] == "open"
