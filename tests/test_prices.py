"""What a call costs: prices and their sources, and a limit that is not passed."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from api_speakers import QUICK, give_keys, journal_of, opened, wanted
from fault_server import FaultServer
from many_wolves.cli import run
from many_wolves.errors import WolvesError
from many_wolves.files import shipped
from many_wolves.records import SpeakerSpec
from many_wolves.sources import read_source
from many_wolves.speakers.cost import Budget, Price, find_price
from small_trials import a_trial, trials, write_trials


def test_every_shipped_price_has_a_date_and_a_source() -> None:
    table_of = read_source(shipped("task-data/prices.yaml")).entries()
    sources = table_of["sources"].entries()
    for pattern, entry in table_of["models"].entries().items():
        fields = entry.entries()
        assert re.fullmatch(r"20\d\d-\d\d", fields["as_of"].words()), pattern
        assert fields["source"].words() in sources, pattern
        unsourced = fields["source"].words() == "memory"
        assert unsourced == ("verified" in fields and not fields["verified"].flag()), pattern


@pytest.mark.parametrize(
    ("entry", "remark"),
    [
        ("{input: 100, output: 10, verified: false}", "price not verified"),
        ("{input: 100, output: 10, as_of: 2026-03, source: x}", "price as of 2026-03"),
    ],
)
def test_a_dry_run_states_the_source_of_a_price(tmp_path, capsys, entry, remark) -> None:
    from many_wolves.commands.collect import command as collect

    (tmp_path / "prices.yaml").write_text(f"models:\n  openai/m: {entry}\n")
    asked = write_trials(tmp_path / "trials.jsonl", trials(10))
    words = ["--provider", "openai", "--model_name", "m", "--prices", str(tmp_path / "prices.yaml")]
    assert run(collect, [str(asked), *words, "--dry-run", "--out", str(tmp_path)]) == 0
    (line,) = [s for s in capsys.readouterr().out.splitlines() if "US dollars" in s]
    assert line.endswith(f"({remark})")


def test_the_limit_of_cost_is_not_passed(tmp_path, monkeypatch):
    give_keys(monkeypatch)
    table = tmp_path / "prices.yaml"
    table.write_text("models:\n  openai/gpt-4o*: {input: 1000, output: 10000}\n")
    # A call costs 0.17 dollars (100 tokens in, 7 out) and may cost 0.5 at most.
    with FaultServer() as server:
        who = wanted(
            server,
            "openai/gpt-4o",
            max_cost=2.0,
            prices=table,
            max_tokens=40,
            patience=replace(QUICK, connections=2),
        )
        done = journal_of(tmp_path / "j.jsonl", who, trials(40))
        assert done.halted
        assert "US dollars" in done.why
        assert 0.17 * len(server.calls) <= 2.0
        assert len(server.calls) >= 6
        assert done.asked.total() == len(server.calls)
    with pytest.raises(WolvesError, match="price"):
        opened(replace(who, model="openai/gpt-9"))


@pytest.mark.parametrize(
    ("url", "free"),
    [
        ("http://127.0.0.1:8000/v1", True),
        ("http://localhost:8000/v1", True),
        ("http://[::1]:8000/v1", True),
        ("https://api.example.org/v1", False),
        ("http://10.0.0.5:8000/v1", False),
        ("http://127.0.0.1.example.org/v1", False),
    ],
)
def test_a_compatible_server_is_free_only_on_this_machine_and_without_a_price(tmp_path, url, free):
    spec = SpeakerSpec("openai-compatible", "m", base_url=url)
    assert find_price(spec, None) == (Price(0, 0) if free else None)
    table = tmp_path / "p.yaml"
    table.write_text("models:\n  openai-compatible/m: {input: 1, output: 5}\n")
    assert find_price(spec, table) == Price(1, 5)
    if not free:
        with pytest.raises(WolvesError, match="price"):
            Budget(find_price(spec, None), 1.0)


def test_prices_are_found_by_the_first_pattern_that_fits(tmp_path):
    assert find_price(SpeakerSpec("openai", "gpt-5-mini-2025-08-07"), None) == Price(0.25, 2)
    assert find_price(SpeakerSpec("openai", "gpt-5"), None) == Price(1.25, 10)
    assert find_price(SpeakerSpec("openai", "unheard-of"), None) is None
    assert find_price(SpeakerSpec("hf", "any"), None) == Price(0, 0)
    (tmp_path / "p.yaml").write_text("models:\n  x/y: {input: 1}\n")
    with pytest.raises(WolvesError, match="output") as caught:
        find_price(SpeakerSpec("x", "y"), tmp_path / "p.yaml")
    assert caught.value.line == 2
    budget = Budget(Price(1, 1, batch=0.5), 1.0, batch=True)
    assert budget.reserve(a_trial(1), SpeakerSpec("x", "y", max_tokens=1_900_000))
    assert not budget.reserve(a_trial(1), SpeakerSpec("x", "y", max_tokens=1_900_000))
