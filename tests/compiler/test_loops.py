"""Loops over rows of a table, and the shapes asserted behind loops and conditions."""

from __future__ import annotations

import pytest

from grammar.diagnostics import DefinitionError
from tests.define import define

MOBILENET_V2 = """
# MobileNetV2 (Sandler et al. 2018), table 2: expansion t, channels c, repeated n times, stride s.
block narrow(c, stride, expand) {
    let hidden = in.c * expand
    if expand != 1 { conv(hidden, 1x1, bias=false) -> bn -> relu6 }
    conv(hidden, 3x3, stride=stride, pad=1, groups=hidden, bias=false) -> bn -> relu6
    conv(c, 1x1, bias=false) -> bn
}

block inverted_residual(c, stride, expand) {
    if stride == 1 and in.c == c {
        add { identity; narrow(c, stride, expand) }
    } else {
        narrow(c, stride, expand)
    }
}

net mobilenet_v2(classes=1000) {
    input image: f32[3, 224, 224]

    conv(32, 3x3, stride=2, pad=1, bias=false) -> bn -> relu6
    for t, c, n, s in [
        (1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2),
        (6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1),
    ] {
        for i in range(n) { inverted_residual(c, s if i == 0 else 1, t) }
    }                                                                       : [320, 7, 7]
    conv(1280, 1x1, bias=false) -> bn -> relu6 -> gap -> flatten -> dropout(0.2) -> dense(classes)
    output logits

    expect params == 3_504_872, macs == 300_774_272
}
"""


def test_a_papers_table_is_a_loop_over_its_rows() -> None:
    net = define(MOBILENET_V2)
    assert sum(node.op.name == "add" for node in net.graph.nodes()) == 10
    assert not net.warnings


def test_a_shape_behind_a_loop_in_a_join_holds_for_each_of_its_branches() -> None:
    text = """
    net n {
        input x: f32[3, H, 16]
        assert H % 2 == 0
        concat {
            for k in [1, 3] { conv(8, k, pad=k // 2) } : [8, H, 16]
            if x.c == 3 { identity } : [3, H, 16]
        } -> maxpool(2x2)
        repeat 2 { relu } : [19, H // 2, 8]
        output y
    }"""
    assert define(text).graph.nodes()
    with pytest.raises(DefinitionError, match="the shape is not the asserted one"):
        define(text.replace("pad=k // 2", "pad=1"))


def test_a_loop_through_which_nothing_flows_has_no_shape_to_assert() -> None:
    with pytest.raises(DefinitionError, match="nothing flows here yet"):
        define(
            """
            net n {
                input a: f32[3]
                input b: f32[3]
                repeat 0 { relu } : [3]
                output y = add(a, b)
            }"""
        )
