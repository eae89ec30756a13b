"""Losses in PyTorch: one number a sample, [N]."""

from __future__ import annotations

from compiler.ops import losses
from compiler.ops.base import Shape
from compiler.torch import writes
from compiler.torch.layer import Layer


def mean_of_samples(x: str, shape: Shape, method: str = "mean") -> str:
    """The mean over what is behind the batch."""
    match len(shape):
        case 0:
            return x
        case 1:
            return f"{x}.{method}(1)"
    return f"{x}.flatten(1).{method}(1)"


ELEMENTS: dict[type[losses.ElementLoss], str] = {
    losses.SquaredError: "F.mse_loss",
    losses.AbsoluteError: "F.l1_loss",
}


@writes(*ELEMENTS)
def element_loss(op: losses.ElementLoss, layer: Layer, x: str, t: str) -> str:
    """A loss of the same meaning."""
    each = f'{ELEMENTS[type(op)]}({x}, {t}, reduction="none")'
    return mean_of_samples(each, layer.shape)


@writes(losses.BinaryCrossEntropy)
def bce(op: losses.BinaryCrossEntropy, layer: Layer, x: str, t: str) -> str:
    """F.binary_cross_entropy, whose logarithms end at -100 too."""
    more = "_with_logits" if op.logits else ""
    each = f'F.binary_cross_entropy{more}({x}, {t}, reduction="none")'
    return mean_of_samples(each, layer.shape)


@writes(losses.Huber)
def huber(op: losses.Huber, layer: Layer, x: str, t: str) -> str:
    """F.huber_loss."""
    each = f'F.huber_loss({x}, {t}, reduction="none", delta={op.delta})'
    return mean_of_samples(each, layer.shape)


@writes(losses.Hinge)
def hinge(op: losses.Hinge, layer: Layer, x: str, t: str) -> str:
    """max(0, 1 - t x)."""
    return mean_of_samples(f"F.relu(1 - {t} * {x})", layer.shape)


@writes(losses.CrossEntropy)
def cross_entropy(op: losses.CrossEntropy, layer: Layer, scores: str, label: str) -> str:
    """F.cross_entropy, of classes or shares of them."""
    more = f", label_smoothing={op.smoothing}" if op.smoothing else ""
    each = f'F.cross_entropy({scores}, {label}, reduction="none"{more})'
    return mean_of_samples(each, layer.shape[1:])


@writes(losses.Accuracy)
def accuracy(op: losses.Accuracy, layer: Layer, scores: str, label: str) -> str:
    """A helper: of equal scores the first is before."""
    classes = layer.inputs[1]
    if len(classes) == len(layer.shape):
        label = f"{label}.argmax(1)"
    more = f", top={op.top}" if op.top != 1 else ""
    each = f"{layer.helper('accuracy')}({scores}, {label}{more})"
    return mean_of_samples(each, layer.shape[1:])


@writes(losses.Divergence)
def kl(op: losses.Divergence, layer: Layer, p: str, q: str) -> str:
    """A helper: where p is 0 nothing is added."""
    more = ", logarithms=True" if op.logarithms else ""
    each = f"{layer.helper('divergence')}({p}, {q}{more})"
    return mean_of_samples(each, layer.shape[1:])


@writes(losses.Total)
def total(op: losses.Total, layer: Layer, x: str) -> str:
    """The sum of a sample."""
    return mean_of_samples(x, layer.shape, "sum")


@writes(losses.Average)
def average(op: losses.Average, layer: Layer, x: str) -> str:
    """The mean of a sample."""
    return mean_of_samples(x, layer.shape)
