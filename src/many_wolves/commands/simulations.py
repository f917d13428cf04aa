"""Options that `wolves recover` and `wolves calibrate` share: those of design and fit."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from many_wolves.commands.options import (
    MODEL,
    ONLY,
    VARIANT,
    WORKERS,
    Option,
    model_options,
    model_values,
    observations_of,
    sampling_options,
    sampling_values,
    table_argument,
    together,
)
from many_wolves.workflows.sampling import USUAL

if TYPE_CHECKING:
    from many_wolves.workflows.simulation import Trials


def simulation_options(*, count: int, least: int, out: str) -> Option:
    """Options of a command that simulates answers and fits them.

    Parameters
    ----------
    count, least
        Default and smallest number of simulations.
    out
        Default folder of the results.
    """
    return together(
        table_argument(),
        click.option(
            "--data",
            "--human",
            "data",
            metavar="NAME",
            help="The design of shipped data, such as yoon2020.",
        ),
        click.option("--speaker", metavar="NAME", help="Speaker of the table."),
        ONLY,
        click.option(
            "--n",
            "count",
            default=count,
            show_default=True,
            type=click.IntRange(least),
            help="Number of simulations.",
        ),
        model_options(),
        MODEL,
        VARIANT,
        sampling_options(USUAL),
        WORKERS,
        click.option(
            "--out",
            type=click.Path(path_type=Path),
            default=Path(out),
            show_default=True,
            help="Folder of the result.",
        ),
    )


def trials_from(values: Mapping[str, Any], given: Mapping[str, Any] | None = None) -> Trials:
    """The trials to simulate, from the options of the command."""
    from many_wolves.workflows.simulation import trials_of

    return trials_of(
        observations_of(values),
        model=values["model"],
        variant=values["variant"],
        options=model_values(values),
        sampling=sampling_values(values, USUAL),
        given=given,
    )


def workers_of(values: Mapping[str, Any]) -> int:
    """The number of processes: as requested, or the number of cores."""
    from many_wolves.inference.threads import cores

    return int(values["workers"] or cores())
