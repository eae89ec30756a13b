"""Every network of the library against the published or third-party numbers."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import netc
from netc.library import library_nets

GOLDEN = {
    entry["name"]: entry
    for entry in json.loads((Path(__file__).parent / "golden" / "networks.json").read_text())
}

PAIRS = {
    "lenet5/28x28 common (d2l, pad 2, avg pool, sigmoid)": "lenet5",
    "caffe/lenet(20-50-500)": "lenet_caffe",
    "caffe/bvlc_alexnet": "alexnet",
    "torchvision/alexnet": "alexnet_torchvision",
    "torchvision/vgg11": "vgg_a",
    "torchvision/vgg13": "vgg_b",
    "vgg16(C) 224": "vgg_c",
    "torchvision/vgg16": "vgg_d",
    "torchvision/vgg19": "vgg_e",
    "torchvision/vgg16_bn": "vgg_d_bn",
    "caffe/nin_imagenet@224": "nin_imagenet",
    "caffe/nin_cifar10": "nin_cifar10",
    "caffe/bvlc_googlenet(deploy)": "googlenet",
    "caffe/bvlc_googlenet(train_val TRAIN, 2 aux)": "googlenet_aux",
    "torchvision/resnet18": "resnet18",
    "torchvision/resnet34": "resnet34",
    "torchvision/resnet50": "resnet50",
    "torchvision/resnet101": "resnet101",
    "torchvision/resnet152": "resnet152",
    "cifar/resnet20(option A)": "resnet20",
    "cifar/resnet56(option A)": "resnet56",
    "cifar/resnet110(option A)": "resnet110",
    "cifar/resnet1202(option A)": "resnet1202",
    "dcgan/pytorch-examples generator": "dcgan_generator",
    "dcgan/pytorch-examples discriminator": "dcgan_discriminator",
    "gan2014/mnist generator": "gan_generator",
    "gan2014/mnist discriminator": "gan_discriminator",
}


def squeezed(shape: list[Any]) -> tuple[Any, ...]:
    """A shape without trailing sizes of 1, so that [1000, 1, 1] and [1000] are the same stage."""
    while len(shape) > 1 and shape[-1] == 1:
        shape = shape[:-1]
    return tuple(shape)


@pytest.mark.parametrize("published", PAIRS)
def test_parameters_and_macs_equal_the_published_ones(published: str) -> None:
    entry, summary = (
        GOLDEN[published],
        netc.load(PAIRS[published]).summary()
        if PAIRS[published] not in ("lenet5", "googlenet")
        else netc.load(PAIRS[published], PAIRS[published]).summary(),
    )
    assert summary["params"] == entry["params"]
    assert summary["macs"] == entry["macs"]


@pytest.mark.parametrize("published", [p for p in PAIRS if "1202" not in p])
def test_layers_with_weights_have_the_published_shapes_params_and_macs(published: str) -> None:
    name = PAIRS[published]
    summary = netc.load(name, name).summary()
    stages = [s for s in GOLDEN[published]["stages"] if s["params"] and s.get("macs") is not None]
    wanted = sorted((s["params"], s["macs"], squeezed(s["out_shape"][1:])) for s in stages)
    ours = sorted(
        (layer["params"], layer["macs"], squeezed(layer["out"]))
        for layer in summary["layers"]
        if layer["params"]
    )
    assert ours == wanted


def test_lenet5_of_1998_has_sixty_thousand_trainable_parameters_and_the_output_layer() -> None:
    summary = netc.load("lenet5", "lenet5_1998").summary()
    assert summary["params"] == GOLDEN["lenet5/1998 original 32x32"]["params"] == 60_000 + 840


@pytest.mark.parametrize("name", ["resnet18", "resnet50", "alexnet_torchvision", "vgg_d_bn"])
def test_parameter_names_are_those_of_the_published_checkpoints(name: str) -> None:
    published = next(p for p, n in PAIRS.items() if n == name)
    ours = {layer["name"] for layer in netc.load(name).summary()["layers"] if layer["params"]}
    theirs = {
        s["name"] for s in GOLDEN[published]["stages"] if s["params"] and s.get("macs") is not None
    }
    assert ours == theirs


@pytest.mark.parametrize("name", sorted(library_nets()))
def test_every_library_net_checks_without_errors_or_warnings(name: str) -> None:
    assert netc.load(str(library_nets()[name]), name).warnings == ()
