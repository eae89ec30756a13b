"""Factors and offsets that a format keeps apart from the layer that they belong to."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from compiler.graph import Node
from compiler.importers.affine import EPSILON
from compiler.importers.imported import Imported
from compiler.importers.tidy.rewriting import Rewriting, weight_of
from compiler.ops.connect import Dense
from compiler.ops.convolution import Conv, Deconv
from compiler.ops.normalise import BatchNorm


def merge_constants(imported: Imported) -> Imported:
    """A factor and offset for each channel join the layer before them.

    Behind a `bn` they become its weight and bias (Caffe's Scale after its BatchNorm); an offset
    behind a conv, deconv or dense becomes its bias.
    """
    rewriting = Rewriting(imported)
    for name in list(rewriting.nodes):
        node = rewriting.nodes[name]
        source = rewriting.before(node)
        if source is None or not is_constant(rewriting, node) or apart(rewriting, source, node):
            continue
        factor, offset = weight_of(rewriting, node, "weight"), weight_of(rewriting, node, "bias")
        if isinstance(source.op, BatchNorm):
            rewriting.values[f"{source.name}.weight"] = factor * weight_of(
                rewriting, source, "weight"
            )
            bias = factor * weight_of(rewriting, source, "bias") + offset
            rewriting.values[f"{source.name}.bias"] = bias
            rewriting.drop(node.name, source.name)
        elif isinstance(source.op, Conv | Deconv | Dense) and np.all(factor == 1):
            add_bias(rewriting, source, source.op, node)
    return rewriting.finished()


def is_constant(rewriting: Rewriting, node: Node) -> bool:
    """Whether a layer is a `bn` that only multiplies and adds."""
    if not isinstance(node.op, BatchNorm) or node.owner or node.op.eps != EPSILON:
        return False
    mean = weight_of(rewriting, node, "running_mean")
    variance = weight_of(rewriting, node, "running_var")
    return (
        mean is not None
        and bool(np.all(mean == 0))
        and bool(np.all(variance == np.float32(1 - EPSILON)))
    )


def apart(rewriting: Rewriting, source: Node, node: Node) -> bool:
    """Whether the two cannot be one: parameters that others share."""
    return bool(source.owner) or source.name in rewriting.shared or node.name in rewriting.shared


def add_bias(rewriting: Rewriting, layer: Node, op: Conv | Deconv | Dense, node: Node) -> None:
    """An offset becomes the bias of the layer before it."""
    offset = weight_of(rewriting, node, "bias")
    old = weight_of(rewriting, layer, "bias")
    rewriting.values[f"{layer.name}.bias"] = offset if old is None else old + offset
    rewriting.nodes[layer.name] = replace(layer, op=replace(op, bias=True))
    rewriting.drop(node.name, layer.name)
