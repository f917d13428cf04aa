"""YAML files that a researcher edits, in which every value keeps its file and line.

PyYAML forgets the position of a value, and silently keeps the last of two equal keys. Here an error
states file, line and fix.
"""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cached_property
from pathlib import Path
from typing import Any

import yaml

from many_wolves.errors import WolvesError
from many_wolves.files import refuse_device

_ODD_NUMBER = {
    "tag:yaml.org,2002:int": re.compile(r"[-+]?(?:0[0-9_]+|[0-9_]+(?::[0-9_]+)+)"),
    "tag:yaml.org,2002:float": re.compile(r"[-+]?[0-9_]+(?::[0-9_]+)+\.[0-9_]*"),
}
"""Numbers that are octal (0100 is 64) or of base 60 (1:30 is 90)."""
_LONGEST_NUMBER = 40
"""Most digits of a whole number: Python does not read those of more than 4,300."""
_NEVER = re.compile(r"(?!)")
_SURROGATE = re.compile("[\ud800-\udfff]")

TOP = "the file"
"""Name of the outermost value."""


def quoted(names: Iterable[object]) -> str:
    """Names as a list in a sentence: ``'a', 'b'``."""
    return ", ".join(repr(str(name)) for name in names)


def nearest(name: str, known: Collection[str]) -> str:
    """A fix for an unknown ``name``: the closest of ``known``, then all of them."""
    close = get_close_matches(name, list(known), n=1, cutoff=0.5)
    return (f"did you mean {close[0]!r}? " if close else "") + f"known: {quoted(known)}"


@dataclass(frozen=True)
class Source:
    """One value of a YAML file, with its position.

    Parameters
    ----------
    file
        The file.
    text
        The whole text of the file.
    node
        The value.
    name
        The path of keys to it, such as ``framings.first.goals``.
    """

    file: Path
    text: str
    node: yaml.Node
    name: str

    @property
    def line(self) -> int:
        """Line on which the value starts, counted from one."""
        return int(self.node.start_mark.line) + 1

    @property
    def listed(self) -> bool:
        """Whether the value is a list."""
        return isinstance(self.node, yaml.SequenceNode)

    def error(self, problem: str, fix: str, line: int | None = None) -> WolvesError:
        """An error at this value."""
        return WolvesError(problem, where=self.file, line=line or self.line, fix=fix)

    def entries(self) -> dict[str, Source]:
        """The value as a mapping with free keys.

        Raises
        ------
        WolvesError
            If it is not a mapping, or a key is a duplicate.
        """
        return dict(self._entries)

    # Kept: an opening of a game looks up some twenty values, and a design has thousands of them.
    @cached_property
    def _entries(self) -> dict[str, Source]:
        if not isinstance(self.node, yaml.MappingNode):
            raise self.error(
                f"expected `key: value` lines in {self._named}, found {self._kind()}",
                f"write the keys of {self._named} on separate lines, indented alike",
            )
        found: dict[str, Source] = {}
        for key_node, value_node in self.node.value:
            key = str(key_node.value)
            line = int(key_node.start_mark.line) + 1
            if key in found:
                raise self.error(
                    f"duplicate key {key!r} in {self._named}, first on line {found[key].line}",
                    "rename or delete one of the two",
                    line,
                )
            found[key] = Source(self.file, self.text, value_node, f"{self._stem}{key}")
        return found

    def fields(
        self, required: Collection[str], optional: Collection[str] = ()
    ) -> dict[str, Source]:
        """The value as a mapping with exactly these keys.

        Raises
        ------
        WolvesError
            If a required key is missing or a key is unknown.
        """
        found = self.entries()
        known = [*required, *optional]
        for key, value in found.items():
            if key not in known:
                raise value.error(f"unknown key {key!r} in {self._named}", nearest(key, known))
        for key in required:
            if key not in found:
                raise self.error(
                    f"expected the field {key!r} in {self._named}, found {quoted(found) or 'none'}",
                    f"add a line `{key}: ...`",
                )
        return found

    def sequence(self) -> list[Source]:
        """The value as a list of at least one entry.

        Raises
        ------
        WolvesError
            If it is not a list, or is empty.
        """
        if not isinstance(self.node, yaml.SequenceNode) or not self.node.value:
            empty = isinstance(self.node, yaml.SequenceNode)
            found = "an empty one" if empty else self._kind()
            raise self.error(
                f"expected {self._named} to be a list with entries, found {found}",
                f"add entries below `{self.name.rpartition('.')[2]}:`, each on a line that "
                "starts with `- `",
            )
        return [
            Source(self.file, self.text, node, f"{self.name}[{i + 1}]")
            for i, node in enumerate(self.node.value)
        ]

    def words(self, *, empty: bool = False) -> str:
        """The value as text, stripped; ``empty`` allows none.

        Raises
        ------
        WolvesError
            If it is a mapping or a list, or empty although text is required.
        """
        if not isinstance(self.node, yaml.ScalarNode):
            raise self.error(
                f"expected text in {self._named}, found {self._kind()}",
                "write the text after the colon; text with `: ` or `{` at its start needs quotes",
            )
        words = "" if self.node.tag == "tag:yaml.org,2002:null" else str(self.node.value).strip()
        if not words and not empty:
            raise self.error(f"expected text in {self._named}, found nothing", "write the text")
        return words

    def number(self) -> int | float:
        """The value as a finite number; whole numbers are ``int``.

        Raises
        ------
        WolvesError
            If it is not a number.
        """
        words = self.words()
        try:
            value = float(words)
        except ValueError:
            value = float("nan")
        if not math.isfinite(value):
            raise self.error(
                f"expected a number in {self._named}, found {words!r}", "write a number such as 2"
            )
        return int(value) if value == int(value) else value

    def flag(self) -> bool:
        """The value as true or false.

        Raises
        ------
        WolvesError
            If it is neither.
        """
        words = self.words()
        if words.lower() not in ("true", "false"):
            raise self.error(
                f"expected true or false in {self._named}, found {words!r}", "write true or false"
            )
        return words.lower() == "true"

    def scalar(self) -> Any:
        """The value as YAML reads it: text, a number, true or false, a date, or None.

        Raises
        ------
        WolvesError
            If it looks like one of these and is none, such as the date 2026-02-30.
        """
        number = self.node.tag.rpartition(":")[2] == "int"
        if number and len(str(self.node.value)) > _LONGEST_NUMBER:
            raise self.error(
                f"expected a value in {self._named}, found a number of "
                f"{len(str(self.node.value)):,} digits, {self.node.value!r:.30} ...",
                f"write a number of at most {_LONGEST_NUMBER} digits; put quotation marks around "
                "a name",
            )
        if _ODD_NUMBER.get(self.node.tag, _NEVER).fullmatch(str(self.node.value)):
            raise self.error(
                f"expected a value in {self._named}, found {self.node.value!r:.60}, which YAML "
                "reads as a number to another base than ten",
                "write the number without a leading zero and without colons; put quotation marks "
                "around a name",
            )
        try:
            return yaml.SafeLoader("").construct_object(self.node)
        except (yaml.YAMLError, ValueError) as fault:
            words = getattr(fault, "problem", None) or str(fault).partition(";")[0]
            raise self.error(
                f"expected a value in {self._named}, found {self.node.value!r:.60} ({words})",
                "put quotation marks around it",
            ) from fault

    def plain(self) -> Any:
        """The value with all that it contains, as dictionaries, lists and scalars.

        Raises
        ------
        WolvesError
            If a key is a duplicate, or a scalar cannot be read.
        """
        if isinstance(self.node, yaml.MappingNode):
            return {key: value.plain() for key, value in self._entries.items()}
        if isinstance(self.node, yaml.SequenceNode):
            return [part.plain() for part in self.sequence()] if self.node.value else []
        return self.scalar()

    def line_of(self, fragment: str) -> int:
        """Line of the first ``fragment`` within the value; if missing, the value's first line."""
        start, end = self.node.start_mark.index, self.node.end_mark.index
        at = self.text.find(fragment, start, end)
        return self.line if at < 0 else self.text.count("\n", 0, at) + 1

    @property
    def _named(self) -> str:
        return TOP if self.name == TOP else f"`{self.name}`"

    @property
    def _stem(self) -> str:
        return "" if self.name == TOP else f"{self.name}."

    def _kind(self) -> str:
        if isinstance(self.node, yaml.MappingNode):
            return "`key: value` lines"
        if isinstance(self.node, yaml.SequenceNode):
            return "a list"
        return repr(self.node.value) if self.node.value else "nothing"


_MOST = 200_000
"""Maximum number of values in a file, counting each alias with all of its content."""


def _check_size(node: yaml.Node | None, file: Path) -> None:
    """Reject half characters, an anchor that contains itself, and aliases that multiply.

    Raises
    ------
    WolvesError
        At the line of the value.
    """
    for part in _scalars(node):
        if _SURROGATE.search(str(part.value)):
            raise WolvesError(
                f"expected text, found {part.value!r:.60}, which contains half a character",
                where=file,
                line=part.start_mark.line + 1,
                fix="write the character itself instead of \\u and its number",
            )
    sizes: dict[int, int] = {}
    open_: set[int] = set()
    stack = [] if node is None else [node]
    while stack:
        top = stack[-1]
        parts = _parts(top)
        left = [part for part in parts if id(part) not in sizes]
        if id(top) in sizes or not left:
            sizes.setdefault(id(top), 1 + sum(sizes[id(part)] for part in parts))
            open_.discard(id(stack.pop()))
            if sizes[id(top)] > _MOST:
                raise WolvesError(
                    f"expected at most {_MOST:,} values, found more, because aliases repeat each "
                    "other",
                    where=file,
                    line=top.start_mark.line + 1,
                    fix="replace the aliases with their values",
                )
            continue
        open_.add(id(top))
        if any(id(part) in open_ for part in left):
            raise WolvesError(
                "an anchor contains itself",
                where=file,
                line=top.start_mark.line + 1,
                fix="replace the alias with its value",
            )
        stack += left


def _scalars(node: yaml.Node | None) -> Iterator[yaml.ScalarNode]:
    """Every scalar of a file, once."""
    seen: set[int] = set()
    left = [] if node is None else [node]
    while left:
        one = left.pop()
        if id(one) in seen:
            continue
        seen.add(id(one))
        if isinstance(one, yaml.ScalarNode):
            yield one
        left += _parts(one)


def _parts(node: yaml.Node) -> list[yaml.Node]:
    """The entries of a list or a mapping."""
    if isinstance(node, yaml.MappingNode):
        return [part for pair in node.value for part in pair]
    return list(node.value) if isinstance(node, yaml.SequenceNode) else []


def read_source(path: str | Path) -> Source:
    """Read the content of a YAML file.

    Raises
    ------
    WolvesError
        If it cannot be read, is not YAML, or is empty.
    """
    file = Path(path)
    refuse_device(file)
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as fault:
        reason = getattr(fault, "strerror", None)
        raise WolvesError(
            f"the file cannot be read: {reason or 'it is not UTF-8 text'}",
            where=file,
            fix="check the path" if reason else "save the file as UTF-8",
        ) from fault
    return source_of(text, file)


def read_mapping(path: str | Path) -> dict[str, Any]:
    """Read a YAML file of `key: value` lines, as plain values.

    Raises
    ------
    WolvesError
        If it cannot be read, is not YAML, holds no such lines, or repeats a key.
    """
    source = read_source(path)
    source.entries()
    read: dict[str, Any] = source.plain()
    return read


def source_of(text: str, file: Path) -> Source:
    """Parse a YAML text; see ``read_source``.

    Parameters
    ----------
    text
        The text.
    file
        Its present or future file, for messages.
    """
    try:
        node = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as fault:
        mark = fault.problem_mark or fault.context_mark
        raise WolvesError(
            f"invalid YAML: {fault.problem or fault.context}",
            where=file,
            line=mark.line + 1 if mark else None,
            fix="check indentation and quotes there; text with `: ` or a brace first needs quotes",
        ) from fault
    except yaml.YAMLError as fault:
        raise WolvesError(
            f"invalid YAML: {fault}", where=file, fix="remove the character named in the message"
        ) from fault
    except RecursionError as fault:
        raise WolvesError(
            "its brackets are nested too deeply", where=file, fix="close the brackets"
        ) from fault
    _check_size(node, file)
    if node is None:
        raise WolvesError("the file is empty", where=file, fix="write `key: value` lines")
    return Source(file, text, node, TOP)
