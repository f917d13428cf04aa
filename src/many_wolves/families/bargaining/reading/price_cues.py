"""Words next to an amount that show whether the speaker offers it or only mentions it."""

from __future__ import annotations

from many_wolves.families.bargaining.reading.patterns import (
    NOT,
    WITHIN,
    any_of,
    compiled,
    left_of_amount,
    right_of_amount,
)

ANOTHER = (
    r"(?:(?:my|our|a|an|another|the (?:last|other|previous)|one|some) (?:\w+ )?"
    r"(?:friend|neighbou?r|brother|sister|cousin|uncle|aunt|mother|father|wife|husband|boss|"
    r"colleague|buyer|seller|customer|client|guy|man|woman|person|lady|shop|store|dealer)s?)"
)
"""Somebody who is not at the table."""
_THAN = r"(?: tha[nt]| past)?"
_DOWN = any_of(
    rf"(?:any )?(?:lower|less|cheaper|below|under|beneath){_THAN}",
    r"(?:go|come|drop|get|budge) (?:any )?(?:down|further)(?: than| past| below| to less than)?",
    rf"(?:reduce|lower|drop|decrease|cut|discount|bring)\b{WITHIN}{{0,30}}?"
    r"(?:more than|below|under|beyond|past|further than)",
    r"a (?:penny|cent|dollar) (?:less|lower|under)(?: than)?",
    r"do (?:any )?better than",
    r"at least",
)
_UP = any_of(
    rf"(?:any )?(?:higher|more|above|over|beyond){_THAN}",
    r"(?:go|come) up (?:any (?:higher|more|further) )?(?:than|past|beyond|to more than)",
    r"exceed",
    r"a (?:penny|cent|dollar) more(?: than)?",
)
LIMIT = left_of_amount(
    rf"{NOT}{WITHIN}{{0,45}}?\b{_DOWN}",
    rf"{NOT}{WITHIN}{{0,45}}?\b{_UP}",
    r"\b(?:no|nothing|not) (?:less|lower|cheaper|below|under|more|higher|above|over)(?: tha[nt])?",
)
"""Left of an amount: it is as far as the speaker goes ("can't go lower than"), so its offer."""

OWN_FIRST = left_of_amount(
    r"\b(?:my|our) (?:\w+ )?(?:asking|starting|list|listing|original|full|initial)(?: price)?"
    r"(?: (?:is|was|remains|stays|still|already|at|of|for))*",
    r"(?:^|\b(?:i|we)(?:'m| am|'re| are)? |[,;] )(?:asking|starting|selling)"
    r"(?: (?:it|this|price|is|was|at|of|for))*",
)
"""Left of an amount: the seller states its own first price."""
LISTED = left_of_amount(
    r"\b(?:listed|list(?:ing)?|asking|starting|original|full|initial|posted|advertised|sticker|tag)"
    r"(?: selling| sale)?(?: price)?"
    r"(?: (?:it|this|that|is|was|already|currently|of|at|for|about|as))*"
)
"""Left of an amount: the price in the advertisement."""
COMMITS = compiled(
    r"\b(?:sell|selling|let|letting|take|taking|accept|pay|paying|give|do|stay|stick|sticking|"
    r"remains?|stands?|firm|keep|keeping|offer|agree|buy|match|meet|go with)\b[^.,;!?]*$"
)
"""Left of the price in the advertisement, or of the other's: the speaker would do it."""
NEAR = compiled(r"\b(?:close|closer|closest|near|nearer) to\s+(?:\w+\s+){0,3}$")
"""Left of such a price: it is only a direction."""

MENTION_BEFORE = left_of_amount(
    # other prices
    r"\b(?:down|up) from",
    r"\bfrom",
    r"\bback to",
    r"\blose (?:money|a lot)? ?(?:at|with)",
    r"\binstead of",
    r"\b(?:rather|sooner) than",
    rf"\b(?:rather|sooner)\b{WITHIN}{{0,40}}\bthan\b{WITHIN}{{0,20}}",
    r"\b(?:call|ring|text|phone|reach) (?:me|us) (?:back )?(?:at|around|by|before|after)",
    r"\b(?:see you|be there|come by|stop by|open|close|home)(?: \w+)? (?:at|around|by|until)",
    r"\bpick (?:it|this|that) up (?:at|around|by|before|after)",
    r"\bcompared (?:to|with)",
    r"\boriginally",
    r"\bused to be",
    r"\bpriced at",
    r"\bfor sale (?:at|for)",
    r"\bregular(?:ly)?(?: price)?(?: (?:is|of|at))?",
    r"\b(?:normally|usually)",
    r"\b(?:my|the|our) target(?: price)?(?: of)",
    r"\bmarket (?:value|price|rate)(?: (?:is|of|at))?",
    r"\b(?:kelly )?blue book[^.,;!?]{0,20}",
    r"\bmsrp(?: is| of| was)?",
    # what it costs elsewhere, or once
    r"\bretail(?:s|ed|ing)?(?: price)?(?: (?:is|of|at|for))?",
    r"\b(?:they|these|those|others|ones|similar \w+|people)\b[^.,;!?]{0,25}"
    r"\b(?:sell|go|retail|cost|run|were|are|sold|ask|pay)(?: \w+)?(?: for| at)?",
    r"\b(?:goes|retails|runs|sells)(?: \w+)? (?:for|at)",
    r"\b(?:are|were) (?:selling|going|listed) (?:for|at)",
    r"\b(?:were|was)",
    r"\b(?:found|seen|saw|find)\b[^.,;!?$\d]{0,40}\b(?:for|at|around)",
    r"\b(?:these|those|them|ones|products?|others?|similar \w+|models|homes|units)"
    r" (?:going|selling) (?:for|at)",
    r"\b(?:it|this|one|new|that) (?:was|costs)(?: \w+)?",
    r"\bnew (?:for|at|is|was|price)(?: is| was)?",
    r"\b(?:worth|paid)",
    r"\bpaid\b[^.,;!?$\d]{0,25}\b(?:was|is)",
    r"\bi(?:'ve)?(?: \w+)? sold\b[^.,;!?$\d]{0,20}\b(?:for|at)(?: (?:is|was))?",
    r"\b(?:payments?|install?ments?) of",
    r"\b(?:bought|purchased|got|found|saw|seen) (?:it|this|them|one|mine|that)(?: \w+){0,2}"
    r" (?:for|at)",
    r"\bcosts?(?: me| us| you| them)?(?: new)?(?: of)?",
    r"\bvalued? (?:at|of|is)",
    r"\bappraised at",
    # what the other side said
    r"(?<!do )(?<!would )(?<!did )(?<!can )(?<!could )\byou(?:'re| are|r|'ve| have)?(?: \w+)?"
    r" (?:asking|offering|said|say|offered|asked|want|wanted|mentioned|listed|proposed|suggested|"
    r"quoted|posted)(?: (?:for|about|me|it|at|to|pay|is|of|\w+ at))*",
    r"\byour (?:budget|limit|target|range)(?: price)?(?: (?:of|at|for|is|was|to|about))*",
    r"\byour willingness to[^.,;!?$\d]{0,40}",
    r"\b(?:had|have|got|gotten|received|another|someone|somebody) (?:\w+ )?(?:an )?offers?"
    r" (?:of|for|at)",
    r"\bother offers? (?:of|for|at)",
    r"\boffers for",
    r"\boffered(?: me)?",
    rf"\b{ANOTHER}\b{WITHIN}{{0,25}}\b(?:accepted|took|got|sold|bought|asked|asks|wants?|wanted|"
    rf"offers|pays|paid)\b{WITHIN}{{0,20}}?",
    r"\bwhether(?: or not)?",
    # sums other than a price of the good
    r"\b(?:difference|gap) (?:of|is)",
    r"\bsav(?:e|es|ing|ings)(?: of| you| me)?",
    r"\bshy of",
    r"\bwithin",
    r"\b(?:deposit|fee|profit|credit|discount) of",
    r"\b(?:throw|toss|add) in (?:\w+ ){0,3}?",
    r"\bfee is",
    r"\btaxes?(?: of)?",
    r"\bbudget was",
    r"\b(?:already|currently) (?:have|had|got)[^.,;!?]{0,20}",
    r"\b(?:plus|additional|extra|regarding|rated for)(?: up to)?",
    r"\b(?:margin|profit|break even)\b[^.,;!?$\d]{0,20}\b(?:at|on)",
    r"\b(?:lower|higher|less|more|closer|cheaper|better|greater) tha[nt]",
    r"\b(?:below|under|above|over|exceeding)",
)
"""Left of an amount: it is mentioned, not offered."""

_MUCH = (
    r"(?:(?:a|bit|little|way|much|far|just|still|really|kind|of|quite|very|slightly|simply|"
    r"definitely|already|somewhat|lot|touch|tad)\s+)*"
)
MENTION_AFTER = right_of_amount(
    r"(?:(?:for (?:it|this|that|me|us|(?:the|a) \w+)|cash|total|though|price|range|offer|mark|"
    r"now|right now)\s+)*"
    r"(?:is|was|'s|seems?|sounds?|feels?|(?:would|might) (?:still )?be|are|is (?:just|still)|still)"
    rf"\s+{_MUCH}"
    + any_of(
        r"too\b",
        r"(?:above|over|out of|outside|beyond|below|under)\b",
        r"(?:more|less|lower|higher) than\b(?! (?:fair|reasonable|enough|okay|ok|fine|good|happy))",
        r"(?:steep|high|low|much|expensive|pricey|hard|difficult)\b",
        r"(?:unacceptable|unreasonable|impossible|insulting|an insult)",
        r"n(?:o|')t\b",
        r"my (?:loss|cost)",
        r"what (?:i|we) paid",
        r"the (?:list|asking|original|retail)",
    ),
    r"(?:isn|wasn|doesn|won|wouldn|can|ain)'?t\b",
    r"(?:does|will|would|can)\s?not\b",
    r"too (?:much|low|high|steep)\b",
    r"off\b(?! your hands| my (?:hands|back)| our hands| the table)",
    r"(?:bills?|notes?|margin)\b",
    rf"[^.;!?]{{0,20}}\bbut (?:i|we) {NOT} (?:do|accept|take|go|agree to) (?:that|it|there)\b",
    r"(?:worth|of worth)\b",
    r"(?:discount|(?:security )?deposit|cheaper|fees?|tip|profit|difference|loss|value)\b",
    r"(?:for|in) (?:delivery|shipping|gas|tax|taxes|repairs?|parts?|labor)\b",
    r"(?:delivery|shipping|service|processing) (?:fee|charge|cost)",
    r"(?:less|more|extra|lower|higher|below|above|under|over)(?: than)?\b(?! and)",
    r"(?:new|retail|barely)\b",
    r"in (?:the )?(?:store|shop)s?\b",
    r"in (?:the |my |our )?(?:bank|savings)\b",
    r"(?:each|a piece|apiece) new\b",
    r"on (?:amazon|ebay|craigslist)\b",
    r"(?:gift ?card|worth of\b)",
    r"would (?:mean|put|leave|make) (?:me|a loss)",
    r"(?:\w+ ){0,2}(?:accessor(?:y|ies)|package|upgrades?|credit|voucher|kit)\b",
)
"""Right of an amount: it is mentioned, not offered."""

NEGATED = compiled(rf"{NOT}(?P<between>{WITHIN}{{0,60}})$")
"""Left of an amount: within the clause, the speaker says what it does not do."""
NEGATION_ENDS = compiled(
    r"\b(?:but|however|how about|what about|though|although|instead|unless|so|if)\b"
)
ASKS = compiled(
    r"(?:^|[,;] |\b(?:but|and|so|then) )"
    r"(?:what(?! (?:about|if|do you say|would you say|say you))|why(?! not)|when|where|who|"
    r"how(?! (?:about|does|would|is|do .{0,15}sound)))\b[^?]*$"
)
"""Left of an amount in a question: the price is asked about, not offered."""

ECHOED = compiled(
    r"^(?:\s*\$?\w+)?\s*\?+!*\s*(?:ha\W*)*(?:in your dreams|no(?! problem| doubt)|nope|never|"
    r"not (?:a chance|going|gonna|for|at|likely|happening|possible|enough)|forget (?:about )?it|"
    r"dream on|ridiculous|absurd|(?:(?:that|it)(?:'?s| is) )?(?:way |far |much )?too\b|"
    r"out of the question|you must be|are you (?:kidding|serious|joking)|hardly|impossible|"
    r"what a joke)\b"
)
"""Right of an amount: the other side's price is repeated as a question, and turned down."""
RELATIVE = compiled(
    r"\d(?: dollars?)? (?:more|less|higher|lower|above|below|over|under)(?: than)? "
    r"(?:your|the|that|my|what)\b"
)
"""A price is named by its distance from another one."""

OTHERS = left_of_amount(
    r"\byour (?:\w+ )?(?:offer|price|bid|ask|listing|number|proposal|counter(?:-?offer)?)?"
    r"(?: (?:of|at|for|is|was|to|about))*",
    r"\b(?:the|that|this) (?:offer|price|proposal) of",
)
"""Left of an amount: it is the other side's price."""

MENTION_JOINT = compiled(r"^\s*(?:-|or|and|/)\s*$")
"""Between a mention and what is another one for that."""
RANGE_JOINT = compiled(r"^\s*(?:-|to|or|and|/|up to)\s*(?:maybe |even |like )?$")
BETWEEN = compiled(r"\b(?:between|anywhere from|somewhere (?:from|between)|either)\s+$")
"""Between, and left of, the two ends of a range."""
WITH_CONDITION = compiled(
    r"^[^.!?,;$\d]{0,12}\b(?:if|pick(?:ed)? ?up|delivered|with|without|shipped|as is|plus|"
    r"incl\w*|cash|for both)\b"
)
"""Right of an amount: it is the price under one condition of several."""

CHANGE_BEFORE = left_of_amount(
    r"\b(?:drop|add|knock|shave|bump|trim|dock)(?:ped|ping|ed|ing)?(?: (?:another|an extra))?",
    r"\b(?:go|come|move|raise|increase|bump|up)\b[^.,;!?$\d]{0,25}\bby(?: another)?",
)
"""Left of an amount: a price changes by so much."""
SMALL_CHANGE_BEFORE = left_of_amount(r"\b(?:go|come|move) (?:up|down)(?: another)?")
"""Left of an amount too small for a price: a price changes by so much."""
RAISES = compiled(
    r"\bi(?:'ll| will| can| could|'d| would)?(?: \w+)? "
    r"(?:go up|come up|move up|raise|increase|bump|up|add)\b[^.,;!?$\d]*$"
)
"""Left of the amount of a change: the speaker bids so much more than before."""
ADDED_TO_OTHERS = compiled(
    r"\badd\b[^.,;!?]{0,30}\d(?: dollars?)? (?:more )?(?:to|on top of) (?:your|that|what you|it)\b"
)
"""A price is named by what the other side has to add to its own."""
ASKS_OFF = compiled(
    r"(?:^|[.,;:] |\b(?:if you|please|just|then|but) )(?:can |could )?(?:take|knock|shave)\b"
    r"[^.,;!?$\d]*$"
)
"""Left of a discount: the buyer asks for it."""
OFF_AFTER = compiled(
    r"^\s*(?:off|discount|less|cheaper|lower)\b"
    r"(?:\s+(?:the|my|your|that) (?:(?:list(?:ing)?|asking|original|starting) )?price)?"
)
OFF_BEFORE = left_of_amount(
    r"\b(?:discount|reduction|decrease) of",
    r"\b(?:lower(?:ing)?|reduc(?:e|ing)|drop(?:ping)?|cut(?:ting)?|decreas(?:e|ing)|"
    r"(?:come|go) down)\b[^.,;!?$\d]{0,25}\bby",
    r"\b(?:take|knock|shave)(?:ing)?\b[^.,;!?$\d]{0,20}\boff",
)
"""Next to an amount: it is a discount on another price."""
PERCENT_OFF = compiled(
    r"\b(?P<n>\d{1,2}(?:\.\d)?)\s?(?:%|per ?cent)\s+(?:off|discount|less|reduction)"
)
HALFWAY = compiled(
    r"\bsplit(?:ting)? (?:the |that )?(?:difference|it|in half)\b",
    r"\bmeet(?:ing)? (?:(?:me|you|each other|us) )?(?:half ?-?way|in the middle)\b",
    r"\bhalf ?-?way (?:point|between)\b",
    r"\b(?:go|settle|agree) (?:half ?-?way|in the middle)\b",
)
