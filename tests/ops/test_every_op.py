"""What holds of every op: its signature, its files, and every opset that it is written in."""

from __future__ import annotations

import ast
import doctest
import inspect
from dataclasses import FrozenInstanceError, fields, is_dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import compiler.ops
import runtime.kernels
from compiler.bind import signature
from compiler.initialise import scatter
from compiler.lower import IR_OF_OPSET, lower
from compiler.ops import FAMILIES, OPS
from compiler.ops.base import kind_of, parameters
from netc.reference import reference
from runtime.kernels import KERNELS, run_kernel
from tests.opcheck import check, make, one_op, random_inputs

OPS_FOLDER, KERNELS_FOLDER = (
    Path(str(package.__file__)).parent for package in (compiler.ops, runtime.kernels)
)
OPSETS = (13, 17, 18, 21, 26)

# The table of the language: names, order and defaults. An op may have further parameters.
TABLE = """
conv(channels, kernel, stride=1, pad=0, pad_mode="zero", dilation=1, groups=1, bias=true, init="he")
deconv(channels, kernel, stride=1, pad=0, output_pad=0, dilation=1, groups=1, bias=true)
filter(kernel_values, stride=1, pad=0, pad_mode="zero")
maxpool(kernel, stride=kernel, pad=0, dilation=1, ceil=false)
avgpool(kernel, stride=kernel, pad=0, ceil=false, count_pad=true)
weightedpool(kernel_values, stride=size)
lppool(kernel, p=2, stride=kernel, pad=0, ceil=false)
gap
gmp
adaptive_avgpool(size)
bn(eps=1e-05)
lrn(size, alpha=0.0001, beta=0.75, k=1.0)
groupnorm(groups)
layernorm
instancenorm
relu
relu6
leaky_relu(slope=0.01)
prelu
elu
selu
gelu
silu
hardswish
hardsigmoid
sigmoid
tanh
softplus
softmax(axis=0)
log_softmax(axis=0)
clip(lo, hi)
dense(units, bias=true)
dropout(p=0.5)
identity
add
mul
sub
max
mean
concat(axis=0)
flatten
reshape(shape)
transpose(order)
crop(h, w)
pad(amount, mode="zero")
upsample(scale, mode="nearest")
channels(first, last)
pad_channels(before, after)
channel_shuffle(groups)
pixel_shuffle(r)
scale(factor)
shift(offset)
normalize(mean, std)
"""

PADS = [(0, 2), (1, 0)]
EXAMPLES: dict[str, list[tuple[dict[str, Any], list[tuple[int, ...]]]]] = {
    "conv": [
        ({"channels": 4, "kernel": (3, 2), "pad": PADS, "dilation": 2, "groups": 2}, [(6, 7, 8)]),
        ({"channels": 4, "kernel": 3, "pad": 1, "pad_mode": "reflect"}, [(3, 9)]),
        ({"channels": 4, "kernel": 2, "pad": 1, "pad_mode": "replicate"}, [(3, 4, 5, 3)]),
    ],
    "deconv": [
        ({"channels": 4, "kernel": (3, 4), "stride": 2, "output_pad": 1, "pad": PADS}, [(3, 4, 5)]),
        ({"channels": 2, "kernel": 2, "dilation": 2, "groups": 2}, [(4, 4, 5, 3)]),
    ],
    "filter": [({"kernel_values": [[1, 2], [3, 4]], "pad": 1, "pad_mode": "reflect"}, [(3, 5, 6)])],
    "weightedpool": [({"kernel_values": [1, 2, 3]}, [(3, 9)])],
    "maxpool": [
        ({"kernel": 3, "stride": 2, "pad": 1, "ceil": True}, [(3, 6, 7)]),
        ({"kernel": 2, "stride": 1, "pad": 2, "dilation": 3}, [(3, 8)]),
    ],
    "avgpool": [
        ({"kernel": 3, "stride": 2, "pad": 1, "ceil": True}, [(3, 6, 7)]),
        ({"kernel": 3, "stride": 2, "pad": 1, "ceil": True, "count_pad": False}, [(3, 6, 7)]),
        ({"kernel": (3, 2), "pad": PADS, "count_pad": False}, [(3, 6, 7)]),
    ],
    "lppool": [
        ({"kernel": 3, "stride": 2, "pad": 1, "ceil": True, "p": 3}, [(3, 6, 7)]),
        ({"kernel": 2}, [(3, 5)]),
    ],
    "gap": [({}, [(3, 4, 5)])],
    "gmp": [({}, [(3, 4, 5, 2)])],
    "adaptive_avgpool": [({"size": (3, 1, 2)}, [(3, 7, 5, 4)]), ({"size": 1}, [(3, 7)])],
    "bn": [({}, [(3, 4, 5)]), ({}, [(3,)])],
    "lrn": [({"size": 3, "alpha": 0.5}, [(5, 4, 3)]), ({"size": 5}, [(3, 4)])],
    "groupnorm": [({"groups": 2}, [(4, 3, 5)])],
    "layernorm": [({}, [(4, 3, 5)])],
    "instancenorm": [({"affine": True}, [(4, 3, 5)])],
    "prelu": [({"channelwise": True}, [(4, 3, 5)])],
    "clip": [({"lo": -0.5, "hi": 0.5}, [(4, 3)])],
    "softmax": [({}, [(4, 3, 5)]), ({"axis": -1}, [(4, 3)])],
    "log_softmax": [({"axis": 1}, [(4, 3, 5)])],
    "dense": [({"units": 5}, [(7,)]), ({"units": 5, "bias": False}, [(7,)])],
    "add": [({}, [(3, 4), (3, 1), (1, 4)])],
    "mul": [({}, [(3, 4), (3, 1)])],
    "sub": [({}, [(3, 4), (3, 4)])],
    "max": [({}, [(3, 4), (3, 4), (3, 1)])],
    "mean": [({}, [(3, 4), (3, 4), (3, 1)])],
    "concat": [({}, [(3, 4), (2, 4)]), ({"axis": -1}, [(3, 4), (3, 1)])],
    "reshape": [({"shape": [2, -1]}, [(4, 3)])],
    "transpose": [({"order": [2, 0, 1]}, [(4, 3, 5)])],
    "crop": [({"h": 2, "w": 3}, [(3, 5, 6)])],
    "pad": [
        ({"amount": PADS}, [(3, 4, 5)]),
        ({"amount": 1, "mode": "reflect"}, [(3, 4)]),
        ({"amount": 1, "mode": "replicate"}, [(3, 4, 5, 2)]),
    ],
    "upsample": [
        ({"scale": (2, 3)}, [(3, 4, 5)]),
        ({"scale": 2, "mode": "bilinear"}, [(3, 4, 5)]),
        ({"scale": 2, "mode": "bilinear"}, [(3, 4)]),
    ],
    "channels": [({"first": 1, "last": 2}, [(4, 5)])],
    "pad_channels": [({"before": 1, "after": 2}, [(4, 5)])],
    "channel_shuffle": [({"groups": 2}, [(4, 3, 5)])],
    "pixel_shuffle": [({"r": 2}, [(8, 3, 5)])],
    "scale": [({"factor": [1, 2, 3]}, [(3, 4)])],
    "shift": [({"offset": 2}, [(3, 4)])],
    "normalize": [({"mean": [1, 2, 3], "std": 2}, [(3, 4, 5)])],
}


@pytest.mark.parametrize("line", TABLE.split("\n")[1:-1])
def test_signatures_are_those_of_the_language(line: str) -> None:
    name, _, rest = line.partition("(")
    found = signature(OPS[name], name)
    assert found == line or found.startswith((line.rstrip(")") + ", ", line + "("))
    for parameter in parameters(OPS[name])[len(rest.split(",")) if rest else 0 :]:
        assert parameter.default is not None or parameter.metadata["default_text"]


def test_the_table_names_every_op() -> None:
    assert {line.partition("(")[0] for line in TABLE.split()} >= {*OPS}
    assert {*EXAMPLES} <= {*OPS}


@pytest.mark.parametrize("name", OPS)
def test_every_opset_gives_the_same_numbers(name: str) -> None:
    for arguments, shapes in EXAMPLES.get(name, [({}, [(3, 4, 5)])]):
        op = make(OPS[name], **arguments)
        outputs = [check(op, *shapes, opset=opset).onnx for opset in OPSETS]
        for output in outputs[1:]:
            np.testing.assert_allclose(output, outputs[0], rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("name", OPS)
def test_a_kernel_leaves_its_inputs_and_weights_as_they_were(name: str) -> None:
    for arguments, shapes in EXAMPLES.get(name, [({}, [(3, 4, 5)])]):
        graph = scatter(one_op(make(OPS[name], **arguments), *shapes))
        arrays = {key.removeprefix("layer."): value for key, value in graph.values.items()}
        inputs = random_inputs(shapes, 2, 0)
        for array in (*arrays.values(), *inputs):
            array.flags.writeable = False  # a kernel that writes to one raises ValueError
        for dtype in (np.float32, np.float64):
            held = {key: value.astype(dtype, copy=False) for key, value in arrays.items()}
            given = tuple(x.astype(dtype, copy=False) for x in inputs)
            assert run_kernel(graph["layer"].op, given, held).dtype == dtype


@pytest.mark.parametrize("opset", IR_OF_OPSET)
def test_a_model_is_stamped_with_its_opset_and_the_ir_version_that_came_with_it(opset: int) -> None:
    model = lower(one_op(make(OPS["relu"]), (3, 4)), opset=opset)
    assert [(entry.domain, entry.version) for entry in model.opset_import] == [("", opset)]
    assert model.ir_version == IR_OF_OPSET[opset]


def test_no_model_leaves_padding_to_the_runtime() -> None:
    for name, examples in EXAMPLES.items():
        for arguments, shapes in examples:
            graph = scatter(one_op(make(OPS[name], **arguments), *shapes))
            for node in lower(graph).graph.node:
                given = {attribute.name for attribute in node.attribute}
                assert not given & {"auto_pad", "ceil_mode", "count_include_pad"}


@pytest.mark.parametrize("name", OPS)
def test_an_op_is_one_frozen_documented_dataclass(name: str) -> None:
    op = OPS[name]
    assert is_dataclass(op) and op.name == name and inspect.getdoc(op)
    for parameter in fields(op):
        assert kind_of(parameter).words and parameter.metadata["doc"]
    some = make(op, **EXAMPLES.get(name, [({}, [])])[0][0])
    assert hash(some) == hash(make(op, **EXAMPLES.get(name, [({}, [])])[0][0]))
    with pytest.raises(FrozenInstanceError):
        some.name = "other"  # type: ignore[misc]


def test_the_two_folders_match_file_by_file() -> None:
    families = {*FAMILIES}
    assert families <= {path.stem for path in OPS_FOLDER.glob("*.py")}
    shared = {"__init__", "windows"}
    assert {path.stem for path in KERNELS_FOLDER.glob("*.py")} == families | shared


def test_every_op_has_exactly_one_kernel_in_the_file_of_its_family() -> None:
    assert {*KERNELS} == {*OPS.values()}
    for op, kernel in KERNELS.items():
        assert kernel.__module__.rpartition(".")[2] == op.__module__.rpartition(".")[2]
    registered = [
        argument.id if isinstance(argument, ast.Name) else argument.attr
        for path in KERNELS_FOLDER.glob("*.py")
        for function in ast.walk(ast.parse(path.read_text()))
        if isinstance(function, ast.FunctionDef)
        for decorator in function.decorator_list
        if isinstance(decorator, ast.Call)
        for argument in decorator.args
        if isinstance(argument, ast.Name | ast.Attribute)
    ]
    assert sorted(registered) == sorted(op.__name__ for op in OPS.values())


def test_the_interpreter_shares_no_code_with_the_lowering() -> None:
    allowed = {"compiler.dims", "compiler.domain", "compiler.graph", "compiler.shapes"}
    for path in (*KERNELS_FOLDER.glob("*.py"), KERNELS_FOLDER.parent / "reference.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Attribute):
                assert node.attr not in {"lower", "averages"}, path
            if not isinstance(node, ast.ImportFrom) or not node.module:
                continue
            assert not node.module.startswith("onnx"), path
            if not node.module.startswith("compiler.") or node.module in allowed:
                continue
            for alias in node.names:
                home = import_module(node.module)
                value = getattr(home, alias.name)
                assert not inspect.isfunction(value), f"{path.name} uses {alias.name}"


def test_the_reference_page_is_current() -> None:
    page = Path(__file__).parents[2] / "docs" / "ops.md"
    assert page.read_text(encoding="utf-8") == reference(), "renew it with `make docs`"


def test_examples_in_docstrings_are_true() -> None:
    outcome = doctest.testmod(import_module("compiler.ops.checks"))
    assert outcome.attempted and not outcome.failed
