"""How much space stands before each word or sign: one, or none."""

from __future__ import annotations

from collections.abc import Sequence

from grammar.format.pieces import Piece
from grammar.lexemes import LEARNING, RESERVED

OPERATORS = frozenset(["+", "-", "*", "/", "//", "%", "**", "==", "!=", "<", "<=", ">", ">="])
WORD_OPERATORS = frozenset(["and", "or", "not", "if", "else"])
NO_OPERANDS = RESERVED - {"true", "false", "in"}
DECLARING = frozenset(["data", "noise", "augment"])  # a `:` behind a name says what it is
CLOSING = (")", "]", "}")


def set_gaps(pieces: Sequence[Piece], starts: set[int]) -> None:
    """Decide role and gap of every piece; `starts` has the indices where a statement begins."""
    brackets: list[str] = []
    training: list[bool] = []  # for each open brace whether a training's statements are inside
    waits_for = ""  # the sign or word that a statement's first word gives a role
    before: Piece | None = None
    declares = item = denied = False
    for index, piece in enumerate(pieces):
        if index in starts:
            before = None
            waits_for = {"input": ":", "for": "in"}.get(piece.text, "")
            learning = bool(training) and training[-1]
            declares = learning and piece.text in DECLARING
            item = not training and piece.text == "train"
            if learning and piece.text in LEARNING and is_followed(pieces, index):
                piece.role = "statement"
        if piece.text in ("+", "-"):
            piece.role = "binary" if ends_operand(before) else "unary"
        elif piece.text in OPERATORS or piece.text in WORD_OPERATORS:
            piece.role = "binary"
        elif piece.text == "=" and brackets[-1:] == ["("]:
            piece.role = "keyword"
            piece.gap = int(_has_operator(pieces, index + 1))
        elif piece.text == waits_for and not (brackets and brackets[-1] != "{"):
            piece.role = "type" if waits_for == ":" else "loop"
            waits_for = ""
        elif piece.text == "in" and (ends_operand(before) or denied):
            piece.role = "loop" if denied else "binary"
        elif piece.text == "for" and brackets_in_statement(brackets):
            piece.role = "binary"
        elif piece.text == ":" and brackets[-1:] == ["["]:
            piece.role = "slice"
        elif piece.text == ":":
            piece.role = "type" if declares and not brackets_in_statement(brackets) else "assertion"
        denied = piece.text == "not" and ends_operand(before)  # `a not in b`
        if piece.role != "keyword":
            piece.gap = _gap(before, piece)
        if piece.text in ("(", "[", "{"):
            brackets.append(piece.text)
        elif piece.text in CLOSING:
            brackets.pop()
        if piece.text == "{":
            training.append(item or (bool(training) and training[-1]))
        elif piece.text == "}" and training:
            training.pop()
        before = piece


def brackets_in_statement(brackets: Sequence[str]) -> bool:
    """Whether a round or square bracket is open."""
    return bool(brackets) and brackets[-1] != "{"


def is_followed(pieces: Sequence[Piece], index: int) -> bool:
    """Whether a word begins a statement of a training and is not the name in `batch = …`."""
    return index + 1 < len(pieces) and pieces[index + 1].text != "="


def _gap(before: Piece | None, piece: Piece) -> int:
    if before is None:
        return 0
    if piece.text in (",", ";", ")", "]", ".") or before.text in ("(", "[", "."):
        return 0
    if before.role in ("unary", "slice") or piece.role in ("type", "slice"):
        return 0
    if before.role == "keyword":
        return before.gap
    if piece.text in ("(", "["):
        return 0 if ends_operand(before) else 1
    return 0 if before.text == "{" and piece.text == "}" else 1


def ends_operand(piece: Piece | None) -> bool:
    """Whether a value or name ends here, so that a sign is a difference and a bracket a call."""
    if piece is None or piece.role in ("binary", "loop", "statement"):
        return False
    if piece.kind == "word":
        return piece.text not in NO_OPERANDS
    return piece.kind in ("number", "size", "text") or piece.text in (")", "]")


def _has_operator(pieces: Sequence[Piece], index: int) -> bool:
    """Whether the argument that begins here is more than one term: it gets space around its `=`."""
    depth, first = 0, index
    for position in range(index, len(pieces)):
        text = pieces[position].text
        if depth == 0 and (text in (",", ")")):
            return False
        is_sign = text in ("+", "-") and (
            position == first or not ends_operand(pieces[position - 1])
        )
        if depth == 0 and not is_sign and (text in OPERATORS or text in WORD_OPERATORS):
            return True
        depth += (text in ("(", "[")) - (text in CLOSING)
    return False
