"""A LoRA adapter on the tiny model of the tests, whose weights are not zero."""

from pathlib import Path


def make_adapter(model: Path, folder: Path, *, size: float = 0.3, seed: int = 3) -> Path:
    """An adapter folder in the format of peft; with ``size`` 0 it changes no answer."""
    import peft
    import torch
    from transformers import AutoModelForCausalLM

    torch.manual_seed(seed)
    config = peft.LoraConfig(r=4, lora_alpha=8, target_modules=["q_proj", "v_proj"])
    tuned = peft.get_peft_model(AutoModelForCausalLM.from_pretrained(model), config)
    with torch.no_grad():
        for name, weights in tuned.named_parameters():
            if "lora_B" in name:
                weights.normal_(0, size) if size else weights.zero_()
    tuned.save_pretrained(folder)
    return folder
