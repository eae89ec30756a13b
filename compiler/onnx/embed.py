"""`compile --embed-preprocess`: pixels in, the normalisation of `from picture(…)` in the model.

The input becomes uint8, [N, H, W, C] or [N, C, H, W]; scaling to the range, the order of the
channels, mean, deviation and layout are nodes in front of the network. A crop without a resize is
one too, at any size of the picture. Turning grey and resizing stay outside: Pillow's filter rounds
to whole pixels twice on the way, which no ONNX operator does.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from compiler.options import PixelLayout
from compiler.pictures import Picture, both_sides


def embed_pictures(
    model: onnx.ModelProto, pictures: Mapping[str, Picture], layout: PixelLayout
) -> onnx.ModelProto:
    """The model, changed in place: each of these inputs takes the pixels of a picture.

    The metadata `netc.embedded.NAME` says so, and in which layout.
    """
    front: list[onnx.NodeProto] = []
    for name, picture in pictures.items():
        info = next(i for i in model.graph.input if i.name == name)
        inner = f"{name}/normalised"
        for node in model.graph.node:
            for index, source in enumerate(node.input):
                if source == name:
                    node.input[index] = inner
        front += Front(model, name, picture, layout).nodes(info, inner)
        entry = model.metadata_props.add()
        entry.key, entry.value = f"netc.embedded.{name}", json.dumps(layout)
    nodes = [*front, *model.graph.node]
    del model.graph.node[:]
    model.graph.node.extend(nodes)
    return model


class Front:
    """The nodes in front of one input, and the constants they use."""

    def __init__(
        self, model: onnx.ModelProto, name: str, picture: Picture, layout: PixelLayout
    ) -> None:
        self.model = model
        self.name = name
        self.picture = picture
        self.layout = layout
        self.made: list[onnx.NodeProto] = []
        self.constants = 0

    def constant(self, values: Any, dtype: Any) -> str:
        """An initializer."""
        name = f"{self.name}/constant_{self.constants}"
        self.constants += 1
        array = np.asarray(values, dtype=dtype)
        self.model.graph.initializer.append(numpy_helper.from_array(array, name))
        return name

    def node(self, op: str, *inputs: str, **attributes: Any) -> str:
        """Add a node; returns its output."""
        output = f"{self.name}/{op.lower()}_{len(self.made)}"
        self.made.append(helper.make_node(op, list(inputs), [output], name=output, **attributes))
        return output

    def nodes(self, info: onnx.ValueInfoProto, inner: str) -> list[onnx.NodeProto]:
        """The whole front; `info`, the model's input, is made one of pixels."""
        shape = info.type.tensor_type.shape.dim
        batch, *sizes = [d.dim_value or d.dim_param for d in shape]
        channels = self.picture.channels(sizes)
        sides = list(self.picture.sides(sizes))
        if self.crops:
            sides = [f"{self.name}_height", f"{self.name}_width"]
        pixel_shape = [batch, *sides, channels]
        if self.layout == "nchw":
            pixel_shape = [batch, channels, *sides]
        info.CopyFrom(helper.make_tensor_value_info(self.name, TensorProto.UINT8, pixel_shape))
        info.doc_string = self.picture.described(channels, pixels=True)
        flow = self.name
        if self.crops:
            flow = self.crop(flow)
        wanted = "nhwc" if self.picture.layout == "hwc" else "nchw"
        if self.layout != wanted:
            perm = [0, 3, 1, 2] if wanted == "nchw" else [0, 2, 3, 1]
            flow = self.node("Transpose", flow, perm=perm)
        if self.picture.order == "bgr":
            axis = 1 if wanted == "nchw" else 3
            flow = self.node("Gather", flow, self.constant([2, 1, 0], np.int64), axis=axis)
        flow = self.node("Cast", flow, to=TensorProto.FLOAT)
        factor, offset = scaling(self.picture)
        around = (-1, 1, 1) if wanted == "nchw" else (-1,)
        flow = self.node("Mul", flow, self.constant(factor.reshape(around), np.float32))
        flow = self.node("Add", flow, self.constant(offset.reshape(around), np.float32))
        self.made[-1].output[0] = inner
        return self.made

    @property
    def crops(self) -> bool:
        """Whether the crop is in the model: exact where no resize comes before it."""
        return self.picture.crop is not None and self.picture.resize is None

    def crop(self, flow: str) -> str:
        """The centre: it starts at round((size - crop)/2), a half rounded to even, as outside."""
        sides = both_sides(self.picture.crop)
        axes = [1, 2] if self.layout == "nhwc" else [2, 3]
        wanted = self.constant(sides, np.int64)
        shape = self.node("Shape", flow)
        have = self.node("Gather", shape, self.constant(axes, np.int64), axis=0)
        spare = self.node("Cast", self.node("Sub", have, wanted), to=TensorProto.FLOAT)
        half = self.node("Round", self.node("Mul", spare, self.constant(0.5, np.float32)))
        start = self.node("Cast", half, to=TensorProto.INT64)
        end = self.node("Add", start, wanted)
        return self.node("Slice", flow, start, end, self.constant(axes, np.int64))


def scaling(picture: Picture) -> tuple[Any, Any]:
    """Factor and offset of a pixel 0..255: (p/255 (high - low) + low - mean)/std, in float64."""
    low, high = picture.range
    mean, deviation = (np.asarray(n, np.float64) for n in (picture.mean, picture.std))
    return (high - low) / (255 * deviation), (low - mean) / deviation
