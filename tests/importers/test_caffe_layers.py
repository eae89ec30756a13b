"""What Caffe's layers mean, one at a time."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from compiler.importers.define import Defined, define
from compiler.importers.from_caffe import import_caffe
from compiler.initialise import scatter
from grammar.diagnostics import DefinitionError
from grammar.source import Source
from runtime.reference import run_reference
from tests.importers.caffe_models import layer

INPUT = 'input: "x" input_dim: 1 input_dim: 4 input_dim: 7 input_dim: 6'


def imported(*layers: str, top: str = INPUT) -> Defined:
    """The definition of a file with these layers."""
    return define(import_caffe(Source("x.prototxt", "\n".join([top, *layers]))))


def body(*layers: str, top: str = INPUT) -> list[str]:
    """The lines of the network between its input and the count of its parameters."""
    text = imported(*layers, top=top).text
    lines = [line.split(" : [")[0].strip() for line in text.partition("net ")[2].splitlines()]
    return [line for line in lines[2:-1] if line and not line.startswith("expect")]


def result(*layers: str) -> tuple[NDArray[Any], NDArray[Any]]:
    """An input and what the layers make of it."""
    graph = scatter(imported(*layers).graph)
    x = np.random.default_rng(0).standard_normal((1, 4, 7, 6)).astype(np.float32)
    return x, next(iter(run_reference(graph, {"x": x}).values()))


def refusals(*layers: str, top: str = INPUT) -> str:
    """The errors of a file that cannot be expressed."""
    with pytest.raises(DefinitionError) as caught:
        imported(*layers, top=top)
    return str(caught.value)


def pooling(fields: str) -> str:
    return layer("Pooling", "p", "x", "y", f"pooling_param {{ {fields} }}")


def eltwise(fields: str) -> list[str]:
    branches = [layer("TanH", "a", "x", "a"), layer("Sigmoid", "b", "x", "b")]
    return [*branches, layer("Eltwise", "e", "a b", "y", f"eltwise_param {{ {fields} }}")]


@pytest.mark.parametrize(
    "fields, wanted",
    [
        ("kernel_size: 3 stride: 2", 'maxpool(3x3, stride=2, ceil=true) as "p"'),
        ("kernel_size: 3 stride: 1", 'maxpool(3x3, stride=1) as "p"'),
        ("kernel_size: 2 stride: 2 round_mode: FLOOR", 'maxpool(2x2) as "p"'),
        (
            "pool: AVE kernel_size: 3 stride: 2 pad: 1",
            'avgpool(3x3, stride=2, pad=1, ceil=true) as "p"',
        ),
        ("pool: AVE global_pooling: true", 'gap as "p"'),
        ("pool: MAX global_pooling: true", 'gmp as "p"'),
        ("kernel_h: 1 kernel_w: 2 stride_h: 2 stride_w: 1", 'maxpool(1x2, stride=2x1) as "p"'),
    ],
)
def test_pooling_rounds_up_where_that_differs(fields: str, wanted: str) -> None:
    assert body(pooling(fields))[0] == wanted


def test_the_mean_of_a_clipped_window_counts_the_padding_within_bounds() -> None:
    """Caffe: a window ends at the padding's end at most, and its area so cut is the divisor."""
    x, y = result(pooling("pool: AVE kernel_size: 3 stride: 2 pad: 1"))
    padded = np.pad(x, [(0, 0), (0, 0), (1, 1), (1, 1)])
    assert y.shape == (1, 4, 4, 4)
    for row, column in np.ndindex(4, 4):
        window = padded[:, :, 2 * row : 2 * row + 3, 2 * column : 2 * column + 3]
        np.testing.assert_allclose(y[:, :, row, column], window.mean((2, 3)), rtol=1e-5, atol=1e-6)


def test_a_last_window_in_the_padding_is_dropped() -> None:
    """7 pixels, kernel 2, stride 2, padding 1: rounded up 5 windows, of which none starts at 8."""
    _, y = result(pooling("kernel_size: 2 stride: 2 pad: 1"))
    assert y.shape == (1, 4, 4, 4)


def test_local_response_normalisation_within_channels_is_written_out() -> None:
    """x (1 + alpha/n^2 sum of squares in an n x n window)^-beta, zeros around the map."""
    fields = "norm_region: WITHIN_CHANNEL local_size: 3 alpha: 0.5 beta: 0.75"
    x, y = result(layer("LRN", "n", "x", "y", f"lrn_param {{ {fields} }}"))
    padded = np.pad(np.square(x), [(0, 0), (0, 0), (1, 1), (1, 1)])
    for row, column in np.ndindex(7, 6):
        mean = padded[:, :, row : row + 3, column : column + 3].mean((2, 3))
        wanted = x[:, :, row, column] * (1 + 0.5 * mean) ** -0.75
        np.testing.assert_allclose(y[:, :, row, column], wanted, rtol=1e-5)


def test_local_response_normalisation_within_channels_needs_a_middle() -> None:
    fields = "lrn_param { norm_region: WITHIN_CHANNEL local_size: 4 }"
    said = refusals(layer("LRN", "n", "x", "y", fields), layer("ReLU", "r", "y", "y"))
    assert "LRN n cannot be expressed: it normalises within each channel" in said
    assert said.count("error[") == 1


@pytest.mark.parametrize("kind", ["ConvolutionDepthwise", "DepthwiseConvolution"])
def test_a_depthwise_convolution_has_a_group_for_each_channel(kind: str) -> None:
    fields = "convolution_param { num_output: 8 kernel_size: 3 pad: 1 bias_term: false }"
    lines = body(layer(kind, "dw", "x", "y", fields), layer("ReLU", "r", "y", "y"))
    assert lines[0] == "conv(8, 3x3, pad=1, groups=4, bias=false) as dw -> relu"


@pytest.mark.parametrize(
    "fields, height, width",
    [("height: 13 width: 11", 13, 11), ("zoom_factor: 3", 19, 16), ("shrink_factor: 2", 4, 3)],
)
def test_interp_lets_the_corners_of_both_maps_meet(fields: str, height: int, width: int) -> None:
    x, y = result(layer("Interp", "i", "x", "y", f"interp_param {{ {fields} }}"))
    assert y.shape == (1, 4, height, width)
    for row, column in np.ndindex(height, width):
        v, h = row * 6 / (height - 1), column * 5 / (width - 1)
        top, left = min(int(v), 5), min(int(h), 4)
        (a, b), (c, d) = x[0, 0, top : top + 2, left : left + 2]
        above, below = a + (h - left) * (b - a), c + (h - left) * (d - c)
        np.testing.assert_allclose(y[0, 0, row, column], above + (v - top) * (below - above), 1e-4)


def test_layers_in_place_follow_each_other() -> None:
    lines = body(
        layer("Convolution", "c", "x", "c", "convolution_param { num_output: 2 kernel_size: 1 }"),
        layer("ReLU", "r", "c", "c", "relu_param { negative_slope: 0.25 }"),
        layer("Dropout", "d", "c", "c"),
        layer("Power", "q", "c", "c", "power_param { scale: 2 shift: 1 power: 3 }"),
    )
    assert lines[0] == "conv(2, 1x1) as c -> leaky_relu(0.25) -> dropout -> scale(2) -> shift(1)"


@pytest.mark.parametrize(
    "rule, there",
    [
        ("include { phase: TEST }", True),
        ("include { phase: TRAIN }", False),
        ("exclude { phase: TEST }", False),
        ("exclude { phase: TRAIN }", True),
        ('include { stage: "deploy" }', False),
        ("", True),
    ],
)
def test_phases_choose_the_layers_of_the_test(rule: str, there: bool) -> None:
    lines = body(layer("ReLU", "r", "x", "y", rule), layer("TanH", "t", "x", "z"))
    assert any("relu" in line for line in lines) == there


@pytest.mark.parametrize(
    "fields, wanted",
    [
        ("", lambda a, b: a + b),
        ("operation: SUM coeff: 1 coeff: -1", lambda a, b: a - b),
        ("operation: SUM coeff: 0.5 coeff: 2", lambda a, b: a / 2 + 2 * b),
        ("operation: PROD", lambda a, b: a * b),
        ("operation: MAX", np.maximum),
    ],
)
def test_eltwise_sums_with_coefficients(fields: str, wanted: Any) -> None:
    x, y = result(*eltwise(fields))
    np.testing.assert_allclose(y, wanted(np.tanh(x), 1 / (1 + np.exp(-x))), rtol=1e-5, atol=1e-6)


def test_a_batch_norm_and_its_scale_are_one_layer() -> None:
    conv = "convolution_param { num_output: 2 kernel_size: 1 bias_term: false }"
    lines = body(
        layer("Convolution", "c", "x", "c", conv),
        layer(
            "BatchNorm", "bn_c", "c", "c", "batch_norm_param { use_global_stats: true eps: 1e-4 }"
        ),
        layer("Scale", "scale_c", "c", "c", "scale_param { bias_term: true }"),
        layer("ReLU", "r", "c", "c"),
    )
    assert lines[0] == "conv(2, 1x1, bias=false) as c -> bn(eps=0.0001) as bn_c -> relu"


def test_a_scale_by_itself_is_a_factor_for_each_channel() -> None:
    lines = body(layer("Scale", "s", "x", "y", "scale_param { bias_term: true }"))
    assert lines[0] == "conv(4, 1x1, groups=4) as s"


@pytest.mark.parametrize(
    "top",
    [
        INPUT,
        'input: "x" input_shape { dim: 1 dim: 4 dim: 7 dim: 6 }',
        'input: "x" input_shape: { dim: [1, 4, 7, 6] }  # a list',
        layer("Input", "x", "", "x", "input_param { shape: { dim: 1 dim: 4 dim: 7 dim: 6 } }"),
    ],
)
def test_an_input_is_declared_in_every_style(top: str) -> None:
    found = imported(layer("ReLU", "r", "x", "x"), top=top)
    assert "input x: f32[4, 7, 6]\n" in found.text


def test_layers_of_the_old_spelling_are_read() -> None:
    text = """layers { name: "data" type: DATA top: "x" top: "label" data_param { crop_size: 8 } }
    layers {
        name: "c" type: CONVOLUTION bottom: "x" top: "c" blobs_lr: 1 blobs_lr: 2 param: "w"
        convolution_param {
            num_output: 2 kernel_size: 3 weight_filler { type: "gaussian" std: 0.01 }
        }
    }
    layers { name: "r" type: RELU bottom: "c" top: "c" }
    layers { name: "loss" type: SOFTMAX_LOSS bottom: "c" bottom: "label" top: "loss" }"""
    lines = body(text, top="")
    assert lines[0] == 'conv(2, 3x3, init="normal(0.01)") as c -> relu'
    assert lines[1] == "output loss = softmax"


def test_a_deconvolution_is_deconv() -> None:
    fields = "num_output: 4 kernel_size: 4 stride: 2 pad: 1 group: 4 bias_term: false"
    lines = body(layer("Deconvolution", "up", "x", "y", f"convolution_param {{ {fields} }}"))
    assert lines[0] == "deconv(4, 4x4, stride=2, pad=1, groups=4, bias=false) as up"


def test_concat_slice_and_crop() -> None:
    lines = body(
        layer("Slice", "s", "x", "a b", "slice_param { slice_point: 1 }"),
        layer("ReLU", "r", "a", "a"),
        layer("Concat", "k", "b a", "y", "concat_param { axis: 1 }"),
    )
    assert lines[:4] == ["concat {", "channels(1, 3)", "channels(0, 0) -> relu", "}"]


def test_parameters_of_one_name_are_shared() -> None:
    conv = (
        'param { name: "w" } param { name: "b" } convolution_param { num_output: 4 kernel_size: 1 }'
    )
    found = imported(
        layer("Convolution", "c1", "x", "c1", conv), layer("Convolution", "c2", "c1", "c2", conv)
    )
    assert "like c1" in found.text and "expect params == 20\n" in found.text


def test_what_cannot_be_expressed_is_listed_whole_with_its_place() -> None:
    said = refusals(
        layer("Python", "mine", "x", "a"),
        layer("ArgMax", "best", "x", "b"),
        layer("ReLU", "r", "nowhere", "c"),
    )
    assert said.count("error[E601]") == 3
    for words in (
        "Python mine",
        "ArgMax best",
        "nothing makes its input nowhere",
        "x.prototxt:2:1",
    ):
        assert words in said


@pytest.mark.parametrize(
    "text", ["layer {", "layer { name: }", 'name: "open', "layer } {", "a: b: c"]
)
def test_a_mistake_in_the_syntax_has_a_place(text: str) -> None:
    assert "error[E602]" in refusals(text, top="")


@pytest.mark.parametrize(
    "source",
    [
        'layer { name: "d" type: "Python" top: "x" top: "label" }',
        'layer { name: "d" type: "ImageSegData" top: "x" top: "label" }',
        'layer { name: "d" type: "Data" top: "x" top: "label" include { phase: TRAIN } }',
        'layer { name: "d" type: "Data" top: "x" include { phase: TEST stage: "all" } }',
    ],
)
def test_whatever_makes_the_data_is_an_input(source: str) -> None:
    text = f'{source} layer {{ name: "r" type: "ReLU" bottom: "x" top: "y" }}'
    shapes = {"x": (4, 7, 6)}
    assert "input x: f32[4, 7, 6]" in define(import_caffe(Source("x.prototxt", text), shapes)).text
    assert "--shape x=3x224x224" in refusals(text, top="")


def test_what_only_an_accuracy_reads_is_an_output() -> None:
    lines = body(layer("ReLU", "r", "x", "y"), layer("SegAccuracy", "a", "y x", "a"))
    assert lines == ["relu", "output y"]


def test_data_without_a_shape_need_one_from_the_call() -> None:
    data = layer("Data", "data", "", "x label", 'data_param { source: "s" }')
    said = refusals(data, layer("ReLU", "r", "x", "x"), top="")
    assert "--shape x=3x224x224" in said
