"""Figures: what they show, the files they become, and what they say of bad fit folders."""

from __future__ import annotations

import contextlib
import gc
import json
import os
import re
import subprocess
import sys
import zlib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from fit_folders import UTTERANCES, write_fit_folder
from many_wolves.cli import run, wolves
from many_wolves.commands.plot_staged import is_kind, of_kind, staged
from many_wolves.errors import WolvesError
from many_wolves.families.politeness.references import SPEAKER
from many_wolves.families.politeness.reporting import figures as politeness
from many_wolves.families.politeness.reporting.figures import frames
from many_wolves.figures import Figure, Fitted, read_all, read_fitted, save
from many_wolves.figures.agreement import agreement
from many_wolves.figures.chains import rank_band, ranks, trace
from many_wolves.figures.save import inline_svg, render, render_all
from many_wolves.figures.theme import (
    MM,
)
from many_wolves.outcomes import r_squared
from many_wolves.workflows.figures import draw


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    place = tmp_path_factory.mktemp("fits")
    four = ("informative", "social", "both", "none")
    return {
        "people": write_fit_folder(place / "people", speaker="people", seed=1),
        "local": write_fit_folder(place / "local", speaker="hf/org/small", seed=2, conditions=four),
        "remote": write_fit_folder(place / "remote", speaker="anthropic/large+low", seed=3),
    }


@pytest.fixture(scope="module")
def fit(folders: dict[str, Path]) -> Fitted:
    return read_fitted(folders["local"])


def test_weights_hold_every_parameter_goal_and_people_as_a_band(folders: dict[str, Path]) -> None:
    fits = read_all(list(folders.values()))
    figure = politeness.utility_weights(fits)
    points = figure.data[figure.data["drawn"] == "point"]
    band = figure.data[figure.data["drawn"] == "band"]
    assert list(dict.fromkeys(points["speaker"])) == ["small", "large+low"]
    assert len(points) == 4 * (4 + 3)
    assert "203 people" in figure.caption
    assert "95 % highest-density interval" in figure.caption
    assert "n = 800" in figure.caption
    people = frames.weight_rows(read_fitted(folders["people"]), ["w_inf"])
    drawn = band[band["parameter"] == "w_inf"]
    np.testing.assert_allclose(drawn["mean"].to_numpy(), people["mean"].to_numpy())
    layers = [type(layer.geom).__name__ for layer in figure.plot.layers]
    assert layers.count("geom_crossbar") == 1


def test_the_band_is_of_people_whose_literal_meanings_are_treated_alike(tmp_path: Path) -> None:
    def written(name: str, speaker: str, literal: str) -> Fitted:
        options = {"literal": literal, "utilities": ["inf", "soc", "pres"], "cost_form": "prior"}
        return read_fitted(write_fit_folder(tmp_path / name, speaker=speaker, options=options))

    one = written("one", "hf/org/a", "fixed")
    fixed, joint = written("f", SPEAKER, "fixed"), written("j", SPEAKER, "joint")
    alike = politeness.utility_weights([joint, one, fixed])
    assert "literal meanings: fixed" in alike.caption and "differently" not in alike.caption
    for fits in ([one], [joint, one]):
        other = politeness.utility_weights(fits).caption
        assert "literal meanings: joint" in other and "were estimated differently" in other


def test_people_alone_are_drawn_as_points_without_a_band(folders: dict[str, Path]) -> None:
    figure = politeness.utility_weights([read_fitted(folders["people"])])
    assert set(figure.data["speaker"]) == {"people"}
    assert "Open diamonds: values published" in figure.caption
    assert "Grey bands" not in figure.caption


def test_several_fits_get_the_figures_that_compare_them(
    folders: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn: list[str] = []

    def noted(one: Figure, *_: object) -> list[Path]:
        drawn.append(one.name)
        return []

    monkeypatch.setattr("many_wolves.figures.save", noted)
    both = read_all([folders["local"], folders["remote"]])
    draw(both, tmp_path)
    assert {"weights", "simplex", "agreement_by_speaker"} <= set(drawn)
    assert not {"agreement", "cells", "literal", "listener", "speaker"} & set(drawn)
    drawn.clear()
    draw(both, tmp_path, ["agreement"])
    assert drawn == ["agreement", "agreement"]
    drawn.clear()
    draw(both[:1], tmp_path)
    assert {"agreement", "cells", "literal", "listener", "speaker"} <= set(drawn)


def test_many_speakers_get_a_row_each(fit: Fitted) -> None:

    fits = [replace(fit, name=f"speaker {i}") for i in range(9)]
    figure = politeness.utility_weights(fits)
    assert figure.data.loc[figure.data["drawn"] == "point", "speaker"].nunique() == 9
    assert len(render(figure, "svg")) > 1000


def test_cells_agree_with_the_counts(folders: dict[str, Path]) -> None:
    people = read_fitted(folders["people"])
    frame = politeness.choice_cells(people).data
    assert len(frame) == 96
    counts = people.values("observed_data", "counts")
    for row in frame.itertuples():
        cell = counts.sel(condition=row.condition, state=row.state)
        expected = float(cell.sel(utterance=row.utterance)) / float(cell.sum())
        assert row.observed == pytest.approx(expected)
        assert 0 <= row.low <= row.high <= 1


def test_states_that_were_not_asked_are_left_out(tmp_path: Path) -> None:
    import xarray as xr

    folder = write_fit_folder(tmp_path / "partial")
    tree = xr.load_datatree(folder / "posterior.nc")
    counts = tree["observed_data"]["counts"].to_numpy()
    counts[0, 1] = 0
    (folder / "posterior.nc").unlink()
    tree.to_netcdf(folder / "posterior.nc")
    frame = frames.cells(read_fitted(folder))
    assert len(frame) == 96 - len(UTTERANCES)
    assert frame["observed"].notna().all()


def test_literal_figure_shows_judgments_with_jeffreys_intervals(fit: Fitted) -> None:
    figure = politeness.literal_semantics(fit)
    assert len(figure.data) == 32
    inside = figure.data["observed"].between(figure.data["low"], figure.data["high"])
    assert inside.all()
    assert f"n = {49 * 32:,}" in figure.caption


def test_tables_sum_to_one(fit: Fitted) -> None:
    listener = politeness.listener_table(fit).data.groupby("utterance")["mean"].sum()
    speaker = politeness.speaker_table(fit).data.groupby(["condition", "state"])["mean"].sum()
    np.testing.assert_allclose(listener.to_numpy(), 1)
    np.testing.assert_allclose(speaker.to_numpy(), 1)


def test_r_squared() -> None:
    x = pd.Series([0.1, 0.4, 0.2])
    assert r_squared(x, 2 * x + 1) == pytest.approx(1)
    assert np.isnan(r_squared(x, pd.Series([0.3, 0.3, 0.3])))
    flat = pd.DataFrame({"group": "a", "predicted": x, "low": 0.0, "high": 1.0, "observed": 0.3})
    assert "is undefined" in agreement(flat, groups=["a"], n=9).caption


@pytest.mark.parametrize("width", ["one", "two"])
def test_pdf_has_its_size_and_its_fonts_inside(fit: Fitted, width: str) -> None:
    figure = politeness.literal_semantics(fit, width)  # type: ignore[arg-type]
    pdf = render(figure, "pdf")
    box = re.search(rb"/MediaBox \[ ?0 0 ([\d.]+) ([\d.]+)", pdf)
    assert box is not None
    assert float(box[1]) / 72 * 25.4 == pytest.approx(MM[figure.width], abs=0.5)
    assert b"/FontFile2" in pdf
    assert b"/Type3" not in pdf


def test_files_are_the_same_each_time(fit: Fitted) -> None:
    first, second = (
        render_all(politeness.listener_table(fit), ("pdf", "svg", "png")) for _ in range(2)
    )
    assert first == second


def test_save_writes_files_with_the_data_and_the_words(fit: Fitted, tmp_path: Path) -> None:
    figure = politeness.listener_table(fit)
    files = save(figure, tmp_path)
    assert [f.suffix for f in files] == [".pdf", ".svg", ".png", ".csv", ".txt"]
    back = pd.read_csv(tmp_path / "listener.csv")
    np.testing.assert_allclose(back["mean"], figure.data["mean"], rtol=1e-4)
    words = (tmp_path / "listener.txt").read_text()
    assert figure.caption in words
    assert figure.alt in words


def test_png_has_300_dots_an_inch(fit: Fitted) -> None:
    png = render(politeness.listener_table(fit), "png")
    width = int.from_bytes(png[16:20], "big")
    assert width == pytest.approx(MM["one"] / 25.4 * 300, abs=2)
    assert zlib.crc32(png[12:29]) == int.from_bytes(png[29:33], "big")


def test_inline_svg_shares_no_id_and_carries_its_text(fit: Fitted) -> None:
    figure = politeness.choice_agreement(fit)
    plain, other = inline_svg(figure), inline_svg(figure, "narrow-")
    ids = [set(re.findall(r' id="([^"]+)"', text)) for text in (plain, other)]
    assert ids[0]
    assert not ids[0] & ids[1]
    for text, own in zip((plain, other), ids, strict=True):
        used = set(re.findall(r'(?:href="#|url\(#)([^")]+)', text))
        assert used == own
    assert ">observed proportion<" in plain
    assert "http" not in plain


def test_band_holds_for_chains_that_agree_and_flags_those_that_do_not() -> None:
    rng = np.random.default_rng(7)
    at, low, high = rank_band(100, 4)
    assert (low <= 0).all()
    assert (high >= 0).all()
    outside = 0
    for _ in range(200):
        labels = rng.permutation(np.repeat(np.arange(4), 100))
        below = np.cumsum(labels[None] == np.arange(4)[:, None], axis=1)
        difference = below[:, (at * 400).round().astype(int) - 1] / 100 - at
        outside += bool(((difference < low - 1e-9) | (difference > high + 1e-9)).any())
    # 95 % simultaneous: 10 of 200 expected; 0 or 25 would be a wrong level.
    assert 1 <= outside <= 24
    same = rng.normal(size=(4, 300))
    shifted = same + np.array([0, 0, 0, 3.0])[:, None]
    assert "every chain stays inside" in ranks({"a": same}, {}).caption
    assert "leave the band for b" in ranks({"a": same, "b": shifted}, {}).caption


def test_trace_shows_every_chain(fit: Fitted) -> None:
    draws = fit.values("posterior", "alpha").to_numpy()
    data = trace({"alpha": draws}, points=50).data
    assert data["chain"].nunique() == 4
    assert len(data) == 4 * 50


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("fit.json", "{", "line 1"),
        ("fit.json", "{}", "'model'"),
        ("summary.csv", "parameter,mean\n", "hdi_low"),
        ("posterior.nc", "nothing", "NetCDF"),
        ("diagnostics.json", None, "is missing"),
    ],
)
def test_bad_folders_name_file_and_fix(
    tmp_path: Path, name: str, content: str | None, said: str
) -> None:
    folder = write_fit_folder(tmp_path / "fit", draws=20)
    if content is None:
        (folder / name).unlink()
    else:
        (folder / name).write_text(content)
    with pytest.raises(WolvesError) as caught:
        _ = read_fitted(folder).draws
    assert said in str(caught.value)
    assert str(folder) in caught.value.place
    assert caught.value.fix


def test_plot_lists_and_draws(
    folders: dict[str, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(wolves, ["plot", "--list"]) == 0
    listed = capsys.readouterr().out
    assert {"weights", "cells", "literal", "listener", "speaker"} <= set(listed.split())
    given = ["plot", "listener", str(folders["local"]), "--out", str(tmp_path), "--width", "one"]
    assert run(wolves, given) == 0
    names = {Path(line).name for line in capsys.readouterr().out.splitlines()}
    assert names == {f"listener.{kind}" for kind in ("pdf", "svg", "png", "csv", "txt")}


def test_figures_of_each_fit_have_their_own_folders(tmp_path: Path) -> None:
    names = ["x/GPT", "x/gpt", "x/a b", "x/a-b", "x/NUL"]
    fits = [
        write_fit_folder(tmp_path / str(i), speaker=name, draws=20, seed=i)
        for i, name in enumerate(names)
    ]
    files = draw(read_all(fits), tmp_path / "plots", ["listener"], formats=("svg",))
    assert {file.name for file in files} == {"listener.svg", "listener.csv", "listener.txt"}
    folders = {file.parent.name.lower() for file in files}
    assert len(folders) == len(names)
    assert "nul" not in folders


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["nonsense", "{fit}"], "'nonsense'"),
        (["listener"], "fit folder"),
        (["no/such/folder"], "fit.json"),
    ],
)
def test_plot_says_what_is_wrong(
    folders: dict[str, Path],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    words: list[str],
    said: str,
) -> None:
    given = [word.format(fit=folders["local"]) for word in words]
    assert run(wolves, ["plot", *given, "--out", str(tmp_path)]) == 2
    error = capsys.readouterr().err
    assert said in error
    assert "Fix:" in error


def test_staged_scripts_take_their_kind_of_model(
    folders: dict[str, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    place = folders["local"].parent
    assert [f.name for f in of_kind("hf", place)] == ["people", "local"]
    assert [f.name for f in of_kind("api", place)] == ["people", "remote"]
    assert not is_kind("api", "simulated/x")
    arguments = ["--fits", str(place), "--out", str(tmp_path), "--presave", "weights"]
    assert run(staged("api"), arguments) == 0
    assert {p.suffix for p in tmp_path.iterdir()} == {".pdf", ".svg", ".png", ".csv", ".txt"}
    assert run(staged("api"), ["--fits", str(tmp_path)]) == 2
    assert "none of that kind" in capsys.readouterr().err


def test_the_shipped_reference_is_a_full_posterior_of_people() -> None:
    from many_wolves.families.politeness.reporting.reference import human_weights

    frame = human_weights()
    weights = frame[frame["parameter"].str.startswith("w_")]
    np.testing.assert_allclose(weights.groupby("condition")["mean"].sum(), 1, atol=1e-3)
    assert set(frame["condition"]) == {"informative", "social", "both", ""}
    assert (frame["hdi_low"] < frame["mean"]).all()
    assert (frame["mean"] < frame["hdi_high"]).all()


def test_fixture_folder_is_what_the_reader_expects(folders: dict[str, Path]) -> None:
    info = json.loads((folders["remote"] / "fit.json").read_text())
    assert read_fitted(folders["remote"]).conditions == info["conditions"]


@pytest.mark.parametrize("at", [0.05, 0.5, 0.95])
def test_draws_that_are_damaged_are_named_without_a_traceback(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], at: float
) -> None:
    folder = write_fit_folder(tmp_path / "fit", draws=20)
    path = folder / "posterior.nc"
    whole = bytearray(path.read_bytes())
    start = int(at * len(whole))
    whole[start : start + 400] = b"\xff" * 400
    path.write_bytes(whole)
    with contextlib.suppress(WolvesError):
        read_fitted(folder).draws.load()
    gc.collect()
    assert "Traceback" not in capfd.readouterr().err


def test_a_home_folder_that_cannot_be_written_is_no_matter_of_the_user(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    home = {"HOME": str(tmp_path / "file"), "XDG_CONFIG_HOME": "", "XDG_CACHE_HOME": ""}
    code = (
        "from many_wolves.commands.command import show_messages; show_messages();"
        "import matplotlib.pyplot, logging; logging.getLogger('matplotlib').warning('another')"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={k: v for k, v in (os.environ | home).items() if v and k != "MPLCONFIGDIR"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stderr.split("\n")[0] == "another", done.stderr


@pytest.mark.parametrize("backend", ["nonsense", "module://a_package_that_is_not_here", "QtAgg"])
def test_figures_are_drawn_whatever_backend_the_environment_names(backend: str) -> None:
    code = "import many_wolves.figures, matplotlib.pyplot as plt; plt.figure()"
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=os.environ | {"MPLBACKEND": backend},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert ("drawn with agg" in done.stderr) == (backend != "QtAgg")
