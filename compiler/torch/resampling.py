"""Maps of any other size in PyTorch."""

from __future__ import annotations

from compiler.ops.resampling import Resize
from compiler.torch import writes
from compiler.torch.layer import Layer, one_or_all, text_of
from compiler.torch.spatial import LINEAR


@writes(Resize)
def resize(op: Resize, layer: Layer, x: str) -> str:
    """F.interpolate where it means the same, else a helper."""
    rank = layer.rank
    if native_scale(op, layer):
        factors = [float(factor) for factor in op.factors(rank) if factor is not None]
        mode = "bicubic" if op.mode == "cubic" else LINEAR[rank]
        return f'F.interpolate({x}, scale_factor={text_of(one_or_all(factors))}, mode="{mode}")'
    sizes = layer.sizes_of_another(layer.output[1:])
    if not sizes:
        sizes = f"({', '.join(map(layer.size, layer.output[1:]))}{',' * (rank == 1)})"
    words = native(op, layer)
    if words:
        return f"F.interpolate({x}, {sizes}, {words})"
    floored = (op.mode, op.align, op.rounding, op.scale) == ("nearest", "asymmetric", "floor", None)
    if floored:
        return f"{layer.helper('nearest')}({x}, {sizes})"
    given = [f'mode="{op.mode}"'] if op.mode != "nearest" else []
    given += [f'align="{op.align}"'] if op.align != "half_pixel" else []
    given += [f'rounding="{op.rounding}"'] if op.rounding != "prefer_floor" else []
    if op.scale is not None:
        given.append(f"scale={text_of(tuple(map(float, op.factors(rank))))}")  # type: ignore[arg-type]
    return f"{layer.helper('resize')}({', '.join([x, sizes, *given])})"


def native_scale(op: Resize, layer: Layer) -> bool:
    """Whether F.interpolate makes the same of a factor: one that gives the size in float64 too."""
    if op.scale is None or op.mode == "nearest" or op.align != "half_pixel" or layer.rank > 3:
        return False
    known = zip(layer.shape[1:], op.factors(layer.rank), layer.output[1:], strict=True)
    return all(
        isinstance(have, int) and factor is not None and int(have * float(factor)) == size
        for have, factor, size in known
    )


def native(op: Resize, layer: Layer) -> str:
    """How F.interpolate says the same; empty where it has no words for it."""
    if op.scale is not None or layer.rank > 3:
        return ""
    pairs = [*zip(layer.shape[1:], layer.output[1:], strict=True)]
    if op.mode == "nearest":
        whole = all(isinstance(a, int) and isinstance(b, int) and b % a == 0 for a, b in pairs)
        plain = op.align == "half_pixel" and op.rounding.startswith("prefer") and whole
        return 'mode="nearest"' if plain else ""
    if op.align == "asymmetric":
        return ""
    mode = LINEAR[layer.rank] if op.mode == "linear" else "bicubic"
    return f'mode="{mode}"' + (", align_corners=True" if op.align == "corners" else "")
