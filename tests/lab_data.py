"""Sessions in the lab's data format, as its server publishes them: for tests of the reader."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from many_wolves.families.markets.engines.lab_parameters import (
    ROLE_NUMBERS,
    profit_bands,
    role_parameters,
)
from many_wolves.families.markets.rules.parameters import CONDITIONS, Rules
from many_wolves.families.markets.rules.round import OrderEvent, Round
from many_wolves.families.markets.rules.session import SessionRecord
from many_wolves.families.markets.rules.settle import buyers_by_lot, purchase_gains

TYPES = {"harberger": "Harberger", "futarchy": "Futarchy", "voting": "Voting"}
_START = datetime(2000, 1, 1, tzinfo=UTC)


def to_lab(record: SessionRecord) -> dict[str, Any]:
    """A session in the form of the lab's ``games/data``, without names, tokens or codes.

    Rules, seed, turns and defaults have no place in the lab's form. They are stored under
    ``wolves`` or in further fields, which the lab's readers ignore.
    """
    rules = record.rules
    results: list[dict[str, Any]] = [] if rules.practice else [{"round": 0, "phase": []}]
    results += [
        {"round": round_.number, "phase": _phases(rules, round_)} for round_ in record.rounds
    ]
    last = record.rounds[-1]
    return {
        "type": TYPES[rules.mechanism],
        "ruleset": TYPES[rules.mechanism],
        "parameters": _flat_parameters(rules),
        "conditions": [{"id": 0, "key": "noProject"}, {"id": 1, "key": "projectA"}],
        "players": [
            {
                "number": seat,
                "role": ROLE_NUMBERS[rules.role(seat)],
                "tag": rules.name(seat),
                "balance": rules.terms(rules.role(seat)).cash,
                "shares": rules.terms(rules.role(seat)).shares,
            }
            for seat in rules.seats
        ],
        "properties": [
            {"id": lot, "owner": lot, "v": [*last.values[lot], 0]} for lot in rules.landowners
        ],
        "results": results,
        "winningCondition": last.condition,
        "rewardRound": record.paid_round,
        "rewards": [_reward(record, seat) for seat in rules.seats] if record.rewards else [],
        "wolves": {"rules": rules.to_json(), "seed": record.seed},
    }


def _flat_parameters(rules: Rules) -> dict[str, Any]:
    """Parameters as the server keeps them, one level."""
    flat: dict[str, Any] = {
        "game_type": rules.mechanism,
        "round_count": rules.rounds,
        "practice_round": rules.practice,
        "tax_rate_initial": 100 * rules.first_tax,
        "tax_rate_final": 100 * rules.final_tax,
        "signal_low": rules.signal_low,
        "signal_high": rules.signal_high,
        "show_up_fee": rules.show_up_fee,
    }
    for role in ("owner", "developer", "speculator"):
        told = role_parameters(rules, role)
        flat |= {
            f"{role}s_count": told["count"],
            f"{role}_balance": told["balance"],
            f"{role}_shares": told["shares"],
            f"{role}s_base_points": told["base_points"],
            f"{role}s_reward_scale_factor": told["reward_scale_factor"],
        }
        if role != "speculator":
            for name, band in profit_bands(rules, role).items():
                flat |= {f"{role}_{name}_{end}": band[end] for end in ("low", "fixed", "high")}
    return flat


def _phases(rules: Rules, round_: Round) -> list[Any]:
    told = {"defaulted": {stage: list(seats) for stage, seats in round_.defaulted.items()}}
    if rules.mechanism == "voting":
        return [
            told,
            {"players": [{"number": s, "values": [*v, 0]} for s, v in round_.values.items()]},
            {"chatLog": _chat(round_, "talk")},
            {
                "compensationRequests": [
                    {"number": s, "compensationRequests": [None, amount]}
                    for s, amount in round_.requests.items()
                ]
            },
            {"compensationOffers": [None, round_.offer]},
            {"chatLog": _chat(round_, "second_talk")},
            {
                "compensationDecisions": [
                    {"number": s, "compensationDecisions": [] if v is None else [v]}
                    for s, v in round_.votes.items()
                ]
            },
            {"winningCondition": round_.condition},
        ]
    harberger = rules.mechanism == "harberger"
    first = _outcomes(rules, round_, "first")
    return [
        told,
        {"chatLog": _chat(round_, "talk")},
        {"declarations": _declared(rules, round_, "first")},
        {
            "winningCondition": round_.condition if harberger else None,
            "snipes": [
                {"player": seat, "snipe": [*map(list, lots), []]}
                for seat, lots in round_.first_buys.items()
            ],
        },
        first if harberger else {"snipes": [], "snipeOutcomes": []},
        {
            "signals": {
                "privateSignals": [[*round_.signals[seat], 0] for seat in rules.seats],
            }
        },
        (first if not harberger else {"snipes": [], "snipeOutcomes": []})
        | {
            "log": [_log(rules, round_, c) for c in CONDITIONS] + [[]],
            "winningCondition": None if harberger else round_.condition,
            "wallets": _wallets(rules, round_),
            "finalPrices": [
                round_.markets[c].median(rules.median_of) if c in round_.markets else None
                for c in CONDITIONS
            ],
        },
        {"declarations": _declared(rules, round_, "final")},
        _outcomes(rules, round_, "final") | {"finalPrice": round_.share_price},
        None,
    ]


def _declared(rules: Rules, round_: Round, stage: str) -> list[dict[str, Any]]:
    tax = rules.first_tax if stage == "first" else rules.final_tax
    missing = round_.defaulted.get(f"{stage}_declaration", ())
    listed = []
    for seat in rules.landowners:
        if stage == "first":
            amounts = [*round_.first[seat], 0]
        else:
            amounts = [round_.final[seat] if c == round_.condition else 0 for c in (0, 1, 2)]
        listed.append(
            {
                "player": seat,
                "role": ROLE_NUMBERS[rules.role(seat)],
                "value": [*round_.values[seat], 0],
                "declaration": amounts,
                "taxes": [tax * amount for amount in amounts],
                "declared": seat not in missing,
            }
        )
    return listed


def _outcomes(rules: Rules, round_: Round, stage: str) -> dict[str, Any]:
    """Purchases that took effect, and what each brought."""
    c = round_.condition or 0
    if stage == "first":
        bought = {seat: lots[c] for seat, lots in round_.first_buys.items()}
        declared = {lot: pair[c] for lot, pair in round_.first.items()}
    else:
        bought, declared = dict(round_.final_buys), dict(round_.final)
    snipes, outcomes = [], []
    for lot, seats in buyers_by_lot(rules, bought).items():
        gains = purchase_gains(
            rules, {lot: round_.values[lot][c]}, {lot: declared[lot]}, {lot: seats}
        )
        for seat in seats:
            who = {
                "player": {"number": seat, "role": ROLE_NUMBERS["speculator"]},
                "target": {"number": lot, "role": ROLE_NUMBERS[rules.role(lot)]},
            }
            snipes.append({**who, "snipes": [c == 0, c == 1, False], "executed": True})
            outcomes.append({**who, "profit": gains[seat] / seats.count(seat)})
    return {"snipes": snipes, "snipeOutcomes": outcomes}


def _log(rules: Rules, round_: Round, condition: int) -> list[dict[str, Any]]:
    """The market's log: each order, and each trade behind the order that made it."""
    lines = []
    for sequence, event in enumerate(round_.orders):
        if event.condition != condition:
            continue
        at = float(sequence) if event.seconds is None else event.seconds
        line = {
            "id": event.order,
            "time": (_START + timedelta(seconds=at)).isoformat().replace("+00:00", "Z"),
            "sequence": sequence,
            "round": round_.number,
            "phase": 6,
            "actor": {"number": event.seat, "role": ROLE_NUMBERS[rules.role(event.seat)]},
            "action": _action(event, round_),
            "quantity": 1,
            "price": "any" if event.action in ("buy", "sell") else event.price,
            "status": event.status,
        }
        if event.seconds is None:
            line["tick"] = event.tick
        lines.append(line)
        if event.status == "traded":
            kind = "Sell" if event.action in ("ask", "sell") else "Buy"
            lines.append({**line, "action": kind, "price": event.traded_at})
    return lines


def _action(event: OrderEvent, round_: Round) -> str:
    if event.action == "cancel":
        made = next(
            (e for e in round_.orders if e.order == event.order and e.status == "rested"), None
        )
        return f"Cancel {'Sell' if made and made.action == 'ask' else 'Buy'} Order"
    return "added Sell" if event.action in ("ask", "sell") else "added Buy"


def _wallets(rules: Rules, round_: Round) -> list[dict[str, Any]]:
    start = {"balance": None, "shares": None}
    return [
        {
            "number": seat,
            "wallet": [
                {
                    "balance": round_.markets[c].wallets[seat].cash,
                    "shares": round_.markets[c].wallets[seat].shares,
                }
                if c in round_.markets
                else start
                for c in CONDITIONS
            ],
        }
        for seat in rules.seats
    ]


def _chat(round_: Round, stage: str) -> list[dict[str, Any]]:
    return [
        {"sender": line.sender, "to": list(line.to), "text": line.text, "tick": line.tick}
        for line in round_.messages
        if line.stage == stage
    ]


def _reward(record: SessionRecord, seat: int) -> dict[str, Any]:
    paid = next(r for r in record.rounds if r.number == record.paid_round)
    terms = record.rules.terms(record.rules.role(seat))
    profit = paid.accounts[seat].payoff
    return {
        "number": seat,
        "round": paid.number,
        "reward": record.rewards[seat],
        "basePoints": terms.base_points,
        "showupFee": record.rules.show_up_fee,
        "profit": profit,
        "points": terms.base_points + profit,
        "factor": terms.points_per_euro,
    }
