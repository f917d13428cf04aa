"""Messages that `values` describes, and the options of each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from many_wolves.contracts import Observations
from many_wolves.errors import WolvesError
from many_wolves.families.bargaining.model.decisions import Decisions, read_decisions
from many_wolves.families.bargaining.model.effects import Covariates, arm_columns, role_column
from many_wolves.families.bargaining.model.levels import Levels
from many_wolves.families.bargaining.model.shared import Index
from many_wolves.families.bargaining.simulation import values as words
from many_wolves.outcomes import Array


@dataclass(frozen=True)
class Chosen:
    """Messages that are fitted.

    Parameters
    ----------
    decisions
        The rows.
    at
        Their options.
    option
        (N,) option that was chosen.
    covariates
        Design matrix of the weights.
    skipped
        How many messages had no place in the model, by reason.
    """

    decisions: Decisions
    at: words.Choices
    option: Index
    covariates: Covariates
    skipped: Mapping[str, int]

    @property
    def action(self) -> Index:
        """(N,) accept, leave, or demand."""
        return np.minimum(self.option, words.FIRST).astype(np.int64)

    @cached_property
    def levels(self) -> Levels:
        """Role prompts, and the chains and games whose hopes matter: those of talks.

        Messages of probes count to the first of them, because no hope affects them.
        """
        every = self.decisions.levels
        talk = np.array([kind == "talk" for kind in self.at.kind])
        chain, game = np.zeros((2, talk.size), dtype=np.int64)
        if not talk.any():
            return replace(every, chain=chain, game=game, chains=("",), games=("",))
        own = Levels.of(self.decisions.frame[talk])
        chain[talk], game[talk] = own.chain, own.game
        return replace(every, chain=chain, game=game, chains=own.chains, games=own.games)

    @cached_property
    def alike(self) -> tuple[Index, Index]:
        """One message of each role prompt and row of the design matrix; (N,) which is alike."""
        rows = np.column_stack([self.decisions.levels.participant, self.covariates.matrix])
        _, first, which = np.unique(rows, axis=0, return_index=True, return_inverse=True)
        return first.astype(np.int64), which.reshape(-1).astype(np.int64)


def read_chosen(observations: Observations, rows: str = "all") -> Chosen:
    """The messages of one speaker that the model describes.

    Moves where a price of the other side stands, and probes. An opening has no term: nothing
    has been offered yet that a belief could start from.

    Raises
    ------
    WolvesError
        If there is none.
    """
    everything = read_decisions(observations)
    told = (everything.frame["rule"] == "told").to_numpy()
    kept = everything.is_move & (np.isfinite(everything.offered) | told)
    skipped = {"openings": int((everything.is_move & ~kept).sum())}
    wanted = {"offers": ["offer"], "replies": ["accept", "walk"]}.get(rows)
    if wanted is not None:
        chosen = everything.frame["move"].isin(wanted).to_numpy()
        skipped[f"only {rows} are fitted"] = int((kept & ~chosen).sum())
        kept &= chosen
    d = everything.part(kept)
    if not len(d):
        raise WolvesError(
            "no message answers a price of the other side",
            where=d.where,
            fix="collect the design `values`: wolves compile --task haggle --preset values",
        )
    kinds: list[words.Kind] = [
        "told" if rule == "told" else "last" if rule == "last" else "talk"
        for rule in d.frame["rule"]
    ]
    menus = {n: _menu(d, n) for n, kind in enumerate(kinds) if kind == "told"}
    at = words.Choices(kinds, d.offered, d.step, d.outside, menus)
    option = [
        words.option_of(at, n, str(move), float(demand))
        for n, (move, demand) in enumerate(zip(d.frame["move"], d.demand, strict=True))
    ]
    columns = {"seller": role_column(d.frame["role"]), **arm_columns(d.frame)}
    return Chosen(d, at, np.array(option, dtype=np.int64), Covariates.of(columns), skipped)


def _menu(d: Decisions, n: int) -> tuple[Array, Array]:
    """The announced demands and odds, from ``PRICE:ODDS PRICE:ODDS``."""
    pairs = [part.split(":") for part in str(d.frame["menu"].iloc[n]).split()]
    if not pairs:
        raise WolvesError(
            "the menu of a game with announced odds is missing",
            where=d.where,
            line=n + 2,
            column="menu",
            fix="make the table again with `wolves choices`",
        )
    prices = np.array([float(price) for price, _ in pairs])
    seller = (prices - d.low[n]) / d.pie[n]
    return (seller if d.seller[n] else 1 - seller), np.array([float(odds) for _, odds in pairs])
