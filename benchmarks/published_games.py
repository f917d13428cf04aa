"""Published choices in games, of people and models, by the same models of play.

    python benchmarks/published_games.py --workers 2
    python benchmarks/published_games.py --data akata2025 payne2025

Every speaker of the shipped tables of games is fitted with the first model of its task: memory-one
strategies for rounds, social preferences for amounts. A table per data set gives means and 95 %
intervals, a row per speaker and group. Before it stands the observed share of C after each pair
of moves. ``--no-fit`` reads the fits that exist. The tables of rates cannot be fitted; their means
are printed. Interrupt it and run it again to go on.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

import many_wolves as mw
from many_wolves.files import shipped
from many_wolves.report.findings import markdown
from many_wolves.workflows.data import of_one
from many_wolves.workflows.results import SpeakerFit

DATA = (
    "mei2024-dilemma",
    "mei2024-gifts",
    "brookins2024",
    "akata2025",
    "payne2025",
    "mei2024-ultimatum",
    "akata2025-replies",
    "phelps2023-rounds",
    "phelps2023-gifts",
    "dalbo2011",
)
"""From the quickest fit to the longest."""
ROUNDS = ("akata2025", "payne2025", "phelps2023-rounds", "dalbo2011")
"""Tables with every round of a game."""
SHOWN = {
    "dilemma": ("opening", "cooperation", "retaliation", "forgiveness", "spite", "endgame_drop"),
    "dictator": ("guilt", "envy", "given_share"),
    "ultimatum": ("guilt", "envy", "given_share"),
}
"""Measures of a task, in the order of the columns."""
DRAWS: Mapping[str, Any] = {"chains": 4, "warmup": 400, "draws": 400}


def fitted(name: str, out: Path, workers: int) -> Iterator[SpeakerFit]:
    """Fits of all speakers of a data set; finished ones are read."""
    table = mw.data(name)
    done = mw.fit_all(
        [of_one(table, one) for one in table.speakers], out=out / name, workers=workers, **DRAWS
    )
    for refused in done.refused:
        print(refused)
    yield from done.values()


def finished(name: str, out: Path) -> Iterator[SpeakerFit]:
    """Those fits of a data set that exist."""
    for record in sorted((out / name).glob("*/fit.json")):
        yield mw.read_fit(record.parent)


def table(fits: Sequence[SpeakerFit], task: str) -> pd.DataFrame:
    """A row per speaker and group, a column per measure, mean and interval as text."""
    rows = []
    for fit in fits:
        summary = fit.summary
        kept = summary[summary["parameter"].isin(SHOWN[task])].copy()
        kept["value"] = [
            f"{mean:.2f} [{low:.2f}, {high:.2f}]"
            for mean, low, high in kept[["mean", "hdi_low", "hdi_high"]].to_numpy()
        ]
        wide = kept.pivot_table(
            index="condition", columns="parameter", values="value", aggfunc="first", sort=False
        )
        wide.insert(0, "speaker", fit.speaker)
        wide["r2"] = f"{fit.r2:.2f}"
        wide["converged"] = "yes" if fit.converged else "no"
        rows.append(wide.reset_index(names="group"))
    whole = pd.concat(rows, ignore_index=True)
    measures = [name for name in SHOWN[task] if name in whole]
    return whole[["speaker", "group", *measures, "r2", "converged"]].fillna("")


def observed(name: str) -> pd.DataFrame:
    """Share of C after each pair of moves (own first) with its number, by speaker and group."""
    rows = mw.data(name).rows
    game = ["speaker", "group", "participant", "partner", "game"]
    rows = rows.sort_values([*game, "round"], kind="stable")
    before = rows.groupby(game)[["own", "other"]].shift()
    context = (before["own"] + before["other"]).where(rows["round"] > 1, "start")
    by = [rows["speaker"], rows["group"], context.rename("after")]
    played = rows["own"].eq("C").groupby(by).agg(["mean", "size"]).reset_index()
    played["value"] = [
        f"{m:.2f} ({n})" for m, n in zip(played["mean"], played["size"], strict=True)
    ]
    wide = played.pivot(index=["speaker", "group"], columns="after", values="value")
    order = [after for after in ("start", "CC", "CD", "DC", "DD") if after in wide]
    return wide[order].fillna("").reset_index()


def rates() -> None:
    """Means of the tables that hold rates without counts."""
    folder = shipped("task-data/reference")
    shares = pd.read_csv(folder / "engel2011" / "shares.csv")
    product = shares["share_given"] * shares["fraction"]
    means = product.groupby(shares["studies"]).sum() / shares.groupby("studies")["fraction"].sum()
    print(f"\n## engel2011: mean share given\n{means.round(3).to_string()}")
    cooperation = pd.read_csv(folder / "vonk2025" / "rates.csv")
    by_chance = cooperation.groupby(["model", "end_chance"])["cooperation"].mean().unstack()
    print(f"\n## vonk2025: mean rate of C by chance of the end\n{by_chance.round(2).to_string()}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", nargs="+", choices=DATA, default=DATA)
    parser.add_argument("--no-fit", action="store_true", help="only print what is fitted")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--out", type=Path, default=Path("benchmarks/out/published_games"))
    given = parser.parse_args()
    for name in given.data:
        found = (
            finished(name, given.out) if given.no_fit else fitted(name, given.out, given.workers)
        )
        fits = list(found)
        print(f"\n## {name}")
        if name in ROUNDS:
            print(markdown(observed(name)))
        if fits:
            print(markdown(table(fits, mw.data(name).task)))
        for fit in fits:
            print(f"{fit.speaker}: {fit.judged.headline}")
    rates()


if __name__ == "__main__":
    main()
