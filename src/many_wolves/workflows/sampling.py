"""Settings of sampling, declared once for the command line, study files and Python."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field

from many_wolves.options import Options

if TYPE_CHECKING:
    from many_wolves.inference import Settings

EngineName = Literal["auto", "httpstan", "cmdstan"]


class Sampling(Options):
    """Engine, chains, iterations, target acceptance and seed."""

    engine: EngineName = Field(
        default="auto", description="Stan engine; auto means the embedded one."
    )
    chains: int = Field(default=4, ge=2, description="Number of chains.")
    warmup: int = Field(default=1000, ge=50, description="Warm-up iterations per chain.")
    draws: int = Field(default=1000, ge=50, le=1_000_000, description="Draws per chain.")
    adapt_delta: float = Field(
        default=0.8, ge=0.5, lt=1, description="Target acceptance of the sampler."
    )
    seed: int = Field(default=1, ge=0, lt=2**32, description="Seed of the sampler.")

    @property
    def settings(self) -> Settings:
        """The settings in the form that the engines take."""
        from many_wolves.inference import Settings

        return Settings(**self.model_dump(exclude={"engine"}))


USUAL = Sampling()
"""Defaults for a fit, and for the simulations that recover and calibrate it."""
POOLED = Sampling(adapt_delta=0.9)


def sampling_of(default: Sampling | None = None, **given: Any) -> Sampling:
    """Sampling settings: those of ``given`` that are not None, with defaults for the rest.

    Raises
    ------
    WolvesError
        If a setting is out of range.
    """
    base = (default or Sampling()).model_dump()
    told = {name: value for name, value in given.items() if value is not None}
    return Sampling.read(base | told, of="sampling")
