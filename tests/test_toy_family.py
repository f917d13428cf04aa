"""A task family of somebody else's package goes from compile to report, with nothing changed here.

The family is in ``tests/toy_family``. One line of its ``pyproject.toml`` registers it;
``installed`` makes of that line what an installer makes of it.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest

from warm_shell import WarmShell

TOY = Path(__file__).parent / "toy_family"
SHORT = ("--chains", "2", "--warmup", "300", "--draws", "800", "--engine", "httpstan")
TRUTH = {
    "plain": {"level": {"plain": 0.3, "kind": 0.3}, "slope": 0.05, "sigma": 0.08},
    "gushing": {"level": {"plain": 0.4, "kind": 0.8}, "slope": 0.05, "sigma": 0.08},
}


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The environment of a process in which the toy's package is installed."""
    site = tmp_path_factory.mktemp("site")
    project = tomllib.loads((TOY / "pyproject.toml").read_text())["project"]
    info = site / f"{project['name'].replace('-', '_')}-{project['version']}.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(
        f"Metadata-Version: 2.1\nName: {project['name']}\nVersion: {project['version']}\n"
    )
    lines = [
        line
        for group, entries in project["entry-points"].items()
        for line in (f"[{group}]", *(f"{name} = {value}" for name, value in entries.items()))
    ]
    (info / "entry_points.txt").write_text("\n".join(lines) + "\n")
    return os.environ | {"PYTHONPATH": os.pathsep.join([str(site), str(TOY)])}


class Shell(WarmShell):
    """Runs commands and scripts in a folder where the toy is installed."""

    def python(self, script: str) -> str:
        done = subprocess.run(
            [sys.executable, "-c", script], capture_output=True, text=True, cwd=self.folder,
            env=self.environment, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return done.stdout


@pytest.fixture(scope="module")
def shell(tmp_path_factory: pytest.TempPathFactory, installed: dict[str, str]) -> Iterator[Shell]:
    with Shell(tmp_path_factory.mktemp("toy"), installed) as warm:
        yield warm


@pytest.fixture(scope="module")
def tables(shell: Shell) -> dict[str, Path]:
    """Tables of two simulated speakers, asked through the command line."""
    assert "trials in" in shell.wolves("compile", "--task", "price", "--copies", "4")
    made = {}
    for name, truth in TRUTH.items():
        (shell.folder / f"{name}.json").write_text(json.dumps(truth))
        shell.wolves(
            "collect", "task-data/compiled/price.jsonl", "--provider", "simulated",
            "--model_name", name, "--parameters", f"{name}.json", "--seed", "3",
        )  # fmt: skip
        [journal] = (shell.folder / "llm-output" / "prices").glob(f"simulated-{name}*.jsonl")
        out = shell.folder / "rsa-output" / name / "choices"
        assert "all prices were read" in shell.wolves(
            "choices", journal, "--task", "price", "--out", out
        )
        made[name] = out
    return made


def fit(shell: Shell, table: Path | str, out: str, *more: str) -> Path:
    words = ["fit", *([table] if table else []), *more, *SHORT, "--out", out]
    assert "The chains converged" in shell.wolves(*words)
    return shell.folder / out


def level(folder: Path, tone: str) -> float:
    summary = pd.read_csv(folder / "summary.csv").set_index(["parameter", "condition"])
    return float(summary.loc[("level", tone), "mean"])


def test_the_family_and_its_options_show_themselves(shell: Shell) -> None:
    assert "--tones" in shell.wolves("compile", "--help")
    assert "--slope" in shell.wolves("fit", "--help")
    listed = shell.wolves("plot", "--list", "--family", "prices")
    assert "check" in listed and "forest" in listed
    trials = (shell.folder / "letters.jsonl").resolve()
    shell.wolves("compile", "--task", "letter", "--tones", "kind", "--out", trials)
    manifest = json.loads(trials.with_name("letters.manifest.json").read_text())
    assert manifest["family"] == "prices" and manifest["trials"] == 5
    assert {cell["tone"] for cell in manifest["cells"]} == {"kind"}
    shell.wolves("compile", "--task", "price", "--goals", "social", status=2)


@pytest.mark.stan
def test_from_the_command_line(shell: Shell, tables: dict[str, Path]) -> None:
    fits = {name: fit(shell, t, f"fits/{name}", "--no-report") for name, t in tables.items()}
    people = fit(shell, "", "fits/buyers", "--data", "buyers")
    assert level(fits["gushing"], "kind") == pytest.approx(0.8, abs=0.1)
    assert level(fits["plain"], "kind") == pytest.approx(0.3, abs=0.1)
    assert 0.3 < json.loads((fits["plain"] / "fit.json").read_text())["r2"] <= 1
    found = json.loads(shell.wolves("findings", *fits.values(), people, "--json"))
    sentences = [row["sentence"] for row in found["statements"]]
    assert any("the tone kind, compared with plain" in sentence for sentence in sentences)
    assert {"tones", "distance"} & {row["finding"] for row in found["statements"]}
    shell.wolves("report", *fits.values(), people, "--one-page", "--out", "page.html")
    page = (shell.folder / "page.html").read_text()
    assert "gushing" in page and "Prices were fitted by a line." in page
    shell.wolves("plot", "check", fits["plain"], "--out", "plots")
    assert (shell.folder / "plots" / "agreement.csv").is_file()


@pytest.mark.stan
def test_variants_are_compared_and_many_speakers_fitted(
    shell: Shell, tables: dict[str, Path]
) -> None:
    shell.wolves("compare", tables["plain"], *SHORT, "--out", "compared")
    rows = pd.read_csv(shell.folder / "compared" / "comparison.csv").set_index("model")
    assert rows.loc["level", "elpd_diff"] < 0 and rows.loc["level", "log_bf"] < 0
    frames = [pd.read_csv(table / "prices.csv") for table in tables.values()]
    pd.concat(frames).to_csv(shell.folder / "both.csv", index=False)
    words = ("--task", "price", *SHORT, "--no-report", "--allow-unconverged")
    shell.wolves("fit-all", "both.csv", *words, "--no-human", "--out", "all")
    assert {p.parent.name for p in (shell.folder / "all").glob("*/fit.json")} == {
        "simulated-plain",
        "simulated-gushing",
    }


@pytest.mark.stan
def test_known_parameters_are_found_again_and_the_fit_is_calibrated(
    shell: Shell, tables: dict[str, Path]
) -> None:
    words = (tables["plain"], "--warmup", "150", "--draws", "150", "--engine", "httpstan")
    given = ("--given", "plain.json", "--n", "4", "--workers", "1")
    # four simulations may fall short of what is asked of fifty: status 1
    shell.wolves("recover", *words, *given, "--out", "recovered", status=(0, 1))
    table = pd.read_csv(shell.folder / "recovered" / "recovery.csv").set_index("quantity")
    assert {"level", "slope", "sigma"} <= set(table.index)
    assert table.loc["level", "rmse"] < 0.1
    shell.wolves("calibrate", *words, "--n", "20", "--workers", "1", "--out", "calibrated")
    assert json.loads((shell.folder / "calibrated" / "calibration.json").read_text())["ok"]


STUDY = """\
study: toy
title: Two sellers
collect: {seed: 5}
fit: {chains: 2, warmup: 300, draws: 800, engine: httpstan}
report: {figures: [forest], pages: false}
tasks:
  - {task: price, copies: 4, fit: {slope: true}}
  - {task: letter, copies: 2, tones: [kind], fit: {slope: false}}
human: [buyers]
speakers:
  - name: plain
    provider: simulated
    parameters: PLAIN
    as_player: PLAIN
"""


@pytest.mark.stan
def test_from_a_study_file(shell: Shell) -> None:
    file = shell.folder / "toy.yaml"
    file.write_text(STUDY.replace("PLAIN", json.dumps(TRUTH["plain"])))
    file.with_name("bad.yaml").write_text(file.read_text().replace("slope: true", "slop: true"))
    assert "not run yet" in shell.wolves("study", "status", file)
    shell.wolves("study", "status", file.with_name("bad.yaml"), status=2)
    assert "Report:" in shell.wolves("study", "run", file)
    results = shell.folder / "rsa-output" / "toy"
    page = (results / "report.html").read_text()
    assert "Two sellers" in page and "letter" in page
    options = json.loads((results / "plain" / "letter" / "fit" / "fit.json").read_text())
    assert options["options"]["slope"] is False
    assert options["command"].startswith("wolves fit rsa-output/toy/plain/letter/choices")


@pytest.mark.stan
def test_from_python(shell: Shell, tables: dict[str, Path]) -> None:
    script = f"""
import many_wolves as mw
import pandas as pd

asked = dict(provider="simulated", model="py", parameters={TRUTH["gushing"]}, progress=False)
for task, design in (("price", dict(copies=2)), ("letter", dict(tones=["kind"]))):
    trials = mw.compile(task, out=f"py-{{task}}.jsonl", **design)
    answers = mw.collect(trials, **asked)
    assert answers.complete, answers
choices = mw.choices(answers.journals)
assert choices.speakers == ["simulated/py"] and choices.total == 25, choices

frame = pd.read_csv("{tables["plain"] / "prices.csv"}")
short = dict(chains=2, warmup=200, draws=200, engine="httpstan", progress=False)
fit = mw.fit(mw.read_choices(frame, task="price"), out="py", slope=False, **short)
assert set(fit.weights["parameter"]) == {{"level", "sigma"}}, fit.weights
assert "r²" in fit._repr_html_()
enough = short | dict(warmup=300, draws=800)
both = mw.fit_all(choices, human=True, out="py-all", workers=1, **enough)
assert len(both) == 2 and "py" in both, both
page = mw.report_on(both, "py.html")
assert "Prices were fitted by a line." in page.read_text()
assert both.figure("forest") is not None and len(both.findings())
recovered = mw.recover(
    choices, out="py-recovered", n=3, given={TRUTH["plain"]}, workers=1, **short
)
assert "nominal coverage" in recovered._repr_html_() and len(recovered.table)
try:
    mw.fit(mw.data("buyers"), slop=True)
except mw.WolvesError as error:
    assert "did you mean 'slope'" in str(error), error
else:
    raise AssertionError
"""
    shell.python(script)


def test_a_family_that_cannot_be_imported_stops_nothing_else(
    tmp_path: Path, installed: dict[str, str]
) -> None:
    info = tmp_path / "broken-1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: broken\nVersion: 1\n")
    (info / "entry_points.txt").write_text("[many_wolves.families]\nbroken = no_such_module:X\n")
    environment = installed | {"PYTHONPATH": f"{tmp_path}{os.pathsep}{installed['PYTHONPATH']}"}
    words = [sys.executable, "-m", "many_wolves", "compile", "--limit", "2", "--out", "x.jsonl"]
    done = subprocess.run(
        words, capture_output=True, text=True, cwd=tmp_path, env=environment, check=False
    )
    assert done.returncode == 0 and (tmp_path / "x.jsonl").is_file()
    assert "'broken'" in done.stderr and "remove the package broken" in done.stderr
