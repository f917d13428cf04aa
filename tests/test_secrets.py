"""Keys: what is taken, what is refused, and that none is written in any form."""

import html
import json
import logging
import shlex
import sys
from base64 import b64encode
from urllib.parse import quote, quote_plus

import pytest

from many_wolves.cli import run, wolves
from many_wolves.commands.compile import command as compile_trials
from many_wolves.errors import WolvesError
from many_wolves.secrets import (
    base_url,
    check_base_url,
    clean_key,
    known_secrets,
    option_secrets,
    redacted_logs,
    redacted_output,
    redactor,
    refuse_secrets,
)
from many_wolves.speakers.api.http import first_words

KEY = "sk-0123456789abcdef"
ODD = """sk-'quotes"\\back+plus%&<key>/=="""
"""Characters that every way of escaping writes differently; all may stand in a header."""


@pytest.mark.parametrize("around", ["{}\n", "{}\r\n", " {}", "\t{} \n", "\u00a0{}"])
def test_white_space_around_a_key_is_left_out(around):
    assert clean_key("SOME_KEY", around.format(KEY)) == KEY
    assert clean_key("SOME_KEY", around.format("")) == ""


@pytest.mark.parametrize(
    ("letter", "name"),
    [
        ("\n", "a line break"),
        ("\r\n", "a line break"),
        (" ", "a blank"),
        ("\t", "white space"),
        ("\x00", "a control character"),
        ("\x1b", "a control character"),
        ("é", "a non-ASCII character"),
        ("\u200b", "a non-ASCII character"),
        ("\udc80", "a non-ASCII character"),
    ],
)
def test_what_no_header_can_hold_is_named_without_the_key(letter, name):
    with pytest.raises(WolvesError, match=f"SOME_KEY contains {name} at position 4 of") as caught:
        clean_key("SOME_KEY", f"{KEY[:3]}{letter}{KEY[3:]}")
    assert KEY[:3] not in str(caught.value)
    assert KEY[3:] not in str(caught.value)


@pytest.mark.parametrize(
    "key", [KEY, ODD, KEY + "\r", f"  {KEY}\n", f"{KEY}\n{ODD}", "clé-0123456789"]
)
@pytest.mark.parametrize(
    "write",
    [
        str,
        str.strip,
        repr,
        ascii,
        json.dumps,
        html.escape,
        quote,
        quote_plus,
        lambda key: quote(key, safe=""),
        str.upper,
        lambda key: b64encode(key.strip().encode()).decode(),
        lambda key: repr(f"Bearer {key}".encode()),
        lambda key: json.dumps(json.dumps({"k": key.strip()})),
        lambda key: repr(json.dumps({"k": key.strip()})),
    ],
)
def test_a_key_is_redacted_in_every_form(key, write):
    text = redactor([key])(f"before {write(key)} behind")
    assert "[key]" in text
    assert text.startswith("before ")
    assert text.endswith("behind")
    for part in key.split():
        assert part not in text
        assert part[:10] not in text


@pytest.mark.parametrize("key", [KEY, ODD], ids=["plain", "odd"])
def test_a_key_within_which_a_message_was_cut_is_redacted(key):
    redact = redactor([key])
    escaped = json.dumps(key)[1:-1]
    for pad in range(400):
        message = f"{'x' * pad} the key {key} is wrong: {escaped}"
        assert key[:12] not in redact(first_words(message))
    assert redact("a long sentence, which was cut by the sk- ...").endswith("the sk- ...")


def test_no_word_is_taken_for_a_key():
    text = "It was terrible, amazing or good."
    assert redactor(["good", "none", ""])(text) == text
    assert redactor([])(text) == text


def test_secrets_are_found_by_name_and_in_addresses():
    found = known_secrets(
        "given-by-hand",
        environment={
            "OPENAI_API_KEY": KEY,
            "HF_TOKEN": "hf_abcdefgh",
            "AWS_SECRET_ACCESS_KEY": "aws/secret/access",
            "PATH": "/usr/bin",
            "HTTPS_PROXY": "http://me:pass%20word1@proxy:3128",
            "BROKEN": "http://[::1:x@y",
        },
    )
    assert {"given-by-hand", KEY, "hf_abcdefgh", "aws/secret/access"} <= found
    assert {"pass%20word1", "pass word1"} <= found
    assert "/usr/bin" not in found


def test_keys_on_the_command_line_are_found():
    words = ["collect", "--api_key", KEY, "--out", "x", "--api-key=" + ODD]
    assert set(option_secrets(words)) == {KEY, ODD}
    assert option_secrets(["collect", "--api_key"]) == ()


def test_log_records_and_their_tracebacks_are_redacted(caplog):
    handler = caplog.handler
    log = logging.getLogger("some.library")
    with redacted_logs(redactor([KEY])):
        log.warning("sent %s", {"authorization": f"Bearer {KEY}"})
        try:
            raise ValueError(f"Illegal header value {KEY!r}")
        except ValueError:
            log.exception("failed")
    assert handler.filters == []
    shown = caplog.text + "".join(handler.format(record) for record in caplog.records)
    assert "[key]" in shown
    assert KEY not in shown


@pytest.mark.parametrize(
    "address",
    [
        "",
        "http://localhost:8000/v1",
        "https://api.example.com",
        "http://[::1]:8000/v1",
        "http://h/",
        "https://h/openai/deployments/my%20model/v1.0/~a_b-c:d",
    ],
)
def test_addresses_that_may_be_stored(address):
    assert base_url(address) == address


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("http://me:SECRETsecret@host/v1", "credentials"),
        ("http://SECRETsecret@host/v1", "credentials"),
        ("http://@host/v1", "credentials"),
        ("http://host/v1?token=SECRETsecret", "a query"),
        ("http://host/v1?access_token=SECRETsecret", "a query"),
        ("http://host/v1?", "a query"),
        ("http://host/v1#SECRETsecret", "a fragment"),
        ("http://host/v1#", "a fragment"),
        ("http://host/planted-key-in-path/v1", "credentials"),
        ("http://host/v1;sig=SECRETsecret", "parameters"),
        ("http://host/v1%3Ftoken=SECRETsecret", "parameters"),
        ("http://host/me%3ASECRETsecret%40/v1", "parameters"),
        ("http://[::1/v1", "expected an address"),
        ("http://host:SECRETsecret/v1", "expected an address"),
        ("http://host:99999/v1", "expected an address"),
        ("SECRETsecret@host/v1", "expected an address"),
        ("ftp://host/v1", "expected an address"),
        ("http:///v1", "expected an address"),
        ("http://ho st/v1", "white space"),
        ("http://host/v1\n", "white space"),
        ("http://hôst/v1", "non-ASCII"),
    ],
)
def test_addresses_that_may_not(address, words, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "planted-key-in-path")
    with pytest.raises(WolvesError, match=words) as caught:
        check_base_url(address)
    assert "SECRETsecret" not in str(caught.value)
    assert "planted" not in str(caught.value)
    assert "--base_url" in caught.value.fix


def test_a_key_is_not_printed_whoever_prints_it(capsys):
    with redacted_output(redactor([ODD])):
        print("out", ODD)
        print("err", ODD, repr(ODD), shlex.quote(ODD), file=sys.stderr)
        sys.stderr.writelines(["one\n", f"{ODD.rpartition('/')[0]}\n"])
        assert sys.stdout.isatty() is False
    out, err = capsys.readouterr()
    assert out == "out [key]\n"
    assert "quotes" not in err and err.count("[key]") == 4


@pytest.mark.parametrize("words", [["--out"], ["--out", "--debug"], ["--items"]])
def test_a_key_given_for_something_else_is_not_printed(tmp_path, capsys, monkeypatch, words):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    run(compile_trials, ["--items", "poem", *words[:1], KEY, *words[1:]])
    out, err = capsys.readouterr()
    assert "contains the value of OPENAI_API_KEY" in err
    assert KEY not in out + err
    assert not (tmp_path / KEY).exists()


@pytest.mark.parametrize("form", [str, str.upper, lambda key: f"a {key}-b", quote])
def test_a_key_in_a_name_is_refused_by_the_name_of_its_variable(monkeypatch, form):
    monkeypatch.setenv("OPENAI_API_KEY", f"{KEY}\n")
    with pytest.raises(WolvesError, match="value of OPENAI_API_KEY") as caught:
        refuse_secrets(["gpt-4o", form(KEY)], where="choices.csv", line=3)
    assert KEY.casefold() not in str(caught.value).casefold()
    assert (caught.value.where, caught.value.line) == ("choices.csv", 3)


def test_a_word_in_a_name_is_no_key(monkeypatch):
    monkeypatch.setenv("MY_TOKEN", "politeness")
    monkeypatch.setenv("OTHER_TOKEN", "gpt-4o")
    refuse_secrets(["politeness of gpt-4o", ""])


@pytest.mark.parametrize("column", ["study", "title", "question", "speakers"])
def test_a_study_that_is_named_like_a_key_is_refused(tmp_path, monkeypatch, capsys, column):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    known = "  - {{name: {0}, provider: simulated, parameters: {{}}}}\n"
    lines = {name: f"{name}: words" for name in ("study", "title", "question")}
    lines["speakers"] = "speakers:\n" + known.format("me")
    lines[column] = (
        f"speakers:\n{known.format(KEY)}" if column == "speakers" else f"{column}: {KEY}"
    )
    (tmp_path / "s.yaml").write_text("\n".join(lines.values()))
    for action in ("plan", "run", "status"):
        assert run(wolves, ["study", action, "s.yaml"]) == 2
    out, err = capsys.readouterr()
    assert err.count("value of OPENAI_API_KEY") == 3
    assert KEY not in out + err
    assert [path.name for path in tmp_path.iterdir()] == ["s.yaml"]


def test_a_speaker_of_a_table_that_is_named_like_a_key_is_refused(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    table = tmp_path / "c.csv"
    table.write_text(f"speaker,goal,state,utterance,count\n{KEY},social,0,good,3\n")
    for command in ("fit", "fit-all"):
        words = [command, str(table), "--out", str(tmp_path / "out"), "--literal", "fixed"]
        assert run(wolves, words) == 2
    out, err = capsys.readouterr()
    assert err.count("value of OPENAI_API_KEY") == 2
    assert KEY not in out + err
    assert not (tmp_path / "out").exists()


_FORMED = {
    "Anthropic": "sk-ant-api03-Zx9_QmLw83kTgP4vYb7Nc2RdJf6HsUe1AoXi5W",
    "OpenAI": "sk-proj-4vYb7Nc2RdJf6HsUe1AoXi5WZx9QmLw83kTgP",
    "DeepSeek": "sk-0f3a9c51d2e84b067f3a9c51d2e84b06",
    "Google": "AIzaSyD4vYb7Nc2RdJf6HsUe1AoXi5WZx9QmLw8",
    "Hugging Face": "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",
    "Groq": "gsk_4vYb7Nc2RdJf6HsUe1AoXi5WZx9QmLw83kTgP",
    "GitHub": "ghp_4vYb7Nc2RdJf6HsUe1AoXi5WZx9QmLw83kTg",
    "Amazon": "AKIAIOSFODNN7EXAMPLE",
}
"""Keys of no account, in the forms of their providers."""


@pytest.mark.parametrize("key", _FORMED.values(), ids=_FORMED)
def test_a_key_is_known_by_its_form_where_no_variable_holds_it(key):
    assert redactor([])(f"no model is called {key}!") == "no model is called [key]!"
    assert redactor(["another-secret"])(f"model {key}") == "model [key]"
    with pytest.raises(WolvesError, match="has the form of an API key") as caught:
        refuse_secrets([f"my {key}"])
    assert key not in str(caught.value)
    with pytest.raises(WolvesError, match="credentials"):
        check_base_url(f"http://host/{key}/v1")


@pytest.mark.parametrize(
    "name",
    [
        *("sk-mistral-7b-instruct-v02-2024", "sk-learn", "hf_llama_3_1_8b_instruct_awq_2024_06"),
        *("fw_experiment_2020_checkpoint_1000", "risk-0123456789abcdef0123", "xai-org/grok-1"),
        *("r8_run_17", "AKIAB", "gsk_base_model_with_a_long_name"),
        "claude-sonnet-4-5-20250929",
        "meta-llama/Llama-3.1-70B-Instruct@0e9e39f249a16976918f6564b8830bc894c89659",
    ],
)
def test_a_name_that_begins_like_a_key_stays_a_name(name):
    refuse_secrets([name])
    assert redactor([])(name) == name


@pytest.mark.parametrize(
    "field",
    [
        "title: about KEY",
        "api_key: KEY",
        "speakers: [{name: KEY, provider: anthropic, model: m}]",
        "speakers: [{name: n, provider: KEY, model: m}]",
        "speakers: [{name: n, provider: anthropic, model: KEY}]",
        "speakers: [{name: n, provider: openai-compatible, model: m, base_url: 'http://h/KEY/v1'}]",
        "speakers: [{name: n, provider: anthropic, model: m, labels: {group: KEY}}]",
        "KEY: 1",
        "KEY: 1\nKEY: 2",
    ],
)
def test_a_key_in_a_study_file_is_refused_and_not_printed(tmp_path, monkeypatch, capsys, field):
    monkeypatch.chdir(tmp_path)
    key = _FORMED["Anthropic"]
    (tmp_path / "s.yaml").write_text(f"study: x\n{field.replace('KEY', key)}\n")
    assert run(wolves, ["study", "plan", "s.yaml"]) == 2
    said = "".join(capsys.readouterr())
    assert "key" in said
    assert key not in said
    assert [file.name for file in tmp_path.rglob("*")] == ["s.yaml"]
