"""The small real model of the tests, prepared once in the checkout's models/ folder."""

from importlib.util import find_spec
from pathlib import Path

import pytest

from many_wolves.speakers.local.packaged_models import prepare

ROOT = Path(__file__).parent.parent
# Looked for, not imported: each worker collects every file, and torch takes seconds to import.
needs_torch = pytest.mark.skipif(find_spec("torch") is None, reason="torch is not installed")


def smollm2() -> Path:
    """Folder of SmolLM2-135M-Instruct; made in half a minute when it is not there."""
    return prepare("smollm2", ROOT / "models" / "smollm2", print)
