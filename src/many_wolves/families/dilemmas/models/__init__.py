"""Cognitive models of the social dilemmas: memory-one, strategies, social preferences, agents."""

from __future__ import annotations

from collections.abc import Mapping

from many_wolves.contracts import CognitiveModel


def models() -> Mapping[str, CognitiveModel]:
    """The family's cognitive models by name; of each task, the first is the default."""
    from many_wolves.families.dilemmas.models.frequencies import StrategyFrequencies
    from many_wolves.families.dilemmas.models.memory_one import MemoryOne
    from many_wolves.families.dilemmas.models.principal import PrincipalAgent
    from many_wolves.families.dilemmas.models.social import SocialPreferences

    listed: tuple[CognitiveModel, ...] = (
        MemoryOne(),
        StrategyFrequencies(),
        SocialPreferences(),
        PrincipalAgent(),
    )
    return {model.name: model for model in listed}
