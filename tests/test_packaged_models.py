"""Preparing a packaged model: what the same process does afterwards is not changed by it."""

import os

from many_wolves.speakers.local import packaged_models


def test_preparing_a_model_leaves_the_environment_as_it_was(tmp_path, monkeypatch):
    monkeypatch.setattr(packaged_models, "_gguf_file", lambda packaged, scratch: _a_file(scratch))
    monkeypatch.setattr(packaged_models, "_convert", lambda gguf, target: target.mkdir())
    monkeypatch.setattr(packaged_models, "_write_provenance", lambda packaged, gguf, folder: None)
    before = dict(os.environ)
    packaged_models.prepare("smollm2", tmp_path / "model", print)
    assert (tmp_path / "model").is_dir()
    assert dict(os.environ) == before


def _a_file(scratch):
    file = scratch / "model.gguf"
    file.write_bytes(b"GGUF")
    return file
