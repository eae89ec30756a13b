"""Fields of Caffe files: each is read, refused, or told to have been passed over."""

from __future__ import annotations

import pytest

import netc
from compiler.importers.from_caffe import import_caffe
from compiler.importers.from_darknet import import_darknet
from compiler.importers.imported import UnreadableError
from grammar.source import Source
from tests.importers.caffe_models import layer
from tests.importers.test_caffe_layers import INPUT, body, imported, pooling, refusals

IP = "inner_product_param { num_output: 8 }"
CONV = "convolution_param {{ num_output: 4 kernel_size: 3 {} }}"


def params(*layers: str) -> int:
    """How many learned numbers a file's network has."""
    return int(netc.loads(imported(*layers).text).summary()["params"])


def notes(*layers: str) -> str:
    """What is told of a file that can be expressed."""
    found = import_caffe(Source("x.prototxt", "\n".join([INPUT, *layers])))
    return "\n".join([*found.notes, *map(str, found.warnings)])


@pytest.mark.parametrize("rounding", ["ceil_mode: false", "round_mode: FLOOR", "round_mode: 1"])
def test_a_pooling_that_rounds_down_says_so_in_either_way(rounding: str) -> None:
    """DenseNet's first pooling: 8 pixels, kernel 3, stride 2, pad 1, 4 windows and not 5."""
    top = 'input: "x" input_dim: 1 input_dim: 4 input_dim: 8 input_dim: 8'
    text = imported(pooling(f"kernel_size: 3 stride: 2 pad: 1 {rounding}"), top=top).text
    assert 'maxpool(3x3, stride=2, pad=1) as "p"' in text and "[4, 4, 4]" in text


def test_densenets_first_layers_have_the_published_sizes() -> None:
    top = 'input: "x" input_dim: 1 input_dim: 3 input_dim: 224 input_dim: 224'
    conv = "convolution_param { num_output: 64 bias_term: false pad: 3 kernel_size: 7 stride: 2 }"
    pool = "pooling_param { pool: MAX kernel_size: 3 stride: 2 pad: 1 ceil_mode: false }"
    layers = (
        layer("Convolution", "conv1", "x", "conv1", conv),
        layer("Pooling", "pool1", "conv1", "pool1", pool),
    )
    assert ": [64, 56, 56]" in imported(*layers, top=top).text


def test_roundings_that_contradict_each_other_are_refused() -> None:
    said = refusals(pooling("kernel_size: 2 round_mode: FLOOR ceil_mode: true"))
    assert "its round_mode and ceil_mode contradict each other" in said


@pytest.mark.parametrize(
    "fields, words",
    [
        ("kernal_size: 3", "Caffe knows no field kernal_size in convolution_param"),
        ("kernel_size: 3 pad: 1.5", "pad is a whole number, not 1.5"),
        ("kernel_size: 3 pad: -1", "pad is a whole number, not -1"),
        ("kernel_size: 3 bias_term: 2", "bias_term is true or false, not 2"),
        ('kernel_size: "3"', 'kernel_size is a whole number, not "3"'),
        ("kernel_size: 3 group: 1 group: 2", "group is given twice"),
        ("kernel_size: 3 weight_filler: 1", "weight_filler is a message in braces"),
        ("kernel_size: 3 engine: TPU", "engine is one of DEFAULT, CAFFE, CUDNN"),
    ],
)
def test_what_caffe_does_not_take_is_refused_at_the_field(fields: str, words: str) -> None:
    conv = layer("Convolution", "c", "x", "y", f"convolution_param {{ num_output: 4 {fields} }}")
    said = refusals(conv)
    assert words in said and said.count("error[E602]") == 1 and "^" in said


def test_a_slip_in_a_name_is_told_with_the_right_one() -> None:
    conv = "convolution_param { num_output: 4 kernal_size: 3 }"
    assert "did you mean `kernel_size`?" in refusals(layer("Convolution", "c", "x", "y", conv))


def test_fields_of_forks_that_change_the_numbers_are_refused() -> None:
    conv = CONV.format("relu: true")
    said = refusals(layer("Convolution", "c", "x", "y", conv))
    assert "its convolution_param.relu changes what it computes" in said


def test_fields_for_training_are_told_in_one_line() -> None:
    conv = CONV.format('engine: CUDNN bias_filler { type: "constant" }')
    told = notes(layer("Convolution", "c", "x", "y", "param { lr_mult: 2 } " + conv))
    assert "not read, for it says how to train" in told
    assert "lr_mult" in told and "engine" in told and "bias_filler" in told


def test_parameters_of_another_layer_are_warned_of() -> None:
    told = notes(layer("ReLU", "r", "x", "y", "pooling_param { kernel_size: 3 }"))
    assert "warning[W601]: a ReLU layer does not read pooling_param" in told


@pytest.mark.parametrize(
    "layers, count",
    [
        ([layer("BatchNorm", "bn", "x", "y")], 0),
        ([layer("BatchNorm", "bn", "x", "y"), layer("Scale", "s", "y", "y")], 4),
        (
            [
                layer("BatchNorm", "bn", "x", "n"),
                layer("Scale", "s", "n", "a", "scale_param { bias_term: true }"),
                layer("Scale", "q", "n", "b", "scale_param { bias_term: true }"),
            ],
            16,
        ),
        (
            [
                layer("BatchNorm", "bn", "x", "y"),
                layer("Scale", "s", "y", "y", "scale_param { bias_term: true }"),
                layer("Scale", "q", "y", "y", "scale_param { bias_term: true }"),
            ],
            16,
        ),
        ([layer("BN", "b", "x", "y", "bn_param { frozen: true }")], 8),
        ([layer("BN", "b", "x", "y", "bn_param { bn_mode: INFERENCE }")], 8),
        ([layer("Normalize", "n", "x", "y", "norm_param { channel_shared: false }")], 4),
    ],
)
def test_norms_and_scales_learn_what_caffe_learns(layers: list[str], count: int) -> None:
    assert params(*layers) == count


def test_a_batch_norm_without_its_scale_says_so() -> None:
    assert body(layer("BatchNorm", "bn", "x", "y"))[0] == "bn(affine=false) as bn"


@pytest.mark.parametrize(
    "batch_norm, reason",
    [
        (("BatchNorm", "batch_norm_param { use_global_stats: false }"), "statistics of the batch"),
        (("BN", "bn_param { bn_mode: LEARN }"), "statistics of the batch"),
        (("BN", ""), "forks of Caffe have two layers BN"),
    ],
)
def test_norms_that_are_no_layer_of_ours_are_refused(
    batch_norm: tuple[str, str], reason: str
) -> None:
    kind, fields = batch_norm
    assert reason in refusals(layer(kind, "bn", "x", "y", fields))


def test_a_scale_of_two_tensors_has_no_learned_offset() -> None:
    gate = layer("Pooling", "g", "x", "g", "pooling_param { pool: AVE global_pooling: true }")
    flat = layer("Flatten", "f", "g", "f")
    for fields, words in [
        ("axis: 0 bias_term: true", "it learns an offset for each value of its second input"),
        ("axis: 1", "Caffe would take the batch of its second input for channels"),
    ]:
        scale = layer("Scale", "s", "x f", "y", f"scale_param {{ {fields} }}")
        assert words in refusals(gate, flat, scale)


def test_axes_that_are_not_there_are_refused() -> None:
    said = refusals(layer("Softmax", "s", "x", "y", "softmax_param { axis: 7 }"))
    assert "there is no axis 7 in a blob of 4 axes" in said


def test_a_reshape_to_the_declared_batch_keeps_it() -> None:
    fields = "reshape_param { shape { dim: 1 dim: 2 dim: 4 dim: -1 } }"
    assert body(layer("Reshape", "r", "x", "y", fields))[0] == "reshape([2, 4, -1])"
    other = fields.replace("dim: 1 ", "dim: 2 ", 1)
    assert "it changes the batch" in refusals(layer("Reshape", "r", "x", "y", other))


def test_some_parameters_in_common_are_refused() -> None:
    first = layer("InnerProduct", "a", "x", "a", 'param { name: "w" } ' + IP)
    second = layer("InnerProduct", "b", "x", "b", 'param { name: "w" } ' + IP)
    assert "it shares some of the parameters of a" in refusals(first, second)


def test_a_siamese_network_shares_its_layers() -> None:
    named = 'param { name: "w" } param { name: "v" } ' + IP
    top = 'input: "a" input_dim: 1 input_dim: 2 input_dim: 4 input_dim: 4 ' + (
        'input: "b" input_dim: 1 input_dim: 2 input_dim: 4 input_dim: 4'
    )
    layers = (
        layer("InnerProduct", "ip", "a", "ip", named),
        layer("InnerProduct", "ip_p", "b", "ip_p", named),
    )
    assert "expect params == 264\n" in imported(*layers, top=top).text


def test_labels_of_any_name_are_no_inputs() -> None:
    data = layer("Data", "d", "", "data gt", "transform_param { crop_size: 8 }")
    found = imported(
        data,
        layer("Slice", "s", "gt", "one two"),
        layer("InnerProduct", "ip", "data", "ip", IP),
        layer("SoftmaxWithLoss", "loss", "ip one", "loss"),
        layer("SigmoidCrossEntropyLoss", "loss2", "ip two", "loss2"),
        top="",
    )
    assert [node.name for node in found.graph.inputs()] == ["data"]
    assert list(found.graph.outputs) == ["loss", "loss2"]


def test_a_detector_ends_where_its_boxes_begin() -> None:
    head = "convolution_param { num_output: 8 kernel_size: 3 pad: 1 }"
    found = imported(
        layer("Convolution", "loc", "x", "loc", head),
        layer("Permute", "p", "loc", "p", "permute_param { order: 0 order: 2 order: 3 order: 1 }"),
        layer("Flatten", "f", "p", "f"),
        layer("PriorBox", "prior", "loc x", "prior", "prior_box_param { min_size: 30 }"),
        layer("Concat", "priors", "prior prior", "priors", "concat_param { axis: 2 }"),
        layer("DetectionOutput", "out", "f priors", "out", "detection_output_param { }"),
        layer("Silence", "quiet", "out", ""),
    )
    assert list(found.graph.outputs) == ["f"]
    assert "DetectionOutput out works on boxes and was left out" in found.text
    assert "f became output" in found.text


def test_a_second_stage_on_proposals_is_left_out() -> None:
    conv = layer("Convolution", "c", "x", "c", "convolution_param { num_output: 4 kernel_size: 3 }")
    python = "python_param { module: 'rpn.proposal_layer' layer: 'ProposalLayer' }"
    found = imported(
        conv,
        layer("ReLU", "r", "c", "scores"),
        layer("Python", "proposal", "scores", "rois", python),
        layer("ROIPooling", "pool", "c rois", "pool", "roi_pooling_param { pooled_w: 7 }"),
        layer("InnerProduct", "fc", "pool", "fc", IP),
    )
    assert set(found.graph.outputs) == {"scores", "c"}


def test_messages_nested_without_end_meet_a_limit() -> None:
    said = refusals("layer { " + "a { " * 1000 + "}" * 1001)
    assert "no network nests its messages deeper than 30" in said


def test_names_of_any_alphabet_stay_apart() -> None:
    """In text, bytes of UTF-8 may stand as octal escapes."""
    found = imported(
        layer("ReLU", "r", "x", "\\345\\215\\267"), layer("TanH", "t", "x", "积"), top=INPUT
    )
    assert len(found.graph.outputs) == 2


def test_a_file_of_layers_without_end_meets_a_limit() -> None:
    with pytest.raises(UnreadableError, match="4,301 layers, more than 4,300"):
        import_darknet(Source("x.cfg", "[net]\nchannels=1\n" + "[dropout]\n" * 4300))
