"""Darknet sections that take other layers, or give a map another size."""

from __future__ import annotations

from compiler.dims import Dim
from compiler.importers.affine import single
from compiler.importers.builder import Refused
from compiler.importers.from_darknet.activations import activated
from compiler.importers.from_darknet.cfg import Section
from compiler.importers.from_darknet.network import DarknetNetwork, reads
from compiler.importers.window_arguments import kernel
from compiler.values import Tensor


@reads("route")
def route(network: DarknetNetwork) -> Tensor:
    """The channels of other layers one behind the other, or one group of them."""
    section = network.section
    tensors = [network.layer(index) for index in section.wholes("layers")]
    if not tensors:
        raise Refused("it names no layers")
    groups, group = section.whole("groups", 1), section.whole("group_id", 0)
    if not 0 <= group < groups:
        raise Refused(f"there is no group {group} of {groups}")
    if any(tensor.shape[1:] != tensors[0].shape[1:] for tensor in tensors):
        raise Refused("its layers have maps of different sizes")
    if groups > 1:
        tensors = [part(network, x, groups, group) for x in tensors]
    return tensors[0] if len(tensors) == 1 else network.add("concat", *tensors)


def part(network: DarknetNetwork, x: Tensor, groups: int, group: int) -> Tensor:
    """One of equal groups of channels: of several layers Darknet takes each one's own."""
    channels = x.shape[0]
    if isinstance(channels, Dim) or channels % groups:
        raise Refused(f"its {channels} channels do not divide into {groups} groups")
    each = channels // groups
    return network.add("channels", x, first=group * each, last=(group + 1) * each - 1)


@reads("shortcut")
def shortcut(network: DarknetNetwork) -> Tensor:
    """Other layers added: where one is larger every nth pixel, where it is thinner what it has."""
    x, section = network.current(), network.section
    others = [network.layer(index) for index in section.wholes("from")]
    if not others:
        raise Refused("it does not say from which layer")
    if len(others) > 1 and any(other.shape[1:] != x.shape[1:] for other in others):
        raise Refused("it adds several maps of different sizes")
    if section.number("alpha", 1) != 1 or section.number("beta", 1) != 1:
        raise Refused("a weighted sum")
    if section.text("weights_type", "none") != "none":
        raise Refused("a sum with learned weights")
    added = network.add("add", x, *(fitted(network, other, x) for other in others))
    return activated(network, added, section.text("activation", "linear"))


def fitted(network: DarknetNetwork, other: Tensor, x: Tensor) -> Tensor:
    """The part of another tensor that is added: pixels left out, channels cut or zeros."""
    sizes = [s for s in (*other.shape, *x.shape) if not isinstance(s, Dim)]
    if other.shape == x.shape or len(sizes) != 6:
        return other
    (c1, h1, w1), (c2, h2, w2) = sizes[:3], sizes[3:]
    if h1 < h2 or w1 < w2 or h1 // h2 != w1 // w2:
        raise Refused(f"it adds a map of {h1} x {w1} to one of {h2} x {w2}")
    network.builder.note(
        "a shortcut between maps of different sizes adds every nth pixel and the channels that "
        "both have"
    )
    if h1 != h2:
        other = network.add("maxpool", other, kernel=kernel((1, 1)), stride=h1 // h2)
    if c1 > c2:
        return network.add("channels", other, first=0, last=c2 - 1)
    return network.add("pad_channels", other, before=0, after=c2 - c1) if c1 < c2 else other


@reads("upsample")
def upsample(network: DarknetNetwork) -> Tensor:
    """Pixels repeated."""
    section = network.section
    stride = section.whole("stride", 2)
    if stride < 1:
        raise Refused("a negative stride shrinks the map by sums")
    y = network.add("upsample", network.current(), scale=stride)
    factor = section.number("scale", 1)
    return y if factor == 1 else network.add("scale", y, factor=single(factor))


@reads("reorg")
def reorg(network: DarknetNetwork) -> Tensor:
    """Pixels to channels in Darknet's own order.

    The memory of the map is read as one of C/s^2 channels, s times as high and wide; its s x s
    places are dealt out to channels, places first; and the result is read as the smaller map.
    """
    x, section = network.current(), network.section
    s = section.whole("stride", 1)
    refuse_reverse(section)
    if len(x.shape) != 3 or s < 1:
        raise Refused("its input is no map, or its stride no stride")
    c, h, w = (size for size in x.shape if not isinstance(size, Dim))
    if c % (s * s) or h % s or w % s:
        raise Refused(f"its map [{c}, {h}, {w}] does not divide by its stride {s}")
    network.builder.note("a reorg keeps Darknet's own order of the values")
    wide = network.add("reshape", x, shape=[c // (s * s), h * s, w * s])
    places = network.add("pixel_unshuffle", wide, r=s)
    dealt = network.add("channel_shuffle", places, groups=c // (s * s))
    return network.add("reshape", dealt, shape=[c * s * s, h // s, w // s])


def refuse_reverse(section: Section) -> None:
    """Raise `Refused` for the rarer forms of a reorg."""
    given = [section.whole(name, 0) for name in ("reverse", "flatten", "extra")]
    if any(given):
        raise Refused("a reorg in reverse, or to a vector")


@reads("reorg3d")
def reorg3d(network: DarknetNetwork) -> Tensor:
    """Pixels to channels, the place of a pixel counting more than its channel."""
    x, section = network.current(), network.section
    refuse_reverse(section)
    places = network.add("pixel_unshuffle", x, r=section.whole("stride", 1))
    return network.add("channel_shuffle", places, groups=x.shape[0])


@reads("crop")
def crop(network: DarknetNetwork) -> Tensor:
    """The centre of the picture, values from 0..1 to -1..1."""
    section = network.section
    h, w = section.whole("crop_height", 1), section.whole("crop_width", 1)
    network.builder.note("a crop takes the centre, as when tested, and brings 0..1 to -1..1")
    y = network.add("crop", network.current(), h=h, w=w)
    if section.whole("noadjust", 0):
        return y
    return network.add("shift", network.add("scale", y, factor=2), offset=-1)


@reads("scale_channels", "sam")
def scale_channels(network: DarknetNetwork) -> Tensor:
    """Another layer's map scaled by this one's factors, for each channel or for each value."""
    if network.section.given("from") is None:
        raise Refused("it does not say from which layer")
    other, factors = network.layer(network.section.whole("from", -1)), network.current()
    if network.section.name == "sam" and other.shape != factors.shape:
        raise Refused("its two layers have different shapes")
    if network.section.name == "scale_channels" and factors.shape[1:] != (1, 1):
        raise Refused("its factors are not one for each channel")
    gated = network.add("mul", other, factors)
    return activated(network, gated, network.section.text("activation", "linear"))
