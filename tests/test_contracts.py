"""The families' contract: what documents say of it, and what stages may know of families."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from many_wolves import contracts, families
from many_wolves.contracts import Design, EpisodicFamily
from many_wolves.outcomes import Outcome, r_squared

HERE = Path(__file__).parent
DOCS = HERE.parent / "docs"


def test_documents_name_the_methods_of_the_contract():
    """Games once documented a method that no longer was there."""
    page = DOCS / "explanation" / "games.md"
    named = re.findall(r"^\s*(\w+)\((?:[\w, ]+)\)\s+->", page.read_text(), re.M)
    assert named == ["turns", "extent"]
    for name in named:
        assert hasattr(EpisodicFamily, name)


@pytest.mark.parametrize("name", families.names())
def test_every_family_keeps_the_contract(name):
    family = families.get(name)
    for task in family.tasks:
        assert issubclass(family.design(task), Design)
        assert families.of_task(task) == (family, task)
    # A family may have tables before it has models that were checked.
    models = family.models()
    for key, model in models.items():
        assert model.name == key
        assert set(model.tasks) <= set(family.tasks)
        assert all(p.meaning and p.prior for p in model.parameters)
        assert all(field.description for field in model.options.model_fields.values())
    for key, reference in family.references().items():
        assert reference.name == key and reference.task in family.tasks
        found = reference.load().speakers
        assert found == [reference.speaker] if reference.speaker else len(found) > 1


def test_a_family_is_imported_light():
    """Naming the tasks of all families loads none of their parts."""
    code = (
        "import sys; from many_wolves import families; print(len(families.tasks()));"
        "print([m for m in sys.modules if m.startswith('many_wolves.families.')"
        " and m.count('.') > 2])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[1] == "[]"


def test_no_stage_names_a_factor_of_a_family():
    """Words of one family in a stage are how the boundary once leaked."""
    words = re.compile(r"[\"'](goal|utterance|theta|s2|phi|w_soc|politeness\.stan)[\"']")
    stages = ["commands", "workflows", "study", "report", "findings", "inference", "collection"]
    package = Path(contracts.__file__).parent
    found = [
        f"{file.relative_to(package)}:{number}: {line.strip()}"
        for stage in stages
        for file in (package / stage).rglob("*.py")
        for number, line in enumerate(file.read_text().splitlines(), start=1)
        if words.search(line)
    ]
    assert found == []


def test_one_r_squared_for_all_kinds_of_outcomes():
    assert r_squared([1, 2, 3, 4], [2, 4, 6, 8]) == pytest.approx(1)
    assert r_squared([1, 2], [2, 4]) != r_squared([1, 2], [2, 4])  # NaN: too few
    xarray = pytest.importorskip("xarray")
    shares = xarray.DataArray([[0.8, 0.2], [0.3, 0.7]], dims=("cell", "option"))
    counts = Outcome("counts", ("s2",), "option")
    seen, expected = counts.agreement(("cell", "option"), [[8, 2], [0, 0]], shares)
    assert seen.tolist() == [0.8, 0.2] and expected.tolist() == [0.8, 0.2]
    assert counts.total([[8, 2], [0, 0]]) == 10
    number = Outcome("price", ("expected",), kind="real")
    nan = float("nan")
    seen, expected = number.agreement(
        ("n",), [1.0, nan, 3.0], xarray.DataArray([1.5, 2.0, 2.5], dims="n")
    )
    assert seen.tolist() == [1.0, 3.0] and expected.tolist() == [1.5, 2.5]
    assert number.total([1.0, nan, 3.0]) == 2
    chosen = Outcome("move", ("p",), "option", kind="category")
    seen, expected = chosen.agreement(("cell",), [1, 0], shares)
    assert seen.tolist() == [0, 1, 1, 0] and expected.tolist() == [0.8, 0.2, 0.3, 0.7]


def test_fits_and_figures_compute_the_same_r_squared():
    from many_wolves.figures import agreement
    from many_wolves.inference import store

    used = vars(agreement)["r_squared"], vars(store)["correlation"]
    assert used[0] is used[1] is r_squared
