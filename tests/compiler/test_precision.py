"""Half precision: what the lowered models hold, compute in, and give."""

from __future__ import annotations

from typing import Any

import ml_dtypes
import numpy as np
import onnx
import onnxruntime as ort
import pytest
from onnx import TensorProto, numpy_helper, shape_inference

import netc
from compiler.initialise import scatter
from compiler.onnx.lower import lower
from compiler.onnx.precision import BFLOAT16_SINCE
from compiler.options import CompileOptions
from runtime.random_inputs import random_feeds
from runtime.session import open_session
from runtime.verify.compare import compare_all
from runtime.verify.options import VerifyOptions
from tests.define import define

HALVES = {"f16": TensorProto.FLOAT16, "bf16": TensorProto.BFLOAT16}

# One layer of every kind in a chain; the joins and the second input come after it.
EVERY_OP = """
net every() {
    input image: f32[4, 18, 18]
    conv(8, 3x3, pad=1) as "c"
    bn -> relu -> leaky_relu -> prelu -> elu -> selu -> gelu -> silu
    hardswish -> softplus -> clip(-4, 4) -> relu6 -> tanh
    conv(8, 3x3, pad=1, pad_mode="replicate", groups=2, bias=false)
    lrn(3) -> groupnorm(4) -> instancenorm -> layernorm
    maxpool(3x3, stride=1, pad=1) -> avgpool(3x3, stride=1, pad=1)
    lppool(3x3, stride=1, pad=1)
    filter([[0, 1, 0], [1, 2, 1], [0, 1, 0]], pad=1) -> scale(0.1) -> shift(0.5)
    normalize(0.5, 2) -> hardsigmoid
    weightedpool([[1, 2], [2, 1]])                         : [8, 9, 9]
    deconv(8, 2x2, stride=2)                               : [8, 18, 18]
    upsample(2) -> upsample(2, mode="bilinear")            : [8, 72, 72]
    crop(16, 16) -> pad(1) -> crop(16, 16, 0, 0)
    channel_shuffle(2) -> pad_channels(4, 4) -> channels(0, 11) -> channels(4, 11)
    pixel_shuffle(2)                                       : [2, 32, 32]
    transpose([0, 2, 1]) -> reshape([8, 16, 16]) -> dropout -> identity
    add { identity; relu } -> mul { identity; gap -> sigmoid } -> max { identity; scale(0.9) }
    mean { identity; relu } -> concat { identity; softmax; log_softmax } as joined
    difference = sub(joined, joined)
    joined -> adaptive_avgpool(5x5) -> flatten -> dense(7)
    output logits
    output probs = softmax
    output other = difference -> gmp -> flatten
}
"""


def types_of(model: onnx.ModelProto) -> dict[str, int]:
    """The element type of every tensor, as ONNX infers it."""
    graph = shape_inference.infer_shapes(model, check_type=True, strict_mode=True).graph
    found = {i.name: i.type.tensor_type.elem_type for i in [*graph.value_info, *graph.input]}
    found |= {i.name: i.type.tensor_type.elem_type for i in graph.output}
    return found | {t.name: t.data_type for t in graph.initializer}


@pytest.mark.parametrize("dtype", HALVES)
def test_every_op_agrees_with_numpy_at_every_layer(dtype: str) -> None:
    graph = scatter(define(EVERY_OP).graph)
    comparison = compare_all(graph, random_feeds(graph), VerifyOptions(dtype=dtype))
    assert comparison.ok, comparison.failures
    assert 1e-5 < comparison.relative < 3e-2, "computed in the wanted precision, not in float32"


@pytest.mark.parametrize("dtype", HALVES)
@pytest.mark.parametrize(
    ("name", "settings"),
    [
        ("lenet5", {}),
        ("alexnet", {"hidden": 32}),
        ("resnet50", {"classes": 10, "width": 8}),
        ("resnet56", {}),
        ("googlenet", {"aux": True, "classes": 10}),
        ("dcgan_generator", {"width": 8}),
        ("dcgan_discriminator", {"width": 8}),
        ("m5", {}),
        ("c3d", {"classes": 10, "width": 2, "hidden": 32}),
    ],
)
def test_library_nets_agree_with_numpy(dtype: str, name: str, settings: dict[str, Any]) -> None:
    graph = scatter(netc.load(name, name, **settings).graph)
    comparison = compare_all(graph, random_feeds(graph, batch=1), VerifyOptions(dtype=dtype))
    assert comparison.ok, comparison.failures


@pytest.mark.parametrize("dtype", HALVES)
def test_kernels_are_stored_in_the_type_and_the_outside_stays_float32(dtype: str) -> None:
    model = define(EVERY_OP).model(dtype=dtype)
    kinds = {t.name: t.data_type for t in model.graph.initializer}
    assert kinds["c.weight"] == kinds["dense1.weight"] == HALVES[dtype]
    assert kinds["deconv1.weight"] == HALVES[dtype]
    for info in [*model.graph.input, *model.graph.output]:
        assert info.type.tensor_type.elem_type == TensorProto.FLOAT
    full = define(EVERY_OP).model()
    for tensor in model.graph.initializer:
        if tensor.name == "dense1.weight":
            (wanted,) = (t for t in full.graph.initializer if t.name == tensor.name)
            narrow = numpy_helper.to_array(wanted).astype(numpy_helper.to_array(tensor).dtype)
            np.testing.assert_array_equal(numpy_helper.to_array(tensor), narrow)


CAREFUL = {
    *("softmax", "log_softmax", "bn", "lrn", "groupnorm", "instancenorm", "layernorm"),
    *("avgpool", "lppool", "gap", "adaptive_avgpool", "mean"),
}


@pytest.mark.parametrize("dtype", HALVES)
def test_sums_statistics_and_softmax_compute_in_float32(dtype: str) -> None:
    model = lower(scatter(define(EVERY_OP).graph), CompileOptions(dtype=dtype))
    types = types_of(model)
    seen = set()
    for node in model.graph.node:
        op = {p.key: p.value for p in node.metadata_props}.get("netc.op")
        if op in CAREFUL and node.op_type != "Cast":
            seen.add(op)
            assert HALVES[dtype] not in {types[n] for n in [*node.input, *node.output] if n}
        if node.op_type in ("Conv", "Gemm", "Relu", "Concat") and op != "lrn":
            assert types[node.input[0]] == HALVES[dtype], node.name
    assert seen == CAREFUL


def test_a_tensor_is_cast_once_for_all_its_users() -> None:
    net = define(
        "net n() { input x: f32[4, 8, 8]; relu -> conv(4, 1x1) as c\n"
        "output y = concat { softmax; log_softmax; gap -> upsample(8) } }"
    )
    casts = [node for node in net.model(dtype="f16").graph.node if node.op_type == "Cast"]
    assert sum(node.input[0] == "c" for node in casts) == 1


@pytest.mark.parametrize("io_dtype", ["f16", "bf16"])
def test_inputs_and_outputs_take_the_type_that_is_asked_for(io_dtype: str) -> None:
    net = define("net n() { input x: f32[3, 8, 8]; conv(4, 3x3) -> gap -> flatten; output y }")
    model = net.model(dtype="f16", io_dtype=io_dtype)
    onnx.checker.check_model(model, full_check=True)
    for info in [*model.graph.input, *model.graph.output]:
        assert info.type.tensor_type.elem_type == HALVES[io_dtype]
    feeds = random_feeds(net.graph)
    made = open_session(model, "cpu").run(feeds)["y"]
    assert made.dtype == {"f16": np.float16, "bf16": ml_dtypes.bfloat16}[io_dtype]
    wanted = net.run(feeds, device="numpy")["y"]
    np.testing.assert_allclose(made.astype(np.float32), wanted, rtol=2e-2, atol=2e-2)


def test_numbers_beyond_float16_are_refused_by_name_and_fit_into_bfloat16() -> None:
    net = define("net n() { input x: f32[2]; dense(1, weight=[[7e4, 1]], bias=false); output y }")
    with pytest.raises(netc.CallError, match=r"dense1\.weight holds 7e\+04.*--dtype bf16"):
        net.model(dtype="f16")
    made = open_session(net.model(dtype="bf16"), "cpu").run({"x": np.ones((1, 2), np.float32)})
    assert made["y"][0, 0] == pytest.approx(7e4, rel=1e-2)


@pytest.mark.parametrize("op_type", BFLOAT16_SINCE)
def test_the_table_of_bfloat16_operators_is_that_of_onnx(op_type: str) -> None:
    def takes(opset: int) -> bool:
        schema = onnx.defs.get_schema(op_type, opset)
        (types,) = (
            t.allowed_type_strs
            for t in schema.type_constraints
            if t.type_param_str == schema.inputs[0].type_str
        )
        return "tensor(bfloat16)" in types

    since = BFLOAT16_SINCE[op_type]
    assert takes(since)
    assert since == 13 or not onnx.defs.has(op_type, since - 1) or not takes(since - 1)


@pytest.mark.parametrize("opset", range(13, 27))
@pytest.mark.parametrize("dtype", ["f32", "f16", "bf16"])
def test_every_opset_is_valid_and_runs(opset: int, dtype: str) -> None:
    graph = scatter(define(EVERY_OP).graph)
    model = lower(graph, CompileOptions(opset=opset, dtype=dtype))
    onnx.checker.check_model(model, full_check=True)
    assert model.opset_import[0].version == opset
    made = open_session(model, "cpu").run(random_feeds(graph, batch=1))
    assert np.isfinite(made["probs"]).all()


SMALL = ["lenet5", "resnet20", "nin_cifar10", "m5", "gan_generator", "dcgan_discriminator"]


@pytest.mark.parametrize("name", SMALL)
def test_library_nets_are_valid_at_every_opset(name: str) -> None:
    net = netc.load(name, name)
    feeds = random_feeds(net.graph, batch=1)
    first: dict[str, Any] = {}
    for opset in range(13, 27):
        model = net.model(opset=opset)
        onnx.checker.check_model(model, full_check=True)
        session = ort.InferenceSession(
            model.SerializeToString(), providers=["CPUExecutionProvider"]
        )
        for output, value in zip(session.get_outputs(), session.run(None, feeds), strict=True):
            reference = first.setdefault(output.name, value)
            np.testing.assert_allclose(value, reference, rtol=1e-5, atol=1e-6)
