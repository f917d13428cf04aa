"""Local models that cannot be loaded or placed: named in words, before anything is loaded."""

from __future__ import annotations

from pathlib import Path

import pytest

from many_wolves.cli import run
from many_wolves.commands.collect import command as collect
from many_wolves.errors import WolvesError
from many_wolves.speakers.local.load import _on
from small_trials import trials, write_trials
from test_study_plan import POINTER, model


def test_a_device_that_is_not_there_is_an_error_with_its_fix() -> None:
    class Model:
        def to(self, device: str) -> None:
            raise RuntimeError("Found no NVIDIA driver on your system.\nPlease check")

    with pytest.raises(WolvesError, match="'cuda': Found no NVIDIA driver") as caught:
        _on(Model(), "cuda")
    assert "--device cpu" in caught.value.fix


@pytest.mark.parametrize("dry", [[], ["--dry-run"], ["--explain"]])
def test_weights_that_were_not_downloaded_are_named(tmp_path: Path, capsys, dry) -> None:
    folder = model(tmp_path / "m", **{"model.safetensors": POINTER, "config.json": '{"dtype": ""}'})
    listed = write_trials(tmp_path / "t.jsonl", trials(2))
    words = [str(listed), "--provider", "hf", "--model_path", str(folder), "--dtype", "float32"]
    assert run(collect, [*words, "--out", str(tmp_path / "j.jsonl"), *dry]) == 2
    said = capsys.readouterr().err
    assert "model.safetensors: this is a Git LFS pointer" in said
    assert "git lfs pull" in said
