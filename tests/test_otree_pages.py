"""Pages of oTree as text and forms: what a reader sees, and what is posted."""

import json

import numpy as np
import pytest

from many_wolves.reading.objects import faults
from many_wolves.records import Form
from many_wolves.worlds.forms import describe
from many_wolves.worlds.otree.fields import form_schema, least_answer, to_post
from many_wolves.worlds.otree.live import UNKNOWN, live_calls, message_schema
from many_wolves.worlds.otree.pages import read_page
from many_wolves.worlds.otree.prompts import Entry, messages
from many_wolves.worlds.random_forms import random_form

URL = "http://127.0.0.1:1/p/abc123/app/Page/4"


def page(body, headers=None, url=URL):
    html = f"<html><head></head><body>{body}</body></html>"
    return read_page(url, html, headers or {})


def form(inner):
    return page(
        f'<div class="otree-body container"><form id="form" method="post">{inner}</form></div>'
    )


def test_the_place_is_read_from_the_address():
    read = form("")
    assert (read.kind, read.app, read.name, read.index) == ("form", "app", "Page", 4)
    assert page("", url="http://x/OutOfRangeNotification/abc123").kind == "end"
    assert page("", {"otree-wait-page": "1"}).kind == "wait"


def test_hidden_things_are_not_in_the_text():
    read = form(
        "<style>.gone, #away { display:none } @media print { .x { color: red } }</style>"
        "<p>seen</p><p hidden>h1</p><p style='DISPLAY : none'>h2</p><p class='d-none'>h3</p>"
        "<div class='gone'>h4</div><div id='away'><p>h5</p></div><template>h6</template>"
        "<script>h7</script><!-- h8 --><p style='visibility:hidden'>h9</p>"
        "<dialog>h10</dialog><span class='visually-hidden'>h11</span>"
        "<div class='otree-timer'>h12</div>"
    )
    assert read.text == "seen"


def test_tables_lists_and_fields_keep_their_places():
    read = form(
        "<table><tr><th>a</th><th>b</th></tr><tr><td>1</td><td>two <b>words</b></td></tr></table>"
        "<ul><li>one</li><li>two</li></ul>I give <input type='number' name='x'> points."
        "<button>Go on</button>"
    )
    assert "a | b\n1 | two words" in read.text
    assert "- one" in read.text
    assert "I give [x] points." in read.text
    assert "[Go on]" in read.text


@pytest.mark.parametrize(
    ("html", "schema"),
    [
        (
            "<input type='number' name='x' min='1' max='5' required>",
            {"type": "integer", "minimum": 1, "maximum": 5},
        ),
        ("<input type='number' name='x' step='0.5'>", {"type": ["number", "null"]}),
        ("<input type='text' inputmode='decimal' name='x' required>", {"type": "number"}),
        ("<input type='text' name='x' required>", {"type": "string"}),
        ("<textarea name='x'></textarea>", {"type": ["string", "null"]}),
        ("<input type='checkbox' name='x' value='y'>", {"type": "boolean"}),
        (
            "<input type='radio' name='x' value='1' id='a' required><label for='a'>left</label>"
            "<input type='radio' name='x' value='2' id='b' required><label for='b'>right</label>",
            {"type": "string", "enum": ["left", "right"]},
        ),
        (
            "<select name='x' required><option value=''>-</option><option value='1'>one</option>"
            "<option>two</option></select>",
            {"type": "string", "enum": ["one", "two"]},
        ),
        (
            "<label><input type='checkbox' name='x' value='1'>a</label>"
            "<label><input type='checkbox' name='x' value='2'>b</label>",
            {"type": "array", "items": {"type": "string", "enum": ["a", "b"]}},
        ),
        (
            "<button name='x' value='L'>left</button><button name='x' value='R'>right</button>",
            {"type": "string", "enum": ["left", "right"]},
        ),
        (
            "<input type='radio' name='x' value='1'>same <input type='radio' name='x' value='2'>",
            {"type": ["string", "null"], "enum": ["1", "2", None]},
        ),
    ],
)
def test_each_kind_of_field_has_its_schema(html, schema):
    found = form_schema(form(html).fields)["properties"]["x"]
    found.pop("description", None)
    assert found == schema


@pytest.mark.parametrize(
    ("kind", "fits", "does_not"),
    [
        ("date", "2026-11-28", "28 November"),
        ("time", "09:30", "half past nine"),
        ("datetime-local", "2026-11-28T09:30", "2026-11-28"),
        ("month", "2026-11", "November"),
        ("week", "2026-W48", "48"),
        ("email", "ann@example.org", "ann"),
        ("url", "https://example.org", "example"),
        ("color", "#ff0000", "red"),
    ],
)
def test_a_text_of_a_fixed_form_fits_only_if_a_browser_takes_it(kind, fits, does_not):
    fields = form(f"<input type='{kind}' name='x' required>").fields
    schema = form_schema(fields)
    assert not faults(Form(schema), {"x": fits})
    assert faults(Form(schema), {"x": does_not})
    assert "in the form" in describe(schema)
    for filled in (least_answer(fields), random_form(schema, np.random.default_rng(1))):
        assert not faults(Form(schema), filled)
    optional = form_schema(form(f"<input type='{kind}' name='x'>").fields)
    assert bool(faults(Form(optional), {"x": None})) == (kind == "color")


def test_a_choice_that_is_disabled_is_not_offered_and_a_longest_text_is_named():
    read = form(
        "<select name='s' required><option value='1'>one</option><option value='2' disabled>two"
        "</option><optgroup label='G' disabled><option value='3'>three</option></optgroup></select>"
        "<input name='t' maxlength='3' required>"
    )
    schema = form_schema(read.fields)
    assert schema["properties"]["s"]["enum"] == ["one"]
    assert "at most 3 characters" in describe(schema)
    assert faults(Form(schema), {"s": "one", "t": "long"})
    assert len(random_form(schema, np.random.default_rng(2))["t"]) <= 3


def test_labels_are_words_of_the_form():
    read = form("<label for='id_x'>How much?</label><input id='id_x' name='x' type='number'>")
    assert read.fields[0].label == "How much?"
    assert "x: a whole number or null (How much?)" in describe(form_schema(read.fields))


def test_what_is_posted_is_what_a_browser_posts():
    read = form(
        "<input type='hidden' name='token' value='t'>"
        "<input type='number' name='n'><input type='checkbox' name='yes' value='y'>"
        "<input type='checkbox' name='no' value='y'>"
        "<select name='s'><option value='1'>one</option></select>"
        "<label><input type='checkbox' name='m' value='1'>a</label>"
        "<label><input type='checkbox' name='m' value='2'>b</label><textarea name='e'></textarea>"
    )
    filled = {"n": 3.0, "yes": True, "no": False, "s": "one", "m": ["a", "b"], "e": None}
    assert to_post(read.fields, filled, read.fixed) == [
        ("token", "t"),
        ("n", "3"),
        ("yes", "y"),
        ("s", "1"),
        ("m", "1"),
        ("m", "2"),
        ("e", ""),
    ]


def test_a_hidden_input_without_a_value_is_asked_for_and_one_with_a_value_is_not():
    read = form(
        "<input type='hidden' name='made'><input type='hidden' name='kept' value='1'>"
        "<div style='display:none'><input type='text' name='covered'></div>"
    )
    assert {f.name: f.kind for f in read.fields} == {"made": "script", "covered": "script"}
    assert read.fixed == {"kept": "1"}


def test_a_mechanical_answer_fits_and_varies():
    read = form(
        "<input type='number' name='n' min='2' max='4' required>"
        "<select name='s' required><option value='1'>one</option><option>two</option></select>"
    )
    assert [least_answer(read.fields, k)["n"] for k in range(3)] == [2, 4, 3]
    assert [least_answer(read.fields, k)["s"] for k in range(2)] == ["one", "two"]


def test_timers_sockets_variables_and_errors_are_read():
    read = page(
        '<script>var js_vars = {"a": [1, {"b": 2}]};</script>'
        '<div class="otree-body container"><div class="otree-form-errors">No.</div>'
        '<form id="form"></form></div>'
        '<script id="websocket-redirect" data-socket-url="/auto_advance?a=1&amp;b=2"></script>'
        "<script>var remainingTimeoutSeconds = 12.5;</script>"
        '<script id="otree-live" data-socket-url="/live?x=1"></script>'
        "<script>liveSend({a: 1});</script>",
        {"otree-redisplay-with-errors": "1"},
    )
    assert read.variables == {"a": [1, {"b": 2}]}
    assert read.seconds_left == 12.5
    assert read.advance_url == "/auto_advance?a=1&b=2"
    assert read.live_url == "/live?x=1"
    assert read.errors
    assert read.text == "No."
    assert read.script == "liveSend({a: 1});"


def test_calls_of_live_send_are_found_with_their_shapes():
    calls = live_calls(
        "function f() { liveSend({'type': 'bid', 'amount': Number(x.value), deep: [1, {k: v}]}); }"
        "liveSend({hello: true}); // liveSend({comment: 1})\n"
        '/* liveSend({comment: 2}) */ window.onload = function() { liveSend({type: "init"}); };'
        "const g = (offer) => liveSend(offer);"
    )
    assert [call.on_load for call in calls] == [False, True, True, True]
    assert calls[0].value["type"] == "bid"
    assert calls[0].value["amount"] is UNKNOWN
    assert not calls[0].constant
    assert calls[1].value == {"hello": True}
    assert calls[3].value is UNKNOWN
    shapes = message_schema(calls)["anyOf"]
    assert shapes[0]["properties"]["type"] == {"const": "bid"}
    assert {"type": "object"} in shapes


def test_prompts_keep_the_latest_pages_and_say_what_is_left_out():
    entries = [Entry("page", f"page {n} " + "x" * 90) for n in range(10)]
    entries.insert(5, Entry("answer", json.dumps({"a": 1})))
    made = messages("You are shy.", entries, "now", {"properties": {}}, memory=350)
    assert made[0].role == "system"
    assert made[0].content.startswith("You are shy.")
    text = "\n".join(m.content for m in made)
    assert "Earlier pages are left out" in text
    assert "page 9" in text
    assert "page 0" not in text
    roles = [m.role for m in messages("", entries, "now", {"properties": {}})]
    assert roles == ["system", "user", "assistant", "user"]
