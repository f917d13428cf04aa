"""Chat templates are programs of others: one that never ends becomes a sentence."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import jinja2
import pytest

from many_wolves.errors import WolvesError
from many_wolves.records import Message
from many_wolves.speakers import prompting

ENDLESS = "{% for a in many %}{% for b in many %}{% endfor %}{% endfor %}"
"""Ten thousand million rounds."""


class Templated:
    """A tokenizer with a chat template, without its model."""

    def __init__(self, template: str) -> None:
        self.chat_template = template

    def apply_chat_template(self, turns, **more) -> str:
        template = jinja2.Template(self.chat_template)
        return template.render(messages=turns, many=range(100_000))


def rendered(template: str) -> str:
    return prompting.render(Templated(template), [Message("user", "Hello")], "chat")


def test_a_chat_template_that_never_ends_is_ended_in_any_thread(monkeypatch) -> None:
    monkeypatch.setattr(prompting, "LONGEST_S", 0.2)
    with pytest.raises(WolvesError, match=r"did not end within 0\.2 s"):
        rendered(ENDLESS)
    with ThreadPoolExecutor(1) as pool, pytest.raises(WolvesError, match="did not end"):
        pool.submit(rendered, ENDLESS).result()
    assert rendered("{{ messages[0].content }}") == "Hello"
