"""A fit records the call that makes it again: from its own arguments, wherever it was made."""

from __future__ import annotations

import json
import shlex
import sys
from pathlib import Path

import pandas as pd
import pytest

import many_wolves as mw
from many_wolves.cli import run, wolves
from many_wolves.families.politeness.reading.human import choice_counts
from many_wolves.inference import Fit
from many_wolves.tables import write_table
from many_wolves.workflows import fits
from many_wolves.workflows.data import load
from many_wolves.workflows.fit_all import _jobs, singles_of


class StoppedError(Exception):
    """Raised in place of sampling."""


@pytest.fixture
def recorded(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[dict]:
    """What would stand in ``fit.json``; nothing is compiled or sampled."""
    kept: list[dict] = []

    def save(_: Fit, folder: Path, facts: dict) -> None:
        kept.append(facts | {"folder": folder})
        raise StoppedError

    monkeypatch.setattr("many_wolves.inference.load", lambda *_: None)
    monkeypatch.setattr("many_wolves.workflows.fits.sampled", lambda *_: None)
    monkeypatch.setattr("many_wolves.workflows.fits.examined", lambda *_: {})
    monkeypatch.setattr("many_wolves.inference.save", save)
    # what the process was started with must not matter
    monkeypatch.setattr(sys, "argv", ["/opt/jupyter/ipykernel_launcher.py", "-f", "kernel.json"])
    monkeypatch.chdir(tmp_path)
    return kept


def again(command: str) -> dict:
    """The arguments that the recorded command line gives the command ``fit``."""
    program, name, *words = shlex.split(command)
    assert (program, name) == ("wolves", "fit")
    kept: list[dict] = []

    def fit_into(observations, out, request, facts=None):
        kept.append({"speaker": observations.speakers, "total": observations.total, "out": out})
        kept[-1] |= {"request": request}
        raise StoppedError

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(fits, "fit_into", fit_into)
        patch.setattr("many_wolves.commands.fit.fit_into", fit_into, raising=False)
        assert run(wolves, [name, *words]) == 3  # stopped
    return kept[0]


def fitted(*words: str) -> None:
    assert run(wolves, ["fit", *words]) == 3  # stopped


def table(folder: Path) -> Path:
    counts = choice_counts().assign(speaker="me")
    return write_table(mw.Observations.from_rows("politeness", counts, {}), folder)


def test_from_the_command_line(recorded):
    table(Path("made"))
    fitted("made", "--literal", "fixed", "--chains", "2", "--seed", "7", "--out", "here")
    [fit] = recorded
    assert fit["command"] == ("wolves fit made --literal fixed --chains 2 --seed 7 --out here")
    assert fit["call"]["options"] == {"literal": "fixed"}
    assert fit["call"]["sampling"]["seed"] == 7


def test_from_python(recorded, tmp_path):
    with pytest.raises(StoppedError):
        mw.fit(mw.data(), out="here", literal="cut", seed=3, progress=False)
    with pytest.raises(StoppedError):
        mw.fit(table(tmp_path / "made"), progress=False)
    first, second = recorded
    assert first["command"] == "wolves fit --data yoon2020 --literal cut --seed 3 --out here"
    assert second["command"] == "wolves fit made --out rsa-output/me"


def test_from_memory_the_table_is_left_open(recorded):
    with pytest.raises(StoppedError):
        mw.fit(choice_counts().assign(speaker="me"), out="here", progress=False)
    assert recorded[0]["command"].startswith("wolves fit CHOICES --task politeness")


def test_from_a_worker(recorded, tmp_path):
    counts = choice_counts()
    both = pd.concat([counts.assign(speaker="a/b"), counts.assign(speaker="c d")])
    write_table(mw.Observations.from_rows("politeness", both, {}), tmp_path / "made")
    request = fits.FitRequest({"literal": "fixed"}, report=False)
    jobs, refused = _jobs(singles_of([load(tmp_path / "made")]), tmp_path / "fits", request)
    assert not refused
    assert [job.facts["command"] for job in jobs] == [
        f"wolves fit made --speaker {name} --literal fixed --out fits/{folder}"
        for name, folder in (("a/b", "a-b"), ("'c d'", "c-d"))
    ]


@pytest.mark.parametrize("words", [(), ("--utilities", "inf,soc"), ("--variant", "inf+soc")])
def test_the_record_makes_the_same_fit(recorded, words):
    table(Path("made"))
    fitted("made", *words, "--draws", "50", "--seed", "4")
    [fit] = recorded
    made = again(fit["command"])
    assert made["speaker"] == ["me"] and made["total"] == choice_counts()["count"].sum()
    request = made["request"]
    assert request.sampling.draws == 50 and request.sampling.seed == 4
    assert request.record(mw.read_choices("made"))["call"] == fit["call"]


def test_no_path_of_this_machine_is_kept(recorded, tmp_path):
    elsewhere = tmp_path.parent / f"{tmp_path.name}-elsewhere"
    with pytest.raises(StoppedError):
        mw.fit(table(elsewhere / "made"), out=elsewhere / "fit", progress=False)
    text = json.dumps({k: v for k, v in recorded[0].items() if k != "folder"}, default=str)
    assert str(tmp_path.parent) not in text
