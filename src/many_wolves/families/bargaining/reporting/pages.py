"""What bargaining puts into reports: sections, tables and figures of its models."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import pandas as pd

from many_wolves.families.bargaining.reporting import curves, ends, moves, schedule, weights
from many_wolves.families.bargaining.reporting.parts import model_of, table_of
from many_wolves.families.bargaining.reporting.predictive import observed_and_predicted, predictive
from many_wolves.figures.figure import Figure
from many_wolves.figures.fitted import Fitted
from many_wolves.figures.section import HeadlineMeasure, Plot, Section, Table, headline

ABOUT = {
    "concession": "log-odds of six kinds of moves, and the fraction of the gap that a concession "
    "gives up, linear in covariates",
    "outcomes": "in which round a game ends, whether with a deal, and at which share; games that "
    "were cut are censored",
    "aspiration": "an aspiration that falls with time from an opening to a bottom "
    "(Faratin, Sierra & Jennings 1998)",
    "values": "the utility of a deal is a weighted sum of own gain, an even split and agreement; "
    "beliefs about the other side are estimated, too",
    "kind-words": "the utility of a reply is a weighted sum of own gain, accepting the standing "
    "price and kind words",
}
DIAGNOSED = {
    "concession": ("middle_fraction", "size_scale", "rate"),
    "outcomes": ("deal_rate", "share", "expected_share"),
    "aspiration": ("opening", "bottom", "exponent", "reciprocity"),
    "values": ("w", "pays_to_close", "precision"),
    "kind-words": ("w", "precision"),
}
CITED = """@article{faratin1998,
  author = {Faratin, Peyman and Sierra, Carles and Jennings, Nick R.},
  title = {Negotiation decision functions for autonomous agents},
  journal = {Robotics and Autonomous Systems},
  volume = {24}, number = {3--4}, pages = {159--182}, year = {1998}
}
"""


class BargainPages:
    """Sections, tables and figures of bargaining."""

    def fitted_words(self, fit: Fitted) -> Mapping[str, str]:
        """What was fitted: heading -> plain words."""
        return {
            "Model": ABOUT[model_of(fit)],
            "Pooling": "role prompts vary around those of their group, chains and games around "
            "their role prompt, as far as there are several",
            "Games": f"{_games(fit):,}",
        }

    def headline(self, fit: Fitted) -> HeadlineMeasure | None:
        """The weight of kind words, where these were set against gain."""
        if model_of(fit) != "kind-words":
            return None
        weight = fit.values("posterior", "w").sel(weight="kind", drop=True)
        return headline("weight of kind words against own gain", weight)

    def diagnosed(self, fit: Fitted) -> Sequence[str]:
        """The parameters of interest, as far as the fit has them."""
        return [name for name in DIAGNOSED[model_of(fit)] if fit.has("posterior", name)]

    def methods(self, fits: Sequence[Fitted]) -> Sequence[str]:
        """The game and the models."""
        named = dict.fromkeys(model_of(fit) for fit in fits)
        each = "; ".join(f"{name}: {ABOUT[name]}" for name in named)
        return (f"These cognitive models of haggling over a price were fitted. {each}.",)

    def bibtex(self, fits: Sequence[Fitted]) -> str:
        """The source of the schedule, where it was fitted."""
        return CITED if any(model_of(fit) == "aspiration" for fit in fits) else ""

    def fit_sections(self, fit: Fitted) -> Sequence[Section]:
        """The estimates, what was done, and the predictive check."""
        return [*_SECTIONS[model_of(fit)](fit), predictive(fit)]

    def study_summary(self, fits: Sequence[Fitted]) -> Table:
        """One row for each speaker, model, quantity and condition."""
        parts = [_summary(fit) for fit in fits]
        return Table(
            pd.concat(parts, ignore_index=True),
            "Posterior means with 95 % highest-density intervals, by speaker.",
        )

    def study_sections(self, fits: Sequence[Fitted]) -> Sequence[Section]:
        """Speakers next to each other: how they move, what they reach, what they want."""
        found = []
        moved = [fit for fit in fits if model_of(fit) == "concession"]
        ended = [fit for fit in fits if model_of(fit) == "outcomes"]
        if len(moved) > 1:
            figures = (moves.moves_of_speakers(moved), moves.fractions_of_speakers(moved))
            found.append(Section("moves", "Concessions", (), (), figures))
        if len(ended) > 1:
            reached: tuple[Figure, ...] = (
                ends.outcomes_of_speakers(ended),
                curves.survival_curve(ended),
            )
            if ends.met_each_other(ended):
                reached = (*reached, curves.tournament(ended))
            found.append(Section("outcomes", "Outcomes", (ends.NEVER_ALONE,), (), reached))
        for number, fit in enumerate(fits):
            first = self.fit_sections(fit)[0]
            title = f"{first.title}: {fit.label}"
            found.append(Section(f"{first.id}-{number}", title, first.paragraphs, first.tables))
        return found

    def plots(self) -> Mapping[str, Plot]:
        """Figures by name."""
        return {
            "moves": Plot("rates of each kind of move, by speaker",
                          moves.moves_of_speakers,
                          lacking=_only("concession")),
            "fractions": Plot("fraction of the gap that a concession gives up, by speaker",
                              moves.fractions_of_speakers,
                              lacking=_only("concession")),
            "trajectories": Plot("prices of both sides by message",
                                 lambda fits, width: curves.trajectories(fits[0], width),
                                 each=True, lacking=_only("concession")),
            "acceptance": Plot("acceptance against the share that is offered",
                               lambda fits, width: curves.acceptance_curve(fits[0], width),
                               each=True, lacking=_only("concession")),
            "improvement": Plot("share of deals, deals per game, share per game, by arm and game",
                                lambda fits, width: ends.outcomes_figure(fits[0], width),
                                each=True, lacking=_only("outcomes")),
            "time": Plot("time to agreement and to any end, cut games censored",
                         curves.survival_curve,
                         lacking=_only("outcomes")),
            "tournament": Plot("every speaker against every partner",
                               curves.tournament,
                               several=True, lacking=_only("outcomes")),
            "weights": Plot("weights of own gain, an even split and agreement",
                            weights.triangle, lacking=_only("values")),
            "words": Plot("weights of own gain, the standing price and kind words",
                          weights.triangle, lacking=_only("kind-words")),
            "agreement": Plot("observed proportions against predictions",
                              lambda fits, width: observed_and_predicted(fits[0], width),
                              each=True),
        }  # fmt: skip


_SECTIONS: Mapping[str, Callable[[Fitted], list[Section]]] = {
    "concession": moves.sections,
    "outcomes": ends.sections,
    "aspiration": schedule.sections,
    "values": weights.values_sections,
    "kind-words": weights.words_sections,
}


def _summary(fit: Fitted) -> pd.DataFrame:
    rows = fit.summary[fit.summary["parameter"].isin(DIAGNOSED[model_of(fit)])]
    table = table_of(rows)
    verdict = "sound" if fit.converged else "not converged"
    return table.assign(speaker=fit.label, model=model_of(fit), verdict=verdict)[
        ["speaker", "model", *table.columns, "verdict"]
    ]


def _only(model: str) -> Callable[[Sequence[Fitted]], str]:
    return lambda fits: (
        "" if all(model_of(fit) == model for fit in fits) else f"it needs fits of the model {model}"
    )


def _games(fit: Fitted) -> int:
    return int(fit.values("observed_data", "counts").shape[0])


PAGES = BargainPages()
