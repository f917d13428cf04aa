"""Sixty phrasings, each with the option that it names; written before they were ever read.

Of the options of further_phrases. An answer may be counted as unread; it is never read as
another option.
"""

from __future__ import annotations

FRESH = [
    # corrections and hesitation
    ("A? No. I'd settle on E.", "not terrible"),
    ("It was good -- strike that -- it wasn't good.", "not good"),
    ("Edit: It was bad, not It was good.", "bad"),
    ("It was amazing (I first typed 'It was terrible').", "amazing"),
    ("Hmm, C or D? D.", "amazing"),
    ("Either B or F; if I must choose, F.", "not bad"),
    ("It was good. Or rather: it wasn't bad.", "not bad"),
    ("It was good, or perhaps it was amazing. Hard to say.", None),
    ("Not It was good. Not It was bad. It wasn't bad.", "not bad"),
    ('I\'d avoid "It was terrible." and say "It wasn\'t amazing."', "not amazing"),
    ("Between C and D I prefer C.", "good"),
    ("Between C and D I cannot decide.", None),
    ("C -> D", None),
    ("Option E over option A.", "not terrible"),
    ("Everything but B is a lie, so B.", "bad"),
    ("Anything except B.", None),
    # form
    ('{"reasoning": "A is rude, D is false", "final": "G"}', "not good"),
    ('{"A": 0.1, "B": 0.9}', None),
    ('{"answer": "A or B"}', None),
    ('{"answer": "(B)"}', "bad"),
    ("answer:\n  option: C\n  text: It was good.", "good"),
    ("| option | chosen |\n|---|---|\n| C | yes |", None),
    ("$\\boxed{\\text{It wasn't bad.}}$", "not bad"),
    ("\\boxed{H}", "not amazing"),
    ("<final>D</final>", "amazing"),
    ("[C]", "good"),
    ("((C))", "good"),
    ('Option "C"', "good"),
    ("C\n\nC\n\nC", "good"),
    ("C, C, and once more D.", None),
    ("- [ ] It was terrible.\n- [x] It was bad.\n- [ ] It was good.", "bad"),
    ("It was good\tIt was good", "good"),
    ("#C", "good"),
    ("C:", "good"),
    ("\ufeffC", "good"),
    ("\u200bIt was good.\u200b", "good"),
    ("It\u00a0was\u00a0good.", "good"),
    ("It wasn\u02bct bad.", "not bad"),
    ("IT WASN'T AMAZING!!!", "not amazing"),
    ("it wasnt terrible", "not terrible"),
    ("It was not good.", "not good"),
    ("\U0001d402", "good"),
    ("\u24b8", "good"),
    ("\uff23", "good"),
    # thoughts
    ("<think>B?</think><think>no, C</think>D", "amazing"),
    ("<think>It was bad.</think>", None),
    ("<|channel|>analysis<|message|>B is kind.<|end|><|channel|>final<|message|>C", "good"),
    ("Thought: B would hurt.\nAction: C", "good"),
    ("Reasoning: It was bad would hurt her. Final: It wasn't good.", "not good"),
    # refusals, other speakers, and running on
    ("I can't answer C or any other option.", None),
    ("As an AI I have no opinion, but the kindest is D.", "amazing"),
    ("I won't say it was terrible.", None),
    ("She would want to hear D, but I say G.", "not good"),
    ('Bob hopes for "It was amazing." Ann says: "It wasn\'t amazing."', "not amazing"),
    ("My friend would answer A.", None),
    ("C\nQuestion 2: Ann rated the cake 1 of 3 hearts. Answer: A", "good"),
    ("It was good.\n\nUser: And the film?\nAssistant: It was bad.", "good"),
    ("None of these; it was mediocre.", None),
    ("The first one.", None),
    ("It was good for nothing.", None),
]
