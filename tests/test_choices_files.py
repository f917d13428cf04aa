"""A choice table in its folder: it comes back whole, and a fault names its place."""

from __future__ import annotations

import json
import math
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

import pandas as pd
import pytest

from many_wolves.errors import WolvesError
from many_wolves.families.politeness.options import PolitenessDesign
from many_wolves.families.politeness.task.compiler import trials_of
from many_wolves.tables import read_table, write_table
from policies import FAMILY, answers, check, honest, kind, said


def test_a_table_comes_back_from_its_folder(trials, tmp_path):
    responses = [
        *answers(trials[:200], kind),
        said(trials[200], "none, of these"),
        said(trials[201], ""),
    ]
    table = FAMILY.tabulate(responses, scoring="sum")
    back = read_table(write_table(table, tmp_path / "choices"))
    pd.testing.assert_frame_equal(back.rows, table.rows, check_dtype=False)
    pd.testing.assert_frame_equal(back.aside["literal"], table.aside["literal"], check_dtype=False)
    assert back.excluded["n"].sum() == 2
    assert back.excluded["status"].tolist() == table.excluded["status"].tolist()
    assert back.checks == table.checks
    assert back.meta["scoring"] == "sum"
    assert back.family == "politeness"
    assert "none" in set(back.rows["goal"])
    assert back.rows["state"].dtype.kind == "i"


def test_nan_in_a_check_survives(tmp_path):
    trials = trials_of(PolitenessDesign(tasks=("choice",), goals=("social",), limit=8))
    table = FAMILY.tabulate(answers(trials, honest), scoring="sum")
    back = read_table(write_table(table, tmp_path))
    assert math.isnan(check(back, "goal").p_value)
    json.loads((tmp_path / "checks.json").read_text(), parse_constant=pytest.fail)


@pytest.fixture
def folder(choice, tmp_path) -> Path:
    return write_table(FAMILY.tabulate(answers(choice[:60], kind), scoring="sum"), tmp_path / "t")


def edit(file: Path, change: Callable[[list[str]], Sequence[str]]) -> None:
    file.write_text("\n".join(change(file.read_text().splitlines())) + "\n")


def test_a_table_with_a_fault_names_its_place(folder):
    counts = folder / "counts.csv"
    whole = counts.read_text()

    def fault() -> WolvesError:
        with pytest.raises(WolvesError) as error:
            read_table(folder)
        return error.value

    edit(counts, lambda lines: [*lines[:4], lines[4].rsplit(",", 1)[0] + ",many", *lines[5:]])
    assert fault().place == f"{counts}, line 5, column count"
    edit(counts, lambda lines: [*lines[:4], lines[4].rsplit(",", 1)[0] + ",-1", *lines[5:]])
    assert "zero or more" in fault().problem
    counts.write_text(whole.replace("speaker,", "who,", 1))
    assert "expected a column 'speaker'" in fault().problem
    counts.write_text("")
    assert "empty" in fault().problem
    counts.write_text(whole + "a,b,c,d,e,f,g,h\n")
    assert "commas" in fault().problem
    counts.unlink()
    assert "wolves choices" in fault().fix
    counts.write_text(whole)
    (folder / "meta.json").write_text("{")
    assert fault().line == 1
    (folder / "meta.json").write_text("{}")
    assert "'family'" in fault().problem
    (folder / "meta.json").write_text('{"family": "politeness", "schema": 99}')
    assert "schema" in fault().problem


@pytest.mark.parametrize("name", ["\0", "../literal", 3])
def test_a_table_whose_name_is_not_a_file_name_is_refused(tmp_path, name):
    golden = Path(__file__).parent / "golden/schema1/politeness/choices/hf-score"
    shutil.copytree(golden, tmp_path / "choices")
    meta = tmp_path / "choices/meta.json"
    record = json.loads(meta.read_text())
    record.pop("tables", None)
    meta.write_text(json.dumps(record | {"aside": [name]}))
    with pytest.raises(WolvesError, match="expected names of tables"):
        read_table(tmp_path / "choices")


@pytest.mark.parametrize(
    ("field", "value"),
    [("speakers", 3), ("speakers", {"hf/smollm2": 10**30}), ("labels", {"hf/smollm2": []}),
     ("speakers", {"hf/smollm2": {"provider": "hf"}})],
)  # fmt: skip
def test_what_is_stated_by_speaker_is_checked(tmp_path, field, value):
    golden = Path(__file__).parent / "golden/schema1/politeness/choices/hf-score"
    shutil.copytree(golden, tmp_path / "choices")
    meta = tmp_path / "choices/meta.json"
    meta.write_text(json.dumps(json.loads(meta.read_text()) | {field: value}))
    with pytest.raises(WolvesError, match=f"expected an object.* in {field}"):
        read_table(tmp_path / "choices")
