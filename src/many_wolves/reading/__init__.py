"""What readers of several families share; no family is known here.

``read`` answers for every answer type: an option named by its words, its id or its letter; a
number in prose; free words; a JSON object. A family may use it as its own reader, or take
the parts: ``thoughts``, ``numbers``, ``objects``, ``refusals``.
"""

from many_wolves.reading.plain import read

__all__ = ["read"]
