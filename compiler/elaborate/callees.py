"""What the name at the head of a stage, or among its arguments, stands for."""

from __future__ import annotations

from typing import Any

from compiler.elaborate.state import Here
from compiler.ops import OPS
from compiler.ops.arguments import show
from compiler.ops.base import Op
from compiler.symbols.aliases import layer_meant
from compiler.symbols.modules import Closure
from compiler.values import Mistake, Scope, Silenced, Tensor, unknown
from grammar import syntax as s


def called(stage: s.Stage, callee: s.Name, here: Here, first: bool) -> Tensor | Closure | type[Op]:
    """The tensor, block or op that a stage names; `first` in its chain it may be a tensor.

    Raises E201 and E202.
    """
    name, scope = callee.id, here.scope
    if stage.arguments is None and stage.body is None:
        tensor = here.frame.entered if name == "in" else scope.tensor(name)
        if tensor is not None and (first or name not in OPS):
            return named_tensor(stage, tensor, name, first)
    target = scope.value(name)
    if isinstance(target, Closure) and target.definition.kind != "train":
        return target
    if isinstance(target, type) or name in OPS:
        return target if isinstance(target, type) else OPS[name]
    if target is None and scope.is_lost(name):
        raise Silenced
    if target is not None:
        raise Mistake(
            "E201",
            f"`{name}` is no layer or block",
            callee.span,
            label=f"`{name}` is a training"
            if isinstance(target, Closure)
            else f"its value is {show(target)}",
        )
    raise unknown(
        f"unknown layer, block or tensor `{name}`",
        callee.span,
        layer_meant(name, set(OPS) | scope.names()),
    )


def named_tensor(stage: s.Stage, tensor: Tensor, name: str, first: bool) -> Tensor:
    """A tensor's name as a stage: it can only begin a chain."""
    if first:
        return tensor
    raise Mistake(
        "E202",
        "a tensor's name can only begin a chain",
        stage.span,
        help=f"join them: concat(…, {name}), add(…, {name})",
    )


def tensor_argument(value: Any, scope: Scope) -> Tensor | None:
    """A tensor argument: a tensor, or a string that is the label of one."""
    if isinstance(value, str):
        return scope.tensor(value)
    return value if isinstance(value, Tensor) else None
