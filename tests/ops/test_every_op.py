"""What holds of every op: its signature, its files, and every opset that it is written in."""

from __future__ import annotations

import ast
import inspect
from dataclasses import FrozenInstanceError, fields, is_dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import compiler.onnx
import compiler.ops
import compiler.torch
import runtime.gradients
import runtime.kernels
from compiler.analysis import analyse
from compiler.bind import signature
from compiler.dims import evaluate
from compiler.initialise import scatter
from compiler.onnx import LOWERINGS
from compiler.onnx.gradients import DERIVATIVES
from compiler.onnx.lower import IR_OF_OPSET, lower
from compiler.ops import FAMILIES, LOSSES, OPS, STEP_FAMILIES
from compiler.ops.base import Op, kind_of, parameters
from compiler.ops.training import BatchNormTraining
from compiler.options import CompileOptions
from compiler.registry import Registry
from compiler.torch import SOURCES
from netc.reference import reference
from runtime.gradients import GRADIENTS
from runtime.kernels import KERNELS
from runtime.reference import run_kernel
from tests.opcheck import arrays_of, check, make, one_op, random_inputs
from tests.ops.examples import EXAMPLES

OPS_FOLDER, LOWERINGS_FOLDER, TORCH_FOLDER, KERNELS_FOLDER, GRADIENTS_FOLDER = (
    Path(str(package.__file__)).parent
    for package in (compiler.ops, compiler.onnx, compiler.torch, runtime.kernels, runtime.gradients)
)
EVERY_OP = {*OPS.values(), *LOSSES.values(), BatchNormTraining}
EVERY_FAMILY = {*FAMILIES, *STEP_FAMILIES}
INDEPENDENT = (*KERNELS_FOLDER.glob("*.py"), *GRADIENTS_FOLDER.glob("*.py"))
TABLES: dict[str, tuple[Registry[type[Op], Any], Path, str]] = {
    "onnx": (LOWERINGS, LOWERINGS_FOLDER, "lowers"),
    "numpy": (KERNELS, KERNELS_FOLDER, "kernel"),
    "onnx gradients": (DERIVATIVES, LOWERINGS_FOLDER / "gradients", "differentiates"),
    "numpy gradients": (GRADIENTS, GRADIENTS_FOLDER, "gradient"),
    "torch": (SOURCES, TORCH_FOLDER, "writes"),
}
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
param(shape, init="zero")
const(values=those of the weights, shape=none)
matmul
drop_path(p)
adaptive_maxpool(size)
reduce_mean(axis=all axes, keep=false)
reduce_max(axis=all axes, keep=false)
reduce_min(axis=all axes, keep=false)
reduce_sum(axis=all axes, keep=false)
l2norm(axis=0)
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

LINES = TABLE.strip().split("\n")  # docs/ops.md, held by a test below, shows all that are


@pytest.mark.parametrize("line", LINES)
def test_signatures_are_those_of_the_language(line: str) -> None:
    name, _, rest = line.partition("(")
    found = signature(OPS[name], name)
    assert found == line or found.startswith((line.rstrip(")") + ", ", line + "("))
    for parameter in parameters(OPS[name])[len(rest.split(",")) if rest else 0 :]:
        assert parameter.default is not None or parameter.metadata["default_text"]


def test_examples_are_of_ops_that_there_are() -> None:
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
        arrays = arrays_of(graph)
        inputs = random_inputs(shapes, 2, 0)
        for array in (*arrays.values(), *inputs):
            array.flags.writeable = False  # a kernel that writes to one raises ValueError
        for dtype in (np.float32, np.float64):
            held = {key: value.astype(dtype, copy=False) for key, value in arrays.items()}
            given = tuple(x.astype(dtype, copy=False) for x in inputs)
            made = run_kernel(graph["layer"].op, given, held)
            assert made.dtype == dtype or name == "const"  # the interpreter gives it its type


@pytest.mark.parametrize("name", OPS)
def test_every_op_is_measured(name: str) -> None:
    for arguments, shapes in EXAMPLES.get(name, [({}, [(3, 4, 5)])]):
        graph = one_op(make(OPS[name], **arguments), *shapes)
        found = analyse(graph)
        held = graph.weights(graph["layer"])
        assert found.parameters == sum(weight.size for weight in held if not weight.buffer)
        assert found.depth == OPS[name].holds_weights
        field = found.field("layer")
        assert field is not None and all(evaluate(axis.size, {}) >= 1 for axis in field)


@pytest.mark.parametrize("opset", IR_OF_OPSET)
def test_a_model_is_stamped_with_its_opset_and_the_ir_version_that_came_with_it(opset: int) -> None:
    model = lower(one_op(make(OPS["relu"]), (3, 4)), CompileOptions(opset=opset))
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


def test_every_family_of_ops_is_a_file() -> None:
    assert {path.stem for path in OPS_FOLDER.glob("*.py")} >= EVERY_FAMILY
    assert {op.__module__.rpartition(".")[2] for op in OPS.values()} == {*FAMILIES}


@pytest.mark.parametrize("name", TABLES)
def test_a_table_mirrors_the_ops_file_by_file(name: str) -> None:
    table, folder, decorator = TABLES[name]
    entering = {path.stem for path in folder.glob("*.py") if f"@{decorator}(" in path.read_text()}
    assert entering == {op.__module__.rpartition(".")[2] for op in EVERY_OP - {*table.unsupported}}


@pytest.mark.parametrize("name", TABLES)
def test_every_op_stands_in_every_table_or_is_said_to_be_unsupported_and_why(name: str) -> None:
    table, _, _ = TABLES[name]
    assert {*table} | {*table.unsupported} == EVERY_OP
    assert not {*table} & {*table.unsupported}
    assert all(reason.strip() for reason in table.unsupported.values())
    for op, function in table.items():
        assert function.__module__.rpartition(".")[2] == op.__module__.rpartition(".")[2]


def test_a_key_enters_a_table_once() -> None:
    table: Registry[str, Any] = Registry("tests", ())
    table.register("relu")(max)
    with pytest.raises(AssertionError, match="relu is registered twice"):
        table.register("relu")(min)


def test_the_interpreter_shares_no_code_with_the_lowering() -> None:
    allowed = {"compiler.dims", "compiler.graph"}
    folder = KERNELS_FOLDER.parent
    for path in (*INDEPENDENT, folder / "reference.py", folder / "backward.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if not isinstance(node, ast.ImportFrom) or not node.module:
                continue
            assert not node.module.startswith(("onnx", "compiler.onnx", "compiler.domain")), path
            if not node.module.startswith("compiler.") or node.module in allowed:
                continue
            for alias in node.names:
                home = import_module(node.module)
                value = getattr(home, alias.name)
                assert not inspect.isfunction(value), f"{path.name} uses {alias.name}"


def test_a_kernel_takes_nothing_of_an_op_but_its_parameters() -> None:
    names = {parameter.name for op in EVERY_OP for parameter in parameters(op)}
    for path in INDEPENDENT:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
                assert node.value.id != "op" or node.attr in names, f"{path.name}: op.{node.attr}"


def test_the_reference_page_is_current() -> None:
    page = Path(__file__).parents[2] / "docs" / "ops.md"
    assert page.read_text(encoding="utf-8") == reference(), "renew it with `make docs`"
