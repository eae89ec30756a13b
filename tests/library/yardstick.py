"""The library's nets against the classes of torchvision and timm; run by the Python that has them.

    /path/to/python -m tests.library.yardstick [--bless] [NET…]

For each net it builds the other's class and compares: the names and sizes of its state dict with
our arrays, the parameters, the multiply-accumulates that PyTorch counts as it runs, and the outputs
for weights and statistics drawn by name, both in float64 (PyTorch against our NumPy). It exits
with 1 where anything differs. `--bless` writes what the tests hold the library to without PyTorch,
`tests/golden/library.json`: the other's numbers, a digest of its state dict, the length of its
class, and a few values of our outputs for a narrow form of most nets.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import FunctionType
from typing import Any

import numpy as np
import timm
import torch
import torchvision
from timm.models import model_entrypoint
from torch.utils.flop_counter import FlopCounterMode
from torchvision import models

import netc
from compiler.dims import evaluate, symbols
from grammar.diagnostics import DefinitionError
from runtime.reference import run_reference
from runtime.weights.fit import COUNTERS, apply_weights, compare_weights, stored_arrays
from tests.library import others
from tests.library.golden import GOLDEN, PATH, golden_values
from tests.library.lengths import class_tokens, definition_tokens
from tests.library.seeded import digest, seeded

BOUND = 1e-9
PAPER = "its paper, in tests/library/others.py"
TORCHVISION = torchvision.__version__.partition("+")[0]
SYMBOLS = ("H", "W")
Module = Any  # a torch.nn.Module

timm.layers.set_fused_attn(False)  # whose products are not counted


@dataclass(frozen=True)
class Other:
    """How another builds a net: `build(**settings)` takes the settings that ours takes.

    `small` are settings under which the outputs are compared, `narrow` those of the golden values;
    `pixels` and `full` stand for the symbolic sizes, as outputs are compared and as the work is
    counted. `run` gives a list of tensors, in the order of our outputs.
    """

    source: str
    build: Callable[..., Module]
    small: Mapping[str, Any] = field(default_factory=dict)
    narrow: Mapping[str, Any] = field(default_factory=dict)
    pixels: int = 64
    full: int = 224
    run: Callable[..., list[Any]] = lambda module, *inputs: [module(*inputs)]


def tv(name: str, **fixed: Any) -> dict[str, Any]:
    """A classifier of torchvision."""

    def build() -> Module:
        return getattr(models, name)(weights=None, **fixed)

    return {"source": f"torchvision {TORCHVISION} {name}", "build": build}


def tm(name: str, **fixed: Any) -> dict[str, Any]:
    """A classifier of timm."""

    def build() -> Module:
        return timm.create_model(name, pretrained=False, **fixed)

    return {"source": f"timm {timm.__version__} {name}", "build": build}


def with_auxiliary(module: Module, image: Any) -> list[Any]:
    """Inception's second classifier, which runs in training only, and the first."""
    seen: list[Any] = []
    handle = module.Mixed_6e.register_forward_hook(lambda m, i, o: seen.append(o))
    logits = module(image)
    handle.remove()
    return [module.AuxLogits(seen[0]), logits]


def segmented(module: Module, image: Any) -> list[Any]:
    """The maps of a segmentation, the auxiliary ones last."""
    return list(module(image).values())


def detected(module: Module, image: Any) -> list[Any]:
    """The logits and boxes before they are decoded."""
    levels = list(module.backbone(image).values())
    found = module.head(levels)
    return [found["cls_logits"], found["bbox_regression"]]


def detector(name: str) -> dict[str, Any]:
    """A detector of torchvision."""

    def build() -> Module:
        return getattr(models.detection, name)(weights=None, weights_backbone=None)

    return {"source": f"torchvision {TORCHVISION} {name}", "build": build, "run": detected}


def segmentation(name: str, **fixed: Any) -> dict[str, Any]:
    """A segmentation net of torchvision with its own backbone."""

    def build() -> Module:
        make = getattr(models.segmentation, name)
        return make(weights=None, weights_backbone=None, **fixed)

    return {"source": f"torchvision {TORCHVISION} {name}", "build": build, "run": segmented}


SIZE = {"size": 64}
NARROW = {"classes": 10, "size": 32}
OTHERS: dict[str, Other] = {
    "mobilenet_v2": Other(**tv("mobilenet_v2"), small=SIZE, narrow={**NARROW, "width": 0.25}),
    "mobilenet_v3_large": Other(
        **tv("mobilenet_v3_large"), small=SIZE, narrow={**NARROW, "width": 0.25}
    ),
    "mobilenet_v3_small": Other(
        **tv("mobilenet_v3_small"), small=SIZE, narrow={**NARROW, "width": 0.25}
    ),
    "efficientnet_b0": Other(**tv("efficientnet_b0"), small=SIZE, narrow={**NARROW, "width": 0.25}),
    "squeezenet1_0": Other(**tv("squeezenet1_0"), small=SIZE, narrow=NARROW),
    "squeezenet1_1": Other(**tv("squeezenet1_1"), small=SIZE, narrow=NARROW),
    "shufflenet_v2": Other(
        **tv("shufflenet_v2_x1_0"), small=SIZE, narrow={**NARROW, "widths": [16, 32, 64, 64]}
    ),
    "densenet121": Other(**tv("densenet121"), small=SIZE, narrow={**NARROW, "growth": 4}),
    "regnet_y_400mf": Other(
        **tv("regnet_y_400mf"), small=SIZE, narrow={**NARROW, "widths": [8, 16, 32, 64]}
    ),
    "resnext50_32x4d": Other(**tv("resnext50_32x4d"), small=SIZE, narrow={**NARROW, "width": 16}),
    "wide_resnet50_2": Other(**tv("wide_resnet50_2"), small=SIZE),
    "seresnet50": Other(**tm("seresnet50"), small=SIZE, narrow={**NARROW, "width": 16}),
    "inception_v3": Other(
        **tv("inception_v3", init_weights=False), small={"size": 299}, run=with_auxiliary
    ),
    "xception": Other(**tm("legacy_xception"), small=SIZE, narrow={**NARROW, "width": 0.125}),
    "fcn_resnet50": Other(**segmentation("fcn_resnet50", aux_loss=True)),
    "deeplabv3_resnet50": Other(
        **segmentation("deeplabv3_resnet50", aux_loss=True), narrow={"classes": 3, "width": 4}
    ),
    "lraspp_mobilenet_v3_large": Other(
        **segmentation("lraspp_mobilenet_v3_large"), narrow={"classes": 3, "width": 0.25}
    ),
    "retinanet_resnet50_fpn": Other(
        **detector("retinanet_resnet50_fpn"),
        full=800,
        pixels=128,
        narrow={"classes": 3, "width": 4},
    ),
    "ssd300_vgg16": Other(**detector("ssd300_vgg16"), narrow={"classes": 3, "width": 4}),
    "hrnet_w18": Other(**tm("hrnet_w18"), small=SIZE),
    "vit_tiny_patch16_224": Other(
        **tm("vit_tiny_patch16_224"), narrow={**NARROW, "c": 12, "depth": 2}
    ),
    "swin_t": Other(**tv("swin_t"), narrow={"classes": 10, "c": 12, "depths": [2, 2], "size": 56}),
    "mixer_b16_224": Other(**tm("mixer_b16_224"), narrow={**NARROW, "c": 16, "depth": 2}),
    "r2plus1d_18": Other(
        f"torchvision {TORCHVISION} video.r2plus1d_18",
        lambda: models.video.r2plus1d_18(weights=None),
        small={"size": 32},
        narrow={"classes": 10, "size": 16, "frames": 8, "width": 8},
    ),
    "unet_plus_plus": Other(PAPER, others.UNetPlusPlus, full=96, narrow={"c": 4}),
    "pix2pix_generator": Other(PAPER, others.Generator, narrow={"c": 4, "depth": 5, "size": 32}),
    "pix2pix_discriminator": Other(PAPER, others.Discriminator, narrow={"c": 4, "size": 32}),
    "espcn": Other(PAPER, others.Espcn, narrow={"scale": 2}),
    "edsr": Other(PAPER, others.Edsr, full=48, narrow={"depth": 2, "c": 8}),
    "wavenet": Other(
        PAPER,
        others.WaveNet,
        narrow={"classes": 8, "stacks": 1, "layers": 4, "c": 4, "skip": 8, "samples": 32},
    ),
    "resnet18": Other(**tv("resnet18")),
    "resnet50": Other(**tv("resnet50")),
    "convnext_tiny": Other(
        **tv("convnext_tiny"), small=SIZE, narrow={**NARROW, "widths": [4, 8, 16, 32]}
    ),
}


def measured(other: Other, module: Module, shapes: list[tuple[int, ...]]) -> tuple[int, int]:
    """Parameters and multiply-accumulates, counted by PyTorch without numbers."""
    module = module.to("meta")
    counter = FlopCounterMode(display=False)
    with counter, torch.no_grad():
        other.run(module, *(torch.empty(1, *shape, device="meta") for shape in shapes))
    return sum(p.numel() for p in module.parameters()), counter.get_total_flops() // 2


def builder(source: str) -> FunctionType:
    """The function of torchvision or timm that builds a net."""
    package, *_, path = source.split()
    name = path.rpartition(".")[2]
    if package == "timm":
        return model_entrypoint(name)
    spaces = (models, models.segmentation, models.detection, models.video)
    return next(getattr(space, name) for space in spaces if hasattr(space, name))


def state(module: Module) -> dict[str, Any]:
    """The state dict in NumPy, counters left out."""
    return {
        name: array.numpy()
        for name, array in module.state_dict().items()
        if not name.endswith(COUNTERS)
    }


def sizes_of(net: netc.Net, values: Mapping[str, int]) -> dict[str, tuple[int, ...]]:
    """The shapes of the inputs, with numbers for symbols."""
    return {
        node.name: tuple(evaluate(size, values) for size in node.shape)
        for node in net.graph.inputs()
    }


def differences(name: str, other: Other) -> tuple[list[str], dict[str, Any]]:
    """What differs, in words, and the golden entry."""
    net = netc.load(name, name)
    module = other.build().eval()
    stored = state(module)
    fit = compare_weights(net.graph, stored_arrays(stored))
    if not fit.ok:
        return [fit.report()[:4000]], {}
    shapes = {n: a.shape for n, a in stored.items()}
    arrays = {name: seeded(name, array.shape) for name, array in stored.items()}
    module = module.double()
    module.load_state_dict({n: torch.from_numpy(a) for n, a in arrays.items()}, strict=False)
    small = netc.load(name, name, **other.small)
    pixels = sizes_of(small, dict.fromkeys(SYMBOLS, other.pixels))
    inputs = {n: seeded(f"{n}.image", (2, *shape)) for n, shape in pixels.items()}
    with torch.no_grad():
        theirs = other.run(module, *(torch.from_numpy(a).double() for a in inputs.values()))
    ours = run_reference(apply_weights(small.graph, arrays), inputs, np.float64)
    found, worst = [], 0.0
    for (output, mine), tensor in zip(ours.items(), theirs, strict=True):
        wanted = tensor.numpy()
        if mine.shape != wanted.shape:
            found.append(f"{output}: {mine.shape[1:]} here, {wanted.shape[1:]} there")
            continue
        error = float(np.abs(mine - wanted).max() / np.abs(wanted).max())
        worst = max(worst, error)
        if not error < BOUND:
            found.append(f"{output} differs by {error:.1e} of its largest")
    full = dict.fromkeys(SYMBOLS, other.full)
    params, macs = measured(other, module.float(), list(sizes_of(net, full).values()))
    ours_macs = evaluate(net.analysis.macs, full)
    for what, here, there in (
        ("params", net.analysis.parameters, params),
        ("macs", ours_macs, macs),
    ):
        if here != there:
            found.append(f"{what}: {here:,} here, {there:,} there")
    print(f"  {len(shapes)} arrays, {params:,} params, {macs:,} MACs, outputs within {worst:.0e}")
    if other.source != PAPER:
        tokens = class_tokens(module, builder(other.source))
        print(f"  {definition_tokens(name)} tokens, {tokens} there")
    entry = {
        "source": other.source,
        "params": params,
        "macs": macs,
        "sizes": full if symbols(net.analysis.macs) else {},
        "arrays": len(shapes),
        "digest": digest(shapes),
        **({} if other.source == PAPER else {"tokens": tokens}),
        "narrow": dict(other.narrow),
    }
    return found, entry


def main(arguments: list[str]) -> int:
    """Compare the nets named, or all."""
    bless = "--bless" in arguments
    names = [a for a in arguments if a != "--bless"] or list(OTHERS)
    golden = {name: entry for name, entry in GOLDEN.items() if name in OTHERS}
    wrong = 0
    for name in names:
        print(name, flush=True)
        try:
            found, entry = differences(name, OTHERS[name])
        except DefinitionError as error:
            found, entry = [str(error)], {}
        for line in found:
            print(f"  {line}")
        wrong += bool(found)
        if bless and not found:
            narrow = OTHERS[name].narrow
            golden[name] = {**entry, "values": golden_values(name, narrow) if narrow else {}}
    if bless:
        lines = [f" {json.dumps(name)}: {json.dumps(golden[name])}" for name in sorted(golden)]
        PATH.write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
