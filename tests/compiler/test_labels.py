"""The tensor that a label of the definition names."""

from __future__ import annotations

import pytest

from compiler.symbols.labels import label_of
from tests.define import define

NET = """
block inner(c) { conv(c, 1x1) -> relu }
block outer(c) { inner(c) as one -> inner(c) as two }
net n {
    input x: f32[3, 4, 4]
    outer(4) as a
    add { outer(4) as left; outer(4) as right } as both
    conv(4, 1x1) as "a.three"
    conv(4, 1x1) as "group.0" -> conv(4, 1x1) as "group.1"
    skip = conv(1, 3x3)
    maxpool(2x2)
    output y = conv(2, 1x1) as last
    output z
}
"""


@pytest.mark.parametrize(
    ("label", "node"),
    [
        ("x", "x"),
        ("a", "a.two.relu1"),
        ("a.one", "a.one.relu1"),
        ("a.one.conv1", "a.one.conv1"),
        ("a.three", "a.three"),
        ("group", "group.1"),
        ("left", "left.two.relu1"),
        ("both", "both"),
        ("y", "last"),
        ("skip", "conv1"),
        ("z", "maxpool1"),
    ],
)
def test_a_label_is_a_layer_an_output_or_what_leaves_a_block(label: str, node: str) -> None:
    assert label_of(define(NET).graph, label) == node


@pytest.mark.parametrize(("label", "hint"), [("lft", "`left`"), ("a.on", "`a.one`"), ("q9", None)])
def test_an_unknown_label_is_refused(label: str, hint: str | None) -> None:
    with pytest.raises(KeyError) as caught:
        label_of(define(NET).graph, label)
    assert f"n has no tensor {label}" in caught.value.args[0]
    assert ("did you mean" in caught.value.args[0]) == (hint is not None)
    assert hint is None or hint in caught.value.args[0]
