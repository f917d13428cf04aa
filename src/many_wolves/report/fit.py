"""The report on one fit."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from many_wolves.figures import Fitted, read_fitted
from many_wolves.files import write_atomic
from many_wolves.flags import flag
from many_wolves.report.chains import chains_section
from many_wolves.report.excluded import excluded_section
from many_wolves.report.page import render_page
from many_wolves.report.registry import pages_of
from many_wolves.report.sensitivity import sensitivity_section
from many_wolves.report.verdict import judge


def write_fit_report(folder: str | Path) -> Path:
    """Write ``report.html`` into a fit folder: one self-contained file.

    Parameters
    ----------
    folder
        A fit folder: posterior.nc, summary.csv, diagnostics.json, fit.json.

    Raises
    ------
    WolvesError
        If the folder is not a complete fit.
    """
    fit = read_fitted(folder)
    pages = pages_of([fit])
    words = pages.fitted_words(fit)
    sensitive = sensitivity_section(folder)
    sections = [
        *pages.fit_sections(fit),
        *([sensitive] if sensitive else []),
        chains_section(fit, pages.diagnosed(fit)),
        excluded_section(fit),
    ]
    context = {
        "title": f"Fit of {fit.label}",
        "verdict": judge(fit),
        # The family's facts come first, and replace general ones of the same name.
        "facts": {"Speaker": fit.speaker, **words, **facts(fit), **words},
        "notes": [str(note) for note in fit.info.get("notes", ())],
        "sections": sections,
        "command": command(fit),
    }
    return write_atomic(Path(folder) / "report.html", render_page("fit.html", context))


def facts(fit: Fitted) -> Mapping[str, str]:
    """Counts, engine, seed and versions: heading -> text."""
    info = fit.info
    words: dict[str, str] = {}
    if "choices" in info:
        words["Data"] = f"{info['choices']:,.0f} choices"
    source = info.get("source", {})
    if isinstance(source.get("answers"), str):
        words["Data"] = source["answers"]
    for heading, key in (("Source", "source"), ("Scoring", "scoring")):
        if source.get(key):
            words[heading] = str(source[key])
    sampled = _sampling(info)
    if sampled:
        words["Sampling"] = sampled
    if "engine" in info:
        words["Engine"] = str(info["engine"])
    if "seed" in info:
        words["Seed"] = str(info["seed"])
    versions = {"many-wolves": info.get("code_version")} | dict(info.get("versions", {}))
    words["Versions"] = ", ".join(f"{name} {number}" for name, number in versions.items() if number)
    prints = [f"{name} {info[name]}" for name in ("program", "data") if info.get(name)]
    if prints:
        words["Fingerprints"] = ", ".join(prints)
    return words


def _sampling(info: Mapping[str, Any]) -> str:
    """Chains, draws and time in words; empty if they are not recorded."""
    if not {"chains", "warmup", "draws"} <= set(info):
        return ""
    text = f"{info['chains']} chains, each {info['warmup']:,} steps of warm-up"
    if "imputations" in info:
        text += f" at each of {info['imputations']:,} imputations"
    text += f" and {info['draws']:,} draws"
    if "adapt_delta" in info:
        text += f", target acceptance {info['adapt_delta']}"
    if info.get("halvings"):
        text += f", steps halved {info['halvings']} times after divergences"
    return text + (f"; {info['seconds']:.0f} s" if "seconds" in info else "")


def command(fit: Fitted) -> str:
    """The command that reproduces this fit, as far as it is recorded."""
    if fit.info.get("command"):
        return str(fit.info["command"])
    flags = []
    for name, value in fit.info.get("options", {}).items():
        listed = isinstance(value, list) and all(isinstance(part, str) for part in value)
        if listed or isinstance(value, str):
            text = ",".join(value) if listed else value
            flags.append(f"{flag(name)} {shlex.quote(text)}")
    if "seed" in fit.info:
        flags.append(f"--seed {fit.info['seed']}")
    return " ".join(["wolves fit CHOICES", *flags, f"--out {fit.folder.name}"])
