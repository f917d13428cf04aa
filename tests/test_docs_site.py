"""The documentation site: it builds without a warning, and its pages need no network."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Annotated, Literal

import pytest
from pydantic import BaseModel, Field

import many_wolves
from tools.docs_site import on_page_content, schema_tables

ROOT = Path(__file__).parents[1]


class Part(BaseModel):
    """A part.

    Parameters
    ----------
    size, weight
        How much
        there is.
    """

    size: Annotated[float, Field(gt=0, le=1)] = 0.5
    weight: int | None = None


class Whole(Part):
    """The whole.

    Parameters
    ----------
    parts
        What it is made of.
    """

    parts: tuple[Part, ...] = ()
    kind: Literal["a", "b"]
    labels: dict[str, str | int] = {}
    first: bool = Field(True, description="Said in the field.")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the site strictly: a broken link or an undocumented name is an error."""
    out = tmp_path_factory.mktemp("site")
    done = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--quiet", "--site-dir", out],
        cwd=ROOT,
        env=os.environ | {"NO_MKDOCS_2_WARNING": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return out


class TestSite:
    def test_no_page_loads_anything_from_the_network(self, site: Path) -> None:
        loads = re.compile(r"""<(?:script|img|iframe)[^>]*src="?https?:|<link[^>]*href="?https?:""")
        pages = list(site.rglob("*.html"))
        assert pages
        assert not [page.name for page in pages if loads.search(page.read_text())]
        styles = list(site.rglob("*.css"))
        assert styles
        assert not [s.name for s in styles if re.search(r"@import|url\(.?https?:", s.read_text())]

    def test_the_command_line_is_there_with_every_command(self, site: Path) -> None:
        from many_wolves.cli import COMMANDS

        page = (site / "reference/cli.html").read_text()
        assert not [name for name in COMMANDS if f'id="wolves-{name}"' not in page]

    def test_the_python_page_has_every_public_name(self, site: Path) -> None:
        page = (site / "reference/python.html").read_text()
        assert not [name for name in many_wolves.__all__ if f'.{name}" class="doc' not in page]

    def test_the_study_file_is_there_with_every_field(self, site: Path) -> None:
        from many_wolves.study.schema import Speaker, Study

        page = (site / "reference/study-file.html").read_text()
        fields = [*Study.model_fields, *Speaker.model_fields]
        assert not [name for name in fields if f"<code>{name}</code>" not in page]

    def test_equations_are_mathml(self, site: Path) -> None:
        page = (site / "explanation/model.html").read_text()
        assert "<math" in page
        assert not re.search(r"\\\(|\\\[|\\frac", page)


class TestSchemaTables:
    text = "\n".join(schema_tables(Whole))

    @pytest.mark.parametrize(
        "row",
        [
            "| `size` | number, above 0 and at most 1 | `0.5` | How much there is. |",
            "| `weight` | whole number | none | How much there is. |",
            "| `parts` | list of [Part](#part) | none | What it is made of. |",
            "| `kind` | `a`, `b` | required |  |",
            "| `labels` | mapping of text to text or whole number | none |  |",
            "| `first` | `true` or `false` | `true` | Said in the field. |",
        ],
    )
    def test_a_field_has_type_default_and_meaning(self, row: str) -> None:
        assert row in self.text

    def test_each_model_comes_once(self) -> None:
        assert [line for line in self.text.splitlines() if line.startswith("##")] == [
            "## Whole { #whole }",
            "## Part { #part }",
        ]


def test_an_equation_keeps_its_signs() -> None:
    page = on_page_content(r'<p><span class="arithmatex">\(a &lt; b\)</span></p>')
    assert page.startswith("<p><math")
    assert ">a<" in page.replace("<mi>", ">").replace("</mi>", "<")
    assert "&lt;" in page or "&#x0003C;" in page
