"""Tables as other software writes them are read without loss, or named as what they are."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from many_wolves.errors import WolvesError
from many_wolves.store.foreign_csv import ForeignTable, foreign_of, read_foreign
from many_wolves.store.numbers import NotANumberError, read_levels, read_numbers
from many_wolves.store.shape import counts_from_shares, longer


def written(folder: Path, text: str | bytes, name: str = "table.csv") -> Path:
    path = folder / name
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


def read(folder: Path, text: str | bytes) -> ForeignTable:
    return read_foreign(written(folder, text))


PLAIN = "goal,state,count\nsocial,0,5\nboth,1,7\n"


class TestForms:
    @pytest.mark.parametrize(
        "text",
        [
            PLAIN,
            "\ufeff" + PLAIN,
            PLAIN.replace("\n", "\r\n"),
            PLAIN.replace("\n", "\r"),
            PLAIN.replace(",", ";"),
            PLAIN.replace(",", "\t"),
            PLAIN.replace(",", "|"),
            "sep=;\n" + PLAIN.replace(",", ";"),
            "\ufeffsep=;\r\n" + PLAIN.replace(",", ";").replace("\n", "\r\n"),
            "# by hand, 2026\n#\n" + PLAIN,
            PLAIN + "# checked\n",
            "\n" + PLAIN.replace("both", "\nboth"),
            PLAIN.rstrip("\n"),
            PLAIN.replace("social", '"social"').replace("goal", '"goal"'),
            PLAIN.replace("\n", ",,\n"),
            PLAIN + ",,\n",
            ",goal,state,count\n0,social,0,5\n1,both,1,7\n",
            '"","goal","state","count"\n"1","social",0,5\n"2","both",1,7\n',
            "Unnamed: 0,goal,state,count\n0,social,0,5\n1,both,1,7\n",
            '"goal" "state" "count"\n'.replace(" ", ",") + '"1","social",0,5\n"2","both",1,7\n',
            PLAIN.replace(",", " , "),
        ],
    )
    def test_every_form_gives_the_same_cells(self, tmp_path: Path, text: str) -> None:
        table = read(tmp_path, text)
        assert table.columns == ["goal", "state", "count"]
        assert table.text("goal") == ["social", "both"]
        assert table.numbers("count").tolist() == [5, 7]
        assert table.levels("state").tolist() == [0, 1]

    @pytest.mark.parametrize("encoding", ["utf-16", "utf-8-sig", "utf-8"])
    def test_encodings(self, tmp_path: Path, encoding: str) -> None:
        table = read(tmp_path, "name,count\nJosé,1\n".encode(encoding))
        assert table.text("name") == ["José"]
        assert not table.notes

    def test_windows_1252_is_read_and_noted(self, tmp_path: Path) -> None:
        table = read(tmp_path, "name,count\nJosé,1\n".encode("cp1252"))
        assert table.text("name") == ["José"]
        assert "Windows-1252" in table.notes[0]

    def test_a_column_of_row_numbers_is_named_in_the_notes(self, tmp_path: Path) -> None:
        assert "numbers the rows" in read(tmp_path, ",goal\n0,a\n1,b\n").notes[0]

    def test_an_index_that_is_no_row_number_stays(self, tmp_path: Path) -> None:
        assert read(tmp_path, "index,goal\n7,a\n9,b\n").columns == ["index", "goal"]

    def test_lines_are_those_of_the_file(self, tmp_path: Path) -> None:
        table = read(tmp_path, "# a\n# b\ngoal,count\n\nx,1\n# c\ny,two\n")
        assert table.lines == (5, 7)
        with pytest.raises(WolvesError) as fault:
            table.numbers("count")
        assert fault.value.line == 7
        assert fault.value.column == "count"

    def test_line_breaks_within_quotes_belong_to_the_field(self, tmp_path: Path) -> None:
        table = read(tmp_path, 'name,count\n"two\nlines",1\nx,2\n')
        assert table.text("name") == ["two\nlines", "x"]
        assert table.lines == (2, 4)


class TestNames:
    @pytest.mark.parametrize("name", ["None", "NA", "null", "nan", "n/a", "N/A", "TRUE", "-"])
    def test_words_that_read_as_missing_are_names(self, tmp_path: Path, name: str) -> None:
        assert read(tmp_path, f"goal,count\n{name},1\n").text("goal") == [name]

    def test_names_that_are_numbers_stay_as_written(self, tmp_path: Path) -> None:
        table = read(tmp_path, "speaker,count\n3.10,1\n3.1,1\n007,1\n7,1\n1e3,1\n")
        assert table.text("speaker") == ["3.10", "3.1", "007", "7", "1e3"]


class TestNumbers:
    def test_decimal_commas(self, tmp_path: Path) -> None:
        table = read(tmp_path, "goal;count\na;0,5\nb;12\nc;1,25\n")
        assert table.numbers("count").tolist() == [0.5, 12, 1.25]

    def test_quoted_decimal_commas_between_commas(self, tmp_path: Path) -> None:
        assert read(tmp_path, 'goal,count\na,"0,5"\n').numbers("count").tolist() == [0.5]

    @pytest.mark.parametrize("entry", ['"1,234"', "x", "1.2.3", "-1", "1e400", "12 000 000 0"])
    def test_what_is_no_single_number_is_refused(self, tmp_path: Path, entry: str) -> None:
        with pytest.raises(WolvesError) as fault:
            read(tmp_path, f"goal,count\na,1\nb,{entry}\n").numbers("count")
        assert fault.value.line == 3

    def test_a_decimal_point_among_decimal_commas_is_refused(self, tmp_path: Path) -> None:
        with pytest.raises(WolvesError, match="decimal point although"):
            read(tmp_path, "goal;count\na;0,5\nb;1.234\n").numbers("count")

    def test_counts_that_double_precision_cannot_hold_are_refused(self, tmp_path: Path) -> None:
        with pytest.raises(WolvesError, match="counts are not exact"):
            read(tmp_path, f"goal,count\na,{10**17}\n").numbers("count")
        assert read(tmp_path, f"goal,count\na,{2**53}\n").numbers("count")[0] == 2.0**53

    def test_nullable_whole_numbers_and_truth(self, tmp_path: Path) -> None:
        table = read(tmp_path, "state,yes,other\n3.0,TRUE,\n0.0,false,NA\n2,T,1\n")
        assert table.levels("state").tolist() == [3, 0, 2]
        assert table.numbers("yes", words=True).tolist() == [1, 0, 1]
        assert np.isnan(table.numbers("other", missing=True)).tolist() == [True, True, False]
        with pytest.raises(WolvesError):
            table.numbers("other")

    def test_levels_in_words(self) -> None:
        entries = ["2", "2.0", "2 hearts", "2hearts", "heart_2", "two", "Two hearts", "state.2"]
        assert read_levels(entries).tolist() == [2] * len(entries)
        for bad in ("", "2.5", "hearts", "half", "1/2", "-"):
            with pytest.raises(NotANumberError):
                read_levels([bad])

    def test_a_percentage_where_a_count_belongs(self, tmp_path: Path) -> None:
        with pytest.raises(WolvesError, match="a percentage"):
            read(tmp_path, "goal,count\na,45%\n").numbers("count")


class TestWhatItIsInstead:
    @pytest.mark.parametrize(
        ("content", "words"),
        [
            (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n", "Git LFS"),
            (b"\n<!DOCTYPE html><html></html>", "web page"),
            (b"PK\x03\x04rest", "workbook"),
            (b"\x1f\x8b\x08", "gzip"),
            (b'{"goal": 1}', "JSON"),
            (b'[{"goal": 1}]', "JSON"),
            (b"PAR1abc", "Parquet"),
            (b"a,b\n\x00\x01", "binary"),
            (b"", "empty file"),
            (b"\n \n", "empty file"),
            (b"# only a comment\n", "empty file"),
            (b"goal,state,count\n", "no rows"),
            (b"goal,goal\na,b\n", "two columns are called"),
            (b"goal,count\na,1\nb,1,2\n", "expected 2 fields"),
            (b'goal,count\n"a,1\n', "quotation marks"),
        ],
    )
    def test_it_is_named(self, tmp_path: Path, content: bytes, words: str) -> None:
        with pytest.raises(WolvesError, match=words):
            read(tmp_path, content)

    def test_a_file_that_is_not_there(self, tmp_path: Path) -> None:
        with pytest.raises(WolvesError, match="cannot be read"):
            read_foreign(tmp_path / "none.csv")


class TestShape:
    def test_wide_made_long(self, tmp_path: Path) -> None:
        table = longer(read(tmp_path, "goal,bad,good\na,1,2\nb,3,4\n"), ["bad", "good"], "u", "n")
        assert table.frame.to_numpy().tolist() == [
            ["a", "bad", "1"],
            ["a", "good", "2"],
            ["b", "bad", "3"],
            ["b", "good", "4"],
        ]
        assert table.lines == (2, 2, 3, 3)

    @pytest.mark.parametrize("form", ["{:.3f}", "{:.1%}", "{:.2%}"])
    def test_rounded_shares_give_their_counts(self, tmp_path: Path, form: str) -> None:
        counts = np.array([17, 3, 0, 20])
        rows = [f"g,{form.format(c / 40)},40" for c in counts]
        table = read(tmp_path, "goal,share,n\n" + "\n".join(rows))
        assert counts_from_shares(table, "share", "n", ["goal"])[0].tolist() == counts.tolist()

    @pytest.mark.parametrize(
        ("rows", "words"),
        [
            ("g,0.50,10\ng,0.40,10\n", "add up to 9 of 10"),
            ("g,50%,200\ng,43%,200\n", "add up to 186 of 200"),
            ("g,0.55,10\ng,0.45,10\n", "whole number out of 10"),
            ("g,1.5,10\n", "whole number out of"),
        ],
    )
    def test_shares_that_are_no_counts(self, tmp_path: Path, rows: str, words: str) -> None:
        table = read(tmp_path, "goal,share,n\n" + rows)
        with pytest.raises(WolvesError, match=words):
            counts_from_shares(table, "share", "n", ["goal"])


def test_a_data_frame_reads_like_its_file(tmp_path: Path) -> None:
    frame = pd.DataFrame(
        {"goal": ["a", None], "state": pd.array([1, None], dtype="Int64"), "count": [2.0, 0.5]}
    )
    frame.to_csv(tmp_path / "table.csv", index=False)
    of_frame, of_file = foreign_of(frame), read_foreign(tmp_path / "table.csv")
    assert of_frame.text("goal") == of_file.text("goal")
    assert of_frame.text("state") == ["1", ""]
    assert of_frame.numbers("count").tolist() == of_file.numbers("count").tolist()


NAMES = st.text(
    st.characters(blacklist_categories=("Cs", "Cc"), blacklist_characters="\ufeff"), max_size=8
).map(str.strip)
FORMS = st.fixed_dictionaries(
    {
        "separator": st.sampled_from([",", ";", "\t", "|"]),
        "end": st.sampled_from(["\n", "\r\n"]),
        "mark": st.booleans(),
        "named": st.booleans(),
        "numbered": st.booleans(),
        "comment": st.booleans(),
        "quote": st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
        "comma": st.booleans(),
    }
)


@given(
    rows=st.lists(
        st.tuples(NAMES, NAMES, st.integers(0, 10**6), st.integers(0, 99)), min_size=2, max_size=6
    ),
    form=FORMS,
)
@settings(max_examples=100)
def test_what_is_written_in_any_form_is_read_back(
    tmp_path_factory: pytest.TempPathFactory,
    rows: list[tuple[str, str, int, int]],
    form: dict[str, object],
) -> None:
    out = io.StringIO()
    writer = csv.writer(
        out,
        delimiter=str(form["separator"]),
        lineterminator=str(form["end"]),
        quoting=form["quote"],  # type: ignore[arg-type]
    )
    sign = "," if form["comma"] and form["separator"] != "," else "."
    writer.writerow([*([""] if form["numbered"] else []), "speaker", "goal", "count"])
    for at, (speaker, goal, whole, part) in enumerate(rows, start=1):
        cells = [f"s{speaker}", f"g{goal}", f"{whole}{sign}{part:02d}"]
        writer.writerow([*([at] if form["numbered"] else []), *cells])
    text = out.getvalue()
    if form["comment"]:
        text = f"# a comment{form['end']}" + text
    if form["named"]:
        text = f"sep={form['separator']}{form['end']}" + text
    path = tmp_path_factory.mktemp("form") / "t.csv"
    path.write_bytes((b"\xef\xbb\xbf" if form["mark"] else b"") + text.encode())
    table = read_foreign(path)
    assert table.columns == ["speaker", "goal", "count"]
    assert table.text("speaker") == [f"s{row[0]}".strip() for row in rows]
    assert table.text("goal") == [f"g{row[1]}".strip() for row in rows]
    assert table.numbers("count").tolist() == [float(f"{row[2]}.{row[3]:02d}") for row in rows]


@given(st.floats(0, 1e15, allow_nan=False))
def test_any_number_that_python_writes_is_read(value: float) -> None:
    assert read_numbers([repr(value)]).values[0] == value
