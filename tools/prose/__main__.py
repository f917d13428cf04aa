"""``python -m tools.prose [PATHS]``: prints what breaks a rule of prose, by file and line."""

from __future__ import annotations

import argparse
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from tools.prose.passages import Passage, read_passages
from tools.prose.rules import Rule, read_rules

ROOT = Path(__file__).parents[2]
CHECKED = (
    "*.md", "src/**/*.py", "src/**/*.html", "src/**/*.j2", "tools/**/*.py", "studies/*.yaml",
)  # fmt: skip
"""What is prose for a reader, as patterns of git."""


@dataclass(frozen=True)
class Finding:
    """A place that breaks a rule."""

    path: Path
    line: int
    rule: str
    message: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.message} [{self.rule}]"


def checked_files(root: Path) -> list[Path]:
    """List the files that git tracks and whose prose is checked, relative to ``root``."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--", *(f":(glob){p}" for p in _everywhere())],
        cwd=root,
        capture_output=True,
        text=True,
        check=True,
    )
    return sorted(Path(name) for name in listed.stdout.split("\0") if name)


def _everywhere() -> Iterator[str]:
    for pattern in CHECKED:
        yield f"**/{pattern}" if "/" not in pattern else pattern


def check_file(path: Path, rules: Sequence[Rule], root: Path = ROOT) -> list[Finding]:
    """Check one file; findings come in the order of their lines."""
    source = (root / path).read_text(encoding="utf-8").splitlines()
    findings = [
        Finding(path, _line(passage, match.start, text, source), rule.name, match.message)
        for passage in read_passages(root / path)
        for rule in rules
        for text in (passage.raw if rule.raw else passage.text,)
        for match in rule.find(text)
    ]
    findings += _of_name(path, rules)
    return sorted(findings, key=lambda finding: (finding.line, finding.message))


def _of_name(path: Path, rules: Sequence[Rule]) -> list[Finding]:
    """Check the file's own name against the rules on names."""
    name = path.with_suffix("").as_posix()
    return [
        Finding(path, 1, rule.name, match.message)
        for rule in rules
        if rule.raw
        for match in rule.find(name)
    ]


def _line(passage: Passage, start: int, text: str, source: Sequence[str]) -> int:
    """Return the line of a match; messages of several lines are looked up in the source."""
    if passage.exact:
        return passage.line + text[:start].count("\n")
    words = " ".join(text[start:].split()[:2])
    for number in range(passage.line, min(passage.line + 40, len(source) + 1)):
        if words in source[number - 1]:
            return number
    return passage.line


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the findings; returns 1 where there are any outside ``--pending``."""
    parser = argparse.ArgumentParser(prog="python -m tools.prose", description=__doc__)
    parser.add_argument("paths", nargs="*", type=Path, help="files or folders; default: all")
    parser.add_argument(
        "--pending", nargs="*", default=[], metavar="PREFIX", help="count these, do not list them"
    )
    parser.add_argument("--count", action="store_true", help="print counts by folder and rule")
    parser.add_argument("--files", action="store_true", help="list the files for vale, and stop")
    options = parser.parse_args(arguments)
    files = [p for p in checked_files(ROOT) if not options.paths or _starts(p, options.paths)]
    if options.files:
        print(*(p for p in files if p.suffix == ".md" and not _starts(p, options.pending)))
        return 0
    rules = read_rules(ROOT / ".vale.ini")
    findings = [finding for path in files for finding in check_file(path, rules)]
    pending = [f for f in findings if _starts(f.path, options.pending)]
    open_findings = [f for f in findings if not _starts(f.path, options.pending)]
    if options.count:
        _print_counts(findings)
    else:
        for finding in open_findings:
            print(finding)
    print(
        f"prose: {len(open_findings)} findings in {len(files)} files"
        + (f"; {len(pending)} in {', '.join(options.pending)} are pending" if pending else "")
    )
    return 1 if open_findings else 0


def _starts(path: Path, prefixes: Sequence[str | Path]) -> bool:
    return any(path.is_relative_to(prefix) for prefix in prefixes)


def _print_counts(findings: Sequence[Finding]) -> None:
    depth = 4
    counts = Counter(("/".join(f.path.parent.parts[:depth]) or ".", f.rule) for f in findings)
    for (folder, rule), count in sorted(counts.items()):
        print(f"{count:6}  {folder}  {rule}")


if __name__ == "__main__":
    sys.exit(main())
