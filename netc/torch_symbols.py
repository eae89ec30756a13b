"""Layers that PyTorch's exporter has no words for, said to it so that the importer reads them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

AXES = (1, 2, 3)
# Operators of ours, which the exporter takes for ONNX's: it warns of those of another domain.
OURS = ("AdaptiveAveragePool", "AdaptiveMaxPool")


@contextmanager
def known_to_the_exporter(opset: int, batch: int) -> Iterator[None]:
    """While it lasts PyTorch exports these layers at an opset, some as operators of ours.

    `batch` is how many samples its example has.
    """
    from torch.onnx import register_custom_op_symbolic, unregister_custom_op_symbolic

    symbols = SYMBOLS | {"aten::index": partial(index, batch)}
    for name, symbol in symbols.items():
        register_custom_op_symbolic(name, symbol, opset)
    try:
        yield
    finally:
        for name in symbols:
            unregister_custom_op_symbolic(name, opset)


def adaptive(kind: str) -> Callable[..., Any]:
    """A pooling to so many parts, whether their number divides the map's or not."""

    def symbol(g: Any, x: Any, size: Any) -> Any:
        from torch.onnx import symbolic_helper

        parts = [int(part) for part in symbolic_helper._get_const(size, "is", "output_size")]
        if parts == [1] * len(parts):
            made = g.op(f"Global{kind}Pool", x)
        else:
            made = g.op(f"Adaptive{kind}Pool", x, size_i=parts)  # of `OURS`
        have = x.type().sizes() if x.type().kind() == "TensorType" else None
        if have is not None:
            made.setType(x.type().with_sizes([*have[:2], *parts]))
        return made if kind == "Average" else (made, None)

    return symbol


def threshold(g: Any, x: Any, least: Any, value: Any) -> Any:
    """x where it is above a threshold, else 0; another value by a comparison."""
    from torch.onnx import symbolic_helper

    bound, other = (float(symbolic_helper._get_const(v, "f", "value")) for v in (least, value))
    if other == 0:
        return g.op("ThresholdedRelu", x, alpha_f=bound)
    return g.op("Where", g.op("Greater", x, least), x, value)


def batch_norm(g: Any, x: Any, *given: Any) -> Any:
    """A norm by running statistics, which know the channels where `x` has no shape any more."""
    import torch
    from torch.onnx import symbolic_helper, symbolic_opset9

    weight, bias, mean, variance, training, momentum, eps, _ = given
    sizes = None if symbolic_helper._is_none(mean) else mean.type().sizes()
    if symbolic_helper._get_const(training, "b", "training") or not sizes:
        return symbolic_opset9.batch_norm(g, x, *given)
    if symbolic_helper._is_none(weight):
        weight = g.op("Constant", value_t=torch.ones(sizes))
    if symbolic_helper._is_none(bias):
        bias = g.op("Constant", value_t=torch.zeros(sizes))
    share = symbolic_helper._get_const(momentum, "f", "momentum")
    small = symbolic_helper._get_const(eps, "f", "eps")
    arrays = (weight, bias, mean, variance)
    return g.op("BatchNormalization", x, *arrays, epsilon_f=small, momentum_f=1 - share)


def index(batch: int, g: Any, x: Any, indices: Any) -> Any:
    """`x[arange(n), places]`, of each sample the places that it has: else all would be fixed."""
    import torch
    from torch.onnx import symbolic_helper, symbolic_opset11

    given = symbolic_helper._unpack_list(indices)
    sizes = symbolic_helper._get_tensor_sizes  # None for the batch, which stays open
    shapes = [sizes(value) for value in (x, *given) if value.type().kind() == "TensorType"]
    if len(given) != 2 or len(shapes) != 3 or None in shapes:
        return symbolic_opset11.index(g, x, indices)
    have, _, places = shapes
    counted = symbolic_helper._maybe_get_const(given[0], "t")
    whole = isinstance(counted, torch.Tensor) and counted.dim() == len(places)
    samples = batch if have[0] is None else have[0]
    if places[0] != have[0] or not whole or counted.flatten().tolist() != [*range(samples)]:
        return symbolic_opset11.index(g, x, indices)
    behind = g.op("Constant", value_t=torch.tensor([-1]))
    made = g.op("GatherND", x, g.op("Unsqueeze", given[1], behind), batch_dims_i=1)
    return made.setType(x.type().with_sizes([*places, *have[2:]]))


SYMBOLS: dict[str, Callable[..., Any]] = {
    **{f"aten::adaptive_avg_pool{axes}d": adaptive("Average") for axes in AXES},
    **{f"aten::adaptive_max_pool{axes}d": adaptive("Max") for axes in AXES},
    "aten::threshold": threshold,
    "aten::batch_norm": batch_norm,
}
