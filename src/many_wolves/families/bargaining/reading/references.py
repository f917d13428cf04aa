"""Published games that ship with the family, as observations; light to import."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from many_wolves.contracts import Observations, Reference
from many_wolves.families.bargaining.reading.columns import GAMES, TURNS, table
from many_wolves.files import shipped

FAMILY, HAGGLE = "bargaining", "haggle"
_FOLDER = "task-data/bargaining/reference"
# Names as in ``published``, which is imported when the data are read.
_PEOPLE, _GPT35 = "people", "gpt-3.5-turbo (2023)"


def references() -> Mapping[str, Reference]:
    """Games of people (2018), of gpt-3.5-turbo (2023) and of LLaMA models (2024)."""
    found = (
        _reference(
            "he2018-bargaining",
            "he2018",
            "he2018_bargaining",
            "dialogues",
            title="643 dialogues of two people each (He et al. 2018)",
            card={
                "source": "He, Chen, Balakrishnan & Liang (2018), Decoupling strategy and "
                "generation in negotiation dialogues, EMNLP",
                "answers": "643 dialogues, 5,841 messages",
                "holds": "kinds of moves and prices, no words",
            },
            speaker=_PEOPLE,
        ),
        _reference(
            "fu2023-balloon",
            "fu2023",
            "fu2023_balloon",
            "games",
            title="100 games of gpt-3.5-turbo with itself (Fu et al. 2023)",
            card={
                "source": "Fu, Peng, Khot & Lapata (2023), Improving language model negotiation "
                "with self-play and in-context learning from AI feedback, arXiv:2305.10142",
                "answers": "100 games, 398 messages up to the one that closes them",
                "holds": "kinds of moves and prices, read by hand, no words",
            },
            speaker=_GPT35,
        ),
        _reference(
            "chatterjee2024-haggle",
            "chatterjee2024",
            "chatterjee2024_haggle",
            "games",
            title="1,650 games of LLaMA models with each other (Chatterjee et al. 2024)",
            card={
                "source": "Chatterjee, Miller & Parepally (2024), AgreeMate: teaching LLMs to "
                "haggle, arXiv:2412.18690 (MIT licence)",
                "answers": "55 ordered pairs of models, 30 scenarios each, 17,451 messages",
                "holds": "kinds of moves and prices, read by rules, no words",
            },
            speaker="",
        ),
    )
    return {reference.name: reference for reference in found}


def _reference(
    name: str, reader: str, stem: str, games: str, title: str, card: Mapping[str, str], speaker: str
) -> Reference:
    """Games that ``published.READER`` reads from the tables of ``stem``."""
    return Reference(
        name=name,
        title=title,
        task=HAGGLE,
        load=lambda: _observations(reader, stem, games),
        card=card,
        speaker=speaker,
        files=lambda: _files(stem, games),
    )


def _files(stem: str, games: str) -> tuple[Path, Path]:
    folder = shipped(_FOLDER)
    return folder / f"{stem}_{games}.csv", folder / f"{stem}_turns.csv"


def _observations(reader: str, stem: str, games: str) -> Observations:
    """The tables ``turns`` and ``games`` of published games."""
    from many_wolves.families.bargaining.reading import published
    from many_wolves.families.bargaining.reading.rows import Played, Row, game_rows, turn_rows

    read: Callable[[Path, Path], Iterator[Played]] = getattr(published, reader)
    turns: list[Row] = []
    played: list[Row] = []
    for game in read(*_files(stem, games)):
        turns += turn_rows(game)
        played += game_rows(game)
    return Observations(
        FAMILY,
        {"turns": table(turns, TURNS), "games": table(played, GAMES)},
        main="turns",
        meta={"task": HAGGLE},
    )
