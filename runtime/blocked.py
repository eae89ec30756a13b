"""Convolutions by weights that are fed, in the layout of ONNX Runtime's direct kernels.

On a CPU ONNX Runtime runs the convolutions of a net with the channels in blocks as wide as the
machine's vectors, without writing the windows out first. It does so where the weights are
constants, which it lays out once; those of a training step are new with every step. To lay them out
each time takes next to nothing, so here the step itself is rewritten to the operators that ONNX
Runtime writes into the models it has optimised, of the domain `com.microsoft.nchwc`. Measured on
one thread with version 1.31, in milliseconds, the layout of x and y included:

    kernel, batch, channels, pixels     plain   blocked
    3x3, 128, 16 to 16, 32x32            14.5      10.3
    3x3, 128, 64 to 64, 8x8              13.0       7.3
    3x3, 8, 64 to 64, 56x56              28.7      19.4
    3x3, 8, 256 to 256, 14x14            18.1      16.9
    3x3, 8, 512 to 512, 7x7              20.1      29.5
    1x1, 8, 64 to 256, 56x56             10.0      12.7
    4x4 / 2, 32, 64 to 128, 32x32        22.1      19.8
    5x5, 64, 6 to 16, 14x14               0.8       0.4
    3x3, 128, 3 to 16, 32x32              2.6       2.7
    7x7 / 2, 8, 3 to 64, 112x112          5.7       3.8
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from functools import cache
from math import prod
from typing import Any

import numpy as np
import onnx
import onnxruntime as ort
from onnx import TensorProto, helper, numpy_helper

DOMAIN = "com.microsoft.nchwc"
WIDTHS = (16, 8)  # channels to a block, by the machine
MOST_WEIGHTS = 2**19  # numbers; more do not stay in the cache while a picture is worked at


@cache
def block_width() -> int | None:
    """How many channels this machine's kernels take at once; None where they are not to be had.

    It is the width with which they work out what a plain convolution does.
    """
    shape = (16, 16, 3, 3)
    w = np.random.default_rng(0).standard_normal(shape, dtype=np.float32)
    value = helper.make_tensor_value_info
    graph = helper.make_graph(
        [helper.make_node("Conv", ["x", "w"], ["y"], pads=[1] * 4, group=1)],
        "probe",
        [value("x", TensorProto.FLOAT, shape), value("w", TensorProto.FLOAT, shape)],
        [value("y", TensorProto.FLOAT, shape)],
    )
    plain = helper.make_model(
        graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8, producer_name="netc"
    )
    options = ort.SessionOptions()
    options.log_severity_level = 4

    def result(model: onnx.ModelProto) -> Any:
        providers = ["CPUExecutionProvider"]
        session = ort.InferenceSession(model.SerializeToString(), options, providers=providers)
        return session.run(None, {"x": w, "w": w})[0]

    expected = result(plain)
    for width in WIDTHS:
        try:
            if np.allclose(result(with_blocks(plain, width)), expected, atol=1e-4):
                return width
        except Exception:  # an ONNX Runtime without these kernels raises its own kinds
            return None
    return None


def with_blocks(model: onnx.ModelProto, width: int) -> onnx.ModelProto:
    """The same model, with the convolutions that gain by it in blocks of `width` channels.

    That are those of one group by a float32 input of the model, and the transposed ones with
    stride 1, which are convolutions by the turned kernel. A relu behind one becomes part of it.
    """
    weights = {
        info.name: tuple(size.dim_value for size in info.type.tensor_type.shape.dim)
        for info in model.graph.input
        if info.type.tensor_type.elem_type == TensorProto.FLOAT
    }
    write = Blocks(width, weights)
    takers = Counter(name for node in model.graph.node for name in node.input)
    takers.update(info.name for info in model.graph.output)
    relus = {n.input[0]: n for n in model.graph.node if n.op_type == "Relu"}
    joined = set()
    for node in model.graph.node:
        if node.output[0] in joined:
            continue
        attributes = {a.name: helper.get_attribute_value(a) for a in node.attribute}
        if not gains(node, attributes, weights, width):
            write.nodes.append(node)
            continue
        relu = relus.get(node.output[0]) if takers[node.output[0]] == 1 else None
        if relu is not None:
            joined.add(relu.output[0])
        write.convolution(node, attributes, (relu or node).output[0], relu is not None)
    found = onnx.ModelProto()
    found.CopyFrom(model)
    del found.graph.node[:]
    found.graph.node.extend(write.nodes)
    found.graph.initializer.extend(write.constants)
    found.opset_import.append(helper.make_opsetid(DOMAIN, 1))
    return found


def gains(
    node: onnx.NodeProto,
    attributes: Mapping[str, Any],
    weights: Mapping[str, tuple[int, ...]],
    width: int,
) -> bool:
    """Whether a node is a convolution that can be, and had better be, worked out in blocks."""
    shape = weights.get(node.input[1], ()) if len(node.input) > 1 else ()
    if node.op_type not in ("Conv", "ConvTranspose") or len(shape) != 4:
        return False
    few = node.op_type == "Conv" and shape[1] < width
    if attributes.get("group", 1) != 1 or shape[0] % width or (shape[1] % width and not few):
        return False
    if prod(shape[2:]) == 1 or prod(shape) > MOST_WEIGHTS:
        return False
    if node.op_type == "Conv":
        return True
    still = all(step == 1 for step in attributes.get("strides", ()))
    return still and len(node.input) == 2 and min(turned_pads(attributes, shape)) >= 0


def turned_pads(attributes: Mapping[str, Any], shape: tuple[int, ...]) -> list[int]:
    """The pads of the convolution that a transposed one with stride 1 is."""
    taps, pads = shape[2:] * 2, attributes.get("pads", [0] * 4)
    dilations = [*attributes.get("dilations", [1, 1])] * 2
    return [d * (k - 1) - p for k, d, p in zip(taps, dilations, pads, strict=True)]


class Blocks:
    """The nodes and constants of a model that is being rewritten."""

    def __init__(self, width: int, weights: Mapping[str, tuple[int, ...]]) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.constants: list[onnx.TensorProto] = []
        self._width, self._weights = width, weights
        self._written: set[str] = set()

    def convolution(
        self, node: onnx.NodeProto, attributes: Mapping[str, Any], output: str, relu: bool
    ) -> None:
        """The nodes of one convolution, x to blocks, unless it has too few channels, and y back."""
        x, weight, *bias = node.input
        shape = self._weights[weight]
        turned = node.op_type == "ConvTranspose"
        pads = turned_pads(attributes, shape) if turned else attributes.get("pads", [0] * 4)
        channels = shape[1] if turned else shape[0]
        if turned or shape[1] >= self._width:
            x = self._once("ReorderInput", [x], f"{x}/blocked", domain=DOMAIN)
        self._node(
            "Conv",
            [x, self._laid_out(weight, turned), *bias],
            f"{output}/blocks",
            domain=DOMAIN,
            kernel_shape=shape[2:],
            strides=attributes.get("strides", [1, 1]),
            dilations=attributes.get("dilations", [1, 1]),
            pads=pads,
            group=1,
            **({"activation": "Relu"} if relu else {}),
        )
        given = [f"{output}/blocks"]
        self._node("ReorderOutput", given, output, domain=DOMAIN, channels=channels)
        for key in node.metadata_props:
            self.nodes[-1].metadata_props.append(key)

    def _laid_out(self, weight: str, turned: bool) -> str:
        """[O, I, taps…] as [O/b, I/b, taps…, b of I, b of O]; turned, O and I change places too.

        Fewer than b channels of I stay one by one: [O/b, I, taps…, b of O].
        """
        outputs, inputs, *taps = self._weights[weight]
        name, width = f"{weight}/{'turned' if turned else 'blocked'}", self._width
        whole = weight
        if turned:
            ends = [f"{name}/{part}" for part in ("start", "end", "axes", "steps")]
            for constant, values in zip(
                ends, ([-1, -1], [-size - 1 for size in taps], [2, 3], [-1, -1]), strict=True
            ):
                self._ints(constant, values)
            whole = self._once("Slice", [weight, *ends], f"{name}/slice")
        inner = 1 if inputs < width else width
        apart = [outputs // width, width, inputs // inner, inner, *taps]
        self._ints(f"{name}/apart", apart)
        self._ints(
            f"{name}/shape", [inputs, outputs, *taps] if turned else [outputs, inputs, *taps]
        )
        split = self._once("Reshape", [whole, f"{name}/apart"], f"{name}/split")
        order = [2, 0, 4, 5, 1, 3] if turned else [0, 2, 4, 5, 3, 1]
        moved = self._once("Transpose", [split], f"{name}/moved", perm=order)
        return self._once("Reshape", [moved, f"{name}/shape"], name)

    def _ints(self, name: str, values: list[int]) -> None:
        """A constant, once."""
        if name not in self._written:
            self._written.add(name)
            self.constants.append(numpy_helper.from_array(np.asarray(values, np.int64), name))

    def _once(self, op_type: str, inputs: list[str], output: str, **attributes: Any) -> str:
        """A node, unless it is there."""
        if output not in self._written:
            self._written.add(output)
            self._node(op_type, inputs, output, **attributes)
        return output

    def _node(self, op_type: str, inputs: list[str], output: str, **attributes: Any) -> None:
        self.nodes.append(helper.make_node(op_type, inputs, [output], name=output, **attributes))
