"""The small real model of the tests, prepared once in the checkout's models/ folder."""

from pathlib import Path

from many_wolves.speakers.local.packaged_models import prepare

ROOT = Path(__file__).parent.parent


def smollm2() -> Path:
    """Folder of SmolLM2-135M-Instruct; made in half a minute when it is not there."""
    return prepare("smollm2", ROOT / "models" / "smollm2", print)
