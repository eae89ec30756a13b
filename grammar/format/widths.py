"""How wide pieces are on one line, and whether the author left them on one."""

from __future__ import annotations

from collections.abc import Sequence

from grammar.format.pieces import Braces, Group, Node, Piece, first_piece, last_piece


def flat_width(nodes: Sequence[Node]) -> int:
    """How wide nodes are on one line, the space before the first not counted."""
    total = 0
    for index, node in enumerate(nodes):
        first = first_piece(node)
        total += (first.gap if index else 0) + len(first.text)
        if isinstance(node, Group):
            total += sum(first_piece(item[0]).gap + flat_width(item) for item in node.items)
            total += len(node.closing.text)
        elif isinstance(node, Braces):
            total += sum(1 + flat_width(entry.nodes) for entry in node.block)
            total += max(0, len(node.block) - 1)  # a `;` between two
            total += node.closing.gap + len(node.closing.text)
    return total


def head_width(nodes: Sequence[Node]) -> int:
    """How wide nodes are up to the first place where their line surely ends."""
    total = 0
    for index, node in enumerate(nodes):
        first = first_piece(node)
        if index and (first.above or last_piece(nodes[index - 1]).comment):
            return total
        if index and first.broken and first.role == "binary":  # which begins a line again
            return total
        total += first.gap if index else 0
        if isinstance(node, Piece) or is_flat([node]):
            total += flat_width([node])
        else:
            total += len(first.text)
            if isinstance(node, Group) and not is_hanging(node):
                total += head_width(node.items[0])
            return total
    return total


def tail_widths(nodes: Sequence[Node]) -> list[int]:
    """For each node, how wide those behind it are up to where they could be broken.

    The space before the first is counted. Brackets of an assertion, which are never broken where
    they are flat, are passed over.
    """
    widths = []
    plain = asserted = 0  # from a node on: behind any node, and behind the `:` of an assertion
    for node in reversed(nodes):
        widths.append(plain)
        first = first_piece(node)
        width = first.gap + len(first.text)
        if isinstance(node, Braces) or (isinstance(node, Group) and node.items):
            passed = first.gap + flat_width([node]) + asserted if is_flat([node]) else width
            plain, asserted = width, passed
        else:
            is_assertion = isinstance(node, Piece) and node.role == "assertion"
            plain = asserted = width + (asserted if is_assertion else plain)
    return widths[::-1]


def is_hanging(group: Group) -> bool:
    """Whether the author put the first item on a line of its own."""
    if not group.items:
        return bool(group.closing.above or group.opening.comment)
    first = first_piece(group.items[0][0])
    return bool(first.broken or first.above or group.opening.comment)


def is_flat(nodes: Sequence[Node]) -> bool:
    """Whether the author left nodes on one line; the break before the first does not count."""
    for index, node in enumerate(nodes):
        if index and (first_piece(node).above or is_kept_break(nodes[index - 1], node)):
            return False
        if index + 1 < len(nodes) and last_piece(node).comment:
            return False
        if isinstance(node, Braces) and not node.inline:
            return False
        if isinstance(node, Group) and not _is_flat_group(node):
            return False
    return True


def is_kept_break(before: Node, node: Node) -> bool:
    """Whether the author began a line with a node, or its sign, where one may begin."""
    first, last = first_piece(node), last_piece(before)
    signs = [piece for piece in (first, last) if piece.role == "binary"]
    return first.broken and (
        bool(signs) or first.text in ("->", "else") or last.text in (",", "->")
    )


def _is_flat_group(group: Group) -> bool:
    starts = [first_piece(item[0]) for item in group.items]
    ends = [group.opening, *(last_piece(item[-1]) for item in group.items)]
    if group.closing.above or any(piece.comment for piece in ends):
        return False
    return not any(p.broken or p.above for p in starts) and all(map(is_flat, group.items))


def rows_of_numbers(group: Group) -> list[Group]:
    """The items of a bracket when all are lists of numbers, else none."""
    rows = [item[0] for item in group.items if isinstance(item[0], Group)]
    is_all = len(rows) == len(group.items) and all(row.opening.text == "[" for row in rows)
    return rows if is_all and all(is_number(item) for row in rows for item in row.items) else []


def is_number(item: Sequence[Node]) -> bool:
    """Whether an item is a number, perhaps with a sign."""
    pieces = [node for node in item if isinstance(node, Piece) and node.text != ","]
    kinds = [piece.kind for piece in pieces if piece.role != "unary"]
    return kinds == ["number"] and len(pieces) <= 2 and all(isinstance(n, Piece) for n in item)
