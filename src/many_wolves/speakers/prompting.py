"""Turns messages into the text of a prompt: a model's chat template, or a plain completion.

The completion format, for models without chat training::

    <system message>

    <question>

    Answer: <earlier answer>

    <next question>

    Answer:

An option follows the completion prompt as `` text`` with one leading space, which
belongs to the answer as in ordinary text. It follows the chat prompt as ``text``.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from many_wolves.errors import WolvesError
from many_wolves.records import Message, PromptFormat
from many_wolves.speakers.deadline import TakesTooLongError, deadline

ANSWER = "Answer:"
LONGEST_S = 60.0
"""Seconds after which a chat template is ended; ordinary ones take milliseconds."""


def render(
    tokenizer: Any, messages: Sequence[Message], prompt_format: PromptFormat, **template: Any
) -> str:
    """The text that a model continues with its answer.

    Parameters
    ----------
    tokenizer
        A transformers tokenizer.
    messages
        The prompt; its last message is the question.
    prompt_format
        ``chat`` or ``completion``.
    template
        Further variables of the chat template, such as ``enable_thinking``.

    Raises
    ------
    WolvesError
        If the format is chat and the model has no chat template, or its template rejects the
        messages.
    """
    if prompt_format == "completion":
        return completion(messages)
    check_format(tokenizer, prompt_format)
    turns = [{"role": m.role, "content": m.content} for m in messages]
    try:
        with deadline(LONGEST_S):
            text = tokenizer.apply_chat_template(
                turns, tokenize=False, add_generation_prompt=True, **template
            )
    except TakesTooLongError as error:
        raise WolvesError(
            f"the model's chat template did not end within {LONGEST_S:g} s",
            fix="correct the template in the model's folder, or use --prompt_format completion",
        ) from error
    except Exception as error:  # A template is a program and raises arbitrary errors.
        raise WolvesError(
            f"the model's chat template rejects the messages: {error}",
            fix="remove the system message from the task's template, or use "
            "--prompt_format completion",
        ) from error
    return str(text)


def check_format(tokenizer: Any, prompt_format: PromptFormat) -> None:
    """Reject ``chat`` for a model without a chat template.

    Raises
    ------
    WolvesError
        With the option that fixes it.
    """
    if prompt_format == "chat" and not getattr(tokenizer, "chat_template", None):
        raise WolvesError(
            "this model has no chat template: it is a base model, which continues text",
            fix="ask it with `--prompt_format completion`",
        )


def completion(messages: Sequence[Message]) -> str:
    """The completion format; see the module's docstring."""
    blocks = [f"{ANSWER} {m.content}" if m.role == "assistant" else m.content for m in messages]
    return "\n\n".join([*(b.strip() for b in blocks), ANSWER])


def continuation(option_text: str, prompt_format: PromptFormat) -> str:
    """An option as the continuation of the prompt."""
    return f" {option_text}" if prompt_format == "completion" else option_text
