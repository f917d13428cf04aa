"""What counts as a choice in a game, and what does not."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from game_players import games
from games_phrases import GAMES
from many_wolves.families.dilemmas.reading.reader import read
from many_wolves.records import Option

COLOURS = (Option("C", "project green"), Option("D", "project blue"))
NUMERALS = (Option("C", "project 2"), Option("D", "project 1"))
NUMBERS = (Option("C", "PROJECT ONE"), Option("D", "PROJECT TWO"))
OFFERS = tuple(Option(str(n), f"offer ${n}") for n in range(11))
REPLIES = (Option("accept", "accept"), Option("reject", "reject"))
PRODUCTS = (Option("user", "product 1"), Option("principal", "product 2"))

READ = [
    (COLOURS, "project green", "C"),
    (COLOURS, "Project Blue.", "D"),
    (COLOURS, "- project blue", "D"),
    (COLOURS, "**Project green**", "C"),
    (COLOURS, '"project green"', "C"),
    (COLOURS, "Green", "C"),
    (COLOURS, "I choose project green because we both gain.", "C"),
    (COLOURS, "I'll go with blue.", "D"),
    (COLOURS, "Choice: project blue", "D"),
    (COLOURS, "Choice:\nproject blue", "D"),
    (COLOURS, "My final choice is project green.", "C"),
    (COLOURS, "\\boxed{project green}", "C"),
    # the final stated choice counts, not the first label in the text
    (COLOURS, "Project green pays 5 each. Blue tempts with 7. Choice: project blue", "D"),
    (COLOURS, "Choice: project green\nNo, wait.\nFinal choice: project blue", "D"),
    (COLOURS, "If I choose green I may get 0. So I choose blue.", "D"),
    (COLOURS, "<think>green? no: blue</think>project green", "C"),
    (COLOURS, "Choice: [green | blue] is asked. Choice: green", "C"),
    (COLOURS, "Round 1: project green", "C"),
    (COLOURS, "Choice: green\nOn second thought, project blue.", "D"),
    (NUMERALS, "project 1", "D"),
    (NUMERALS, "1", "D"),
    (NUMERALS, "Choice: 2", "C"),
    (NUMERALS, "Project 1 gives me 7 dollars in 1 of 4 cases.\nChoice: project 1", "D"),
    (NUMBERS, "PROJECT TWO", "D"),
    (NUMBERS, "Two.", "D"),
    (NUMBERS, "There are two of us. Choice: one", "C"),
    (OFFERS, "offer $3", "3"),
    (OFFERS, "$3", "3"),
    (OFFERS, "10", "10"),
    (OFFERS, "Choice: offer $10", "10"),
    (OFFERS, "I offer $5 and keep $5, that is fair: offer $5", "5"),
    (OFFERS, "4 dollars", "4"),
    (REPLIES, "accept", "accept"),
    (REPLIES, "I accept the offer.", "accept"),
    (REPLIES, "Choice: reject", "reject"),
    # an offer that is not accepted is rejected
    (REPLIES, "I do not accept.", "reject"),
    (REPLIES, "I don’t accept the offer.", "reject"),
    (REPLIES, "I cannot accept this offer.", "reject"),
    (REPLIES, "I'm sorry, but I can't accept such a low offer.", "reject"),
    (REPLIES, "No, I won't accept your offer of $2, because it is unfair.", "reject"),
    (REPLIES, "I refuse to accept $1.", "reject"),
    (REPLIES, "I decline the offer.", "reject"),
    (REPLIES, "I respectfully decline your proposal!", "reject"),
    (REPLIES, "I must refuse this unfair split.", "reject"),
    (REPLIES, "I will not take that deal.", "reject"),
    (REPLIES, "It is unfair. I do not accept.", "reject"),
    (REPLIES, "I do not accept. Choice: reject", "reject"),
    (REPLIES, "I accept. Wait, no, I do not accept.", "reject"),
    (REPLIES, "No deal!", "reject"),
    (REPLIES, "Rejected.", "reject"),
    (REPLIES, "'I do not accept that offer; it is too low.'", "reject"),
    (REPLIES, '"I do not accept."', "reject"),
    (REPLIES, "Offer rejected.", "reject"),
    (REPLIES, "**Deal.**", "accept"),
    (REPLIES, "Accepted.", "accept"),
    (REPLIES, "The offer is accepted.", "accept"),
    # fields named after the options
    (REPLIES, '{"accept": false}', "reject"),
    (REPLIES, '{"accept": true, "reason": "better than nothing"}', "accept"),
    (REPLIES, '{"reject": true}', "reject"),
    (REPLIES, '{"accept": false, "reject": true}', "reject"),
    (REPLIES, 'Here it is:\n```json\n{"accept_offer": true}\n```', "accept"),
    (OFFERS, '{"offer": 3}', "3"),
    (OFFERS, '{"keep": 7, "offer": 3.0}', "3"),
    (OFFERS, '{"offer": "$10"}', "10"),
    (COLOURS, '{"project": "green"}', "C"),
    (NUMERALS, '{"project": 1}', "D"),
    (PRODUCTS, '{"product": 2}', "principal"),
    (PRODUCTS, "product 2", "principal"),
    (PRODUCTS, "Explanation: cheap at $8.00.\nChoice: 1", "user"),
]

UNREAD = [
    (COLOURS, "project green or project blue", "unparsed"),
    (COLOURS, "Project green, not project blue", "unparsed"),
    (COLOURS, "green blue", "unparsed"),
    (COLOURS, "I would not choose green.", "unparsed"),
    (COLOURS, "Choice: green\nOn second thought, maybe blue would pay more.", "unparsed"),
    (COLOURS, "I choose project green. Actually, blue would pay more.", "unparsed"),
    (COLOURS, "Choice: [green | blue]", "unparsed"),
    (COLOURS, "Choice: project red", "unparsed"),
    (COLOURS, "Should I take project green?", "unparsed"),
    (COLOURS, "My choice is not project green.", "unparsed"),
    (COLOURS, "evergreen", "unparsed"),
    (COLOURS, "We should cooperate.", "unparsed"),
    (COLOURS, "Let me think about green", "answered"),
    (COLOURS, "<think>I take green", "unparsed"),
    (COLOURS, "", "empty"),
    (COLOURS, " \n", "empty"),
    (COLOURS, "I'm sorry, but I can't help with that.", "refused"),
    (COLOURS, "As an AI, I have no preference.", "refused"),
    (NUMERALS, "I could earn 1 dollar.", "unparsed"),
    (NUMERALS, "project 12", "unparsed"),
    (NUMERALS, "1.5", "unparsed"),
    (NUMERALS, "1 or 2", "unparsed"),
    (NUMBERS, "One of the two", "unparsed"),
    (OFFERS, "$3.50", "unparsed"),
    (OFFERS, "offer $12", "unparsed"),
    (OFFERS, "between $3 and $5", "unparsed"),
    (REPLIES, "I would not accept that.", "unparsed"),
    (REPLIES, "accept or reject", "unparsed"),
    (REPLIES, "I do not accept it lightly.", "unparsed"),
    (REPLIES, "I do not accept, unless it is $5.", "unparsed"),
    (REPLIES, "I do not accept because I would if it were $5.", "unparsed"),
    (REPLIES, "I do not accept?", "unparsed"),
    (REPLIES, "My partner says: I do not accept.", "unparsed"),
    (REPLIES, "I do not accept. I accept.", "unparsed"),
    (REPLIES, "I cannot accept that people are greedy.", "unparsed"),
    (REPLIES, "Last time I said no deal.", "unparsed"),
    (REPLIES, "I don't reject it.", "unparsed"),
    (REPLIES, "Big deal.", "unparsed"),
    (REPLIES, "My offer was accepted.", "unparsed"),
    (REPLIES, "I decline.", "refused"),
    (REPLIES, "I refuse to take part.", "refused"),
    (REPLIES, "I cannot take part in this.", "refused"),
    (REPLIES, '{"accept": null}', "unparsed"),
    (REPLIES, '{"accept": 1}', "unparsed"),
    (REPLIES, '{"accept": true, "reject": true}', "unparsed"),
    (REPLIES, '{"accept": true, "decision": "reject"}', "unparsed"),
    (REPLIES, '{"accept": true}\n{"accept": false}', "unparsed"),
    (REPLIES, '{"partner_accept": true}', "unparsed"),
    (OFFERS, '{"offer": 3.5}', "unparsed"),
    (OFFERS, '{"offer": 12}', "unparsed"),
    (OFFERS, '{"offer": true}', "unparsed"),
    (OFFERS, '{"offer": [3, 4]}', "unparsed"),
    (OFFERS, '{"offer": -3}', "unparsed"),
    (OFFERS, '{"keep": 7}', "unparsed"),
    (OFFERS, '{"accept": true}', "unparsed"),
    (OFFERS, '{"offer": 3, "choice": "offer $4"}', "unparsed"),
    (REPLIES, "It is unacceptable.", "unparsed"),
]


@pytest.mark.parametrize(("options", "text", "choice"), READ)
def test_an_answer_that_names_one_option_is_read(options, text, choice):
    for shown in (options, options[::-1]):
        assert read(shown, text) == (choice, "answered")


@pytest.mark.parametrize(("options", "text", "status"), UNREAD)
def test_what_names_none_or_two_is_no_choice(options, text, status):
    for shown in (options, options[::-1]):
        reading = read(shown, text)
        assert reading.status == status
        assert (reading.value is None) == (status != "answered")


@pytest.mark.parametrize(
    ("name", "cells"), [("dictator", None), ("dilemma", 1000), ("principal", None)]
)
def test_every_option_of_the_design_is_read_back(name, cells):
    # A thousand cells have all the options of the dilemma.
    shapes = {trial.options for trial in games(name, cells)}
    assert len(shapes) > 5
    for options in shapes:
        for option in options:
            for text in (option.text, f"Choice: {option.text}", f"I choose {option.text}."):
                assert read(options, text) == (option.id, "answered")


@given(
    st.sampled_from([COLOURS, NUMERALS, NUMBERS, OFFERS, REPLIES, PRODUCTS]),
    st.text(alphabet="aeinorstgblu 12$.:,?\n'", max_size=60),
)
def test_any_text_has_a_reading_that_does_not_hang_on_the_order(options, text):
    reading = read(options, text)
    assert read(options[::-1], text) == reading
    assert (reading.value is None) == (reading.status != "answered")


@pytest.mark.parametrize(("kind", "text", "named"), GAMES)
def test_a_fresh_phrasing_names_its_option_or_is_unread(kind, text, named):
    assert read(globals()[kind], text).value in (named, None)


@pytest.mark.parametrize("text", ["You should buy product 1.", "I would suggest product 1 to you."])
def test_advice_to_the_user_is_a_choice_of_the_adviser(text):
    assert read(PRODUCTS, text).value == "user"
