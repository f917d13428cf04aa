"""The package: what sdist and wheel carry, their metadata, and that an installed one works."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from email import message_from_bytes
from email.message import Message
from pathlib import Path

import pytest
import yaml

from many_wolves.files import shipped

ROOT = Path(__file__).parents[1]
UV = str(ROOT / ".ci" / "uv")
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
SHIPPED_FOLDERS = (
    "task-data",
    "rsa-model",
    "game-model",
    "bargain-model",
    "market-model",
    "experiments",
)


def tracked(*folders: str) -> list[str]:
    """Files of the checkout that git knows; skips the test outside a checkout."""
    if not (ROOT / ".git").exists() or shutil.which("git") is None:
        pytest.skip("needs a git checkout")
    listing = subprocess.run(
        ["git", "-C", str(ROOT), "ls-files", "--", *folders],
        capture_output=True,
        text=True,
        check=True,
    )
    return listing.stdout.split()


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of the sdist, and of the wheel that is made from the sdist."""
    out = tmp_path_factory.mktemp("dist")
    subprocess.run([UV, "build", "--quiet", "--out-dir", out, ROOT], check=True)
    return out


@pytest.fixture(scope="module")
def wheel(built: Path) -> Path:
    return next(built.glob("*.whl"))


@pytest.fixture(scope="module")
def metadata(wheel: Path) -> Message:
    with zipfile.ZipFile(wheel) as files:
        name = next(n for n in files.namelist() if n.endswith(".dist-info/METADATA"))
        return message_from_bytes(files.read(name))


class TestFiles:
    def test_the_wheel_carries_what_the_code_reads(self, wheel: Path) -> None:
        with zipfile.ZipFile(wheel) as files:
            carried = set(files.namelist())
        needed = {f"many_wolves/shipped/{name}" for name in tracked(*SHIPPED_FOLDERS)}
        needed |= {name.removeprefix("src/") for name in tracked("src/many_wolves")}
        assert "many_wolves/py.typed" in needed
        assert not needed - carried

    def test_the_sdist_carries_all_that_git_knows(self, built: Path) -> None:
        with tarfile.open(next(built.glob("*.tar.gz"))) as files:
            carried = {name.partition("/")[2] for name in files.getnames()}
        assert not set(tracked()) - carried

    def test_the_installed_package_finds_them_in_itself(self, wheel: Path, tmp_path: Path) -> None:
        with zipfile.ZipFile(wheel) as files:
            files.extractall(tmp_path)
        script = (
            "import sys; from many_wolves.files import shipped\n"
            "for name in sys.argv[1:]: print(shipped(name))"
        )
        found = subprocess.run(
            [sys.executable, "-c", script, *SHIPPED_FOLDERS],
            env=os.environ | {"PYTHONPATH": str(tmp_path)},
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=True,
        ).stdout.split()
        assert found == [str(tmp_path / "many_wolves/shipped" / f) for f in SHIPPED_FOLDERS]

    def test_a_checkout_finds_its_own(self) -> None:
        assert shipped("task-data") == ROOT / "task-data"


class TestMetadata:
    @pytest.mark.parametrize(
        "field", ["Author", "Summary", "Keywords", "License-Expression", "Project-URL"]
    )
    def test_the_metadata_give_authors_and_purpose(self, metadata: Message, field: str) -> None:
        assert metadata[field]

    def test_it_is_typed(self, metadata: Message) -> None:
        assert "Typing :: Typed" in metadata.get_all("Classifier", [])

    def test_its_readme_reads_well_on_an_index_page(self, metadata: Message) -> None:
        text = metadata.get_payload()
        assert isinstance(text, str)
        assert text.lstrip().startswith("# many-wolves")
        assert not re.findall(r"\]\((?!https?:)[^)]*\)", text), "relative links"
        assert "<!--" not in text
        assert "![" not in text

    def test_the_citation_is_of_this_version(self) -> None:
        citation = yaml.safe_load((ROOT / "CITATION.cff").read_text())
        assert citation["version"] == PROJECT["version"]
        assert citation["license"] == PROJECT["license"]
        assert {"cff-version", "message", "title", "authors"} <= citation.keys()


STUDY = """\
study: tiny
trials: {goals: [informative, social], items: [cake, poem], tasks: [choice]}
collect: {mode: score}
fit: {literal: fixed, chains: 2, warmup: 300, draws: 300}
speakers:
  - name: known
    provider: simulated
    model: known
    parameters:
      alpha: 4
      cost: 2
      weights:
        informative: {w_inf: 0.8, w_soc: 0.1, w_pres: 0.1, phi: 0.7}
        social: {w_inf: 0.1, w_soc: 0.8, w_pres: 0.1, phi: 0.2}
"""


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Install the wheel alone, with the versions that the project tests; returns ``wolves``."""
    place = tmp_path_factory.mktemp("environment")
    exported = subprocess.run(
        [UV, "export", "--quiet", "--no-default-groups", "--no-emit-project", "--no-hashes"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    (place / "versions.txt").write_text(exported)
    python = place / "venv/bin/python"
    subprocess.run([UV, "venv", "--quiet", "--python", "3.12", place / "venv"], check=True)
    install = [UV, "pip", "install", "--quiet", "--python", python, wheel]
    subprocess.run([*install, "--constraint", place / "versions.txt"], cwd=place, check=True)
    return place / "venv/bin/wolves"


def wolves(installed: Path, folder: Path, *arguments: str) -> None:
    """Run a command of the installed package in a folder."""
    outside = {"PYTHONPATH", "PYTHONDONTWRITEBYTECODE", "VIRTUAL_ENV", "UV_PROJECT_ENVIRONMENT"}
    done = subprocess.run(
        [installed, *arguments],
        cwd=folder,
        env={name: value for name, value in os.environ.items() if name not in outside},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.stan
class TestInstalled:
    """The wheel in a separate environment, used from an empty folder."""

    def test_it_fits_the_choices_of_people(self, installed: Path, tmp_path: Path) -> None:
        few = ("--chains", "2", "--warmup", "400", "--draws", "1000", "--no-report")
        wolves(installed, tmp_path, "fit", "--human", "yoon2020", "--literal", "fixed", *few)
        assert list(tmp_path.glob("rsa-output/*/summary.csv"))

    @pytest.mark.slow
    def test_it_runs_a_study(self, installed: Path, tmp_path: Path) -> None:
        (tmp_path / "tiny.yaml").write_text(STUDY)
        wolves(installed, tmp_path, "study", "run", "tiny.yaml")
        assert (tmp_path / "rsa-output/tiny/report.html").is_file()
        assert (tmp_path / "rsa-output/tiny/known/fit/summary.csv").is_file()
