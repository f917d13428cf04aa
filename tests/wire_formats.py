"""Replies in the wire formats of API models: Anthropic, OpenAI (chat, Responses), Google.

``kind`` is ``""`` for an ordinary answer, ``refusal``, ``empty`` or ``max_tokens``.
"""

import json

ANSWER = "It was good."
REASONING = "Bob would like to hear that."


def reply_to(path: str, body: dict, kind: str, answer: str = ANSWER) -> dict:
    """The reply of the API that serves ``path``."""
    if path.endswith("/messages"):
        return messages(body, kind, answer)
    if path.endswith("/completions"):
        return chat(body, kind, answer)
    if path.endswith("/responses"):
        return responses(body, kind, answer)
    return google(kind, answer)


def messages(body: dict, kind: str = "", answer: str = ANSWER) -> dict:
    stop = {"refusal": "refusal", "max_tokens": "max_tokens"}.get(kind, "end_turn")
    text = {"refusal": "I can't help.", "empty": "", "max_tokens": "It"}.get(kind, answer)
    content = [{"type": "text", "text": text}] if text else []
    if body.get("thinking", {}).get("type") in ("adaptive", "enabled"):
        content.insert(0, {"type": "thinking", "thinking": REASONING, "signature": "c2lnbg=="})
    return {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": body["model"],
        "content": content,
        "stop_reason": stop,
        "stop_sequence": None,
        "usage": {
            "input_tokens": 100,
            "output_tokens": 7,
            "output_tokens_details": {"thinking_tokens": 5 if len(content) > 1 else 0},
        },
    }


def chat(body: dict, kind: str = "", answer: str = ANSWER) -> dict:
    message = {"role": "assistant", "content": answer, "refusal": None}
    finish = "stop"
    if kind == "refusal":
        message |= {"content": "I can't help."}
        finish = "content_filter"
    if kind == "empty":
        message["content"] = ""
    if kind == "max_tokens":
        message["content"], finish = "It", "length"
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1,
        "model": body["model"],
        "choices": [{"index": 0, "message": message, "finish_reason": finish, "logprobs": None}],
        "usage": {"prompt_tokens": 100, "completion_tokens": 7, "total_tokens": 107},
    }


def responses(body: dict, kind: str = "", answer: str = ANSWER) -> dict:
    content = {"type": "output_text", "text": answer, "annotations": []}
    if kind == "refusal":
        content = {"type": "refusal", "refusal": "I can't help."}
    message = {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "status": "completed",
        "content": [] if kind == "empty" else [content],
    }
    incomplete = {"reason": "max_output_tokens"} if kind == "max_tokens" else None
    return {
        "id": "resp_1",
        "object": "response",
        "created_at": 1,
        "model": body["model"],
        "status": "incomplete" if incomplete else "completed",
        "incomplete_details": incomplete,
        "error": None,
        "instructions": None,
        "metadata": {},
        "output": [message],
        "parallel_tool_calls": True,
        "tool_choice": "auto",
        "tools": [],
        "temperature": None,
        "top_p": None,
        "usage": {
            "input_tokens": 100,
            "input_tokens_details": {"cached_tokens": 0},
            "output_tokens": 7,
            "output_tokens_details": {"reasoning_tokens": 5},
            "total_tokens": 107,
        },
    }


def google(kind: str = "", answer: str = ANSWER) -> dict:
    finish = {"refusal": "SAFETY", "max_tokens": "MAX_TOKENS"}.get(kind, "STOP")
    text = {"refusal": "", "empty": "", "max_tokens": "It"}.get(kind, answer)
    parts = [{"text": text}] if text else []
    usage = {"promptTokenCount": 100, "candidatesTokenCount": 7, "totalTokenCount": 107}
    return {
        "candidates": [
            {"content": {"role": "model", "parts": parts}, "finishReason": finish, "index": 0}
        ],
        "usageMetadata": usage,
        "modelVersion": "tester",
    }


def events(message: dict) -> bytes:
    """An Anthropic message as server-sent events."""
    empty = {**message, "content": [], "stop_reason": None}
    found = [{"type": "message_start", "message": empty}]
    for index, block in enumerate(message["content"]):
        name = "thinking" if block["type"] == "thinking" else "text"
        blank = {**block, name: ""}
        if name == "thinking":
            blank["signature"] = ""
        found.append({"type": "content_block_start", "index": index, "content_block": blank})
        deltas = [{"type": f"{name}_delta", name: block[name]}]
        if name == "thinking":
            deltas.append({"type": "signature_delta", "signature": block["signature"]})
        for delta in deltas:
            found.append({"type": "content_block_delta", "index": index, "delta": delta})
        found.append({"type": "content_block_stop", "index": index})
    stop = {"stop_reason": message["stop_reason"], "stop_sequence": None}
    found.append({"type": "message_delta", "delta": stop, "usage": message.get("usage")})
    found.append({"type": "message_stop"})
    return "".join(f"event: {e['type']}\ndata: {json.dumps(e)}\n\n" for e in found).encode()
