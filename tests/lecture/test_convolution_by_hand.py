"""Convolutions worked out by hand: over three channels, at the border, with classical kernels."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import netc
from tests.define import define, run


def test_the_node_that_sees_the_whole_3x3x3_tensor_is_nine() -> None:
    net = define("""
        let red   = [[1, 0, 1],
                     [0, 1, 0],
                     [1, 0, 1]]
        let green = [[0,  1, 0],
                     [1, -1, 1],
                     [0,  1, 0]]
        let blue  = [[ 1,  1,  1],
                     [ 0,  0,  0],
                     [-1, -1, -1]]
        net one_kernel {
            input tensor: f32[3, 3, 3]
            output map = conv(1, 3x3, pad=1, weight=[[red, green, blue]], bias=false) : [1, 3, 3]
        }
    """)
    tensor = [
        [[1, 2, 0], [0, 1, 2], [2, 0, 1]],  # 1 + 0 + 1 + 2 + 1 = 5
        [[3, 1, 1], [2, 4, 0], [1, 2, 1]],  # 1 + 2 - 4 + 0 + 2 = 1
        [[2, 1, 3], [1, 1, 1], [1, 0, 2]],  # 6 - 3 = 3
    ]
    found = run(net, tensor)["map"][0]
    assert found[1, 1] == 9  # 5 + 1 + 3
    # At the corner four of the nine places of each channel lie inside:
    # (1 + 1) + (-3 + 1 + 2 + 0) + (-1 - 1) = 0.
    assert found[0, 0] == 0


PADDED = """
net padded {
    input picture: f32[1, 3, 3]
    output zero = picture -> filter(kernel, pad=1)
    output replicate = picture -> filter(kernel, pad=1, pad_mode="replicate")
    output none = picture -> filter(kernel) : [1, 1, 1]
}
let kernel = [[1, 1, 1], [1, 1, 1], [1, 1, 1]]
"""


def test_zero_and_replicate_padding_differ_at_the_border_only() -> None:
    found = run(define(PADDED), [[[1, 2, 3], [4, 5, 6], [7, 8, 9]]])
    assert found["zero"].tolist() == [[[12, 21, 16], [27, 45, 33], [24, 39, 28]]]
    assert found["replicate"].tolist() == [[[21, 27, 33], [39, 45, 51], [57, 63, 69]]]
    assert found["none"].tolist() == [[[45]]]


def test_zero_padding_darkens_the_border_of_an_even_picture_and_replicate_does_not() -> None:
    found = run(define(PADDED), np.ones((1, 3, 3)))
    assert found["zero"].tolist() == [[[4, 6, 4], [6, 9, 6], [4, 6, 4]]]
    assert (found["replicate"] == 9).all()


# On a picture that is dark on the left and bright on the right: 0, 0, 9, 9 in each row.
STEP: dict[str, list[float]] = {
    "identity_kernel": [0, 0, 9, 9],
    "edge_detect_1": [0, 0, 0, 0],  # it answers to corners: a straight edge cancels
    "edge_detect_2": [0, -9, 9, 0],  # 4 * 0 - 9 and 4 * 9 - 27
    "edge_detect_3": [0, -27, 27, 0],  # 8 * 0 - 27 and 8 * 9 - 45
    "sharpen": [0, -9, 18, 9],  # the picture and its edges
    "box_blur": [0, 3, 6, 9],  # a third of the neighbours is bright, two thirds are
    "gaussian_blur": [0, 2.25, 6.75, 9],  # a quarter of the weight, three quarters
    "vertical_edges": [0, -27, -27, 0],  # 3 * (0 - 9)
    "horizontal_edges": [0, 0, 0, 0],
}


@pytest.mark.parametrize("kernel", STEP)
def test_a_classical_kernel_gives_the_values_worked_out_by_hand(kernel: str) -> None:
    step = np.tile(np.array([0, 0, 9, 9]), (3, 3, 1))
    (found,) = run(netc.load(kernel), step).values()
    np.testing.assert_allclose(found, np.tile(STEP[kernel], (3, 3, 1)), atol=1e-5)


@pytest.mark.parametrize("kernel", STEP)
def test_a_classical_kernel_does_the_same_to_a_picture_on_its_side(kernel: str) -> None:
    step = np.tile(np.array([0, 0, 9, 9])[:, None], (3, 1, 3))
    (found,) = run(netc.load(kernel), step).values()
    swapped = {"vertical_edges": "horizontal_edges", "horizontal_edges": "vertical_edges"}
    wanted = np.array(STEP[swapped.get(kernel, kernel)])[:, None]
    np.testing.assert_allclose(found, np.tile(wanted, (3, 1, 3)), atol=1e-5)


IMPULSE: dict[str, Any] = {
    "identity_kernel": [[0, 0, 0], [0, 1, 0], [0, 0, 0]],
    "edge_detect_1": [[1, 0, -1], [0, 0, 0], [-1, 0, 1]],
    "edge_detect_2": [[0, -1, 0], [-1, 4, -1], [0, -1, 0]],
    "edge_detect_3": [[-1, -1, -1], [-1, 8, -1], [-1, -1, -1]],
    "sharpen": [[0, -1, 0], [-1, 5, -1], [0, -1, 0]],
    "box_blur": np.full((3, 3), 1 / 9),
    "gaussian_blur": np.array([[1, 2, 1], [2, 4, 2], [1, 2, 1]]) / 16,
    # The kernel is laid on the picture as it is written (a correlation), so that a single bright
    # pixel gives it back turned by half a turn.
    "vertical_edges": [[-1, 0, 1], [-1, 0, 1], [-1, 0, 1]],
    "horizontal_edges": [[-1, -1, -1], [0, 0, 0], [1, 1, 1]],
}


@pytest.mark.parametrize("kernel", IMPULSE)
def test_a_single_bright_pixel_shows_a_classical_kernel(kernel: str) -> None:
    impulse = np.zeros((3, 5, 6))
    impulse[:, 2, 2] = 1
    (found,) = run(netc.load(kernel), impulse).values()
    wanted = np.zeros((3, 5, 6))
    wanted[:, 1:4, 1:4] = IMPULSE[kernel]
    np.testing.assert_allclose(found, wanted, atol=1e-6)


def test_each_colour_is_filtered_by_itself() -> None:
    picture = np.zeros((3, 4, 5))
    picture[1, 2, 2] = 1
    (found,) = run(netc.load("sharpen"), picture).values()
    assert not found[[0, 2]].any() and found[1].any()
