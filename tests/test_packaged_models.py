"""Preparing a packaged model: what the same process does afterwards is not changed by it."""

import os

import pytest

from many_wolves.errors import WolvesError
from many_wolves.speakers.local import packaged_models


def test_preparing_a_model_leaves_the_environment_as_it_was(tmp_path, monkeypatch):
    monkeypatch.setattr(packaged_models, "_gguf_file", lambda packaged, scratch: _a_file(scratch))
    monkeypatch.setattr(packaged_models, "_convert", lambda gguf, target: target.mkdir())
    monkeypatch.setattr(packaged_models, "_write_provenance", lambda packaged, gguf, folder: None)
    before = dict(os.environ)
    packaged_models.prepare("smollm2", tmp_path / "model", print)
    assert (tmp_path / "model").is_dir()
    assert dict(os.environ) == before


@pytest.fixture
def cheap(monkeypatch):
    monkeypatch.setattr(packaged_models, "_gguf_file", lambda packaged, scratch: _a_file(scratch))
    monkeypatch.setattr(packaged_models, "_convert", lambda gguf, target: target.mkdir())
    monkeypatch.setattr(packaged_models, "_write_provenance", lambda packaged, gguf, folder: None)


def test_what_a_killed_process_left_is_removed_and_what_is_in_use_stays(tmp_path, cheap):
    left = tmp_path / ".model.killed"
    left.mkdir()
    (left / packaged_models._IN_USE).touch()
    with packaged_models._scratch(tmp_path / "model") as used:
        assert not left.exists()
        packaged_models.prepare("smollm2", tmp_path / "model", print)
        assert used.is_dir()
    assert [found.name for found in tmp_path.iterdir()] == ["model"]


def test_a_folder_that_cannot_be_made_is_named(tmp_path, cheap):
    (tmp_path / "file").touch()
    with pytest.raises(WolvesError, match="file/model: the folder cannot be made"):
        packaged_models.prepare("smollm2", tmp_path / "file" / "model", print)


def _a_file(scratch):
    file = scratch / "model.gguf"
    file.write_bytes(b"GGUF")
    return file
