"""A session as tidy tables, with the same columns for all players and engines."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any, NamedTuple

from .actions import CONDITION_WORDS, order_side
from .draws import others_lead, share_worth
from .market import Market, cancel, post
from .parameters import CONDITIONS, Rules
from .round import OrderEvent, Round, opening_wallets
from .session import SessionRecord
from .settle import buyers_by_lot, purchase_gains

TABLES: Mapping[str, tuple[str, ...]] = {
    "declarations": (
        "session", "round", "participant", "agent", "role", "stage", "condition", "value",
        "declared", "low", "high", "tax", "chosen", "given", "mechanism", "held", "buyer_share",
        "lead", "lead_sd", "buyers",
    ),
    "purchases": (
        "session", "round", "participant", "agent", "stage", "condition", "lot", "declared",
        "low", "high", "percentile", "bought", "buyers", "speculators", "buyer_share", "profit",
        "chosen", "given",
    ),
    "orders": (
        "session", "round", "participant", "agent", "role", "tick", "condition", "action", "side",
        "price", "now", "cash", "shares", "endowment", "private", "public", "best_bid", "best_ask",
        "median", "status", "why", "traded_at", "seconds",
    ),
    "trades": (
        "session", "round", "condition", "number", "tick", "buyer", "seller", "taker", "price",
        "median", "seconds",
    ),
    "signals": (
        "session", "round", "participant", "agent", "role", "condition", "private", "public",
    ),
    "payoffs": (
        "session", "round", "participant", "agent", "role", "condition", "efficiency",
        "share_price", "value", "first_tax", "final_tax", "first_purchases", "final_purchases",
        "cash", "shares", "shares_pay", "compensation", "payoff", "paid", "euro",
    ),
    "messages": ("session", "round", "stage", "tick", "participant", "agent", "to", "text"),
    "votes": (
        "session", "round", "participant", "agent", "role", "without", "with_project",
        "requested", "offered", "vote", "chosen",
    ),
}  # fmt: skip
"""Columns of each table; ``participant`` is the seat number, amounts are points."""
TEXT = ("session", "agent", "speaker", "role", "stage", "condition", "mechanism", "text", "why")
"""Columns of names and words."""
MISSING = ["", "NA", "N/A", "NaN", "nan", "None", "null"]
"""What stands for a missing number in a table from other software."""

Row = tuple[Any, ...]


def table_rows(
    name: str, session: str, record: SessionRecord, agents: Mapping[int, str] | None = None
) -> Iterator[Row]:
    """Rows of one table of a session.

    Parameters
    ----------
    name
        A name in ``TABLES``.
    session
        What identifies the session.
    record
        The session.
    agents
        Name of the player by seat; by default, the role's name.
    """
    rules = record.rules
    named = {seat: (agents or {}).get(seat, rules.role(seat)) for seat in rules.seats}
    make = {
        "declarations": _declarations,
        "purchases": _purchases,
        "orders": _orders,
        "trades": _trades,
        "signals": _signals,
        "payoffs": _payoffs,
        "messages": _messages,
        "votes": _votes,
    }[name]
    for round_ in record.rounds:
        yield from make(_Context(session, record, round_, named))


def counted(played: Iterable[Rules]) -> list[dict[str, Any]]:
    """The rules of sessions as JSON objects, each once, with the number of its sessions."""
    numbers: dict[str, int] = {}
    for rules in played:
        text = json.dumps(rules.to_json(), sort_keys=True)
        numbers[text] = numbers.get(text, 0) + 1
    return [{"sessions": n, "rules": json.loads(text)} for text, n in numbers.items()]


class _Context(NamedTuple):
    session: str
    record: SessionRecord
    round: Round
    agents: Mapping[int, str]

    @property
    def rules(self) -> Rules:
        return self.record.rules

    @property
    def start(self) -> tuple[str, int]:
        return self.session, self.round.number

    def given(self, stage: str, seat: int) -> bool:
        return seat not in self.round.defaulted.get(stage, ())


def _declarations(at: _Context) -> Iterator[Row]:
    rules, round_ = at.rules, at.round
    stages = (
        ("first", round_.first, rules.first_tax, CONDITIONS),
        ("final", round_.final, rules.final_tax, (round_.condition,)),
    )
    bought = {
        (stage, c): buyers_by_lot(rules, lots) for stage, lots, c, _ in _markets_for_lots(round_)
    }
    for stage, declared, tax, conditions in stages:
        for seat, amounts in sorted(declared.items()):
            for c in conditions:
                if c is None:
                    continue
                band = rules.band(seat, c)
                amount = amounts[c] if isinstance(amounts, tuple) else amounts
                yield (
                    *at.start, seat, at.agents[seat], rules.role(seat), stage, CONDITION_WORDS[c],
                    round_.values[seat][c], amount, band.low, band.high, tax, c == round_.condition,
                    at.given(f"{stage}_declaration", seat), rules.mechanism,
                    _held(rules, round_, seat, stage), rules.buyer_share, *others_lead(rules, seat),
                    len(bought.get((stage, c), {}).get(seat, ())),
                )  # fmt: skip


def _held(rules: Rules, round_: Round, seat: int, stage: str) -> float:
    """Share of all tax shares that a seat holds when it declares."""
    shares = rules.terms(rules.role(seat)).shares
    chosen = round_.condition
    if stage == "final" and chosen is not None and chosen in round_.markets:
        shares = round_.markets[chosen].wallets[seat].shares
    return shares / rules.total_shares


def _purchases(at: _Context) -> Iterator[Row]:
    """One row for each speculator and lot that it could buy."""
    rules, round_ = at.rules, at.round
    for stage, bought, c, declared in _markets_for_lots(round_):
        buyers = buyers_by_lot(rules, bought)
        for seat, lots in sorted(bought.items()):
            for lot in rules.landowners:
                mine = lot in lots
                gains = purchase_gains(
                    rules,
                    {lot: round_.values[lot][c]},
                    {lot: declared[lot]},
                    {lot: buyers[lot]},
                    each=stage == "final" or rules.mechanism != "futarchy",
                )
                yield (
                    *at.start, seat, at.agents[seat], stage, CONDITION_WORDS[c], lot, declared[lot],
                    rules.band(lot, c).low, rules.band(lot, c).high,
                    rules.band(lot, c).percentile(declared[lot]), mine, len(buyers[lot]),
                    len(rules.speculators), rules.buyer_share,
                    gains.get(seat, 0.0) if mine else 0.0, c == round_.condition,
                    at.given(f"{stage}_purchases", seat),
                )  # fmt: skip


def _markets_for_lots(
    round_: Round,
) -> Iterator[tuple[str, dict[int, tuple[int, ...]], int, dict[int, float]]]:
    """Stage, lots by speculator, condition, declaration by lot, for each choice of lots."""
    if round_.first_buys:
        shown = CONDITIONS if not _decided_before(round_) else (round_.condition or 0,)
        for c in shown:
            lots = {seat: pair[c] for seat, pair in round_.first_buys.items()}
            yield "first", lots, c, {lot: pair[c] for lot, pair in round_.first.items()}
    if round_.final_buys and round_.condition is not None:
        yield "final", dict(round_.final_buys), round_.condition, dict(round_.final)


def _decided_before(round_: Round) -> bool:
    """Whether the first purchases were made under a known condition."""
    return len(round_.markets) == 1


def _orders(at: _Context) -> Iterator[Row]:
    """One row for each turn of a seat in the market, turns without an order included."""
    rules, round_ = at.rules, at.round
    if not round_.markets:
        return
    clock = any(event.seconds is not None for event in round_.orders)
    states = {c: Market(opening_wallets(rules)) for c in round_.markets}
    ticks = {tick: list(events) for tick, events in groupby(round_.orders, lambda e: e.tick)}
    reached = rules.ticks if round_.stage != "market" else round_.tick - 1
    for tick in sorted(ticks) if clock else range(1, reached + 1):
        before = dict(states)
        acted = set()
        for event in ticks.get(tick, []):
            seen = states if clock else before
            yield _order_row(at, event, seen[event.condition], event.condition)
            acted.add(event.seat)
            states[event.condition] = _applied(states[event.condition], event, rules)
        for seat in () if clock else rules.seats:
            if seat not in acted:
                status = "waited" if at.given(f"market {tick}", seat) else "defaulted"
                idle = OrderEvent(tick, seat, min(before), "wait", None, 0, status)
                for c, market in before.items():
                    yield _order_row(at, idle, market, c)


def _order_row(at: _Context, event: OrderEvent, market: Market, c: int) -> Row:
    rules, round_ = at.rules, at.round
    trades = event.action in ("bid", "ask", "buy", "sell")
    side, now = order_side(event.action) if trades else ("", False)
    bid, ask = market.best("bid", event.seat), market.best("ask", event.seat)
    wallet = market.wallets[event.seat]
    return (
        *at.start, event.seat, at.agents[event.seat], rules.role(event.seat), event.tick,
        CONDITION_WORDS[c], event.action, side, event.price, now, wallet.cash, wallet.shares,
        rules.terms(rules.role(event.seat)).shares,
        round_.signals[event.seat][c], _public(rules, round_, c),
        None if bid is None else bid.price, None if ask is None else ask.price,
        market.median(rules.median_of), event.status, event.why, event.traded_at, event.seconds,
    )  # fmt: skip


def _applied(market: Market, event: OrderEvent, rules: Rules) -> Market:
    """A market after an event of the record."""
    if event.status == "refused" or event.action == "wait":
        return market
    if event.action == "cancel":
        return cancel(market, event.seat, event.order)[0]
    side, now = order_side(event.action)
    return post(market, event.seat, side, event.price or 0.0, now, rules.trade_fee)[0]


def _trades(at: _Context) -> Iterator[Row]:
    rules, round_ = at.rules, at.round
    for c, market in sorted(round_.markets.items()):
        made = [e for e in round_.orders if e.condition == c and e.status == "traded"]
        for number, (trade, event) in enumerate(zip(market.trades, made, strict=True), 1):
            so_far = Market({}, trades=market.trades[:number])
            yield (
                *at.start, CONDITION_WORDS[c], number, event.tick, trade.buyer, trade.seller,
                trade.taker, trade.price, so_far.median(rules.median_of), event.seconds,
            )  # fmt: skip


def _signals(at: _Context) -> Iterator[Row]:
    rules, round_ = at.rules, at.round
    for seat, pair in sorted(round_.signals.items()):
        for c in sorted(round_.markets):
            yield (
                *at.start, seat, at.agents[seat], rules.role(seat), CONDITION_WORDS[c], pair[c],
                _public(rules, round_, c),
            )  # fmt: skip


def _public(rules: Rules, round_: Round, condition: int) -> float:
    return share_worth(rules, (pair[condition] for pair in round_.first.values()))


def _payoffs(at: _Context) -> Iterator[Row]:
    rules, round_ = at.rules, at.round
    if round_.condition is None:
        return
    for seat, account in sorted(round_.accounts.items()):
        yield (
            *at.start, seat, at.agents[seat], rules.role(seat), CONDITION_WORDS[round_.condition],
            round_.efficiency, round_.share_price, *account, account.payoff,
            round_.number == at.record.paid_round, rules.reward(seat, account.payoff),
        )  # fmt: skip


def _messages(at: _Context) -> Iterator[Row]:
    for line in at.round.messages:
        to = " ".join(map(str, line.to))
        yield (
            *at.start, line.stage, line.tick, line.sender, at.agents[line.sender], to, line.text,
        )  # fmt: skip


def _votes(at: _Context) -> Iterator[Row]:
    rules, round_ = at.rules, at.round
    words: Sequence[str] = CONDITION_WORDS
    for seat, vote in sorted(round_.votes.items()):
        without, with_project = round_.values[seat]
        yield (
            *at.start, seat, at.agents[seat], rules.role(seat), without, with_project,
            round_.requests.get(seat), round_.offer, "abstain" if vote is None else words[vote],
            None if round_.condition is None else words[round_.condition],
        )  # fmt: skip
