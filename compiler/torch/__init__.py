"""How each op is written in PyTorch source, a file for each file of `compiler/ops`.

A function of the table takes the op, the layer that is written and the expressions of its inputs,
and returns the expression of its output; what holds parameters it makes a module by
`layer.module`. Nothing here imports torch: what is written is text, which `source` puts together.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from compiler.ops import FAMILIES
from compiler.ops.base import Op
from compiler.ops.training import BatchNormTraining
from compiler.registry import Registry

Rule: TypeAlias = Callable[..., str]

SOURCES: Registry[type[Op], Rule] = Registry(
    "compiler.torch",
    (*FAMILIES, "losses"),
    {BatchNormTraining: "a module of PyTorch is told whether it is in training"},
)
writes = SOURCES.register
