"""Canonical JSON, fingerprints, atomic writes, and the files that ship with the project."""

from __future__ import annotations

import hashlib
import json
import os
import re
import stat
import tempfile
from collections.abc import Iterable
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from many_wolves.errors import WolvesError

_PACKAGE = Path(__file__).parent


_CANONICAL = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def canonical_json(value: Any) -> str:
    """JSON with sorted keys and no spaces: the same text for equal values."""
    return _CANONICAL.encode(value)


def fingerprint(value: Any, length: int = 16) -> str:
    """Hexadecimal SHA-256 of the canonical JSON of ``value``, cut to ``length`` digits."""
    return text_fingerprint(canonical_json(value), length)


def text_fingerprint(text: str, length: int = 16) -> str:
    """Hexadecimal SHA-256 of a text, cut to ``length`` digits."""
    return hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()[:length]


def whole_text(text: str) -> str:
    """The text with every half of a surrogate pair replaced, so that UTF-8 can hold it."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text


def file_fingerprint(path: str | Path, length: int = 16) -> str:
    """Hexadecimal SHA-256 of a file's bytes, cut to ``length`` digits."""
    with open(path, "rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()[:length]


def write_atomic(path: str | Path, content: str | bytes | Iterable[bytes]) -> Path:
    """Write a file so that a reader sees either the old or the new content, never a part.

    Content that comes in pieces is written piece by piece. Letters that UTF-8 cannot hold, such
    as those of a file name in another encoding, become U+FFFD. Special files such as
    ``/dev/null`` or a pipe are written into and never replaced; a link stays a link.

    Raises
    ------
    OSError
        With this path, if it cannot be written.
    """
    whole = whole_text(content).encode() if isinstance(content, str) else content
    pieces = [whole] if isinstance(whole, bytes) else whole
    if is_special(path):
        with open(path, "wb") as device:
            device.writelines(pieces)
        return Path(path)
    target = Path(os.path.realpath(path))
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        _write_beside(target, pieces)
    except OSError as error:
        if Path(str(error.filename)).name.startswith(f".{target.name}."):
            # The user does not know the temporary file.
            raise OSError(error.errno, error.strerror, str(path)) from error
        raise
    return Path(path)


def _write_beside(target: Path, pieces: Iterable[bytes]) -> None:
    """Write a temporary file and give it the name of the target."""
    handle, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
    try:
        with os.fdopen(handle, "wb") as out:
            out.writelines(pieces)
            out.flush()
            os.fsync(out.fileno())
        Path(name).chmod(0o644)
        Path(name).replace(target)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def is_special(path: str | Path) -> bool:
    """Whether a path, its links followed, is a device, a pipe or a socket."""
    try:
        mode = os.stat(path).st_mode  # noqa: PTH116  (a Path would read the name of an open pipe)
    except OSError:
        return False
    return not (stat.S_ISREG(mode) or stat.S_ISDIR(mode))


def refuse_device(path: str | Path) -> None:
    """Refuse to read a device, which could have no end; a pipe has one.

    Raises
    ------
    WolvesError
        If the path, its links followed, is a device.
    """
    if Path(path).is_char_device() or Path(path).is_block_device():
        raise WolvesError(
            "expected a file, found a device", where=path, fix="give the path of a file"
        )


def read_json_object(path: str | Path, fix: str) -> dict[str, Any]:
    """Read a JSON object from a file.

    Parameters
    ----------
    path
        The file.
    fix
        What to do if it contains none.

    Raises
    ------
    WolvesError
        If the file cannot be read, is not JSON in UTF-8, or is not an object.
    """
    refuse_device(path)
    try:
        return json_object(Path(path).read_text(encoding="utf-8"), path, fix)
    except OSError as error:
        raise WolvesError(
            f"the file cannot be read: {error.strerror}", where=path, fix="check the path"
        ) from error
    except UnicodeDecodeError as error:
        raise WolvesError(
            f"expected JSON, found text that is not UTF-8 (byte {error.start})", where=path, fix=fix
        ) from error


def json_object(text: str, where: str | Path, fix: str) -> dict[str, Any]:
    """Parse a JSON object; see ``read_json_object``."""
    try:
        found = json.loads(text, object_pairs_hook=_keys_once)
    except json.JSONDecodeError as error:
        raise WolvesError(
            f"expected JSON, found {error.msg}", where=where, line=error.lineno, fix=fix
        ) from error
    except ValueError as error:
        raise WolvesError(f"expected JSON; {error}", where=where, fix=fix) from error
    except RecursionError as error:
        raise WolvesError(
            "expected JSON; its brackets are nested too deeply", where=where, fix=fix
        ) from error
    if not isinstance(found, dict):
        raise WolvesError(
            f"expected a JSON object, found {type(found).__name__}", where=where, fix=fix
        )
    return found


def _keys_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """The pairs of an object as a dict; a duplicate key is an error."""
    found = dict(pairs)
    if len(found) < len(pairs):
        keys = [key for key, _ in pairs]
        twice = next(key for key in keys if keys.count(key) > 1)
        raise ValueError(f"duplicate key {twice!r}")
    return found


def plain_name(words: str) -> str:
    """A readable file name for a text; different texts may give the same name."""
    return re.sub(r"[^A-Za-z0-9.+@-]+", "-", words).strip("-")


def file_name(words: str) -> str:
    """A readable file name for a text: forbidden characters become dashes."""
    return plain_name(words)


def shipped(relative: str) -> Path:
    """Path of a file that ships with the project, such as ``rsa-model/stan_model/x.stan``.

    An installed wheel carries these files inside the package; a checkout keeps
    them at its root.

    Raises
    ------
    WolvesError
        If the file is missing from both.
    """
    for root in (_PACKAGE / "shipped", _PACKAGE.parent.parent):
        if (root / relative).exists():
            return root / relative
    raise WolvesError(
        f"the project's own file {relative!r} is missing",
        fix="reinstall many-wolves, or restore the file with `git checkout`",
    )


def code_version() -> str:
    """Version of the installed package, ``0+unknown`` when it is not installed."""
    try:
        return version("many-wolves")
    except PackageNotFoundError:
        return "0+unknown"
