"""What the lab's server tells a seat of its game, and what it saves."""

from many_wolves.families.markets.engines.lab_parameters import ROLE_NUMBERS
from many_wolves.families.markets.reading.lab import stage_of
from many_wolves.families.markets.rules.draws import share_worth


def flat(parameters):
    """Parameters on one level, as the server keeps them."""
    made = {
        "game_type": parameters["game_type"],
        "round_count": parameters["round_count"],
        "practice_round": parameters["practice"],
        "tax_rate_initial": parameters["tax_rate"]["initial"],
        "tax_rate_final": parameters["tax_rate"]["final"],
        "signal_low": parameters["signal"]["low"],
        "signal_high": parameters["signal"]["high"],
        "show_up_fee": parameters["show_up_fee"],
    }
    for role in ("owner", "developer", "speculator"):
        told = parameters[f"{role}s"]
        made |= {
            f"{role}s_count": told["count"],
            f"{role}_balance": told["balance"],
            f"{role}_shares": told["shares"],
            f"{role}s_base_points": told["base_points"],
            f"{role}s_reward_scale_factor": told["reward_scale_factor"],
        }
        for name, band in told.get("profit", {}).items():
            made |= {f"{role}_{name}_{end}": band[end] for end in ("low", "high")}
    return made


def status_fails(game, recovery):
    """The lab's server looks for a declaration that a later round does not have yet."""
    landowner = game.recoveries.index(recovery) + 1 in game.rules.landowners
    later = game.rules.mechanism == "futarchy" and bool(game.rounds)
    return landowner and later and game.phase <= 2


def saved(game):
    """The game as it was saved when its phase began."""
    players = []
    for seat, recovery in enumerate(game.recoveries, 1):
        player = status(game, recovery)["player"]
        kept = ("number", "role", "ready", "wallet", "property", "summaries", "recovery")
        players.append({name: player.get(name) for name in kept})
        players[-1]["paymentToken"] = f"token {seat}"
    return {
        "type": game.rules.mechanism.capitalize(),
        "winningCondition": game.rounds[-1].condition if game.rounds else None,
        "currentRound": {"number": game.round.number, "phase": game.phase},
        "players": players,
        "results": [],
    }


def status(game, recovery):
    seat = game.recoveries.index(recovery) + 1
    rules, round_ = game.rules, game.round
    role = rules.role(seat)
    shown = {
        "id": game.number,
        "round": round_.number,
        "phase": game.phase,
        "over": game.over,
        "compensationOffers": [None, round_.offer] if game.phase > 4 else [],
    }
    player = {"number": seat, "role": ROLE_NUMBERS[role], "ready": seat in game.ready}
    player["summaries"] = [s for s in game.summaries.get(seat, []) if s["round"]][::-1]
    player["recovery"] = recovery
    stage = stage_of(rules, game.phase)
    if rules.mechanism == "voting":
        received = {"request": "Request", "offer": "Offer", "vote": "Decision"}
        if stage in received and seat in game.answers:
            player[f"compensation{received[stage]}Received"] = True
        shown["messages"] = [
            {"sender": m.sender, "to": list(m.to), "text": m.text}
            for m in round_.messages
            if seat == m.sender or seat in m.to
        ]
        if role == "developer" and game.phase >= 4:
            shown["compensationRequests"] = [
                {"number": s, "compensationRequests": [None, r]} for s, r in round_.requests.items()
            ]
    else:
        player["wallet"] = [wallet(game, seat, c) for c in (0, 1, 1)]
        declaring = stage in ("first_declaration", "final_declaration")
        player["hasToDeclare"] = not (declaring and seat in game.answers)
        player["doneSpeculating"] = stage.endswith("purchases") and seat in game.answers
        if game.phase > 2:
            shown["declarations"] = [
                {"number": s, "d": [*pair, 0]} for s, pair in round_.first.items()
            ]
        if round_.condition is not None:
            shown["winningCondition"] = round_.condition
        if round_.gains and game.phase > 4:
            player["firstRepurchase"] = round_.gains[0].get(seat, 0)
        if game.phase == 6:
            player["signals"] = [*round_.signals[seat], 0]
            shown["publicSignal"] = public(game)
            shown["orders"] = [orders(game, c) for c in (0, 1)] + [[]]
            shown["movementList"] = [
                [{"price": t.price} for t in round_.markets[c].trades]
                if c in round_.markets
                else []
                for c in (0, 1)
            ] + [[]]
    if seat in rules.landowners:
        player["property"] = {"id": seat, "v": [*round_.values[seat], 0]}
    return {"game": shown, "player": player, "timer": None}


def wallet(game, seat, condition):
    if condition in game.round.markets:
        held = game.round.markets[condition].wallets[seat]
        return {"balance": held.cash, "shares": held.shares}
    terms = game.rules.terms(game.rules.role(seat))
    return {"balance": terms.cash, "shares": terms.shares}


def orders(game, c):
    if c not in game.round.markets:
        return []
    return [
        {"id": o.id, "sender": o.seat, "price": o.price, "type": o.side, "condition": c}
        for o in game.round.markets[c].book
    ]


def public(game):
    shown = (0, 1) if game.round.condition is None else (game.round.condition,)
    worth = [
        share_worth(game.rules, (pair[c] for pair in game.round.first.values())) for c in (0, 1)
    ]
    return [worth[c] if c in shown else 0 for c in (0, 1)] + [0]
