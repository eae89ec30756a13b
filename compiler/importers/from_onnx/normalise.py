"""ONNX operators that normalise."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from compiler.importers.affine import align, single
from compiler.importers.builder import Refused
from compiler.importers.from_onnx.names import stem
from compiler.importers.from_onnx.reading import Reading, converts
from compiler.importers.from_onnx.reducing import reduced
from compiler.values import Tensor


def epsilon(reading: Reading) -> float:
    """What is added to the variance."""
    return single(reading.get("epsilon", 1e-5))


@converts("BatchNormalization")
def batch_norm(reading: Reading) -> Tensor:
    """Batch normalisation with its running statistics."""
    used = [name for name in reading.operator.outputs[1:] if name and reading.uses.get(name)]
    if reading.get("training_mode", 0) or used:
        raise Refused("it normalises with the statistics of the batch, as in training")
    if reading.get("spatial", 1) != 1:
        raise Refused("spatial=0 normalises each pixel by itself")
    names = ("weight", "bias", "running_mean", "running_var")
    weights = {name: reading.array(index + 1) for index, name in enumerate(names)}
    learned = is_learned(reading, weights)
    return reading.add(
        "bn",
        reading.tensor(0),
        weights=weights,
        known_by=(1, 2, 3, 4) if learned else (3, 4),
        affine=learned,
        eps=epsilon(reading),
    )


def is_learned(reading: Reading, weights: Mapping[str, NDArray[Any]]) -> bool:
    """Whether factor and offset, inputs 1 and 2, are more than ones and zeros without a name."""
    varied = bool(np.any(weights["weight"] != 1) or np.any(weights["bias"] != 0))
    return varied or bool(stem(reading.operator.inputs[1]))


@converts("InstanceNormalization")
def instance_norm(reading: Reading) -> Tensor:
    """Each map over its own pixels."""
    weights = {"weight": reading.array(1), "bias": reading.array(2)}
    learned = is_learned(reading, weights)
    return reading.add(
        "instancenorm",
        reading.tensor(0),
        weights=weights,
        known_by=(1, 2) if learned else (),
        affine=learned,
        eps=epsilon(reading),
    )


@converts("GroupNormalization")
def group_norm(reading: Reading) -> Tensor:
    """Each group of channels; before opset 21 factor and offset are one for each group."""
    x, groups = reading.tensor(0), int(reading.get("num_groups"))
    weights = {"weight": reading.array(1).reshape(-1), "bias": reading.array(2).reshape(-1)}
    channels = x.shape[0]
    if isinstance(channels, int):
        weights = {
            name: np.repeat(value, channels // value.size) for name, value in weights.items()
        }
    return reading.add(
        "groupnorm", x, weights=weights, known_by=(1, 2), groups=groups, eps=epsilon(reading)
    )


@converts("LRN")
def local_response_norm(reading: Reading) -> Tensor:
    """Local response normalisation; alpha is divided by the size there as here."""
    size = int(reading.get("size"))
    if size % 2 == 0:
        raise Refused(f"its size {size} is even; ours reaches as far before as after")
    return reading.add(
        "lrn",
        reading.tensor(0),
        size=size,
        alpha=single(reading.get("alpha", 1e-4)),
        beta=single(reading.get("beta", 0.75)),
        k=single(reading.get("bias", 1.0)),
    )


@converts("LayerNormalization")
def layer_norm(reading: Reading) -> Tensor | list[Tensor]:
    """Normalisation over the last axes of a sample, and its statistics when they are used."""
    y = normalised(reading)
    if not any(name and reading.uses.get(name) for name in reading.operator.outputs[1:]):
        return y
    x = reading.tensor(0)
    axes = range(reading.axis(int(reading.get("axis", -1)), x), len(x.shape))
    mean = reduced(reading, x, axes, "mean", kept=True)
    squares = reading.add("power", reading.add("sub", x, mean), exponent=2)
    variance = reduced(reading, squares, axes, "mean", kept=True)
    shifted = reading.add("shift", variance, offset=epsilon(reading))
    return [y, mean, reading.add("power", shifted, exponent=-0.5)]


def normalised(reading: Reading) -> Tensor:
    """Normalisation over the last axes of a sample, or over those of one that is written out."""
    x = reading.tensor(0)
    written_out = reading.get("axes")
    first = 0 if written_out else reading.axis(int(reading.get("axis", -1)), x)
    given = [reading.axis(int(axis), x) for axis in written_out or ()]
    axes = sorted(given) or [*range(first, len(x.shape))]
    factor = reading.array(1)
    offset = reading.array(2) if reading.has(2) else np.zeros_like(factor)
    named = {} if len(axes) == len(x.shape) else {"axis": axes if len(axes) > 1 else axes[0]}
    return reading.add(
        "layernorm",
        x,
        weights={"weight": along(factor, x, axes), "bias": along(offset, x, axes)},
        known_by=(1, 2),
        eps=epsilon(reading),
        **named,
    )


def along(values: NDArray[Any], x: Tensor, axes: list[int]) -> NDArray[Any]:
    """Constants that vary along these axes of a sample only, one for each value of them."""
    sizes = [x.shape[axis] for axis in axes]
    shape = tuple(size for size in sizes if isinstance(size, int))
    if len(shape) != len(sizes):
        raise Refused("it needs an input of known size")
    aligned = align(values, x.shape)
    if any(size != 1 for axis, size in enumerate(aligned.shape) if axis not in axes):
        raise Refused(f"its factor or offset is {list(values.shape)} for {list(shape)}")
    return np.broadcast_to(aligned.reshape([aligned.shape[axis] for axis in axes]), shape)
