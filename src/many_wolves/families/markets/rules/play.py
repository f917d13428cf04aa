"""Moves a round from stage to stage: the effects of answers, and of missing ones."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from .actions import Action, acting_seats, chosen, market_condition, order_side, vote_of
from .draws import Draws, in_seeded_order
from .market import Market, cancel, post
from .parameters import CONDITIONS, Pair, Rules
from .round import ChatLine, Lots, OrderEvent, Round, Stage, opening_wallets
from .settle import (
    close_accounts,
    condition_by_prices,
    condition_by_sums,
    condition_by_votes,
    first_gains,
)

_Given = Mapping[int, Action]


def stages(rules: Rules) -> list[Stage]:
    """The stages of a round, in order."""
    order: list[tuple[Stage, bool]]
    if rules.mechanism == "voting":
        order = [
            ("talk", rules.talk > 0),
            ("request", True),
            ("offer", True),
            ("second_talk", rules.talk > 0),
            ("vote", True),
        ]
    else:
        buyers = len(rules.speculators) > 0
        order = [
            ("talk", rules.talk > 0),
            ("first_declaration", True),
            ("first_purchases", buyers),
            ("market", rules.ticks > 0),
            ("final_declaration", True),
            ("final_purchases", buyers),
        ]
    return [stage for stage, there in order if there] + ["results"]


def open_round(rules: Rules, draws: Draws, number: int) -> Round:
    """A round at its first stage."""
    first = stages(rules)[0]
    return Round(number, draws.values[number], draws.signals[number], first, _ticks(first))


def play(rules: Rules, round_: Round, actions: Mapping[int, Action | None], seed: int) -> Round:
    """The round after everyone who is asked at its stage has answered, or has not.

    Parameters
    ----------
    rules, round_
        The rules, and the round at a stage.
    actions
        Acceptable forms by seat (``actions.refusal`` is empty). None or a missing form stands for
        the stage's default: the band's low end, no purchase, no order, no message, no compensation,
        or an abstention.
    seed
        Of the order in which simultaneous orders and messages take effect.
    """
    asked = acting_seats(rules, round_)
    given = {seat: action for seat in asked if (action := actions.get(seat)) is not None}
    missing = tuple(seat for seat in asked if seat not in given)
    if missing:
        stage = f"{round_.stage} {round_.tick}" if round_.tick else round_.stage
        round_ = replace(round_, defaulted={**round_.defaulted, stage: missing})
    return _onward(rules, _STAGES[round_.stage](rules, round_, given, seed))


def order(
    rules: Rules, round_: Round, seat: int, action: Action, seconds: float | None = None
) -> Round:
    """The round after one turn of a seat in the market; ``seconds`` since it opened."""
    markets, events = dict(round_.markets), list(round_.orders)
    _order(rules, markets, events, seat, action, round_.tick, seconds)
    return replace(round_, markets=markets, orders=tuple(events))


def _order(
    rules: Rules,
    markets: dict[int, Market],
    events: list[OrderEvent],
    seat: int,
    action: Action,
    tick: int,
    seconds: float | None = None,
) -> None:
    """Put one action into its market, and what came of it into the record."""
    kind = action["action"]
    if kind == "wait":
        return
    condition = market_condition(markets, action)
    market = markets[condition]
    if kind == "cancel":
        price = None
        after, outcome = cancel(market, seat, int(action["order"]))
    else:
        side, now = order_side(kind)
        price = None if now else float(action["price"])
        after, outcome = post(market, seat, side, price or 0.0, now, rules.trade_fee)
    traded_at = None if outcome.trade is None else outcome.trade.price
    markets[condition] = after
    events.append(
        OrderEvent(
            tick,
            seat,
            condition,
            kind,
            price,
            outcome.order,
            outcome.status,
            outcome.why,
            traded_at,
            seconds,
        )
    )


def say(rules: Rules, round_: Round, seat: int, action: Action) -> Round:
    """The round after a message; an empty ``to`` means everyone."""
    text = action["message"].strip()
    if not text:
        return round_
    others = tuple(other for other in rules.seats if other != seat)
    to = tuple(sorted(set(action.get("to", ())))) or others
    line = ChatLine(round_.stage, round_.tick, seat, to, text)
    return replace(round_, messages=(*round_.messages, line))


def close_market(rules: Rules, round_: Round) -> Round:
    """The round after its market, whatever the tick: for engines with a clock."""
    return _onward(rules, replace(round_, tick=rules.ticks))


def _onward(rules: Rules, round_: Round) -> Round:
    """The next tick of the stage, or the next stage."""
    last = {"market": rules.ticks, "talk": rules.talk, "second_talk": rules.talk}
    if round_.tick < last.get(round_.stage, 0):
        return replace(round_, tick=round_.tick + 1)
    order_of_stages = stages(rules)
    following = order_of_stages[order_of_stages.index(round_.stage) + 1]
    round_ = replace(round_, stage=following, tick=_ticks(following))
    if rules.mechanism != "voting":
        if following == "market":
            round_ = _open_markets(rules, round_)
        if following == "final_declaration":
            round_ = _choose_by_prices(rules, round_)
        if not round_.gains and round_.condition is not None and round_.markets:
            round_ = replace(round_, gains=(first_gains(rules, round_, round_.condition),))
    return close_accounts(rules, round_) if following == "results" else round_


def _open_markets(rules: Rules, round_: Round) -> Round:
    traded = CONDITIONS if rules.mechanism == "futarchy" else (chosen(round_),)
    wallets = opening_wallets(rules)
    return replace(round_, markets={condition: Market(wallets) for condition in traded})


def _choose_by_prices(rules: Rules, round_: Round) -> Round:
    """The condition in ``futarchy``; endowments stay unchanged without a market."""
    if not round_.markets:
        round_ = _open_markets(rules, round_)
    if rules.mechanism != "futarchy":
        return round_
    without, with_project = (round_.markets[c].median(rules.median_of) for c in CONDITIONS)
    return replace(round_, condition=condition_by_prices(without, with_project))


def _talk(rules: Rules, round_: Round, given: _Given, seed: int) -> Round:
    for seat in in_seeded_order(given, seed, round_.number, round_.stage, round_.tick):
        round_ = say(rules, round_, seat, given[seat])
    return round_


def _first_declaration(rules: Rules, round_: Round, given: _Given, seed: int) -> Round:
    declared = {seat: _pair(rules, seat, given.get(seat)) for seat in rules.landowners}
    condition = condition_by_sums(declared) if rules.mechanism == "harberger" else None
    return replace(round_, first=declared, condition=condition)


def _first_purchases(rules: Rules, round_: Round, given: _Given, seed: int) -> Round:
    bought = {seat: _first_lots(round_, given.get(seat)) for seat in rules.speculators}
    return replace(round_, first_buys=bought)


def _market(rules: Rules, round_: Round, given: _Given, seed: int) -> Round:
    markets, events = dict(round_.markets), list(round_.orders)
    for seat in in_seeded_order(given, seed, round_.number, round_.stage, round_.tick):
        _order(rules, markets, events, seat, given[seat], round_.tick)
    return replace(round_, markets=markets, orders=tuple(events))


def _final_declaration(rules: Rules, round_: Round, given: _Given, seed: int) -> Round:
    declared = {seat: _final(rules, round_, seat, given.get(seat)) for seat in rules.landowners}
    return replace(round_, final=declared)


def _final_purchases(rules: Rules, round_: Round, given: _Given, seed: int) -> Round:
    bought = {
        seat: tuple(given[seat]["lots"]) if seat in given else () for seat in rules.speculators
    }
    return replace(round_, final_buys=bought)


def _request(rules: Rules, round_: Round, given: _Given, seed: int) -> Round:
    seats = acting_seats(rules, round_)
    return replace(round_, requests={seat: _compensation(given.get(seat)) for seat in seats})


def _offer(rules: Rules, round_: Round, given: _Given, seed: int) -> Round:
    (developer,) = acting_seats(rules, round_)
    return replace(round_, offer=_compensation(given.get(developer)))


def _vote(rules: Rules, round_: Round, given: _Given, seed: int) -> Round:
    seats = acting_seats(rules, round_)
    votes = {seat: vote_of(given[seat]) if seat in given else None for seat in seats}
    return replace(round_, votes=votes, condition=condition_by_votes(votes))


def _results(rules: Rules, round_: Round, given: _Given, seed: int) -> Round:
    raise ValueError(f"round {round_.number} is over")


_STAGES: dict[Stage, Callable[[Rules, Round, _Given, int], Round]] = {
    "talk": _talk,
    "first_declaration": _first_declaration,
    "first_purchases": _first_purchases,
    "market": _market,
    "final_declaration": _final_declaration,
    "final_purchases": _final_purchases,
    "request": _request,
    "offer": _offer,
    "second_talk": _talk,
    "vote": _vote,
    "results": _results,
}


def _ticks(stage: Stage) -> int:
    return 1 if stage in ("market", "talk", "second_talk") else 0


def _pair(rules: Rules, seat: int, action: Action | None) -> Pair:
    if action is None:
        return (rules.band(seat, 0).low, rules.band(seat, 1).low)
    return (float(action["no_project"]), float(action["project"]))


def _final(rules: Rules, round_: Round, seat: int, action: Action | None) -> float:
    if action is None:
        return rules.band(seat, chosen(round_)).low
    return float(action["value"])


def _first_lots(round_: Round, action: Action | None) -> tuple[Lots, Lots]:
    """Lots bought under each condition; nothing under a condition that is not chosen."""
    if action is None:
        return ((), ())
    if round_.condition is None:
        return (tuple(action["lots_no_project"]), tuple(action["lots_project"]))
    lots = tuple(action["lots"])
    return (lots, ()) if round_.condition == 0 else ((), lots)


def _compensation(action: Action | None) -> float:
    return 0.0 if action is None else float(action["compensation"])
