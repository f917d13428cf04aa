"""Who pays whom: purchases of lots, the chosen condition, the accounts of a round."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from .draws import share_worth
from .parameters import CONDITIONS, NO_PROJECT, PROJECT, Pair, Rules
from .round import Account, Round


def purchase_gains(
    rules: Rules,
    values: Mapping[int, float],
    declared: Mapping[int, float],
    buyers: Mapping[int, Sequence[int]],
    each: bool = True,
) -> dict[int, float]:
    """What purchases bring to seats: the buyers of a lot divide a share of its gap.

    Parameters
    ----------
    rules
        ``buyer_share`` is the share of value less declaration that buyers divide.
    values, declared
        By lot, under the chosen condition.
    buyers
        By lot, its buyers. A buyer that listed it several times is repeated if the rules count
        repeated purchases.
    each
        Whether a repeated buyer is paid several times.

    Returns
    -------
    dict
        Seat -> points; a lot's owner pays what its buyers get. Both signs occur.
    """
    gains: dict[int, float] = {}
    for lot, seats in buyers.items():
        if not seats:
            continue
        part = rules.buyer_share * (values[lot] - declared[lot]) / len(seats)
        paid = list(seats) if each else list(dict.fromkeys(seats))
        for seat in paid:
            gains[seat] = gains.get(seat, 0.0) + part
        gains[lot] = gains.get(lot, 0.0) - part * len(paid)
    return gains


def buyers_by_lot(rules: Rules, bought: Mapping[int, Iterable[int]]) -> dict[int, list[int]]:
    """Buyers of each lot from the lots of each buyer."""
    buyers: dict[int, list[int]] = {lot: [] for lot in rules.landowners}
    for seat in sorted(bought):
        lots = list(bought[seat])
        for lot in lots if rules.repeated_purchases else dict.fromkeys(lots):
            buyers[lot].append(seat)
    return buyers


def condition_by_sums(declared: Mapping[int, Pair]) -> int:
    """The condition with the higher sum of declarations; a tie goes to the project."""
    without, with_project = (sum(pair[c] for pair in declared.values()) for c in CONDITIONS)
    return PROJECT if with_project >= without else NO_PROJECT


def condition_by_prices(without: float | None, with_project: float | None) -> int:
    """The condition whose median price is higher.

    As the lab's server has it: no trade at all, or only trades at price 0, gives the project;
    equal medians above 0 give none.
    """
    if without is not None and without > 0 and without >= (with_project or 0.0):
        return NO_PROJECT
    return PROJECT


def condition_by_votes(votes: Mapping[int, int | None]) -> int:
    """The project where at least as many vote for it as against it; abstentions do not count."""
    given = list(votes.values())
    return PROJECT if given.count(PROJECT) >= given.count(NO_PROJECT) else NO_PROJECT


def first_gains(rules: Rules, round_: Round, condition: int) -> dict[int, float]:
    """What the first purchases bring, once the condition is known."""
    bought = {seat: lots[condition] for seat, lots in round_.first_buys.items()}
    return purchase_gains(
        rules,
        {lot: pair[condition] for lot, pair in round_.values.items()},
        {lot: pair[condition] for lot, pair in round_.first.items()},
        buyers_by_lot(rules, bought),
        each=rules.mechanism != "futarchy",
    )


def close_accounts(rules: Rules, round_: Round) -> Round:
    """The round with every seat's account."""
    condition = PROJECT if round_.condition is None else round_.condition
    if rules.mechanism == "voting":
        paid = round_.offer if condition == PROJECT else 0.0
        accounts = {
            seat: Account(
                value=round_.values[seat][condition],
                compensation=-paid * rules.owner.count if rules.role(seat) == "developer" else paid,
            )
            for seat in rules.seats
        }
        return replace(round_, condition=condition, accounts=accounts)
    final = purchase_gains(
        rules,
        {lot: pair[condition] for lot, pair in round_.values.items()},
        round_.final,
        buyers_by_lot(rules, round_.final_buys),
    )
    first = round_.gains[0] if round_.gains else first_gains(rules, round_, condition)
    price = share_worth(rules, round_.final.values())
    wallets = round_.markets[condition].wallets
    accounts = {}
    for seat in rules.seats:
        land = seat in rules.landowners
        accounts[seat] = Account(
            value=round_.values[seat][condition] if land else 0.0,
            first_tax=rules.first_tax * round_.first[seat][condition] if land else 0.0,
            final_tax=rules.final_tax * round_.final[seat] if land else 0.0,
            first_purchases=first.get(seat, 0.0),
            final_purchases=final.get(seat, 0.0),
            cash=wallets[seat].cash,
            shares=wallets[seat].shares,
            shares_pay=price * wallets[seat].shares,
        )
    return replace(round_, gains=(first, final), share_price=price, accounts=accounts)
