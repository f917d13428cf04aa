"""The reports of the family of markets: first the sessions, then the fits."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import pandas as pd

from many_wolves.families.markets.model import ALL
from many_wolves.families.markets.reporting import figures, measures
from many_wolves.families.markets.reporting.checks import predictive_table
from many_wolves.families.markets.reporting.kept import designs_of, sessions_of
from many_wolves.families.markets.reporting.lines import SCRIPTED, scripted
from many_wolves.families.markets.rules.parameters import ROLES
from many_wolves.figures.figure import Figure, both_widths
from many_wolves.figures.fitted import Fitted
from many_wolves.figures.section import HeadlineMeasure, Plot, Section, Table
from many_wolves.figures.theme import Width

NOTHING = "–"
WORDS = {
    "declared-value": "Declarations by logit choice: taxes, a believed purchase rate that falls "
    "with the declaration, losses by purchases. First declarations also decide the condition",
    "purchases": "Purchases by logit choice: the expected value, from the declaration and the "
    "middle of the band, against a hurdle",
    "quotes": "Orders by logit choice around a reservation price: two signals, the median price, "
    "and the own shares",
    "ewa": "Experience-weighted attraction over classes of markup (Camerer & Ho 1999)",
}
"""Cognitive model -> its content in words."""
FIGURES: Mapping[str, tuple[str, str]] = {
    "declared": ("declarations", "declared against true values"),
    "turnover": ("declarations", "share of lots bought, by declaration"),
    "efficiency": ("payoffs", "sum of values over the best sum, by round"),
    "prices": ("trades", "price paths against what a share paid"),
    "payoffs": ("payoffs", "euro by role, with Gini coefficients"),
}
"""Figure -> the table that it needs, and what it shows; the most important first."""
PRECISION = 1.0
"""Precision of the logit equilibrium where the fit estimates none; the prior's middle."""


class MarketPages:
    """Sections, tables and figures of the models of markets."""

    def fitted_words(self, fit: Fitted) -> Mapping[str, str]:
        """What was fitted: heading -> plain words."""
        sessions = sessions_of(fit).get("payoffs", pd.DataFrame(columns=["session"]))
        parameters = ALL[str(fit.info["model"])].parameters
        priors = "; ".join(f"{p.name} {p.prior}" for p in parameters)
        return {
            "Model": WORDS[str(fit.info["model"])],
            "Priors": priors,
            "Sessions": f"{sessions['session'].nunique()}",
        }

    def headline(self, fit: Fitted) -> HeadlineMeasure | None:
        """None, because no parameter of markets measures kindness."""
        return None

    def diagnosed(self, fit: Fitted) -> Sequence[str]:
        """The parameters."""
        parameters = ALL[str(fit.info["model"])].parameters
        return [p.name for p in parameters if fit.has("posterior", p.name)]

    def methods(self, fits: Sequence[Fitted]) -> Sequence[str]:
        """The experiment and the models."""
        used = ", ".join(dict.fromkeys(str(fit.info["model"]) for fit in fits))
        return (
            "Players declared values of land under taxes, traded tax shares and bought lots, "
            f"as in the spatial planning experiment. Cognitive models: {used}. Lines of truthful "
            "and of zero-intelligence players come from simulated sessions with the same rules.",
        )

    def bibtex(self, fits: Sequence[Fitted]) -> str:
        """What the models rest on."""
        used = {str(fit.info["model"]) for fit in fits}
        return "\n".join(entry for name, entry in BIBTEX.items() if name in used)

    def fit_sections(self, fit: Fitted) -> Sequence[Section]:
        """Sessions, parameters, and the predictive check."""
        return [
            *_sessions_sections(fit),
            Section("parameters", "Parameters", (), (_parameters(fit),)),
            Section("predictive", "Predictive check", (), (predictive_table(fit),)),
        ]

    def study_summary(self, fits: Sequence[Fitted]) -> Table:
        """One row per speaker, model and parameter."""
        parts = []
        for fit in fits:
            frame = _parameters(fit).frame
            frame = frame.assign(verdict="sound" if fit.converged else "not converged")
            frame.insert(0, "speaker", fit.label)
            frame.insert(1, "model", str(fit.info["model"]))
            parts.append(frame)
        return Table(
            pd.concat(parts, ignore_index=True),
            "Posterior means with 95 % highest-density intervals, by speaker and model.",
        )

    def study_sections(self, fits: Sequence[Fitted]) -> Sequence[Section]:
        """The sessions of each speaker, once."""
        found: list[Section] = []
        seen: set[str] = set()
        for fit in fits:
            if fit.speaker in seen:
                continue
            seen.add(fit.speaker)
            for section in _sessions_sections(fit):
                named = f"{section.title}: {fit.speaker}"
                found.append(replace(section, id=f"{section.id}-{len(seen)}", title=named))
        return found

    def plots(self) -> Mapping[str, Plot]:
        """Figures by name."""
        return {
            name: Plot(
                summary,
                partial(_draw, name),
                each=True,
                lacking=partial(_lacking, table),
            )
            for name, (table, summary) in FIGURES.items()
        }


def _draw(name: str, fits: Sequence[Fitted], width: Width) -> Figure:
    fit = fits[0]
    tables, designs = sessions_of(fit), designs_of(fit)
    draw: Callable[..., Figure] = getattr(figures, f"{name}_figure")
    if name in ("declared", "turnover"):
        return draw(tables, designs, _precision(fit), width=width)
    return draw(tables, designs, width=width)


def _lacking(table: str, fits: Sequence[Fitted]) -> str:
    """Why a figure cannot be drawn of some fits."""
    without = [fit.label for fit in fits if table not in sessions_of(fit)]
    return f"no {table} in the sessions of {', '.join(without)}" if without else ""


def _precision(fit: Fitted) -> float:
    """Precision of the logit equilibrium: the speaker's own where it is estimated."""
    if str(fit.info["model"]) == "declared-value":
        return round(float(fit.values("posterior", "precision").mean()), 3)
    return PRECISION


def _sessions_sections(fit: Fitted) -> list[Section]:
    """What was played: a section with figures and tables each, as far as there is such data."""
    tables, designs = sessions_of(fit), designs_of(fit)
    parts: Sequence[tuple[str, str, Callable[[], Table]]] = (
        ("declared", "Declared and true values", lambda: _markups(tables)),
        ("turnover", "Turnover", lambda: _turnover(tables)),
        ("efficiency", "Efficiency", lambda: _efficiency(tables, designs)),
        ("prices", "Prices", lambda: _prices(tables, designs)),
        ("payoffs", "Payoffs and inequality", lambda: _payoffs(tables, designs)),
    )
    found = []
    for name, title, table in parts:
        if _lacking(FIGURES[name][0], [fit]):
            continue
        figure = both_widths(partial(_draw, name, [fit]))
        found.append(Section(name, title, (), (table(),), (figure,)))
    return found


def _interval(row: Mapping[Any, Any], digits: int = 3) -> str:
    """``mean [low, high]``, or the mean alone."""
    mean = f"{row['mean']:.{digits}f}"
    if pd.isna(row["low"]):
        return mean
    return f"{mean} [{row['low']:.{digits}f}, {row['high']:.{digits}f}]"


def _markups(tables: measures.Tables) -> Table:
    frame = measures.markups(tables)
    shown = pd.DataFrame(
        {
            "stage": frame["stage"],
            "role": frame["role"],
            "tax": frame["tax"].map("{:g}".format),
            "declarations": frame["n"].map(str),
            "markup [95 %]": [_interval(row) for row in frame.to_dict("records")],
            "above the value": (100 * frame["over"]).map("{:.0f} %".format),
            "below": (100 * frame["under"]).map("{:.0f} %".format),
        }
    )
    return Table(
        shown,
        "Markup: declared over true value, less 1. Intervals are over sessions, where there are "
        "three or more. Declarations within 1 % of the value are neither above nor below.",
    )


def _turnover(tables: measures.Tables) -> Table:
    final = measures.final_declarations(tables)
    rows = []
    for role, part in final.groupby("role"):
        mean, low, high = measures.mean_over_sessions(part, "bought")
        rows.append(
            {
                "role": role,
                "lots": str(len(part)),
                "bought [95 %]": _interval({"mean": mean, "low": low, "high": high}),
                "keeps declarations true": f"{part['truthful'].mean():.3f}",
                "markup": f"{part['markup'].mean():+.3f}",
            }
        )
    return Table(
        pd.DataFrame(rows),
        "Lots bought in the final stage next to the purchase probability tax x (1 - own shares) / "
        "buyers' share. If the share bought is above that probability, declaring above the value "
        "pays; otherwise, declaring below it pays.",
    )


def _compared(tables: measures.Tables, designs: tuple[str, ...]) -> dict[str, measures.Tables]:
    """The sessions, and those of scripted players where the rules are known."""
    others = {name: scripted(name, designs) for name in SCRIPTED} if designs else {}
    return {"observed": tables, **others}


def _efficiency(tables: measures.Tables, designs: tuple[str, ...]) -> Table:
    rows = []
    for name, own in _compared(tables, designs).items():
        frame = measures.rounds(own)
        mean, low, high = measures.mean_over_sessions(frame, "efficiency")
        rows.append(
            {
                "players": name,
                "rounds": str(len(frame)),
                "efficiency [95 %]": _interval({"mean": mean, "low": low, "high": high}),
                "better condition": f"{frame['right'].mean():.0%}",
            }
        )
    return Table(
        pd.DataFrame(rows),
        "Efficiency: the sum of values under the chosen condition over the best sum. Intervals "
        "are over sessions.",
    )


def _prices(tables: measures.Tables, designs: tuple[str, ...]) -> Table:
    rows = []
    for name, own in _compared(tables, designs).items():
        frame = measures.price_paths(own)
        if not len(frame):
            continue
        away = frame.assign(away=(frame["ratio"] - 1).abs())
        last = away.groupby(["session", "round"]).tail(1)
        rows.append(
            {
                "players": name,
                "trades": str(len(frame)),
                "mean price / worth": f"{frame['ratio'].mean():.3f}",
                "distance": f"{away['away'].mean():.3f}",
                "distance of last trades": f"{last['away'].mean():.3f}",
            }
        )
    return Table(
        pd.DataFrame(rows),
        "Prices over what a share paid in the end, and their mean absolute distance from 1.",
    )


def _payoffs(tables: measures.Tables, designs: tuple[str, ...]) -> Table:
    rows = []
    for name, own in _compared(tables, designs).items():
        for row in measures.payoffs(own, ROLES).to_dict("records"):
            gini = NOTHING if pd.isna(row["gini"]) else f"{row['gini']:.3f}"
            rows.append(
                {
                    "players": name,
                    "role": row["role"],
                    "participants": str(row["n"]),
                    "euro [95 %]": _interval(row, 2),
                    "Gini": gini,
                }
            )
    return Table(
        pd.DataFrame(rows),
        "Payoff of a round in euro, as if it were paid. Gini coefficients are over participants "
        "and need payoffs that are not negative.",
    )


def _parameters(fit: Fitted) -> Table:
    known = {p.name: p for p in ALL[str(fit.info["model"])].parameters}
    part = fit.summary[fit.summary["parameter"].isin(list(known))]
    rows = [
        {
            "parameter": row["parameter"] + (f" ({row['condition']})" if row["condition"] else ""),
            "mean [95 % HDI]": _interval(
                {"mean": row["mean"], "low": row["hdi_low"], "high": row["hdi_high"]}, 2
            ),
            "unit": known[row["parameter"]].unit,
            "meaning": known[row["parameter"]].meaning,
        }
        for _, row in part.iterrows()
    ]
    return Table(pd.DataFrame(rows), "Posterior means with 95 % highest-density intervals.")


BIBTEX = {
    "declared-value": """\
@article{mckelvey1995qre,
  author  = {McKelvey, Richard D. and Palfrey, Thomas R.},
  title   = {Quantal response equilibria for normal form games},
  journal = {Games and Economic Behavior},
  volume  = {10},
  number  = {1},
  pages   = {6--38},
  year    = {1995}
}

@article{posner2017property,
  author  = {Posner, Eric A. and Weyl, E. Glen},
  title   = {Property is only another name for monopoly},
  journal = {Journal of Legal Analysis},
  volume  = {9},
  number  = {1},
  pages   = {51--123},
  year    = {2017}
}
""",
    "quotes": """\
@article{gode1993zero,
  author  = {Gode, Dhananjay K. and Sunder, Shyam},
  title   = {Allocative efficiency of markets with zero-intelligence traders},
  journal = {Journal of Political Economy},
  volume  = {101},
  number  = {1},
  pages   = {119--137},
  year    = {1993}
}
""",
    "ewa": """\
@article{camerer1999ewa,
  author  = {Camerer, Colin and Ho, Teck Hua},
  title   = {Experience-weighted attraction learning in normal form games},
  journal = {Econometrica},
  volume  = {67},
  number  = {4},
  pages   = {827--874},
  year    = {1999}
}
""",
}
"""Cognitive model -> BibTeX entries."""

PAGES = MarketPages()
