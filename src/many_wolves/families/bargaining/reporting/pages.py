"""What bargaining puts into reports: sections, tables and figures of its models."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from many_wolves.families.bargaining.reporting import curves
from many_wolves.figures.agreement import agreement
from many_wolves.figures.figure import Figure
from many_wolves.figures.fitted import Fitted
from many_wolves.figures.groups import by_group
from many_wolves.figures.section import HeadlineMeasure, Plot, Section, Table, headline
from many_wolves.figures.simplex import simplex
from many_wolves.figures.theme import Width

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
MOVES = {
    "walk": "walks away", "back": "takes back", "hold": "repeats", "split": "splits the gap",
    "concede": "concedes", "accept": "accepts",
}  # fmt: skip
STOREYS = {"share": "share of a deal", "deal_rate": "deals per game begun",
           "expected_share": "share per game begun"}  # fmt: skip
SCHEDULE = {"opening": "opening", "bottom": "bottom", "exponent": "exponent"}
HEADINGS = {**MOVES, **STOREYS, **SCHEDULE, "middle_fraction": "fraction of the gap conceded"}
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
            "Model": ABOUT[_model(fit)],
            "Pooling": "role prompts vary around those of their group, chains and games around "
            "their role prompt, as far as there are several",
            "Games": f"{_games(fit):,}",
        }

    def headline(self, fit: Fitted) -> HeadlineMeasure | None:
        """The weight of kind words, where these were set against gain."""
        if _model(fit) != "kind-words":
            return None
        weight = fit.values("posterior", "w").sel(weight="kind", drop=True)
        return headline("weight of kind words against own gain", weight)

    def diagnosed(self, fit: Fitted) -> Sequence[str]:
        """The parameters of interest, as far as the fit has them."""
        return [name for name in DIAGNOSED[_model(fit)] if fit.has("posterior", name)]

    def methods(self, fits: Sequence[Fitted]) -> Sequence[str]:
        """The game and the models."""
        named = dict.fromkeys(_model(fit) for fit in fits)
        each = "; ".join(f"{name}: {ABOUT[name]}" for name in named)
        return (f"These cognitive models of haggling over a price were fitted. {each}.",)

    def bibtex(self, fits: Sequence[Fitted]) -> str:
        """The source of the schedule, where it was fitted."""
        return CITED if any(_model(fit) == "aspiration" for fit in fits) else ""

    def fit_sections(self, fit: Fitted) -> Sequence[Section]:
        """The estimates, what was done, and the predictive check."""
        return [*_SECTIONS[_model(fit)](fit), _predictive(fit)]

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
        moved = [fit for fit in fits if _model(fit) == "concession"]
        ended = [fit for fit in fits if _model(fit) == "outcomes"]
        if len(moved) > 1:
            figures = (moves_of_speakers(moved), fractions_of_speakers(moved))
            found.append(Section("moves", "Concessions", (), (), figures))
        if len(ended) > 1:
            reached: tuple[Figure, ...] = (storeys_of_speakers(ended), curves.survival_curve(ended))
            if _met_each_other(ended):
                reached = (*reached, curves.tournament(ended))
            found.append(Section("outcomes", "Outcomes", (NEVER_ALONE,), (), reached))
        for number, fit in enumerate(fits):
            first = self.fit_sections(fit)[0]
            title = f"{first.title}: {fit.label}"
            found.append(Section(f"{first.id}-{number}", title, first.paragraphs, first.tables))
        return found

    def plots(self) -> Mapping[str, Plot]:
        """Figures by name."""
        return {
            "moves": Plot("rates of each kind of move, by speaker",
                          moves_of_speakers,
                          lacking=_only("concession")),
            "fractions": Plot("fraction of the gap that a concession gives up, by speaker",
                              fractions_of_speakers,
                              lacking=_only("concession")),
            "trajectories": Plot("prices of both sides by message",
                                 lambda fits, width: curves.trajectories(fits[0], width),
                                 each=True, lacking=_only("concession")),
            "acceptance": Plot("acceptance against the share that is offered",
                               lambda fits, width: curves.acceptance_curve(fits[0], width),
                               each=True, lacking=_only("concession")),
            "improvement": Plot("share of deals, deals per game, share per game, by arm and game",
                                lambda fits, width: storeys(fits[0], width),
                                each=True, lacking=_only("outcomes")),
            "time": Plot("how long games last, cut games censored",
                         curves.survival_curve,
                         lacking=_only("outcomes")),
            "tournament": Plot("every speaker against every partner",
                               curves.tournament,
                               several=True, lacking=_only("outcomes")),
            "weights": Plot("weights of own gain, an even split and agreement",
                            triangle, lacking=_only("values")),
            "agreement": Plot("observed proportions against predictions",
                              lambda fits, width: _agreement(fits[0], width), each=True),
        }  # fmt: skip


NEVER_ALONE = (
    "The price of deals alone misleads: a hard bargainer gets better deals, but fewer of them. The "
    "share per game counts a game without a deal as zero."
)


def pays(fit: Fitted) -> str:
    """The share of the pie that a speaker gives up to close a deal, in words."""
    draws = fit.values("posterior", "pays_to_close").to_numpy().ravel()
    low, middle, high = np.quantile(draws, [0.025, 0.5, 0.975])
    capped = " More than 100 % means that it closes at any price." if high > 1 else ""
    return (
        f"{fit.label} gives up {middle:.0%} of the pie to close a deal rather than leave "
        f"(w_deal / w_own; 95 % interval {low:.0%} to {high:.0%}).{capped}"
    )


def moves_of_speakers(fits: Sequence[Fitted], width: Width = "two") -> Figure:
    """Rates of each kind of move by speaker and group, with what was observed."""
    parts = []
    for fit in fits:
        rows = fit.summary[fit.summary["parameter"] == "rate"]
        group = [str(c).rpartition("/")[0] for c in rows["condition"]]
        move = [str(c).rpartition("/")[2] for c in rows["condition"]]
        seen = _observed_rates(fit)
        parts.append(rows.assign(
            parameter=move, group=[_named(fit, g, len(fits)) for g in group],
            observed=[seen[g, m] for g, m in zip(group, move, strict=True)],
        ))  # fmt: skip
    frame = pd.concat(parts, ignore_index=True)
    return by_group(
        frame, name="moves", title="Next moves", labels=MOVES,
        groups=list(dict.fromkeys(frame["group"])), observed="share of the moves that were made",
        note=_n(fits, "moves"), width=width,
    )  # fmt: skip


def fractions_of_speakers(fits: Sequence[Fitted], width: Width = "one") -> Figure:
    """The fraction of the gap that a concession gives up, people next to models."""
    parts = []
    for fit in fits:
        rows = fit.summary[fit.summary["parameter"] == "middle_fraction"]
        parts.append(rows.assign(group=[_named(fit, g, len(fits)) for g in rows["condition"]]))
    frame = pd.concat(parts, ignore_index=True)
    return by_group(
        frame, name="fractions", title="Fraction of the gap that a concession gives up",
        labels={"middle_fraction": HEADINGS["middle_fraction"]},
        groups=list(dict.fromkeys(frame["group"])),
        note="Concessions that split the gap are counted separately. " + _n(fits, "moves"),
        width=width,
    )  # fmt: skip


def storeys(fit: Fitted, width: Width = "two") -> Figure:
    """Share of deals, deals per game, share per game: by arm and game, with what was seen."""
    return storeys_of_speakers([fit], width)


def storeys_of_speakers(fits: Sequence[Fitted], width: Width = "two") -> Figure:
    """The same of several speakers."""
    parts = []
    for fit in fits:
        rows = fit.summary[fit.summary["parameter"].isin(list(STOREYS))]
        seen = _observed_storeys(fit)
        parts.append(rows.assign(
            group=[_named(fit, c, len(fits)) for c in rows["condition"]],
            observed=[seen[key] for key in zip(rows["parameter"], rows["condition"], strict=True)],
        ))  # fmt: skip
    frame = pd.concat(parts, ignore_index=True)
    return by_group(
        frame, name="improvement", title="Outcomes of games", labels=STOREYS,
        groups=list(dict.fromkeys(frame["group"])),
        observed="observed values, with a game that was cut counting as no deal",
        note=_n(fits, "games"), width=width,
    )  # fmt: skip


def triangle(fits: Sequence[Fitted], width: Width = "one") -> Figure:
    """Weights of own gain, an even split and agreement in a triangle."""
    corners = ["own", "fair", "deal"]
    means, clouds = [], []
    for fit in fits:
        draws = fit.values("posterior", "w").transpose("chain", "draw", "weight")
        flat = pd.DataFrame(draws.to_numpy().reshape(-1, 3), columns=corners)
        clouds.append(flat.iloc[:: max(len(flat) // 300, 1)].assign(group=fit.label, panel="all"))
        means.append(flat.mean().to_frame().T.assign(group=fit.label, panel="all"))
    return simplex(
        pd.concat(means), pd.concat(clouds), corners=corners, groups=[f.label for f in fits],
        panels=["all"], width=width,
        caption="Weights of own gain, an even split and a deal for its own sake: posterior means "
        "over clouds of draws. " + _n(fits, "messages"),
    )  # fmt: skip


def _concession(fit: Fitted) -> list[Section]:
    rows = fit.summary[fit.summary["parameter"].isin(["middle_fraction", "size_scale"])]
    figures = (_both(lambda w: moves_of_speakers([fit], w)), fractions_of_speakers([fit]))
    table = Table(_table(rows), "Posterior means with 95 % highest-density intervals.")
    done = (curves.trajectories(fit), curves.acceptance_curve(fit))
    return [
        Section("moves", "Next moves", (), (table,), figures),
        Section("seen", "Observed prices and acceptance", (), (), done),
    ]


def _outcomes(fit: Fitted) -> list[Section]:
    rows = fit.summary[fit.summary["parameter"].isin([*STOREYS, "contrast"])]
    table = Table(_table(rows), "Posterior means with 95 % highest-density intervals.")
    return [
        Section("outcomes", "Outcomes of games", (NEVER_ALONE,), (table,),
                (_both(lambda w: storeys(fit, w)),)),
        Section("time", "Length of games", (), (), (curves.survival_curve([fit]),)),
    ]  # fmt: skip


def _aspiration(fit: Fitted) -> list[Section]:
    names = [*SCHEDULE, "reciprocity", "demand_spread", "precision", "contrast"]
    rows = fit.summary[fit.summary["parameter"].isin(names)]
    frame = rows.rename(columns={"condition": "group"})
    groups = list(dict.fromkeys(frame[frame["parameter"] == "opening"]["group"]))
    figure = by_group(
        frame, name="schedule", title="The falling aspiration", labels=SCHEDULE, groups=groups,
        limits=None, note=_n([fit], "messages"),
    )  # fmt: skip
    table = Table(_table(rows), "Posterior means with 95 % highest-density intervals.")
    words = (
        "Opening and bottom are shares of the pie at the first and the last message. "
        "An exponent below 1 concedes late (Boulware), above 1 early (conceder)."
    )
    return [Section("schedule", "The falling aspiration", (words,), (table,), (figure,))]


def _values(fit: Fitted) -> list[Section]:
    names = ["w", "w_group", "pays_to_close", "precision", "hope", "sharpness", "breakdown",
             "contrast"]  # fmt: skip
    rows = fit.summary[fit.summary["parameter"].isin(names)]
    table = Table(_table(rows), "Posterior means with 95 % highest-density intervals.")
    return [Section("values", "Weights", (pays(fit),), (table,), (triangle([fit]),))]


def _words(fit: Fitted) -> list[Section]:
    rows = fit.summary[fit.summary["parameter"].isin(["w", "w_group", "precision"])]
    table = Table(_table(rows), "Posterior means with 95 % highest-density intervals.")
    return [Section("words", "Kind words against gain", (), (table,))]


_SECTIONS: Mapping[str, Callable[[Fitted], list[Section]]] = {
    "concession": _concession,
    "outcomes": _outcomes,
    "aspiration": _aspiration,
    "values": _values,
    "kind-words": _words,
}


def _predictive(fit: Fitted) -> Section:
    words = "Each point is a kind of answer in one group: its observed and its predicted share."
    return Section("predictive", "Predictive check", (words,), (), (_agreement(fit, "one"),))


def _agreement(fit: Fitted, width: Width) -> Figure:
    """Observed and predicted shares of each kind of answer, by group."""
    counts = fit.values("observed_data", "counts")
    units, event = counts.dims
    groups, of = _groups(fit, str(units))
    seen = counts.to_numpy()
    drawn = fit.values("posterior_predictive", "counts").to_numpy()
    predicted = fit.values("posterior", "predicted").mean(("chain", "draw")).to_numpy()
    rows = []
    for number, group in enumerate(groups):
        own = of == number
        n = seen[own].sum()
        each = seen[own].sum(axis=1, keepdims=True)
        low, high = np.quantile(drawn[..., own, :].sum(axis=-2) / n, [0.025, 0.975], axis=(0, 1))
        for place, name in enumerate(counts[event].to_numpy()):
            rows.append((str(name), group, seen[own, place].sum() / n,
                         float((predicted[own] * each)[:, place].sum() / n),
                         low[place], high[place]))  # fmt: skip
    frame = pd.DataFrame(rows, columns=["answer", "group", "observed", "predicted", "low", "high"])
    return agreement(frame, groups=groups, n=float(seen.sum()), width=width)


def _groups(fit: Fitted, units: str) -> tuple[list[str], np.ndarray]:
    """Names of groups, and the group of each unit; one where the fit tells none."""
    for name, places in (("rate", "group"), ("opening", "group"), ("w_group", "group"),
                         ("deal_rate", "condition")):  # fmt: skip
        if fit.has("posterior", name) and fit.has("observed_data", f"{units}_{places}"):
            names = fit.values("posterior", name)[places].to_numpy()
            of = fit.values("observed_data", f"{units}_{places}").to_numpy().astype(int)
            return [str(g) or fit.label for g in names], of
    n = fit.values("observed_data", "counts").sizes[units]
    return [fit.label], np.zeros(n, dtype=int)


def _observed_rates(fit: Fitted) -> dict[tuple[str, str], float]:
    counts = fit.values("observed_data", "counts")
    of = fit.values("observed_data", "episode_group").to_numpy().astype(int)
    groups = [str(g) for g in fit.values("posterior", "rate")["group"].to_numpy()]
    found = {}
    for number, group in enumerate(groups):
        own = counts.to_numpy()[of == number].sum(axis=0)
        for name, n in zip(counts["move"].to_numpy(), own, strict=True):
            found[group, str(name)] = float(n / own.sum())
    return found


def _observed_storeys(fit: Fitted) -> dict[tuple[str, str], float]:
    deal = fit.values("observed_data", "counts").sel(end="deal").to_numpy() > 0
    share = fit.values("observed_data", "share_of_deal").to_numpy()
    of = fit.values("observed_data", "episode_condition").to_numpy().astype(int)
    names = [str(c) for c in fit.values("posterior", "deal_rate")["condition"].to_numpy()]
    found = {}
    for number, name in enumerate(names):
        own, known = of == number, np.isfinite(share)
        closed = own & deal & known
        found["deal_rate", name] = float(deal[own].mean())
        found["share", name] = float(share[closed].mean()) if closed.any() else float("nan")
        found["expected_share", name] = found["deal_rate", name] * found["share", name]
    return found


def _table(rows: pd.DataFrame) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "quantity": [HEADINGS.get(p, p) for p in rows["parameter"]],
            "of": rows["condition"],
            "mean [95 % HDI]": [
                f"{r.mean:.2f} [{r.hdi_low:.2f}, {r.hdi_high:.2f}]"
                for r in rows[["mean", "hdi_low", "hdi_high"]].itertuples(name="Row", index=False)
            ],
        }
    )


def _summary(fit: Fitted) -> pd.DataFrame:
    rows = fit.summary[fit.summary["parameter"].isin(DIAGNOSED[_model(fit)])]
    table = _table(rows)
    verdict = "sound" if fit.converged else "not converged"
    return table.assign(speaker=fit.label, model=_model(fit), verdict=verdict)[
        ["speaker", "model", *table.columns, "verdict"]
    ]


def _met_each_other(fits: Sequence[Fitted]) -> bool:
    names = {fit.label for fit in fits}
    met: set[str] = set()
    for fit in fits:
        partners = fit.values("posterior", "partner_at")["partner"].to_numpy()
        met |= {str(p).rsplit("/", 1)[-1] for p in partners}
    return bool(names & met)


def _named(fit: Fitted, condition: object, fits: int) -> str:
    """A row's name: the speaker, the condition, or both."""
    name = str(condition)
    if fits == 1:
        return name or fit.label
    return f"{fit.label}: {name}" if name else fit.label


def _only(model: str) -> Callable[[Sequence[Fitted]], str]:
    return lambda fits: (
        "" if all(_model(fit) == model for fit in fits) else f"it is of fits of the model {model}"
    )


def _both(draw: Callable[[Width], Figure]) -> Figure:
    return replace(draw("two"), narrow=draw("one"))


def _model(fit: Fitted) -> str:
    return str(fit.info["model"])


def _games(fit: Fitted) -> int:
    return int(fit.values("observed_data", "counts").shape[0])


def _n(fits: Sequence[Fitted], what: str) -> str:
    return "; ".join(f"{fit.label}: n = {fit.info['choices']:,.0f} {what}" for fit in fits) + "."


PAGES = BargainPages()
