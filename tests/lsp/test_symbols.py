"""The outline and the folds."""

from __future__ import annotations

from netc.lsp.symbols import Fold, folds, outline
from tests.lsp.texts import HALVES, analysed


def test_the_outline_has_blocks_nets_and_their_tensors_with_shapes() -> None:
    unit, net = outline(analysed("let width = 3\n" + HALVES))[1:]
    assert (unit.name, unit.kind, unit.detail) == ("unit", "block", "(c, stride=1)")
    assert (net.name, net.detail) == ("n", "")
    assert [(c.name, c.kind, c.detail) for c in net.children] == [
        ("image", "input", "[3, 8, 8]"),
        ("first", "label", "[4, 8, 8]"),
        ("y", "output", "[8, 2, 2]"),
    ]


def test_a_name_lies_inside_what_belongs_to_it() -> None:
    waiting = outline(analysed(HALVES))
    while waiting:
        symbol = waiting.pop()
        assert symbol.span.start <= symbol.name_span.start <= symbol.name_span.end
        assert symbol.name_span.end <= symbol.span.end
        waiting += symbol.children


def test_used_names_are_no_symbols_of_this_file() -> None:
    assert outline(analysed('use basic from "resnet.netdef"\n')) == []


def test_bodies_lists_and_comments_fold() -> None:
    text = "# one\n# two\nlet a = [1,\n  2]\nnet n {\n  concat {\n    relu\n  }\n}\n# alone\n"
    assert folds(analysed(text)) == [
        Fold(1, 2, comment=True),
        Fold(3, 4),
        Fold(5, 8),
        Fold(6, 7),
    ]
