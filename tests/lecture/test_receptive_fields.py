"""What a node of a deep layer sees of the input."""

from __future__ import annotations

import pytest

from grammar.diagnostics import DefinitionError
from tests.define import define

STACK = """
net stack(depth, seen) {{
    input image: f32[1, 32, 32]
    repeat depth {{ {layer} }}
    output y
    expect rf(y) == seen
}}
"""


@pytest.mark.parametrize(("depth", "seen"), [(1, 3), (2, 5), (3, 7), (4, 9)])
def test_stacked_3x3_convolutions_see_two_pixels_more_each(depth: int, seen: int) -> None:
    text = STACK.format(layer="conv(4, 3x3, pad=1) -> relu")
    net = define(text, depth=depth, seen=(seen, seen))
    assert [axis.size for axis in net.analysis.layers[-1].field] == [seen, seen]


def test_two_3x3_convolutions_see_5x5_and_not_more() -> None:
    text = STACK.replace("== seen", "== {seen}").replace(", seen", "")
    define(text.format(layer="conv(4, 3x3)", seen="5x5"), depth=2)
    define(text.format(layer="conv(4, 3x3)", seen="7x7"), depth=3)
    with pytest.raises(DefinitionError):
        define(text.format(layer="conv(4, 3x3)", seen="7x7"), depth=2)


def test_a_stride_widens_the_field_of_all_that_follows() -> None:
    text = STACK.replace("== seen", "== {seen}").replace(", seen", "")
    define(text.format(layer="conv(4, 3x3, stride=2, pad=1)", seen="7x7"), depth=2)
    define(text.format(layer="conv(4, 3x3, pad=1) -> maxpool(2x2)", seen="10x10"), depth=2)


def test_dilation_widens_the_field_without_weights() -> None:
    define("""
        net dilated {
            input image: f32[1, 32, 32]
            for d in [1, 2, 4] { conv(1, 3x3, dilation=d, bias=false) }
            output y
            expect rf(y) == 15x15, params == 27
        }
    """)


def test_a_node_of_lenet_s_output_sees_the_whole_picture() -> None:
    define("""
        net lenet {
            input image: f32[1, 28, 28]
            conv(6, 5x5, pad=2) -> tanh -> avgpool(2x2)
            conv(16, 5x5) -> tanh -> avgpool(2x2)
            conv(120, 5x5) as c5
            output y = flatten -> dense(84)
            expect rf(c5) == 32x32, rf(y) == 32x32
        }
    """)
