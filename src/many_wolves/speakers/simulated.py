"""A speaker that answers from a cognitive model with known parameters."""

from __future__ import annotations

import hashlib
import random
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import numpy as np

from many_wolves.contracts import Array, SimulatedAnswers
from many_wolves.errors import WolvesError
from many_wolves.records import Choose, OptionScore, Response, SpeakerSpec, Trial
from many_wolves.speakers.feed import Feed
from many_wolves.speakers.protocol import Request, respond

_SUM_TOLERANCE = 1e-6


class SimulatedSpeaker:
    """Answers with a family's simulator.

    Parameters
    ----------
    spec
        Its ``parameters`` are those of the cognitive model.
    answers
        The family's simulator with these parameters.
    delay_s
        Pause before each answer in seconds, to imitate a slow model.

    Notes
    -----
    A draw depends only on seed, trial and replicate, so neither the order of the requests nor an
    interruption changes it. The unconditional probability of every option is uniform.
    """

    def __init__(self, spec: SpeakerSpec, answers: SimulatedAnswers, delay_s: float = 0.0) -> None:
        self._spec = spec
        self._answers = answers
        self._delay_s = delay_s

    @property
    def spec(self) -> SpeakerSpec:
        """The speaker, with the parameters of the cognitive model."""
        return self._spec

    @property
    def stopped(self) -> str:
        """Empty: this speaker never stops."""
        return ""

    def ask(self, requests: Feed | Sequence[Request], halt: threading.Event) -> Iterator[Response]:
        """Answer one request after the other."""
        for batch in Feed.of(requests).batches(halt):
            for request in batch:
                if halt.is_set():
                    return
                if self._delay_s:
                    time.sleep(self._delay_s)
                yield self._answer(request)

    def rehearse(self, trial: Trial) -> None:
        """Try a trial without recording an answer.

        Raises
        ------
        WolvesError
            If the parameters are unsuitable.
        """
        with usable():
            if isinstance(trial.answer, Choose):
                self._probabilities(trial)
            else:
                self._answers.answer(trial, np.random.default_rng(0))

    def close(self) -> None:
        """Nothing to free."""

    def _answer(self, request: Request) -> Response:
        trial = request.trial
        chance = f"{self._spec.seed + request.replicate}:{trial.id}"
        if not isinstance(trial.answer, Choose):
            value = self._answers.answer(trial, np.random.default_rng(_number(chance)))
        else:
            p = self._probabilities(trial)
            if self._spec.mode == "score":
                return respond(
                    request, self._spec, "numpy", status="answered", scores=_scores(trial, p)
                )
            draw = random.Random(chance).random()
            place = min(int(np.searchsorted(np.cumsum(p), draw, side="right")), len(p) - 1)
            value = trial.options[place].id
        text = self._answers.text(trial, value)
        status = "answered" if text.strip() else "empty"
        return respond(request, self._spec, "numpy", status=status, value=value, text=text)

    def _probabilities(self, trial: Trial) -> Array:
        """Probability of every option, checked."""
        p = np.asarray(self._answers.probabilities(trial), dtype=float)
        if (
            p.shape != (len(trial.options),)
            or not (p >= 0).all()
            or abs(p.sum() - 1) > _SUM_TOLERANCE
        ):
            raise WolvesError(
                f"expected {len(trial.options)} option probabilities that sum to one "
                f"for trial {trial.id}, found {p.tolist()}",
                fix="check the parameters of the simulated speaker",
            )
        return p


@contextmanager
def usable() -> Iterator[None]:
    """Turn any error of a family's simulator into one about the parameters.

    Raises
    ------
    WolvesError
        If the simulator raises anything.
    """
    try:
        yield
    except (TypeError, ValueError, LookupError, AttributeError, ArithmeticError) as error:
        raise WolvesError(
            f"the parameters of the simulated speaker cannot be used: {error}",
            fix="correct its parameters; the documentation of the task lists them",
        ) from error


def _number(words: str) -> int:
    """A seed from a text."""
    return int.from_bytes(hashlib.blake2b(words.encode(), digest_size=16).digest())


def _scores(trial: Trial, p: Array) -> tuple[OptionScore, ...]:
    """Logarithms of the probabilities, with a uniform baseline."""
    uniform = -float(np.log(len(p)))
    logs = np.log(np.maximum(p, np.finfo(float).tiny))
    return tuple(
        OptionScore(option.id, float(x), 1, uniform)
        for option, x in zip(trial.options, logs, strict=True)
    )
