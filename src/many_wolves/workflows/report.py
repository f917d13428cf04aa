"""Reports on fits: one page per fit, and one that compares several."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from many_wolves.counting import number_of
from many_wolves.errors import WolvesError
from many_wolves.progress import step
from many_wolves.replacement import refuse_other_page
from many_wolves.workflows.folders import fit_folders, is_current, make_ready, present

_PAGE = Path("rsa-output") / "report.html"
"""The default page on several fits."""


def write_reports(
    fits: Sequence[Path],
    out: Path | None = None,
    *,
    title: str = "Speakers side by side",
    introduction: Sequence[str] = (),
    commands: Sequence[str] = (),
    skip_missing: bool = False,
    one_page: bool = False,
) -> list[Path]:
    """Write a report on each fit, and a page that compares several fits.

    With several fits, or with ``out``, reports on single fits that are newer than their fit
    are kept. With ``one_page``, only the page on all fits is written.

    Returns
    -------
    list of Path
        The pages written.

    Raises
    ------
    WolvesError
        If a folder is not a fit, or ``out`` is a folder or cannot be written.
    """
    from many_wolves.report import write_fit_report, write_study_report

    if out is not None and out.is_dir():
        raise WolvesError(
            "expected the path of a file, found a folder",
            where=out,
            fix=f"--out {out / 'report.html'}",
        )
    refuse_other_page(out or _PAGE)
    given, missing = present(fits) if skip_missing else (tuple(fits), "")
    introduction = (*introduction, missing) if missing else tuple(introduction)
    folders = [folder for found in given for folder in fit_folders(found)]
    together = out is not None or len(folders) > 1 or one_page
    if out is not None:
        make_ready(out.parent)
    pages = []
    for folder in () if one_page else folders:
        if together and is_current(folder):
            continue
        step(f"writing the report on {folder}")
        pages.append(write_fit_report(folder))
    if together:
        step(f"writing the report on {number_of(len(folders), 'fit')}")
        target = out or _PAGE
        pages.append(
            write_study_report(title, folders, target, introduction=introduction, commands=commands)
        )
    return pages
