"""How each optimiser moves a parameter, in ONNX (`compiler/training/optimisers.py` has the rules).

A function takes the optimiser, a writer, the names of the parameter w, of its gradient g and of
its arrays by name, the rate and the number of the update, and returns the parameter and the arrays
anew.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from onnx import TensorProto

from compiler.onnx.emitter import Writer
from compiler.registry import Registry
from compiler.training.optimisers import Adam, AdamW, Lion, Optimiser, RmsProp, Sgd
from grammar.records import dataclass


@dataclass(frozen=True)
class Updated:
    """A parameter after an update, and the optimiser's arrays by name."""

    parameter: str
    states: dict[str, str]


@dataclass(frozen=True)
class Scalars:
    """The rate; for Adam, times root(1 - b2^t)/(1 - b1^t), and eps times that root.

    So its means need no division of their own.
    """

    rate: str
    scaled_rate: str = ""
    eps: str = ""


States: TypeAlias = Mapping[str, str]
Rule: TypeAlias = Callable[[Any, Writer, str, str, States, Scalars], Updated]

UPDATES: Registry[type[Optimiser], Rule] = Registry("compiler.onnx", ("optimisers",))
updates = UPDATES.register


def scalars(optimiser: Optimiser, write: Writer, rate: str, step: str) -> Scalars:
    """The numbers that all parameters of an update share."""
    if not isinstance(optimiser, Adam | AdamW):
        return Scalars(rate)
    first = write.node("Div", rate, bias_correction(write, optimiser.beta1, step))
    root = write.node("Sqrt", bias_correction(write, optimiser.beta2, step))
    eps = write.node("Mul", root, write.floats(optimiser.eps))
    return Scalars(rate, write.node("Mul", first, root), eps)


def bias_correction(write: Writer, beta: float, step: str) -> str:
    """1 - beta^t, t the number of the update, in float64: in float32 half the digits are lost."""
    count = write.node("Cast", step, to=TensorProto.DOUBLE)
    power = write.node("Pow", write.doubles(beta), count)
    return write.node("Cast", write.node("Sub", write.doubles(1.0), power), to=TensorProto.FLOAT)


def blended(write: Writer, old: str, new: str, share: float) -> str:
    """share old + (1 - share) new."""
    kept = write.node("Mul", old, write.floats(share))
    return write.node("Add", kept, write.node("Mul", new, write.floats(1 - share)))


def plus(write: Writer, g: str, w: str, factor: float) -> str:
    """g + factor w."""
    if not factor:
        return g
    return write.node("Add", g, write.node("Mul", w, write.floats(factor)))


def stepped(write: Writer, w: str, direction: str, rate: str) -> str:
    """w - rate * direction."""
    return write.node("Sub", w, write.node("Mul", direction, rate))


def decayed(write: Writer, w: str, decay: float, rate: str) -> str:
    """w (1 - rate * decay)."""
    if not decay:
        return w
    return stepped(write, w, write.node("Mul", w, write.floats(decay)), rate)


@updates(Sgd)
def sgd(op: Sgd, write: Writer, w: str, g: str, states: States, scalars: Scalars) -> Updated:
    """The gradient, or its velocity v = momentum v + g."""
    g = plus(write, g, w, op.decay)
    if not op.momentum:
        return Updated(stepped(write, w, g, scalars.rate), {})
    velocity = plus(write, g, states["momentum"], op.momentum)
    direction = plus(write, g, velocity, op.momentum) if op.nesterov else velocity
    return Updated(stepped(write, w, direction, scalars.rate), {"momentum": velocity})


@updates(Adam)
def adam(op: Adam, write: Writer, w: str, g: str, states: States, scalars: Scalars) -> Updated:
    """m/(sqrt(v) + eps), both means without bias."""
    return adaptive(op, write, w, plus(write, g, w, op.decay), states, scalars)


@updates(AdamW)
def adamw(op: AdamW, write: Writer, w: str, g: str, states: States, scalars: Scalars) -> Updated:
    """As adam, after the weights have decayed."""
    return adaptive(op, write, decayed(write, w, op.decay, scalars.rate), g, states, scalars)


def adaptive(
    op: Adam | AdamW, write: Writer, w: str, g: str, states: States, scalars: Scalars
) -> Updated:
    """Both moments, and the step that they give (Kingma and Ba 2015, section 2, last form)."""
    mean = blended(write, states["m"], g, op.beta1)
    square = blended(write, states["v"], write.node("Mul", g, g), op.beta2)
    deviation = write.node("Add", write.node("Sqrt", square), scalars.eps)
    direction = write.node("Div", mean, deviation)
    return Updated(stepped(write, w, direction, scalars.scaled_rate), {"m": mean, "v": square})


@updates(RmsProp)
def rmsprop(
    op: RmsProp, write: Writer, w: str, g: str, states: States, scalars: Scalars
) -> Updated:
    """g over the root of the mean of its square."""
    g = plus(write, g, w, op.decay)
    square = blended(write, states["square"], write.node("Mul", g, g), op.alpha)
    deviation = write.node("Add", write.node("Sqrt", square), write.floats(op.eps))
    direction = write.node("Div", g, deviation)
    if not op.momentum:
        return Updated(stepped(write, w, direction, scalars.rate), {"square": square})
    velocity = plus(write, direction, states["momentum"], op.momentum)
    moved = stepped(write, w, velocity, scalars.rate)
    return Updated(moved, {"square": square, "momentum": velocity})


@updates(Lion)
def lion(op: Lion, write: Writer, w: str, g: str, states: States, scalars: Scalars) -> Updated:
    """The sign of a mean of the gradient."""
    sign = write.node("Sign", blended(write, states["m"], g, op.beta1))
    moved = stepped(write, decayed(write, w, op.decay, scalars.rate), sign, scalars.rate)
    return Updated(moved, {"m": blended(write, states["m"], g, op.beta2)})
