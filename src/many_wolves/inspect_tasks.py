"""What Inspect finds through the entry point: the tasks of every family, one line each."""

from many_wolves.families.politeness.inspect_tasks import politeness, politeness_literal

__all__ = ["politeness", "politeness_literal"]
