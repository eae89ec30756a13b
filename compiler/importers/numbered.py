"""Names that nothing else has."""

from __future__ import annotations

from collections.abc import Container
from itertools import count


def numbered(wanted: str, taken: Container[str], between: str = "") -> str:
    """`wanted`, or where that is taken with a number behind it, from 2 on.

    >>> numbered("pool", {"pool", "pool_2"}, "_")
    'pool_3'
    """
    if wanted not in taken:
        return wanted
    return next(name for number in count(2) if (name := f"{wanted}{between}{number}") not in taken)
