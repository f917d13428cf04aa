"""Alterations: of bytes, of lines, of the values in JSON and YAML, of the cells of a table."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, MutableMapping, MutableSequence
from random import Random
from typing import Any

ODD: tuple[Any, ...] = (
    None,
    True,
    False,
    0,
    -1,
    -0.0,
    0.5,
    10**30,
    float("nan"),
    float("inf"),
    1e-320,
    "",
    " ",
    "NA",
    "None",
    "null",
    "nan",
    "no",
    "a/../../b",
    "=1+1",
    "x" * 300,
    "\x00",
    "\u6a21\u578b",
    "a\nb",
    "\ud800",
    "$5 {x} %s \\",
    [],
    {},
    [[]],
    {"a": []},
    [None],
    ["a", 1],
)
"""Values that stand where another was expected."""
WORDS = (
    "NA",
    "None",
    "null",
    "nan",
    "N/A",
    "",
    " ",
    "0",
    "-1",
    "1e400",
    "inf",
    "12.5",
    "1,5",
    "007",
    "3.10",
    "TRUE",
    "50%",
    '"',
    "'",
    "a;b",
    "=1+1",
    "\u6a21\u578b",
    "\ufeff",
    "\u202e",
    "99999999999999999999",
    "2020-01-01",
    "x" * 300,
    "good",
    "not good",
)
"""Cells of a table."""
VALUES = (
    *("[]", "{}", "~", "no", "1000", "2020-99-99", "!foo x", "&a [*a]", "*b", "'", '"', "{x}"),
    *("{item!r}", "{", "- 1", "1" * 10_000, "<<: {a: 1}", "? x", "\t x", "| \n x", "@", "%"),
    *("\u6a21\u578b", ".nan", ".inf", "0x1F", "1e3", "[" * 3_000, "x" * 400),
)
"""Values in YAML."""
_WHOLE: tuple[bytes, ...] = (
    b"",
    b"\n\n\n",
    b"\x00" * 64,
    b"PK\x03\x04 no archive",
    b"\x1f\x8b\x08 no archive",
    b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 12\n",
    b"<!DOCTYPE html><html><body>404</body></html>",
    b"[" * 100_000,
    b'{"a":' * 50_000,
    b"null",
    b"[]",
    b"{}",
    b"\xff\xfe\x00d",
    b"- " * 5_000,
)
"""Files that are something else."""

Alteration = tuple[bytes, str]
"""What a file holds then, and what was done to it."""


def of_bytes(rng: Random, data: bytes) -> Alteration:
    """Bytes cut off, flipped, put in, taken out; or another file altogether."""
    if not data or rng.random() < 0.15:
        whole = rng.choice(_WHOLE)
        return whole, f"whole file replaced by {whole[:12]!r}"
    at = rng.randrange(len(data))
    match rng.randrange(5):
        case 0:
            return data[:at], f"cut off at byte {at}"
        case 1:
            odd = rng.choice([b"\xff", b"\x00", b"\r", b"\n", b'"', b"{", b"\\", b"\xed\xa0\x80"])
            return data[:at] + odd + data[at:], f"{odd!r} put in at byte {at}"
        case 2:
            end = min(len(data), at + rng.randrange(1, 200))
            return data[:at] + data[end:], f"bytes {at} to {end} taken out"
        case 3:
            byte = bytes([data[at] ^ (1 << rng.randrange(8))])
            return data[:at] + byte + data[at + 1 :], f"a bit of byte {at} flipped"
    end = min(len(data), at + rng.randrange(1, 200))
    return data[:end] + data[at:end] + data[end:], f"bytes {at} to {end} twice"


def of_lines(rng: Random, data: bytes) -> Alteration:
    """Lines twice, gone, in another order, run together, with other line ends."""
    lines = data.splitlines(keepends=True)
    if not lines:
        return of_bytes(rng, data)
    at = rng.randrange(len(lines))
    mixed = rng.sample(lines, len(lines))
    ended = [*lines[:at], lines[at].rstrip(b"\r\n"), *lines[at + 1 :]]
    return rng.choice(
        [
            (b"".join([*lines, lines[at]]), f"line {at + 1} twice"),
            (b"".join(lines[:at] + lines[at + 1 :]), f"line {at + 1} gone"),
            (b"".join(mixed), "lines in another order"),
            (b"".join(ended), f"line {at + 1} without its end"),
            (data.replace(b"\n", b"\r\n"), "Windows line ends"),
            (b"\xef\xbb\xbf" + data, "a byte order mark"),
        ]
    )


def of_json_lines(rng: Random, data: bytes) -> Alteration:
    """One value on one line of JSON lines replaced, gone, or under another key."""
    lines = data.splitlines(keepends=True)
    at = rng.randrange(len(lines))
    value, what = of_value(rng, json.loads(lines[at]))
    lines[at] = json.dumps(value, ensure_ascii=rng.random() < 0.5).encode(
        errors="surrogatepass"
    ) + (b"\n")
    return b"".join(lines), f"line {at + 1}: {what}"


def of_json(rng: Random, data: bytes) -> Alteration:
    """One value of a JSON file replaced, gone, or under another key."""
    value, what = of_value(rng, json.loads(data))
    return json.dumps(value).encode(), what


def of_value(rng: Random, value: Any) -> tuple[Any, str]:
    """Replace, remove or rename one part of a JSON value."""
    places = list(_places(value))
    if not places or rng.random() < 0.03:
        odd = rng.choice(ODD)
        return odd, f"all of it {odd!r:.40}"
    holder, key, name = rng.choice(places)
    odd = rng.choice(ODD)
    match rng.randrange(5):
        case 0:
            del holder[key]
            return value, f"{name} gone"
        case 1 if isinstance(holder, dict):
            holder[f"{key}x"] = holder.pop(key)
            return value, f"{name} under another name"
        case 2 if isinstance(holder, list):
            holder.append(holder[key])
            return value, f"{name} twice"
    holder[key] = odd
    return value, f"{name} is {odd!r:.40}"


def _places(value: Any, name: str = "") -> Any:
    """Every part of a JSON value: what holds it, under which key, and its name."""
    if isinstance(value, MutableMapping):
        parts: Any = value.items()
    elif isinstance(value, MutableSequence):
        parts = enumerate(value)
    else:
        return
    for key, part in list(parts):
        own = f"{name}.{key}" if name else str(key)
        yield value, key, own
        yield from _places(part, own)


def of_cells(rng: Random, data: bytes) -> Alteration:
    """Alter one cell, one column or one name of a table; it stays a table."""
    rows = list(csv.reader(io.StringIO(data.decode())))
    column = rng.randrange(len(rows[0]))
    name = rows[0][column]
    word = rng.choice(WORDS)
    match rng.randrange(6):
        case 0:
            rows[0][column] = word
            what = f"column {name} called {word!r:.30}"
        case 1:
            rows = [row[:column] + row[column + 1 :] for row in rows]
            what = f"column {name} gone"
        case 2:
            old = rng.choice(rows[1:])[column]
            rows = [
                [word if c == old and i == column else c for i, c in enumerate(r)] for r in rows
            ]
            what = f"{old!r} in column {name} is {word!r:.30}"
        case 3:
            rows.insert(1 + rng.randrange(len(rows)), list(rng.choice(rows[1:])))
            what = "a row twice"
        case 4:
            rows = [[*row, word if i else "more"] for i, row in enumerate(rows)]
            what = f"a column more of {word!r:.30}"
        case _:
            at = 1 + rng.randrange(len(rows) - 1)
            rows[at][column] = word
            what = f"row {at + 1}, column {name} is {word!r:.30}"
    out = io.StringIO()
    separator = rng.choice([",", ",", ",", ";", "\t"])
    csv.writer(out, delimiter=separator, lineterminator="\n").writerows(rows)
    return out.getvalue().encode(errors="surrogatepass"), f"{what}, separator {separator!r}"


def of_text(rng: Random, data: bytes) -> Alteration:
    """Alter the value or the indentation of a line of YAML."""
    lines = data.decode().splitlines()
    at = rng.randrange(len(lines))
    line = lines[at]
    odd = rng.choice(VALUES)
    key, colon, _ = line.partition(":")
    match rng.randrange(5):
        case 0 if colon:
            lines[at] = f"{key}: {odd}"
        case 1:
            lines[at] = f"  {line}"
        case 2:
            lines[at] = line.lstrip()
        case 3 if colon:
            lines[at] = f"{key}x:{line.partition(':')[2]}"
        case _:
            lines.insert(at, f"{line[: len(line) - len(line.lstrip())]}{odd}")
    return "\n".join(lines).encode() + b"\n", f"line {at + 1} {odd[:20]!r}"


def any_of(*ways: Callable[[Random, bytes], Alteration]) -> Callable[[Random, bytes], Alteration]:
    """One of some ways of altering, drawn again each time."""

    def alter(rng: Random, data: bytes) -> Alteration:
        try:
            return rng.choice(ways)(rng, data)
        except (ValueError, IndexError):
            return of_bytes(rng, data)

    return alter
