"""Derivatives of the layers in training mode."""

from __future__ import annotations

from compiler.ops.training import BatchNormTraining
from runtime.gradients import Gradients, gradient
from runtime.gradients.normalise import affine_gradients, standardised_gradient, times_weight
from runtime.kernels import Array, Arrays, Inputs
from runtime.kernels.normalise import standardised
from runtime.kernels.training import over_batch


@gradient(BatchNormTraining)
def bn(
    op: BatchNormTraining, inputs: Inputs, arrays: Arrays, output: Array, dy: Array
) -> Gradients:
    """Standardised over the batch and all pixels, then a factor and offset for each channel."""
    x = inputs[0]
    axes = over_batch(x)
    dx = standardised_gradient(x, axes, op.eps, times_weight(op.affine, arrays, dy))
    return Gradients((dx,), affine_gradients(op.affine, standardised(x, axes, op.eps), dy))
