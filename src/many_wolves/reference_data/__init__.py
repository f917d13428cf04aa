"""Data sets that ship with the families: tables of numbers, each with a card."""

from many_wolves.reference_data.cards import Card, DataSet, TableCard, data_sets, read_card
from many_wolves.reference_data.references import references_of

__all__ = ["Card", "DataSet", "TableCard", "data_sets", "read_card", "references_of"]
