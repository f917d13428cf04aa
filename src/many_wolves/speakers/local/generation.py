"""Prompts are processed once, and continuations are sampled, with torch.

The keys and values of a prompt are computed once, and shared by the options in score mode and
the replicates in sample mode.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Any

from many_wolves.speakers.local.load import Loaded


@dataclass
class Prefilled:
    """Prompts that a model has processed.

    Parameters
    ----------
    cache
        Keys and values, one row per prompt, padded on the left.
    mask
        1 for a token, 0 for padding: prompts x positions.
    logits
        Logits of the next token: prompts x vocabulary, float32.
    """

    cache: Any
    mask: Any
    logits: Any


def prefill(loaded: Loaded, prompts: Sequence[Sequence[int]]) -> Prefilled:
    """Process prompts as one batch; their common prefix is processed once."""
    import torch

    shared = _common_start(prompts) if loaded.branches and len(prompts) > 1 else 0
    width = max(len(p) for p in prompts) - shared
    pads = [width - len(p) + shared for p in prompts]
    rest = [[0] * pad + list(p[shared:]) for pad, p in zip(pads, prompts, strict=True)]
    real = [[1] * shared + [0] * pad + [1] * (width - pad) for pad in pads]
    mask = torch.tensor(real, device=loaded.device)
    with torch.inference_mode():
        cache = None
        if shared:
            start = torch.tensor([list(prompts[0][:shared])], device=loaded.device)
            cache = loaded.model(input_ids=start, use_cache=True, **_last(loaded)).past_key_values
            cache.batch_repeat_interleave(len(prompts))
        out = loaded.model(
            input_ids=torch.tensor(rest, device=loaded.device),
            attention_mask=mask,
            position_ids=(mask.cumsum(1) - 1).clamp(min=0)[:, shared:],
            past_key_values=cache,
            use_cache=True,
            **_last(loaded),
        )
    return Prefilled(out.past_key_values, mask, out.logits[:, -1].float())


def sample(
    loaded: Loaded,
    prefilled: Prefilled,
    rows: Sequence[int],
    draws: Sequence[Callable[[], float]],
    *,
    ends: Sequence[Collection[int]],
    temperature: float,
    top_p: float,
    max_tokens: Sequence[int],
    stops: Callable[[int, Sequence[int]], bool] = lambda answer, said: False,
) -> list[list[int]]:
    """Sample answers until their end or their ``max_tokens``.

    Parameters
    ----------
    rows
        For each answer, the row of its prompt; every prompt has at least one answer.
    draws
        For each answer, a source of uniform numbers: an answer depends on its own
        source, not on its neighbours.
    ends
        For each answer, the tokens that end it.
    temperature
        Sampling temperature; 0 selects the most probable token.
    max_tokens
        Maximum number of tokens of each answer.
    stops
        Whether an answer, by its index, has ended without a token of ``ends``.

    Returns
    -------
    list of list of int
        Token ids, including the end token if there was one. Consumes ``prefilled``.

    Notes
    -----
    Answers to one prompt share a row of the batch until they differ, so many replicates cost
    little more than one.
    """
    import torch

    answers: list[list[int]] = [[] for _ in rows]
    groups: list[list[int]] = [[] for _ in range(len(prefilled.mask))]
    for answer, row in enumerate(rows):
        groups[row].append(answer)
    mask, logits = prefilled.mask, prefilled.logits
    with torch.inference_mode():
        while True:
            uniform = [[draws[answer]() for answer in group] for group in groups]
            children: dict[tuple[int, int], list[int]] = {}
            for parent, tokens in enumerate(_pick(logits, uniform, temperature, top_p)):
                for answer, token in zip(groups[parent], tokens, strict=True):
                    answers[answer].append(token)
                    said = answers[answer]
                    full = token in ends[answer] or len(said) >= max_tokens[answer]
                    if not full and not stops(answer, said):
                        children.setdefault((parent, token), []).append(answer)
            if not children:
                return answers
            parents = torch.tensor([parent for parent, _ in children], device=loaded.device)
            prefilled.cache.batch_select_indices(parents)
            mask = torch.cat([mask[parents], mask.new_ones(len(children), 1)], dim=1)
            out = loaded.model(
                input_ids=torch.tensor([[token] for _, token in children], device=loaded.device),
                attention_mask=mask,
                position_ids=mask.sum(1, keepdim=True) - 1,
                past_key_values=prefilled.cache,
                use_cache=True,
            )
            logits = out.logits[:, -1].float()
            groups = list(children.values())


def _pick(
    logits: Any, uniform: Sequence[Sequence[float]], temperature: float, top_p: float
) -> list[list[int]]:
    """One token per uniform number in each row, by inverting the cumulative distribution."""
    import torch

    if temperature == 0:
        best = logits.argmax(-1).cpu()
        return [[int(token)] * len(u) for token, u in zip(best, uniform, strict=True)]
    p = (logits / temperature).softmax(-1)
    order = None
    if top_p < 1:
        p, order = p.sort(dim=-1, descending=True)
        # Keep the smallest set whose mass reaches top_p: drop what comes after it.
        p = p * ((p.cumsum(-1) - p) < top_p)
    wide = torch.float32 if p.device.type == "mps" else torch.float64
    cumulative = p.cumsum(-1, dtype=wide)
    most = max(len(u) for u in uniform)
    padded = [[*u, *[0.0] * (most - len(u))] for u in uniform]
    at = torch.tensor(padded, dtype=wide, device=p.device) * cumulative[:, -1:]
    place = torch.searchsorted(cumulative, at, right=True).clamp(max=p.shape[-1] - 1)
    chosen = (place if order is None else order.gather(-1, place)).cpu()
    return [[int(token) for token in row[: len(u)]] for row, u in zip(chosen, uniform, strict=True)]


def _common_start(prompts: Sequence[Sequence[int]]) -> int:
    """Length of the common prefix of all prompts, never a whole prompt."""
    ordered = sorted(list(p) for p in prompts)
    first, last = ordered[0], ordered[-1]
    most = min(len(p) for p in prompts) - 1
    same = 0
    while same < most and first[same] == last[same]:
        same += 1
    return same


def _last(loaded: Loaded) -> dict[str, int]:
    return {"logits_to_keep": 1} if loaded.last_only else {}
