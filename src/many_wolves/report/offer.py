"""Which family's pages a fit calls for."""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Sequence

from many_wolves import families
from many_wolves.errors import WolvesError
from many_wolves.figures import Fitted, Pages


def family_of(fit: Fitted) -> str:
    """Name of the task family of a fit."""
    return str(fit.info.get("family", families.names()[0]))


def pages_of(fits: Sequence[Fitted]) -> Pages:
    """The pages of the family that all fits belong to.

    Raises
    ------
    WolvesError
        If there is no fit, or the fits belong to several families, or to one that
        offers no pages.
    """
    found = sorted({family_of(fit) for fit in fits})
    if len(found) != 1:
        raise WolvesError(
            f"expected fits of one task family, found {', '.join(found) or 'no fit'}",
            mend="give the fits of one family at a time",
        )
    return pages_of_family(found[0])


def pages_of_family(name: str) -> Pages:
    """The object ``PAGES`` in the module ``pages`` of the family called ``name``.

    Raises
    ------
    WolvesError
        If there is no such family, or it offers no pages.
    """
    if name not in families.names():
        raise WolvesError(
            f"unknown task family {name!r}", mend=f"use one of: {', '.join(families.names())}"
        )
    if importlib.util.find_spec(f"many_wolves.families.{name}.pages") is None:
        raise WolvesError(
            f"the task family {name!r} offers no figures and reports",
            mend=f"add families/{name}/pages.py with an object PAGES",
        )
    pages: Pages = importlib.import_module(f"many_wolves.families.{name}.pages").PAGES
    return pages
