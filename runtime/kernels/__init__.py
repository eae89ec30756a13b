"""The NumPy meaning of every op, a file for each file of `compiler/ops`.

A kernel takes the op, its inputs (batch first, then the shape per sample) and its arrays by name
(`weight`, `bias`, …), all of one floating type, and returns the output in that type. It is written
from the formula, without a look at the ONNX lowering, so that comparing the two tests both.

Some kernels, marked by `in_place`, also write their output to an array `out` if they are given it:
their first input, which nobody needs any more. New memory costs as much as what fills it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from compiler.ops import FAMILIES, STEP_FAMILIES
from compiler.ops.base import Op
from compiler.registry import Registry

Array: TypeAlias = NDArray[np.floating[Any]]
Arrays: TypeAlias = Mapping[str, Array]
Inputs: TypeAlias = tuple[Array, ...]
Kernel: TypeAlias = Callable[[Any, Inputs, Arrays], Array]

KERNELS: Registry[type[Op], Kernel] = Registry("runtime.kernels", FAMILIES + STEP_FAMILIES)
kernel = KERNELS.register

IN_PLACE: set[Callable[..., Array]] = set()


def in_place(function: Callable[..., Array]) -> Callable[..., Array]:
    """Marks a kernel that takes `out`."""
    IN_PLACE.add(function)
    return function
