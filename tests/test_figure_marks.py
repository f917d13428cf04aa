"""Marks of many speakers: who belongs together, their order, legends and headings."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from fit_folders import write_fit_folder
from many_wolves.families.politeness.reporting import figures as politeness
from many_wolves.figures import read_fitted
from many_wolves.figures.chart import FILLED
from many_wolves.figures.lineage import Kin, kin_of, marks
from many_wolves.figures.theme import (
    COLOURS,
    KEY_MM,
    LETTER_MM,
    LINE_MM,
    MM,
    SHAPES,
    cycle,
    group_shapes,
    legend_columns,
    legend_mm,
)
from many_wolves.workflows.folders import fit_folders


def test_legends_of_twenty_speakers_fit_and_tell_them_apart() -> None:
    names = [f"Mixtral-8x7B-Instruct-v0.{i}" for i in range(20)]
    width = legend_columns(names) * (KEY_MM + LETTER_MM * max(map(len, names)))
    assert width <= MM["two"]
    assert legend_mm(names) == LINE_MM * 7
    kinds, beside = ["people", "base", "instruct", "unknown"], 24 * LETTER_MM
    assert legend_columns(kinds, "one") == 4
    columns = legend_columns(kinds, "one", beside)
    assert columns * (KEY_MM + LETTER_MM * len("instruct")) <= MM["one"] - beside
    for shapes in (SHAPES, FILLED):
        marks = list(zip(cycle(COLOURS, 20), group_shapes(20, shapes), strict=True))
        assert len(set(marks)) == 20


def test_fits_of_checkpoints_come_in_the_order_of_their_numbers(tmp_path) -> None:
    for step in (1000, 200, 30):
        folder = tmp_path / f"run@checkpoint-{step}" / "fit"
        folder.mkdir(parents=True)
        (folder / "fit.json").write_text("{}")
    found = [folder.parent.name for folder in fit_folders(tmp_path)]
    assert found == [f"run@checkpoint-{step}" for step in (30, 200, 1000)]


def test_fits_of_efforts_and_of_post_trained_models_come_in_their_order(tmp_path) -> None:
    names = ["m-8B", "m-8B-Instruct", "m-70B", "think", "think+none", "think+low", "think+high"]
    for name in reversed(names):
        (tmp_path / name / "fit").mkdir(parents=True)
        (tmp_path / name / "fit" / "fit.json").write_text("{}")
    assert [folder.parent.name for folder in fit_folders(tmp_path)] == names


def test_kin_share_a_colour_and_no_mark_is_used_twice() -> None:
    pairs = [f"m{i}{form}" for i in range(7) for form in ("", "-chat")]
    names = [*pairs, *(f"run@{i}" for i in range(6))]
    kin = Kin({n: n.split("-")[0].split("@")[0] for n in names}, frozenset(pairs[::2]))
    for shapes in (SHAPES, FILLED):
        drawn = dict(zip(names, marks(names, kin, shapes), strict=True))
        assert len(set(drawn.values())) == len(names)
        for base, tuned in zip(pairs[::2], pairs[1::2], strict=True):
            assert drawn[base] == drawn[tuned]._replace(fill="white")
    flat = marks(names, Kin(kin.lineage), FILLED)
    assert len({(m.colour, m.shape) for m in flat}) == len(names)
    runs = {m.colour for n, m in zip(names, flat, strict=True) if n.startswith("run")}
    assert len(runs) <= 2


def test_kin_are_found_by_their_labels(tmp_path: Path) -> None:
    labels = [
        {"model": "a", "family": "f", "parameters": 7e9, "training": "base"},
        {"model": "a-chat", "family": "f", "parameters": 7e9, "training": "instruct"},
        {"model": "b", "family": "f", "parameters": 1e9, "training": "base"},
        {"model": "c", "effort": "low"},
        {"model": "c", "effort": "high"},
    ]
    fits = [
        replace(fitted, name=f"s{i}", info={**fitted.info, "labels": one})
        for fitted in [read_fitted(write_fit_folder(tmp_path / "fit", draws=20))]
        for i, one in enumerate(labels)
    ]
    kin = kin_of(fits)
    drawn = [mark.colour for mark in marks([fit.label for fit in fits], kin)]
    assert drawn[0] == drawn[1] != drawn[2] != drawn[3] == drawn[4]
    assert kin.base == {"s0", "s2"}
    figure = politeness.utility_weights(fits)
    assert "Hollow marks: base models." in figure.caption
    assert "Choices: n = 600 for each speaker." in figure.caption


def test_headings_have_two_lines_where_names_take_the_room(tmp_path: Path) -> None:
    one = read_fitted(write_fit_folder(tmp_path / "fit", draws=20))
    for length, lines in ((3, 1), (40, 2)):
        fits = [replace(one, name=str(i).rjust(length, "x")) for i in range(8)]
        panels = politeness.utility_weights(fits).plot.data["panel"].cat.categories
        assert {panel.count("\n") + 1 for panel in panels} == {lines}
