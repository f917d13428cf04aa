"""The politeness family's parts of reports, and its figures."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from many_wolves.families.politeness.reporting import methods, text
from many_wolves.families.politeness.reporting.figures import (
    choice_agreement,
    choice_cells,
    human_choices,
    lacks_efforts,
    lacks_people,
    lacks_weights,
    listener_table,
    literal_semantics,
    speaker_table,
    study_agreement,
    utility_weights,
    weight_triangle,
    weights_by_effort,
)
from many_wolves.families.politeness.reporting.tables import (
    places_table,
    shared_table,
    study_table,
    weights_table,
)
from many_wolves.figures.figure import Figure, both_widths
from many_wolves.figures.fitted import Fitted
from many_wolves.figures.section import HeadlineMeasure, Plot, Section, Table, headline
from many_wolves.figures.theme import Width

PARAMETERS = ("w_inf", "w_soc", "w_pres", "phi", "alpha", "cost")


class PolitenessPages:
    """Sections, tables and figures of the second-order speaker."""

    def fitted_words(self, fit: Fitted) -> Mapping[str, str]:
        """Facts about the fit: heading -> text."""
        return text.fitted(fit)

    def headline(self, fit: Fitted) -> HeadlineMeasure | None:
        """The weight of being kind."""
        if not fit.has("posterior", "w_soc"):
            return None
        return headline("weight of being kind (w_soc)", fit.values("posterior", "w_soc"))

    def diagnosed(self, fit: Fitted) -> Sequence[str]:
        """The parameters of interest, as far as the fit has them."""
        return [name for name in PARAMETERS if fit.has("posterior", name)]

    def methods(self, fits: Sequence[Fitted]) -> Sequence[str]:
        """The scenes, and the second-order speaker."""
        return methods.methods(fits)

    def bibtex(self, fits: Sequence[Fitted]) -> str:
        """The papers behind the task and the model."""
        return methods.BIBTEX

    def fit_sections(self, fit: Fitted) -> Sequence[Section]:
        """Weights, predictive check, meanings, and the tables of the recursion."""
        return [
            Section(
                "weights",
                "Utility weights",
                paragraphs=text.weights(fit),
                tables=(weights_table(fit),),
                figures=(both_widths(lambda width: utility_weights([fit], width)),),
            ),
            *_places(fit),
            Section(
                "predictive",
                "Predictive check",
                paragraphs=text.predictive(fit),
                figures=(
                    choice_agreement(fit),
                    both_widths(lambda width: choice_cells(fit, width)),
                ),
            ),
            Section(
                "meanings",
                "Literal semantics",
                paragraphs=text.meanings(fit),
                figures=(both_widths(lambda width: literal_semantics(fit, width)),),
            ),
            Section(
                "recursion",
                "Listener and speaker",
                paragraphs=text.recursion(fit),
                figures=(
                    listener_table(fit),
                    both_widths(lambda width: speaker_table(fit, width)),
                ),
            ),
        ]

    def study_summary(self, fits: Sequence[Fitted]) -> Table:
        """One row per speaker and goal: the weights with their intervals."""
        return study_table(fits)

    def study_sections(self, fits: Sequence[Fitted]) -> Sequence[Section]:
        """Weights side by side, how well each fit predicts, what is shared by the goals."""
        return [
            Section(
                "weights",
                "Utility weights side by side",
                paragraphs=text.reading_weights(),
                figures=(both_widths(lambda width: utility_weights(fits, width)),),
            ),
            Section(
                "predictive",
                "Predictive accuracy for each speaker",
                paragraphs=text.study_predictive(fits),
                tables=(shared_table(fits),),
                figures=(both_widths(lambda width: study_agreement(fits, width)),),
            ),
        ]

    def plots(self) -> Mapping[str, Plot]:
        """Figures by name."""

        def single(summary: str, draw: Callable[[Fitted, Width], Figure]) -> Plot:
            return Plot(summary, lambda fits, width: draw(fits[0], width), each=True)

        return {
            "weights": Plot("utility weights by speaker and goal, and of people", utility_weights),
            "simplex": Plot(
                "the three weights in a triangle, people in black",
                weight_triangle,
                lacking=lambda fits: (
                    "no fit has all three weights" if all(map(lacks_weights, fits)) else ""
                ),
            ),
            "human_choices": Plot(
                "choices of speakers against choices of people",
                human_choices,
                lacking=lacks_people,
            ),
            "weights_by_effort": Plot(
                "weights at each reasoning effort, by model",
                weights_by_effort,
                several=True,
                lacking=lacks_efforts,
            ),
            "agreement_by_speaker": Plot(
                "choice proportions against predictions, one panel per speaker",
                study_agreement,
                several=True,
            ),
            "agreement": single(
                "choice proportions against predictions, all cells", choice_agreement
            ),
            "cells": single("choice proportions and predictions, cell by cell", choice_cells),
            "literal": single("literal meanings: theta and judgments", literal_semantics),
            "listener": single("inferences of the pragmatic listener (L1)", listener_table),
            "speaker": single("choices of the speaker (S2)", speaker_table),
        }


def _places(fit: Fitted) -> list[Section]:
    """The position bias, if it was inferred."""
    if not fit.has("posterior", "place_bias"):
        return []
    return [
        Section(
            "places",
            "Position bias",
            paragraphs=text.places(fit),
            tables=(places_table(fit),),
        )
    ]


PAGES = PolitenessPages()
