"""Reports: verdict first, complete in themselves, and right in a real browser."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from browser import chromium, loaded, open_page
from fit_folders import leave_figures_out, write_fit_folder
from many_wolves.cli import run, wolves
from many_wolves.errors import WolvesError
from many_wolves.figures import read_all, read_fitted
from many_wolves.report import summary_markdown, write_fit_report, write_study_report
from many_wolves.report.findings import _tex
from many_wolves.report.study import overall
from many_wolves.report.summary import speaker_table
from many_wolves.report.verdict import judge

BLIND = "Its choices do not depend on the state."
LIKED = "I <b>like</b> it"
EXCLUDED = [
    {"task": "choice", "goal": "both", "state": 1, "status": "unparsed", "n": 3, "example": LIKED},
    {"task": "choice", "goal": "social", "state": 2, "status": "refused", "n": 7, "example": ""},
    {"task": "literal", "goal": "", "state": 2, "status": "empty", "n": 2, "example": ""},
]


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    place = tmp_path_factory.mktemp("fits")
    return {
        # All its figures are drawn: of two goals and two states, which takes half the time.
        "people": write_fit_folder(
            place / "people",
            speaker="people",
            seed=1,
            conditions=("informative", "social"),
            states=(0, 3),
        ),
        "blind": write_fit_folder(
            place / "blind", speaker="hf/org/small", seed=2, failed_check=BLIND, excluded=EXCLUDED
        ),
        "stuck": write_fit_folder(
            place / "stuck", speaker="anthropic/large", seed=3, ok=False, unequal_chains=True
        ),
    }


@pytest.fixture(scope="module")
def pages(folders: dict[str, Path]) -> dict[str, Path]:
    found = {"people": write_fit_report(folders["people"])}
    with pytest.MonkeyPatch.context() as patch:
        # One page shows that its figures can be drawn; the other is read for its words.
        leave_figures_out(patch)
        found["blind"] = write_fit_report(folders["blind"])
    study = folders["people"].parent / "study.html"
    title = "Kind <or> true?"
    with pytest.MonkeyPatch.context() as patch:
        leave_figures_out(patch, keep=1)
        found["study"] = write_study_report(title, list(folders.values()), study)
    return found


class Outline(HTMLParser):
    """Tags with their attributes, and the text in reading order."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.words.append(data)

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]


@pytest.mark.parametrize(
    ("name", "grade", "said"),
    [
        ("people", "good", "The chains converged"),
        ("blind", "doubtful", "did not do the task"),
        ("stuck", "bad", "Do not use these numbers"),
    ],
)
def test_verdict_in_words(folders: dict[str, Path], name: str, grade: str, said: str) -> None:
    verdict = judge(read_fitted(folders[name]))
    assert verdict.grade == grade
    assert said in verdict.headline
    assert verdict.reasons or verdict.holds
    assert bool(verdict.reasons) == (grade != "good")


def test_both_faults_are_told_the_worse_first(tmp_path: Path) -> None:
    fit = read_fitted(write_fit_folder(tmp_path / "x", ok=False, failed_check=BLIND, draws=20))
    verdict = judge(fit)
    assert verdict.grade == "bad"
    assert "did not do the task" in verdict.headline
    assert BLIND in verdict.reasons


def test_overall_counts_the_sound_fits(folders: dict[str, Path]) -> None:
    fits = [read_fitted(folder) for folder in folders.values()]
    verdict = overall([(fit, judge(fit)) for fit in fits])
    assert verdict.headline.startswith("1 of 3 fits")
    assert any("large" in reason for reason in verdict.reasons)
    sound = overall([(fits[0], judge(fits[0]))])
    assert sound.grade == "good"


def test_verdict_stands_before_any_number(pages: dict[str, Path]) -> None:
    text = pages["blind"].read_text()
    assert text.index("The speaker did not do the task") < text.index("<table")
    assert BLIND in text


@pytest.mark.parametrize("name", ["people", "blind", "study"])
def test_pages_need_nothing_from_outside(pages: dict[str, Path], name: str) -> None:
    text = pages[name].read_text()
    assert len(text.encode()) < 1_500_000
    assert not re.search(r"https?://|@import|url\((?!#)", text)
    outline = Outline(text)
    for tag, attributes in outline.tags:
        for key in ("src", "href", "xlink:href", "srcset", "action", "data", "poster"):
            target = attributes.get(key)
            assert target is None or target.startswith(("data:", "#")), (tag, key, target[:80])


@pytest.mark.parametrize("name", ["people", "blind", "study"])
def test_figures_have_text_alternatives_and_ids_are_unique(
    pages: dict[str, Path], name: str
) -> None:
    outline = Outline(pages[name].read_text())
    ids = [attributes["id"] for _, attributes in outline.tags if attributes.get("id")]
    assert len(ids) == len(set(ids))
    drawn = outline.all("svg") + outline.all("img")
    assert drawn
    assert all(len(d.get("aria-label") or d.get("alt") or "") > 20 for d in drawn)
    anchors = {(a.get("href") or "")[1:] for a in outline.all("a")}
    assert anchors <= set(ids)


def test_fit_report_holds_its_parts(pages: dict[str, Path]) -> None:
    text = pages["people"].read_text()
    for part in ("verdict", "fitted", "weights", "predictive", "meanings", "recursion", "chains",
                 "excluded", "reproduce"):  # fmt: skip
        assert f'<section id="{part}">' in text
    for figure in ("weights", "agreement", "cells", "literal", "listener", "speaker", "ranks",
                   "trace"):  # fmt: skip
        assert f'id="figure-{figure}"' in text
    words = html.unescape(" ".join(Outline(text).words))
    assert "wolves fit CHOICES --literal joint --utilities inf,soc,pres" in words
    assert "--seed 4" in words
    assert "No answer was excluded" in words


def test_people_stand_beside_the_published_values_and_others_beside_people(
    pages: dict[str, Path],
) -> None:
    people, other = pages["people"].read_text(), pages["blind"].read_text()
    assert "published 2020" in people
    assert "had not mixed" in people
    published = re.search(r">w_pres</th>\s*<td>informative</td>(.*?)</tr>", people, re.DOTALL)
    assert published is not None
    assert ">0.62<" in published[1]
    assert "published 2020" not in other
    assert re.search(r'<th scope="col"[^>]*>people</th>', other)


def test_variants_of_people_stand_beside_the_full_model(tmp_path: Path) -> None:
    from many_wolves.families.politeness.reporting import text
    from many_wolves.families.politeness.reporting.tables import weights_table

    options = {"literal": "fixed", "utilities": ["inf", "soc"]}
    fit = read_fitted(write_fit_folder(tmp_path / "v", speaker="people", draws=20, options=options))
    assert "people" in weights_table(fit).frame
    assert not any("had not mixed" in text for text in text.weights(fit))
    first = {"literal": "joint", "utilities": ["s1"]}
    fit = read_fitted(write_fit_folder(tmp_path / "s", speaker="people", draws=20, options=first))
    assert "first-order" in text.fitted(fit)["Model"]
    assert "sum to one" not in " ".join(text.weights(fit))


def test_framings_are_compared_with_the_goal_of_people(tmp_path: Path) -> None:
    from many_wolves.families.politeness.reporting.reference import human_weights
    from many_wolves.families.politeness.reporting.tables import interval, weights_table

    framed = ("social/first", "social/third")
    fit = read_fitted(write_fit_folder(tmp_path / "f", conditions=framed, draws=20))
    frame = weights_table(fit).frame
    people = frame.loc[frame["parameter"] == "phi", "people"]
    assert list(people) == [interval(human_weights(), "phi", "social")] * 2


def test_weights_table_shows_the_summary(pages: dict[str, Path], folders: dict[str, Path]) -> None:
    summary = read_fitted(folders["blind"]).summary
    row = summary[(summary["parameter"] == "phi") & (summary["condition"] == "social")].iloc[0]
    expected = f"{row['mean']:.2f} [{row['hdi_low']:.2f}, {row['hdi_high']:.2f}]"
    assert expected in pages["blind"].read_text()
    assert expected in pages["study"].read_text()


def test_text_of_speakers_is_escaped(pages: dict[str, Path]) -> None:
    text = pages["blind"].read_text()
    assert "<b>like</b>" not in text
    assert "&lt;b&gt;like" in text
    assert "10 answers to the choice task were excluded, 1.6 % of 610" in text
    assert "Kind &lt;or&gt; true?" in pages["study"].read_text()


def test_markdown_summary(folders: dict[str, Path]) -> None:
    lines = summary_markdown([folders["people"], folders["blind"]]).splitlines()
    assert len(lines) == 2 + 2 + 3
    assert lines[0].startswith("| speaker | goal | w_inf | w_soc | w_pres | phi |")
    assert {line.count("|") for line in lines} == {lines[0].count("|")}
    assert "did not do the task" in lines[-1]


def test_names_stay_in_their_cell_in_markdown_and_latex(tmp_path: Path) -> None:
    folder = write_fit_folder(tmp_path / "odd", speaker="a|b\nc $5 {x}~^\\")
    row = summary_markdown([folder]).splitlines()[2]
    assert r"a\|b c" in row
    assert _tex("a|b\nc $5 {x}~^\\") == (
        r"a|b c \$5 \{x\}\textasciitilde{}\textasciicircum{}\textbackslash{}"
    )


def test_tables_that_came_without_checks_are_not_called_sound(tmp_path: Path) -> None:
    fits = read_all([write_fit_folder(tmp_path / "a", checks=[])])
    assert speaker_table(fits).frame["verdict"].tolist() == ["task not checked"]
    assert "no check shows" in overall([(fit, judge(fit)) for fit in fits]).headline


def test_command_finds_fits_below_a_folder(
    folders: dict[str, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(wolves, ["report", str(folders["people"].parent), "--summary"]) == 0
    assert capsys.readouterr().out == summary_markdown(
        [folders[name] for name in ("blind", "people", "stuck")]
    )


def test_folders_that_are_no_fits(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(wolves, ["report", str(tmp_path)]) == 2
    assert "fit.json" in capsys.readouterr().err
    other = write_fit_folder(tmp_path / "other", family="chess", draws=20)
    mine = write_fit_folder(tmp_path / "mine", draws=20)
    for folders in ([other, mine], [mine, other]):
        with pytest.raises(WolvesError, match="unknown task family 'chess'"):
            write_study_report("x", folders, tmp_path / "x.html")
        with pytest.raises(WolvesError, match="one task family"):
            summary_markdown(folders)
    assert not (tmp_path / "x.html").exists()
    with pytest.raises(WolvesError, match="chess"):
        write_fit_report(other)


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    driver = chromium()
    yield driver
    driver.quit()


@pytest.mark.browser
@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize(
    ("name", "parts"), [("people", (8, 2)), ("blind", (2, 4)), ("study", (3, 4))]
)
def test_page_in_a_browser(
    browser: Any, pages: dict[str, Path], name: str, parts: tuple[int, int], width: int
) -> None:
    figures, tables = parts
    open_page(browser, pages[name], width)
    browser.execute_script("document.querySelectorAll('details').forEach(d => d.open = true)")
    assert loaded(browser, pages[name]) == []
    assert [e for e in browser.get_log("browser") if e["level"] == "SEVERE"] == []
    shown = browser.execute_script(
        "return [...document.querySelectorAll('figure')].map(f => "
        "[...f.querySelectorAll('svg, img')].filter(s => s.getBoundingClientRect().height > 60)"
        ".length)"
    )
    assert len(shown) == figures
    assert set(shown) == {1}, "each figure is shown in one form"
    rows = browser.execute_script(
        "return [...document.querySelectorAll('table')].map(t => t.tBodies[0].rows.length)"
    )
    assert len(rows) >= tables
    assert min(rows) > 0
    spill = browser.execute_script("return document.documentElement.scrollWidth - innerWidth")
    assert spill <= 0


@pytest.mark.browser
@pytest.mark.parametrize("width", [1280, 390])
def test_study_page_shows_speakers_first_and_keeps_both_ends_of_tables(
    browser: Any, pages: dict[str, Path], width: int
) -> None:
    open_page(browser, pages["study"], width)
    rows = browser.execute_script(
        "return [...document.querySelectorAll('#summary tbody tr')]"
        ".map(r => [r.cells[0].textContent, r.cells[r.cells.length - 1].textContent])"
    )
    assert rows == [["people", "sound"], ["small", "did not do the task"],
                    ["large", "not converged"]]  # fmt: skip
    boxes = "document.querySelectorAll('#verdicts > .verdict, #verdicts > details')"
    opened = browser.execute_script(f"return [...{boxes}].map(b => b.tagName)")
    assert opened == ["DIV", "DIV", "DETAILS"], "boxes only where there is something to say"
    seen = browser.execute_script(
        "const view = document.querySelector('#summary .scroll');"
        "const edges = view.getBoundingClientRect();"
        "view.scrollLeft = 80;"
        "return [...view.querySelectorAll('tbody tr')].map(r => {"
        " const first = r.cells[0].getBoundingClientRect();"
        " const last = r.cells[r.cells.length - 1].getBoundingClientRect();"
        " return first.left >= edges.left - 1 && last.right <= edges.right + 1"
        "  && first.right <= last.left;})"
    )
    assert seen == [True] * 3


@pytest.mark.browser
def test_a_link_opens_the_part_that_it_names(browser: Any, pages: dict[str, Path]) -> None:
    open_page(browser, pages["study"], 1280)
    is_open = "return document.getElementById('diagnostics').open"
    assert not browser.execute_script(is_open)
    browser.execute_script("location.hash = '#diagnostics'")
    assert browser.execute_async_script(
        "const done = arguments[0]; setTimeout(() => done("
        "document.getElementById('diagnostics').open), 50)"
    )


@pytest.mark.browser
def test_tables_sort(browser: Any, pages: dict[str, Path]) -> None:
    open_page(browser, pages["study"], 1280)
    column = (
        "return [...document.querySelectorAll('#summary tbody tr')]"
        ".map(r => parseFloat(r.cells[2].textContent))"
    )
    before = browser.execute_script(column)
    button = "document.querySelectorAll('#summary thead button')[2].click();"
    up = browser.execute_script(button + column)
    down = browser.execute_script(button + column)
    assert up == sorted(before)
    assert down == sorted(before, reverse=True)
    assert len(set(before)) > 1


def test_fits_that_are_not_there_are_left_out_by_name(tmp_path, caplog, monkeypatch) -> None:
    from many_wolves.progress import log
    from many_wolves.workflows.folders import present

    # A command of another test may have set where messages go.
    monkeypatch.setattr(log, "handlers", [caplog.handler])
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "fit.json").write_text("{}")
    found, words = present([tmp_path / "a", tmp_path / "b"])
    assert found == (tmp_path / "a",)
    assert str(tmp_path / "b") in words and str(tmp_path / "a") not in words
    assert words in caplog.text
    with pytest.raises(WolvesError, match="found none in 1 folders"):
        present([tmp_path / "b"])
