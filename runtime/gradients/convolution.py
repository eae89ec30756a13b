"""Derivatives of convolutions, tap by tap."""

from __future__ import annotations

import numpy as np

from compiler.ops.convolution import Conv, Deconv
from runtime.gradients import Gradients, gradient
from runtime.gradients.windows import padded_zeros, taps, unpadded
from runtime.kernels import Array, Arrays, Inputs
from runtime.kernels.windows import Slide, padded, slides, transposed_slides


def correlate_gradients(
    x: Array, weight: Array, axes: tuple[Slide, ...], groups: int, dy: Array, dx: Array
) -> Array:
    """Of y[p] = sum over taps of W[tap] x[p stride + tap dilation]: adds to `dx`, returns dW.

    x and dx are padded [N, C_in, …], the weight is [C_out, C_in/groups, taps…], dy [N, C_out, …].
    """
    batch, sizes = len(x), dy.shape[2:]
    matrices = weight.reshape(groups, -1, *weight.shape[1:])
    by_weight = np.zeros_like(matrices)
    outgoing = dy.reshape(batch, groups, matrices.shape[1], -1)
    for tap, places in taps(axes, sizes):
        met = x[places].reshape(batch, groups, matrices.shape[2], -1)
        by_weight[(..., *tap)] = (outgoing @ met.swapaxes(2, 3)).sum(axis=0)
        back = matrices[(..., *tap)].swapaxes(1, 2) @ outgoing
        dx[places] += back.reshape(batch, -1, *sizes)
    return by_weight.reshape(weight.shape)


def bias_gradient(dy: Array, arrays: Arrays) -> dict[str, Array]:
    """The sum of dy over the batch and all pixels, if there is a bias."""
    return {"bias": dy.sum(axis=(0, *range(2, dy.ndim)))} if "bias" in arrays else {}


@gradient(Conv)
def conv(op: Conv, inputs: Inputs, arrays: Arrays, output: Array, dy: Array) -> Gradients:
    """Each pixel gathers W dy from the windows that see it; each tap sums x dy over its places."""
    x = inputs[0]
    axes = slides(x.shape[2:], op.kernel, op.stride, op.pad, op.dilation)
    dx = padded_zeros(x, axes)
    weight = correlate_gradients(
        padded(x, axes, op.pad_mode), arrays["weight"], axes, op.groups, dy, dx
    )
    dx = unpadded(dx, x.shape[2:], axes, op.pad_mode)
    return Gradients((dx,), {"weight": weight} | bias_gradient(dy, arrays))


@gradient(Deconv)
def deconv(op: Deconv, inputs: Inputs, arrays: Arrays, output: Array, dy: Array) -> Gradients:
    """y is what a convolution's input gathers, so dx is that convolution of dy."""
    x, weight = inputs[0], arrays["weight"]
    batch, spatial = len(x), x.shape[2:]
    axes = transposed_slides(op.kernel, op.stride, op.pad, op.dilation, len(spatial))
    full = padded(dy, axes)
    matrices = weight.reshape(op.groups, -1, *weight.shape[1:])  # [G, in, out, taps…]
    dx, by_weight = np.zeros_like(x), np.zeros_like(matrices)
    pixels = x.reshape(batch, op.groups, matrices.shape[1], -1)
    for tap, places in taps(axes, spatial):
        met = full[places].reshape(batch, op.groups, matrices.shape[2], -1)
        dx += (matrices[(..., *tap)] @ met).reshape(x.shape)
        by_weight[(..., *tap)] = (pixels @ met.swapaxes(2, 3)).sum(axis=0)
    arrays_ = {"weight": by_weight.reshape(weight.shape)} | bias_gradient(dy, arrays)
    return Gradients((dx,), arrays_)
