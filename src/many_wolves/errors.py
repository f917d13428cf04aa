"""The error for users: the problem, its place, and the command or edit that fixes it."""

from __future__ import annotations

from pathlib import Path


class WolvesError(Exception):
    """An error that the user can fix.

    Parameters
    ----------
    problem
        What was expected and what was found, in one sentence.
    where
        The file with the error, if there is one.
    line
        Line number in that file, counted from one.
    column
        Column name or field name in that file.
    fix
        The command or edit that fixes it.
    """

    def __init__(
        self,
        problem: str,
        *,
        where: str | Path | None = None,
        line: int | None = None,
        column: str | None = None,
        fix: str = "",
    ) -> None:
        super().__init__(problem)
        self.problem = problem
        self.where = str(where) if where is not None else ""
        self.line = line
        self.column = column
        self.fix = fix

    @property
    def place(self) -> str:
        """The place of the error, as ``FILE, line N, column NAME``; empty if there is none."""
        parts = [self.where] if self.where else []
        if self.line is not None:
            parts.append(f"line {self.line}")
        if self.column is not None:
            parts.append(f"column {self.column}")
        return ", ".join(parts)

    def __str__(self) -> str:
        text = f"{self.place}: {self.problem}" if self.place else self.problem
        return f"{text}\n  Fix: {self.fix}" if self.fix else text


class SettingError(WolvesError):
    """A speaker does not support a setting; it can be asked without the setting.

    Parameters
    ----------
    problem, fix
        As in ``WolvesError``.
    setting
        Name of the setting.
    """

    def __init__(self, problem: str, *, setting: str, fix: str = "") -> None:
        super().__init__(problem, fix=fix)
        self.setting = setting


EMPTY_PATH = "give a path; the current folder is '.'"
"""Fix for an empty text in place of a path."""
