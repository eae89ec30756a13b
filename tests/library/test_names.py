"""Parameter names and sizes against the state dicts of the published checkpoints."""

from __future__ import annotations

from math import prod

import pytest

import netc
from tests.library.published import COUNTERPARTS, GOLDEN, counterpart, stages

CHECKPOINTS = [p for p in COUNTERPARTS if p.startswith(("torchvision/", "cifar/", "dcgan/"))]


def state_dict(published: str) -> list[tuple[str, int]]:
    """Each parameter and buffer of a PyTorch module with the number of its values, in order.

    A layer has a bias when its parameters are more than its weights, and it has as many weights
    as its MACs at one position of its output. The transposed convolutions (DCGAN's) have none.
    `num_batches_tracked` is left out: a counter that only training reads.
    """
    found = []
    for stage in stages(published):
        name, params, (_, channels, *places) = stage["name"], stage["params"], stage["out_shape"]
        if stage["op"] == "BatchNorm2d":
            arrays = ("weight", "bias", "running_mean", "running_var")
            found += [(f"{name}.{array}", channels) for array in arrays]
        elif stage["op"] == "ConvTranspose2d":
            found.append((f"{name}.weight", params))
        elif stage["op"] in ("Conv2d", "Linear"):
            weights = stage["macs"] // prod(places)
            found.append((f"{name}.weight", weights))
            if params > weights:
                found.append((f"{name}.bias", channels))
                assert params == weights + channels
    return found


@pytest.mark.parametrize("published", CHECKPOINTS)
def test_parameters_have_the_names_order_and_sizes_of_the_state_dict(published: str) -> None:
    parameters = counterpart(published).graph.parameters()
    ours = [(name, weight.size) for name, weight in parameters.items()]
    assert ours == state_dict(published)


@pytest.mark.parametrize("published", CHECKPOINTS)
def test_the_state_dict_sums_to_the_published_parameters(published: str) -> None:
    learnable = [size for name, size in state_dict(published) if "running_" not in name]
    assert sum(learnable) == GOLDEN[published]["params"]


@pytest.mark.parametrize(
    ("published", "count", "names"),
    [
        ("torchvision/resnet18", 102, ["conv1.weight", "bn1.running_mean", "fc.bias"]),
        ("torchvision/resnet18", 102, ["layer2.0.downsample.0.weight", "layer1.1.bn2.bias"]),
        ("torchvision/resnet50", 267, ["layer1.0.downsample.0.weight", "layer4.2.conv3.weight"]),
        ("torchvision/resnet152", 777, ["layer3.35.bn3.running_var"]),
        ("torchvision/alexnet", 16, ["features.0.weight", "classifier.6.bias"]),
        ("torchvision/vgg16", 32, ["features.28.bias", "classifier.0.weight"]),
        ("torchvision/vgg16_bn", 84, ["features.1.running_var", "features.40.weight"]),
        ("cifar/resnet20(option A)", 97, ["layer3.2.conv2.weight", "linear.bias"]),
        ("dcgan/pytorch-examples generator", 21, ["main.0.weight", "main.10.running_mean"]),
    ],
)
def test_the_state_dict_has_the_well_known_names(
    published: str, count: int, names: list[str]
) -> None:
    parameters = counterpart(published).graph.parameters()
    assert len(parameters) == count
    assert set(names) <= set(parameters)


def test_the_compiled_model_keeps_the_names() -> None:
    model = netc.load("resnet18", width=2, classes=3).model(optimise=False)
    ours = {initializer.name for initializer in model.graph.initializer}
    assert {name for name, _ in state_dict("torchvision/resnet18")} <= ours
