"""What a training minimises or reports: one number a sample, from a prediction and its target.

These ops stand in `train` items only. The mean over the pixels or elements of a sample is taken
here, the mean over the batch by the training step.
"""

from __future__ import annotations

from typing import Any, ClassVar

from compiler.domain import Facts
from compiler.ops.arguments import FLAG, FRACTION, POSITIVE, arg, whole
from compiler.ops.base import EVERYWHERE, Op, Reach, Shape, ShapeError, Shapes, show_shape
from compiler.ops.elementary import Absolute, Exponential, Logarithm, Power
from compiler.ops.shapes import channels_of
from grammar.records import dataclass


@dataclass(frozen=True)
class Loss(Op, group="loss"):
    """What they share: two tensors become one number a sample, whose shape is []."""

    least_inputs: ClassVar[int] = 2
    most_inputs: ClassVar[int | None] = 2

    def reach(self, inputs: Shapes, output: Shape, facts: Facts) -> Reach:
        return EVERYWHERE


def check_alike(op: Op, shapes: Shapes, facts: Facts) -> None:
    """Raise E304 unless prediction and target have one shape."""
    first, second = shapes
    if len(first) == len(second) and all(map(facts.equal, first, second)):
        return
    raise ShapeError(
        "E304",
        f"{op.name} compares tensors of one shape",
        label=f"{show_shape(first)} and {show_shape(second)}",
    )


@dataclass(frozen=True)
class ElementLoss(Loss):
    """The mean over the elements of a function of prediction and target, alike in shape."""

    def infer(self, inputs: Shapes, facts: Facts) -> Shape:
        check_alike(self, inputs, facts)
        return ()


@dataclass(frozen=True)
class ClassLoss(Loss):
    """Scores [C, …] against whole numbers below C […] or shares of classes [C, …].

    The mean over the pixels.
    """

    class_inputs: ClassVar[tuple[int, ...]] = (1,)

    def infer(self, inputs: Shapes, facts: Facts) -> Shape:
        scores, label = inputs
        channels_of(scores, self.name)
        compared = scores if len(label) == len(scores) else scores[1:]
        if len(label) != len(compared) or not all(map(facts.equal, label, compared)):
            raise ShapeError(
                "E304",
                f"{self.name} takes one class for each place of the scores",
                label=f"the scores are {show_shape(scores)}, the classes {show_shape(label)}",
            )
        return ()


@dataclass(frozen=True)
class CrossEntropy(ClassLoss, name="cross_entropy"):
    """-log softmax(logits)[label]: the surprise at the right class, or the mean by shares.

    With `smoothing` the target gives that share to all classes alike (Szegedy et al. 2016, 7).
    """

    smoothing: float = arg(FRACTION, 0.0, "the share of the target that all classes get alike")


@dataclass(frozen=True)
class Accuracy(ClassLoss, name="accuracy"):
    """1 where the right class is among the `top` highest scores, else 0; of equals the first.

    Of shares the right class is the one with the largest.
    """

    no_derivative: ClassVar[str] = "it counts; cross_entropy is what can be minimised"

    top: int = arg(whole(1), 1, "how many of the highest scores count")


@dataclass(frozen=True)
class BinaryCrossEntropy(ElementLoss, name="bce"):
    """-(t log p + (1 - t) log(1 - p)) for probabilities p and targets t from 0 to 1.

    A logarithm is at least -100, as in PyTorch. With `logits` the prediction is what a sigmoid
    would take, and nothing is cut: the rewriting of `bce(sigmoid(x), t)`.
    """

    logits: bool = arg(FLAG, False, "the prediction is before the sigmoid")


@dataclass(frozen=True)
class SquaredError(ElementLoss, name="mse"):
    """(x - t)^2."""


@dataclass(frozen=True)
class AbsoluteError(ElementLoss, name="mae"):
    """|x - t|."""


@dataclass(frozen=True)
class Huber(ElementLoss, name="huber"):
    """(x - t)^2/2 up to a distance of delta, beyond it delta (|x - t| - delta/2) (Huber 1964)."""

    delta: float = arg(POSITIVE, 1.0, "the distance where the square becomes a line")


@dataclass(frozen=True)
class Hinge(ElementLoss, name="hinge"):
    """max(0, 1 - t x) for targets t of -1 and 1."""


@dataclass(frozen=True)
class Divergence(Loss, name="kl"):
    """Kullback and Leibler's divergence: sum over the channels of p (log p - log q).

    The mean over the pixels; where p is 0 nothing is added. With `logarithms` the second tensor
    is log q: the rewriting of `kl(p, softmax(x))`.
    """

    logarithms: bool = arg(FLAG, False, "the second tensor holds logarithms")

    def infer(self, inputs: Shapes, facts: Facts) -> Shape:
        check_alike(self, inputs, facts)
        return ()


@dataclass(frozen=True)
class Total(Op, name="sum", group="loss"):
    """The sum of all numbers of a sample."""

    def infer(self, inputs: Shapes, facts: Facts) -> Shape:
        return ()

    def reach(self, inputs: Shapes, output: Shape, facts: Facts) -> Reach:
        return EVERYWHERE


@dataclass(frozen=True)
class Average(Total, name="mean"):
    """The mean of all numbers of a sample."""


# The functions of an expression that take no further arguments, as the ops that they are.
FUNCTIONS: dict[str, Any] = {
    "sum": Total(),
    "mean": Average(),
    "log": Logarithm(),
    "exp": Exponential(),
    "abs": Absolute(),
    "square": Power(2.0),
    "sqrt": Power(0.5),
}
