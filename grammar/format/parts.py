"""The parts of statements and items that can begin a line."""

from __future__ import annotations

from collections.abc import Sequence

from grammar.format.pieces import Braces, Group, Node, Piece, first_piece


def split_statement(nodes: Sequence[Node]) -> list[list[Node]]:
    """A statement's parts, each of which can begin a line: at `->`, `else` and after commas."""
    parts: list[list[Node]] = []
    is_loop = bool(nodes) and first_piece(nodes[0]).text == "for"
    before = ""
    for node in nodes:
        text = first_piece(node).text
        if not parts or text in ("->", "else") or (before == "," and not is_loop):
            parts.append([])
        parts[-1].append(node)
        before = text
    return parts


def split_item(item: Sequence[Node]) -> list[list[Node]]:
    """An item's parts, each but the first with the operator that it begins with."""
    parts: list[list[Node]] = []
    for index, node in enumerate(item):
        is_operator = isinstance(node, Piece) and node.role == "binary" and index > 0
        if not parts or (is_operator and first_piece(node).text != "not"):
            parts.append([])
        parts[-1].append(node)
    return parts


def is_broken(part: Sequence[Node]) -> bool:
    """Whether the author began a line with a part, or broke right after its sign."""
    first = first_piece(part[0])
    if first.broken:
        return True
    sign = first.text == "->" or first.role == "binary"
    return sign and len(part) > 1 and first_piece(part[1]).broken and not first.comment


def can_break(node: Node) -> bool:
    """Whether a line can end inside a node."""
    return isinstance(node, Braces) or (isinstance(node, Group) and bool(node.items))
