"""``wolves power``: how many answers are needed to see a difference in a weight?"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from many_wolves.records import ChoiceTable

CONDITIONS = ("first", "second")
ENOUGH = 0.8


def _numbers(_: Any, __: Any, text: str) -> list[int]:
    try:
        found = sorted({int(part) for part in text.split(",") if part.strip()})
    except ValueError as error:
        raise click.BadParameter("expected whole numbers, as in 1,5,10") from error
    if not found or found[0] < 1:
        raise click.BadParameter("expected whole numbers of one or more, as in 1,5,10")
    return found


@click.command("power")
@click.option(
    "--weight",
    type=click.Choice(["w_inf", "w_soc", "w_pres", "phi"]),
    default="w_inf",
    show_default=True,
    help="What differs between two conditions.",
)
@click.option("--difference", default=0.1, show_default=True, type=click.FloatRange(-0.9, 0.9))
@click.option(
    "--at",
    type=click.Path(path_type=Path, exists=True),
    help='JSON: {"alpha", "cost", "weights": {"w_inf", "w_soc", "w_pres", "phi"}} of the first '
    "condition; else those of people asked for both goals.",
)
@click.option("--items", default="13", show_default=True, callback=_numbers)
@click.option("--replicates", default="1,3,10", show_default=True, callback=_numbers)
@click.option("--n", "count", default=40, show_default=True, type=click.IntRange(10))
@click.option(
    "--engine",
    type=click.Choice(["auto", "httpstan", "cmdstan"]),
    default="auto",
    show_default=True,
)
@click.option("--chains", default=2, show_default=True, type=click.IntRange(2))
@click.option("--warmup", default=400, show_default=True, type=click.IntRange(50))
@click.option("--draws", default=300, show_default=True, type=click.IntRange(50))
@click.option("--seed", default=1, show_default=True, type=click.IntRange(0))
@click.option("--workers", type=click.IntRange(1), help="Processes; as many as cores if not given.")
@click.option("--out", type=click.Path(path_type=Path), default=Path("rsa-output/power"))
def command(at: Path | None, out: Path, **options: Any) -> None:
    """Chance that a 95 % interval of a difference between two conditions excludes zero.

    Speakers with known weights answer designs of several sizes, and are fitted. With
    --difference 0 the table gives the rate of false alarms. Resumes where it stopped.

    Items do not differ within the model, so that designs with as many answers to a
    question are one: 13 items once are 1 item 13 times.
    """
    import pandas as pd

    from many_wolves.commands.simulating import Trials, run_trials
    from many_wolves.files import write_atomic
    from many_wolves.inference.evaluation.recovery import power
    from many_wolves.inference.threads import cores

    given = _given(at, options["weight"], options["difference"])
    rows: list[dict[str, Any]] = []
    for items, replicates in _designs(options["items"], options["replicates"]):
        trials = Trials(
            table=_design(items * replicates),
            options={"literal": "joint"},
            engine=options["engine"],
            settings={k: options[k] for k in ("chains", "warmup", "draws")},
            given=given,
            contrast=(options["weight"], 0, 1),
        )
        done = run_trials(
            trials,
            options["count"],
            seed=options["seed"],
            path=out / f"{options['weight']}_{options['difference']:g}_{items * replicates}.jsonl",
            workers=options["workers"] or cores(),
            label=f"{items} items x {replicates} replicates",
        )
        answers = trials.table.counts["count"].sum()
        measured = asdict(power(done, "difference"))
        rows.append({"items": items, "replicates": replicates, "answers": answers} | measured)
        table = pd.DataFrame(rows)
        write_atomic(out / "power.csv", table.to_csv(index=False))
    facts = {"given": given} | {k: v for k, v in options.items() if k != "workers"}
    write_atomic(out / "power.json", json.dumps(facts, indent=2) + "\n")
    click.echo(table.to_string(index=False, float_format=lambda x: f"{x:.3f}"))
    click.echo(_conclusion(table, options["weight"], options["difference"]))
    click.echo(f"Written to {out}")


def _designs(items: list[int], replicates: list[int]) -> Iterator[tuple[int, int]]:
    """Pairs in the order of their product, one of each product."""
    pairs = sorted(((i, r) for i in items for r in replicates), key=lambda p: (p[0] * p[1], p))
    seen: set[int] = set()
    for i, r in pairs:
        if i * r not in seen:
            seen.add(i * r)
            yield i, r


def _design(answers: int) -> ChoiceTable:
    """Two conditions with so many answers to each state of the human scale.

    Only how many answers a state has is used, not which.
    """
    import pandas as pd

    from many_wolves.families.politeness.human import UTTERANCES, literal_counts
    from many_wolves.records import ChoiceTable

    literal = literal_counts()
    rows = [
        ("simulated", goal, "first", state, utterance, answers * (utterance == UTTERANCES[0]))
        for goal in CONDITIONS
        for state in sorted(literal["state"].unique())
        for utterance in UTTERANCES
    ]
    columns = ["speaker", "goal", "framing", "state", "utterance", "count"]
    return ChoiceTable(
        family="politeness",
        counts=pd.DataFrame(rows, columns=columns),
        aside={"literal": literal.assign(speaker="simulated")},
    )


def _given(at: Path | None, weight: str, difference: float) -> dict[str, Any]:
    """Parameters of both conditions: the second has ``weight`` shifted, the rest rescaled."""
    from many_wolves.commands.simulating import read_given
    from many_wolves.errors import WolvesError

    base = dict(read_given(at) or _people())
    first = dict(base["weights"])
    second = dict(first)
    shifted = first[weight] + difference
    if not 0 <= shifted <= 1:
        raise WolvesError(
            f"{weight} is {first[weight]:.3f} in the first condition; with {difference:+g} it "
            "leaves the interval from 0 to 1",
            mend="--difference with the other sign, or other weights with --at",
        )
    second[weight] = shifted
    if weight != "phi":
        others = [w for w in ("w_inf", "w_soc", "w_pres") if w != weight]
        rest = sum(first[w] for w in others)
        for w in others:
            second[w] = first[w] / rest * (1 - shifted) if rest > 0 else (1 - shifted) / 2
    return base | {"weights": dict(zip(CONDITIONS, (first, second), strict=True))}


def _people() -> dict[str, Any]:
    """Posterior means of people asked for both goals."""
    import pandas as pd

    from many_wolves.files import shipped

    means = pd.read_csv(shipped("task-data/human/yoon2020_weights.csv"))
    shared = means[means["condition"].isna()].set_index("parameter")["mean"]
    own = means[means["condition"] == "both"].set_index("parameter")["mean"]
    weights = {str(k): float(v) for k, v in own.items()}
    total = sum(v for k, v in weights.items() if k != "phi")
    weights = {k: v if k == "phi" else v / total for k, v in weights.items()}
    return {"alpha": float(shared["alpha"]), "cost": float(shared["cost"]), "weights": weights}


def _conclusion(table: Any, weight: str, difference: float) -> str:
    if difference == 0:
        worst = table["power"].max()
        return f"With no difference in {weight}, at most {100 * worst:.0f} % of fits see one."
    enough = table[table["power"] >= ENOUGH]
    if enough.empty:
        return (
            f"No design sees a difference of {difference:+g} in {weight} in "
            f"{100 * ENOUGH:.0f} % of fits; try more replicates."
        )
    least = enough.iloc[0]
    return (
        f"{least['items']:.0f} items x {least['replicates']:.0f} replicates "
        f"({least['answers']:.0f} answers in all) see a difference of {difference:+g} in {weight} "
        f"in {100 * least['power']:.0f} % of fits "
        f"(95 % interval {100 * least['low']:.0f} to {100 * least['high']:.0f})."
    )
