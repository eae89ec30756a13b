"""Walking over syntax trees, for tests."""

from __future__ import annotations

from collections.abc import Iterator

from grammar import syntax as s


def nodes(root: object) -> Iterator[s.Syntax]:
    """Every node of a tree, a file's items, or a tuple of nodes, parents first."""
    if isinstance(root, s.File):
        root = root.items
    if isinstance(root, tuple):
        for part in root:
            yield from nodes(part)
    elif isinstance(root, s.Syntax):
        yield root
        yield from nodes(tuple(vars(root).values()))
