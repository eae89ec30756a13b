"""What Darknet's sections mean, one at a time."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from compiler.importers.define import Defined, define
from compiler.importers.from_darknet import import_darknet
from compiler.initialise import scatter
from compiler.ops.shapes import known
from grammar.diagnostics import DefinitionError
from grammar.source import Source
from runtime.reference import run_reference

NET = "[net]\nchannels=4\nheight=7\nwidth=6\n"


def imported(*sections: str, net: str = NET) -> Defined:
    """The definition of a cfg; a section is `name key=value …`."""
    return define(import_darknet(Source("x.cfg", net + "".join(map(section, sections)))))


def section(words: str) -> str:
    """One section, an option to a line."""
    name, *options = words.split()
    return f"[{name}]\n" + "".join(f"{option}\n" for option in options)


def body(*sections: str, net: str = NET) -> list[str]:
    """The lines of the network between its input and the count of its parameters."""
    text = imported(*sections, net=net).text
    lines = [line.split(" : [")[0].strip() for line in text.partition("\nnet ")[2].splitlines()]
    return [line for line in lines[2:-1] if line and not line.startswith("expect")]


def result(*sections: str, net: str = NET) -> tuple[NDArray[Any], NDArray[Any]]:
    """An input and what the sections make of it."""
    graph = scatter(imported(*sections, net=net).graph)
    (given,) = graph.inputs()
    shape = (1, *known(given.shape, given.name))
    x = np.random.default_rng(0).standard_normal(shape).astype(np.float32)
    return x[0], next(iter(run_reference(graph, {given.name: x}).values()))[0]


def refusals(*sections: str, net: str = NET) -> str:
    """The errors of a cfg that cannot be expressed."""
    with pytest.raises(DefinitionError) as caught:
        imported(*sections, net=net)
    return str(caught.value)


@pytest.mark.parametrize(
    "options, wanted",
    [
        ("filters=8 size=3 pad=1 activation=linear", "conv(8, 3x3, pad=1)"),
        (
            "filters=8 size=5 pad=1 padding=7 stride=2 activation=linear",
            "conv(8, 5x5, stride=2, pad=2)",
        ),
        ("filters=8 size=3 padding=2 activation=linear", "conv(8, 3x3, pad=2)"),
        ("filters=8 size=3 activation=relu", "conv(8, 3x3) -> relu"),
        ("filters=8", "conv(8, 1x1) -> sigmoid"),
        ("filters=8 groups=2 activation=mish", "conv(8, 1x1, groups=2) -> mish"),
        (
            "batch_normalize=1 filters=8 activation=leaky",
            "conv(8, 1x1, bias=false) -> bn(eps=1e-6) -> leaky_relu(0.1)",
        ),
    ],
)
def test_a_convolution_is_padded_by_half_its_size(options: str, wanted: str) -> None:
    assert body(f"convolutional {options}", "dropout")[0] == f"{wanted} -> dropout"


@pytest.mark.parametrize(
    "options",
    [
        "size=2 stride=2",
        "size=2 stride=1",
        "size=3 stride=1",
        "size=3 stride=2",
        "size=5 stride=1",
        "size=5 stride=3",
        "size=4 stride=4",
        "size=2 stride=2 padding=0",
        "size=3 stride=2 padding=1",
        "size=3 stride=2 padding=3",
    ],
)
def test_a_maxpool_is_padded_by_its_size_less_one_in_all(options: str) -> None:
    """By the formula: windows from -padding/2 on, (n + padding - size)/stride + 1 of them."""
    x, y = result(f"maxpool {options}")
    given = {key: int(value) for key, value in (o.split("=") for o in options.split())}
    size, stride = given["size"], given["stride"]
    padding = given.get("padding", size - 1)
    height, width = ((n + padding - size) // stride + 1 for n in x.shape[1:])
    assert y.shape == (4, height, width)
    for channel, row, column in np.ndindex(y.shape):
        top, left = (place * stride - padding // 2 for place in (row, column))
        window = x[channel, max(top, 0) : top + size, max(left, 0) : left + size]
        assert y[channel, row, column] == window.max()


def test_a_local_avgpool_divides_by_the_pixels_that_are_there() -> None:
    x, y = result("local_avgpool size=3 stride=2")
    for channel, row, column in np.ndindex(y.shape):
        top, left = 2 * row - 1, 2 * column - 1
        window = x[channel, max(top, 0) : top + 3, max(left, 0) : left + 3]
        np.testing.assert_allclose(y[channel, row, column], window.mean(), rtol=1e-5)


def test_strides_may_differ_along_height_and_width() -> None:
    options = "size=3 pad=1 stride=1 stride_x=2 activation=linear"
    assert body(f"convolutional filters=2 {options}", "maxpool size=1 stride_y=2") == [
        "conv(2, 3x3, stride=1x2, pad=1)",
        "maxpool(1x1, stride=2x1)",
        "output result",
    ]


def test_the_padding_of_a_dilated_convolution_keeps_its_size() -> None:
    x, y = result("convolutional filters=3 size=3 pad=1 dilation=2 activation=linear")
    assert y.shape == (3, *x.shape[1:])
    assert body("convolutional filters=3 size=1 dilation=2 activation=linear")[0] == "conv(3, 1x1)"


def test_layers_share_their_parameters_by_the_index_of_the_first() -> None:
    """The second convolution is another dilation of the first; both have one set of numbers."""
    own = "convolutional batch_normalize=1 filters=4 size=3 pad=1 activation=leaky"
    assert body(own, f"{own} dilation=2 share_index=-1") == [
        "conv(4, 3x3, pad=1, bias=false) as layer0_conv -> bn(eps=1e-6) as layer0_bn -> "
        "leaky_relu(0.1)",
        "conv(4, 3x3, pad=2, dilation=2, bias=false) like layer0_conv -> bn(eps=1e-6) "
        "like layer0_bn",
        "-> leaky_relu(0.1)",
        "output result",
    ]


def test_parameters_of_a_layer_that_leads_nowhere_go_to_those_that_share_them() -> None:
    own = "convolutional filters=3 size=3 pad=1 activation=linear"
    to_nowhere = [own, own, "route layers=0", f"{own} share_index=1"]
    assert body(*to_nowhere) == ["conv(3, 3x3, pad=1)"] * 2 + ["output result"]
    assert body(*to_nowhere, f"{own} share_index=1") == [
        "conv(3, 3x3, pad=1)",
        "conv(3, 3x3, pad=1) as conv_2",
        "conv(3, 3x3, pad=1) like conv_2",
        "output result",
    ]


def test_blocks_are_found_where_the_dilation_and_the_kernel_vary() -> None:
    """Kernel, pad and dilation all differ between the runs, in blocks within blocks."""
    layers = [
        f"convolutional batch_normalize=1 filters={filters} size={size} pad=1 dilation={dilation} "
        f"activation={activation}"
        for filters in (4, 8, 16)
        for size, dilation, activation in ((1, 1, "leaky"), (3, filters // 4, "leaky"))
    ]
    assert imported(*layers, *layers).graph.outputs


def test_routes_count_back_from_themselves_or_from_the_first_layer() -> None:
    x, y = result(
        "activation activation=relu", "activation activation=tanh", "route layers=-1,0,-2"
    )
    positive = np.maximum(x, 0)
    np.testing.assert_allclose(
        y, np.concatenate([np.tanh(positive), positive, positive]), rtol=1e-5
    )


def test_a_route_of_one_group_takes_some_of_the_channels() -> None:
    x, y = result("activation activation=relu", "route layers=-1 groups=2 group_id=1")
    np.testing.assert_array_equal(y, np.maximum(x[2:], 0))


def test_a_shortcut_adds_an_earlier_layer_and_activates() -> None:
    x, y = result(
        "activation activation=relu",
        "activation activation=tanh",
        "shortcut from=-2 activation=leaky",
    )
    positive = np.maximum(x, 0)
    np.testing.assert_allclose(y, positive + np.tanh(positive), rtol=1e-5)


def test_a_shortcut_may_add_several_layers() -> None:
    x, y = result(
        "activation activation=relu", "activation activation=tanh", "shortcut from=-2,0,-1"
    )
    positive = np.maximum(x, 0)
    np.testing.assert_allclose(y, 2 * positive + 2 * np.tanh(positive), rtol=1e-5)


def test_a_sam_multiplies_value_by_value() -> None:
    x, y = result("activation activation=relu", "activation activation=logistic", "sam from=-2")
    positive = np.maximum(x, 0)
    np.testing.assert_allclose(y, positive / (1 + np.exp(-positive)), rtol=1e-5)


def test_a_ramp_adds_a_tenth_of_its_input() -> None:
    x, y = result("activation activation=ramp")
    np.testing.assert_allclose(y, np.maximum(x, 0) + 0.1 * x, rtol=1e-5, atol=1e-7)


def test_a_shortcut_of_a_larger_map_adds_every_second_pixel_and_the_channels_of_both() -> None:
    net = "[net]\nchannels=4\nheight=8\nwidth=6\n"
    lines = body(
        "activation activation=relu",
        "convolutional filters=6 size=3 stride=2 pad=1 activation=linear",
        "shortcut from=0 activation=linear",
        net=net,
    )
    assert lines == [
        "relu",
        "add {",
        "maxpool(1x1, stride=2) -> pad_channels(0, 2)",
        "conv(6, 3x3, stride=2, pad=1)",
        "}",
        "output result",
    ]


def test_residual_layers_become_a_block_in_a_loop() -> None:
    unit = "batch_normalize=1 pad=1 activation=leaky"
    layers = [f"convolutional filters=4 size={size} {unit}" for size in (1, 3)]
    stem, shortcut = "activation activation=tanh", "shortcut from=-3 activation=linear"
    text = imported(stem, *(3 * [*layers, shortcut])).text
    assert "block residual" in text and "repeat 3 {" in text


@pytest.mark.parametrize("stride", [2, 3])
def test_a_reorg_moves_each_value_where_darknet_does(stride: int) -> None:
    """Channel k, row j, column i of the input's own shape come from a map s times as large.

    It has k % (C/s^2) for channel and, with k // (C/s^2) for place, rows and columns
    s*j + place // s and s*i + place % s, in one memory.
    """
    net = f"[net]\nchannels={2 * stride**2}\nheight={2 * stride}\nwidth={stride}\n"
    x, y = result(f"reorg stride={stride}", net=net)
    c, h, w = x.shape
    large = x.reshape(c // stride**2, h * stride, w * stride)
    wanted = np.zeros_like(x)
    for k, j, i in np.ndindex(c, h, w):
        place, channel = divmod(k, c // stride**2)
        wanted[k, j, i] = large[channel, j * stride + place // stride, i * stride + place % stride]
    np.testing.assert_array_equal(y, wanted.reshape(y.shape))
    assert y.shape == (c * stride**2, h // stride, w // stride)


def test_a_reorg3d_puts_the_place_of_a_pixel_before_its_channel() -> None:
    x, y = result("reorg3d stride=2", net="[net]\nchannels=3\nheight=4\nwidth=6\n")
    wanted = [x[:, top::2, left::2] for top in (0, 1) for left in (0, 1)]
    np.testing.assert_array_equal(y, np.concatenate(wanted))


def test_dense_layers_pooling_dropout_and_softmax() -> None:
    assert body("avgpool", "dropout probability=.25", "connected output=5", "softmax") == [
        "gap -> dropout(0.25) -> flatten",
        "dense(5) -> sigmoid",
        "output result = softmax",
    ]


def test_a_softmax_is_over_all_values() -> None:
    x, y = result("softmax temperature=2")
    raised = np.exp(x.ravel() / 2)
    np.testing.assert_allclose(y.ravel(), raised / raised.sum(), rtol=1e-5)


def test_upsample_repeats_pixels() -> None:
    x, y = result("upsample stride=3")
    np.testing.assert_array_equal(y, x.repeat(3, axis=1).repeat(3, axis=2))


def test_normalization_does_not_divide_alpha_by_the_size() -> None:
    assert body("normalization size=5 alpha=0.0002 beta=0.75 kappa=1")[0] == "lrn(5, alpha=0.001)"


def test_the_maps_that_boxes_are_read_from_are_outputs_and_the_note_says_so() -> None:
    found = imported(
        "convolutional filters=6 activation=linear",
        "yolo mask=0,1 classes=1",
        "route layers=-2",
        "upsample stride=2",
        "convolutional filters=6 activation=linear",
        "Gaussian_yolo mask=2,3 classes=1",
    )
    assert list(found.graph.outputs) == ["boxes1", "boxes2"]
    assert "# - [yolo] decodes boxes: the map that it reads is an output here" in found.text


REFUSED = {
    "gru output=3": "[gru], layer 0, cannot be expressed: the language has no such layer",
    "reorg stride=2 reverse=1": "a reorg in reverse",
    "reorg stride=5": "does not divide by its stride 5",
    "convolutional binary=1": "its option binary=1 changes what it computes",
    "maxpool size=2 stride=2 antialiasing=1": "its option antialiasing=1 changes what it computes",
    "convolutional filters=2 share_index=-3": "there is no layer -3 before it to share with",
    "reorg3d stride=2 reverse=1": "a reorg in reverse",
    "softmax tree=9k.tree": "a softmax over groups of classes",
    "maxpool size=0 stride=0": "a window of 0 pixels",
    "route layers=-1,": "layers= is no whole number",
    "activation activation=leaky#here": "Darknet takes what follows # for a part of the word",
    "route layers=-4": "there is no layer -4 before it",
    "activation activation=stair": "the language has no activation stair",
    "convolutional size=9 filters=2": "larger",
}


@pytest.mark.parametrize("words, reason", REFUSED.items())
def test_what_cannot_be_expressed_is_refused(words: str, reason: str) -> None:
    said = refusals(words, "activation activation=relu")
    assert reason in said and said.count("error[") == 1 and "x.cfg:5" in said


@pytest.mark.parametrize(
    "text", ["[convolutional\n", "filters\n", "[convolutional]\nfilters=many\n"]
)
def test_a_mistake_in_the_syntax_has_a_place(text: str) -> None:
    assert "x.cfg:" in refusals(net=NET + text)


@pytest.mark.parametrize(
    "net", ["[network]\nchannels=4\nheight=7\nwidth=6\n", "[net]\ninputs=24\n"]
)
def test_the_input_is_a_picture_or_a_vector(net: str) -> None:
    assert "input" in imported("connected output=2", net=net).text


def test_a_route_of_groups_takes_each_layers_own_part() -> None:
    lines = body(
        "convolutional filters=4 activation=linear",
        "convolutional filters=6 activation=linear",
        "route layers=-1,-2 groups=2 group_id=1",
    )
    text = "\n".join(lines)
    assert text.index("channels(3, 5)") < text.index("channels(2, 3)")


def told(*sections: str) -> str:
    """The notes and warnings of a cfg that can be expressed."""
    found = import_darknet(Source("x.cfg", NET + "".join(map(section, sections))))
    return "\n".join([*found.notes, *map(str, found.warnings)])


def test_options_that_no_section_reads_are_warned_of() -> None:
    said = told("convolutional filters=2 activaton=linear")
    assert "warning[W601]: a [convolutional] does not read activaton" in said
    assert "did you mean `activation`?" in said and "x.cfg:7" in said


def test_of_an_option_given_twice_the_first_counts() -> None:
    sections = ["convolutional filters=2 filters=3 activation=linear"]
    assert body(*sections)[0] == "conv(2, 1x1)"
    assert "filters is given twice: the first counts" in told(*sections)


def test_options_for_training_are_told_in_one_line() -> None:
    said = told("convolutional filters=2 stopbackward=1", "yolo mask=0,1 anchors=1,2")
    assert "not read, for it says how to train or to run" in said
    assert "stopbackward, mask, anchors" in said


def test_gelu_is_the_one_by_tanh() -> None:
    assert body("activation activation=gelu")[0] == "gelu(approximate=true)"
