"""Names of speakers in figures: whole, apart from each other, and as they are written."""

import html
import shutil
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest

from fit_folders import write_fit_folder
from many_wolves.families.politeness.reporting import figures as politeness
from many_wolves.figures import Figure, fonts, read_all, read_fitted
from many_wolves.figures.groups import by_group
from many_wolves.figures.save import render


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    place = tmp_path_factory.mktemp("fits")
    return {
        "local": write_fit_folder(place / "local", speaker="hf/org/small"),
        "remote": write_fit_folder(place / "remote", speaker="anthropic/large+low"),
    }


def test_names_in_figures_are_no_mathematics(tmp_path: Path) -> None:
    names = ["x$y$", "mini ($5 in, $15 out)", "a|b", "<b>"]
    fits = [
        read_fitted(write_fit_folder(tmp_path / str(i), speaker=name))
        for i, name in enumerate(names)
    ]
    drawn = render(politeness.utility_weights(fits), "svg").decode()
    for name in names:
        assert html.escape(name, quote=False) in drawn


def test_short_names_stay_apart(folders: dict[str, Path], tmp_path: Path) -> None:
    for place in ("a/fit", "b/fit", "c/other"):
        shutil.copytree(folders["local"], tmp_path / place)
    places = [tmp_path / "a/fit", tmp_path / "c/other", folders["remote"]]
    short = [fit.label for fit in read_all(places)]
    assert short == ["hf/org/small (fit)", "hf/org/small (other)", "large+low"]
    nested = [fit.label for fit in read_all([tmp_path / "a/fit", tmp_path / "b/fit"])]
    assert nested == ["hf/org/small (a/fit)", "hf/org/small (b/fit)"]


def test_names_of_equal_folders_stay_apart(folders: dict[str, Path], tmp_path: Path) -> None:
    places = [tmp_path / "one/out/fit", tmp_path / "two/out/fit"]
    for place in places:
        shutil.copytree(folders["local"], place)
    labels = [fit.label for fit in read_all([*places, places[0]])]
    assert labels[1] == f"hf/org/small ({places[1]})"
    assert len(set(labels)) == 3


def test_the_name_of_a_speaker_of_a_table_is_shown_whole(tmp_path: Path) -> None:
    names = ["a/b", "mini ($5 in/$15 out)", "hf/org/tiny@a/step1"]
    labels: list[dict[str, str]] = [{}, {"group": "tuned"}, {"model": "hf/org/tiny"}]
    folders = [
        write_fit_folder(tmp_path / str(i), speaker=name, labels=given)
        for i, (name, given) in enumerate(zip(names, labels, strict=True))
    ]
    shown = [read_fitted(folder).label for folder in folders]
    assert shown == ["a/b", "mini ($5 in/$15 out)", "tiny@a/step1"]


def _rows_of(*names: str) -> Figure:
    rows = [
        {"parameter": "w", "group": name, "mean": 0.5, "hdi_low": 0.4, "hdi_high": 0.6}
        for name in names
    ]
    return by_group(pd.DataFrame(rows), name="w", title="w", labels={"w": "w"}, groups=names)


@pytest.fixture
def no_other_fonts(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(fonts, "_installed", lambda: iter(()))
    monkeypatch.setattr(fonts, "_told", set())
    fonts.further.cache_clear()
    yield
    fonts.further.cache_clear()


def test_letters_that_only_another_font_has_are_drawn_with_it(
    recwarn: pytest.WarningsRecorder, caplog: pytest.LogCaptureFixture, request
) -> None:
    # This letter is in the STIX font of matplotlib, not in DejaVu Sans.
    figure = _rows_of("\u1d81odel")
    drawn = render(figure, "png", 60)
    assert "boxes" not in caplog.text
    request.getfixturevalue("no_other_fonts")
    assert render(figure, "png", 60) != drawn
    assert not [w for w in recwarn if "Glyph" in str(w.message)]


def test_names_that_no_font_can_write_are_told_once(
    no_other_fonts: None, recwarn: pytest.WarningsRecorder, caplog: pytest.LogCaptureFixture
) -> None:
    figure = _rows_of("模型一", "plain")
    assert "模型一" in render(figure, "svg").decode()
    assert caplog.text == "", "a browser finds its own font"
    for _ in range(2):
        render(figure, "png", 60)
    (said,) = [record.getMessage() for record in caplog.records]
    assert "has: 模型一. SVG" in said
    assert "Fix: install a font" in said
    assert not [w for w in recwarn if "Glyph" in str(w.message)]
