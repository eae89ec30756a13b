"""Caffe layers that slide a window."""

from __future__ import annotations

from typing import Any

from compiler.dims import Dim
from compiler.importers.affine import single
from compiler.importers.builder import Refused
from compiler.importers.from_caffe.axes import axis_of
from compiler.importers.from_caffe.network import CaffeNetwork, reads
from compiler.importers.from_caffe.prototxt import ProtoMessage
from compiler.importers.window_arguments import each, kernel
from compiler.ops.base import Axis
from compiler.ops.windows import with_overhang
from compiler.values import Tensor


def numbers(
    fields: ProtoMessage,
    name: str,
    rank: int,
    default: int,
    *,
    short: str = "",
    paired: bool = True,
) -> tuple[int, ...]:
    """A number for each axis: `pad: 1`, one for each axis, or `pad_h` and `pad_w`.

    Raises `Refused` for what Caffe refuses: both, three on two axes, and one of two sides where
    they go in pairs.
    """
    stem = short or name
    given = fields.all(name)
    sides = [fields.one(f"{stem}_h"), fields.one(f"{stem}_w")]
    if any(side is not None for side in sides):
        if given or rank != 2:
            raise Refused(f"it has {stem}_h or {stem}_w besides {name}, or not on two axes")
        if paired and None in sides:
            raise Refused(f"it has one of {stem}_h and {stem}_w")
        return tuple(default if side is None else side for side in sides)
    if len(given) not in (0, 1, rank):
        raise Refused(f"{name} has {len(given)} numbers for {rank} spatial axes")
    if not given and default < 0:
        raise Refused(f"it has no {name}")
    return tuple(given) if len(given) == rank else tuple(given or [default]) * rank


REQUIRED = -1  # in place of a default


def initial(network: CaffeNetwork, fields: ProtoMessage) -> dict[str, Any]:
    """The initial weights, from the filler; without one there is nothing to say."""
    init = filled(network, fields.message("weight_filler"))
    return {"init": init} if init else {}


def filled(network: CaffeNetwork, filler: ProtoMessage) -> str:
    """The initial values that a filler makes, "" for those of the language."""
    match filler.one("type"):
        case "xavier":
            network.builder.note(
                'a "xavier" filler is `init="xavier"`, which averages over inputs and outputs '
                "where Caffe's counts the inputs"
            )
            return "xavier"
        case "msra":
            return "he"
        case "gaussian":
            return f"normal({single(filler.one('std', 1.0))!r})"
        case "constant":
            return f"constant({single(filler.one('value', 0.0))!r})"
        case None:
            return ""
        case other:
            network.builder.note(
                f'a "{other}" filler has no counterpart: `init` was left at its default'
            )
            return ""


DEPTHWISE = ("ConvolutionDepthwise", "DepthwiseConvolution")  # layers of derived Caffes


@reads("Convolution", "Deconvolution", *DEPTHWISE)
def convolution(network: CaffeNetwork) -> Tensor:
    """Convolution and its transpose, which share their parameters."""
    x, fields = network.bottom(), network.layer.parameters("convolution")
    rank = len(x.shape) - 1
    if rank < 1:
        raise Refused("its input is a vector")
    if axis_of(fields.one("axis", 1), x) != 0:
        raise Refused("its channels are not axis 1")
    transposed = network.layer.type == "Deconvolution"
    if not fields.all("num_output"):
        raise Refused("it has no num_output")
    groups = fields.one("group", 1)
    return network.add(
        "deconv" if transposed else "conv",
        x,
        channels=fields.one("num_output"),
        kernel=kernel(numbers(fields, "kernel_size", rank, REQUIRED, short="kernel")),
        stride=each(numbers(fields, "stride", rank, 1)),
        pad=each(numbers(fields, "pad", rank, 0, paired=False)),
        dilation=each(numbers(fields, "dilation", rank, 1)),
        groups=x.shape[0] if network.layer.type in DEPTHWISE else groups,
        bias=fields.one("bias_term", True),
        **initial(network, fields),
    )


METHODS = {"MAX": ("maxpool", "gmp"), "AVE": ("avgpool", "gap")}


@reads("Pooling")
def pooling(network: CaffeNetwork) -> Tensor:
    """Pooling rounds up by default, without a last window that starts in the padding."""
    x, fields = network.bottom(), network.layer.parameters("pooling")
    if len(network.layer.tops) > 1:
        raise Refused("its second output, the places of the largest values, is used")
    method = fields.one("pool", "MAX")
    if method not in METHODS:
        raise Refused(f"{method.lower()} pooling")
    rank = len(x.shape) - 1
    if rank != 2:
        raise Refused("its input is no map of height and width")
    windowed, whole = METHODS[method]
    strides = numbers(fields, "stride", rank, 1)
    pads = numbers(fields, "pad", rank, 0)
    up = rounds_up(fields)
    if fields.one("global_pooling", False):
        if set(strides) != {1} or any(pads):
            raise Refused("it pools the whole map and has a stride or a pad")
        return network.add(whole, x)
    sizes = numbers(fields, "kernel_size", rank, REQUIRED, short="kernel")
    if any(pad >= size for pad, size in zip(pads, sizes, strict=True)):
        raise Refused("its pad is not smaller than its kernel")
    if 0 in strides:
        raise Refused("its stride is 0")
    arguments: dict[str, Any] = {"kernel": kernel(sizes), "pad": each(pads)}
    if strides != sizes:
        arguments["stride"] = each(strides)
    if up and rounds(network, x, sizes, strides, pads):
        network.builder.note(
            "Caffe rounds the size of a pooling up: `ceil=true` stands where that differs"
        )
        arguments["ceil"] = True
    return network.add(windowed, x, **arguments)


def rounds_up(fields: ProtoMessage) -> bool:
    """How a pooling rounds: `round_mode` of Caffe, `ceil_mode` of forks, up by default."""
    mode, ceil = fields.one("round_mode"), fields.one("ceil_mode")
    if None not in (mode, ceil) and (mode == "CEIL") != ceil:
        raise Refused("its round_mode and ceil_mode contradict each other")
    return mode != "FLOOR" if ceil is None else bool(ceil)


def rounds(
    network: CaffeNetwork,
    x: Tensor,
    sizes: tuple[int, ...],
    strides: tuple[int, ...],
    pads: tuple[int, ...],
) -> bool:
    """Whether rounding up gives another size than rounding down."""
    found = False
    for size, k, s, p in zip(x.shape[1:], sizes, strides, pads, strict=True):
        if isinstance(size, Dim):
            return True
        axis = with_overhang(size, Axis(k, s, 1, p, p))
        beyond = -(-(size + 2 * p - k) // s) * s >= size
        if beyond and not any(pads):
            raise Refused("rounded up, its last window would start beyond the input")
        found = found or axis.overhang > 0
    return found


@reads("Interp")
def interpolation(network: CaffeNetwork) -> Tensor:
    """Bilinear, the corners of both maps meeting: to a size, or by whole factors between pixels."""
    fields = network.layer.parameters("interp")
    if len(network.layer.bottoms) > 1 or fields.one("pad_beg", 0) or fields.one("pad_end", 0):
        raise Refused("it crops, or takes its size from another layer")
    x = network.bottom()
    if len(x.shape) != 3:
        raise Refused("its input is no map of height and width")
    shrink, zoom = fields.one("shrink_factor"), fields.one("zoom_factor")
    given = [fields.one("height"), fields.one("width")]
    factors = shrink is not None or zoom is not None
    if min(shrink or 1, zoom or 1) < 1 or shrink == 0 or zoom == 0:
        raise Refused("its factors begin at 1")
    if None in given and (given != [None, None] or not factors):
        raise Refused("it has neither a height and a width nor a factor")
    if factors and given != [None, None]:
        raise Refused("it has a height and a width besides its factors")
    sizes = []
    for wanted, size in zip(given, x.shape[1:], strict=True):
        if wanted is None:
            if isinstance(size, Dim):
                raise Refused("it enlarges a map of symbolic size")
            shrunk = (size - 1) // (shrink or 1) + 1
            wanted = shrunk + (shrunk - 1) * ((zoom or 1) - 1)
        sizes.append(int(wanted))
    return network.add("resize", x, size=each(sizes), mode="linear", align="corners")
