"""Optimisers: how parameters move along a gradient, each with its arguments as an op has them.

The rules are those of the papers, as PyTorch writes them. With g the gradient of the mean loss
(of what is minimised), w a parameter, r the rate and t the count of updates from 1:

    sgd      g += decay w; v = momentum v + g; w -= r (g + momentum v if nesterov else v)
    adam     g += decay w; m = b1 m + (1 - b1) g; u = b2 u + (1 - b2) g²;
             w -= r (m/(1 - b1^t))/(sqrt(u/(1 - b2^t)) + eps)
    adamw    the same without `g += decay w`, after w -= r decay w
    rmsprop  g += decay w; u = a u + (1 - a) g²; v = momentum v + g/(sqrt(u) + eps); w -= r v
    lion     w -= r decay w; w -= r sign(b1 m + (1 - b1) g); m = b2 m + (1 - b2) g
"""

from __future__ import annotations

from typing import ClassVar

from compiler.ops.arguments import FLAG, FRACTION, POSITIVE, Named, arg
from compiler.training.schedules import NOT_NEGATIVE, RATE, Schedule
from grammar.records import dataclass


@dataclass(frozen=True, kw_only=True)
class Optimiser(Named):
    """What every optimiser takes besides its own arguments.

    `clip` bounds the 2-norm of the gradient of all parameters of the update taken together (it is
    scaled by min(1, clip/norm)), `clip_value` each number of it. `decay_all=false` leaves
    parameters of one axis (biases, scales of norms) out of the decay. `average` keeps, beside each
    parameter w, a moving average a = average a + (1 - average) w.
    """

    states: ClassVar[tuple[str, ...]] = ()  # arrays of a parameter's shape, zero at first

    clip: float | None = arg(POSITIVE, None, "the largest norm of the whole gradient")
    clip_value: float | None = arg(POSITIVE, None, "the largest number in the gradient")
    decay_all: bool = arg(FLAG, True, "decay biases and the scales of norms, too")
    average: float | None = arg(FRACTION, None, "keep a moving average with this share of the old")


@dataclass(frozen=True)
class Sgd(Optimiser, name="sgd"):
    """Gradient descent, with momentum as PyTorch has it."""

    states: ClassVar[tuple[str, ...]] = ("momentum",)

    rate: float | Schedule = arg(RATE, doc="how far to go along the gradient")
    momentum: float = arg(FRACTION, 0.0, "the share of the last step that is kept")
    nesterov: bool = arg(FLAG, False, "look ahead along the momentum")
    decay: float = arg(NOT_NEGATIVE, 0.0, "of the weights, added to the gradient")


@dataclass(frozen=True)
class Adam(Optimiser, name="adam"):
    """Kingma and Ba, 2015, algorithm 1."""

    states: ClassVar[tuple[str, ...]] = ("m", "v")

    rate: float | Schedule = arg(RATE, 1e-3, "the size of a step")
    beta1: float = arg(FRACTION, 0.9, "how long the mean of the gradient lasts")
    beta2: float = arg(FRACTION, 0.999, "how long the mean of its square lasts")
    eps: float = arg(POSITIVE, 1e-8, "keeps the division finite")
    decay: float = arg(NOT_NEGATIVE, 0.0, "of the weights, added to the gradient")


@dataclass(frozen=True)
class AdamW(Adam, name="adamw"):
    """Loshchilov and Hutter, 2019: the decay acts on the weights themselves."""

    decay: float = arg(NOT_NEGATIVE, 1e-2, "of the weights, times the rate")


@dataclass(frozen=True)
class RmsProp(Optimiser, name="rmsprop"):
    """Tieleman and Hinton, 2012."""

    states: ClassVar[tuple[str, ...]] = ("square", "momentum")

    rate: float | Schedule = arg(RATE, 1e-2, "the size of a step")
    alpha: float = arg(FRACTION, 0.99, "how long the mean of the square lasts")
    momentum: float = arg(FRACTION, 0.0, "the share of the last step that is kept")
    eps: float = arg(POSITIVE, 1e-8, "keeps the division finite")
    decay: float = arg(NOT_NEGATIVE, 0.0, "of the weights, added to the gradient")


@dataclass(frozen=True)
class Lion(Optimiser, name="lion"):
    """Chen et al., 2023: steps of one size, in the direction of the mean gradient's sign."""

    states: ClassVar[tuple[str, ...]] = ("m",)

    rate: float | Schedule = arg(RATE, 1e-4, "the size of a step")
    beta1: float = arg(FRACTION, 0.9, "weight of the mean in the direction")
    beta2: float = arg(FRACTION, 0.99, "how long the mean of the gradient lasts")
    decay: float = arg(NOT_NEGATIVE, 0.0, "of the weights, times the rate")


OPTIMISERS: dict[str, type[Optimiser]] = {o.name: o for o in (Sgd, Adam, AdamW, RmsProp, Lion)}
