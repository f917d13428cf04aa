"""The folders of results: each says what is written there, and git keeps nothing else."""

from __future__ import annotations

import re
import subprocess
from dataclasses import fields
from pathlib import Path
from types import ModuleType

import pytest

from many_wolves.cli import COMMANDS
from many_wolves.findings import statement
from many_wolves.inference.evaluation import influence, pooling, sensitivity
from many_wolves.inference.evaluation.recovery import Power
from many_wolves.inference.sampling.summary import COLUMNS
from many_wolves.records import Check, Response
from many_wolves.workflows import compare

ROOT = Path(__file__).parents[1]
FOLDERS = ("llm-output", "rsa-output", "plots")


def names_in(folder: str) -> set[str]:
    """Every name that the README of a folder puts into code."""
    text = (ROOT / folder / "README.md").read_text()
    return set(re.findall(r"`([^`]+)`", text))


@pytest.mark.parametrize("folder", FOLDERS)
class TestFolder:
    def test_git_keeps_its_readme_and_ignores_all_else(self, folder: str) -> None:
        if not (ROOT / ".git").exists():
            pytest.skip("needs a git checkout")
        kept = subprocess.run(
            ["git", "ls-files", folder], cwd=ROOT, capture_output=True, text=True, check=True
        ).stdout.split()
        assert kept == [f"{folder}/README.md"]
        written = [f"{folder}/a.jsonl", f"{folder}/a/README.md", f"{folder}/a/fit/summary.csv"]
        ignored = subprocess.run(
            ["git", "check-ignore", *written], cwd=ROOT, capture_output=True, text=True, check=False
        ).stdout.split()
        assert ignored == written

    def test_its_commands_and_scripts_exist(self, folder: str) -> None:
        names = names_in(folder)
        commands = {name.split()[1] for name in names if name.startswith("wolves ")}
        assert commands
        assert commands <= COMMANDS.keys()
        scripts = [name for name in names if name.endswith(".py")]
        assert not [script for script in scripts if not (ROOT / script).is_file()]


def test_every_field_of_a_journal_is_described() -> None:
    described = names_in("llm-output")
    assert not [f.name for f in fields(Response) if f.name not in described]
    assert "schema" in described


def test_every_column_of_a_summary_and_field_of_a_check_is_described() -> None:
    described = names_in("rsa-output")
    assert not set(COLUMNS) - described
    assert not [f.name for f in fields(Check) if f.name not in described]


@pytest.mark.parametrize("module", [statement, influence, pooling, sensitivity, compare])
def test_every_column_of_other_tables_is_described(module: ModuleType) -> None:
    assert not set(module.COLUMNS) - names_in("rsa-output")


def test_every_column_of_power_is_described() -> None:
    assert not {f.name for f in fields(Power)} - names_in("rsa-output")


def test_every_command_that_writes_results_is_described() -> None:
    names = [name.split() for folder in FOLDERS for name in names_in(folder)]
    described = {name[1] for name in names if name[0] == "wolves"}
    others = {"data", "compile", "serve", "models", "programs", "predict", "study", "replay"}
    others |= {"tournament", "train-agent", "design-rules"}
    assert not COMMANDS.keys() - others - described
