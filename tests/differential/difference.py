"""What a disagreement is."""

from __future__ import annotations


class Difference(AssertionError):
    """Two accounts of a net that disagree; `kind` says of what: shape, numbers, domain, …"""

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(f"{kind}: {message}")
        self.kind = kind
