"""Reads the lab's data format: its parameters as rules, its games as session records."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from many_wolves.errors import WolvesError
from many_wolves.families.markets.rules.actions import CONDITION_WORDS
from many_wolves.families.markets.rules.market import Market
from many_wolves.families.markets.rules.parameters import CONDITIONS, Band, Pair, Rules, Terms
from many_wolves.families.markets.rules.play import order, stages
from many_wolves.families.markets.rules.round import ChatLine, Round, opening_wallets
from many_wolves.families.markets.rules.session import SessionRecord
from many_wolves.families.markets.rules.settle import close_accounts, first_gains

MECHANISMS = {"Harberger": "harberger", "Futarchy": "futarchy", "Voting": "voting"}
_PHASES = {"declarations": 2, "snipes": 3, "signals": 5, "market": 6, "final": 7, "last": 8}


def rules_from_lab(parameters: Mapping[str, Any], ticks: int = 0) -> Rules:
    """Rules from the parameters of one of the lab's games.

    Parameters
    ----------
    parameters
        As the server keeps them: ``owners_count``, ``owner_no_project_low``, ...
    ticks
        Turns in the market; the lab's market has a clock instead.

    Raises
    ------
    WolvesError
        If a parameter is missing.
    """
    try:
        mechanism = str(parameters["game_type"])
        terms = {role: _terms(parameters, role) for role in ("owner", "developer", "speculator")}
        return Rules.lab(
            "voting" if mechanism == "voting" else _mechanism(mechanism),
            **terms,
            rounds=int(parameters["round_count"]),
            practice=bool(parameters["practice_round"]),
            first_tax=0.0 if mechanism == "voting" else parameters["tax_rate_initial"] / 100,
            final_tax=0.0 if mechanism == "voting" else parameters["tax_rate_final"] / 100,
            signal_low=float(parameters["signal_low"]),
            signal_high=float(parameters["signal_high"]),
            show_up_fee=float(parameters.get("show_up_fee") or 0),
            ticks=ticks,
            talk=1 if mechanism == "voting" else 0,
        )
    except (KeyError, TypeError) as error:
        raise WolvesError(f"expected the parameters of a game of the lab: {error}") from error


def record_from_lab(data: Mapping[str, Any], seed: int = 0) -> SessionRecord:
    """A session from the lab's data form (``games/data``), or from our own export of it.

    Parameters
    ----------
    data
        The whole game as JSON.
    seed
        What the record names as its seed; the lab has none.

    Raises
    ------
    WolvesError
        If the mechanism is unknown, or the payoffs do not follow from the moves.
    """
    parameters = data.get("parameters", {})
    extra = data.get("wolves", {})
    rules = (
        Rules.from_json(extra["rules"]) if "rules" in extra else rules_from_lab(parameters, ticks=1)
    )
    rounds = tuple(
        _round(rules, result)
        for result in data.get("results", ())
        if len(result.get("phase", ())) > 1
    )
    paid = int(data.get("rewardRound") or 1)
    rewards = {int(r["number"]): round(float(r["reward"]), 2) for r in data.get("rewards", ())}
    record = SessionRecord(rules, int(extra.get("seed", seed)), paid, rounds, rewards)
    _check(record, data)
    return record


def _mechanism(name: str) -> Any:
    if name not in MECHANISMS.values():
        raise WolvesError(f"expected a game of {', '.join(MECHANISMS.values())}, found {name!r}")
    return name


def _terms(parameters: Mapping[str, Any], role: str) -> Terms:
    bands: tuple[Band, ...] = ()
    if role != "speculator":
        bands = tuple(
            Band(float(parameters[f"{role}_{c}_low"]), float(parameters[f"{role}_{c}_high"]))
            for c in ("no_project", "project_a")
        )
    return Terms(
        count=1 if role == "developer" else int(parameters[f"{role}s_count"]),
        cash=float(parameters[f"{role}_balance"]),
        shares=int(parameters[f"{role}_shares"]),
        bands=bands,
        base_points=float(parameters[f"{role}s_base_points"]),
        points_per_euro=float(parameters[f"{role}s_reward_scale_factor"]),
    )


def _round(rules: Rules, result: Mapping[str, Any]) -> Round:
    """One finished round from the results of its phases."""
    phases: Sequence[Mapping[str, Any]] = [phase or {} for phase in result["phase"]]
    number = int(result["round"])
    if rules.mechanism == "voting":
        return _votes(rules, number, phases)
    declared = phases[_PHASES["declarations"]]["declarations"]
    values = {int(d["player"]): _pair(d["value"]) for d in declared}
    first = {int(d["player"]): _pair(d["declaration"]) for d in declared}
    defaults = {"first_declaration": _missing(declared)}
    finals = phases[_PHASES["final"]]["declarations"]
    defaults["final_declaration"] = _missing(finals)
    condition = int(
        phases[3]["winningCondition"]
        if rules.mechanism == "harberger"
        else phases[_PHASES["market"]]["winningCondition"]
    )
    bought = {
        int(s["player"]): (tuple(s["snipe"][0]), tuple(s["snipe"][1]))
        for s in phases[_PHASES["snipes"]].get("snipes", ())
        if s.get("snipe") is not None
    }
    if rules.mechanism == "harberger":
        bought = {
            seat: (lots[0] if condition == 0 else (), lots[1] if condition == 1 else ())
            for seat, lots in bought.items()
        }
    defaults["first_purchases"] = tuple(s for s in rules.speculators if s not in bought)
    signals = phases[_PHASES["signals"]]["signals"]
    round_ = Round(
        number=number,
        values=values,
        signals={
            seat: _pair(pair)
            for seat, pair in zip(rules.seats, signals["privateSignals"], strict=True)
        },
        stage="results",
        first=first,
        final={int(d["player"]): float(d["declaration"][condition]) for d in finals},
        first_buys={seat: bought.get(seat, ((), ())) for seat in rules.speculators},
        final_buys=_last_lots(rules, phases[_PHASES["last"]]),
        condition=condition,
        messages=_chat(phases),
    )
    round_ = _traded(rules, round_, phases[_PHASES["market"]])
    told = phases[0].get("defaulted") or {s: d for s, d in defaults.items() if d}
    round_ = replace(round_, defaulted={stage: tuple(seats) for stage, seats in told.items()})
    gains = first_gains(rules, round_, condition)
    return close_accounts(rules, replace(round_, gains=(gains,)))


def _votes(rules: Rules, number: int, phases: Sequence[Mapping[str, Any]]) -> Round:
    """A round of voting: requests, offer, votes, talk."""
    owners = [seat for seat in rules.seats if rules.role(seat) == "owner"]
    asked = {
        int(r["number"]): float((r["compensationRequests"] or [0, 0])[1] or 0)
        for r in phases[3]["compensationRequests"]
    }
    offers = phases[4].get("compensationOffers") or [0, 0]
    given = {
        int(v["number"]): v["compensationDecisions"] for v in phases[6]["compensationDecisions"]
    }
    votes = {seat: (given[seat][0] if given.get(seat) else None) for seat in owners}
    missing = {
        "request": tuple(seat for seat in owners if seat not in asked),
        "vote": tuple(seat for seat in owners if seat not in given),
    }
    told = phases[0].get("defaulted") or {s: d for s, d in missing.items() if d}
    round_ = Round(
        number=number,
        values={int(p["number"]): _pair(p["values"]) for p in phases[1]["players"]},
        signals={},
        stage="results",
        requests={seat: asked.get(seat, 0.0) for seat in owners},
        offer=float(offers[1] or 0),
        votes=votes,
        condition=int(phases[7]["winningCondition"]),
        messages=_chat(phases),
        defaulted={stage: tuple(seats) for stage, seats in told.items()},
    )
    return close_accounts(rules, round_)


def _traded(rules: Rules, round_: Round, phase: Mapping[str, Any]) -> Round:
    """The round with its markets, played again from the log."""
    conditions = CONDITIONS if rules.mechanism == "futarchy" else (round_.condition or 0,)
    wallets = opening_wallets(rules)
    markets = {c: Market(wallets) for c in conditions}
    lines = [(line, c) for c in conditions for line in phase["log"][c]]
    start = min((_time(line) for line, _ in lines), default=0.0)
    round_ = replace(round_, markets=markets)
    placed = [(line, c) for line, c in lines if _kind(line)]
    for line, c in sorted(placed, key=lambda pair: (_time(pair[0]), pair[0].get("sequence", 0))):
        action: dict[str, Any] = {"action": _kind(line), "price": None, "order": None}
        if line["price"] not in (None, "any"):
            action["price"] = float(line["price"])
        if action["action"] == "cancel":
            action["order"] = int(line["id"])
        if len(conditions) > 1:
            action["market"] = CONDITION_WORDS[c]
        seconds = None if "tick" in line else round(_time(line) - start, 3)
        at = replace(round_, tick=int(line.get("tick", 1)))
        round_ = order(rules, at, int(line["actor"]["number"]), action, seconds)
    return replace(round_, tick=0)


def _kind(line: Mapping[str, Any]) -> str:
    """What a line of the market's log did; empty for lines that follow from others."""
    now = line["price"] == "any"
    kinds = {
        "added Sell": "sell" if now else "ask",
        "added Buy": "buy" if now else "bid",
        "Cancel Sell Order": "cancel",
        "Cancel Buy Order": "cancel",
    }
    return kinds.get(line["action"], "")


def _last_lots(rules: Rules, phase: Mapping[str, Any]) -> dict[int, tuple[int, ...]]:
    """Lots of the last purchases; the lab records what was bought, not who answered."""
    bought: dict[int, list[int]] = {seat: [] for seat in rules.speculators}
    for snipe in phase["snipes"]:
        bought[int(snipe["player"]["number"])].append(int(snipe["target"]["number"]))
    return {seat: tuple(lots) for seat, lots in bought.items()}


def _chat(phases: Sequence[Mapping[str, Any]]) -> tuple[ChatLine, ...]:
    lines = []
    for number, phase in enumerate(phases):
        stage = "second_talk" if number == 5 else "talk"
        for line in phase.get("chatLog", ()):
            text = str(line["text"]).replace("&lsquo;", "'")
            to = tuple(int(seat) for seat in line["to"] if int(seat) != int(line["sender"]))
            lines.append(ChatLine(stage, int(line.get("tick", 1)), int(line["sender"]), to, text))
    return tuple(lines)


def _missing(declared: Sequence[Mapping[str, Any]]) -> tuple[int, ...]:
    return tuple(sorted(int(d["player"]) for d in declared if not d.get("declared", True)))


def _pair(numbers: Sequence[Any]) -> Pair:
    return (float(numbers[0]), float(numbers[1]))


def _time(line: Mapping[str, Any]) -> float:
    return datetime.fromisoformat(str(line["time"]).replace("Z", "+00:00")).timestamp()


def _check(record: SessionRecord, data: Mapping[str, Any]) -> None:
    """The lab's own payoffs must follow from what was read."""
    by_number = {round_.number: round_ for round_ in record.rounds}
    paid = by_number.get(record.paid_round)
    for reward in data.get("rewards", ()):
        ours = None if paid is None else paid.accounts[int(reward["number"])].payoff
        if ours is None or abs(ours - float(reward["profit"])) > 0.01:
            raise WolvesError(
                f"payoff of player {reward['number']}: the file says {reward['profit']}, "
                f"its moves give {ours}",
                fix="the file was changed, or another version of the server wrote it",
            )


def stage_of(rules: Rules, phase: int) -> str:
    """The stage of a phase of the lab's server; empty where nobody acts."""
    if rules.mechanism == "voting":
        named = {2: "talk", 3: "request", 4: "offer", 5: "second_talk", 6: "vote"}
    else:
        named = {
            2: "first_declaration",
            3: "first_purchases",
            6: "market",
            7: "final_declaration",
            8: "final_purchases",
        }
    stage = named.get(phase, "")
    return stage if stage in stages(rules) else ""
