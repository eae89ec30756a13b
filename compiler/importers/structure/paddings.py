"""Paddings of runs side by side: half of each kernel, or pairs that follow from the dilation."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from compiler.importers.structure.expressions import Parameters
from compiler.importers.structure.tree import Expression, RecoveredStage
from compiler.ops.arguments import Extent

Pairs = tuple[tuple[int, int], ...]


def derived_pad(stages: Sequence[RecoveredStage | None], parameters: Parameters) -> Any:
    """What says the pads of all runs at one place; None when they are the same, or follow nothing.

    It is "half" of the kernel, or a list of pairs that are the dilation, or so many times it.
    """
    there = [stage for stage in stages if stage is not None]
    if is_half(there):
        return "half"
    pads = [stage.arguments["pad"] for stage in there]
    if len(set(map(str, pads))) < 2 or not any(map(is_list, pads)):
        return None
    pairs = [None if stage is None else pairs_of(stage) for stage in stages]
    known = [each for each in pairs if each is not None]
    if len(known) < len(there) or len(set(map(len, known))) > 1:
        return None
    shown = []
    for axis in range(len(known[0])):
        sides = [
            derived_amount([None if p is None else p[axis][side] for p in pairs], parameters)
            for side in (0, 1)
        ]
        if None in sides:
            return None
        shown.append(f"({sides[0]}, {sides[1]})")
    return Expression(f"[{', '.join(shown)}]")


def derived_amount(amounts: Sequence[int | None], parameters: Parameters) -> Any:
    """The pixels on one side of an axis: a number, or what follows from the dilation."""
    known = {amount for amount in amounts if amount is not None}
    return known.pop() if len(known) == 1 else parameters.derived(tuple(amounts), "dilation")


def is_half(stages: Sequence[RecoveredStage]) -> bool:
    """Whether the kernel varies and the pad is always half of it."""
    kernels = [stage.arguments.get("kernel") for stage in stages]
    dilations = [stage.arguments.get("dilation") for stage in stages]
    if len(set(map(str, kernels))) < 2:
        return False
    if any(isinstance(value, Expression) for value in kernels + dilations):
        return False
    return all(stage.arguments["pad"] == half(stage) for stage in stages)


def half(stage: RecoveredStage) -> Any:
    """The pad that `"half"` stands for."""
    kernel, dilation = stage.arguments["kernel"], stage.arguments.get("dilation", 1)
    sides = kernel if isinstance(kernel, Extent) else (kernel,)
    steps = dilation if isinstance(dilation, Extent) else (dilation,) * len(sides)
    halves = [d * (k - 1) // 2 for k, d in zip(sides, steps, strict=True)]
    return halves[0] if len(set(halves)) == 1 else Extent(halves)


def is_list(pad: Any) -> bool:
    """Whether a pad is a list of pairs."""
    return isinstance(pad, tuple) and not isinstance(pad, Extent)


def pairs_of(stage: RecoveredStage) -> Pairs | None:
    """The pixels (before, after) along each axis; None where a word or name does not tell."""
    pad, rank = stage.arguments["pad"], len(stage.given) - 1
    if is_list(pad):
        return tuple((before, after) for before, after in pad)
    kernels, strides, dilations = (
        per_axis(stage.arguments.get(name, 1), rank) for name in ("kernel", "stride", "dilation")
    )
    if pad in ("same", "same_lower") and kernels and dilations and strides == (1,) * rank:
        totals = [d * (k - 1) for k, d in zip(kernels, dilations, strict=True)]
        small = [(total // 2, total - total // 2) for total in totals]
        return tuple(pair if pad == "same" else pair[::-1] for pair in small)
    amounts = per_axis(pad, rank)
    return None if amounts is None else tuple((n, n) for n in amounts)


def per_axis(value: Any, rank: int) -> tuple[int, ...] | None:
    """A plain number or size for each axis; None for words and expressions."""
    if isinstance(value, Extent):
        return tuple(value) if len(value) == rank else None
    return (value,) * rank if isinstance(value, int) else None
