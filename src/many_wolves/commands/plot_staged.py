"""The scripts in ``analysis/``: publication figures by kind of model."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import click

from many_wolves.commands.command import Command
from many_wolves.errors import WolvesError
from many_wolves.workflows.folders import fit_folders

Kind = Literal["hf", "api"]

LOCAL = ("hf", "vllm")
NEITHER = ("simulated", "people")
"""Speakers that are not language models; people are drawn with either kind."""


def staged(kind: Kind) -> click.Command:
    """The command of one script.

    Parameters
    ----------
    kind
        ``hf``: models that ran locally; ``api``: models behind an API.
    """

    @click.command(
        cls=Command, help=f"Figures of the fits of {kind} models under --fits, and of people."
    )
    @click.option("--fits", type=click.Path(path_type=Path), default=Path("rsa-output"),
                  show_default=True, help="Folder of fit folders.")  # fmt: skip
    @click.option("--out", type=click.Path(path_type=Path), default=Path("plots") / kind,
                  show_default=True, help="Folder of the files.")  # fmt: skip
    @click.option("--presave", is_flag=True,
                  help="Write publication files: PDF, SVG, PNG, tidy CSV.")  # fmt: skip
    @click.option("--width", type=click.Choice(["one", "two"]), default="two", show_default=True)
    @click.argument("names", nargs=-1)
    def command(
        fits: Path, out: Path, presave: bool, width: Literal["one", "two"], names: tuple[str, ...]
    ) -> None:
        from many_wolves.figures import read_all
        from many_wolves.workflows.figures import FORMATS, draw

        found = read_all(of_kind(kind, fits))
        for file in draw(found, out, names, width, FORMATS if presave else ("png",)):
            click.echo(file)

    return command


def of_kind(kind: Kind, place: Path) -> list[Path]:
    """Fit folders below ``place`` with speakers of one kind, and those of people, which come first.

    Raises
    ------
    WolvesError
        If no model of that kind was fitted.
    """
    from many_wolves.figures import read_all

    folders = [folder for folder in fit_folders(place) if (folder / "fit.json").is_file()]
    found = read_all(folders)
    people = [fit.folder for fit in found if fit.speaker == "people"]
    models = [fit.folder for fit in found if is_kind(kind, fit.speaker)]
    if not models:
        raise WolvesError(
            f"expected fits of {kind} models, found {len(found)} fits and none of that kind",
            where=place,
            fix="collect and fit one first (wolves collect, wolves choices, wolves fit), "
            "or give the folder with --fits",
        )
    return [*people, *models]


def is_kind(kind: Kind, speaker: str) -> bool:
    """Whether a speaker's name, ``provider/model``, is of one kind."""
    provider = speaker.split("/", 1)[0]
    return provider in LOCAL if kind == "hf" else provider not in (*LOCAL, *NEITHER)
