"""Turns of phrase that accept, leave, refuse the task, add goods, or belong to one role."""

from __future__ import annotations

from many_wolves.families.bargaining.reading.patterns import NOT, compiled

_WILL = (
    r"\bi(?:'m| am)?(?: (?:can|will|do|could|would|gladly|happily|happy|glad|willing|be|to|also|"
    r"still|just|definitely|think i can|guess i can|suppose i can|have to)|'ll|'d)+\s+"
)
"""``I will``, ``I'd be happy to``, ``I guess I can``."""
_IT = r"(?:it|this|that|them|both|one|the \w+|your \w+)"

ACCEPTS = compiled(
    # deal
    r"\b(?:it'?s|it is|that'?s|that is|we(?:'ve| have)?(?: got)?|you(?:'ve| have)? (?:got|have)"
    r"(?: yourself)?|you have yourself|got yourself|this is|call (?:it|that)|consider it)"
    r"(?: now)? an? (?:done )?deal\b"
    r"(?![\s-]+(?:breaker|killer|i|you|we|that|which|nobody|of|worth|only|for (?:you|some\w+))\b)",
    r"(?:^|[.!?,;:-] ?|\b(?:ok|okay|alright|all right|yes|yeah|sure|eh|and|so|then|accepted) )deal"
    r"(?= ?(?:[.!,;:)]|$|\s+(?:then|done|it is|accepted|at|for|thank\w*|\$|on)\b|\s+[$\d]))",
    r"\b(?:agreed|congratulations)\b",
    r"\bsold\b(?! (?:it|out|one|another|mine|to|my|the|for (?:less|more)))",
    # accept, agree
    rf"(?:{_WILL}|\bi )accept\b"
    + r"(?! (?:cash|paypal|venmo|payment|a (?:check|lower)|any|less|offers|that you))",
    r"(?:\b(?:i'm|i am|gladly|happily|hereby) accepting|\baccept(?:ed)?) your "
    r"(?:offer|price|proposal|deal)\b",
    r"\b(?:offer|price|proposal) (?:is )?accepted\b",
    r"^\W*(?:accept(?:ed)?\W*$|accepted,)",
    r"\bmy answer is yes\b",
    _WILL
    + r"agree (?:to|with|on) (?:that|this|it|your|those terms|the (?:price|offer|deal|terms))\b",
    r"\bi agree\b(?! (?:that|it|this|with you that|the|but|to sell|to pay|to buy)|, but)",
    r"\bwe(?:'ve| have)? (?:a )?(?:reached )?(?:an )?agree(?:d|ment)\b",
    # take it
    _WILL + rf"(?:go ahead and )?(?:take|buy|grab|purchase|have) {_IT}\b",
    r"\bi(?:'ll| will) take you up on\b",
    r"\bi(?:'ll| will) (?:go (?:with|for) (?:it|that|this)|do (?:it|that)|pay (?:it|that))\b",
    r"\byou(?:'ve| have)? got (?:it|yourself)\b",
    r"\b(?:it'?s|it is) (?:all )?yours\b",
    r"\b(?:well|ok|okay|fine|alright|all right)[\W_]+take (?:it|the \w+)(?= ?[.!]|$)",
    r"\bi(?:'ll| will) (?:pay|take|accept|match) "
    r"(?:what (?:you|you're|you are) ask(?:ing)?|your price)\b",
    # close
    r"\blet(?:'s| us|s) (?:do (?:it|that|this)|make (?:the|this|that|it a) (?:deal|purchase|trade|"
    r"sale|exchange)|close (?:the deal|it|this)|shake(?: hands)?|seal (?:the|this) deal|"
    r"finali[sz]e|settle (?:on|for|at) (?:it|that|this)|go with that|"
    r"agree (?:on|to) that|proceed)\b",
    r"\bshake on (?:it|that)\b",
    r"\b(?:that(?:'s| is)|this is) (?:a )?done\b",
    r"^\W*done\W*(?:deal\W*)?$",
    r"\b(?:i(?:'ll| will)|let me) (?:wrap|pack|get) (?:it|the \w+) (?:up )?for you\b",
    r"\bhere(?:'s| is| are) (?:the|my) (?:money|cash|payment)\b",
    r"\b(?:i'm|i am|count me) in(?= ?[.!,]|$)",
)
"""The speaker takes the standing price."""
MAY_ACCEPT = compiled(
    r"\b(?:sounds?|looks?|seems?) (?:very |really |pretty |more than )?(?:good|great|fair|fine|"
    r"reasonable|perfect|awesome|wonderful|okay|ok|excellent|fantastic|"
    r"like a (?:good |fair |great )?(?:deal|plan|bargain))\b",
    r"\b(?:that|this|it|which|\$?\d[\d.,]*)"
    r"(?:'s| is| would be|'ll be| will be| should be| price is)? (?:a |more than )?"
    r"(?:works?|fine|fair|good|great|perfect|okay|ok|acceptable|reasonable|doable|alright)"
    r"(?: enough)?(?: (?:price|offer|compromise))?(?: (?:for|with|to|by) (?:me|us))?\b"
    r"(?! (?:condition|quality|shape|bike|car|phone|balloon|price|deal))",
    r"\bthat(?:'ll| will| would|'d)? work\b",
    r"\bi can (?:do|live with|work with|manage|handle|go with|make) (?:that|this|it)\b(?! for)",
    r"\b(?:works for|fine by) me\b",
    r"\bfair enough\b",
    r"\bthat'?ll do\b",
    r"\bi(?:'m| am) (?:good|okay|ok|fine|happy|satisfied) with (?:that|this|it)\b",
    r"\bi guess (?:that works|that will)\b",
    r"\b(?:no problem|of course|absolutely|you win)\b",
)
"""The speaker may be taking the standing price, unless something in the message speaks against."""
YES = compiled(
    r"^(?:\W|\b(?:ok|okay|okey|k|yes|yeah|yep|yup|sure|alright|all right|fine|great|perfect|"
    r"awesome|cool|good|wonderful|excellent|fantastic|done|deal|lovely|super|then|i guess|well|"
    r"thing|you win|sir|ma'am|thanks?|thank you|thx|ty|so much|very much|a lot)\b)+$"
)
"""Nothing but a yes, with thanks or without."""
THANKS = compiled(r"^(?:\W|\b(?:thanks?|thank you|thx|ty|so much|very much|a lot|you)\b)+$")
"""Nothing but thanks."""
AGREES = compiled(
    r"^(?:eh|well|hmm|oh|,| )*(?:ok|okay|fine|alright|all right|agreed|sure|yes|deal)\b",
    r"\bit is(?= ?(?:[.!,]|$|then))",
    r"\b(?:sounds|seems|is|works) (?:a )?(?:good|fair|fine|reasonable|for me)\b",
)
"""The speaker agrees, and then names a price."""
PROPOSES = compiled(
    r"\b(?:how|what) about\b",
    r"\b(?:can|could|shall|should|may) (?:we|i)\b",
    r"\b(?:would|will|could|can) you (?:take|accept|do|agree|sell|go|let|give|be (?:ok|okay|happy|"
    r"willing))\b",
    r"\b(?:what if|let's|so|deal at)\b",
    r"\bi(?:'m| am|'d| would| can| could| was)\b.*"
    r"\b(?:willing|do|thinking|meet|pay|take|offer|give|go)\b",
    r"\bwe can (?:do|agree|meet|say)\b",
)
"""Left of a price in a question: it is proposed."""
_DECLINES = (
    rf"{NOT}[^.,;!?\n]{{0,40}}\b(?:accept|agree|deal|take|do|sell|buy|go|pay|afford|work|let|offer|"
    r"give)\b",
    r"\bno deal\b",
    r"\bwalk(?:ing)? (?:away|out)\b",
)
DECLINES = compiled(*_DECLINES)
"""In the sentence of the other side's price: it is declined."""
REJECTS = compiled(
    *_DECLINES,
    r"\btoo (?:low|high|much|steep|expensive|little|far)\b",
    r"\b(?:bit|little|tad) (?:low|high|steep|much)\b",
    r"\b(?:unfortunately|sorry|however|but|only if|unless)\b",
    r"\b(?:tell me|more about|make an offer|discuss\w*|looking for|to know|to hear|interested in|"
    r"better idea|negotiat\w+|wondering|hoping|not interested)\b",
)
"""What speaks against taking for an acceptance what may be one."""
NOT_ACCEPTED = compiled(
    rf"{NOT}[^.,;!?\n]{{0,30}}$",
    r"\b(?:if|unless|before|until|whether|when|once|order to|want to|like to|ready to|why should|"
    r"(?:can|could|may|should) i|(?:would|will|can|could|do) you|please|"
    r"hope(?: you)?(?: to)?|wish|might|may|almost|about to)\b[^.!?\n]{0,60}$",
    r"\b(?:more|another|extra|plus|minus|higher|lower)\b[^.!?\n]{0,40}\band\s*$",
    r"(?:^|[.,;:!?] )(?:just )?(?:knock|take|shave|drop|come|go|lower|raise|make|add|give|pay|"
    r"bring|cut)\b[^.!?\n]{0,60}\band\s*$",
)
"""Left of an acceptance: it is negated, a condition, or asked of the other side."""
CONDITION = compiled(
    r"\bif\b(?! (?:needed|necessary|possible|you (?:like|want|wish)))",
    r"\b(?:as long as|provided(?: that)?|unless|assuming|on (?:the )?condition)\b",
)

WALKS = compiled(
    r"\bi(?:'ll| will|'m going to| am going to|'m gonna| have to| must|'ve decided to|'d rather|"
    r" would rather|'ll have to| will have to)?(?: just)? (?:be )?walk(?:ing)? (?:away|out)\b",
    r"\bi(?:'m| am) (?:walking|leaving|out)\b(?! (?:of (?:town|state)|town|on|my|the|for))",
    r"\bi(?:'ll| will| have to|'ll have to| will have to|'m going to have to|'m going to|"
    r" am going to| think i'll| guess i'll| must)?(?: just)? (?:have to )?"
    r"(?:pass(?! (?:it|on|this))|(?:look|shop|go) elsewhere|buy (?:it )?elsewhere|keep looking|"
    r"keep (?:it|the(?: \w+){1,3}) (?:for )?myself|leave it(?: at that| there| here)?|find another|"
    r"try (?:another|somewhere)|look for another|move on|wait for another|"
    r"go with (?:someone|another|somebody)|end (?:this|the) (?:negotiation|conversation|talk)s?)\b",
    r"\bwalk(?:s|ing)? away(?= ?[.!]|$)",
    r"\bi(?:'m| am)(?: really| just)? (?:not interested|no longer interested|done here|"
    r"done negotiating|calling it off)\b",
    r"\b(?:(?:good ?)?bye|farewell)\b",
    r"\bnothing (?:more|else|left) to (?:discuss|say|talk about|negotiate)\b",
    r"\bi(?:'m| am) off(?= ?[.!]|$)",
    r"\bno deal(?= ?[.!]|$| then| today| for me| here)",
    r"\blet(?:'s| us) (?:end|stop) (?:here|this|the|it|there|now)\b",
    r"\bwe (?:can(?:'|no)?t|cannot|could ?n'?t|are unable to|won't|will not|did not) "
    r"(?:reach|come to|make|find|agree|have)\b[^.,;!?]{0,20}\b(?:agreement|deal|terms|price)\b",
    r"\b(?:negotiations?|talks?|conversation) (?:is|are) over\b",
    r"\bi quit\b",
    r"\bforget (?:about )?it(?= ?[.!]|$)",
    r"\b(?:there(?:'s| is) no|we have no) (?:deal|sale)\b",
    r"\bwe(?:'re| are) done(?: here)?\b",
    r"\bi(?:'ll| will) leave\b(?! (?:it|you|the|my|a))",
    r"\bgood luck (?:selling|finding|with (?:your|the) (?:sale|search))\b",
    r"^\W*no,? thanks?(?: you)?,? (?:i(?:'ll| will) )?pass\W*$",
)
"""The speaker leaves, or ends the talk."""
NOT_WALKED = compiled(
    r"\b(?:if|unless|or(?: else)?|otherwise|before|might|may|could|would have to|hate to|without|"
    r"about to|ready to|willing to|prepared to|free to)\b[^.!?\n]{0,60}$",
    rf"(?:{NOT}|\b(?:rather not|you(?:'re| are| can|'ll| will)?)\b)[^.,;!?\n]{{0,40}}$",
)
"""Left of a cue of leaving: a threat, a condition, or another's leaving."""

REFUSES = compiled(
    r"\bas an? (?:ai|artificial|(?:large )?language model|assistant)\b",
    r"\bi(?:'m| am) (?:just |only )?an? (?:ai|artificial|(?:large )?language model)\b",
    r"\bi (?:can(?:'|no)?t|cannot|can not|won't|will not|am unable to|am not able to|"
    r"must decline to|am not comfortable) (?:help|assist|participate|take part|role-?play|engage|"
    r"comply|fulfil?l|pretend|impersonate|buy or sell|negotiat\w+|bargain|haggle)\b"
    r"(?! (?:on|with|over) (?:the |that |this )?(?:price|you))",
)
"""The speaker declines the task, not an offer."""

EXTRAS = compiled(
    r"\b(?:throw(?:n|ing)?|toss(?:ed|ing)?|add(?:ed|ing)?) in\b",
    r"\b(?:include|including|add|adding|bundle|give (?:you|me)|get|with|and|plus)\b[^.,;!?]{0,20}"
    r"\b(?:free|extra|another|second|additional|bonus|gift|ribbon)\b",
    r"\bfree (?:of charge|gift|ribbon|\w+)\b(?<!free to)",
    r"\b(?:free|with|include|including|if you|and|also|,) ?(?:can |could |will )?"
    r"(?:deliver(?:y|ed)?|shipping)\b",
    r"\b(?:two|three|four|five|several|2|3|4|5|both|a pair of|a set of|multiple) "
    r"(?:of (?:them|these|those|your)|\w{2,14}s)\b"
    r"(?= (?:(?:for|at) \$?\d|total|together|if|instead))",
    r"\b(?:two|three|four|five|several|2|3|4|5) for \$\d",
    r"\bboth (?!of us|sides|parties|ends|happy|agree|win)\w+s\b",
    r"\bextra (?:balloon|one|item|piece|\w+) (?:for|with)\b",
    r"\bfor both\b(?! of us| sides| parties| ends)",
    r"\bbuy (?:two|three|both|more than one|several|one)\b",
    r"\b(?:in exchange|trade) for (?:my|your|a)\b",
    r"\bas a (?:bonus|gift)\b",
    r"\b(?:another|second|extra) (?:one|balloon|item|piece)\b",
    r"\brefer (?:a friend|friends|you)\b",
)
"""Goods or services added to the one for sale."""
EXTRAS_DECLINED = compiled(
    r"\b(?:no|without|not|don't|can't|won't|cannot|nothing|already|comes? with|came with)\b"
    r"[^.,;!?]{0,30}$"
)
"""Left of words for extras: there are none."""

SELLER_WORDS = compiled(
    r"\b(?:i|we)(?:'ll| will| can(?:'t|not| not)?| could(?:n't)?| would|'d|'m| am| agree to)?"
    r"(?: really| just| definitely)?(?: be)?(?: willing to| able to| happy to| going to)? "
    r"?sell(?:ing)?\b",
    r"\bmy (?:asking|lowest|minimum|selling|starting) price\b",
    r"\bi(?:'m| am) (?:the seller|selling)\b",
)
"""What only a seller says."""
BUYER_WORDS = compiled(
    r"\bi(?:'ll| will| can| could| would|'d|'m| am| want to)?(?: be)?(?: willing to| able to|"
    r" happy to| going to)? ?(?:buy|purchase)(?:ing)? (?:it|this|the|your|that)\b",
    r"\b(?:i|we)(?:'ll| will| can| could| would|'d)? (?:only )?pay(?: you)?\b",
    r"\bi(?:'m| am) (?:the buyer|willing to pay)\b",
    r"\bmy (?:budget|maximum|top offer)\b",
    r"\bi(?:'ll| will) take (?:it|this|the) (?:for|at)\b",
    r"\b(?:i|we)(?:'ll| will| can| could| would|'d)? (?:offer|give) you\b[^.,;!?]{0,30}"
    r"\bfor (?:it|your|the|this)\b",
)
"""What only a buyer says."""
ASKED = compiled(r"\b(?:you|would you|could you|can you|will you|if you|did you)\b[^.!?]{0,40}$")
"""Left of such words: they are about the other side."""
