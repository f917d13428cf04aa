"""Prose lint: what each rule finds, where, and what it leaves alone."""

from __future__ import annotations

import textwrap
from pathlib import Path

import pytest

from tools.prose import __main__ as prose
from tools.prose.passages import of_docstring, of_python, of_template, read_passages
from tools.prose.rules import read_rule, read_rules, sentences

ROOT = Path(__file__).parents[1]
LONG = " ".join(["word"] * 26)


@pytest.fixture
def house(tmp_path: Path) -> Path:
    """A folder with the project's rules."""
    (tmp_path / ".vale.ini").write_text(
        f"StylesPath = {ROOT / 'tools/prose/styles'}\n[*.md]\nBasedOnStyles = ManyWolves\n"
    )
    return tmp_path


def found(folder: Path, name: str, text: str) -> list[str]:
    """Findings of a file with this text, as line and rule."""
    (folder / name).write_text(textwrap.dedent(text).lstrip("\n"))
    rules = read_rules(folder / ".vale.ini")
    return [f"{f.line} {f.rule}" for f in prose.check_file(Path(name), rules, folder)]


def test_each_item_of_a_list_in_a_docstring_is_a_passage() -> None:
    items = [p.raw for p in of_docstring("Promises:\n\n- one thing;\n- another\n  thing.\n", 1)]
    assert items == ["Promises:", "- one thing;", "- another\nthing."]


def test_an_example_in_braces_is_no_prose() -> None:
    assert not list(of_docstring('{"a": 1,\n "b": 2}', 1))


def test_a_trust_region_is_a_word_of_the_field(house: Path) -> None:
    assert found(house, "a.md", "Newton steps in a trust region.\n") == []
    assert found(house, "b.md", "A region of the posterior.\n") == ["1 Words"]


class TestMarkdown:
    def test_each_rule_names_its_line(self, house: Path) -> None:
        page = f"""
            # A title

            The fit was begun
            anew.

            - Bulk ESS a CPU second.
            - This is no YAML.
            - The class `Wanted` holds it.

            {LONG}.
            """
        assert found(house, "a.md", page) == [
            "3 Words",
            "6 Per",
            "7 Phrases",
            "8 Names",
            "10 SentenceLength",
        ]

    @pytest.mark.parametrize(
        "text",
        [
            "```text\nmend: this is no YAML\n```",
            "Text.\n\n    mend anew, dearer",
            "A `mend` in code.",
            "<!-- mend anew -->",
            "[a link](mend/anew.md)",
            "$mend \\in anew$",
            "::: many_wolves.mend\n    options: {anew: 1}",
            f"{LONG[:-5]}.",
        ],
    )
    def test_code_links_and_mathematics_are_no_prose(self, house: Path, text: str) -> None:
        assert found(house, "a.md", text) == []

    def test_tables_tabs_and_footnotes_are_read(self, house: Path) -> None:
        page = """
            | a | b |
            | :-- | :-- |
            | one | anew |

            === "uv"

                Begin anew.

            A fact.[^1]

            [^1]: Anew.
            """
        assert found(house, "a.md", page) == ["3 Words", "7 Words", "11 Words"]


class TestPython:
    def test_docstrings_messages_comments_and_names(self, house: Path) -> None:
        code = '''
            """Begin anew."""

            # A comment that is
            # dearer here.
            LIMIT = 3
            """Dearer than before."""


            class Wanted:
                """A row a speaker."""

                def run(self, speaker: str) -> None:
                    """Run it.

                    Parameters
                    ----------
                    speaker
                        Who is asked anew.
                    """
                    raise ValueError(
                        f"the speaker {speaker!r} "
                        f"was begun anew"
                    )
            '''
        assert found(house, "a.py", code) == [
            "1 Words",
            "4 Words",
            "6 Words",
            "9 Names",
            "10 Per",
            "18 Words",
            "22 Words",
        ]

    def test_keys_patterns_and_doctests_are_no_prose(self, house: Path) -> None:
        code = '''
            """Run.

            >>> begin("anew")
            anew
            """
            import re

            KEY = "anew"
            PATTERN = re.compile(r"begin it (?:anew) again")
            '''
        assert found(house, "a.py", code) == []

    def test_the_name_of_a_file_is_checked(self, house: Path) -> None:
        (house / "speakers").mkdir()
        assert found(house, "speakers/wanted.py", "X = 1") == ["1 Names"]

    def test_a_parameter_is_no_part_of_the_sentence_before_it(self) -> None:
        text = "Do it.\n\nParameters\n----------\na, b : int\n    One\n    of two.\nc\n    Third.\n"
        assert [(p.line, p.text) for p in of_docstring(text, 10)] == [
            (10, "Do it."),
            (15, "One\nof two."),
            (18, "Third."),
        ]

    def test_what_fills_a_message_counts_as_one_word(self) -> None:
        [passage] = [p for p in of_python('F = f"read {a + b} of {c:.2f} lines, `x`"') if p.text]
        assert passage.text == "read _value_ of _value_ lines, _code_"


def test_a_template_is_read_between_its_tags() -> None:
    page = (
        '<p class="x">One {{ a }}\n<b>two</b>.</p>\n'
        "{% if b %}<style>mend anew</style>\n<td>It is done.</td>"
    )
    assert [(p.line, p.text) for p in of_template(page)] == [
        (1, "One _value_\ntwo."),
        (4, "It is done."),
    ]


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("One. Two! Three?", 3),
        ("It is .28 of 3.5, e.g. Smith et al. (2020) and J. Doe.", 1),
        ("See “it.” Then go.", 2),
        ("`a` is b. `c` is d.", 2),
        ("One\ntwo.\nThree.", 2),
        ("", 0),
    ],
)
def test_sentences(text: str, count: int) -> None:
    split = list(sentences(text))
    assert len(split) == count
    assert all(text[start:].startswith(sentence) for start, sentence in split)


class TestRules:
    @pytest.mark.parametrize(
        ("text", "message"),
        [
            ("extends: spelling\nmessage: x", "expected `extends` among"),
            ("extends: existence\nmessage: x\ntokens: [a]\naction: {}", "'action' is not known"),
            ("extends: occurrence\nmessage: x\nmax: 1\ntoken: a", "expected `scope: sentence`"),
        ],
    )
    def test_what_only_vale_knows_is_refused(self, tmp_path: Path, text: str, message: str) -> None:
        (tmp_path / "A.yml").write_text(text)
        with pytest.raises(ValueError, match=message):
            read_rule(tmp_path / "A.yml")

    def test_a_substitution_names_the_better_word(self, tmp_path: Path) -> None:
        (tmp_path / "A.yml").write_text(
            "extends: substitution\nmessage: \"'%s', not '%s'\"\nignorecase: true\n"
            "swap:\n  'be?gin anew': restart\n  anew: again\n"
        )
        rule = read_rule(tmp_path / "A.yml")
        assert [m.message for m in rule.find("Begin\nanew, and anew; sanew")] == [
            "'restart', not 'Begin anew'",
            "'again', not 'anew'",
        ]

    def test_no_rules_is_an_error(self, tmp_path: Path) -> None:
        (tmp_path / ".vale.ini").write_text("StylesPath = x\n[*.md]\nBasedOnStyles = None\n")
        with pytest.raises(ValueError, match="found none"):
            read_rules(tmp_path / ".vale.ini")


class TestCommand:
    def test_what_is_listed_is_what_git_tracks(self) -> None:
        files = prose.checked_files(ROOT)
        assert Path("README.md") in files
        assert Path("src/many_wolves/cli.py") in files
        assert not [f for f in files if {"tests", ".venv"} & set(f.parts) and f.suffix == ".py"]

    def test_findings_end_with_status_1_unless_they_are_pending(
        self, house: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        monkeypatch.setattr(prose, "ROOT", house)
        monkeypatch.setattr(prose, "checked_files", lambda _: [Path("a.md")])
        monkeypatch.setattr(
            prose, "check_file", lambda path, rules: [prose.Finding(path, 3, "Words", "Bad")]
        )
        assert prose.main([]) == 1
        assert "a.md:3: Bad [Words]" in capsys.readouterr().out
        assert prose.main(["--pending", "a.md"]) == 0
        assert "1 in a.md are pending" in capsys.readouterr().out

    def test_yaml_is_checked_by_its_comments(self, tmp_path: Path) -> None:
        (tmp_path / "a.yaml").write_text("# One comment\n# of two lines.\na: 1\n")
        assert [p.text for p in read_passages(tmp_path / "a.yaml")] == [
            "One comment\nof two lines."
        ]
