"""Players by name, as the settings of a simulated speaker hold them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

from many_wolves.errors import WolvesError
from many_wolves.families.markets.simulation.agents import (
    Agent,
    Exploiter,
    LogitBuyer,
    LowBaller,
    OverReporter,
    SignalTrader,
    Truthful,
    ZeroIntelligence,
)
from many_wolves.sources import nearest

STRATEGIES: Mapping[str, type[Truthful]] = {
    "truthful": Truthful,
    "over_reporter": OverReporter,
    "low_baller": LowBaller,
    "zero_intelligence": ZeroIntelligence,
    "signal_trader": SignalTrader,
    "logit_buyer": LogitBuyer,
    "exploiter": Exploiter,
}
MODELLED = "modelled"
"""The strategy that answers by the equations of the cognitive models; imported when asked for."""
TRAINED = "trained"
"""The strategy of a player that `wolves train-agent` made; imported when asked for."""


def player(strategy: str, parameters: Mapping[str, Any] | None = None) -> Agent:
    """A player by the name of its strategy.

    Parameters
    ----------
    strategy
        A name in ``STRATEGIES``, ``modelled`` or ``trained``.
    parameters
        Its parameters by name.

    Raises
    ------
    WolvesError
        If the strategy or a parameter is unknown.
    """
    given = dict(parameters or {})
    if strategy == TRAINED:
        return _trained(given)
    kinds: dict[str, type[Truthful]] = dict(STRATEGIES)
    if strategy == MODELLED:
        from many_wolves.families.markets.simulation.modelled import Modelled

        kinds[MODELLED] = Modelled
    if strategy not in kinds:
        known = [*STRATEGIES, MODELLED, TRAINED]
        raise WolvesError(
            f"strategy: expected one of {', '.join(known)}, found {strategy!r}",
            fix=nearest(strategy, known),
        )
    kind = kinds[strategy]
    known_parameters = {f.name for f in fields(kind)}
    unknown = set(given) - known_parameters
    if unknown:
        raise WolvesError(
            f"strategy {strategy}: unknown parameters: {', '.join(sorted(unknown))}",
            fix=f"use {', '.join(sorted(known_parameters))}",
        )
    return kind(**given)


def _trained(given: Mapping[str, Any]) -> Agent:
    from many_wolves.families.markets.learning.policy import load_policy

    known = {"policy", "fingerprint"}
    if not isinstance(given.get("policy"), str) or set(given) - known:
        raise WolvesError(
            f"strategy {TRAINED}: expected policy and fingerprint, found {sorted(given)}",
            fix="take the `parameters` of the speaker.json that `wolves train-agent` wrote",
        )
    return load_policy(Path(given["policy"]), str(given.get("fingerprint", "")))
