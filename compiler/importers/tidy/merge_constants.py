"""Factors and offsets that a format keeps apart from the layer that they belong to."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from compiler.graph import Node
from compiler.ops.connect import Dense
from compiler.ops.convolution import Conv, Deconv
from compiler.ops.normalise import BatchNorm, GroupNorm, InstanceNorm
from compiler.ops.reshape import Flatten, Reshape
from compiler.rewriting import Rewriting


def merge_constants(rewriting: Rewriting) -> None:
    """A factor and offset for each channel join the layer before them.

    Behind a norm they become its weight and bias (Caffe's Scale after its BatchNorm); an offset
    behind a conv, deconv or dense becomes its bias. Both behind a conv or deconv are a `bn`, as
    Keras' is written out. The parameters of a PyTorch module stay what they are.
    """
    for layer in rewriting.each():
        merge_row(rewriting, layer)
    for layer in rewriting.each():
        chain = constants_ending_in(rewriting, layer)
        if not chain:
            continue
        source = rewriting.before(chain[0])
        if source is None or source.name in rewriting.own or rewriting.shares(source):
            continue
        constant = next(node for node in chain if isinstance(node.op, Conv))
        factor, offset = numbers(rewriting, constant)
        if source.shape[0] != factor.size or (len(chain) > 1 and len(source.shape) > 1):
            continue  # a constant for each value of a map, not for each channel
        if isinstance(source.op, BatchNorm | GroupNorm | InstanceNorm) and not source.op.affine:
            learn(rewriting, chain, constant, source, factor, offset)
            continue
        if isinstance(source.op, BatchNorm | GroupNorm | InstanceNorm):
            for key, added in (("weight", 0.0), ("bias", offset)):
                value = factor * rewriting.weight(source, key) + added
                rewriting.values[f"{source.name}.{key}"] = value.astype(np.float32)
        elif isinstance(source.op, Dense) and len(source.shape) > 1:
            continue  # its units are another axis than the channels
        elif isinstance(source.op, Conv | Deconv | Dense) and np.all(factor == 1):
            add_bias(rewriting, source, source.op, offset)
        elif isinstance(source.op, Conv | Deconv) and len(chain) == 1 and np.any(offset):
            normalise(rewriting, constant, factor, offset)
            continue
        else:
            continue
        for node in reversed(chain):
            rewriting.drop(node.name, node.inputs[0])


def merge_row(rewriting: Rewriting, node: Node, *, named: bool = True) -> None:
    """Factors and offsets in a row that ends in an offset are one of each.

    Those of no name are so too where the row ends in a factor, unless `named` ones are meant.
    """
    run = [node]
    while is_constant(rewriting, run[0]):
        source = rewriting.before(run[0])
        if source is None or not is_constant(rewriting, source):
            break
        run.insert(0, source)
    if len(run) < 2 or any(each.name in rewriting.kept for each in run if not named):
        return
    if named and not np.any(numbers(rewriting, run[-1])[1]):
        return
    factor, offset = numbers(rewriting, run[0])
    for each in run[1:]:
        again, added = numbers(rewriting, each)
        factor, offset = factor * again, offset * again + added
    left = next((each for each in run if each.name in rewriting.kept), run[-1])
    for each in reversed(run):
        if each is not left:
            rewriting.drop(each.name, each.inputs[0])
    left = rewriting.nodes[left.name]
    assert isinstance(left.op, Conv)
    weight = rewriting.values[f"{left.name}.weight"]
    rewriting.values[f"{left.name}.weight"] = factor.astype(np.float32).reshape(weight.shape)
    rewriting.values[f"{left.name}.bias"] = offset.astype(np.float32)
    rewriting.put(replace(left, op=replace(left.op, bias=True)))


def is_constant(rewriting: Rewriting, node: Node) -> bool:
    """Whether a layer is a factor and offset for each channel that may be merged."""
    plain = node.name in rewriting.constants and isinstance(node.op, Conv)
    return plain and not rewriting.shares(node)


def normalise(rewriting: Rewriting, node: Node, factor: NDArray[Any], offset: NDArray[Any]) -> None:
    """A factor and offset as a `bn` whose statistics are 0 and 1."""
    op = BatchNorm()
    channels = np.ones(factor.size)
    del rewriting.values[f"{node.name}.weight"]
    arrays = {
        "weight": factor,
        "bias": offset,
        "running_mean": 0 * channels,
        "running_var": (1 - op.eps) * channels,
    }
    for name, array in arrays.items():
        rewriting.values[f"{node.name}.{name}"] = array.astype(np.float32)
    rewriting.put(replace(node, op=op))


def learn(
    rewriting: Rewriting,
    chain: list[Node],
    constant: Node,
    source: Node,
    factor: NDArray[Any],
    offset: NDArray[Any],
) -> None:
    """A norm without a factor and offset gets these; it is called as they are if it has no name."""
    assert isinstance(source.op, BatchNorm | GroupNorm | InstanceNorm)
    arrays = {
        name: array
        for name in ("running_mean", "running_var")
        if (array := rewriting.weight(source, name)) is not None
    } | {"weight": factor, "bias": offset}
    op = replace(source.op, affine=True)
    if source.name in rewriting.kept:
        rewriting.put(replace(source, op=op))
        for node in reversed(chain):
            rewriting.drop(node.name, node.inputs[0])
        name = source.name
    else:
        rewriting.become(constant, op, source)
        place, name = chain.index(constant), constant.name
        for node in reversed(chain[place + 1 :]):
            rewriting.drop(node.name, node.inputs[0])
        for node in reversed([source, *chain[:place]]):
            rewriting.remove(node.name)
    for array, value in arrays.items():
        rewriting.values[f"{name}.{array}"] = value.astype(np.float32)


def constants_ending_in(rewriting: Rewriting, node: Node) -> list[Node]:
    """The layer of constants that this is, of a vector with the reshaping around it."""
    chain = [node] if isinstance(node.op, Conv) else rewriting.chain(node, Reshape, Conv, Flatten)
    held = [] if chain is None else [n for n in chain if isinstance(n.op, Conv)]
    plain = all(n.name in rewriting.constants and not rewriting.shares(n) for n in held)
    return chain if chain and plain else []


def numbers(rewriting: Rewriting, node: Node) -> tuple[NDArray[Any], NDArray[Any]]:
    """The factor and offset of each channel."""
    factor = rewriting.weight(node, "weight").reshape(-1).astype(np.float64)
    offset = rewriting.weight(node, "bias")
    return factor, np.zeros_like(factor) if offset is None else offset.astype(np.float64)


def add_bias(
    rewriting: Rewriting, layer: Node, op: Conv | Deconv | Dense, offset: NDArray[Any]
) -> None:
    """An offset becomes the bias of the layer before it."""
    old = rewriting.weight(layer, "bias")
    total = offset if old is None else old + offset
    rewriting.values[f"{layer.name}.bias"] = total.astype(np.float32)
    rewriting.put(replace(layer, op=replace(op, bias=True)))
