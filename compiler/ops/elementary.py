"""Elementary functions, element by element."""

from __future__ import annotations

from compiler.ops.activate import Activation
from compiler.ops.arguments import NUMBER, arg
from grammar.records import dataclass


@dataclass(frozen=True)
class Absolute(Activation, name="abs", group="scale"):
    """|x|."""


@dataclass(frozen=True)
class Exponential(Activation, name="exp", group="scale"):
    """e^x."""


@dataclass(frozen=True)
class Logarithm(Activation, name="log", group="scale"):
    """The natural logarithm; no number (NaN) below 0."""


@dataclass(frozen=True)
class Power(Activation, name="power", group="scale"):
    """x to a fixed power: 2 squares, 0.5 is the root, -1 the reciprocal."""

    exponent: float = arg(NUMBER, doc="the power")
