"""Tables of games and models of them, for tests."""

import pandas as pd

from many_wolves import families
from many_wolves.files import shipped
from many_wolves.observations import Observations

REFERENCE = shipped("task-data/dilemmas/reference")


def rounds_table(games, **columns):
    """Games as (participant, own, other) -> a table of rounds; by default in one group."""
    rows = [
        {"speaker": "s", "group": "g", "participant": who, "partner": "p", "game": number,
         "round": t + 1, "own": own[t], "other": other[t]}
        for number, (who, own, other) in enumerate(games)
        for t in range(len(own))
    ]  # fmt: skip
    frame = pd.DataFrame(rows).assign(**columns)
    return Observations.from_rows("dilemmas", frame.assign(count=1), meta={"task": "dilemma"})


def model(name):
    return families.get("dilemmas").models()[name]


def served(user, principal=0):
    rows = [
        {"speaker": "s", "principal": p, "shared_with_user": u, "shared_with_principal": q,
         "served": who, "count": n}
        for p in ("a shop", "a bank", "a club")
        for u in ("yes", "no")
        for q in ("yes", "no")
        for who, n in (("user", user), ("principal", principal))
    ]  # fmt: skip
    return Observations.from_rows("dilemmas", pd.DataFrame(rows), meta={"task": "principal"})
