"""The names and shapes in torchvision's state dicts, written down from its models' structure.

torchvision 0.29: models/resnet.py, models/vgg.py, models/alexnet.py.
"""

from __future__ import annotations

from typing import TypeAlias

Shapes: TypeAlias = dict[str, tuple[int, ...]]


def norm(name: str, channels: int) -> Shapes:
    """A BatchNorm2d, with its counter."""
    return {
        **{f"{name}.{part}": (channels,) for part in ("weight", "bias")},
        **{f"{name}.running_{part}": (channels,) for part in ("mean", "var")},
        f"{name}.num_batches_tracked": (),
    }


def resnet(depths: list[int], bottleneck: bool) -> Shapes:
    """`resnet18().state_dict()` and its like."""
    found: Shapes = {"conv1.weight": (64, 3, 7, 7), **norm("bn1", 64)}
    inner = 64
    for stage, depth in enumerate(depths):
        width = 64 * 2**stage
        outer = width * (4 if bottleneck else 1)
        for index in range(depth):
            name = f"layer{stage + 1}.{index}"
            sizes = [(width, inner, 3), (width, width, 3)]
            if bottleneck:
                sizes = [(width, inner, 1), (width, width, 3), (outer, width, 1)]
            for number, (out, into, kernel) in enumerate(sizes, start=1):
                found[f"{name}.conv{number}.weight"] = (out, into, kernel, kernel)
                found |= norm(f"{name}.bn{number}", out)
            if index == 0 and inner != outer:
                found[f"{name}.downsample.0.weight"] = (outer, inner, 1, 1)
                found |= norm(f"{name}.downsample.1", outer)
            inner = outer
    return found | {"fc.weight": (1000, inner), "fc.bias": (1000,)}


def vgg(depths: list[int], norms: bool) -> Shapes:
    """`vgg16().state_dict()` and its like; every convolution is followed by an activation."""
    found: Shapes = {}
    index, inner = 0, 3
    for depth, channels in zip(depths, (64, 128, 256, 512, 512), strict=True):
        for _ in range(depth):
            found[f"features.{index}.weight"] = (channels, inner, 3, 3)
            found[f"features.{index}.bias"] = (channels,)
            if norms:
                found |= norm(f"features.{index + 1}", channels)
            index += 3 if norms else 2
            inner = channels
        index += 1
    for number, (out, into) in {0: (4096, 25088), 3: (4096, 4096), 6: (1000, 4096)}.items():
        found[f"classifier.{number}.weight"] = (out, into)
        found[f"classifier.{number}.bias"] = (out,)
    return found


def alexnet() -> Shapes:
    """`alexnet().state_dict()`."""
    sizes = {
        "features.0": (64, 3, 11, 11),
        "features.3": (192, 64, 5, 5),
        "features.6": (384, 192, 3, 3),
        "features.8": (256, 384, 3, 3),
        "features.10": (256, 256, 3, 3),
        "classifier.1": (4096, 9216),
        "classifier.4": (4096, 4096),
        "classifier.6": (1000, 4096),
    }
    found: Shapes = {}
    for name, shape in sizes.items():
        found |= {f"{name}.weight": shape, f"{name}.bias": shape[:1]}
    return found


# Our net, and the state dict of the torchvision model that it is.
STATE_DICTS = {
    "resnet18": resnet([2, 2, 2, 2], bottleneck=False),
    "resnet34": resnet([3, 4, 6, 3], bottleneck=False),
    "resnet50": resnet([3, 4, 6, 3], bottleneck=True),
    "resnet101": resnet([3, 4, 23, 3], bottleneck=True),
    "resnet152": resnet([3, 8, 36, 3], bottleneck=True),
    "vgg_a": vgg([1, 1, 2, 2, 2], norms=False),
    "vgg_b": vgg([2, 2, 2, 2, 2], norms=False),
    "vgg_d": vgg([2, 2, 3, 3, 3], norms=False),
    "vgg_e": vgg([2, 2, 4, 4, 4], norms=False),
    "vgg_d_bn": vgg([2, 2, 3, 3, 3], norms=True),
    "alexnet_torchvision": alexnet(),
}
