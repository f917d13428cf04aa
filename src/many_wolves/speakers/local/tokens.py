"""Turns prompts and options into token ids, with care at their border.

The prompt is tokenized alone, as it is when a model answers freely. An option's
tokens are those that follow when prompt and option are tokenized as one text. If
a token of that text spans the border, no free answer could begin with
it. Then the option is tokenized alone. Special tokens are added only to a completion
prompt, because a chat template writes its own.
"""

from __future__ import annotations

from typing import Any

from many_wolves.errors import WolvesError
from many_wolves.records import PromptFormat


def prompt_ids(tokenizer: Any, text: str, prompt_format: PromptFormat) -> list[int]:
    """Token ids of a prompt."""
    added = prompt_format == "completion"
    return list(tokenizer(text, add_special_tokens=added)["input_ids"])


def option_ids(
    tokenizer: Any, prompt: str, before: list[int], option: str, prompt_format: PromptFormat
) -> list[int]:
    """Token ids of ``option`` after ``prompt``, whose ids are ``before``.

    Raises
    ------
    WolvesError
        If no token ids represent exactly this option.
    """
    whole = prompt_ids(tokenizer, prompt + option, prompt_format)
    cut = len(before)
    # A tokenizer that ends each text with a special token also ends the prompt.
    if prompt_format == "completion" and before and before[-1] == tokenizer.eos_token_id:
        raise WolvesError(
            "this tokenizer ends a text with its end-of-text token, so nothing can follow",
            fix="set add_eos_token to false in the model's tokenizer_config.json",
        )
    found = (
        whole[cut:]
        if whole[:cut] == before
        else list(tokenizer(option, add_special_tokens=False)["input_ids"])
    )
    said = tokenizer.decode(found)
    if not found or said.strip() != option.strip():
        raise WolvesError(
            f"the tokenizer makes {said!r} of the option {option!r}",
            fix="use another wording for this option",
        )
    return found
