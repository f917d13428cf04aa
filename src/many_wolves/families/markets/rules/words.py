"""What a seat reads: instructions and pages, as paragraphs and tables."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

from .parameters import CONDITIONS, PROJECT, Rules
from .view import MarketView, PastRound, View

Wording = Mapping[str, Any]
"""The contents of ``wording.*.yaml``."""


@dataclass(frozen=True, slots=True)
class Paragraph:
    """A paragraph."""

    text: str


@dataclass(frozen=True, slots=True)
class Table:
    """A table with a header line."""

    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


Block = Paragraph | Table


def as_text(blocks: Sequence[Block]) -> str:
    """Blocks as plain text: paragraphs apart, tables with bars."""
    return "\n\n".join(_block_text(block) for block in blocks)


def as_html(blocks: Sequence[Block]) -> str:
    """Blocks as HTML, escaped."""
    return "\n".join(_block_html(block) for block in blocks)


def instructions(wording: Wording, rules: Rules, seat: int) -> list[Block]:
    """What a seat reads before the session: the rules, with their numbers."""
    words = wording["instructions"]
    role = rules.role(seat)
    voting = rules.mechanism == "voting"
    names = ["all", *(["voting"] if voting else _market_rules(rules))]
    if rules.talk:
        names.append("talk")
    landowner = "payoff_voting" if voting else "payoff_owner"
    names += [landowner if role != "speculator" else "payoff_speculator", "money"]
    facts = _facts(wording, rules, seat)
    return [Paragraph(words[name].strip().format_map(facts)) for name in names]


def page(wording: Wording, rules: Rules, view: View) -> list[Block]:
    """What a seat reads at a stage, without the form."""
    return list(_page(wording, rules, view))


def question(wording: Wording, rules: Rules, view: View) -> str:
    """The question of a stage."""
    both = view.stage == "first_purchases" and view.condition is None
    asked: str = wording["ask"].get(f"{view.stage}_both" if both else view.stage, "")
    return asked


def points(number: float) -> str:
    """Points with commas; decimals only where there are some."""
    return f"{number:,.0f}" if float(number).is_integer() else f"{number:,.2f}"


def percent(rate: float) -> str:
    """A rate in percent."""
    return f"{100 * rate:g} %"


def _market_rules(rules: Rules) -> list[str]:
    names = ["taxes", rules.mechanism]
    if len(rules.speculators):
        names.append("purchases")
    names.append("shares")
    if rules.ticks:
        names += ["signals", "market", "market_turns"]
    return names


def _facts(wording: Wording, rules: Rules, seat: int) -> dict[str, str]:
    """All that the instructions fill in."""
    words = wording["instructions"]
    role = rules.role(seat)
    terms = rules.terms(role)
    fee = "fee" if rules.trade_fee > 0 else "subsidy"
    rounds = wording["rounds"]["practice" if rules.practice else "plain"]
    payer = "compensation_developer" if role == "developer" else "compensation_owner"
    count = len(rules.speculators)
    facts = {
        "players": str(len(rules.seats)),
        "owners": str(rules.owner.count),
        "a_developer": f"a {wording['roles']['developer']}",
        "speculators": f"{count} {wording['roles']['speculator']}s",
        "name": rules.name(seat),
        "role": wording["roles"][role],
        "rounds": str(rules.rounds),
        "rounds_played": rounds.format(rounds=rules.rounds),
        "base_points": points(terms.base_points),
        "points_per_euro": points(terms.points_per_euro),
        "show_up_fee": f"{rules.show_up_fee:g}",
        "first_tax": percent(rules.first_tax),
        "final_tax": percent(rules.final_tax),
        "buyer_share": percent(rules.buyer_share),
        "median_of": str(rules.median_of),
        "total_shares": str(rules.total_shares),
        "ticks": str(rules.ticks),
        "signal_low": f"{rules.signal_low:g}",
        "signal_high": f"{rules.signal_high:g}",
        "fee": words[fee].format(trade_fee=points(abs(rules.trade_fee))) if rules.trade_fee else "",
        "talk_when": words["talk_voting" if rules.mechanism == "voting" else "talk_before"],
        "compensation": words[payer],
    }
    for name in ("owner", "developer", "speculator"):
        facts[f"{name}_cash"] = points(rules.terms(name).cash)
        facts[f"{name}_shares"] = str(rules.terms(name).shares)
    return facts


def _page(wording: Wording, rules: Rules, view: View) -> Iterator[Block]:
    words = wording["page"]
    conditions = wording["conditions"]
    role = wording["roles"][rules.role(view.seat)]
    where = words["practice"] if view.round == 0 else words["round"]
    yield Paragraph(
        where.format(round=view.round, rounds=rules.rounds)
        + ". "
        + words["seat"].format(name=rules.name(view.seat), role=role)
    )
    if view.values is not None:
        without, with_project = (points(v) for v in view.values)
        yield Paragraph(words["values"].format(no_project=without, project=with_project))
    yield Paragraph(words["bands"])
    yield _bands(wording, rules)
    if view.condition is not None:
        yield Paragraph(words["chosen"].format(condition=conditions[view.condition]))
    yield from _declarations(wording, rules, view)
    if view.first_gain is not None:
        yield Paragraph(words["first_gain"].format(points=points(view.first_gain)))
    if view.stage == "market":
        yield from _markets(wording, rules, view)
    if view.requests:
        yield Paragraph(words["requests"])
        table = wording["table"]
        yield Table(
            (table["player"], table["request"]),
            tuple((rules.name(s), points(r)) for s, r in sorted(view.requests.items())),
        )
    if view.offer is not None:
        yield Paragraph(words["offer"].format(points=points(view.offer)))
    yield from _messages(wording, rules, view)
    if view.history:
        yield Paragraph(words["history"])
        yield _history(wording, rules, view.history)
    if view.stage == "results":
        yield Paragraph(words["results"])
    if view.error:
        yield Paragraph(words["error"].format(why=view.error))


def _bands(wording: Wording, rules: Rules) -> Table:
    words, table = wording["conditions"], wording["table"]
    rows = tuple(
        (wording["roles"][role], words[c], points(band.low), points(band.high))
        for role in ("owner", "developer")
        for c, band in enumerate(rules.terms(role).bands)
    )
    return Table((table["role"], table["condition"], table["lowest"], table["highest"]), rows)


def _declarations(wording: Wording, rules: Rules, view: View) -> Iterator[Block]:
    """Published declarations; buyers see where in its range each one is."""
    words = wording["page"]
    if view.first:
        shown = CONDITIONS if view.condition is None else (view.condition,)
        yield Paragraph(words["declared"])
        yield _lots(wording, rules, view, {lot: view.first[lot] for lot in view.first}, shown)
    if view.final and view.condition is not None:
        yield Paragraph(words["final_declared"])
        final = {lot: (value, value) for lot, value in view.final.items()}
        yield _lots(wording, rules, view, final, (view.condition,))


def _lots(
    wording: Wording,
    rules: Rules,
    view: View,
    declared: Mapping[int, tuple[float, float]],
    shown: Sequence[int],
) -> Table:
    table = wording["table"]
    buyer = rules.role(view.seat) == "speculator"
    header = [table["lot"], table["of"]]
    for condition in shown:
        header.append(wording["conditions"][condition])
        if buyer:
            header.append(table["percentile"])
    rows = []
    for lot, pair in sorted(declared.items()):
        row = [str(lot), rules.name(lot)]
        for condition in shown:
            row.append(points(pair[condition]))
            if buyer:
                place = rules.band(lot, condition).percentile(pair[condition])
                row.append(f"{100 * place:.0f} %")
        rows.append(tuple(row))
    return Table(tuple(header), tuple(rows))


def _markets(wording: Wording, rules: Rules, view: View) -> Iterator[Block]:
    words, table = wording["page"], wording["table"]
    two = len(view.markets) > 1
    if view.public_signal is not None and view.private_signal is not None:
        yield Paragraph(words["signals"])
        yield Table(
            (table["condition"], table["public"], table["private"]),
            tuple(
                (wording["conditions"][c], points(public), points(private))
                for c in CONDITIONS
                if (public := view.public_signal[c]) is not None
                and (private := view.private_signal[c]) is not None
            ),
        )
    if rules.ticks:
        yield Paragraph(words["turn"].format(tick=view.tick, ticks=rules.ticks))
    for condition, market in sorted(view.markets.items()):
        name = wording["conditions"][condition]
        yield from _one_market(wording, rules, market, name if two else "")
    if two:
        medians = [view.markets[c].median or 0.0 for c in CONDITIONS]
        leads = 0 if medians[0] > 0 and medians[0] >= medians[1] else PROJECT
        if any(medians):
            yield Paragraph(words["leading"].format(condition=wording["conditions"][leads]))
    if view.last_orders:
        yield Paragraph(words["last_orders"])
        yield Table(
            (table["action"], table["price"], table["outcome"]),
            tuple(
                (
                    action,
                    "" if price is None else points(price),
                    f"{status}: {why}" if why else status,
                )
                for action, price, status, why in view.last_orders
            ),
        )


def _one_market(wording: Wording, rules: Rules, market: MarketView, name: str) -> Iterator[Block]:
    words, table = wording["page"], wording["table"]
    suffix = "_in" if name else ""
    yield Paragraph(
        words[f"wallet{suffix}"].format(
            condition=name, cash=points(market.cash), shares=market.shares
        )
    )
    if market.offers:
        yield Paragraph(words[f"book{suffix}"].format(condition=name))
        offers = sorted(market.offers, key=lambda offer: (offer[1], offer[2]), reverse=True)
        yield Table(
            (table["number"], table["side"], table["price"]),
            tuple((f"{n}{'*' if own else ''}", side, points(p)) for n, side, p, own in offers),
        )
    else:
        yield Paragraph(words["no_offers"])
    if market.median is None:
        yield Paragraph(words["no_trades"])
    else:
        yield Paragraph(
            words["trades"].format(
                prices=", ".join(points(price) for price in market.prices[-rules.median_of :]),
                median_of=rules.median_of,
                median=points(market.median),
            )
        )


def _messages(wording: Wording, rules: Rules, view: View) -> Iterator[Block]:
    if not rules.talk:
        return
    words, table = wording["page"], wording["table"]
    if "talk" in view.stage:
        others = (s for s in rules.seats if s != view.seat)
        yield Table(
            (table["number"], table["player"]), tuple((str(s), rules.name(s)) for s in others)
        )
    if not view.messages:
        yield Paragraph(words["no_messages"])
        return
    yield Paragraph(words["messages"])
    lines = []
    for sender, to, text in view.messages:
        everyone = len(to) == len(rules.seats) - 1
        readers = "" if everyone else " (" + ", ".join(rules.name(s) for s in to) + ")"
        lines.append((rules.name(sender) + readers, text))
    yield Table((table["from"], table["text"]), tuple(lines))


def _history(wording: Wording, rules: Rules, history: Sequence[PastRound]) -> Table:
    """Own earlier rounds; only the columns that the mechanism has."""
    table, voting = wording["table"], rules.mechanism == "voting"
    header = [table["round"], table["condition"], table["value"]]
    header += (
        [table["compensation"]]
        if voting
        else [table[w] for w in ("taxes", "purchases", "cash", "shares", "share_pays")]
    )
    rows = []
    for past in history:
        account = past.account
        row = [str(past.number), wording["conditions"][past.condition], points(account.value)]
        if voting:
            row.append(points(account.compensation))
        else:
            row += [
                points(account.first_tax + account.final_tax),
                points(account.first_purchases + account.final_purchases),
                points(account.cash),
                str(account.shares),
                points(past.share_price),
            ]
        rows.append((*row, points(past.payoff)))
    return Table((*header, table["points"]), tuple(rows))


def _block_text(block: Block) -> str:
    if isinstance(block, Paragraph):
        return block.text
    return "\n".join(" | ".join(row) for row in (block.header, *block.rows))


def _block_html(block: Block) -> str:
    if isinstance(block, Paragraph):
        return f"<p>{escape(block.text)}</p>"
    head = "".join(f"<th>{escape(cell)}</th>" for cell in block.header)
    body = "".join(
        "<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in block.rows
    )
    return (
        f'<table class="table table-sm"><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>'
    )
