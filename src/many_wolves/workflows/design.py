"""Chooses the next questions for a speaker by expected information about target parameters."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from many_wolves import families
from many_wolves.cognitive import DesigningModel
from many_wolves.contracts import Array, Observations, PooledModel, Problem
from many_wolves.counting import number_of
from many_wolves.errors import WolvesError
from many_wolves.progress import step
from many_wolves.records import Trial
from many_wolves.sources import nearest
from many_wolves.workflows.models import options_of, problem_of
from many_wolves.workflows.sampling import EngineName

if TYPE_CHECKING:
    import pandas as pd

    from many_wolves.inference.evaluation.knowledge import Known

CALLS, MOST_CALLS = 64, 2000
"""Default numbers of calls: without a target width, and with one."""


@dataclass(frozen=True)
class DesignRequest:
    """How the next questions are chosen.

    Parameters
    ----------
    about
        Target parameters, such as ``w_inf`` or ``w_inf:social``; the model's contrasts if empty.
    calls
        Most calls of the plan.
    width
        Width of the 95 % intervals below which a parameter needs no more answers.
    most
        Maximum number of answers per prompt.
    options, model, variant
        The cognitive model, its options and its variant.
    seed
        Of the draws at which the information is evaluated.
    """

    about: tuple[str, ...] = ()
    calls: int | None = None
    width: float | None = None
    most: int | None = None
    options: Mapping[str, Any] = field(default_factory=dict)
    model: str | None = None
    variant: str | None = None
    seed: int = 1
    engine: EngineName = "auto"

    @property
    def limit(self) -> int:
        """Most calls of the plan."""
        return self.calls or (CALLS if self.width is None else MOST_CALLS)


@dataclass(frozen=True)
class Sofar:
    """The answers of a speaker so far.

    Parameters
    ----------
    observations
        Its table.
    x
        Draws of its fit on the unconstrained scale, if it was fitted.
    """

    observations: Observations
    x: Array | None = None


@dataclass(frozen=True)
class Design:
    """The next questions.

    Parameters
    ----------
    trials
        The chosen trials, in the order of choice.
    replicates
        Total number of answers to each trial, including earlier ones.
    weights
        One row per parameter and condition: mean, sd, current width of the 95 % interval, and the
        expected sd and width after the calls.
    questions
        One row per kind of question: prompts and answers so far, new prompts and calls.
    calls
        Number of calls.
    reliable
        Whether the current intervals come from chains that agree.
    """

    trials: tuple[Trial, ...]
    replicates: tuple[int, ...]
    weights: pd.DataFrame
    questions: pd.DataFrame
    calls: int
    reliable: bool

    def _repr_html_(self) -> str:
        doubt = "The widths come from short chains that do not agree."
        sentences = [] if self.reliable else [doubt]
        sentences.append(number_of(self.calls, "call"))
        tables = self.weights.round(3).to_html(index=False), self.questions.to_html(index=False)
        return "".join([*(f"<p>{sentence}</p>" for sentence in sentences), *tables])


def designing_model(family: str, name: str | None = None) -> DesigningModel:
    """The model of a family that chooses the next questions.

    Raises
    ------
    WolvesError
        If the family has none, or the given one does not support it.
    """
    models = families.get(family).models()
    able = {
        n: m
        for n, m in models.items()
        if isinstance(m, DesigningModel) and not isinstance(m, PooledModel)
    }
    if name in able:
        return able[name]
    if name is not None and name not in models:
        raise WolvesError(
            f"the family {family!r} has no model {name!r}", fix=nearest(name, list(models))
        )
    if name is not None or not able:
        what = f"the model {name!r}" if name else f"the task family {family!r}"
        raise WolvesError(
            f"{what} cannot say how much an answer would inform its parameters",
            fix=f"--model {next(iter(able))}"
            if able
            else "ask all trials: `wolves collect` without --adaptive",
        )
    return next(iter(able.values()))


def design(trials: Sequence[Trial], request: DesignRequest, sofar: Sofar | None = None) -> Design:
    """Choose the next questions.

    Parameters
    ----------
    trials
        Questions that can be asked, of one family.
    sofar
        Answers so far; None to start from the prior.

    Raises
    ------
    WolvesError
        If the family has no suitable model, an option is invalid, or nothing can be chosen.
    """
    model = designing_model(trials[0].family, request.model)
    options = options_of(model, request.options, request.variant)
    if sofar is None:
        problem = model.before(trials, **options)
        levels, first = [0] * len(trials), list(model.start(trials, **options))
    else:
        problem = problem_of(sofar.observations, model, request.options, request.variant)
        levels, first = list(model.answered(sofar.observations, trials)), [0] * len(trials)
    if request.limit < sum(first):
        raise WolvesError(
            f"the model cannot be fitted to fewer than {sum(first)} answers to these trials, "
            f"found --calls {request.limit}",
            fix=f"--calls {sum(first)}",
        )
    from many_wolves import inference

    step("finding what is known")
    program = inference.load(problem.program, request.engine, step)
    kinds = list(model.kinds_of(problem, trials))
    if sofar is None:
        known = learn_of(model, problem, program, request)
    else:
        before = before_of(model, trials, kinds, program, request)
        known = learn_of(model, problem, program, request, sofar.x, (before, kinds, levels))
    step("choosing questions")
    chosen = choose(known, kinds, levels, first, request)
    own = sofar is not None and "sources" in sofar.observations.meta
    return _design(trials, known, kinds, levels, chosen, journalled=own)


def before_of(
    model: DesigningModel,
    trials: Sequence[Trial],
    kinds: Sequence[str],
    program: Any,
    request: DesignRequest,
) -> Array:
    """Covariance of the parameters before any answer to the trials that inform them.

    Raises
    ------
    WolvesError
        If no trial informs the parameters.
    """
    import numpy as np

    from many_wolves.inference.evaluation.knowledge import covariance_before

    own = [trial for trial, kind in zip(trials, kinds, strict=True) if kind]
    if not own:
        raise _nothing_informs()
    problem = model.before(own, **options_of(model, request.options, request.variant))
    return covariance_before(problem, program, np.random.default_rng([request.seed, 0xBEF0]))


def learn_of(
    model: DesigningModel,
    problem: Problem,
    program: Any,
    request: DesignRequest,
    x: Array | None = None,
    earlier: tuple[Array, Sequence[str], Sequence[int]] | None = None,
) -> Known:
    """The current knowledge about the target parameters of a speaker.

    Parameters
    ----------
    x
        Draws of its fit, if available.
    earlier
        Prior covariance of the parameters, and the kind and number of answers of each question.
    """
    import numpy as np

    from many_wolves.inference.evaluation.knowledge import learn

    rng = np.random.default_rng([request.seed, 0xDE51])
    about = request.about or model.contrasts
    known = model.kinds(problem)
    before: tuple[Array, list[list[int]]] | None = None
    # With conditions in the answers that no trial has, only the current spread is known.
    if earlier is not None and len(earlier[0]) == _size(program, problem):
        covariance, kinds, levels = earlier
        by_kind = [
            [level for level, own in zip(levels, kinds, strict=True) if own == kind]
            for kind in known
        ]
        before = covariance, by_kind
    return learn(problem, program, known, about, rng, x, before, model.together)


def _size(program: Any, problem: Problem) -> int:
    """Number of unconstrained parameters."""
    with program.open(problem.data) as density:
        return int(density.param_unc_num)


def _nothing_informs() -> WolvesError:
    return WolvesError(
        "no trial has a condition and state of the answers so far",
        fix="compile trials with the goals and the scale of the answers",
    )


def choose(
    known: Known,
    kinds: Sequence[str],
    levels: Sequence[int],
    first: Sequence[int],
    request: DesignRequest,
) -> list[int]:
    """Indices of the questions to ask, one per call.

    Parameters
    ----------
    kinds
        Kind of each question; empty if it informs no parameter.
    levels
        Number of answers to each question so far.
    first
        Number of answers to each question that are needed before any choice.

    Raises
    ------
    WolvesError
        If no question informs the parameters.
    """
    from many_wolves.inference.evaluation.information import allocate

    if not any(kinds):
        raise _nothing_informs()
    at = {name: n for n, name in enumerate(known.kinds)}
    now = list(levels)
    calls: list[int] = []
    # Every trial once before any twice, so that an interrupted start has covered all cells.
    for number in range(max(first, default=0)):
        for question, wanted in enumerate(first):
            if number < wanted:
                if kinds[question]:
                    known.knowledge.add((at[kinds[question]], now[question]))
                now[question] += 1
                calls.append(question)
    waiting: dict[tuple[int, int], list[int]] = {}
    by_kind: list[list[int]] = [[] for _ in known.kinds]
    for question, kind in enumerate(kinds):
        if kind:
            by_kind[at[kind]].append(now[question])
            waiting.setdefault((at[kind], now[question]), []).append(question)
    chosen = allocate(
        known.knowledge,
        by_kind,
        request.limit - len(calls),
        wanted=request.width or 0.0,
        most=request.most,
    )
    for kind_number, level in chosen:
        question = waiting[kind_number, level].pop(0)
        waiting.setdefault((kind_number, level + 1), []).append(question)
        calls.append(question)
    return calls


def _design(
    trials: Sequence[Trial],
    known: Known,
    kinds: Sequence[str],
    levels: Sequence[int],
    calls: Sequence[int],
    *,
    journalled: bool,
) -> Design:
    new = Counter(calls)
    before = [level if journalled else 0 for level in levels]
    return Design(
        trials=tuple(trials[n] for n in new),
        replicates=tuple(before[n] + count for n, count in new.items()),
        weights=weights_of(known),
        questions=_questions(kinds, levels, new),
        calls=len(calls),
        reliable=known.reliable,
    )


def weights_of(known: Known) -> pd.DataFrame:
    """Current and expected width of each parameter's interval, one row per parameter."""
    import pandas as pd

    expected = known.knowledge.expected[: len(known.targets)]
    return pd.DataFrame(
        {
            "parameter": [name for name, _ in known.targets],
            "condition": [condition for _, condition in known.targets],
            "mean": known.mean,
            "sd": known.sd,
            "width": known.width,
            "expected_sd": known.sd * expected / known.width,
            "expected_width": expected,
        }
    )


def _questions(kinds: Sequence[str], levels: Sequence[int], new: Mapping[int, int]) -> pd.DataFrame:
    import pandas as pd

    rows = []
    for kind in dict.fromkeys(kinds):
        own = [n for n, name in enumerate(kinds) if name == kind]
        asked = [n for n in own if n in new]
        rows.append(
            {
                "question": kind or "others",
                "prompts": sum(levels[n] > 0 for n in own),
                "answers": sum(levels[n] for n in own),
                "new_prompts": sum(levels[n] == 0 for n in asked),
                "calls": sum(new[n] for n in asked),
            }
        )
    frame = pd.DataFrame(rows)
    return frame[frame["calls"] > 0].sort_values("calls", ascending=False, kind="stable")
