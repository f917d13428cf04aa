"""Playing sessions of a real oTree server in tests, without any of the collection around it."""

import asyncio
import csv
import io
import json
import shutil
from pathlib import Path

import numpy as np

from many_wolves.families.markets.rules.session import SessionRecord
from many_wolves.families.markets.rules.view import View
from many_wolves.families.markets.simulation.play import luck
from many_wolves.families.markets.task.experiment import write_experiment
from many_wolves.worlds.desk import Answer
from many_wolves.worlds.otree.client import OTreeClient
from many_wolves.worlds.otree.seat import Seat
from many_wolves.worlds.otree.visits import Limits
from many_wolves.worlds.random_forms import random_form
from many_wolves.worlds.session_log import SessionLog

HERE = Path(__file__).parent


def compose_project(folder):
    """One project with our experiment and the apps of the tests: one server serves all."""
    write_experiment(folder)
    for app in ("forms", "bazaar", "arrival"):
        shutil.copytree(HERE / "otree_project" / app, folder / app, dirs_exist_ok=True)
    ours = (folder / "settings.py").read_text()
    theirs = (HERE / "otree_project" / "settings.py").read_text()
    theirs = theirs.split("SESSION_CONFIG_DEFAULTS")[0].replace(
        "SESSION_CONFIGS = [", "SESSION_CONFIGS += ["
    )
    rooms = 'ROOMS += [{"name": "lab", "display_name": "The lab"}]\n'
    (folder / "settings.py").write_text(f"{ours}\n{theirs}\n{rooms}")
    return folder


class TestDesk:
    """Answers questions at once, by a function, and remembers all of them."""

    __test__ = False

    def __init__(self, answer):
        self.answer = answer
        self.questions = []
        self.receipts = []
        self.withdrawn = []

    def ask(self, question):
        self.questions.append(question)
        future = asyncio.get_running_loop().create_future()
        value = self.answer(question)
        if isinstance(value, Answer):
            future.set_result(value)
        elif value is not None:
            future.set_result(Answer(value))
        return future

    def withdraw(self, question, why):
        self.withdrawn.append((question.seat, question.turn))

    def receipt(self, question, fate, why):
        self.receipts.append((question.seat, question.turn, fate, why))

    def fates(self):
        return [fate for _, _, fate, _ in self.receipts]


def at_random(seed=1):
    """Answers that fit the schema."""
    rng = np.random.default_rng(seed)
    return lambda question: random_form(question.schema, rng)


def scripted(rules, players, seed):
    """Players of our experiment, with the luck of ``play_session``."""

    def answer(question):
        seen = {name: value for name, value in question.view.items() if name != "rules"}
        chance = luck(seed, question.seat, question.turn)
        action = players[question.seat].act(rules, View.from_json(seen), chance)
        return as_form(action, question.schema)

    return answer


def as_form(action, schema):
    """An action in the fields of a form in which each lot is a box."""
    form = {}
    prefixes = {
        "lots": "lot",
        "lots_no_project": "lot_no_project",
        "lots_project": "lot_project",
    }
    for name, value in action.items():
        if name in prefixes and name not in schema["properties"]:
            for field in schema["properties"]:
                if field.rpartition("_")[0] == prefixes[name]:
                    form[field] = int(field.rpartition("_")[2]) in value
        else:
            known = schema["properties"].get(name, {}).get("enum", [value])
            form[name] = value if value in known else value.replace("_", " ")
    return form


def play(address, config, seats, desk, folder, changes=None, limits=None, timeout=240):
    """Play a session to its end; its code and the text of its journal."""

    async def run():
        async with OTreeClient(address) as client:
            code = await client.create_session(config, seats, changes)
            session = await client.session(code)
            with SessionLog(folder / f"{code}.jsonl") as journal:
                players = [
                    Seat(p.number, p.code, client, desk, journal, limits=limits or Limits())
                    for p in session.participants
                ]
                await asyncio.wait_for(asyncio.gather(*(p.run() for p in players)), timeout)
            return session, (folder / f"{code}.jsonl").read_text()

    return asyncio.run(run())


def export(address, name, session):
    """Rows of one of our experiment's exports that belong to a session."""

    async def fetch():
        async with OTreeClient(address) as client:
            return await client.export(
                "/api/export_app_custom",
                app="spatial_planning",
                function_name=f"custom_export_{name}",
            )

    csv.field_size_limit(2**28)
    rows = csv.DictReader(io.StringIO(asyncio.run(fetch()).decode()))
    return [row for row in rows if row["session"] == session]


def exported_record(address, session):
    (row,) = export(address, "sessions", session)
    return SessionRecord.from_json(json.loads(row["record"]))
