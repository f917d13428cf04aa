"""Optional packages: how to install those that are missing."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from many_wolves.errors import WolvesError

_PACKAGE = Path(__file__).parent


def program() -> str:
    """The command that starts ``wolves`` in this installation (a wheel or a checkout)."""
    return "wolves" if _of_a_wheel() else "uv run wolves"


def install_command(*extras: str) -> str:
    """The command that adds extras to this installation (a wheel or a checkout)."""
    if _of_a_wheel():
        return (
            f"pip install 'many-wolves[{','.join(extras)}]'"
            if extras
            else ("pip install --force-reinstall many-wolves")
        )
    return " ".join(["uv sync", *(f"--extra {extra}" for extra in extras)])


def _of_a_wheel() -> bool:
    return (_PACKAGE / "shipped").is_dir()


def missing_extra(extra: str, what: str, error: ImportError | None = None) -> WolvesError:
    """The error for a package that is not installed.

    Parameters
    ----------
    extra
        Name of the extra in ``pyproject.toml``: ``api``, ``hf``, ``vllm``, ...
    what
        What needs it, such as "the speaker `hf`".
    error
        The error of the import, whose message contains the package.
    """
    words = f": {error}" if error is not None else ""
    return WolvesError(
        f"{what} needs packages that are not installed{words}", fix=install_command(extra)
    )


@contextmanager
def needs(extra: str, what: str) -> Iterator[None]:
    """Turn an ``ImportError`` in the block into an error with the command that installs the
    package.

    Raises
    ------
    WolvesError
        If an import in the block fails.
    """
    try:
        yield
    except ImportError as error:
        raise missing_extra(extra, what, error) from error
