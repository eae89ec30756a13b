"""How each layer is written in ONNX, a file for each file of `compiler/ops`.

A function of the table takes the op, the emitter of its layer and the names of its input tensors,
writes nodes and returns the name of its output. Around the table:

    lower         a graph with numbers becomes a model
    emitter       a model in progress; what a layer's function writes with
    precision     which nodes compute in half precision
    windows       padding; nearest, interpolation: pixels of a resized map
    embed         `from picture(…)` as nodes in front of the network
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from compiler.ops import FAMILIES, STEP_FAMILIES
from compiler.ops.base import Op
from compiler.registry import Registry

Lower: TypeAlias = Callable[..., str]

LOWERINGS: Registry[type[Op], Lower] = Registry("compiler.onnx", FAMILIES + STEP_FAMILIES)
lowers = LOWERINGS.register
