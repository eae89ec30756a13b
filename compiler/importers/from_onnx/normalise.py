"""ONNX operators that normalise."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from compiler.importers.affine import single
from compiler.importers.builder import Refused
from compiler.importers.from_onnx.reading import Reading, converts
from compiler.values import Tensor


def epsilon(reading: Reading) -> dict[str, float]:
    """The epsilon, said only where it is not the default of the language."""
    eps = single(reading.get("epsilon", 1e-5))
    return {} if eps == 1e-5 else {"eps": eps}


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
    return reading.add(
        "bn", reading.tensor(0), weights=weights, known_by=(1, 2, 3, 4), **epsilon(reading)
    )


@converts("InstanceNormalization")
def instance_norm(reading: Reading) -> Tensor:
    """Each map over its own pixels."""
    weights = {"weight": reading.array(1), "bias": reading.array(2)}
    learned = bool(np.any(weights["weight"] != 1) or np.any(weights["bias"] != 0))
    if learned:
        return reading.add(
            "instancenorm",
            reading.tensor(0),
            weights=weights,
            known_by=(1, 2),
            affine=True,
            **epsilon(reading),
        )
    return reading.add("instancenorm", reading.tensor(0), **epsilon(reading))


@converts("GroupNormalization")
def group_norm(reading: Reading) -> Tensor:
    """Each group of channels; before opset 21 factor and offset are one for each group."""
    x, groups = reading.tensor(0), int(reading.get("num_groups"))
    weights: dict[str, NDArray[Any]] = {"weight": reading.array(1), "bias": reading.array(2)}
    channels = x.shape[0]
    if isinstance(channels, int):
        weights = {
            name: np.repeat(value, channels // value.size) for name, value in weights.items()
        }
    return reading.add(
        "groupnorm", x, weights=weights, known_by=(1, 2), groups=groups, **epsilon(reading)
    )


@converts("LRN")
def local_response_norm(reading: Reading) -> Tensor:
    """Local response normalisation; alpha is divided by the size there as here."""
    size = int(reading.get("size"))
    if size % 2 == 0:
        raise Refused(f"its size {size} is even; ours reaches as far before as after")
    arguments = {"alpha": single(reading.get("alpha", 1e-4)), "beta": single(reading.get("beta", 0.75))}
    k = single(reading.get("bias", 1.0))
    if k != 1:
        arguments["k"] = k
    return reading.add("lrn", reading.tensor(0), size=size, **arguments)


@converts("LayerNormalization")
def layer_norm(reading: Reading) -> Tensor:
    """Normalisation over the last axes of a sample."""
    x = reading.tensor(0)
    if any(name and reading.uses.get(name) for name in reading.operator.outputs[1:]):
        raise Refused("its outputs Mean and InvStdDev are used")
    axis = reading.axis(int(reading.get("axis", -1)), x)
    factor = reading.array(1)
    offset = reading.array(2) if reading.has(2) else np.zeros_like(factor)
    sizes = x.shape[axis:]
    shape = tuple(size for size in sizes if isinstance(size, int))
    if len(shape) != len(sizes):
        raise Refused("it needs an input of known size")
    weights = {
        name: np.broadcast_to(v, shape) for name, v in (("weight", factor), ("bias", offset))
    }
    arguments: dict[str, Any] = epsilon(reading)
    if axis:
        arguments["axis"] = axis
    return reading.add("layernorm", x, weights=weights, known_by=(1, 2), **arguments)


