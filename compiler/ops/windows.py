"""Windows that slide: padding and the output-size formula, in one place.

Along an axis of W pixels, with K = d(k - 1) + 1 the dilated kernel:

    floor((W + P_before + P_after - K)/S) + 1        (Dumoulin and Visin, 2016, relationship 6)

`ceil=true` takes the ceiling, less a last window that would start in the padding after (as PyTorch
does). It is turned into an `overhang` of extra pixels, so that one floor formula serves everywhere.
A transposed window gives (W - 1)S - P_before - P_after + K + output_pad.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from compiler.dims import Dim, Size, ceil_div
from compiler.domain import Facts
from compiler.domain.suggestions import asserting, suggest_equal
from compiler.ops.arguments import Extent, show
from compiler.ops.base import Axis, Shape, ShapeError
from compiler.ops.shapes import axes_in_words, axis_names, per_axis
from grammar.diagnostics import NewArgument, Remedy
from grammar.records import dataclass

BORDER_LIMITS = {"reflect": 1, "circular": 0}  # how many pixels more than the pad they need
PAD_MODES = ("zero", "replicate", "reflect", "circular")


def resolve_padding(
    pad: Any,
    spatial: Shape,
    extents: tuple[int, ...],
    strides: tuple[int, ...],
    facts: Facts,
    *,
    argument: str = "pad",
) -> tuple[tuple[Any, Any], ...]:
    """The pixels (before, after) each axis for any form of `pad`; raises `ShapeError`.

    They are numbers, but for those of a symbolic `pad`.

    "same" gives an output of ceil(W/S): total padding (ceil(W/S) - 1)S + K - W, the odd pixel
    after ("same_lower": before). "half" is (K - 1)//2 on both sides. `argument` is what the op
    calls its padding.
    """
    rank = len(spatial)
    if pad == "valid":
        return ((0, 0),) * rank
    if pad == "half":
        return tuple(((k - 1) // 2, (k - 1) // 2) for k in extents)
    if pad in ("same", "same_lower"):
        return same_padding(pad, spatial, extents, strides, facts, argument)
    if isinstance(pad, tuple) and isinstance(pad[0], tuple):
        if len(pad) != rank:
            raise ShapeError(
                "E305",
                f"{argument} is (before, after) of {axes_in_words(len(pad))}, "
                f"but the input has {axes_in_words(rank)}",
                argument=argument,
                help="one pair for each axis, or one number for all",
            )
        return pad
    if isinstance(pad, Dim):
        return ((pad, pad),) * rank
    in_pairs: Remedy | None = None
    if isinstance(pad, tuple) and len(pad) == 2 * rank:
        pairs = [*zip(pad[::2], pad[1::2], strict=True)]
        text = f"before and after each axis: {argument}={show(pairs)}"
        in_pairs = Remedy(text, (NewArgument(argument, pairs),))
    return tuple((p, p) for p in per_axis(pad, rank, argument, help=in_pairs))


def same_padding(
    pad: str,
    spatial: Shape,
    extents: tuple[int, ...],
    strides: tuple[int, ...],
    facts: Facts,
    argument: str,
) -> tuple[tuple[int, int], ...]:
    """The pixels (before, after) each axis that give ceil(W/S) pixels; raises `ShapeError`."""
    pairs = []
    for size, extent, stride in zip(spatial, extents, strides, strict=True):
        total = facts.simplify((ceil_div(size, stride) - 1) * stride + extent - size)
        if isinstance(total, Dim):
            multiples = [(w % s, 0) for w, s in zip(spatial, strides, strict=True)]
            assertion = suggest_equal(facts, *multiples)
            raise ShapeError(
                "E307",
                f'pad="{pad}" at stride {stride} depends on the symbolic size {size}',
                argument=argument,
                label=f"the padding would be {total}",
                help=asserting(assertion, "decide", "give the padding as a number"),
            )
        small, large = max(total, 0) // 2, (max(total, 0) + 1) // 2
        pairs.append((small, large) if pad == "same" else (large, small))
    return tuple(pairs)


@dataclass(frozen=True)
class Window:
    """A window as an op takes it: numbers for all spatial axes or for each, any form of `pad`.

    `stride=None` means the kernel; `argument` is what the op calls its kernel.
    """

    kernel: int | tuple[int, ...]
    stride: int | tuple[int, ...] | None = 1
    pad: Any = 0
    dilation: int | tuple[int, ...] = 1
    ceil: bool = False
    argument: str = "kernel"

    def axes(self, spatial: Shape, facts: Facts) -> tuple[Axis, ...]:
        """The window along each spatial axis of an input of sizes `spatial`, all pads resolved.

        Raises `ShapeError` for a wrong number of axes and for a kernel larger than its padded
        input.
        """
        if not any(isinstance(size, Dim) for size in spatial):
            return known_axes(self, spatial)
        asked = (self, spatial)
        if asked not in facts.findings:
            facts.findings[asked] = resolved_axes(self, spatial, facts)
        axes: tuple[Axis, ...] = facts.findings[asked]
        return axes


@lru_cache(maxsize=1024)
def known_axes(window: Window, spatial: Shape) -> tuple[Axis, ...]:
    """The axes over sizes that are numbers, kept: a net asks for the same ones many times."""
    return resolved_axes(window, spatial, Facts())


def resolved_axes(window: Window, spatial: Shape, facts: Facts) -> tuple[Axis, ...]:
    """The window along each axis, worked out."""
    rank = len(spatial)
    kernels = per_axis(window.kernel, rank, "kernel")
    strides = kernels if window.stride is None else per_axis(window.stride, rank, "stride")
    dilations = per_axis(window.dilation, rank, "dilation")
    extents = tuple(d * (k - 1) + 1 for d, k in zip(dilations, kernels, strict=True))
    pads = resolve_padding(window.pad, spatial, extents, strides, facts)
    axes = tuple(
        Axis(k, s, d, before, after)
        for k, s, d, (before, after) in zip(kernels, strides, dilations, pads, strict=True)
    )
    check_kernel_fits(spatial, axes, window, facts)
    if not window.ceil:
        return axes
    return tuple(with_overhang(size, axis) for size, axis in zip(spatial, axes, strict=True))


def check_kernel_fits(spatial: Shape, axes: tuple[Axis, ...], window: Window, facts: Facts) -> None:
    """Raise E302 when a kernel is larger than its padded input along some axis."""
    names = axis_names(len(spatial))
    bad = []
    for index, (size, axis) in enumerate(zip(spatial, axes, strict=True)):
        slack = axis.stride - 1 if window.ceil else 0
        padded = facts.simplify(size + axis.before + axis.after)
        if facts.decide(padded + slack, ">=", axis.extent) is False:
            bad.append((index, size, padded, axis))
    if not bad:
        return
    index, size, padded, axis = bad[0]
    fits = [facts.simplify(s + a.before + a.after) for s, a in zip(spatial, axes, strict=True)]
    largest = [
        (n - 1) // a.dilation + 1 if isinstance(n, int) else a.kernel
        for n, a in zip(fits, axes, strict=True)
    ]
    advice: list[str] = []
    edits: list[NewArgument] = []
    if all(n >= 1 for n in largest):
        advice.append(f"a kernel of at most {Extent(largest)} fits")
        edits.append(NewArgument("kernel", Extent(largest)))
    if isinstance(padded, int):
        needed = max(
            (a.extent - (s if isinstance(s, int) else a.extent) + 1) // 2
            for s, a in zip(spatial, axes, strict=True)
        )
        advice.append(f"so would pad={needed}" if advice else f"pad={needed} would fit")
        edits.append(NewArgument("pad", needed))
    formula = "ceil" if window.ceil else "floor"
    numerator = f"({size} + {axis.before} + {axis.after} - {axis.extent})/{axis.stride}"
    value = size_along(size, axis) if not window.ceil else None
    raise ShapeError(
        "E302",
        "kernel is larger than its padded input",
        argument=window.argument,
        label=f"{axis.extent} along {names[index]}, but the padded input has {padded}",
        notes=[f"size: {formula}({numerator}) + 1" + (f" = {value}" if value is not None else "")],
        help=Remedy("; ".join(advice) or None, tuple(edits)),
    )


def with_overhang(size: Size, axis: Axis) -> Axis:
    """The axis with the extra pixels that make a last, partial window whole (`ceil=true`).

    For a symbolic size the rule is closed only when S + P_after <= K: then the last window never
    starts in the padding after, and S - 1 extra pixels turn the floor into the ceiling.
    """
    if isinstance(size, Dim):
        if axis.stride + axis.after > axis.extent:
            raise ShapeError(
                "E307",
                f"ceil=true of stride {axis.stride} over the symbolic size {size} has no closed "
                "form here",
                argument="ceil",
                help=Remedy(
                    "use ceil=false, or a stride and padding that together do not exceed "
                    f"the kernel's {axis.extent}",
                    (NewArgument("ceil", False),),
                ),
            )
        extra = axis.stride - 1
    else:
        padded = size + axis.before + axis.after
        count = -((axis.extent - padded) // axis.stride) + 1
        if (count - 1) * axis.stride >= size + axis.before:
            count -= 1
        extra = max((count - 1) * axis.stride + axis.extent - padded, 0)
    return Axis(axis.kernel, axis.stride, axis.dilation, axis.before, axis.after, extra)


def size_along(size: Size, axis: Axis) -> Size:
    """The output-size formula along one axis."""
    padded = size + axis.before + axis.after + axis.overhang
    return (padded - axis.extent) // axis.stride + 1


def window_output(spatial: Shape, axes: tuple[Axis, ...]) -> Shape:
    """The output-size formula along every axis."""
    return tuple(size_along(size, axis) for size, axis in zip(spatial, axes, strict=True))


def transposed_output(spatial: Shape, axes: tuple[Axis, ...], extra: tuple[int, ...]) -> Shape:
    """The sizes that a transposed convolution makes: (W - 1)S - P_before - P_after + K + extra."""
    return tuple(
        (size - 1) * axis.stride - axis.before - axis.after + axis.extent + more
        for size, axis, more in zip(spatial, axes, extra, strict=True)
    )


def check_border(
    mode: str,
    spatial: Shape,
    axes: tuple[Axis, ...],
    *,
    argument: str = "pad",
    mode_argument: str = "pad_mode",
) -> None:
    """Raise E306 when `reflect` would mirror, or `circular` carry over, more than the input has.

    The mirror stands on the first pixel, so a pad of P needs P + 1 pixels. `argument` and
    `mode_argument` are what the op calls its two parameters.
    """
    if mode not in BORDER_LIMITS:
        return
    for size, axis in zip(spatial, axes, strict=True):
        if not isinstance(size, int):
            continue
        most = size - BORDER_LIMITS[mode]
        if max(axis.before, axis.after) > most:
            raise ShapeError(
                "E306",
                f"{mode} padding must be {'smaller' if most < size else 'no larger'} "
                "than the input",
                argument=argument,
                label=f"{max(axis.before, axis.after)} pixels, but the input has {size}",
                help=Remedy(
                    f'pad at most {most}, or use {mode_argument}="replicate"',
                    (NewArgument(argument, most), NewArgument(mode_argument, "replicate")),
                ),
            )


def border_conditions(
    mode: str, spatial: Shape, axes: tuple[Axis, ...]
) -> tuple[tuple[Size, int], ...]:
    """What a border asks of symbolic sizes: the pixels that it mirrors or carries over."""
    if mode not in BORDER_LIMITS:
        return ()
    more = BORDER_LIMITS[mode]
    return tuple((s, max(a.before, a.after) + more) for s, a in zip(spatial, axes, strict=True))
