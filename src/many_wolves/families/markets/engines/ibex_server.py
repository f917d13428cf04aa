"""The engine ``ibex``: sessions of our experiment on the lab's own server."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from many_wolves.errors import WolvesError
from many_wolves.families.markets.engines.ibex import IbexGame, IbexOptions
from many_wolves.families.markets.engines.options import read_number
from many_wolves.families.markets.reading.lab import record_from_lab
from many_wolves.families.markets.reading.records import record_path, write_record
from many_wolves.families.markets.task.cells import Played, seat_name
from many_wolves.families.markets.task.compiler import FAMILY, PLANNING
from many_wolves.families.markets.task.unread import why_unread_form
from many_wolves.files import write_atomic
from many_wolves.records import Form, Response, Trial
from many_wolves.worlds.desk import Desk, Question
from many_wolves.worlds.ibex.client import Address, GameGoneError, IbexClient
from many_wolves.worlds.ibex.protocol import without_codes
from many_wolves.worlds.protocol import Episode
from many_wolves.worlds.server_world import BrokenError, LostError
from many_wolves.worlds.session_log import SessionLog


@dataclass
class IbexSessions:
    """Sessions on a server of the lab's kind that runs.

    Parameters
    ----------
    folder
        Where records and the lab's own data go.
    address
        The server.
    usual
        Settings of the games, except for the draws.
    """

    folder: Path
    address: Address
    usual: IbexOptions
    _client: IbexClient | None = None

    @classmethod
    def of(cls, options: Mapping[str, str], folder: Path) -> Self:
        """From options in text; the login comes from the environment.

        Raises
        ------
        WolvesError
            If an option is invalid, or the login is missing.
        """
        if "server" not in options:
            raise WolvesError(
                "the address of the lab's server is missing",
                fix="--server http://HOST:PORT, with IBEX_USERNAME and IBEX_PASSWORD set",
            )
        usual = IbexOptions()
        named = IbexOptions(
            turn_s=read_number(options, "turn_s", usual.turn_s),
            pause_s=read_number(options, "pause_s", usual.pause_s),
            title=_title(options.get("title", usual.title)),
        )
        return cls(folder, Address.from_environment(options["server"]), named)

    async def open(self) -> None:
        """Connect."""
        self._client = IbexClient(self.address)
        await self._client.__aenter__()

    async def close(self) -> None:
        """Disconnect; the server keeps its games."""
        if self._client is not None:
            await self._client.__aexit__(None, None, None)

    async def play(self, episode: Episode, desk: Desk, journal: SessionLog) -> None:
        """Make the game, or find it again; play it to its end; keep its data."""
        if self._client is None:
            raise RuntimeError("open the server before use")
        played, script = Played.of(episode.opening.cell), episode.opening.script
        if not played.lab_session:
            raise WolvesError(
                "the lab's server plays the lab's own draws only",
                fix="wolves compile --task planning --draws lab",
            )
        rules = played.rules
        personas = {
            number: script["personas"][seat]["text"]
            for number in rules.seats
            if (seat := seat_name(rules, number)) in script["personas"]
        }
        options = IbexOptions(
            played.lab_session, self.usual.turn_s, self.usual.pause_s, self.usual.title
        )
        game = IbexGame(
            self._client, desk, journal, rules, script["wording"], options, played.seed, personas
        )
        try:
            data = await game.run()
        except GameGoneError as gone:
            raise LostError(str(gone)) from gone
        path = record_path(self.folder, episode.id, episode.replicate)
        raw = path.with_name(path.name.replace(".record.", ".lab."))
        write_atomic(raw, json.dumps(without_codes(data)))
        try:
            record = record_from_lab(data, played.seed)
        except WolvesError as error:
            raise BrokenError(
                f"the server's data of the game cannot be read: {error.problem}; they are in {raw}"
            ) from error
        write_record(path, record)

    def trial(self, episode: Episode, question: Question, turn: int) -> Trial:
        """A question of a phase as a trial, like those of the engine ``local``."""
        opening, seat = episode.opening, tuple(episode.seats)[question.seat - 1]
        view = {name: value for name, value in question.view.items() if name != "rules"}
        return Trial(
            FAMILY,
            PLANNING,
            {
                **opening.cell,
                "engine": "ibex",
                "round": view["round"],
                "stage": view["stage"],
                "tick": view["tick"],
                "role": seat.rpartition("-")[0],
                "persona": opening.script["personas"].get(seat, {"name": ""})["name"],
            },
            Form(question.schema),
            messages=question.messages,
            script={"view": view} if episode.seats[seat].provider == "simulated" else {},
            episode=episode.id,
            turn=turn,
            seat=seat,
        )

    def unread(self, question: Question, response: Response) -> str:
        """Why a text holds no filled-in form."""
        return why_unread_form(response)


def _title(words: str) -> str:
    """A title that the server can store: it writes game data between unescaped quotes."""
    if set(words) & set("'\"\\;"):
        raise WolvesError(
            f"title: expected words without quotes, found {words!r}",
            fix="--engine_option title=planning",
        )
    return words
