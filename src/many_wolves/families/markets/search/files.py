"""Reads a file of `wolves design-rules`, runs its search, and writes the tables."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pandas as pd
import yaml

from many_wolves.errors import WolvesError
from many_wolves.families.markets.learning.agents import DEFAULT, cast_of
from many_wolves.families.markets.rules.parameters import ROLES, Rules
from many_wolves.families.markets.search.figure import objectives_figure
from many_wolves.families.markets.search.objectives import estimate, table_values
from many_wolves.families.markets.search.options import RuleSearch
from many_wolves.families.markets.search.search import (
    PUBLISHED,
    Searched,
    lab_rules,
    pareto_table,
    search,
)
from many_wolves.families.markets.simulation.agents import Agent
from many_wolves.families.markets.task.cells import changed_rules
from many_wolves.families.markets.task.compiler import read_changes
from many_wolves.figures.save import save
from many_wolves.files import fingerprint, read_json_object, write_atomic
from many_wolves.sources import read_mapping


def design_rules(
    file: Path, out: Path, advance: Callable[[str, int, int], None]
) -> Mapping[str, Any]:
    """Search for rules, or resume a search, and write its tables.

    Parameters
    ----------
    file
        The search, in YAML.
    out
        Gets ``trials.csv``, ``pareto.csv`` and the figure ``objectives``. It also gets
        ``rules-N.yaml`` for each of the best rules, and the trials, from which a later run resumes.
    advance
        Called with the stage (``trials`` or ``again``), the number done, and the total.

    Returns
    -------
    Mapping
        ``pareto`` (the table), ``rules`` (name -> file for ``wolves compile --rules``, with the
        mechanism), ``objectives``, ``models``, ``model_sessions`` and ``seed``.

    Raises
    ------
    WolvesError
        If the file or one of its players is at fault, or packages are missing.
    """
    wanted = read_search(file)
    out.mkdir(parents=True, exist_ok=True)
    trials = search(wanted, out, lambda done, of: advance("trials", done, of))
    write_atomic(out / "trials.csv", trials.drop(columns="sessions").to_csv(index=False))
    table = pareto_table(wanted, trials, lambda done, of: advance("again", done, of))
    write_atomic(out / "pareto.csv", table.to_csv(index=False))
    options = wanted.options
    save(objectives_figure(table, options.objectives, options.fresh_sessions), out)
    files = {}
    for row in table.to_dict(orient="records"):
        point = {name: row[name] for name in ("mechanism", *options.search)}
        played = wanted.base[point["mechanism"]]
        if not str(row["rules"]).startswith(PUBLISHED):
            played = wanted.rules(point)
        place = out / f"rules-{str(row['rules']).replace(' ', '-')}.yaml"
        write_atomic(place, _as_yaml(played))
        files[str(row["rules"])] = (row["mechanism"], place)
    return {
        "pareto": table,
        "rules": files,
        "search": list(options.search),
        "objectives": options.objectives,
        "cast": {role: _first(wanted, role) for role in ROLES},
        "models": {role: str(file.parent / name) for role, name in options.models.items()},
        "model_sessions": options.model_sessions,
        "seed": options.seed,
    }


def played_estimates(payoffs: pd.DataFrame) -> dict[str, float]:
    """Efficiency, revenue and welfare with intervals, from a table of payoffs."""
    row: dict[str, float] = {}
    for name, values in table_values(payoffs).items():
        mean, low, high = estimate(values)
        row |= {name: mean, f"{name}_low": low, f"{name}_high": high}
    return row


def read_search(file: Path) -> Searched:
    """A search file, with its players.

    Raises
    ------
    WolvesError
        If the file cannot be read, or something in it is at fault.
    """
    found = read_mapping(file)
    options = RuleSearch.read(found, of="the search", where=str(file))
    told = {name: _speaker(path) for name, path in _simulated(options, file).items()}
    settings: dict[str, list[Mapping[str, Any]]] = {
        role: [told[player] if isinstance(player, str) else player for player in players]
        for role, players in options.cast.items()
    }
    exploiting = {
        name: (one.role, told[one.player] if isinstance(one.player, str) else one.player)
        for name, one in options.exploiters.items()
    }
    changes = read_changes(None if options.rules is None else file.parent / options.rules)
    base = {mechanism: _base(mechanism, changes, file) for mechanism in options.mechanism}
    identity = fingerprint(
        {
            "search": options.search,
            "base": {name: rules.to_json() for name, rules in base.items()},
            "objectives": options.objectives,
            "cast": settings,
            "exploiters": exploiting,
            "sessions": options.sessions,
            "seed": options.seed,
        }
    )
    exploiters = {name: (role, _one(role, player)) for name, (role, player) in exploiting.items()}
    return Searched(options, base, cast_of(settings), exploiters, identity, settings)


def _first(wanted: Searched, role: str) -> Mapping[str, Any]:
    """Parameters of the first player of a role."""
    return (wanted.told.get(role) or [DEFAULT])[0]


def _simulated(options: RuleSearch, file: Path) -> dict[str, Path]:
    """Files of simulated players; those of language models are read when they are asked."""
    models = set(options.models.values())
    return {k: path for k, path in options.files(file.parent).items() if k not in models}


def _speaker(path: Path) -> dict[str, Any]:
    """Parameters of a simulated player's file."""
    fix = 'write {"model_type": "simulated", "parameters": {"strategy": NAME}}'
    found = read_json_object(path, fix)
    parameters = found.get("parameters")
    if isinstance(parameters, str):
        parameters = read_json_object(path.parent / parameters, fix)
    if found.get("model_type", found.get("provider")) != "simulated" or not parameters:
        raise WolvesError("expected a simulated player", where=path, fix=fix)
    return dict(parameters)


def _one(role: str, player: Mapping[str, Any]) -> Agent:
    (agent,) = cast_of({role: [player]})[role]
    return agent


def _base(mechanism: str, changes: Mapping[str, Any], file: Path) -> Rules:
    try:
        return Rules.from_json({**lab_rules(mechanism).to_json(), **changes})
    except (TypeError, ValueError, KeyError, AttributeError) as fault:
        raise WolvesError(
            f"these rules cannot be played: {fault}",
            where=file,
            fix="docs/explanation/markets.md lists the parameters and their ranges",
        ) from fault


def _as_yaml(rules: Rules) -> str:
    changes = json.loads(changed_rules(rules))
    return yaml.safe_dump(changes, sort_keys=True) if changes else "{}\n"
