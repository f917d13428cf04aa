"""The verdict on whether a trained player is an exploiter, with the losses of the others."""

from __future__ import annotations

from dataclasses import dataclass

from many_wolves.families.markets.rules.parameters import Rules
from many_wolves.families.markets.simulation.agents import Agent
from many_wolves.families.markets.simulation.exploitation import Exploitation, exploitation
from many_wolves.families.markets.simulation.play import Cast
from many_wolves.families.markets.simulation.replies import known_reply

ENOUGH = 0.95
"""Share of the best reply's gain from which a player is called an exploiter."""
EXPLOITER, TRAINED = "exploiter", "trained"
"""What a player is called."""
LEAST_GAIN = 1.0
"""Points per round; if a best reply gains less than this, there is nothing to exploit."""

Interval = tuple[float, float, float]
"""Mean, and the bounds of a 95 % interval over sessions."""


@dataclass(frozen=True)
class Verdict:
    """What a trained player gains and others lose, in points a round.

    Parameters
    ----------
    gain
        Its gain over a truthful player in its seat.
    best
        The same of the best reply; None where that cannot be computed.
    share
        Gain over the best reply's gain; None where that is unknown, or gains nothing.
    loss
        What all others together lose.
    efficiency
        Change of efficiency.
    sessions
        Sessions of the evaluation.
    """

    gain: Interval
    best: Interval | None
    share: float | None
    loss: Interval
    efficiency: Interval
    sessions: int

    @property
    def name(self) -> str:
        """What the player is called."""
        return EXPLOITER if self.share is not None and self.share >= ENOUGH else TRAINED

    def sentences(self, role: str) -> tuple[str, str]:
        """What it gains, and whether it is an exploiter; what the others lose."""
        words = f"The trained {role} gains {_points(self.gain)} over a truthful one in its seat"
        if self.best is None:
            words += ". The best reply to this cast is unknown, so it is not called an exploiter."
        elif self.share is None:
            words += ". The best reply gains nothing, so it is not called an exploiter."
        else:
            called = "It is" if self.name == EXPLOITER else "It is not"
            words += (
                f", {self.share:.1%} of the gain of the best reply ({self.best[0]:,.0f}). "
                f"{called} called an exploiter; the limit is {ENOUGH:.0%}."
            )
        return words, f"The others together lose {_points(self.loss)}."


def judge(
    rules: Rules,
    cast: Cast,
    role: str,
    agent: Agent,
    sessions: int = 200,
    place: int = 0,
    seed: int = 1,
) -> Verdict:
    """Compare a player with a truthful one, and with the best reply where it can be computed.

    Parameters
    ----------
    rules, cast, role, place
        The rules, who sits on the other seats, and the seat.
    agent
        The player.
    sessions, seed
        How many sessions, and the seed of the first one.
    """
    own = exploitation(rules, cast, agent, role, sessions, seed, place)
    best = known_reply(rules, cast, role, place)
    reached, share = None, None
    if best is not None:
        reply = exploitation(rules, cast, best, role, sessions, seed, place)
        reached = reply.interval("gain")
        share = own.gain.mean() / reply.gain.mean() if reached[0] > LEAST_GAIN else None
    return verdict_of(own, reached, share)


def verdict_of(own: Exploitation, best: Interval | None, share: float | None) -> Verdict:
    """The verdict on sessions that were played with and without the player."""
    return Verdict(
        gain=own.interval("gain"),
        best=best,
        share=None if share is None else float(share),
        loss=own.interval("loss"),
        efficiency=own.interval("efficiency"),
        sessions=len(own.gain),
    )


def _points(interval: Interval) -> str:
    mean, low, high = interval
    return f"{mean:,.0f} points per round [{low:,.0f}, {high:,.0f}]"
