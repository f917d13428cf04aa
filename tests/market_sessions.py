"""Sessions of players that follow the models of markets, as tables."""

from many_wolves.families.markets.rules.parameters import Rules
from many_wolves.families.markets.simulation.strategies import player
from many_wolves.families.markets.simulation.tables import played_tables


def played(sessions=1, taxes=(0.33,), agent="modelled", mechanism="harberger", **rules):
    """Sessions in which the speaker ``s`` sits on all seats, at every tax rate, as tables."""
    taxed = [{}] if mechanism == "voting" else [{"final_tax": tax} for tax in taxes]
    designs = [Rules.lab(mechanism, **(rules | tax)) for tax in taxed]
    return played_tables(designs, player(agent), "s", range(1, sessions + 1))
