"""Our oTree experiment without oTree: what its pages show at odd moments."""

import importlib
import json
import sys
import types
from types import SimpleNamespace

import pytest

from many_wolves.families.markets.rules.draws import draw
from many_wolves.families.markets.rules.parameters import Rules
from many_wolves.families.markets.rules.session import Session
from many_wolves.families.markets.simulation.play import luck, seat_players
from many_wolves.families.markets.simulation.strategies import player
from many_wolves.families.markets.task.cells import changed_rules
from many_wolves.families.markets.task.experiment import write_experiment


@pytest.fixture(scope="module")
def stages(tmp_path_factory):
    """The module `stages` of the app; its package alone imports oTree."""
    folder = write_experiment(tmp_path_factory.mktemp("app") / "experiment")
    package = types.ModuleType("spatial_planning")
    package.__path__ = [str(folder / "spatial_planning")]
    sys.modules["spatial_planning"] = package
    yield importlib.import_module("spatial_planning.stages")
    for name in [name for name in sys.modules if name.partition(".")[0] == "spatial_planning"]:
        del sys.modules[name]


def after_the_market(rules):
    """The round when the last turn of its market has taken effect."""
    session = Session.begin(rules, draw(rules, 3), 3)
    players = seat_players(rules, {role: [player("truthful")] for role in
                                   ("owner", "developer", "speculator")})  # fmt: skip
    while session.rounds[-1].stage != "final_declaration":
        views = session.views()
        session = session.step(
            {s: players[s].act(rules, v, luck(3, s, 0)) for s, v in views.items()}
        )
    return session.rounds[-1]


@pytest.mark.parametrize("seat", [1, 2, 12])
def test_the_market_can_be_loaded_again_after_its_last_turn(stages, seat):
    """A browser's reload, and oTree's own timeout worker, come when they like."""
    rules = Rules.lab("harberger", rounds=1, practice=False, ticks=1)
    config = {"mechanism": "harberger", "rules": changed_rules(rules), "seed": 3, "chat": False}
    round_ = after_the_market(rules)
    group = SimpleNamespace(stage="market", state=json.dumps(round_.to_json()), round_number=1)
    one = SimpleNamespace(
        session=SimpleNamespace(config=config), group=group, id_in_group=seat,
        in_previous_rounds=list, participant=SimpleNamespace(vars={}),
    )  # fmt: skip
    shown = stages.shown(one)
    assert shown["fields"] == [] and shown["ask"] == ""
    assert shown["heading"] == stages.words(one.session)["titles"]["market"]
    group.stage = "final_declaration"
    if seat < 7:
        assert [field["name"] for field in stages.shown(one)["fields"]] == ["value"]
