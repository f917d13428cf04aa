"""Every code block of README and docs runs, or says why it does not."""

from __future__ import annotations

from pathlib import Path

import pytest

from documents.blocks import Block, blocks_of, problems
from documents.session import ROOT, Session, cheaply
from fit_folders import draw_nothing

PAGES = sorted([ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").rglob("*.md")])
LANGUAGES = {"bash", "csv", "json", "pycon", "python", "r", "text", "yaml"}
BLOCKS = [b for page in PAGES for b in blocks_of(page.relative_to(ROOT), page.read_text())]
RUN = {"bash", "pycon", "python"}


def marked(block: Block) -> object:
    """Make a block a parameter, with the marks that its info string asks for."""
    marks = [pytest.mark.stan] if block.language in RUN else []
    if "slow" in block.options:
        marks.append(pytest.mark.slow)
    if reason := block.options.get("skip"):
        marks.append(pytest.mark.skip(reason=reason))
    return pytest.param(block, id=block.name, marks=marks)


@pytest.fixture(scope="module")
def sessions() -> dict[Path, Session]:
    """One session for each page, made when its first block runs."""
    return {}


@pytest.mark.parametrize("block", [marked(b) for b in BLOCKS if b.language != "text"])
def test_block(
    block: Block,
    sessions: dict[Path, Session],
    tmp_path_factory: pytest.TempPathFactory,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    if block.page not in sessions:
        sessions[block.page] = Session(tmp_path_factory.mktemp(block.page.stem))
    monkeypatch.chdir(sessions[block.page].folder)
    monkeypatch.setenv("MPLBACKEND", "agg")
    # test_report draws the figures of pages.
    draw_nothing(monkeypatch)
    sessions[block.page].run(block)


def test_no_block_is_left_out() -> None:
    found = [f"{b.name}: {problem}" for b in BLOCKS for problem in problems(b, LANGUAGES)]
    assert not found, "\n".join(found)


class TestRunner:
    """The runner itself: it must see every block, and it must be able to fail."""

    def page(self, text: str) -> list[Block]:
        return list(blocks_of(Path("a.md"), text))

    @pytest.fixture
    def session(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Session:
        monkeypatch.chdir(tmp_path)
        return Session(tmp_path)

    def test_it_sees_fences_tabs_comments_and_indented_code(self) -> None:
        text = (
            '```bash slow="takes an hour"\nwolves --help\n```\n\n'
            '=== "uv"\n\n    ```python\n    1\n    ```\n\n'
            "<!--\n```python\nx = 1\n```\n-->\n\nText:\n\n    indented\n"
        )
        assert [(b.line, b.language, b.source, b.options) for b in self.page(text)] == [
            (2, "bash", "wolves --help\n", {"slow": "takes an hour"}),
            (8, "python", "1\n", {}),
            (13, "python", "x = 1\n", {}),
            (19, "", "indented\n", {}),
        ]

    @pytest.mark.parametrize(
        ("info", "problem"),
        [
            ("", "name its language"),
            ("sh", "expected a language among"),
            ("bash slow=yes", "say in a few words why it is slow"),
            ("bash cheap=yes", "expected an option among"),
        ],
    )
    def test_it_says_what_keeps_a_block_from_being_checked(self, info: str, problem: str) -> None:
        [block] = self.page(f"```{info}\nx\n```\n")
        [found] = problems(block, LANGUAGES)
        assert found.startswith(problem)

    @pytest.mark.parametrize(
        "text",
        [
            "```python\nassert 1 == 2\n```",
            "```pycon\n>>> 1 + 1\n3\n```",
            "```bash\nwolves no-such-command\n```",
            "```bash\nwolves --help\nfalse\n```",
            "```bash\nfalse | cat\n```",
            "```bash\nmake no-such-target\n```",
            "```bash\nuv add 'many-wolves[no-such]'\n```",
            "```bash status=1\nwolves --help\n```",
            "```yaml\ntrials: {gaols: [social]}\n```",
            "```json\n{\n```",
            "```csv\na,b\n1\n```",
        ],
    )
    def test_a_wrong_block_fails(self, session: Session, text: str) -> None:
        [block] = self.page(text)
        with pytest.raises(BaseException) as failed:
            session.run(block)
        assert not isinstance(failed.value, pytest.skip.Exception)

    def test_a_page_is_one_session(self, session: Session) -> None:
        text = (
            '```yaml title="studies-of-mine/a.yaml"\nx: 1\n```\n'
            "```python\nfrom pathlib import Path\nx = Path('studies-of-mine/a.yaml')\n```\n"
            "```pycon\n>>> x.read_text()\n'x: 1\\n'\n```\n"
            "```bash\nls studies-of-mine | grep a.yaml\nmake help\nuv sync --extra hf\n```\n"
            "```yaml\ntrials: {goals: [social]}\n```\n"
        )
        for block in self.page(text):
            session.run(block)

    def test_few_draws_are_added_where_a_command_samples(self) -> None:
        assert cheaply(["fit", "--draws", "50"]) == [
            *("fit", "--draws", "50", "--chains", "2", "--warmup", "400"),
        ]
        assert cheaply(["predict", "x"]) == ["predict", "x"]
