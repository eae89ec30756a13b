"""Fold batch normalisation into the layer before it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from compiler.graph import Node
from compiler.ops.base import Op
from compiler.ops.connect import Dense
from compiler.ops.convolution import Conv, Deconv
from compiler.ops.normalise import BatchNorm
from compiler.rewriting import Rewriting


def fold_batch_norm(rewriting: Rewriting) -> None:
    """Fold each `bn` into the conv, deconv or dense that feeds it alone.

    y = gamma (Wx + b - mean)/sqrt(var + eps) + beta is again Wx + b with other numbers, worked out
    in float64 and then rounded once (Jacob et al. 2018, section 3.2). Requires numbers for every
    parameter; leaves layers that share parameters, or whose tensor is used elsewhere, alone. The
    merged layer keeps the tensor name of the bn, and the parameters of the layer before it.
    """
    for node in rewriting.each():
        source = rewriting.before(node) if isinstance(node.op, BatchNorm) else None
        if source is None or rewriting.shares(source):
            continue
        of_channels = isinstance(source.op, Conv | Deconv) or len(source.shape) == 1
        if of_channels and isinstance(source.op, Conv | Deconv | Dense):
            rewriting.values.update(folded(rewriting, source, node))
            rewriting.absorb(node, source, replace(source.op, bias=True, weight=None))


def folded(rewriting: Rewriting, layer: Node, norm: Node) -> dict[str, NDArray[np.float32]]:
    """The merged weight and bias, by full name."""
    assert isinstance(norm.op, BatchNorm)
    held = {
        weight.name: rewriting.values[f"{norm.parameters_of}.{weight.name}"].astype(np.float64)
        for weight in norm.op.weights(rewriting.shapes(norm))
    }
    if not norm.op.affine:
        held |= {"weight": np.ones_like(held["running_var"])}
        held |= {"bias": np.zeros_like(held["running_mean"])}
    factor = held["weight"] / np.sqrt(held["running_var"] + norm.op.eps)
    weight = rewriting.values[f"{layer.name}.weight"]
    bias = rewriting.values.get(f"{layer.name}.bias")
    start = np.zeros_like(factor) if bias is None else bias.astype(np.float64)
    shifted = (start - held["running_mean"]) * factor + held["bias"]
    return {
        f"{layer.name}.weight": scaled(weight, per_output(factor, layer.op, weight.shape)),
        f"{layer.name}.bias": shifted.astype(np.float32),
    }


def per_output(factor: NDArray[np.float64], op: Op, shape: tuple[int, ...]) -> NDArray[np.float64]:
    """One factor for each output channel, in a form that multiplies a weight of this shape."""
    kernel = [1] * (len(shape) - 2)
    if isinstance(op, Deconv):  # [in, out / groups, …]: the outputs of group g in turn
        each = shape[0] // op.groups
        return factor.reshape(op.groups, shape[1]).repeat(each, axis=0).reshape(*shape[:2], *kernel)
    return factor.reshape(-1, 1, *kernel)


def scaled(weight: NDArray[np.float32], factor: NDArray[np.float64]) -> NDArray[np.float32]:
    """The product, worked out in float64 and rounded once."""
    product = np.empty_like(weight)
    np.multiply(weight, factor, out=product, dtype=np.float64, casting="same_kind")
    return product
