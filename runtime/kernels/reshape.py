"""The same values under another shape in NumPy."""

from __future__ import annotations

from compiler.ops.reshape import Flatten, Reshape, Transpose
from runtime.kernels import Array, Arrays, kernel


@kernel(Flatten)
def flatten(op: Flatten, inputs: tuple[Array, ...], arrays: Arrays) -> Array:
    """[N, …] to [N, product]."""
    return inputs[0].reshape(inputs[0].shape[0], -1)


@kernel(Reshape)
def reshape(op: Reshape, inputs: tuple[Array, ...], arrays: Arrays) -> Array:
    """The same values under another shape; one symbolic size follows from the others."""
    sizes = [size if isinstance(size, int) else None for size in op.shape]
    if sizes.count(None) > 1:  # sizes that stay where they are
        sizes = [
            inputs[0].shape[i + 1] if s is None and i + 1 < inputs[0].ndim else s
            for i, s in enumerate(sizes)
        ]
    return inputs[0].reshape(inputs[0].shape[0], *(-1 if s is None else s for s in sizes))


@kernel(Transpose)
def transpose(op: Transpose, inputs: tuple[Array, ...], arrays: Arrays) -> Array:
    """The axes in another order."""
    return inputs[0].transpose(0, *(axis + 1 for axis in op.order))
