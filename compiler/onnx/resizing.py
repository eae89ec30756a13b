"""The Resize node, where ONNX Runtime's own rewriting leaves it as it stands."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from compiler.dims import Size
from compiler.onnx.emitter import Emitter
from compiler.onnx.sizes import emit_sizes


def emit_resize(
    emit: Emitter,
    x: str,
    *,
    scales: Sequence[float] = (),
    sizes: Sequence[Size] = (),
    attributes: Mapping[str, str],
) -> str:
    """A map [N, C, spatial…] scaled, or at other sizes, along its spatial axes.

    ONNX Runtime moves a Transpose through a Resize, whose interpolation then runs along axes that
    its kernels refuse ("'Linear' mode only supports: …"). In a net that transposes, the maps are
    resized as N*C planes of one channel: no Transpose passes the two Reshapes, which cost nothing.
    """
    channels, *spatial = emit.inputs[0]
    apart = emit.transposes and attributes["mode"] != "nearest"
    if isinstance(channels, int) and apart:
        x = emit.node("Reshape", x, emit_shape(emit, x, [-1, 1], spatial))
    if scales:
        given = [emit.floats([1.0, 1.0, *scales])]
    else:
        shape = emit.node("Shape", x)
        lead = emit.node("Slice", shape, emit.ints([0]), emit.ints([2]), emit.ints([0]))
        given = ["", emit.node("Concat", lead, emit_sizes(emit, sizes), axis=0)]
    resized = emit.node("Resize", x, "", *given, **attributes)
    if not isinstance(channels, int) or not apart:
        return resized
    whole = emit_shape(emit, resized, [-1, channels], emit.output[1:])
    return emit.node("Reshape", resized, whole)


def emit_shape(emit: Emitter, x: str, lead: list[int], spatial: Sequence[Size]) -> str:
    """A shape for a Reshape that leaves the spatial axes of `x`, its tensor, as they are."""
    known = [size for size in spatial if isinstance(size, int)]
    if len(known) == len(spatial):
        return emit.ints([*lead, *known])
    ends = emit.ints([2]), emit.ints([2 + len(spatial)])
    rest = emit.node("Slice", emit.node("Shape", x), *ends, emit.ints([0]))
    return emit.node("Concat", emit.ints(lead), rest, axis=0)
