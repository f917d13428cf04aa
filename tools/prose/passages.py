"""What people read in a file, passage by passage: paragraphs, docstrings, messages, comments."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from markdown_it.token import Token

from tools.markdown_pages import read_tokens

CODE = "_code_"
"""Stands for code in the text of a passage: it counts as one word."""
VALUE = "_value_"
"""Stands for what a message is filled with."""
MATH = re.compile(r"\$\$.*?\$\$|\$[^$\n]+\$", re.DOTALL)
RST_CODE = re.compile(r"``[^`]+``|`[^`]+`(?:_\b)?|:[a-z]+:`[^`]+`")
SECTION = re.compile(r"^\s*-{3,}\s*$")
PARAMETER = re.compile(r"^\s*\**\w[\w.]*(?:, \**\w+)*(?: : .*)?$")
A_MESSAGE = re.compile(r"[A-Za-z][a-z']+[,;:]? (?:[\w'<>{}-]+[,;:]? ){1,}[\w'<>{}-]+")
"""At least three words in a row."""
NO_PROSE = re.compile(r"\(\?|\\[bdsw]|^\s*[{<]|SELECT |^%[a-z]|^\s*@\w+{")
TEMPLATE_CODE = re.compile(r"{#.*?#}|{%.*?%}|<(style|script|svg)\b.*?</\1>", re.DOTALL)
TEMPLATE_VALUE = re.compile(r"{{.*?}}", re.DOTALL)
TAG = re.compile(r"</?(p|li|h\d|td|th|div|section|figcaption|summary|tr|ul|ol|table)\b[^>]*>")
INLINE_TAG = re.compile(r"<[^>]*>")
DEFINITIONS = (ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
STRINGS = (ast.Constant, ast.JoinedStr)


@dataclass(frozen=True)
class Passage:
    """A piece of prose.

    Parameters
    ----------
    line
        Line of the file, from one, where it begins.
    text
        What is read, with ``CODE`` for code.
    raw
        The same with its code, for rules on names.
    exact
        Whether a line break of the text is one of the file.
    """

    line: int
    text: str
    raw: str
    exact: bool = True


def read_passages(path: Path) -> Iterator[Passage]:
    """Yield the passages of a Markdown page, a Python file or a template."""
    match path.suffix:
        case ".md":
            yield from _of_tokens(read_tokens(path))
        case ".py":
            yield from of_python(path.read_text(encoding="utf-8"))
        case ".html" | ".j2":
            yield from of_template(path.read_text(encoding="utf-8"))
        case _:
            yield from of_comments(path.read_text(encoding="utf-8").splitlines())


def _of_tokens(tokens: Sequence[Token]) -> Iterator[Passage]:
    for token in tokens:
        if token.type == "inline" and token.map and token.content.strip():
            text = "".join(_inline(child) for child in token.children or ())
            yield Passage(token.map[0] + 1, MATH.sub("_math_", text), token.content)


def _inline(token: Token) -> str:
    match token.type:
        case "text":
            return token.content
        case "code_inline":
            return CODE
        case "softbreak" | "hardbreak":
            return "\n"
        case "image":
            return "".join(_inline(child) for child in token.children or ())
        case _:
            return ""


def of_python(source: str) -> Iterator[Passage]:
    """Yield docstrings, names, messages and comments of Python code."""
    nodes = list(ast.walk(ast.parse(source)))
    docstrings = {text for node in nodes for text in _docstrings_in(node)}
    for text in docstrings:
        yield from of_docstring(str(text.value), text.lineno)
    yield from _messages(nodes, docstrings)
    in_strings: set[int] = set()
    for node in nodes:
        if isinstance(node, DEFINITIONS):
            yield Passage(node.lineno, "", node.name)
        elif isinstance(node, STRINGS) and node.end_lineno:
            in_strings.update(range(node.lineno + 1, node.end_lineno + 1))
    yield from of_comments(source.splitlines(), in_strings)


def _docstrings_in(node: ast.AST) -> Iterator[ast.Constant]:
    """Yield the docstrings in a body, those of attributes included."""
    body = getattr(node, "body", None)
    for statement in body if isinstance(body, list) else ():
        if (
            isinstance(statement, ast.Expr)
            and isinstance(statement.value, ast.Constant)
            and isinstance(statement.value.value, str)
        ):
            yield statement.value


def of_docstring(text: str, line: int) -> Iterator[Passage]:
    """Yield the paragraphs of a numpydoc docstring and the text of each parameter."""
    lines = text.split("\n")
    part: list[str] = []
    start, skipping = 0, False
    for number, words in enumerate([*lines, ""]):
        underlined = number + 1 < len(lines) and SECTION.match(lines[number + 1])
        breaks = not words.strip() or underlined or SECTION.match(words)
        if words.strip().startswith(">>>"):
            skipping = True
        if breaks or skipping or (_is_parameter(words, lines, number)):
            yield from _paragraph(part, line + start)
            part = []
            skipping = skipping and bool(words.strip())
            continue
        if words.strip().startswith("- "):
            yield from _paragraph(part, line + start)
            part = []
        if not part:
            start = number
        part.append(words)
    yield from _paragraph(part, line + start)


def _is_parameter(words: str, lines: Sequence[str], number: int) -> bool:
    """Tell whether a line names a parameter: the next one is indented more."""
    if number + 1 >= len(lines) or not PARAMETER.match(words):
        return False
    following = lines[number + 1]
    indent = len(words) - len(words.lstrip())
    return bool(following.strip()) and len(following) - len(following.lstrip()) > indent


def _paragraph(lines: Sequence[str], line: int) -> Iterator[Passage]:
    if lines and not lines[0].lstrip().startswith("{"):
        raw = "\n".join(words.strip() for words in lines)
        yield Passage(line, RST_CODE.sub(CODE, raw), raw)


def _messages(nodes: Sequence[ast.AST], docstrings: set[ast.Constant]) -> Iterator[Passage]:
    """Yield strings of three words and more, without docstrings."""
    strings = [node for node in nodes if isinstance(node, STRINGS)]
    parts = {part for node in strings if isinstance(node, ast.JoinedStr) for part in node.values}
    for node in strings:
        text = _value(node)
        if node in docstrings or node in parts or NO_PROSE.search(text):
            continue
        if A_MESSAGE.search(text):
            for raw in re.split(r"\n\s*\n", text):
                yield Passage(node.lineno, RST_CODE.sub(CODE, raw), raw, exact=False)


def _value(node: ast.Constant | ast.JoinedStr) -> str:
    """Return the text of a string; what it is filled with becomes ``VALUE``."""
    if isinstance(node, ast.JoinedStr):
        return "".join(_value(p) if isinstance(p, ast.Constant) else VALUE for p in node.values)
    return node.value if isinstance(node.value, str) else ""


def of_comments(lines: Sequence[str], skip: set[int] | None = None) -> Iterator[Passage]:
    """Yield comments that fill their lines, those of one block together."""
    block: list[str] = []
    for number, line in enumerate([*lines, ""], start=1):
        found = re.match(r"^\s*(?:#+|//)(?!!)\s?(.*)$", line)
        if found and number not in (skip or ()) and not re.match(r"^\s*# [a-z-]+: ", line):
            block.append(found[1])
        else:
            yield from _paragraph([b for b in block if b], number - len(block))
            block = []


def of_template(source: str) -> Iterator[Passage]:
    """Yield the text between the tags of a template."""
    source = TEMPLATE_CODE.sub(lambda found: "\n" * found[0].count("\n") + "\0", source)
    source = TEMPLATE_VALUE.sub(lambda found: VALUE + "\n" * found[0].count("\n"), source)
    source = TAG.sub(lambda found: "\0" + "\n" * found[0].count("\n"), source)
    source = INLINE_TAG.sub(lambda found: "\n" * found[0].count("\n"), source)
    line = 1
    for part in source.split("\0"):
        lead = len(part) - len(part.lstrip())
        if len(part.split()) > 1:
            yield Passage(line + part[:lead].count("\n"), part.strip(), part.strip())
        line += part.count("\n")
