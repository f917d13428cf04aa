"""Which texts the prompts need, and the placeholders that each of them knows."""

from __future__ import annotations

from collections.abc import Mapping

_GOOD = ("item", "the_item", "The_item")

PLACEHOLDERS: Mapping[str, tuple[str, ...]] = {
    "*.role": (),
    "*.scene": _GOOD,
    "*.limit": (*_GOOD, "limit"),
    "*.outside": (*_GOOD, "outside"),
    "*.nothing": _GOOD,
    "*.announced": (*_GOOD, "rounds"),
    "*.walk": _GOOD,
    "*.goal": _GOOD,
    "*.begin": _GOOD,
    "answer.free": ("other",),
    "answer.marked": ("other",),
    "answer.json": ("other",),
    "answer.options": ("options",),
    "heard.words": ("words", "other", "move"),
    "heard.words and price": ("words", "other", "move"),
    "heard.first": ("words", "other", "move"),
    "moves.offer": ("price",),
    "moves.accept": (),
    "moves.walk": (),
    "moves.talk": (),
    "opening.buyer_asks": _GOOD,
    "opening.seller_asks": _GOOD,
    "opening.seller": (*_GOOD, "price"),
    "opening.buyer": (*_GOOD, "price"),
    "last_word.*": (*_GOOD, "price"),
    "probes.told": (*_GOOD, "lines", "other"),
    "probes.told_line": ("price", "percent"),
    "probes.last": (*_GOOD, "other"),
    "between.*.deal": (*_GOOD, "price"),
    "between.*.no_deal": _GOOD,
    "between.*.next": _GOOD,
    "between.*.advice": ("advice",),
    "between.*.beat": (*_GOOD, "price"),
    "between.*.beat_no_deal": _GOOD,
    "advice.constant.*": (),
    "advice.human.*": (),
    "critic.prompt": (*_GOOD, "client", "other", "transcript", "aim"),
    "critic.aim.*": (),
    "critic.game": ("game",),
    "critic.line": ("role", "words"),
    "critic.deal": ("price",),
    "critic.no_deal": (),
    "moderator.prompt": (*_GOOD, "transcript"),
    "replies.question": ("scene", "limit", "goal", "own", "standing", "other", "options"),
    "replies.baseline": ("options",),
    **{
        f"replies.*.{tone}.{what}": ("price",)
        for tone in ("kind", "plain", "cold")
        for what in ("accept", "offer")
    },
}
"""Path of keys (``*`` stands for seller and buyer) -> placeholders of the text there."""
