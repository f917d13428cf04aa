"""What is read from an answer, over many phrasings."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

import politeness_phrases as phrases
from many_wolves.families import get
from many_wolves.records import LABELS, Choose, Option, Question


def READ(options, text: str):  # noqa: N802
    """What the family reads in an answer to a question with these options."""
    return get("politeness").read(Question("politeness", "choice", {}, Choose(options)), text)


TEXTS = {
    "terrible": "It was terrible.",
    "bad": "It was bad.",
    "good": "It was good.",
    "amazing": "It was amazing.",
    "not terrible": "It wasn't terrible.",
    "not bad": "It wasn't bad.",
    "not good": "It wasn't good.",
    "not amazing": "It wasn't amazing.",
}
# A terrible, B bad, C good, D amazing, E not terrible, F not bad, G not good, H not amazing
OPTIONS = tuple(Option(name, text) for name, text in TEXTS.items())
JUDGMENT = (Option("yes", "Yes."), Option("no", "No."))
ECHO = "\n".join(f"{LABELS[i]}) {o.text}" for i, o in enumerate(OPTIONS))

ANSWERED = [
    # the option's words
    ("It was good.", "good"),
    ("it was good", "good"),
    ("IT WAS GOOD!", "good"),
    ("It wasn't good.", "not good"),
    ("It wasn\u2019t good.", "not good"),
    ("It wasn\u2018t good.", "not good"),
    ("It wasn\u00b4t good.", "not good"),
    ("It wasn`t good.", "not good"),
    ("It wasnt good", "not good"),
    ("It was not good.", "not good"),
    ("It was NOT good.", "not good"),
    ("It was **not** good.", "not good"),
    ("It was n't good.", "not good"),
    ("It was'nt good.", "not good"),
    ("  It   was\u00a0not   good .", "not good"),
    ("It wasn't terrible!", "not terrible"),
    ("not terrible", "not terrible"),
    ("Not terrible.", "not terrible"),
    ("terrible", "terrible"),
    ("**Good**", "good"),
    ("wasn't amazing", "not amazing"),
    ("It's not bad.", "not bad"),
    ("It isn't bad.", "not bad"),
    ("It is good.", "good"),
    # quotes and markdown
    ('"It was good."', "good"),
    ("\u201cIt wasn\u2019t bad.\u201d", "not bad"),
    ("**It was amazing.**", "amazing"),
    ("*It wasn't amazing.*", "not amazing"),
    ("> It was bad.", "bad"),
    ("- It was bad.", "bad"),
    ("### It was bad.", "bad"),
    ("`It was good.`", "good"),
    ('{"answer": "It wasn\'t good."}', "not good"),
    ("\\boxed{\\text{It was good.}}", "good"),
    # introductions
    ("Answer: It was good.", "good"),
    ("The answer is: It wasn't terrible.", "not terrible"),
    ("My answer: **It was bad.**", "bad"),
    ("I would say: It was good.", "good"),
    ("I'd say it wasn't bad.", "not bad"),
    ("I'd go with \"It wasn't bad.\"", "not bad"),
    ('Ann would say, "It was amazing."', "amazing"),
    ('Ann should tell Bob: "It wasn\'t terrible."', "not terrible"),
    ("Ann would say that it was good.", "good"),
    ("Well, it wasn't terrible.", "not terrible"),
    ("Bob, it was amazing!", "amazing"),
    ("The poem wasn't bad.", "not bad"),
    ("Your cake was amazing!", "amazing"),
    ("Sure! It was good.", "good"),
    # explanations
    ("It was good. Ann wants Bob to feel good.", "good"),
    ("It wasn't good, because Ann gave it one heart.", "not good"),
    ("It was bad because she is honest.", "bad"),
    ("It was good.\n\nAnn is kind, so she would avoid saying it was terrible.", "good"),
    ('It wasn\'t bad. (Saying "It was terrible." would hurt him.)', "not bad"),
    ("Ann wants to be kind here. It was good.", "good"),
    ("She can't say it was terrible. It was good.", "good"),
    ("It was amazing - the best of all.", "amazing"),
    ('I think "It wasn\'t bad" is the best reply.', "not bad"),
    ("<think>It was terrible? No, be kind.</think>\n\nIt was good.", "good"),
    (ECHO + "\n\nAnswer: It was good.", "good"),
    (ECHO + "\n\nThe answer is B.", "bad"),
    # letters
    ("B", "bad"),
    ("b", "bad"),
    ("A", "terrible"),
    ("B.", "bad"),
    ("B)", "bad"),
    ("(B)", "bad"),
    ("[G]", "not good"),
    ("(b)", "bad"),
    ("**G**", "not good"),
    ("**G)**", "not good"),
    ("G:", "not good"),
    ('"G"', "not good"),
    ("Option B", "bad"),
    ("option (b)", "bad"),
    ("Answer: G", "not good"),
    ("Answer: A", "terrible"),
    ("The answer is B", "bad"),
    ("The answer is A.", "terrible"),
    ("The correct answer is (B).", "bad"),
    ("The best option is H.", "not amazing"),
    ("I would choose B.", "bad"),
    ("I choose option F.", "not bad"),
    ("I'd go with C.", "good"),
    ("\\boxed{B}", "bad"),
    ("$\\boxed{G}$", "not good"),
    ("B\n\nAnn would want to be honest.", "bad"),
    ("B. Because it is honest.", "bad"),
    ("B, because it is honest.", "bad"),
    ("B because it is honest", "bad"),
    ("Letter C", "good"),
    ("C. Ann wants to be kind.", "good"),
    ("C) This is the kindest one.", "good"),
    ("The correct answer is a) It was terrible.\n\nApplePuff", "terrible"),
    ("It was good (C).", "good"),
    ("It was good. (Option C)", "good"),
    ("it was good. that is kind.", "good"),
    ("It was amazing. It is good to be kind.", "amazing"),
    # letter and words together
    ("G) It wasn't good.", "not good"),
    ("G. It wasn't good.", "not good"),
    ("(G) It wasn't good", "not good"),
    ("G: It wasn\u2019t good.", "not good"),
    ("G - It was not good.", "not good"),
    ("**G) It wasn't good.**", "not good"),
    ("G) not good", "not good"),
    ("A) It was terrible.", "terrible"),
    ("Option G: It wasn't good.", "not good"),
    ("The answer is G) It wasn't good.", "not good"),
    ("I choose G. It wasn't good.", "not good"),
    ("G.\nIt wasn't good.", "not good"),
]

LEFT_OUT = [
    # letter and words disagree
    ("B) It wasn't good.", "unparsed"),
    ("B. It was good.", "unparsed"),
    ("The answer is B: It was good.", "unparsed"),
    ("It was good. The answer is B.", "unparsed"),
    ("B\nIt was good.", "unparsed"),
    ("A) Submarine", "unparsed"),
    ("B) It was great.", "unparsed"),
    ("B. Terrific", "unparsed"),
    ("Option C: It was OK.", "unparsed"),
    ("Options A-E: B is correct, but I want to give you options", "unparsed"),
    ("Only option E will document our discussion.", "unparsed"),
    ("Choose E for F", "unparsed"),
    ("A) It was terrible.\nB) It wasn't great.\n", "unparsed"),
    ("It was good (G).", "unparsed"),
    ("It was good, which is option B.", "unparsed"),
    # more than one option, or none in particular
    (ECHO, "unparsed"),
    ("A) It was terrible. B) It was bad. C) It was good.", "unparsed"),
    ("It was terrible. It was bad.", "unparsed"),
    ("It was good or it was bad.", "unparsed"),
    ("It was good but not amazing.", "unparsed"),
    ("It wasn't good, but it wasn't terrible.", "unparsed"),
    ("A or B", "unparsed"),
    ("Option B or option C", "unparsed"),
    ("A, B or C", "unparsed"),
    ("B/C", "unparsed"),
    ("B and C", "unparsed"),
    ("B, not C", "unparsed"),
    ("Either (B) or (C)", "unparsed"),
    # rejected, hedged, asked
    ('I wouldn\'t say "It was terrible."', "unparsed"),
    ("I don't think it was good.", "unparsed"),
    ("Anything but it was bad.", "unparsed"),
    ("She would rather not say it was bad.", "unparsed"),
    ("If it was good, I would say so.", "unparsed"),
    ('Should Ann say "It was good"?', "unparsed"),
    ('"It was good" would be a lie.', "unparsed"),
    ('"It was good." would be a lie.', "unparsed"),
    ('"It was good" is a lie.', "unparsed"),
    ("It was good, but that would be a lie.", "unparsed"),
    ("The honest answer is it was bad. The kind answer is it was good.", "unparsed"),
    ("It was bad? No, it was good.", "unparsed"),
    ('Not "It was good."', "unparsed"),
    ("Don't say it was bad.", "unparsed"),
    ("It is good to be kind.", "unparsed"),
    ("Not B", "unparsed"),
    ("The answer is not B", "unparsed"),
    ("I would not choose B.", "unparsed"),
    # words that only resemble an option
    ("It wasn't very good.", "unparsed"),
    ("It was very good.", "unparsed"),
    ("It was never good.", "unparsed"),
    ("It was good-ish.", "unparsed"),
    ("It was good enough.", "unparsed"),
    ("It was not not terrible.", "unparsed"),
    ("It was okay.", "unparsed"),
    ("Good question! Let me think.", "unparsed"),
    ("Good. Let me think about the poem.", "unparsed"),
    ("goodness", "unparsed"),
    ("A poem like this is hard to judge.", "unparsed"),
    ("The answer is a kind one.", "unparsed"),
    ("a nice poem", "unparsed"),
    ("I", "unparsed"),
    ("Z", "unparsed"),
    ("Bob", "unparsed"),
    ("42", "unparsed"),
    ("<think>It was good, but I am not", "unparsed"),
    # nothing, and refusals
    ("", "empty"),
    (" \n\t ", "empty"),
    ("...", "empty"),
    ('""', "empty"),
    ("I'm sorry, but I can't help with that.", "refused"),
    ("I am sorry, I cannot answer this.", "refused"),
    ("I can\u2019t choose between these.", "refused"),
    ("As an AI, I have no opinions on poems.", "refused"),
    ("I must decline to answer.", "refused"),
    ("I won't choose.", "refused"),
    ("I'd rather not answer.", "refused"),
]

YES_NO = [
    ("Yes.", "yes"),
    ("yes", "yes"),
    ("NO", "no"),
    ("No, she didn't.", "no"),
    ("Yes, Ann thought so.", "yes"),
    ("Yes, there is no doubt.", "yes"),
    ("No, it wasn't terrible.", "no"),
    ("No. Ann gave it three hearts.", "no"),
    ("**Yes**", "yes"),
    ('"No."', "no"),
    ("Answer: Yes", "yes"),
    ("The answer is no.", "no"),
    ("Yes - she gave it 3 hearts", "yes"),
    ("Yes she did", "yes"),
    ("No because she gave it 3 hearts", "no"),
    ("A) Yes.", "yes"),
    ("A", "yes"),
    ("(B)", "no"),
    ("B) No", "no"),
    ("A) No", None),
    ("Yes and no.", None),
    ("Yes or no?", None),
    ("Yes/No", None),
    ("Yes. No.", None),
    ("No, I think yes.", None),
    ("No doubt she did.", None),
    ("Nobody knows.", None),
    ("Not sure.", None),
    ("Ann thought it was good.", None),
    ("A) Yes.\nB) No.", None),
]


@pytest.mark.parametrize(("text", "choice"), ANSWERED)
def test_answers_are_read(text: str, choice: str):
    assert READ(OPTIONS, text) == (choice, "answered")


@pytest.mark.parametrize(("text", "status"), LEFT_OUT)
def test_what_cannot_be_read_is_not_guessed(text: str, status: str):
    assert READ(OPTIONS, text) == (None, status)


@pytest.mark.parametrize(("text", "choice"), YES_NO)
def test_judgments_are_read(text: str, choice: str | None):
    assert READ(JUDGMENT, text) == (choice, "answered" if choice else "unparsed")


DECORATIONS = [
    "{text}",
    "{bare}",
    " {text}\n",
    '"{text}"',
    "\u201c{text}\u201d",
    "**{text}**",
    "*{bare}*",
    "{letter}) {text}",
    "({letter}) {text}",
    "{letter}. {bare}",
    "**{letter}) {text}**",
    "Option {letter}: {text}",
    "Answer: {text}",
    "The answer is {letter}) {text}",
    'The answer is "{bare}".',
    "{letter}",
    "{letter})",
    "({letter})",
    "{letter}.",
    "Option {letter}",
    "Answer: {letter}",
    "The answer is {letter}.",
    "<think>Hm, B or C?</think>{text}",
    "{text} That is what I think.",
    "{text}\n\nThis fits the goal best.",
]


@given(
    options=st.sampled_from([OPTIONS, JUDGMENT]),
    seed=st.integers(0, 10**6),
    place=st.integers(0, 7),
    decoration=st.sampled_from(DECORATIONS),
    spelling=st.sampled_from(["{}", "curly", "was not", "wasnt", "upper", "lower"]),
)
def test_any_option_in_any_dress_reads_as_itself(options, seed, place, decoration, spelling):
    shown = list(options)
    Random(seed).shuffle(shown)
    place %= len(shown)
    text = shown[place].text
    text = {
        "{}": text,
        "curly": text.replace("'", "\u2019"),
        "was not": text.replace("wasn't", "was not"),
        "wasnt": text.replace("wasn't", "wasnt"),
        "upper": text.upper(),
        "lower": text.lower(),
    }[spelling]
    answer = decoration.format(text=text, bare=text.rstrip("."), letter=LABELS[place])
    assert READ(shown, answer) == (shown[place].id, "answered")


@given(st.text(max_size=80))
def test_any_text_gets_a_status_and_never_an_error(text):
    choice, status = READ(OPTIONS, text)
    assert (choice is None) == (status != "answered")


@given(st.sampled_from(["terrible", "bad", "good", "amazing"]), st.data())
def test_a_negation_is_never_lost(word, data):
    """The plain adjective is never read in a negated one, whatever the words around it."""
    negation = data.draw(st.sampled_from(["wasn't", "was not", "wasn\u2019t", "wasnt", "WAS NOT"]))
    adverb = data.draw(st.sampled_from(["", "very ", "really ", "exactly ", "all that "]))
    tail = data.draw(st.sampled_from([".", "!", "", ", I think.", " at all."]))
    assert READ(OPTIONS, f"It {negation} {adverb}{word}{tail}").value != word


def test_more_phrasings_are_read_right_or_counted_as_unread() -> None:
    found = [(text, named, READ(OPTIONS, text).value) for text, named in phrases.MORE]
    assert [one for one in found if one[2] not in (one[1], None)] == []
    wanted = [one for one in found if one[1] is not None]
    assert len(found) > 150 and sum(one[2] is not None for one in wanted) > 0.7 * len(wanted)


@pytest.mark.parametrize(("text", "named"), phrases.BY_FORM)
def test_a_further_phrasing_names_its_option_or_is_unread(text: str, named: str | None) -> None:
    assert READ(OPTIONS, text).value in (named, None)


def test_of_the_further_phrasings_few_are_unread() -> None:
    wanted = [(text, named) for text, named in phrases.BY_FORM if named is not None]
    unread = [text for text, named in wanted if READ(OPTIONS, text).value is None]
    assert len(phrases.BY_FORM) > 150 and len(unread) <= 0.1 * len(wanted), unread


def test_phrasings_that_were_written_before_they_were_read() -> None:
    found = [(text, named, READ(OPTIONS, text).value) for text, named in phrases.WRITTEN_FIRST]
    assert [one for one in found if one[2] not in (one[1], None)] == []
    assert len(found) == 60


@pytest.mark.parametrize(("text", "named"), phrases.NEVER_MISREAD)
def test_a_later_phrasing_names_its_option_or_is_unread(text: str, named: str | None) -> None:
    assert READ(OPTIONS, text).value in (named, None)
