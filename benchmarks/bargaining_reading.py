"""Our reader of bargaining on published messages, held against the published readings.

The messages do not ship: their authors publish them. Give the notebook
``notebooks/gpt_bargain_dev.ipynb`` of FranxYao/GPT-Bargaining (Fu et al. 2023), and the folder
``results`` of GeneralCoder365/agreemate (Chatterjee et al. 2024):

    uv run python benchmarks/bargaining_reading.py --fu NOTEBOOK --chatterjee FOLDER
"""

from __future__ import annotations

import argparse
import csv
import json
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd

from many_wolves.families.bargaining.moves import Role, Terms, other, same
from many_wolves.families.bargaining.reading.amounts import Range
from many_wolves.families.bargaining.reading.message import Message, read_message
from many_wolves.families.bargaining.reading.prices import Situation
from many_wolves.families.bargaining.task.rules import State, after, begin
from many_wolves.files import shipped

_LINE = re.compile(r"^\s*(buyer|seller): (.*)$", re.I)
_ENDS = re.compile(r"^(----|====|MODERATE|FINAL)")


def reference(name: str) -> pd.DataFrame:
    """A table of published games that ships."""
    return pd.read_csv(shipped("task-data/bargaining/reference") / f"{name}.csv")


def read_one(role: Role, text: str, state: State, terms: Terms, heard: str) -> Message:
    """Our reading of a message, given where the game stands."""
    low, high = min(terms.bid, terms.cost or terms.bid), terms.ask
    first = terms.seller_first if role == "seller" else terms.buyer_first
    where = Situation(
        role, state.standing(role), state.standing(other(role)), Range(low, high),
        asked=heard == "offer", first=first,
    )  # fmt: skip
    return read_message(text, where)


def in_words(message: Message) -> str:
    """A reading in short: a price, or the kind of move, or why there is none."""
    move = message.move
    if move is None:
        return message.status
    return f"{move.price:g}" if move.price is not None else str(move.kind)


def _full(message: Message) -> str:
    flags = message.move.flags if message.move is not None else ()
    return " ".join([in_words(message), *flags])


def messages(text: str) -> list[tuple[Role, str]]:
    """Role and words of each message of a transcript; lines without a role belong to the last."""
    found: list[list[str]] = []
    for line in text.splitlines():
        match = _LINE.match(line)
        if match:
            found.append([match[1].lower(), match[2]])
        elif _ENDS.match(line.strip()):
            break
        elif found and line.strip():
            found[-1][1] += f"\n{line.strip()}"
    return [("seller" if role == "seller" else "buyer", words) for role, words in found]


# --- Fu et al. 2023 ----------------------------------------------------------------------------


def fu_transcripts(notebook: Path) -> list[str]:
    """The printed games of the notebook, in the order of the table."""
    cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    texts = ["".join("".join(o.get("text", [])) for o in c.get("outputs", [])) for c in cells]
    text = max(texts, key=lambda t: t.count("==== ROUND"))
    return [game.partition("\n")[2] for game in text.split("==== ROUND ")[1:]]


def compare_fu(notebook: Path) -> None:
    """Every message that was read by hand, and the price of every game."""
    turns, games = reference("fu2023_balloon_turns"), reference("fu2023_balloon_games")
    terms = Terms(ask=20, bid=10, cost=8, step=0.5, rounds=10, seller_first=20, buyer_first=10)
    counts: Counter[str] = Counter()
    for number, text in enumerate(fu_transcripts(notebook)):
        lines = messages(text.replace("---- start bargaining ----\n", ""))
        rows = turns[turns["game"] == number].to_dict("records")
        assert [r["role"] for r in rows] == [role for role, _ in lines], number
        state, own, heard = begin(terms), begin(terms), "offer"
        for row, (role, words) in zip(rows, lines, strict=True):
            if row["act"] in ("scripted", "after"):
                continue
            message = read_one(role, words, state, terms, heard)
            want = _by_hand(row, state, role)
            got = in_words(message)
            counts["messages"] += 1
            counts["messages read alike"] += got == want
            if got != want:
                print(
                    f"  game {number}, {role}, by hand {want}, by us {_full(message)}, "
                    f"{state.seller} against {state.buyer}: {words}"
                )
            ours = read_one(role, words, own, terms, heard).move
            heard = "" if ours is None else str(ours.kind)
            own = own if own.ended or ours is None else after(terms, own, ours)
            state = _told(state, role, row)
        published = games.loc[games["game"] == number, "published_price"].iloc[0]
        price = float("nan") if own.price is None else own.price
        alike = price == published or (pd.isna(price) and pd.isna(published))
        counts["games"] += 1
        counts["games with the published price, or both without one"] += alike
        if not alike:
            flags = games[games["game"] == number].to_dict("records")[0]
            print(f"  game {number}: published {published}, ours {price} ({own.ended}); {flags}")
    _tell("Fu et al. 2023, gpt-3.5-turbo", counts)


def _by_hand(row: dict[str, Any], state: State, role: Role) -> str:
    if row["act"] == "accept":
        return "accept"
    if row["act"] == "offer":
        return "accept" if same(row["price"], state.standing(other(role))) else f"{row['price']:g}"
    return "talk"


def _told(state: State, role: Role, row: dict[str, Any]) -> State:
    """The state after a message as the table reads it; a game that it goes on with stays open."""
    return state if row["act"] != "offer" else standing_at(state, role, float(row["price"]))


def standing_at(state: State, role: Role, price: float) -> State:
    """The state with this price on the table, also where published games play on after a deal."""
    moved = replace(state, messages=state.messages + 1)
    return replace(moved, seller=price) if role == "seller" else replace(moved, buyer=price)


# --- Chatterjee et al. 2024 ------------------------------------------------------------------


def chatterjee_files(folder: Path) -> Iterator[tuple[str, str, list[dict[str, str]]]]:
    """Buyer, seller and games of every pair; the corrected file where there are two."""
    csv.field_size_limit(10**8)
    for path in sorted(folder.glob("*-buyer*+*-seller*.csv")):
        if path.with_name(f"{path.stem}_updated.csv").exists():
            continue
        buyer, seller = path.stem.removesuffix("_updated").split("+")
        with path.open(encoding="utf-8", newline="") as lines:
            yield (
                buyer.replace("-buyer", ""),
                seller.replace("-seller", ""),
                list(csv.DictReader(lines)),
            )


def compare_chatterjee(folder: Path, examples: int) -> None:
    """Prices of messages, and of games."""
    table = reference("chatterjee2024_haggle_games").set_index(["buyer", "seller", "scenario"])
    turns = dict(iter(reference("chatterjee2024_haggle_turns").groupby("game")))
    counts: Counter[str] = Counter()
    shown: Counter[str] = Counter({"examples": examples})
    for buyer, seller, rows in chatterjee_files(folder):
        for scenario, row in enumerate(rows, start=1):
            if (buyer, seller, scenario) not in table.index:
                counts["games that the table lacks"] += 1
                continue
            game = table.loc[(buyer, seller, scenario)]
            _compare_game(row, game, turns[game["game"]], counts, shown)
    _tell("Chatterjee et al. 2024, LLaMA models", counts)


def _compare_game(row, game, said, counts: Counter[str], shown: Counter[str]) -> None:  # type: ignore[no-untyped-def]
    terms = Terms(
        ask=float(game["list_price"]), bid=float(game["buyer_target"]), step=0.01, rounds=8,
        seller_first=float(game["list_price"]), first="buyer",
    )  # fmt: skip
    lines = messages(row["transcript"])
    rows = said.to_dict("records")
    counts["games"] += 1
    if len(lines) != len(rows):
        counts["games whose lines differ in number"] += 1
        return
    state, own, heard = begin(terms), begin(terms), ""
    for record, (role, words) in zip(rows, lines, strict=True):
        price = record["price_published"]
        if not own.ended:
            ours = read_one(role, words, own, terms, heard).move
            heard = "" if ours is None else str(ours.kind)
            own = own if ours is None else after(terms, own, ours)
        message = read_one(role, words, state, terms, heard)
        got = message.move.price if message.move is not None else None
        if message.move is not None and message.move.kind == "accept":
            got = state.standing(other(role))
        earlier = None if pd.isna(record["price"]) else float(record["price"])
        theirs = None if pd.isna(price) or price < 0 else float(price)
        counts["messages"] += 1
        counts["messages that cannot be read"] += message.move is None
        if got is not None and theirs is not None:
            counts["messages with a price in both"] += 1
            alike = same(got, theirs)
            counts["of these alike"] += alike
            if not alike:
                _why(words, got, theirs, state, role, counts, shown)
        elif theirs is not None:
            counts["price in theirs alone"] += 1
            kind = "unread" if message.move is None else str(message.move.kind)
            flags = "" if message.move is None else " ".join(message.move.flags)
            counts[f"  theirs alone, ours {kind} {flags}".rstrip()] += 1
            _show(f"theirs alone {kind} {flags}", words, got, theirs, shown)
        elif got is not None:
            counts["price in ours alone"] += 1
            counts["  ours alone, and so in the shipped table"] += same(got, earlier)
            kind = str(message.move.kind) if message.move else ""
            counts[f"  ours alone, {kind}"] += 1
            _show(f"ours alone {kind}", words, got, theirs, shown)
        counts["as the table reads it"] += same(got, earlier) or got is earlier is None
        if earlier is not None and record["act"] != "accept":
            state = standing_at(state, role, earlier)
    _compare_end(game, own, lines, counts, shown)


def _compare_end(game, own: State, lines, counts, shown) -> None:  # type: ignore[no-untyped-def]
    final = None if pd.isna(game["final_price"]) else float(game["final_price"])
    if final is not None:
        counts["games with a published deal"] += 1
        counts["  the same price by us"] += own.ended == "deal" and same(own.price, final)
        if not (own.ended == "deal" and same(own.price, final)):
            why = f"by us {own.ended or 'open'}, another price or none"
            counts[f"  {why}"] += 1
            end = " | ".join(f"{role}: {words}" for role, words in lines[-3:])
            _show(f"game {why}", end, own.price, final, shown)
    else:
        counts["games without a published deal"] += 1
        counts[f"  by us {own.ended or 'open'}"] += 1


def _why(words, got, theirs, state, role, counts: Counter[str], shown: Counter[str]) -> None:  # type: ignore[no-untyped-def]
    """The first account that fits a difference between two prices."""
    numbers = [float(n.replace(",", "")) for n in re.findall(r"\d[\d,]*(?:\.\d+)?", words)
               if n.strip(",")]  # fmt: skip
    if theirs not in numbers:
        why = "theirs stands nowhere in the message"
    elif same(theirs, state.standing(other(role))):
        why = "theirs is the other side's price, which it repeats"
    elif same(theirs, state.standing(role)):
        why = "theirs is its own former price, which it repeats"
    elif numbers and theirs == numbers[0] and len(set(numbers)) > 1:
        why = "theirs is the first of several numbers"
    else:
        why = "other"
    counts[f"  differs: {why}"] += 1
    _show(why, words, got, theirs, shown)


def _show(why: str, words: str, got: object, theirs: object, shown: Counter[str]) -> None:
    shown[why] += 1
    if shown[why] <= shown["examples"]:
        print(f"  [{why}] ours {got}, theirs {theirs}: {' '.join(words.split())[:240]}")


def _tell(title: str, counts: Counter[str]) -> None:
    print(title)
    for name, n in counts.items():
        print(f"  {name}: {n:,}")


def main() -> None:
    """Compare what was given."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--fu", type=Path)
    parser.add_argument("--chatterjee", type=Path)
    parser.add_argument("--examples", type=int, default=0, help="Messages to show of each kind.")
    given = parser.parse_args()
    if given.fu:
        compare_fu(given.fu)
    if given.chatterjee:
        compare_chatterjee(given.chatterjee, given.examples)


if __name__ == "__main__":
    main()
