"""Figures of findings: drawn where the fits allow it, refused with the reason where not."""

import pandas as pd
import pytest

from fit_folders import write_fit_folder
from many_wolves.cli import run, wolves
from many_wolves.families.politeness.references import SPEAKER
from many_wolves.families.politeness.reporting.pages import PAGES
from many_wolves.figures import read_all
from many_wolves.findings import plots
from many_wolves.study.checks import FINDING_FIGURES

GOALS = ("informative", "social", "both", "none")


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    folder = tmp_path_factory.mktemp("study")
    write_fit_folder(folder / "people/fit", speaker=SPEAKER, seed=1)
    for i, level in enumerate(("none", "high")):
        write_fit_folder(
            folder / f"o{level}/fit", speaker=f"openai/o+{level}", seed=2 + i, conditions=GOALS,
            labels={"model": "openai/o", "effort": level},
        )  # fmt: skip
    for step in (0, 100, 200):
        write_fit_folder(
            folder / f"run{step}/fit", speaker=f"hf/run@checkpoint-{step}", seed=9 + step,
            conditions=GOALS, labels={"model": "hf/run", "step": step},
        )  # fmt: skip
    return folder


@pytest.fixture(scope="module")
def fits(study):
    return read_all(sorted(path.parent for path in study.rglob("fit.json")))


@pytest.mark.parametrize(
    ("name", "rows"),
    [
        ("forest", 6 * 4),
        ("effort", 4 * 5),
        ("trajectories", 3 * 4 * 4),
        ("sycophancy_map", 5 * 4),
        ("simplex", 5 * 4 + 3),
        ("human_choices", 5 * 3 * 4 * 8),
        ("weights_by_effort", 2 * 4),
    ],
)
def test_every_figure_has_its_data_caption_and_words(fits, name, rows):
    plot = (dict(PAGES.plots()) | plots("sycophancy"))[name]
    assert plot.lacking(fits) == ""
    figure = plot.draw(fits, "one")
    assert figure.name == name and figure.width == "one"
    assert len(figure.data) == rows and figure.data.notna().all().all()
    assert len(figure.alt) > 40 and figure.caption.endswith(".")
    if name != "human_choices":
        assert "posterior" in figure.caption.lower()
    figure.plot.draw()


def test_the_forest_agrees_with_the_draws(fits):
    figure = plots("sycophancy")["forest"].draw(fits, "two")
    one = fits[0]
    row = figure.data.query("panel == 'w_soc' and row == @one.label").iloc[0]
    drawn = one.values("posterior", "w_soc").mean("condition")
    assert row["mean"] == pytest.approx(float(drawn.mean()), abs=0.004)
    assert row["low"] == pytest.approx(float(drawn.quantile(0.025)), abs=0.01)


def test_what_cannot_be_drawn_is_reported_and_left_out(study, tmp_path, capsys):
    alone = [str(study / "onone"), str(study / "people")]
    assert run(wolves, ["plot", "effort", *alone, "--out", str(tmp_path)]) == 2
    assert "converged fits at several efforts" in capsys.readouterr().err
    arguments = ["plot", "simplex", str(study / "onone"), "--out", str(tmp_path)]
    assert run(wolves, arguments) == 0
    assert (tmp_path / "simplex.pdf").read_bytes().startswith(b"%PDF")
    assert len(pd.read_csv(tmp_path / "simplex.csv")) == 4


def test_the_list_names_figures_of_the_family_and_of_findings(capsys):
    assert run(wolves, ["plot", "--list"]) == 0
    listed = capsys.readouterr().out
    for name in ("simplex", "trajectories", "sycophancy_map", "forest", "weights"):
        assert f"{name} " in listed


def test_plans_know_the_names_of_these_figures():
    assert set(plots()) == FINDING_FIGURES
