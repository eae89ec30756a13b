"""Maps of any other size in PyTorch."""

from __future__ import annotations

from compiler.dims import Size, evaluate, symbols
from compiler.domain import Facts
from compiler.ops.resampling import Resize
from compiler.torch import writes
from compiler.torch.layer import Layer, one_or_all, text_of
from compiler.torch.spatial import LINEAR, enlarged, is_floored_right, sizes_of

LARGE = 1 << 40  # where all that is rounded down on the way to a size counts for nothing
PLACED = (("half_pixel", "prefer_floor"), ("half_pixel", "prefer_ceil"), ("asymmetric", "floor"))


@writes(Resize)
def resize(op: Resize, layer: Layer, x: str) -> str:
    """F.interpolate where it means the same, else a helper."""
    rank = layer.rank
    mode = mode_of(op, layer)
    factors = whole_factors(op, layer)
    if {*factors} == {1}:
        return x
    if all(factors) and mode:
        return enlarged(layer, x, factors, mode, op.align == "corners")
    if native_scale(op, layer):
        scale = text_of(one_or_all([float(factor) for factor in op.factors(rank) if factor]))
        return f'F.interpolate({x}, scale_factor={scale}, mode="{mode}")'
    sizes = sizes_of(layer)
    if op.scale is None and mode:
        words = f', mode="{mode}"' if mode != "nearest" else ""
        words += ", align_corners=True" if op.align == "corners" else ""
        return f"F.interpolate({x}, {sizes}{words})"
    floored = (op.mode, op.align, op.rounding, op.scale) == ("nearest", "asymmetric", "floor", None)
    if floored:
        return f"{layer.helper('nearest')}({x}, {sizes})"
    given = [f'mode="{op.mode}"'] if op.mode != "nearest" else []
    given += [f'align="{op.align}"'] if op.align != "half_pixel" else []
    given += [f'rounding="{op.rounding}"'] if op.rounding != "prefer_floor" else []
    if op.scale is not None:
        given.append(f"scale={text_of(tuple(map(float, op.factors(rank))))}")  # type: ignore[arg-type]
    return f"{layer.helper('resize')}({', '.join([x, sizes, *given])})"


def mode_of(op: Resize, layer: Layer) -> str:
    """What F.interpolate calls the same way from pixel to pixel; "" where it has no word for it."""
    if layer.rank > 3 or (op.align == "asymmetric" and op.mode != "nearest"):
        return ""
    if op.mode != "nearest":
        return "bicubic" if op.mode == "cubic" else LINEAR[layer.rank]
    axes = zip(layer.shape[1:], whole_factors(op, layer), strict=True)
    same = all(have == 1 or (times and is_floored_right(times)) for have, times in axes)
    return "nearest" if same and (op.align, op.rounding) in PLACED else ""


def whole_factors(op: Resize, layer: Layer) -> tuple[int, ...]:
    """How many times as large the map becomes along each axis, for all sizes that the net takes.

    0 where it is no whole multiple, and where there is one pixel, which has a size to become.
    """
    facts = layer.graph.facts
    axes = zip(layer.shape[1:], op.factors(layer.rank), layer.output[1:], strict=True)
    found = [(multiple(have, size, facts), factor) for have, factor, size in axes]
    return tuple(times if factor in (None, times) else 0 for times, factor in found)


def multiple(have: Size, size: Size, facts: Facts) -> int:
    """How many times a size is another in every case; 0 where it is not, or that is one pixel."""
    have, size = facts.simplify(have), facts.simplify(size)
    if have == size:
        return 1
    names = sorted(symbols(have) | symbols(size))
    large = {name: LARGE * place for place, name in enumerate(names, start=2)}
    whole = evaluate(have, large)
    times = round(evaluate(size, large) / whole) if whole > 1 else 0
    return times if facts.equal(times * have, size) else 0


def native_scale(op: Resize, layer: Layer) -> bool:
    """Whether F.interpolate makes the same of a factor: one that gives the size in float64 too."""
    if op.scale is None or op.mode == "nearest" or op.align != "half_pixel" or layer.rank > 3:
        return False
    known = zip(layer.shape[1:], op.factors(layer.rank), layer.output[1:], strict=True)
    return all(
        isinstance(have, int) and factor is not None and int(have * float(factor)) == size
        for have, factor, size in known
    )
