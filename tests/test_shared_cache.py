"""A cache that belongs to another user: what is ready is used, and a fault is a sentence."""

from __future__ import annotations

import pytest

from many_wolves.errors import WolvesError
from many_wolves.inference.engines.cache import build_folder
from many_wolves.worlds.otree import environment


def unlockable(*_: object, **__: object) -> None:
    raise PermissionError(13, "Permission denied")


def test_an_environment_that_is_ready_needs_no_lock(tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("MANY_WOLVES_CACHE", str(tmp_path))
    monkeypatch.setattr(environment, "_make", lambda folder, _: folder.mkdir())
    made = environment.otree_environment()
    monkeypatch.setattr(environment, "FileLock", unlockable)
    assert environment.otree_environment() == made
    with pytest.raises(WolvesError, match="cannot be written: Permission denied") as caught:
        environment.otree_environment(["another"])
    assert "MANY_WOLVES_CACHE" in caught.value.fix


def test_a_file_in_the_place_of_the_cache_is_named(tmp_path, monkeypatch) -> None:
    (tmp_path / "cache").write_text("")
    monkeypatch.setenv("MANY_WOLVES_CACHE", str(tmp_path / "cache"))
    with pytest.raises(WolvesError, match="cannot be written"):
        environment.otree_environment()
    with (
        pytest.raises(WolvesError, match="cannot be written"),
        build_folder(tmp_path / "cache" / "httpstan" / "a.so"),
    ):
        pass


def test_a_build_folder_of_another_user_is_named(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr("many_wolves.inference.engines.cache.shutil.rmtree", lambda *_, **__: None)
    (tmp_path / "build_a.so").mkdir()
    with pytest.raises(WolvesError, match="cannot be written"), build_folder(tmp_path / "a.so"):
        pass
