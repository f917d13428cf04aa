"""Readers that families share: numbers in prose, JSON in fences, thoughts, free words."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from many_wolves.errors import WolvesError
from many_wolves.reading import read
from many_wolves.reading.numbers import read_number
from many_wolves.reading.objects import faults, objects_in, read_form
from many_wolves.reading.thoughts import without_thoughts
from many_wolves.records import Choose, Form, Number, Option, Question, Text

MONEY = Number(0, 100, "$")
GIVEN = [
    ("15", 15),
    ("$15", 15),
    ("$15.00", 15),
    ("15$", 15),
    ("15 USD", 15),
    ("USD 15", 15),
    ("15 dollars", 15),
    ("I offer $15.", 15),
    ("fifteen", 15),
    ("Fifteen dollars.", 15),
    ("twenty-five", 25),
    ("I would give twenty five dollars", 25),
    ("A hundred", 100),
    ("one", 1),
    ("This one is hard.", None),
    ("My answer is 12.50.", 12.5),
    ("**Answer: 7**", 7),
    ("Answer: *7*", 7),
    ("\\boxed{42}", 42),
    ("Final answer: 30 (since 40 is too much)", 30),
    ("Let me see: 10 + 20 = 30.\n\nFinal answer: 30", 30),
    ("I thought of 10 at first.\n12", 12),
    ("15\n\nQuestion 2: what about 20?\n20 is fine.", 15),
    ("The price is 15.\n\nQuestion 2: what about 20?", 15),
    ("<think>3 or 4?</think> 4", 4),
    ("3 or 4?</think>4", 4),
    ("[THINK]5[/THINK]6", 6),
    ("7 out of 100", 7),
    ("7/100", 7),
    ("3/4", None),
    ("10%", 10),
    ("It is about 7 or so.", 7),
    ("\u22125", None),
    ("-5", None),
    ("101", None),
    ("1,200", None),
    ("between 10 and 20", None),
    ("10-20", None),
    ("Answer: 10 to 20", None),
    ("I'd say 10, no, 12", None),
    ("not 15", None),
    ("I won't pay 15", None),
    ("less than 15", None),
    ("2024-05-01", None),
    ("version 1.2.3", None),
    ("A4", None),
    ("<think>it may be 15", None),
    ("nothing in particular", None),
    ("\uff11\uff15", 15),
]


@pytest.mark.parametrize(("text", "expected"), GIVEN)
def test_a_number_is_read_or_left(text, expected):
    value, status = read_number(MONEY, text)
    assert value == expected
    assert status == ("answered" if expected is not None else "unparsed")


@pytest.mark.parametrize(
    ("answer", "text", "expected"),
    [
        (Number(), "1,200.50", 1200.5),
        (Number(), "1.2k", 1200),
        (Number(), "3 million", 3e6),
        (Number(), "seven hundred and five", 705),
        (Number(), "two thousand three hundred", 2300),
        (Number(), "-5.5", -5.5),
        (Number(), "\u22125", -5),
        (Number(whole=True), "5.0", 5),
        (Number(whole=True), "5.5", None),
        (Number(1, 7), "6 out of 7", 6),
        (Number(1, 7), "6 of the 7", None),
        (Number(unit="points"), "I take 40 points", 40),
        (Number(), "1" * 400, None),
    ],
)
def test_limits_and_units_of_a_number(answer, text, expected):
    assert read_number(answer, text).value == expected


def test_a_whole_number_is_an_int():
    assert type(read_number(Number(whole=True), "7").value) is int
    assert type(read_number(Number(), "7").value) is float


PRICE = Form(
    {
        "type": "object",
        "properties": {"say": {"type": "string"}, "price": {"type": "number", "minimum": 0}},
        "required": ["price"],
        "additionalProperties": False,
    }
)
FORMS = [
    ('{"price": 3}', {"price": 3}),
    ('```json\n{"price": 3}\n```', {"price": 3}),
    ('```\n{"price": 3}```', {"price": 3}),
    (
        'Sure!\n{"say": "a {brace}", "price": 3.5}\nIs that good?',
        {"say": "a {brace}", "price": 3.5},
    ),
    ('{"price": 3} and again {"price": 3}', {"price": 3}),
    ('Instead of {"cost": 3} I say {"price": 4}', {"price": 4}),
    ('<think>{"price": 1}</think>{"price": 2}', {"price": 2}),
    ('{"price": 1} {"price": 2}', None),
    ('{"price": -1}', None),
    ('{"price": "3"}', None),
    ('{"price": NaN}', None),
    ('{"price": 3', None),
    ("[1, 2]", None),
    ("{" * 5000, None),
    ("three", None),
]


@pytest.mark.parametrize(("text", "expected"), FORMS)
def test_a_form_is_read_or_left(text, expected):
    value, status = read_form(PRICE, text)
    assert value == expected
    assert status == ("answered" if expected is not None else "unparsed")


def test_faults_of_a_form_are_named():
    (fault,) = faults(PRICE, {"price": -1})
    assert fault.startswith("$.price: ")
    assert "minimum" in fault


@pytest.mark.parametrize("part", [{"$ref": "http://127.0.0.1:9/a"}, {"type": "price"}])
def test_a_schema_that_is_wrong_or_refers_elsewhere_is_named(part):
    with pytest.raises(WolvesError, match="JSON schema cannot be used"):
        faults(Form({"type": "object", "properties": {"a": part}}), {"a": 1})


def test_a_field_that_is_given_twice_holds_both_values():
    (found,) = objects_in('{"value": 1, "value": 2, "note": "a", "note": "a"}')
    assert found == {"value": [1, 2], "note": "a"}


@given(st.dictionaries(st.text(), st.integers() | st.text(), max_size=4), st.text(max_size=30))
@settings(max_examples=60)
def test_an_object_is_found_in_any_prose(value, words):
    words = words.replace("{", "").replace("`", "")
    assert list(objects_in(words + json.dumps(value) + words)) == [value]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("<think>a</think>b", "b"),
        ("a</think>b", "b"),
        ("<think>a", ""),
        ("<Thinking>a</Thinking>\nb", "b"),
        ("<think>a</think>b<think>c</think>d", "bd"),
        ("no thought", "no thought"),
        ("x < y and y > z", "x < y and y > z"),
    ],
)
def test_thoughts_are_cut(text, expected):
    assert without_thoughts(text) == expected


def question(answer):
    return Question("toy", "task", {}, answer)


@pytest.mark.parametrize("answer", [Number(), Text(), PRICE, Choose((Option("a", "A"),))])
def test_empty_refused_and_thoughts_alone(answer):
    assert read(question(answer), "  \n") == (None, "empty")
    assert read(question(answer), "<think>so") == (None, "unparsed")
    if not isinstance(answer, Text):
        assert read(question(answer), "I can't help with that.") == (None, "refused")


def test_free_words_are_kept_to_the_room_there_is():
    assert read(question(Text()), " Deal.\nSee you! ") == ("Deal.\nSee you!", "answered")
    assert read(question(Text(5)), "0123456789") == ("01234", "answered")


@pytest.mark.parametrize("text", ["B", "(b)", "B.", "B) no", "No", "no.", "No.\nBecause"])
def test_an_option_by_letter_words_or_id(text):
    two = Choose((Option("yes", "Yes"), Option("no", "No")))
    assert read(question(two), text) == ("no", "answered")
    assert read(question(two), "yes or no") == (None, "unparsed")


@given(st.text(), st.sampled_from([MONEY, PRICE, Text(9), Choose((Option("a", "A"),))]))
@settings(max_examples=150)
def test_any_text_gets_a_reading(text, answer):
    value, status = read(question(answer), text)
    assert (value is not None) == (status == "answered")
