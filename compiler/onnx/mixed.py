"""Mixed precision: products in half precision, everything else in float32.

Parameters, the optimiser's arrays, losses, norms and sums stay in float32; what convolutions and
matrix products take is cast to the narrow type, forward and backward, and what they make is cast
back (Micikevicius et al. 2018, "Mixed Precision Training"). A derivative can be too small for
float16: all of them are worked out times a scale, which is halved whenever one of them is no
number, that step being left out, and doubled after 2,000 steps that went well (section 3.2 there).
The scale and the count of those steps are arrays of the step as the optimiser's are.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import onnx
from onnx import helper

from compiler.onnx.differentiate import Derivatives
from compiler.onnx.emitter import ONNX_TYPES, Lowering, Writer
from compiler.onnx.precision import takes_bfloat16
from compiler.training.layout import GOOD_STEPS, LOSS_SCALE

PRODUCTS = frozenset({"Conv", "ConvTranspose", "Gemm", "MatMul"})
PATIENCE = 2000.0  # steps that go well before the scale is doubled
LEAST, MOST = 1.0, 2.0**24  # scales


def narrowed_products(
    nodes: Sequence[onnx.NodeProto], dtype: str, opset: int
) -> list[onnx.NodeProto]:
    """The nodes with casts around the products that this type has at this opset."""
    found: list[onnx.NodeProto] = []
    done: dict[str, str] = {}
    for node in nodes:
        takes = dtype != "bf16" or takes_bfloat16(node.op_type, opset)
        if node.op_type not in PRODUCTS or not takes:
            found.append(node)
            continue
        for place, name in enumerate(node.input):
            if name and name not in done:
                done[name] = f"{name}/{dtype}"
                found.append(cast(name, done[name], dtype))
            node.input[place] = done.get(name, name)
        (result,) = node.output
        node.output[0] = f"{result}/{dtype}"
        found += [node, cast(node.output[0], result, "f32")]
    return found


def cast(source: str, name: str, dtype: str) -> onnx.NodeProto:
    """A tensor in another type."""
    return helper.make_node("Cast", [source], [name], name=f"{name}/Cast", to=ONNX_TYPES[dtype])


def unscaled(lowering: Lowering, found: Derivatives) -> Derivatives:
    """The derivatives divided by the scale that they were worked out with."""
    write = Writer(lowering, "unscaled", "f32")
    by_tensor, by_parameter = (
        {name: write.node("Div", tensor, LOSS_SCALE) for name, tensor in tensors.items()}
        for tensors in (found.by_tensor, found.by_parameter)
    )
    lowering.nodes += write.nodes
    return Derivatives(by_tensor, by_parameter)


def is_finite(lowering: Lowering, tensor: str) -> str:
    """Whether a scalar of at least 0 is a number."""
    write = Writer(lowering, "finite", "f32")
    found = write.node("Less", tensor, write.floats(float("inf")))
    lowering.nodes += write.nodes
    return found


def scale_anew(lowering: Lowering, finite: str) -> dict[str, str]:
    """The scale after a step, and how many went well since it last changed."""
    write = Writer(lowering, "scale", "f32")
    count = write.node("Add", GOOD_STEPS, write.floats(1.0))
    due = write.node("Not", write.node("Less", count, write.floats(PATIENCE)))
    more = write.node("Mul", LOSS_SCALE, write.floats(2.0))
    less = write.node("Mul", LOSS_SCALE, write.floats(0.5))
    kept = write.node("Where", due, more, LOSS_SCALE)
    scale = write.node("Where", finite, kept, less)
    zero = write.floats(0.0)
    waited = write.node("Where", finite, write.node("Where", due, zero, count), zero)
    bounded = write.node("Clip", scale, write.floats(LEAST), write.floats(MOST))
    lowering.nodes += write.nodes
    return {LOSS_SCALE: bounded, GOOD_STEPS: waited}


def only_where(lowering: Lowering, finite: str, changed: Mapping[str, str]) -> dict[str, str]:
    """What changes, where a step went well; else as it was."""
    write = Writer(lowering, "left_out", "f32")
    found = {
        name: tensor if tensor == name else write.node("Where", finite, tensor, name)
        for name, tensor in changed.items()
    }
    lowering.nodes += write.nodes
    return found
