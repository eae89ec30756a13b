"""Output sizes: floor((W - F + 2P)/S) + 1."""

from __future__ import annotations

import pytest

from grammar.diagnostics import DefinitionError
from tests.define import define

ONE_AXIS = """
net sizes(width, kernel, stride, pad) {
    input signal: f32[1, width]
    output y = %s(%s kernel, stride=stride, pad=pad)
}
"""


@pytest.mark.parametrize("op", ["conv", "maxpool", "avgpool"])
@pytest.mark.parametrize(
    ("width", "kernel", "pad", "stride", "size"),
    [
        (5, 3, 1, 2, 3),
        (6, 3, 1, 2, 3),  # a window that does not fit is left out: 5 and 6 give the same
        (7, 3, 0, 1, 5),
        (7, 3, 0, 2, 3),
        (7, 3, 1, 1, 7),
        (32, 5, 0, 1, 28),
        (32, 5, 2, 1, 32),
        (227, 11, 0, 4, 55),
    ],
)
def test_a_window_makes_the_size_of_the_formula(
    op: str, width: int, kernel: int, pad: int, stride: int, size: int
) -> None:
    text = ONE_AXIS % (op, "1," if op == "conv" else "")
    net = define(text, width=width, kernel=kernel, stride=stride, pad=pad)
    assert net.summary()["outputs"] == {"y": [1, size]}


def test_five_and_six_pixels_give_three_along_two_axes_at_once() -> None:
    define("""
        net sizes {
            input image: f32[3, 5, 6]
            output y = conv(2, 3x3, stride=2, pad=1) : [2, 3, 3]
        }
    """)


def test_an_unknown_width_gives_the_formula_itself() -> None:
    net = define("""
        net sizes {
            input signal: f32[1, W]
            output y = conv(1, 3, stride=2, pad=1) : [1, (W - 1) // 2 + 1]
        }
    """)
    assert net.summary()["outputs"] == {"y": [1, "floor((W - 1)/2) + 1"]}


def test_the_paper_s_224_pixels_do_not_give_alexnet_55() -> None:
    text = """
        net first_layer(size) {
            input image: f32[3, size, size]
            output y = conv(96, 11x11, stride=4) : [96, 55, 55]
        }
    """
    define(text, size=227)
    with pytest.raises(DefinitionError, match="54"):
        define(text, size=224)
