"""Determines which utterances are negations, from the table or from their labels.

Published tables write ``not_terrible``, ``not.terrible`` (R), ``wasn't terrible`` or
``notTerrible`` where this project writes ``not terrible``. The weights of the same data must
not depend on that.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence

from many_wolves.families.politeness.task.utterances import is_negation

NEGATORS = frozenset({"not", "wasn't", "wasnt", "isn't", "isnt", "wasn’t", "isn’t", "n't", "non"})
_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])")
_GAP = re.compile(r"[\s_.\-]+")


def canonical_labels(labels: Collection[str], known: Collection[str] = ()) -> dict[str, str]:
    """Labels of negations -> ``not X``, for those with a different spelling.

    Parameters
    ----------
    labels
        Utterances of a table.
    known
        Further labels that count as utterances, such as those of the literal judgments.

    Returns
    -------
    dict
        Only labels whose X is itself an utterance, so that ``not_a_word`` is unchanged.
    """
    plain = {label.casefold(): label for label in (*labels, *known)}
    found = {}
    for label in labels:
        first, _, rest = _GAP.sub(" ", _CAMEL.sub(" ", label.strip())).partition(" ")
        positive = plain.get(rest.casefold())
        if first.casefold() in NEGATORS and positive is not None:
            name = f"not {positive}"
            if name != label:
                found[label] = name
    return found


def negations(utterances: Sequence[str], told: Mapping[str, bool] | None = None) -> list[bool]:
    """Whether each utterance is a negation: as ``told``, otherwise by its label ``not X``."""
    given = told or {}
    return [given.get(utterance, is_negation(utterance)) for utterance in utterances]


def note_without_negations(utterances: Sequence[str], negated: Sequence[bool]) -> str | None:
    """A note on a table in which no utterance is a negation; None if there is one."""
    if any(negated):
        return None
    return (
        f"None of the utterances ({', '.join(utterances)}) counts as a negation, so the choices "
        "carry no information about the cost of a negation. If some are, add a column `negated` "
        "(TRUE or FALSE) to the table of choices or to literal.csv."
    )
