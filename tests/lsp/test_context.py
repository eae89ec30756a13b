"""What the text before the cursor asks for."""

from __future__ import annotations

import pytest

from netc.lsp.context import Context, context_at

NET = "net n {\n    input x: f32[3, H, W]\n    "


def at(text: str) -> Context:
    """The context at the mark `|`; what follows it is there, but not looked at."""
    return context_at(text.replace("|", ""), text.index("|"))


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("|", "item"),
        ("let a = 1\nbl|", "item"),
        ("block b() { relu }\n|", "item"),
        (NET + "|", "statement"),
        (NET + "con|", "statement"),
        (NET + "relu; |", "statement"),
        (NET + "concat {\n |", "statement"),
        (NET + "if true { relu }\n |", "statement"),
        (NET + "relu -> |", "stage"),
        (NET + "relu\n  -> ta|", "stage"),
        (NET + "a = |", "start"),
        (NET + "output y = |", "start"),
        (NET + "relu |", "follow"),
        (NET + "concat { relu } |", "follow"),
        (NET + "if a { relu } |", "follow"),
        (NET + "if a { relu } else |", "follow"),
        (NET + "output y |", "follow"),
        (NET + "output y : [3] |", "nothing"),
        (NET + "output y labels |", "nothing"),
        (NET + "output y = relu |", "follow"),
        (NET + "relu as |", "nothing"),
        (NET + "relu like |", "label"),
        (NET + 'relu like "|', "label"),
        (NET + "conv(|", "argument"),
        (NET + "conv(64, |", "argument"),
        (NET + "conv(64,\n   ker|", "argument"),
        (NET + "conv(64, pad=|", "value"),
        (NET + "conv(64 + |", "value"),
        (NET + "conv(64, [1, |", "value"),
        (NET + "conv(in.|", "size"),
        (NET + "let a = |", "value"),
        (NET + "let a|", "nothing"),
        (NET + "for |", "nothing"),
        (NET + "for i |", "in"),
        (NET + "for i in |", "value"),
        (NET + "repeat |", "value"),
        (NET + "expect |", "measure"),
        (NET + "expect params == 3, |", "measure"),
        (NET + "assert |", "value"),
        (NET + "relu : [|", "value"),
        (NET + "relu : |", "nothing"),
        (NET + "# a comment |", "nothing"),
        (NET + "conv(64, 3|", "nothing"),
        (NET + 'upsample(2, "|', "string"),
        (NET + 'relu as "a|', "nothing"),
        (NET + 'relu as "a{i|', "value"),
        ("net n {\n input |", "nothing"),
        ("net n {\n input x: |", "type"),
        ("net n {\n input x: f32[3] |", "from"),
        ("net n {\n input x: f32[3] from |", "origin"),
        ("net n {\n input x: f32[3] from picture(|", "argument"),
        ("use |", "used"),
        ("use a, |", "used"),
        ("use a |", "from"),
        ('use a from "|', "file"),
        ("block |", "nothing"),
        ('use a from "b" |', "nothing"),
        ("block b(|", "nothing"),
        ("block b(c, k|", "nothing"),
        ("block b(c, k=|", "value"),
        ("block b(c, k=(1 + |", "value"),
        ('"a string # with a hash" |', "follow"),
    ],
)
def test_what_fits(text: str, kind: str) -> None:
    assert at(text).kind == kind


def test_the_word_that_stands_there_already() -> None:
    context = at(NET + "relu -> con|v(3, 3)")
    assert (context.word, context.start) == ("con", len(NET) + len("relu -> "))


def test_the_call_around_the_cursor() -> None:
    call = at(NET + "relu -> conv(64, (1, 2), stride=2, pad=|").call
    assert call is not None
    assert (call.callee, call.position, call.keyword) == ("conv", 3, "pad")
    assert call.given == ("stride",)


def test_a_call_that_is_closed_is_left() -> None:
    assert at(NET + "conv(64, 3) -> |").call is None


def test_inside_a_list_of_an_argument_the_call_is_still_known() -> None:
    context = at(NET + "conv(64, pad=[(1, |")
    assert context.kind == "value" and context.call is not None
    assert (context.call.callee, context.call.keyword) == ("conv", "pad")


def test_parentheses_without_a_name_are_no_call() -> None:
    assert at(NET + "let a = (|").call is None
