"""``wolves predict``: its contract, and what it says of bad input."""

import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from many_wolves.cli import run
from many_wolves.commands.predict import command

ROWS = json.loads((Path(__file__).parent / "webppl_rows.json").read_text())


def parameters(row):
    return {
        "theta": row["theta"],
        "alpha": row["alpha"],
        "cost": row["cost"],
        "negated": [u.startswith("not ") for u in ROWS["utterances"]],
        "values": [0, 1, 2, 3],
        "phi_grid": ROWS["phi_grids"][row["grid"]],
        "conditions": [row["condition"], {"w_inf": 1, "w_soc": 0, "w_pres": 0, "phi": 0.5}],
    }


@pytest.mark.parametrize("row", ROWS["rows"], ids=lambda row: row["kind"])
def test_prints_the_tables_of_webppl(row, tmp_path):
    path = tmp_path / "params.json"
    path.write_text(json.dumps(parameters(row)))
    result = CliRunner().invoke(command, [str(path)])
    assert result.exit_code == 0, result.output
    tables = json.loads(result.output)
    assert set(tables) == {"prior", "L0", "S1", "L1_state", "L1_phi", "S2"}
    assert np.shape(tables["S1"]) == (40, 4, 8)
    assert np.shape(tables["L1_phi"]) == (8, 40)
    assert np.shape(tables["S2"]) == (2, 4, 8)
    np.testing.assert_allclose(tables["S2"][0], row["S2"], atol=1e-9)


@pytest.mark.parametrize(
    "change, message",
    [
        ({"alpha": None}, "wrong shape or kind"),
        ({"theta": [[0.5, 2.0]]}, "has shape|probabilities"),
        ({"negated": [True]}, "negated"),
        ({"phi_grid": [0.5, 1.5]}, "expected phi in"),
        ({"conditions": [{"w_inf": 1}]}, "wrong shape or kind"),
        ({"cost_form": "none"}, "cost form"),
    ],
)
def test_bad_parameters_get_a_message(change, message, tmp_path, capfd):
    path = tmp_path / "params.json"
    path.write_text(json.dumps(parameters(ROWS["rows"][0]) | change))
    assert run(command, [str(path)]) == 2
    said = capfd.readouterr().err
    import re

    assert re.search(message, said) and "Fix:" in said and "Traceback" not in said


@pytest.mark.parametrize("text", ["", "[1]", '{"theta": 1}'])
def test_files_that_are_not_parameters(text, tmp_path, capfd):
    path = tmp_path / "params.json"
    path.write_text(text)
    assert run(command, [str(path)]) == 2
    assert "Traceback" not in capfd.readouterr().err
    assert run(command, [str(tmp_path / "missing.json")]) == 2
