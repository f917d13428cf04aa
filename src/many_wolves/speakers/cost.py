"""The cost of a collection: an estimate, and a spending limit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from functools import cache
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import urlsplit

from many_wolves.errors import WolvesError
from many_wolves.files import shipped
from many_wolves.records import Choose, SpeakerSpec, Trial
from many_wolves.records.answer_types import likely_chars
from many_wolves.sources import Source, read_source

_MILLION = 1e6
_LOCAL = ("hf", "vllm", "simulated")


@dataclass(frozen=True, slots=True)
class Price:
    """US dollars per million tokens; reasoning is billed as output.

    ``batch`` is the factor of the provider's batch mode. ``verified`` states whether the numbers
    have a source, and ``as_of`` is the date of that source.
    """

    input: float
    output: float
    batch: float = 0.5
    verified: bool = field(default=True, compare=False)
    as_of: str = field(default="", compare=False)

    def of(self, input_tokens: float, output_tokens: float, *, batch: bool = False) -> float:
        """Cost of these tokens in US dollars."""
        full = (input_tokens * self.input + output_tokens * self.output) / _MILLION
        return full * (self.batch if batch else 1.0)

    @property
    def remark(self) -> str:
        """A remark on a cost: the date of the price, or that it was not verified."""
        if not self.verified:
            return "price not verified"
        return f"price as of {self.as_of}" if self.as_of else ""


FREE = Price(0.0, 0.0)


def find_price(spec: SpeakerSpec, table: Path | None) -> Price | None:
    """The price of a speaker's tokens; None if the table lacks it.

    Parameters
    ----------
    table
        YAML file of patterns; the shipped ``task-data/prices.yaml`` if None. The first pattern
        that matches ``provider/model`` is used. An openai-compatible server on this
        machine that the table lacks is free.

    Raises
    ------
    WolvesError
        If the table is invalid.
    """
    if spec.provider in _LOCAL:
        return FREE
    for pattern, entry in (_entries(table) if table else _shipped_entries()).items():
        if fnmatchcase(f"{spec.provider}/{spec.model}", pattern):
            return _price(entry)
    compatible = spec.provider == "openai-compatible"
    return FREE if compatible and _on_this_machine(spec.base_url) else None


def _on_this_machine(url: str) -> bool:
    """Whether a server has a loopback address."""
    host = urlsplit(url).hostname or ""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


@cache
def _shipped_entries() -> Mapping[str, Source]:
    return _entries(shipped("task-data/prices.yaml"))


def _entries(table: Path) -> Mapping[str, Source]:
    """The entries of a table by pattern."""
    return read_source(table).fields(["models"], ["as_of", "sources"])["models"].entries()


def _price(entry: Source) -> Price:
    found = entry.fields(["input", "output"], ["batch", "as_of", "source", "verified"])
    numbers = {k: float(v.number()) for k, v in found.items() if k in ("input", "output", "batch")}
    return Price(
        **numbers,
        verified="verified" not in found or found["verified"].flag(),
        as_of=found["as_of"].words() if "as_of" in found else "",
    )


@dataclass(frozen=True, slots=True)
class Size:
    """The estimated size of a trial.

    Parameters
    ----------
    input
        Tokens of the prompt: one per four characters, and eight per message.
    output
        Tokens of the answer, without reasoning.
    choice
        Whether the answer is a choice, which score mode does not generate.
    """

    input: float
    output: float
    choice: bool


def size_of(trial: Trial) -> Size:
    """Estimate the size of a trial."""
    return Size(
        input=sum(len(m.content) / 4 + 8 for m in trial.messages),
        output=likely_chars(trial.answer) / 4 + 4,
        choice=isinstance(trial.answer, Choose),
    )


@dataclass(frozen=True, slots=True)
class Estimate:
    """The estimated size of some trials.

    Parameters
    ----------
    calls
        Number of requests.
    input, output
        Approximate tokens; ``output`` is an upper bound if reasoning is allowed.
    """

    calls: int
    input: float
    output: float


def estimate(sizes: Sequence[Size], *, mode: str, thought: int) -> Estimate:
    """Estimate one pass over trials; ``thought`` is the maximum number of reasoning tokens.

    In score mode, only answers other than choices are generated.
    """
    generated = [s.output for s in sizes if mode == "sample" or not s.choice]
    written = sum(generated, start=0.0) + thought * len(generated)
    return Estimate(len(sizes), sum((s.input for s in sizes), start=0.0), written)


class Budget:
    """The money spent and reserved.

    Parameters
    ----------
    price
        Price of the speaker's tokens.
    limit
        Spending limit in US dollars; None for no limit.
    batch
        Whether the provider's batch mode is used.

    Raises
    ------
    WolvesError
        If there is a limit but no price.
    """

    def __init__(self, price: Price | None, limit: float | None, *, batch: bool = False) -> None:
        if limit is not None and price is None:
            raise WolvesError(
                "--max-cost needs the price of this model, which is not in the table of prices",
                fix="add a line to task-data/prices.yaml, or give your own table with --prices",
            )
        self._price = price or FREE
        self._known = price is not None
        self._limit = limit
        self._batch = batch
        self._promised = 0.0
        self._reached = False
        self._guessed = False
        self._tokens = [0, 0]
        self.spent = 0.0

    @property
    def words(self) -> str:
        """Message that the limit was reached; empty before."""
        if not self._reached:
            return ""
        return (
            f"Stopped after {self.spent:.4f} US dollars: "
            f"the next request could exceed the limit of {self._limit}"
        )

    @property
    def bill(self) -> str:
        """Tokens and cost of the answers; empty if there are none or they are free."""
        if self._price == FREE and self._known:
            return ""
        counts = "{:,} input and {:,} output tokens".format(*self._tokens)
        if self._guessed:
            counts += ", and answers without a token count"
        elif not any(self._tokens):
            return ""
        if not self._known:
            return f"{counts}; this model is not in the table of prices (--prices FILE)"
        remark = f" ({self._price.remark})" if self._price.remark else ""
        return f"about {self.spent:.4f} US dollars{remark}: {counts}"

    def reserve(self, trial: Trial, spec: SpeakerSpec) -> bool:
        """Whether one more request fits into the limit; if so, its maximum cost is reserved."""
        most = self._most(trial, spec)
        if self._limit is not None and self.spent + self._promised + most > self._limit:
            self._reached = True
            return False
        self._promised += most
        return True

    def settle(self, trial: Trial, spec: SpeakerSpec, usage: Mapping[str, int] | None) -> None:
        """Record the actual cost of a request.

        Parameters
        ----------
        usage
            Token counts. If empty (the server gave none), the maximum cost is recorded. None if the
            request was not answered.
        """
        most = self._most(trial, spec)
        self._promised -= most
        if usage == {}:
            self.spent += most
            self._guessed = True
        elif usage is not None:
            used = sum(usage.get(k, 0) for k in ("input", "cache_read", "cache_write"))
            written = usage.get("output", 0)
            self._tokens = [self._tokens[0] + used, self._tokens[1] + written]
            self.spent += self._price.of(used, written, batch=self._batch)

    def _most(self, trial: Trial, spec: SpeakerSpec) -> float:
        # No tokenizer needs more than one token per two characters of English.
        characters = sum(len(m.content) for m in trial.messages)
        return self._price.of(characters / 2 + 64, spec.max_tokens, batch=self._batch)
