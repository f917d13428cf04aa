"""Between oTree's records and the rules: the state of a group, forms, live turns, exports."""

import json
import time
from dataclasses import asdict, replace
from functools import cache
from os import environ
from pathlib import Path

from .rules.actions import acting_seats, form, idle, refusal
from .rules.draws import draw, from_series
from .rules.parameters import Rules
from .rules.play import close_market, open_round, order, play
from .rules.round import Round
from .rules.session import SessionRecord
from .rules.tables import TABLES, table_rows
from .rules.view import past_from_json, past_round, view
from .rules.view import refused as with_error
from .rules.words import as_html, as_text, instructions, page, question

HERE = Path(__file__).parent
MOST_ROUNDS = int(environ.get("SPATIAL_PLANNING_ROUNDS", "6"))
MOST_LOTS = int(environ.get("SPATIAL_PLANNING_LOTS", "6"))
LOT_PREFIXES = {"lots": "lot", "lots_no_project": "lot_no_project", "lots_project": "lot_project"}
LOT_FIELDS = [f"{p}_{n}" for p in LOT_PREFIXES.values() for n in range(1, MOST_LOTS + 1)]
TURN_STAGES = ("market", "talk", "second_talk")
TABLE_NAMES = (*TABLES, "sessions")


# The session


@cache
def _rules(mechanism, changes):
    rules = Rules.lab(mechanism)
    record = rules.to_json() | (json.loads(changes) if changes else {})
    return Rules.from_json(record)


@cache
def _draws(mechanism, changes, seed, lab_session):
    rules = _rules(mechanism, changes)
    if not lab_session:
        return draw(rules, seed)
    series = json.loads((HERE / "lab.json").read_text())[str(lab_session)]
    return from_series(rules, {int(n): table for n, table in series.items()}, seed)


@cache
def _wording():
    return json.loads((HERE / "wording.json").read_text(encoding="utf-8"))


def rules_of(session):
    return _rules(session.config["mechanism"], session.config["rules"])


def draws_of(session):
    config = session.config
    return _draws(
        config["mechanism"], config["rules"], int(config["seed"]), int(config["lab_session"])
    )


def words(session):
    return _wording()


def number_of(group, rules):
    """The number of a round: 0 is practice. None where the session has no such round."""
    numbers = list(rules.round_numbers)
    place = group.round_number - 1
    return numbers[place] if place < len(numbers) else None


# The state of a group


def begin(group):
    """Open the round of a group; rounds that a session does not have stay empty."""
    rules = rules_of(group.session)
    number = number_of(group, rules)
    if len(rules.landowners) > MOST_LOTS or len(rules.round_numbers) > MOST_ROUNDS:
        raise ValueError("set SPATIAL_PLANNING_LOTS and SPATIAL_PLANNING_ROUNDS for these rules")
    if number is not None:
        keep(group, open_round(rules, draws_of(group.session), number))


def keep(group, round_):
    group.stage = round_.stage
    group.state = json.dumps(round_.to_json())


def present(group):
    return Round.from_json(json.loads(group.state))


def asked(group):
    return acting_seats(rules_of(group.session), present(group))


def seen(player, round_=None):
    """What a player sees now."""
    rules = rules_of(player.session)
    past = [past_from_json(json.loads(p.past)) for p in player.in_previous_rounds() if p.past]
    return view(rules, round_ or present(player.group), player.id_in_group, past)


def conclude(group, stage):
    """Everyone is behind a stage: let it take effect, where its last turn has not done so."""
    rules, round_ = rules_of(group.session), present(group)
    seed = int(group.session.config["seed"])
    if round_.stage == stage and stage in TURN_STAGES:
        round_ = _finish_turns(rules, round_, group, seed)
    elif round_.stage == stage:
        given = {p.id_in_group: json.loads(p.answered) for p in group.get_players()}
        actions = {seat: action for seat, action in given.items() if action}
        round_ = play(rules, round_, actions, seed)
    group.closes, group.pending = 0, "{}"
    for player in group.get_players():
        player.answered = "{}"
        if round_.stage == "results":
            player.past = json.dumps(asdict(past_round(round_, player.id_in_group)))
    keep(group, round_)
    if round_.stage == "results" and round_.number == rules.rounds:
        pay(group, rules)


def _finish_turns(rules, round_, group, seed):
    """Turns that are left when a time limit ends the stage: who has not acted does nothing."""
    if by_clock(group.session, round_):
        return close_market(rules, round_)
    stage, actions = round_.stage, _pending(group)
    while round_.stage == stage:
        round_, actions = play(rules, round_, actions, seed), {}
    return round_


def by_clock(session, round_):
    """Whether the stage ends by time; others go by turns."""
    return session.config["clock"] and round_.stage == "market"


def _pending(group):
    """Actions of the present turn, by seat."""
    return {int(seat): action for seat, action in json.loads(group.pending).items()}


def pay(group, rules):
    """Euro of the round that was drawn; the show-up fee is oTree's participation fee."""
    paid = draws_of(group.session).paid_round
    place = list(rules.round_numbers).index(paid) + 1
    for player in group.get_players():
        earned = past_from_json(json.loads(player.in_round(place).past))
        player.euro = rules.reward(player.id_in_group, earned.payoff)
        player.payoff = player.euro - rules.show_up_fee


# Forms


def field_names(player):
    """Names of the form fields of a stage: lots are one box each."""
    rules = rules_of(player.session)
    names = []
    for name in form(rules, present(player.group), player.id_in_group)["properties"]:
        if name in LOT_PREFIXES:
            names += [f"{LOT_PREFIXES[name]}_{lot}" for lot in rules.landowners]
        else:
            names.append(name)
    return names


def action_of(player, values=None):
    """The action that a player's fields, or the values of a form, mean."""
    rules = rules_of(player.session)

    def given(name):
        return values.get(name) if values is not None else player.field_maybe_none(name)

    action = {}
    for name in form(rules, present(player.group), player.id_in_group)["properties"]:
        if name in LOT_PREFIXES:
            prefix = LOT_PREFIXES[name]
            action[name] = [lot for lot in rules.landowners if given(f"{prefix}_{lot}")]
        else:
            action[name] = given(name)
    return action


def refused(player, values):
    rules, round_ = rules_of(player.session), present(player.group)
    return refusal(rules, round_, player.id_in_group, action_of(player, values))


def shown(player):
    """What the template of a stage shows."""
    session, rules, now = player.session, rules_of(player.session), seen(player)
    labels, stage = words(session)["fields"], player.group.stage
    fields = []
    # After the last turn the round is ahead of the page, which can be loaded again.
    over = now.stage != stage
    for name in [] if over or stage in TURN_STAGES else field_names(player):
        prefix, _, lot = name.rpartition("_")
        if prefix in LOT_PREFIXES.values():
            label = labels[prefix].format(lot=lot, name=rules.name(int(lot)))
        else:
            label = labels[name]
        fields.append({"name": name, "label": label})
    return {
        "heading": words(session)["titles"][stage],
        "page": as_html(page(words(session), rules, now)),
        "ask": "" if over else question(words(session), rules, now),
        "fields": fields,
        "chat_here": bool(session.config["chat"]) and now.stage != "talk",
        "nickname": rules.name(player.id_in_group),
        "role": rules.role(player.id_in_group),
    }


def for_clients(player, now=None):
    """The same page for clients that need no browser."""
    now = now or seen(player)
    rules = rules_of(player.session).to_json()
    return {"view": now.to_json() | {"rules": rules}, "refs": applied(player)}


def applied(player):
    """References of the last live messages of a participant that took effect."""
    return player.participant.vars.get("refs", [])


def instructions_shown(player):
    rules = rules_of(player.session)
    blocks = instructions(words(player.session), rules, player.id_in_group)
    return {"heading": words(player.session)["titles"]["instructions"], "page": as_html(blocks)}


def results_shown(player):
    rules, now = rules_of(player.session), seen(player)
    own = past_round(present(player.group), player.id_in_group)
    blocks = page(words(player.session), rules, replace(now, history=(*now.history, own)))
    return {"heading": words(player.session)["titles"]["results"], "page": as_html(blocks)}


def is_last(player):
    rules = rules_of(player.session)
    return player.group.stage == "results" and number_of(player.group, rules) == rules.rounds


def reward_shown(player):
    texts = words(player.session)
    paid = draws_of(player.session).paid_round
    said = texts["result"]["reward"].format(round=paid, euro=f"{player.euro:.2f}")
    return {"heading": texts["titles"]["reward"], "page": f"<p>{said}</p>"}


# Live turns


def live_state(player, round_=None, error=""):
    """What the live page of a player shows, for its script and for clients without a browser."""
    group, session, seat = player.group, player.session, player.id_in_group
    rules, round_ = rules_of(session), round_ or present(group)
    leave = round_.stage != group.stage
    waits = leave or seat in _pending(group)
    now = with_error(seen(player, round_), error)
    blocks, asks = page(words(session), rules, now), question(words(session), rules, now)
    schema = {} if leave else form(rules, round_, seat)
    return {
        "page": as_html(blocks),
        "ask": asks,
        "schema": schema,
        "labels": words(session)["fields"],
        "send": words(session)["result"]["send"],
        "closed": words(session)["result"]["closed"] if waits else "",
        "leave": leave,
        "wolves": {
            "text": f"{as_text(blocks)}\n\n{asks}",
            **for_clients(player, now),
            "schema": schema,
            "default": None if by_clock(session, round_) else idle(round_.stage),
            "open": not waits,
            "leave": leave,
            "error": error,
        },
    }


def live(player, data):
    """Take an action of a player: at once by the clock, or with those of all others in a turn."""
    group, seat = player.group, player.id_in_group
    rules, round_ = rules_of(player.session), present(group)
    if not isinstance(data, dict) or round_.stage != group.stage:
        return {seat: live_state(player, round_)}
    action = {name: value for name, value in data.items() if name != "ref"}
    ref, refs = data.get("ref"), applied(player)
    if (ref is not None and ref in refs) or seat in _pending(group) or not action:
        return {seat: live_state(player, round_)}
    why = refusal(rules, round_, seat, action)
    if why:
        return {seat: live_state(player, round_, why)}
    if ref is not None:
        player.participant.vars["refs"] = [*refs, ref][-8:]
    if by_clock(player.session, round_):
        limit = player.session.config["seconds_market"]
        seconds = limit - (group.closes - time.time()) if group.closes else 0.0
        round_ = order(rules, round_, seat, action, round(seconds, 3))
        keep(group, round_)
        return everyone(group, round_)
    actions = _pending(group) | {seat: action}
    if any(other not in actions for other in acting_seats(rules, round_)):
        group.pending = json.dumps(actions)
        return {seat: live_state(player, round_)}
    after = play(rules, round_, actions, int(group.session.config["seed"]))
    group.pending, group.state = "{}", json.dumps(after.to_json())
    return everyone(group, after)


def everyone(group, round_):
    return {p.id_in_group: live_state(p, round_) for p in group.get_players()}


# Exports


def exported(name, players):
    """Rows of one table over all sessions, or whole records."""
    if name == "sessions":
        yield ["session", "group", "agents", "record"]
    else:
        yield list(TABLES[name])
    groups = {}
    for player in players:
        groups.setdefault((player.session.code, player.group.id_in_subsession), set()).add(
            player.group
        )
    for (code, place), members in sorted(groups.items()):
        record = _record(sorted(members, key=lambda group: group.round_number))
        session = code if place == 1 else f"{code}-{place}"
        if record is not None and name == "sessions":
            yield [session, place, "{}", json.dumps(record.to_json())]
        elif record is not None:
            yield from table_rows(name, session, record)


def _record(groups):
    states = [present(group) for group in groups if group.state]
    if not states:
        return None
    session = groups[0].session
    rules, draws = rules_of(session), draws_of(session)
    euro = {}
    if states[-1].stage == "results" and states[-1].number == rules.rounds:
        paid = next(round_ for round_ in states if round_.number == draws.paid_round)
        euro = {seat: rules.reward(seat, a.payoff) for seat, a in paid.accounts.items()}
    return SessionRecord(rules, int(session.config["seed"]), draws.paid_round, tuple(states), euro)
