"""One call of an API model: the settings sent with the prompt, and the reading of the reply."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from many_wolves.records import Message, SpeakerSpec
from many_wolves.speakers.api.effort import effort_in_request
from many_wolves.speakers.api.http import ReplyError
from many_wolves.speakers.api.model import ApiModel, Connection, messages
from many_wolves.speakers.api.output import Completion, parse_output
from many_wolves.speakers.api.retry import NEW_LIMIT, message_of, renames_limit, status_of
from many_wolves.speakers.api.settings import COMPATIBLE
from many_wolves.speakers.api.structured import (
    Formats,
    Structure,
    Way,
    instructed,
    refuses_schemas,
    response_schema,
    structure_of,
)
from many_wolves.speakers.protocol import Request


@dataclass(frozen=True)
class Reply:
    """An answer, the effective effort, and how its format was requested."""

    answer: Completion
    effort: str
    way: Way = ""


class Caller:
    """Asks a model, and remembers what its server does not support.

    Parameters
    ----------
    spec
        Who answers.
    model
        The model at its provider.
    """

    def __init__(self, spec: SpeakerSpec, model: ApiModel) -> None:
        self._spec = spec
        self._model = model
        self._limit_renamed = False
        self._formats = Formats(sends_schemas=model.sends_schemas)

    async def answer(self, connection: Connection, request: Request) -> Reply:
        """Ask once, with a schema if the answer has a format and the model supports schemas.

        Raises
        ------
        Exception
            Whatever the provider's client raises; ``ReplyError`` for a reply without an answer.
        """
        structure = structure_of(request.trial.answer)
        if structure is None:
            return await self._call(connection, request, request.trial.messages)
        ignored: Reply | None = None
        schema = response_schema(structure, request.trial.task)
        if schema is not None and self._formats.takes(structure):
            try:
                reply = await self._call(connection, request, request.trial.messages, schema)
            except Exception as error:  # every client raises its own kinds
                if not refuses_schemas(status_of(error), message_of(error)):
                    raise
            else:
                reply = self._unwrapped(reply, structure)
                if reply.way == "schema":
                    return reply
                ignored = reply
            self._formats.refuse(structure)
        reply = await self._call(connection, request, instructed(request.trial.messages, structure))
        if ignored is not None:
            both = (reply.answer.usage, ignored.answer.usage)
            usage = {name: sum(one.get(name, 0) for one in both) for name in {**both[1], **both[0]}}
            reply = replace(reply, answer=reply.answer._replace(usage=usage))
        return replace(reply, way="instruction")

    def _unwrapped(self, reply: Reply, structure: Structure) -> Reply:
        """The reply with its answer extracted from the object; unchanged if it ignores the schema.

        A model that has followed a schema supports schemas: its other replies are used as written.
        """
        answer = reply.answer
        found = structure.answer_in(answer.text)
        if found is not None:
            self._formats.prove()
            return replace(reply, answer=answer._replace(text=found), way="schema")
        said_otherwise = answer.status == "answered" and not answer.note
        if said_otherwise and not self._formats.proven:
            return reply
        return replace(reply, way="schema")

    async def _call(
        self,
        connection: Connection,
        request: Request,
        prompt: Sequence[Message],
        schema: Any = None,
    ) -> Reply:
        """One call, and a second one if the server has another name for the token limit."""
        renamed = self._limit_renamed
        try:
            return await self._send(connection, request, prompt, schema)
        except Exception as error:  # every client raises its own kinds
            if renamed or not renames_limit(self._spec, status_of(error), message_of(error)):
                raise
        self._limit_renamed = True
        return await self._send(connection, request, prompt, schema)

    async def _send(
        self, connection: Connection, request: Request, prompt: Sequence[Message], schema: Any
    ) -> Reply:
        config = self._model.config
        changes: dict[str, Any] = {"response_schema": schema} if schema is not None else {}
        if self._limit_renamed:
            changes |= {"max_tokens": None, "extra_body": {NEW_LIMIT: self._spec.max_tokens}}
        if self._spec.provider == COMPATIBLE and "seed" not in self._spec.omit:
            changes["seed"] = self._spec.seed + request.replicate
        if changes:
            config = config.model_copy(update=changes)
        result = await connection.api.generate(messages(prompt), [], "none", config)
        output, call = result if isinstance(result, tuple) else (result, None)
        if isinstance(output, Exception):
            raise output
        if not output.choices:
            raise ReplyError("retry", "the reply has no choice")
        if call is None:
            return Reply(parse_output(output, self._spec.max_tokens), self._model.effort)
        if call.error and output.stop_reason != "content_filter":
            raise ReplyError("fail", f"the prompt is too long: {output.completion}")
        reply = call.response or {}
        if self._spec.provider == "anthropic" and not (call.error or reply.get("stop_reason")):
            # A stream that breaks off looks complete, but has no finish reason.
            raise ReplyError("retry", "the reply was cut off")
        effort = effort_in_request(call.request) or self._model.effort
        answer = parse_output(output, self._spec.max_tokens, reply)
        if call.error:  # The text comes from the provider's filter.
            answer = answer._replace(text="", note=" ".join(answer.text.split()))
        return Reply(answer, effort)
