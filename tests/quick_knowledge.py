"""Short chains for tests of the choice of questions."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from many_wolves.inference.evaluation import knowledge
from many_wolves.inference.sampling.modes import gaussian_at_modes


@contextmanager
def few_draws() -> Iterator[None]:
    """Shorter chains than users get, and fewer starts, for tests that are not about them."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            knowledge,
            "gaussian_at_modes",
            lambda model, rng, ridge: gaussian_at_modes(model, rng, starts=1),
        )
        patch.setattr(knowledge, "USUAL", knowledge.Effort(30, 40))
        yield
