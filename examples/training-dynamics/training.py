"""Fine-tuning on a CPU with TRL: one stage a process, checkpoints kept, resumed when killed.

python training.py sft|truth|kindness START_FOLDER DATA.jsonl OUT_FOLDER SETTINGS.json
"""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path
from typing import Any

from settings import Settings, Stage, from_json

FINISHED = "finished.json"
_STATE = ("optimizer.pt", "scheduler.pt", "rng_state.pth")


def main() -> None:
    """Train one stage."""
    import torch

    name, *places, threads = sys.argv[1:]
    start, data, out, settings = map(Path, places)
    torch.set_num_threads(int(threads))
    train(name, start, data, out, from_json(json.loads(settings.read_text())))


def train(name: str, start: Path, data: Path, out: Path, settings: Settings) -> None:
    """Train until ``out`` holds every checkpoint and ``finished.json``.

    Parameters
    ----------
    name
        ``sft``, or the rater whose preferences DPO learns.
    start
        Model folder that training starts from.
    data
        JSON lines from ``feedback``.
    out
        Folder of the checkpoints.
    settings
        All numbers.
    """
    import torch
    from datasets import load_dataset
    from transformers import AutoModelForCausalLM, AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(start)
    model = AutoModelForCausalLM.from_pretrained(start, dtype=torch.float32)
    freeze(model, settings.frozen)
    arrow = out / "arrow"
    feedback = load_dataset("json", data_files=str(data), split="train", cache_dir=str(arrow))
    trainer = _trainer(name, model, tokenizer, feedback, out, settings)
    trainer.add_callback(_forgetting())
    last = resumable(out)
    if last:
        print(f"  going on from {last}", file=sys.stderr)
    trainer.train(resume_from_checkpoint=str(last) if last else None)
    record = {"log": trainer.state.log_history, "steps": trainer.state.global_step}
    (out / FINISHED).write_text(json.dumps(record, indent=1) + "\n")
    forget(out, keep=None)
    shutil.rmtree(arrow, ignore_errors=True)


def freeze(model: Any, layers: int) -> None:
    """Train the upper layers only: below, no gradient is needed, which halves the cost."""
    for parameter in model.get_input_embeddings().parameters():
        parameter.requires_grad_(False)
    for layer in model.model.layers[:layers]:
        layer.requires_grad_(False)


def resumable(out: Path) -> Path | None:
    """The newest checkpoint that was written to its end; broken ones are removed."""
    for folder in sorted(out.glob("checkpoint-[1-9]*"), key=step_of, reverse=True):
        whole = (folder / "trainer_state.json").is_file()
        if whole and all((folder / name).is_file() for name in _STATE):
            return folder
        shutil.rmtree(folder)
    return None


def forget(out: Path, keep: int | None) -> None:
    """Remove the optimiser's state, twice the size of the weights, of all checkpoints but one."""
    for folder in out.glob("checkpoint-*"):
        if step_of(folder) != keep:
            for name in _STATE:
                (folder / name).unlink(missing_ok=True)


def step_of(folder: Path) -> int:
    """Training step of a checkpoint's folder."""
    return int(folder.name.rpartition("-")[2])


def _trainer(
    name: str, model: Any, tokenizer: Any, feedback: Any, out: Path, settings: Settings
) -> Any:
    from trl import DPOConfig, DPOTrainer, SFTConfig, SFTTrainer

    if name == "sft":
        plan = SFTConfig(**_common(settings, settings.supervised, out), completion_only_loss=True)
        return SFTTrainer(
            model=model, args=plan, train_dataset=feedback, processing_class=tokenizer
        )
    plan = DPOConfig(
        **_common(settings, settings.preference, out),
        beta=settings.beta,
        precompute_ref_log_probs=True,
        precompute_ref_batch_size=16,
    )
    return DPOTrainer(model=model, args=plan, train_dataset=feedback, processing_class=tokenizer)


def _common(settings: Settings, stage: Stage, out: Path) -> dict[str, Any]:
    return {
        "output_dir": str(out),
        "max_steps": stage.steps,
        "per_device_train_batch_size": stage.batch,
        "learning_rate": stage.rate,
        "lr_scheduler_type": "constant_with_warmup",
        "warmup_steps": max(1, stage.steps // 10),
        "save_strategy": "steps",
        "save_steps": stage.every,
        "logging_steps": 2,
        "seed": settings.seed,
        "use_cpu": True,
        "bf16": False,
        "gradient_checkpointing": False,
        "report_to": "none",
        "max_length": 256,
    }


def _forgetting() -> Any:
    from transformers import TrainerCallback

    class Forgetting(TrainerCallback):
        """Keeps the optimiser's state of the newest checkpoint only."""

        def on_save(self, args: Any, state: Any, control: Any, **_: Any) -> None:
            """After each checkpoint."""
            forget(Path(args.output_dir), keep=state.global_step)

    return Forgetting()


if __name__ == "__main__":
    main()
