"""Whether a message that names the other side's price takes it, or only talks about it."""

from __future__ import annotations

import re

from many_wolves.families.bargaining.reading import move_cues
from many_wolves.families.bargaining.reading.patterns import compiled

_TAKES_BEFORE = compiled(
    r"\b(?:i(?:'m|'ll|'d|'ve)?|we(?:'ll|'re|'ve)?|let(?:'s| us| me))\b[^;!?]*\b(?:do|pay(?:ing)?|"
    r"tak(?:e|ing)|accept(?:ing)?|agreed?|meet|match|sell(?:ing)?|let(?:ting)?|buy(?:ing)?|"
    r"purchas(?:e|ing)|giv(?:e|ing)|offer|stick|settle|go|get|have|make|call|say|thinking|consider|"
    r"lower|reduce|come|drop|raise|compromise|middle ground|balance|deal|agreement|comfortable|"
    r"okay|ok|fine|happy|sure|lowest|highest|best|work|want|close|finali[sz]e)\b[^;!?]*$",
    r"\b(?:yes|yeah|ok|okay|alright|all right|fine|sure|agreed|sold|deal|done|you win|then)\b"
    r"[^.;!?]{0,15}$",
    r"\bmy (?:\w+ )?(?:offer|bid|price|answer)\b[^;!?]*$",
    r"\byou (?:can|may|could) (?:have|take|buy) (?:it|this|them|the \w+)\b[^.;!?]*$",
    r"\baccept\b[^;!?]*$",
)
_TAKES_AFTER = compiled(
    r"^\s*(?:\w+ (?:month|week|night|dollars?) )?(?:it (?:is|will be)|then|works?|will (?:do|work)|"
    r"(?:is|would be) (?:the|my|our) (?:lowest|highest|best|final|limit)|"
    r"(?:is|'s|sounds?|seems?|looks?|would be|feels?)(?: \w+){0,2}? (?:good|fair|fine|great|ok|"
    r"okay|acceptable|reasonable|perfect|doable|alright|deal(?! breaker))|"
    r"and (?:we|it|that|you)\b|please|cash|total|final|for (?:it|me|us|you))\b"
)
_UNREAL = compiled(
    r"\b(?:wish|nobody|no one|sooner|rather not|before|until|unless|when(?:ever)?|did you|why|how|"
    r"agree that|(?:would|'d|could) have|yesterday)\b(?! about)[^.,!?\n]{0,80}$",
    r"^\W*(?:were|had|should)\b",
)
"""Left of the price: a wish, a past, a case that is not so."""
_NOT_AS_IT_IS = compiled(
    r"^\s*(?:from|plus|later|next (?:week|month|year)|is (?:your|what you|all you))\b"
)
_LIKES = compiled(r"\b(?:love|like) to\b")
_ENDS_IN_NO = compiled(r"\bno\W*$")


def takes(text: str, before: str, after: str) -> bool:
    """Whether a message takes the other side's price, which it names.

    Only words that take a price count. A message that merely names it is talk.

    Parameters
    ----------
    text
        The message.
    before, after
        What stands around the price within its sentence.
    """
    if _UNREAL.search(before) or _NOT_AS_IT_IS.match(after) or _ENDS_IN_NO.search(text):
        return False
    wished = _LIKES.search(before) and re.search(r"\bbut\b", after)
    if wished or move_cues.CONDITION.search(f"{before} {after}"):
        return False
    alone = not re.search(r"\w", before)
    bare = (alone or move_cues.YES.match(before)) and not re.search(r"\w", after)
    return bool(
        bare
        or (alone and move_cues.AGREES.match(text))
        or move_cues.PROPOSES.search(before)
        or _TAKES_BEFORE.search(before)
        or _TAKES_AFTER.match(after)
    )
