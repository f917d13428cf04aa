"""The shared part of local backends: tokenized requests and their responses."""

from __future__ import annotations

import random
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from many_wolves.records import Answer, Form, Message, OptionScore, Response, SpeakerSpec, Trial
from many_wolves.records.answer_types import is_one_line
from many_wolves.speakers.local.thinking import Thinking
from many_wolves.speakers.local.tokens import option_ids, prompt_ids
from many_wolves.speakers.prompting import continuation, render
from many_wolves.speakers.protocol import Request, respond

Ids = tuple[int, ...]
_BLANK_LINE = re.compile(r"\S\s*?\n[^\S\n]*\n")


@dataclass(frozen=True)
class TokenizedRequest:
    """A tokenized request.

    Parameters
    ----------
    prompt, options
        Token ids; ``options`` only if the answer is scored.
    text
        The text of ``prompt``.
    asked
        Number of tokens of the prompt without a thought.
    budget
        Maximum number of tokens of a thought before the answer; 0 for none.
    thought, reasoning
        The thought, once generated: its number of tokens, and its text.
    error
        Why the request cannot be asked; empty if it can.
    """

    request: Request
    prompt: Ids
    options: tuple[Ids, ...] = ()
    text: str = ""
    asked: int = 0
    budget: int = 0
    thought: int = 0
    reasoning: str = ""
    error: str = ""

    @property
    def scored(self) -> bool:
        """Whether its options are scored; otherwise an answer is sampled."""
        return bool(self.options)

    @property
    def one_line(self) -> bool:
        """Whether a line break ends its answer."""
        return is_one_line(self.request.trial.answer)

    @property
    def rows(self) -> int:
        """Number of texts that follow the prompt."""
        return max(1, len(self.options))

    @property
    def width(self) -> int:
        """Number of tokens of the longest text, including prompt and thought."""
        return len(self.prompt) + self.budget + max((len(o) for o in self.options), default=0)


class RequestCodec:
    """Encodes requests as token ids, and decodes the model's output into responses.

    Parameters
    ----------
    spec
        Who answers.
    tokenizer
        A transformers tokenizer.
    ends, text_ends
        Ids of the tokens that end an answer of one line, and one of several.
    window
        Longest sequence in tokens; None where the model states none.
    thinking
        How the model thinks; None if it does not.
    packages
        Installed packages whose version may matter to an answer.
    """

    def __init__(
        self,
        spec: SpeakerSpec,
        tokenizer: Any,
        ends: Sequence[int],
        text_ends: Sequence[int],
        window: int | None,
        thinking: Thinking | None,
        packages: tuple[str, ...],
    ) -> None:
        self._spec = spec
        self._tokenizer = tokenizer
        self._ends = frozenset(ends)
        self._text_ends = frozenset(text_ends)
        self._window = window
        self._thinking = thinking
        self._packages = packages

    @property
    def thinks(self) -> bool:
        """Whether a thought comes before each answer."""
        return self._thinking is not None and self._thinking.budget > 0

    @property
    def thought_tag(self) -> str:
        """The tag that ends a thought; empty for a model without a thinking section."""
        return self._thinking.tag if self._thinking is not None else ""

    def encode(self, request: Request) -> TokenizedRequest:
        """A request as token ids; with an ``error`` if its prompt is too long."""
        text, prompt = self._prompt(request.trial.messages, thought=self.thinks)
        options = self._options(request.trial, text, prompt)
        job = TokenizedRequest(request, prompt, options, text, len(prompt))
        closing = 0
        if self._thinking is not None and self.thinks:
            closing = len(self._thinking.close(self._tokenizer, ""))
        needed = closing + (job.width if job.scored else len(prompt) + self._spec.max_tokens)
        if self._window is not None and needed + self.thinks > self._window:
            words = f"the prompt needs {needed} tokens; the model's limit is {self._window}"
            return replace(job, error=words)
        if self._thinking is not None and self.thinks:
            room = self._thinking.budget if self._window is None else self._window - needed
            return replace(job, budget=min(self._thinking.budget, room))
        return job

    def baseline(self, messages: Sequence[Message], texts: Sequence[str]) -> tuple[Ids, list[Ids]]:
        """Token ids of a prompt without its scene, and of texts that may follow it.

        A thinking model does not think about it.
        """
        text, prompt = self._prompt(messages, thought=False)
        return prompt, [self._option(text, prompt, said) for said in texts]

    def after_thought(self, job: TokenizedRequest, ids: Sequence[int]) -> TokenizedRequest:
        """The request with the model's closed thought at the end of its prompt."""
        if self._thinking is None:
            raise RuntimeError("a model without a thinking section gave a thought")
        kept, said = self._thinking.cut(self._tokenizer, ids, self._text_ends)
        closing = self._thinking.close(self._tokenizer, said)
        prompt = (*job.prompt, *kept, *closing)
        text = job.text + said + self._tokenizer.decode(closing, skip_special_tokens=False)
        options = self._options(job.request.trial, text, prompt)
        return replace(
            job, prompt=prompt, options=options, text=text, thought=len(ids), reasoning=said.strip()
        )

    def thought_ended(self, ids: Sequence[int]) -> bool:
        """Whether the last of these tokens ends the thought."""
        return self._thinking is not None and self._thinking.ended(self._tokenizer, ids)

    def draws(self, job: TokenizedRequest, purpose: str = "") -> random.Random:
        """The random stream of an answer, which depends only on seed, replicate and trial."""
        request = job.request
        name = f"{self._spec.seed + request.replicate}:{request.trial.id}"
        return random.Random(f"{name}:{purpose}" if purpose else name)

    def ends(self, job: TokenizedRequest) -> frozenset[int]:
        """Tokens that end the answer to a request."""
        return self._ends if job.one_line else self._text_ends

    def ended(self, job: TokenizedRequest, ids: Sequence[int]) -> bool:
        """Whether an answer of several lines has ended without an end token.

        In the completion format, a blank line separates blocks, so it ends a text.
        """
        if job.one_line or self._spec.prompt_format == "chat":
            return False
        if "\n" not in self._tokenizer.decode(ids[-1:]):
            return False
        return _BLANK_LINE.search(self._tokenizer.decode(ids)) is not None

    def sampled(
        self, job: TokenizedRequest, ids: Sequence[int], seconds: float, *, cut: bool | None = None
    ) -> Response:
        """The response to a request whose answer was sampled.

        ``cut``: whether the token limit ended the answer; determined here if None.
        """
        whole = bool(ids) and ids[-1] in self.ends(job)
        text = self._tokenizer.decode(ids[:-1] if whole else ids, skip_special_tokens=True)
        if cut is None:
            cut = not whole and len(ids) >= self._spec.max_tokens and not self.ended(job, ids)
        if self._spec.prompt_format == "completion":
            text = _first_block(text, job.request.trial.answer)
        status = "answered" if text.strip() else "empty"
        note = f"cut off by the limit of {self._spec.max_tokens} tokens" if cut else ""
        return self._response(job, len(ids), seconds, status=status, text=text, error=note)

    def scored(
        self,
        job: TokenizedRequest,
        sums: Sequence[float],
        baselines: Sequence[float | None],
        seconds: float,
    ) -> Response:
        """The response to a request whose options were scored."""
        if not all(x - x == 0 for x in sums):
            return self.failed(job, f"the model gave log-probabilities {list(sums)}")
        scores = tuple(
            OptionScore(option.id, logprob, len(ids) + 1, baseline)
            for option, ids, logprob, baseline in zip(
                job.request.trial.options, job.options, sums, baselines, strict=True
            )
        )
        return self._response(job, 0, seconds, status="answered", scores=scores)

    def failed(self, job: TokenizedRequest, words: str = "") -> Response:
        """The response to a request that failed."""
        return respond(
            job.request,
            self._spec,
            *self._packages,
            status="failed",
            error=words or job.error,
            effort_used=self._effort_used(job),
        )

    def _response(
        self, job: TokenizedRequest, answer: int, seconds: float, **known: Any
    ) -> Response:
        usage = {"input": job.asked, "output": job.thought + answer}
        if self.thinks:
            usage["reasoning"] = job.thought
        return respond(
            job.request,
            self._spec,
            *self._packages,
            reasoning=job.reasoning,
            effort_used=self._effort_used(job),
            usage=usage,
            latency_s=seconds,
            **known,
        )

    def _effort_used(self, job: TokenizedRequest) -> str:
        if job.budget:
            return f"{job.budget} tokens"
        return "none" if self._thinking is not None or self._spec.effort else ""

    def _prompt(self, messages: Sequence[Message], *, thought: bool) -> tuple[str, Ids]:
        form = self._spec.prompt_format
        if self._thinking is None:
            text = render(self._tokenizer, messages, form)
        else:
            text = self._thinking.prompt(self._tokenizer, messages, thought=thought)
        return text, tuple(prompt_ids(self._tokenizer, text, form))

    def _options(self, trial: Trial, text: str, prompt: Ids) -> tuple[Ids, ...]:
        """Options to score: none in sample mode, or if the answer is not a choice."""
        if self._spec.mode == "sample":
            return ()
        return tuple(self._option(text, prompt, option.text) for option in trial.options)

    def _option(self, text: str, prompt: Ids, said: str) -> Ids:
        form = self._spec.prompt_format
        return tuple(
            option_ids(self._tokenizer, text, list(prompt), continuation(said, form), form)
        )


def _first_block(text: str, answer: Answer) -> str:
    """The answer in a completion: its first line, or its lines up to a blank one.

    An object may contain blank lines; its reader finds its end.
    """
    if isinstance(answer, Form):
        return text
    if is_one_line(answer):
        return text.split("\n", 1)[0]
    return re.split(r"\n[^\S\n]*\n", text.strip("\n"), maxsplit=1)[0]
