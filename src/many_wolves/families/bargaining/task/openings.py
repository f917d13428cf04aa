"""A cell of the design -> the opening of a chain of games."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from random import Random
from typing import Any

from many_wolves.families.bargaining.moves import KINDS, ROLES, SELLER, Role, Terms, other
from many_wolves.families.bargaining.task.design import HaggleDesign
from many_wolves.families.bargaining.task.material import Good, Material, Participant, Prices
from many_wolves.families.bargaining.task.partners import (
    PROBES,
    SPEAKER,
    last_offer,
    odds_of,
    told_prices,
)
from many_wolves.families.bargaining.task.script import OpeningLine, Script


def script_of(material: Material, design: HaggleDesign, cell: Mapping[str, Any]) -> Script:
    """The script of one cell.

    Parameters
    ----------
    material, design
        Where words, rules and settings come from.
    cell
        ``good``, ``prices``, ``by``, ``role``, ``partner`` and the other factors, as
        ``factors.cells`` gives them.
    """
    good: Good = material.good(cell["good"])
    rule = material.partner(cell["partner"])
    role: Role = cell["role"]
    terms = _terms(cell, rule, role, design.seed)
    meets_speaker = rule["kind"] == SPEAKER
    probe = rule["kind"] in PROBES
    by_options = probe and design.probes == "options"
    texts = _Texts(material, good, terms, role, by_options=by_options)
    return Script(
        terms=terms,
        role=role,
        rule=dict(rule),
        games=1 if probe else design.games,
        arms=("none",) if probe or design.games == 1 else design.arms,
        memory=design.memory,
        form=cell["form"],
        shown=design.shown,
        money=material.money(good),
        rules={
            "speaker": texts.rules(role, cell, rule, cell["by"]),
            **({"partner": texts.rules(other(role), cell, rule, None)} if meets_speaker else {}),
        },
        opening=texts.opening(rule),
        texts=texts.shared(design.shown, design.games > 1),
        advice=texts.advice() if design.games > 1 else {},
        sentences=({} if meets_speaker else texts.sentences(other(role))),
        probe_options=by_options,
        moderator=0.0 if probe else design.moderator,
        moderator_decides=design.moderator_decides and not probe,
        seed=design.seed,
        moderator_reads=design.moderator_reads,
    )


def _terms(cell: Mapping[str, Any], rule: Mapping[str, Any], role: Role, seed: int) -> Terms:
    """The terms of a cell; probes have one message, and their own first prices."""
    prices: Prices = cell["prices"]
    stands = {"both": ROLES, "seller": ("seller",), "buyer": ("buyer",), "none": ()}
    opened = stands[cell["opening"]]
    free = Terms(
        ask=prices.ask,
        bid=prices.bid,
        cost=prices.cost,
        value=prices.value,
        step=prices.step,
        rounds=cell["rounds"],
        announced=cell["announced"],
        first=cell["first"],
        seller_first=prices.ask if "seller" in opened else None,
        buyer_first=prices.bid if "buyer" in opened else None,
    )
    outside = cell["outside"] * free.pie
    alone = {"seller": "buyer", "buyer": "seller"}
    firsts: dict[str, Any] = {}
    if cell["opening"] in alone:
        firsts["first"] = alone[cell["opening"]]  # who has named no price yet
    if rule["kind"] in PROBES:
        firsts = {"rounds": 1, "announced": True, "first": role}
        firsts |= {"seller_first": None, "buyer_first": None}
    if rule["kind"] == "last":
        chance = Random(f"{seed}:{cell['number']}:last")
        firsts[f"{other(role)}_first"] = last_offer(rule, free, other(role), chance)
    return replace(free, **firsts, **{f"outside_{role}": outside})


class _Texts:
    """The words of one cell, filled as far as they can be."""

    def __init__(
        self, material: Material, good: Good, terms: Terms, role: Role, *, by_options: bool
    ) -> None:
        self.by_options = by_options
        self.material = material
        self.terms = terms
        self.role = role
        self.money = material.money(good)
        self.lines = material.sentences
        self.names = good.names

    def fill(self, *path: str, **values: str) -> str:
        """A text of the wording with the good's names and further values."""
        return self.material.text(*path).format(**self.names, **values)

    def later(self, *path: str, **values: str) -> str:
        """A text whose other placeholders are filled during the game."""
        kept = ("price", "words", "move", "advice", "transcript", "game", "role")
        return self.fill(*path, **{name: f"{{{name}}}" for name in kept if name not in values},
                         **values)  # fmt: skip

    def rules(
        self, role: Role, cell: Mapping[str, Any], rule: Mapping[str, Any], by: Participant | None
    ) -> str:
        """The player's instructions."""
        terms, limit = self.terms, self.terms.limit(role)
        outside = terms.outside(role)
        parts = [by.prompt if by is not None else "", self.fill(role, "scene")]
        if limit is not None:
            parts.append(self.fill(role, "limit", limit=self.money.words(limit)))
        if outside > 0:
            parts.append(self.fill(role, "outside", outside=self.money.words(outside)))
        elif cell["nothing"]:
            parts.append(self.fill(role, "nothing"))
        parts.append(self._length(role, rule))
        if cell["walk"] and rule["kind"] not in PROBES:
            parts.append(self.fill(role, "walk"))
        if cell["goal"]:
            parts.append(self.fill(role, "goal"))
        if not self.by_options:
            parts.append(self.answer(role, cell["form"]))
        return "\n\n".join(part for part in parts if part)

    def answer(self, role: Role, form: str) -> str:
        """How to answer."""
        return self.material.text("answer", form).format(other=self.name(other(role)))

    def name(self, role: Role) -> str:
        """The word for a role."""
        return self.material.text(role, "role")

    def opening(self, rule: Mapping[str, Any]) -> tuple[OpeningLine, ...]:
        """The scripted messages before the first move."""
        terms = self.terms
        if rule["kind"] == "last":
            partner = other(self.role)
            price = terms.seller_first if partner == SELLER else terms.buyer_first
            text = self.fill("last_word", partner, price=self.money.words(float(price or 0)))
            return (OpeningLine(partner, text, price),)
        ask = self._priced("seller", terms.seller_first)
        bid = self._priced("buyer", terms.buyer_first)
        asked: Role = "seller" if terms.first == SELLER and ask else "buyer"
        if ask and bid and terms.first == SELLER:
            return (OpeningLine("buyer", self.fill("opening", "buyer_asks")), ask, bid)
        if ask and bid:
            return (OpeningLine("seller", self.fill("opening", "seller_asks")), bid, ask)
        if ask:
            return (OpeningLine(asked, self.fill("opening", "buyer_asks")), ask)
        if bid:
            return (OpeningLine("seller", self.fill("opening", "seller_asks")), bid)
        return ()

    def _priced(self, role: Role, price: float | None) -> OpeningLine | None:
        if price is None:
            return None
        return OpeningLine(role, self.fill("opening", role, price=self.money.words(price)), price)

    def shared(self, shown: str, several: bool) -> dict[str, str]:
        """Further texts by name."""
        plain = self.material.text
        texts = {
            "heard": plain("heard", shown),
            **{
                f"heard.first.{role}": self.later("heard", "first", other=self.name(other(role)))
                for role in ROLES
            },
            "options": plain("answer", "options"),
            "moderator": self.later("moderator", "prompt"),
            "critic.line": plain("critic", "line"),
            **{f"begin.{role}": self.fill(role, "begin") for role in ROLES},
            **{f"name.{role}": self.name(role).capitalize() for role in ROLES},
            **{f"moves.{kind}": plain("moves", kind) for kind in KINDS},
        }
        return texts | self._of_chains() if several else texts

    def _of_chains(self) -> dict[str, str]:
        """Texts that chains of several games need."""
        role, plain = self.role, self.material.text
        between = ("deal", "no_deal", "next", "advice", "beat", "beat_no_deal")
        return {
            **{name: self.later("between", role, name) for name in between},
            **{f"critic.{name}": plain("critic", name) for name in ("game", "deal", "no_deal")},
            "critic": self.later(
                "critic",
                "prompt",
                client=self.name(role),
                other=self.name(other(role)),
                aim=plain("critic", "aim", role),
            ),
        }

    def advice(self) -> dict[str, list[str]]:
        """Advice that needs no critic."""
        human = self.material.wording["advice"]["human"][self.role]
        return {
            "constant": [self.material.text("advice", "constant", self.role)],
            "human": [str(line) for line in human],
        }

    def sentences(self, role: Role) -> dict[str, list[str]]:
        """What a scripted partner says, by move."""
        return {
            kind: [line.format(**self.names, price="{price}") for line in lines]
            for kind, lines in self.lines.of(role).model_dump().items()
        }

    def _length(self, role: Role, rule: Mapping[str, Any]) -> str:
        """How long the talk may last, or that it is one message."""
        partner = self.name(other(role))
        if rule["kind"] == "told":
            lines = [
                self.material.text("probes", "told_line").format(
                    price=self.money.words(price),
                    percent=f"{100 * odds_of(rule, self.terms, role, price):.0f}",
                )
                for price in told_prices(rule, self.terms, role)
            ]
            return self.fill("probes", "told", lines="\n".join(lines), other=partner)
        if rule["kind"] == "last":
            return self.fill("probes", "last", other=partner)
        if not self.terms.announced:
            return ""
        return self.fill(role, "announced", rounds=str(self.terms.rounds))
