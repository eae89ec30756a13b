"""Elementary functions, element by element."""

from __future__ import annotations

from typing import ClassVar

from compiler.ops.activate import Activation
from compiler.ops.arguments import NUMBER, arg
from grammar.records import dataclass


@dataclass(frozen=True)
class Absolute(Activation):
    """|x|."""

    name: ClassVar[str] = "abs"
    group: ClassVar[str] = "scale"


@dataclass(frozen=True)
class Exponential(Activation):
    """e^x."""

    name: ClassVar[str] = "exp"
    group: ClassVar[str] = "scale"


@dataclass(frozen=True)
class Logarithm(Activation):
    """The natural logarithm; no number (NaN) below 0."""

    name: ClassVar[str] = "log"
    group: ClassVar[str] = "scale"


@dataclass(frozen=True)
class Power(Activation):
    """x to a fixed power: 2 squares, 0.5 is the root, -1 the reciprocal."""

    name: ClassVar[str] = "power"
    group: ClassVar[str] = "scale"

    exponent: float = arg(NUMBER, doc="the power")
