"""What a design is made of: goods, partners, role prompts and words, read from YAML and checked."""

from __future__ import annotations

import string
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from many_wolves.errors import WolvesError
from many_wolves.families.bargaining.moves import ROLES, SELLER, Role
from many_wolves.families.bargaining.task.partners import check_rule
from many_wolves.families.bargaining.task.wording import PLACEHOLDERS
from many_wolves.files import file_fingerprint, shipped
from many_wolves.sources import nearest, read_mapping

FOLDER = "task-data/bargaining"
_FILES = {
    "goods": "goods.en.yaml",
    "participants": "participants.en.yaml",
    "partners": "partners.yaml",
    "sentences": "sentences.en.yaml",
    "wording": "wording.en.yaml",
}


class Strict(BaseModel):
    """A part of a YAML file: no unknown keys, no changes."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Money(Strict):
    """How amounts are written: ``text`` with {amount}, the symbol, decimal and thousands signs."""

    text: str = "${amount}"
    symbol: str = "$"
    decimal: str = "."
    thousands: str = ","

    def digits(self, amount: float) -> str:
        """An amount without its currency: ``15``, ``12.50``, ``1,200``."""
        whole = abs(amount - round(amount)) < 1e-9
        plain = f"{round(amount):,d}" if whole else f"{amount:,.2f}"
        signs = {",": self.thousands, ".": self.decimal}
        return "".join(signs.get(sign, sign) for sign in plain)

    def words(self, amount: float) -> str:
        """An amount with its currency: ``$15``."""
        return self.text.format(amount=self.digits(amount))


class Prices(Strict):
    """A set of prices of a good; see ``moves.Terms``."""

    cost: float | None
    value: float | None
    ask: float = Field(gt=0)
    bid: float = Field(gt=0)
    step: float = Field(gt=0)

    @model_validator(mode="after")
    def _in_order(self) -> Prices:
        if self.bid >= self.ask:
            raise ValueError(f"expected bid below ask, found {self.bid:g} and {self.ask:g}")
        if self.cost is not None and self.value is not None and self.cost >= self.value:
            raise ValueError(f"expected cost below value, found {self.cost:g} and {self.value:g}")
        return self

    def times(self, scale: float) -> Prices:
        """All prices times a factor."""
        return Prices(
            cost=None if self.cost is None else self.cost * scale,
            value=None if self.value is None else self.value * scale,
            ask=self.ask * scale,
            bid=self.bid * scale,
            step=self.step * scale,
        )


class Good(Strict):
    """What is for sale: its words, its money, its sets of prices."""

    item: str
    the_item: str
    money: str
    prices: tuple[Prices, ...] = Field(min_length=1)

    @property
    def names(self) -> dict[str, str]:
        """What the placeholders of texts stand for: without and with the article, capitalised."""
        the = self.the_item
        return {"item": self.item, "the_item": the, "The_item": the[:1].upper() + the[1:]}


class Goods(Strict):
    """``goods.en.yaml``."""

    language: str
    money: dict[str, Money]
    goods: dict[str, Good]

    @model_validator(mode="after")
    def _known_money(self) -> Goods:
        for name, good in self.goods.items():
            if good.money not in self.money:
                raise ValueError(f"good {name!r}: {nearest(good.money, self.money)}")
        return self


class Lines(Strict):
    """Sentences of one role, by move."""

    offer: tuple[str, ...] = Field(min_length=1)
    hold: tuple[str, ...] = Field(min_length=1)
    accept: tuple[str, ...] = Field(min_length=1)
    walk: tuple[str, ...] = Field(min_length=1)
    talk: tuple[str, ...] = Field(min_length=1)


class Sentences(Strict):
    """``sentences.en.yaml``."""

    language: str
    seller: Lines
    buyer: Lines

    def of(self, role: Role) -> Lines:
        """The sentences of a role."""
        return self.seller if role == SELLER else self.buyer


@dataclass(frozen=True)
class Participant:
    """One role prompt: ``number`` counts from one within its group."""

    group: str
    number: int
    prompt: str


@dataclass(frozen=True)
class Material:
    """All that a design can name.

    Parameters
    ----------
    folder
        Where the files lie.
    goods, sentences
        Contents of the files.
    partners
        Partner -> its rule.
    groups
        Group -> its role prompts.
    wording
        The words of the prompts: nested mappings and texts.
    """

    folder: Path
    goods: Goods
    sentences: Sentences
    partners: Mapping[str, Mapping[str, Any]]
    groups: Mapping[str, tuple[str, ...]]
    wording: Mapping[str, Any]

    def good(self, name: str) -> Good:
        """A good by its name; WolvesError if there is none."""
        return _known(name, self.goods.goods, "good", self.folder / _FILES["goods"])

    def money(self, good: Good) -> Money:
        """How the prices of a good are written."""
        return self.goods.money[good.money]

    def partner(self, name: str) -> Mapping[str, Any]:
        """The rule of a partner; WolvesError if there is none of that name."""
        return _known(name, self.partners, "partner", self.folder / _FILES["partners"])

    def participants(self, group: str) -> list[Participant]:
        """The role prompts of a group; WolvesError if there is none of that name."""
        prompts = _known(group, self.groups, "group", self.folder / _FILES["participants"])
        return [Participant(group, n, prompt) for n, prompt in enumerate(prompts, start=1)]

    def text(self, *path: str) -> str:
        """A text of the wording by its path of keys."""
        found: Any = self.wording
        for key in path:
            found = found[key]
        return str(found)

    @cached_property
    def fingerprints(self) -> dict[str, str]:
        """File -> fingerprint."""
        return {name: file_fingerprint(_path(self.folder, name)) for name in _FILES.values()}


def read_material(sources: Path | None = None, templates: Path | None = None) -> Material:
    """The material in a folder.

    Parameters
    ----------
    sources
        Folder with the files; the shipped one when None. Files that it lacks are the shipped ones.
    templates
        The wording, if it is another file.

    Raises
    ------
    WolvesError
        If a file cannot be read, or a value in it is at fault.
    """
    folder = sources or shipped(FOLDER)
    paths = {key: _path(folder, name) for key, name in _FILES.items()}
    if templates is not None:
        paths["wording"] = templates
    partners = read_mapping(paths["partners"])
    for name, rule in partners.items():
        check_rule(str(name), rule)
    groups = read_mapping(paths["participants"])
    wording = read_mapping(paths["wording"])
    _check_wording(wording, paths["wording"])
    return Material(
        folder=folder,
        goods=read_model(paths["goods"], Goods),
        sentences=read_model(paths["sentences"], Sentences),
        partners=partners,
        groups={str(name): tuple(map(str, prompts)) for name, prompts in groups.items()},
        wording=wording,
    )


def read_model[M: BaseModel](path: Path, model: type[M]) -> M:
    """A YAML file as a pydantic model.

    Raises
    ------
    WolvesError
        With the path of keys of the first value at fault.
    """
    try:
        return model.model_validate(read_mapping(path))
    except ValidationError as fault:
        raise validation_error(fault, path) from fault


def validation_error(fault: ValidationError, where: Path | None = None) -> WolvesError:
    """The first fault that pydantic found, as the error that a user meets."""
    first = fault.errors()[0]
    place = ".".join(str(key) for key in first["loc"]) or "the file"
    return WolvesError(
        f"`{place}`: {first['msg']}, found {first['input']!r}",
        where=where,
        fix=f"correct `{place}`",
    )


def _path(folder: Path, name: str) -> Path:
    own = folder / name
    return own if own.exists() else shipped(f"{FOLDER}/{name}")


def _known[T](name: str, known: Mapping[str, T], what: str, where: Path) -> T:
    if name not in known:
        raise WolvesError(f"unknown {what} {name!r}", where=where, fix=nearest(name, known))
    return known[name]


def _check_wording(wording: Mapping[str, Any], path: Path) -> None:
    """Every text that a prompt needs is there, and fills with the placeholders it knows."""
    for keys, names in PLACEHOLDERS.items():
        for text, place in _texts(wording, keys.split("."), path):
            unknown = {field for _, field, _, _ in _parsed(text, place, path) if field} - set(names)
            if unknown:
                raise WolvesError(
                    f"`{place}`: unknown placeholder {', '.join(sorted(unknown))}",
                    where=path,
                    fix=f"known there: {', '.join(names) or 'none'}; double a brace to show it",
                )


def _parsed(
    text: str, place: str, path: Path
) -> list[tuple[str, str | None, str | None, str | None]]:
    try:
        return list(string.Formatter().parse(text))
    except ValueError as fault:
        raise WolvesError(
            f"`{place}`: {fault}", where=path, fix="double a literal brace"
        ) from fault


def _texts(wording: Any, keys: list[str], path: Path, at: str = "") -> Iterator[tuple[str, str]]:
    """The texts below a path of keys, in which ``*`` stands for both roles."""
    if not keys:
        listed = wording if isinstance(wording, list) else [wording]
        for text in listed:
            yield str(text), at
        return
    first, *rest = keys
    for key in ROLES if first == "*" else (first,):
        place = f"{at}.{key}".strip(".")
        if not isinstance(wording, Mapping) or key not in wording:
            raise WolvesError(
                f"expected a text at `{place}`, found none", where=path, fix=f"add `{place}`"
            )
        yield from _texts(wording[key], rest, path, place)
