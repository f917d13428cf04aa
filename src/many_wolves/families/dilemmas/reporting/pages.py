"""The reports of the family of social dilemmas; each model has its pages."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pandas as pd

from many_wolves.figures.fitted import Fitted
from many_wolves.figures.section import HeadlineMeasure, Plot, Section, Table, headline

_PAGES = {
    "memory-one": "memory_one",
    "strategy-frequencies": "frequencies",
    "social-preferences": "social",
    "principal-agent": "principal",
}
"""Cognitive model -> module of this folder."""

_HEADLINES = {"given_share": "share of the stake given", "cooperation": "share of cooperation"}
"""Variable of the posterior -> its meaning."""


class DilemmaPages:
    """Sections, tables and figures of the game models."""

    def fitted_words(self, fit: Fitted) -> Mapping[str, str]:
        """What was fitted: heading -> plain words."""
        words: Mapping[str, str] = _module(fit).words(fit)
        return words

    def headline(self, fit: Fitted) -> HeadlineMeasure | None:
        """What it gives, or how often it cooperates, as the fit predicts."""
        for name, words in _HEADLINES.items():
            if fit.has("posterior", name):
                return headline(words, fit.values("posterior", name))
        return None

    def diagnosed(self, fit: Fitted) -> Sequence[str]:
        """The parameters of interest, as far as the fit has them."""
        return [name for name in _module(fit).DIAGNOSED if fit.has("posterior", name)]

    def methods(self, fits: Sequence[Fitted]) -> Sequence[str]:
        """The games and their model, as the report's first table names it."""
        played = ", ".join(dict.fromkeys(str(fit.info["model"]) for fit in fits))
        return (f"These cognitive models of the games were fitted: {played}.",)

    def bibtex(self, fits: Sequence[Fitted]) -> str:
        """Nothing: the papers are named with the models' equations."""
        return ""

    def fit_sections(self, fit: Fitted) -> Sequence[Section]:
        """Groups compared, and the predictive check."""
        sections: Sequence[Section] = _module(fit).sections(fit)
        return sections

    def study_summary(self, fits: Sequence[Fitted]) -> Table:
        """One row per speaker, model, quantity and group."""
        parts = [_summary(fit) for fit in fits]
        return Table(
            pd.concat(parts, ignore_index=True),
            "Posterior means with 95 % highest-density intervals, by speaker and group.",
        )

    def study_sections(self, fits: Sequence[Fitted]) -> Sequence[Section]:
        """The groups of each speaker."""
        found = []
        for number, fit in enumerate(fits):
            first = self.fit_sections(fit)[0]
            found.append(
                Section(
                    f"{first.id}-{number}",
                    f"{first.title}: {fit.label}",
                    first.paragraphs if number == 0 else (),
                    first.tables,
                )
            )
        return found

    def plots(self) -> Mapping[str, Plot]:
        """Figures by name."""
        return {
            "groups": _plot("quantities by group, with observed values", 0),
            "agreement": _plot("observed proportions against predictions", -1),
        }


def _plot(summary: str, section: int) -> Plot:
    def draw(fits: Sequence[Fitted], width: Any) -> Any:
        figure = _module(fits[0]).sections(fits[0])[section].figures[0]
        return figure.narrow if width == "one" and figure.narrow else figure

    return Plot(summary, draw, each=True)


def _summary(fit: Fitted) -> pd.DataFrame:
    module = _module(fit)
    part = fit.summary[fit.summary["parameter"].isin(module.DIAGNOSED)]
    text: Callable[[pd.Series], str] = lambda r: (  # noqa: E731
        f"{r['mean']:.2f} [{r['hdi_low']:.2f}, {r['hdi_high']:.2f}]"
    )
    return pd.DataFrame(
        {
            "speaker": fit.label,
            "model": str(fit.info["model"]),
            "quantity": part["parameter"],
            "group": part["condition"],
            "mean [95 % HDI]": part.apply(text, axis=1),
            "verdict": "sound" if fit.converged else "not converged",
        }
    )


def _module(fit: Fitted) -> Any:
    """The pages of the fit's model."""
    name = _PAGES[str(fit.info["model"])]
    return importlib.import_module(f"many_wolves.families.dilemmas.reporting.{name}")


PAGES = DilemmaPages()
