"""A tiny model with random weights whose chat template has a thinking section.

It knows its tags as single tokens, as reasoning models do, or spells them out of
several; its thoughts are noise of the right form.
"""

from pathlib import Path

TEMPLATE = (
    "{% for m in messages %}<|start|>{{ m.role }}\n{{ m.content }}<|end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|start|>assistant\n"
    "{% if enable_thinking is defined and not enable_thinking %}<think>\n\n</think>\n\n{% endif %}"
    "{% endif %}"
)
"""Off by a variable, as Qwen3 does it."""
ALWAYS = TEMPLATE.split("{% if enable_thinking", maxsplit=1)[0] + "<think>\n{% endif %}"
"""Opens a thought whatever is said, as DeepSeek-R1 does it."""
SILENT = TEMPLATE.split("{% if enable_thinking", maxsplit=1)[0] + "{% endif %}"
"""Has no thinking section."""

_CONTROL = ["<|pad|>", "<|start|>", "<|end|>"]
_TAGS = ["<think>", "</think>"]


def make(folder: Path, template: str = TEMPLATE, *, spelt: bool = False, window: int = 512) -> Path:
    """An ordinary model folder, the same every time.

    spelt: whether the tags are several tokens each.
    """
    import torch
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers
    from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    special = _CONTROL + ([] if spelt else _TAGS)
    vocabulary = {token: i for i, token in enumerate([*special, *letters])}
    inner = Tokenizer(models.BPE(vocab=vocabulary, merges=[]))
    inner.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    inner.decoder = decoders.ByteLevel()
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=inner, pad_token="<|pad|>", eos_token="<|end|>"
    )
    tokenizer.add_special_tokens({"additional_special_tokens": special})
    tokenizer.chat_template = template
    torch.manual_seed(5)
    config = LlamaConfig(
        vocab_size=len(vocabulary),
        hidden_size=64,
        intermediate_size=128,
        num_hidden_layers=2,
        num_attention_heads=2,
        num_key_value_heads=2,
        max_position_embeddings=window,
        pad_token_id=0,
        bos_token_id=None,
        eos_token_id=2,
        initializer_range=0.15,
    )
    model = LlamaForCausalLM(config).float()
    with torch.no_grad():
        # Ends come about often enough to be seen: of an answer, and of a thought.
        for end in ("<|end|>", "</think>"):
            if end in vocabulary:
                model.lm_head.weight[vocabulary[end]] *= 2
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder
