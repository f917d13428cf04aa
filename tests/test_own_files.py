"""YAML files of users outside of studies: wording, rules, personas, designs and searches."""

import pytest

from many_wolves.errors import WolvesError
from many_wolves.families.bargaining.task.design import HaggleDesign
from many_wolves.families.markets.rules.parameters import ROLES
from many_wolves.families.markets.search.files import read_search
from many_wolves.families.markets.task.compiler import read_changes
from many_wolves.families.markets.task.personas import read_personas
from many_wolves.families.markets.task.wording import read_wording

READERS = {
    "design": lambda path: HaggleDesign(preset=str(path)),
    "personas": lambda path: read_personas(path, ROLES),
    "rules": read_changes,
    "search": read_search,
    "wording": read_wording,
}
DOUBLING = "a: &a [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{new}: &{new} [*{old}, *{old}, *{old}, *{old}, *{old}, *{old}, *{old}, *{old}, *{old}]\n"
    for old, new in zip("abcdefg", "bcdefgh", strict=True)
)
FAULTS = {
    "missing": (None, "cannot be read"),
    "binary": (b"\xff\xfe\x00a", "UTF-8"),
    "empty": (b"", "empty"),
    "list": (b"- 1\n- 2\n", "expected `key: value` lines"),
    "brackets": (b"a: [1\n", "invalid YAML"),
    "twice": (b"a: 1\nb: 2\na: 3\n", "duplicate key 'a' in the file, first on line 1"),
    "date": (b"a: 2026-02-30\n", "put quotation marks around it"),
    "octal": (b"a: 0100\n", "to another base than ten"),
    "base 60": (b"a: 1:30\n", "to another base than ten"),
    "digits": (b"a: 0x" + b"f" * 5000 + b"\n", "found a number of 5,002 digits"),
    "decimal digits": (b"a: " + b"9" * 10_000 + b"\n", "found a number of 10,000 digits"),
    "half": (b'a: "\\ud800"\n', "half a character"),
    "aliases": (DOUBLING.encode(), "aliases repeat"),
    "itself": (b"a: &a [*a]\n", "contains itself"),
}


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("reader", READERS)
def test_a_wrong_file_is_named_with_the_fix(tmp_path, reader, fault):
    content, words = FAULTS[fault]
    path = tmp_path / "mine.yaml"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(WolvesError) as failed:
        READERS[reader](path)
    said = str(failed.value)
    assert "mine.yaml" in said
    assert words in said
