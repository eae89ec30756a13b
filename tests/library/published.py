"""The golden file of published networks, and which net of the library stands for each.

`tests/golden/networks.json` lists networks as their sources build them: the batch is 1 and written,
`params` are learnable values, `macs` multiply-accumulates. A stage is one of four things:

- a layer, which one layer of ours must equal (`ALIKE` says which of our ops do what its op does);
- a module or a figure's stage made of several layers (`MODULES`), which the layers of the scope of
  that name must equal: the sum of their parameters, and the shape of the last of them;
- the input (`INPUTS`), which our input must equal;
- part of training only (`TRAINING`): a loss or an accuracy, no tensor of the network.

Our layers that the source has no stage for are listed for each family of sources, with the reason.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import netc

GOLDEN: dict[str, dict[str, Any]] = {
    entry["name"]: entry
    for entry in json.loads(
        (Path(__file__).parent.parent / "golden" / "networks.json").read_text(encoding="utf-8")
    )
}

ALIKE = {
    "Conv2d": {"conv"},
    "Convolution": {"conv"},
    "ConvTranspose2d": {"deconv"},
    "Linear": {"dense"},
    "InnerProduct": {"dense"},
    "BatchNorm2d": {"bn"},
    "LRN": {"lrn"},
    "ReLU": {"relu"},
    "LeakyReLU": {"leaky_relu"},
    "Sigmoid": {"sigmoid"},
    "Tanh": {"tanh"},
    "Softmax": {"softmax"},
    "Dropout": {"dropout"},
    "MaxPool2d": {"maxpool"},
    "AvgPool2d": {"avgpool"},
    "AdaptiveAvgPool2d": {"adaptive_avgpool", "gap"},
    "Pooling": {"maxpool"},
    "average Pooling": {"avgpool", "gap"},
    "Concat": {"concat"},
    "Flatten": {"flatten"},
}
MODULES = {
    "Sequential",
    "BasicBlock",
    "Bottleneck",
    "LambdaLayer",
    "Maxout",
    "conv5x5",
    "conv5x5, connection table",
    "subsample2x2",
    "subsample2x2 (sum*w+b)",
    "full",
    "RBF (fixed +-1 bitmaps 7x12)",
}
INPUTS = {"Input", "Data"}
TRAINING = {"SoftmaxWithLoss", "Accuracy"}

# Caffe's InnerProduct flattens what it takes.
CAFFE = frozenset({"flatten"})
# A Caffe training file ends in a loss that has the softmax inside.
CAFFE_TRAINING = CAFFE | {"softmax"}
# Written as expressions in the source's forward(), not as modules: flattening and the shortcut's
# sum. An identity is our name for a shortcut that does nothing; the softmax is left to the loss.
PYTORCH = frozenset({"flatten", "add", "identity", "softmax"})
# This source also rectifies and averages in forward(); its shortcut is the module `shortcut`.
AKAMASTER = PYTORCH | {"relu", "gap", "maxpool", "pad_channels"}


@dataclass(frozen=True)
class Counterpart:
    """The net of the library that stands for a published one.

    `ours_only` are the ops of our layers that the source has no stage for, `theirs_only` the
    reverse; `also` adds to `ALIKE` where a definition differs from its source on purpose. Caffe's
    Pooling takes the largest, except in the stages of `averages` (`pool: AVE` in the source).
    """

    net: str
    ours_only: frozenset[str] = frozenset()
    theirs_only: frozenset[str] = frozenset()
    settings: Mapping[str, Any] = field(default_factory=dict)
    also: Mapping[str, set[str]] = field(default_factory=dict)
    averages: frozenset[str] = frozenset()

    def alike(self, stage: Mapping[str, Any]) -> set[str]:
        """The ops of ours that do what a stage does."""
        op = f"average {stage['op']}" if stage["name"] in self.averages else stage["op"]
        return ALIKE[op] | self.also.get(op, set())


COUNTERPARTS = {
    # The paper's tanh for the source's sigmoid, and its convolution C5 for the source's flattening
    # and dense layer: the flattening stands after C5 (120 values), not before (400).
    "lenet5/28x28 common (d2l, pad 2, avg pool, sigmoid)": Counterpart(
        "lenet5",
        frozenset({"flatten", "softmax"}),
        frozenset({"Flatten"}),
        also={"Sigmoid": {"tanh"}, "Linear": {"dense", "conv"}},
    ),
    # The source lists the paper's stages only, all of them scopes of ours.
    "lenet5/1998 original 32x32": Counterpart("lenet5_1998"),
    "caffe/lenet(20-50-500)": Counterpart("lenet_caffe", CAFFE),
    "caffe/bvlc_alexnet": Counterpart("alexnet", CAFFE),
    "torchvision/alexnet": Counterpart("alexnet_torchvision", PYTORCH),
    "torchvision/vgg11": Counterpart("vgg_a", PYTORCH),
    "torchvision/vgg13": Counterpart("vgg_b", PYTORCH),
    # This list has the flattening, but no adaptive pool, which does nothing at 224x224.
    "vgg16(C) 224": Counterpart("vgg_c", frozenset({"adaptive_avgpool", "softmax"})),
    "torchvision/vgg16": Counterpart("vgg_d", PYTORCH),
    "torchvision/vgg19": Counterpart("vgg_e", PYTORCH),
    "torchvision/vgg16_bn": Counterpart("vgg_d_bn", PYTORCH),
    "caffe/nin_imagenet@224": Counterpart(
        "nin_imagenet", CAFFE_TRAINING, averages=frozenset({"pool4"})
    ),
    "caffe/nin_cifar10": Counterpart(
        "nin_cifar10", CAFFE_TRAINING, averages=frozenset({"pool2", "pool3"})
    ),
    "caffe/bvlc_googlenet(deploy)": Counterpart(
        "googlenet", CAFFE, averages=frozenset({"pool5/7x7_s1"})
    ),
    "caffe/bvlc_googlenet(train_val TRAIN, 2 aux)": Counterpart(
        "googlenet",
        CAFFE_TRAINING,
        settings={"aux": True},
        averages=frozenset({"pool5/7x7_s1", "loss1/ave_pool", "loss2/ave_pool"}),
    ),
    "torchvision/resnet18": Counterpart("resnet18", PYTORCH),
    "torchvision/resnet34": Counterpart("resnet34", PYTORCH),
    "torchvision/resnet50": Counterpart("resnet50", PYTORCH),
    "torchvision/resnet101": Counterpart("resnet101", PYTORCH),
    "torchvision/resnet152": Counterpart("resnet152", PYTORCH),
    "cifar/resnet20(option A)": Counterpart("resnet20", AKAMASTER),
    "cifar/resnet56(option A)": Counterpart("resnet56", AKAMASTER),
    "cifar/resnet110(option A)": Counterpart("resnet110", AKAMASTER),
    "cifar/resnet1202(option A)": Counterpart("resnet1202", AKAMASTER),
    # Its noise is a vector here, a map of one pixel there.
    "dcgan/pytorch-examples generator": Counterpart("dcgan_generator", frozenset({"reshape"})),
    "dcgan/pytorch-examples discriminator": Counterpart("dcgan_discriminator", PYTORCH),
    "gan2014/mnist generator": Counterpart("gan_generator"),
    # A maxout unit is spelt out here; the source's dropout is an option of its training.
    "gan2014/mnist discriminator": Counterpart(
        "gan_discriminator", frozenset({"reshape", "gmp", "flatten", "dropout"})
    ),
}


@cache
def loaded(name: str) -> netc.Net:
    """A net of the library as it stands, checked."""
    return netc.load(name, name)


@cache
def counterpart(published: str) -> netc.Net:
    """The net of the library that stands for a published one, checked."""
    pair = COUNTERPARTS[published]
    return netc.load(pair.net, pair.net, **pair.settings) if pair.settings else loaded(pair.net)


@cache
def layers(published: str) -> list[dict[str, Any]]:
    """Its layers as `summary` lists them."""
    found: list[dict[str, Any]] = counterpart(published).summary()["layers"]
    return found


def stages(published: str) -> list[dict[str, Any]]:
    """The stages of a published network."""
    found: list[dict[str, Any]] = GOLDEN[published].get("stages", [])
    return found or stages_of_the_deepest()


def stages_of_the_deepest() -> list[dict[str, Any]]:
    """The stages of the 1202-layer net, for which the golden file has totals only.

    They are those of the 110-layer net, each size's second block 199 times instead of 17.
    """
    short = GOLDEN["cifar/resnet110(option A)"]["stages"]
    found = short[:2]  # conv1, bn1
    for size in ("layer1", "layer2", "layer3"):
        for index in range(200):
            model = f"{size}.{min(index, 1)}"
            found += [
                {**stage, "name": stage["name"].replace(model, f"{size}.{index}", 1)}
                for stage in short
                if f"{stage['name']}.".startswith(f"{model}.")
            ]
    return [*found, short[-1]]  # linear
