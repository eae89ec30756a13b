"""What shared, local weights save: parameters and multiplications."""

from __future__ import annotations

from math import prod

import numpy as np
import pytest

from tests.define import define, run
from tests.lecture.numbers import NUMBERS

SEVEN_BY_SEVEN = """
net first_layer(channels, bias=true) {
    input image: f32[channels, H, W]
    output maps = conv(64, 7x7, bias=bias)
}
"""


def test_64_kernels_of_7x7_on_a_grey_picture_have_3200_parameters() -> None:
    net = define(SEVEN_BY_SEVEN, channels=1)
    assert net.analysis.parameters == NUMBERS["conv7x7_64_gray_params"] == 3200


def test_3136_of_them_are_weights() -> None:
    net = define(SEVEN_BY_SEVEN, channels=1, bias=False)
    assert net.analysis.parameters == NUMBERS["conv7x7_64_gray_weights"] == 3136


def test_on_a_colour_picture_they_have_9472() -> None:
    net = define(SEVEN_BY_SEVEN, channels=3)
    assert net.analysis.parameters == NUMBERS["conv7x7_64_rgb_params"] == 9472


def test_the_parameters_of_a_convolution_do_not_depend_on_the_picture_s_size() -> None:
    text = "net n(size) { input x: f32[3, size, size]; output y = conv(8, 3x3, pad=1) }"
    small, large = (define(text, size=size).analysis for size in (8, 64))
    assert small.parameters == large.parameters == 8 * 27 + 8
    assert large.macs == 64 * small.macs


def test_a_1x1_convolution_turns_eight_maps_into_four_at_every_pixel() -> None:
    weights = np.arange(32).reshape(4, 8) - 16
    net = define(f"""
        let weights = {weights[..., None, None].tolist()}
        net mix {{
            input maps: f32[8, 5, 6]
            output fewer = conv(4, 1x1, bias=false, weight=weights) : [4, 5, 6]
            expect params == 8 * 4, macs == 8 * 4 * 5 * 6
        }}
    """)
    maps = np.random.default_rng(0).standard_normal((8, 5, 6))
    mixed = np.einsum("oc,chw->ohw", weights, maps)
    np.testing.assert_allclose(run(net, maps)["fewer"], mixed, rtol=1e-4, atol=1e-4)


def test_a_1x1_convolution_with_its_biases_has_36_parameters() -> None:
    define("""
        net mix {
            input maps: f32[8, H, W]
            output fewer = conv(4, 1x1) : [4, H, W]
            expect params == 36
        }
    """)


# Deep Learning, figure 9.6: vertical edges of a 320x280 picture as differences of neighbours.
EDGES = "net edges { input picture: f32[1, 280, 320]; output y = %s }"


def test_an_edge_detector_is_two_weights_as_a_convolution_and_eight_billion_as_a_dense_layer() -> (
    None
):
    convolution = define(EDGES % "conv(1, 1x2, bias=false) : [1, 280, 319]")
    dense = define(EDGES % "flatten -> dense(280 * 319, bias=false) : [89320]")
    assert convolution.analysis.parameters == 2
    assert dense.analysis.parameters == 320 * 280 * 319 * 280 == 8_003_072_000


def test_the_convolution_multiplies_44800_times_less() -> None:
    convolution = define(EDGES % "conv(1, 1x2, bias=false)")
    dense = define(EDGES % "flatten -> dense(280 * 319, bias=false)")
    (outputs,) = convolution.summary()["outputs"].values()
    # The book's 267,960 operations: two multiplications and an addition for each output.
    assert convolution.analysis.macs + prod(outputs) == 267_960
    assert dense.analysis.macs == 44_800 * convolution.analysis.macs


def test_a_convolution_over_the_whole_map_is_a_dense_layer() -> None:
    text = "net c5 { input maps: f32[16, 5, 5]; output y = %s; expect params == 48_120 }"
    convolution = define(text % "conv(120, 5x5) : [120, 1, 1]")
    dense = define(text % "flatten -> dense(120) : [120]")
    assert convolution.analysis.macs == dense.analysis.macs == 48_000


THREE = "repeat 3 { conv(c, 3x3, bias=false) }"
ONE = "conv(c, 7x7, bias=false)"


@pytest.mark.parametrize("channels", [1, 8, 64])
@pytest.mark.parametrize(("index", "layers"), [(0, THREE), (1, ONE)], ids=["three 3x3", "one 7x7"])
def test_three_3x3_kernels_see_what_a_7x7_sees_with_27_weights_for_49(
    index: int, layers: str, channels: int
) -> None:
    formula = NUMBERS["three_3x3_vs_7x7_weights(C channels)"][index]
    factor, square, _ = formula.partition("C^2")
    assert square and (int(factor), layers) in ((27, THREE), (49, ONE))
    net = define(
        f"""
        net stack(c) {{
            input maps: f32[c, 16, 16]
            {layers}
            output y : [c, 10, 10]
            expect rf(y) == 7x7
        }}
        """,
        c=channels,
    )
    assert net.analysis.parameters == int(factor) * channels**2
