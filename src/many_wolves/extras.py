"""Packages that only some users need: what to install when one is missing."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from many_wolves.errors import WolvesError

_PACKAGE = Path(__file__).parent


def install_command(*extras: str) -> str:
    """The command that adds extras to this installation: a wheel or a checkout."""
    if (_PACKAGE / "shipped").is_dir():
        return f"pip install 'many-wolves[{','.join(extras)}]'"
    return "uv sync " + " ".join(f"--extra {extra}" for extra in extras)


def missing_extra(extra: str, what: str, error: ImportError | None = None) -> WolvesError:
    """The error for a package that is not installed.

    Parameters
    ----------
    extra
        Name of the extra in ``pyproject.toml``: ``api``, ``hf``, ``vllm``, ...
    what
        What needs it, such as "the speaker `hf`".
    error
        What the import raised; its words name the package.
    """
    words = f": {error}" if error is not None else ""
    return WolvesError(
        f"{what} needs packages that are not installed{words}", fix=install_command(extra)
    )


@contextmanager
def needs(extra: str, what: str) -> Iterator[None]:
    """Turn an ``ImportError`` in the block into the error that says what to install.

    Raises
    ------
    WolvesError
        If an import in the block fails.
    """
    try:
        yield
    except ImportError as error:
        raise missing_extra(extra, what, error) from error
