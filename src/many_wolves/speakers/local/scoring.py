"""Computes the probabilities of given texts after processed prompts, with torch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from many_wolves.speakers.local.generation import Prefilled, prefill
from many_wolves.speakers.local.load import Loaded


def score(
    loaded: Loaded, prefilled: Prefilled, texts: Sequence[Sequence[Sequence[int]]]
) -> list[list[float]]:
    """Log-probability of each text including its end, after its prompt.

    Parameters
    ----------
    texts
        For each prompt, its texts as token ids, none empty.

    Returns
    -------
    list of list of float
        Sums in nats; a text ends with any of ``loaded.ends``. Consumes ``prefilled``.
    """
    if loaded.branches:
        return score_branches(loaded, prefilled, texts)
    return score_rows(loaded, prefilled, texts)


def score_rows(
    loaded: Loaded, prefilled: Prefilled, texts: Sequence[Sequence[Sequence[int]]]
) -> list[list[float]]:
    """``score`` with one row of the batch per text, for any model."""
    import torch

    flat = [text for of_prompt in texts for text in of_prompt]
    with torch.inference_mode():
        rows = [row for row, of_prompt in enumerate(texts) for _ in of_prompt]
        index = torch.tensor(rows, device=loaded.device)
        lengths = torch.tensor([len(t) for t in flat], device=loaded.device)
        width = int(lengths.max())
        ids = torch.tensor([[*t, *[0] * (width - len(t))] for t in flat], device=loaded.device)
        places = torch.arange(width, device=loaded.device)
        real = places < lengths[:, None]
        before = prefilled.mask[index]
        prefilled.cache.batch_select_indices(index)
        out = loaded.model(
            input_ids=ids,
            attention_mask=torch.cat([before, real.to(before.dtype)], dim=1),
            position_ids=before.sum(1, keepdim=True) + places,
            past_key_values=prefilled.cache,
            use_cache=True,
        )
        logits = torch.cat([prefilled.logits[index][:, None], out.logits.float()], dim=1)
        norm = logits.logsumexp(-1)
        said = logits[:, :-1].gather(-1, ids[:, :, None]).squeeze(-1) - norm[:, :-1]
        last = torch.arange(len(flat), device=loaded.device)
        ends = torch.tensor(loaded.ends, device=loaded.device)
        closed = logits[last, lengths][:, ends].logsumexp(-1) - norm[last, lengths]
        total = (said.double() * real).sum(1) + closed.double()
        sums = iter(float(x) for x in total.cpu())
    return [[next(sums) for _ in of_prompt] for of_prompt in texts]


def score_branches(
    loaded: Loaded, prefilled: Prefilled, texts: Sequence[Sequence[Sequence[int]]]
) -> list[list[float]]:
    """``score`` with all texts of a prompt in one row, as the branches of a tree.

    Shared prefixes are computed once. The attention mask lets a token see the prompt and the
    tokens before it on its own branch.
    """
    import torch

    trees = [_tree(of_prompt) for of_prompt in texts]
    width = max(len(tree.tokens) for tree in trees)
    with torch.inference_mode():
        depth = torch.zeros(len(trees), width, dtype=torch.long)
        ids = torch.zeros(len(trees), width, dtype=torch.long)
        sees = torch.eye(width, dtype=torch.bool).repeat(len(trees), 1, 1)
        for row, tree in enumerate(trees):
            for node, (token, parent) in enumerate(zip(tree.tokens, tree.parents, strict=True)):
                ids[row, node] = token
                if parent >= 0:
                    depth[row, node] = depth[row, parent] + 1
                    sees[row, node] |= sees[row, parent]
        before = prefilled.mask.bool()[:, None, :].expand(-1, width, -1)
        seen = torch.cat([before, sees.to(loaded.device)], dim=2)[:, None]
        hidden = torch.finfo(loaded.model.dtype).min
        blocked = torch.zeros(seen.shape, dtype=loaded.model.dtype, device=loaded.device)
        out = loaded.model(
            input_ids=ids.to(loaded.device),
            attention_mask=blocked.masked_fill(~seen, hidden),
            position_ids=prefilled.mask.sum(1, keepdim=True) + depth.to(loaded.device),
            past_key_values=prefilled.cache,
            use_cache=True,
        )
        # Position 0 is the end of the prompt; position i + 1 is node i.
        logits = torch.cat([prefilled.logits[:, None], out.logits.float()], dim=1)
        norm = logits.logsumexp(-1)
        parents = torch.zeros(len(trees), width, dtype=torch.long)
        for row, tree in enumerate(trees):
            parents[row, : len(tree.parents)] = torch.tensor(tree.parents) + 1
        rows = torch.arange(len(trees), device=loaded.device)[:, None]
        parents, ids = parents.to(loaded.device), ids.to(loaded.device)
        said = (logits[rows, parents, ids] - norm[rows, parents]).double().cpu()
        ends = torch.tensor(loaded.ends, device=loaded.device)
        closed = (logits[:, :, ends].logsumexp(-1) - norm).double().cpu()
    return [
        [
            float(sum(said[row, node] for node in path) + closed[row, path[-1] + 1])
            for path in tree.paths
        ]
        for row, tree in enumerate(trees)
    ]


def can_branch(loaded: Loaded) -> bool:
    """Whether a model scores branches and rows alike, determined by a trial.

    Models with a limited window or their own mask may not.
    """
    import torch

    config = loaded.model.config.get_text_config()
    if getattr(config, "sliding_window", None) or "sliding_attention" in (
        getattr(config, "layer_types", None) or ()
    ):
        return False
    vocabulary = config.vocab_size
    prompts = [[(7 * i + 3) % vocabulary for i in range(n)] for n in (9, 6)]
    texts = [[[11 % vocabulary, 5], [11 % vocabulary, 6, 7]], [[8]]]
    try:
        branches = score_branches(loaded, prefill(loaded, prompts), texts)
    except (RuntimeError, ValueError, TypeError, IndexError, AttributeError):
        return False
    rows = score_rows(loaded, prefill(loaded, prompts), texts)
    close = 1e-3 if loaded.model.dtype == torch.float32 else 0.1
    return all(
        abs(a - b) <= close * max(1.0, abs(b)) ** 0.5
        for one, other in zip(branches, rows, strict=True)
        for a, b in zip(one, other, strict=True)
    )


@dataclass(frozen=True)
class _Tree:
    """Texts as branches: each node is a token with its parent (-1: the prompt).

    ``paths`` contains the nodes of each text.
    """

    tokens: list[int]
    parents: list[int]
    paths: list[list[int]]


def _tree(texts: Sequence[Sequence[int]]) -> _Tree:
    nodes: dict[tuple[int, int], int] = {}
    paths = []
    for text in texts:
        path: list[int] = []
        for token in text:
            edge = (path[-1] if path else -1, token)
            path.append(nodes.setdefault(edge, len(nodes)))
        paths.append(path)
    return _Tree([token for _, token in nodes], [parent for parent, _ in nodes], paths)
