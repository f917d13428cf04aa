"""Reference data that ship: every table is what its card says, and can be read."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest
import yaml

from many_wolves import families
from many_wolves.cli import run, wolves
from many_wolves.errors import WolvesError
from many_wolves.families.politeness.reading.from_csv import from_csv
from many_wolves.families.politeness.reading.human import human_table
from many_wolves.files import shipped
from many_wolves.reference_data import DataSet, TableCard, data_sets, references_of
from many_wolves.reference_data.references import FOLDER
from many_wolves.workflows.calls import source
from many_wolves.workflows.data import of_one, one_speaker, reference
from many_wolves.workflows.data_sets import listed
from many_wolves.workflows.fit_all import chosen
from many_wolves.workflows.fits import default_folder, labels_of
from many_wolves.workflows.labels import read_labels, with_labels, write_labels

SETS = data_sets(shipped(FOLDER))
TABLES = [(own, table) for own in SETS.values() for table in own.card.tables]
LARGEST = 1_500_000
"""Bytes of a table without a reason to be larger."""
WORDS = 8
"""Words of a cell: names and categories, never a sentence."""


@pytest.mark.parametrize(
    ("own", "table"), TABLES, ids=[f"{own.name}/{Path(t.file).stem}" for own, t in TABLES]
)
class TestTables:
    def test_it_has_as_many_rows_as_its_card_says(self, own: DataSet, table: TableCard) -> None:
        assert len(own.frame(table)) == table.rows

    def test_it_holds_numbers_and_names_only(self, own: DataSet, table: TableCard) -> None:
        assert own.path(table).stat().st_size < LARGEST
        frame = own.frame(table)
        assert max(len(str(v).split()) for c in frame for v in frame[c].unique()) <= WORDS


@pytest.mark.parametrize("name", [name for own in SETS.values() for name in own.fitted])
def test_every_table_of_a_task_is_read_for_each_speaker(name: str) -> None:
    if name not in families.references():
        pytest.skip("its family is not installed")
    table = next(t for own in SETS.values() for n, t in own.fitted.items() if n == name)
    found = reference(name)
    assert found.meta["reference"] == name and found.meta["source"]
    speakers = [found.of(speaker) for speaker in found.speakers]
    assert sum(one.total for one in speakers) == pytest.approx(found.total)
    if table.answers and "part" not in found.rows and "own" not in found.rows:
        assert found.total == pytest.approx(table.answers)
    if table.speaker:
        assert found.speakers == [table.speaker]


def test_published_totals() -> None:
    zhao = reference("zhao2025")
    assert len(zhao.speakers) == 9
    assert (zhao.rows.groupby("speaker")["count"].sum() == 6240).all()
    assert zhao.rows.groupby("item")["count"].sum().nunique() == 1
    assert zhao.meta["clusters"] == ["item"]
    assert reference("morton2025").rows["item"].nunique() == 12
    people = reference("dalbo2011").rows
    assert people.groupby("group")["participant"].nunique().sum() == 266


def test_the_people_of_2020_are_the_human_reference() -> None:
    own = SETS["yoon2020"]
    table = from_csv(own.path(own.fitted["yoon2020"]), "politeness")
    human = human_table()
    assert table.rows["count"].tolist() == human.rows["count"].tolist()
    assert reference("yoon2020").speakers == ["people"]
    assert next(iter(families.get("politeness").references())) == "yoon2020"


class TestCommands:
    def test_list_names_all(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert run(wolves, ["data", "list"]) == 0
        lines = capsys.readouterr().out.splitlines()
        assert [line.split()[0] for line in lines[1:]] == [one.name for one in listed()]
        assert {"zhao2025", "engel2011", "he2018"} <= {one.name for one in listed()}

    @pytest.mark.parametrize("name", ["zhao2025", "mei2024-gifts", "vonk2025"])
    def test_show_prints_the_card(self, name: str, capsys: pytest.CaptureFixture[str]) -> None:
        assert run(wolves, ["data", "show", name]) == 0
        shown = capsys.readouterr().out
        own = next(o for o in SETS.values() if name in (o.name, *o.fitted))
        for fact in (own.card.licence, own.card.origin, own.card.n, *own.card.faults):
            assert fact in shown

    def test_a_misspelt_name(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert run(wolves, ["data", "show", "zaho2025"]) == 2
        assert "did you mean 'zhao2025'" in capsys.readouterr().err


class TestCards:
    def write(self, folder: Path, **changes: object) -> Path:
        own = folder / str(changes.get("name", "mine"))
        own.mkdir()
        (own / "t.csv").write_text("goal,state,utterance,count\nx,0,good,1\nx,1,bad,1\n")
        card = {
            "name": "mine",
            "title": "My speaker",
            "family": "politeness",
            "people": "models",
            **dict.fromkeys(["answered_by", "n", "citation", "origin", "licence"], "x"),
            **dict.fromkeys(["settings", "date"], "x"),
            "tables": [{"file": "t.csv", "task": "politeness", "what": "choices", "rows": 2}],
        }
        (own / "card.yaml").write_text(yaml.safe_dump({**card, **changes}))
        return folder

    def test_a_folder_of_somebody_else(self, tmp_path: Path) -> None:
        found = references_of("politeness", from_csv, folder=self.write(tmp_path))
        assert found["mine"].load().total == 2
        assert not references_of("dilemmas", from_csv, folder=tmp_path)

    @pytest.mark.parametrize(
        ("changes", "words"),
        [
            ({"licence": ""}, "licence"),
            ({"people": "robots"}, "people"),
            ({"colour": "red"}, "colour"),
            ({"tables": []}, "tables"),
            ({"tables": [{"file": "no.csv", "what": "x", "rows": 1}]}, "no.csv is missing"),
        ],
    )
    def test_a_wrong_card_is_refused(
        self, tmp_path: Path, changes: dict[str, object], words: str
    ) -> None:
        with pytest.raises(WolvesError, match=words) as fault:
            data_sets(self.write(tmp_path, **changes))
        assert fault.value.where.endswith("card.yaml")

    def test_two_of_one_name(self, tmp_path: Path) -> None:
        self.write(tmp_path)
        (tmp_path / "mine").rename(tmp_path / "other")
        with pytest.raises(WolvesError, match="two data sets are called 'mine'"):
            data_sets(self.write(tmp_path))


def test_a_task_of_another_family_is_not_ignored() -> None:
    assert one_speaker(None, "yoon2020", task="politeness").family == "politeness"
    with pytest.raises(WolvesError, match="family politeness, which has no task 'dilemma'"):
        one_speaker(None, "yoon2020", task="dilemma")


def test_a_rate_is_for_figures_alone() -> None:
    rates = SETS["vonk2025"]
    assert not rates.fitted
    frame = rates.frame(rates.card.tables[0])
    assert pd.to_numeric(frame["cooperation"]).between(0, 1).all()


class TestLabels:
    TEXT = "speaker;family;parameters\npeople;human;\n"

    def test_those_of_a_card_go_into_a_fit(self) -> None:
        one = of_one(reference("zhao2025"), "Qwen2.5-72B")
        assert labels_of(one) == {
            "family": "qwen2.5",
            "training": "base",
            "parameters": 72_000_000_000,
        }

    def test_those_of_a_file_join_them(self, tmp_path: Path) -> None:
        path = tmp_path / "labels.csv"
        path.write_text("model,training,asked\nQwen2.5-72B,none,\ngpt-4o-2024-11-20,,2024\n")
        read = read_labels(path)
        assert read == {"Qwen2.5-72B": {"training": "none"}, "gpt-4o-2024-11-20": {"asked": 2024}}
        (table,) = with_labels([reference("zhao2025")], read, path)
        assert labels_of(table.of("gpt-4o-2024-11-20"))["training"] == "instruct"
        assert labels_of(table.of("Qwen2.5-72B"))["training"] == "none"
        write_labels(table.of("gpt-4o-2024-11-20"), tmp_path)
        assert json.loads((tmp_path / "labels.json").read_text())["asked"] == 2024

    def test_a_speaker_that_no_table_holds_is_named(self, tmp_path: Path) -> None:
        with pytest.raises(WolvesError, match="no table contains the speaker 'gpt-5'"):
            with_labels([reference("zhao2025")], {"gpt-5": {}}, tmp_path)

    def test_a_speaker_is_listed_once(self, tmp_path: Path) -> None:
        (tmp_path / "l.csv").write_text("speaker,family\na,x\na,y\n")
        with pytest.raises(WolvesError, match="two lines") as fault:
            read_labels(tmp_path / "l.csv")
        assert fault.value.line == 3


class TestSeveralSpeakers:
    def test_a_fit_of_one_names_the_command_for_all(self, tmp_path: Path) -> None:
        with pytest.raises(WolvesError, match="the table contains") as fault:
            one_speaker(None, "zhao2025")
        assert "wolves fit-all --data zhao2025" in fault.value.fix
        path = tmp_path / "mine.csv"
        path.write_text("speaker,goal,state,utterance,count\na,x,0,good,1\nb,x,1,bad,1\n")
        with pytest.raises(WolvesError, match="contains a, b") as fault:
            one_speaker(path)
        assert f"wolves fit-all {path}" in fault.value.fix

    def test_a_fit_records_its_speaker(self) -> None:
        one = one_speaker(None, "zhao2025", speaker="gpt-4o-2024-11-20")
        assert source(one) == ["--data", "zhao2025", "--speaker", "gpt-4o-2024-11-20"]
        assert default_folder(one).name == "zhao2025-gpt-4o-2024-11-20"
        assert default_folder(one_speaker(None, "yoon2020")).name == "yoon2020"

    def test_some_of_them(self) -> None:
        tables = [reference("zhao2025"), reference("yoon2020")]
        found = chosen(tables, ["people", "Qwen2.5-72B"])
        assert [one.speakers for one in found] == [["Qwen2.5-72B"], ["people"]]
        with pytest.raises(WolvesError, match="no table contains the speaker 'claude'"):
            chosen(tables, ["claude"])
