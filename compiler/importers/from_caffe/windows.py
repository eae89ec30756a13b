"""Caffe layers that slide a window."""

from __future__ import annotations

from typing import Any

from compiler.dims import Dim
from compiler.importers.affine import single
from compiler.importers.builder import Refused
from compiler.importers.from_caffe.network import Network, reads
from compiler.importers.from_caffe.prototxt import Message
from compiler.importers.window_arguments import each, kernel
from compiler.ops.base import Axis
from compiler.ops.windows import with_overhang
from compiler.values import Tensor


def numbers(
    fields: Message, name: str, rank: int, default: int, *, short: str = ""
) -> tuple[int, ...]:
    """A number for each axis: `pad: 1`, one for each axis, or `pad_h` and `pad_w`."""
    stem = short or name
    if fields.all(f"{stem}_h") or fields.all(f"{stem}_w"):
        return int(fields.one(f"{stem}_h", default)), int(fields.one(f"{stem}_w", default))
    given = [int(v) for v in fields.all(name)]
    if len(given) not in (0, 1, rank):
        raise Refused(f"{name} has {len(given)} numbers for {rank} spatial axes")
    return tuple(given) if len(given) == rank else tuple(given or [default]) * rank


def initial(network: Network, fields: Message) -> dict[str, str]:
    """The initial weights, from the filler; without one there is nothing to say."""
    filler = fields.message("weight_filler")
    match filler.one("type"):
        case "xavier":
            network.builder.note(
                'a "xavier" filler is `init="xavier"`, which averages over inputs and outputs '
                "where Caffe's counts the inputs"
            )
            return {"init": "xavier"}
        case "msra":
            return {"init": "he"}
        case "gaussian":
            return {"init": f"normal({single(float(filler.one('std', 1)))!r})"}
        case "constant":
            return {"init": f"constant({single(float(filler.one('value', 0)))!r})"}
        case None:
            return {}
        case other:
            network.builder.note(
                f'a "{other}" filler has no counterpart: `init` was left at its default'
            )
            return {}


DEPTHWISE = ("ConvolutionDepthwise", "DepthwiseConvolution")  # layers of derived Caffes


@reads("Convolution", "Deconvolution", *DEPTHWISE)
def convolution(network: Network) -> Tensor:
    """Convolution and its transpose, which share their parameters."""
    x, fields = network.bottom(), network.layer.parameters("convolution")
    rank = len(x.shape) - 1
    if rank < 1:
        raise Refused("its input is a vector")
    if fields.one("axis", 1) != 1:
        raise Refused("its channels are not axis 1")
    transposed = network.layer.type == "Deconvolution"
    if not fields.all("num_output"):
        raise Refused("it has no num_output")
    groups = x.shape[0] if network.layer.type in DEPTHWISE else int(fields.one("group", 1))
    return network.add(
        "deconv" if transposed else "conv",
        x,
        channels=int(fields.one("num_output")),
        kernel=kernel(numbers(fields, "kernel_size", rank, 1, short="kernel")),
        stride=each(numbers(fields, "stride", rank, 1)),
        pad=each(numbers(fields, "pad", rank, 0)),
        dilation=each(numbers(fields, "dilation", rank, 1)),
        groups=groups,
        bias=bool(fields.one("bias_term", True)),
        **initial(network, fields),
    )


@reads("Pooling")
def pooling(network: Network) -> Tensor:
    """Pooling rounds up by default, without a last window that starts in the padding."""
    x, fields = network.bottom(), network.layer.parameters("pooling")
    if len(network.layer.tops) > 1:
        raise Refused("its second output, the places of the largest values, is used")
    method = str(fields.one("pool", "MAX"))
    names = {
        "MAX": ("maxpool", "gmp"),
        "AVE": ("avgpool", "gap"),
        "0": ("maxpool", "gmp"),
        "1": ("avgpool", "gap"),
    }
    if method not in names:
        raise Refused(f"{method.lower()} pooling")
    windowed, whole = names[method]
    if fields.one("global_pooling", False):
        return network.add(whole, x)
    rank = len(x.shape) - 1
    sizes = numbers(fields, "kernel_size", rank, 1, short="kernel")
    strides = numbers(fields, "stride", rank, 1)
    pads = numbers(fields, "pad", rank, 0)
    up = str(fields.one("round_mode", "CEIL")) in ("CEIL", "0")
    arguments: dict[str, Any] = {"kernel": kernel(sizes), "pad": each(pads)}
    if strides != sizes:
        arguments["stride"] = each(strides)
    if up and rounds(network, x, sizes, strides, pads):
        network.builder.note(
            "Caffe rounds the size of a pooling up: `ceil=true` stands where that differs"
        )
        arguments["ceil"] = True
    return network.add(windowed, x, **arguments)


def rounds(
    network: Network,
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


def normalised_within(network: Network, fields: Message) -> Tensor:
    """x (1 + alpha mean(x^2))^-beta, the mean over a window of its channel, its padding counted."""
    x, size = network.bottom(), int(fields.one("local_size", 5))
    rank = len(x.shape) - 1
    if size % 2 == 0 or rank < 1:
        raise Refused("it normalises within each channel by a window without a middle")
    network.builder.note("an LRN within channels is written out: there is no layer for it")
    means = network.add(
        "avgpool",
        network.add("mul", x, x),
        kernel=kernel((size,) * rank),
        stride=1,
        pad=size // 2,
    )
    scaled = network.add("scale", means, factor=single(float(fields.one("alpha", 1.0))))
    factor = network.add(
        "power",
        network.add("shift", scaled, offset=1),
        exponent=-single(float(fields.one("beta", 0.75))),
    )
    return network.add("mul", x, factor)


@reads("Interp")
def interpolation(network: Network) -> Tensor:
    """Bilinear, the corners of both maps meeting: to a size, or by whole factors between pixels."""
    x, fields = network.bottom(), network.layer.parameters("interp")
    if len(network.layer.bottoms) > 1 or fields.one("pad_beg", 0) or fields.one("pad_end", 0):
        raise Refused("it crops, or takes its size from another layer")
    sizes = []
    for name, size in zip(("height", "width"), x.shape[1:], strict=True):
        wanted: Any = fields.one(name)
        if wanted is None:
            if isinstance(size, Dim):
                raise Refused("it enlarges a map of symbolic size")
            shrunk = (size - 1) // int(fields.one("shrink_factor", 1)) + 1
            wanted = shrunk + (shrunk - 1) * (int(fields.one("zoom_factor", 1)) - 1)
        sizes.append(int(wanted))
    return network.add("resize", x, size=each(sizes), mode="linear", align="corners")


@reads("LRN")
def local_response_norm(network: Network) -> Tensor:
    """Across channels, alpha divided by the size there as here; within them it is written out."""
    fields = network.layer.parameters("lrn")
    if str(fields.one("norm_region", "ACROSS_CHANNELS")) not in ("ACROSS_CHANNELS", "0"):
        return normalised_within(network, fields)
    network.builder.note("alpha of LRN is divided by the size, in Caffe as in `lrn`")
    return network.add(
        "lrn",
        network.bottom(),
        size=int(fields.one("local_size", 5)),
        alpha=single(float(fields.one("alpha", 1.0))),
        beta=single(float(fields.one("beta", 0.75))),
        k=single(float(fields.one("k", 1.0))),
    )
