"""The entry point for Inspect: the Inspect tasks of all families."""

from __future__ import annotations

from typing import Any

from many_wolves import families


def _tasks() -> dict[str, Any]:
    """Inspect tasks by name; importing a family's module registers them."""
    found: dict[str, Any] = {}
    for family in families.loadable():
        module = getattr(family, "inspect_tasks", lambda: None)()
        for name in getattr(module, "__all__", ()):
            found[name] = getattr(module, name)
    return found


globals().update(_tasks())
