"""Networks of the library in plain PyTorch, with the parameter names of our definitions.

Their state dicts load into the compiled nets by name, so that both compute the same function.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn


class Bottleneck(nn.Module):
    """ResNet's block of three convolutions (torchvision's, stride on the 3x3)."""

    def __init__(self, inputs: int, width: int, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, width, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = nn.Conv2d(width, width, 3, stride, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(width)
        self.conv3 = nn.Conv2d(width, 4 * width, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(4 * width)
        self.relu = nn.ReLU(inplace=True)
        self.downsample = None
        if stride != 1 or inputs != 4 * width:
            self.downsample = nn.Sequential(
                nn.Conv2d(inputs, 4 * width, 1, stride, bias=False), nn.BatchNorm2d(4 * width)
            )

    def forward(self, x: Tensor) -> Tensor:
        y = self.relu(self.bn1(self.conv1(x)))
        y = self.relu(self.bn2(self.conv2(y)))
        y = self.bn3(self.conv3(y))
        return self.relu(y + (x if self.downsample is None else self.downsample(x)))


class ResNet50(nn.Module):
    """He et al. 2015, [N, 3, 224, 224] to class scores."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, 64, 7, 2, 3, bias=False)
        self.bn1 = nn.BatchNorm2d(64)
        self.relu = nn.ReLU(inplace=True)
        self.maxpool = nn.MaxPool2d(3, 2, 1)
        inputs = 64
        for stage, (width, count) in enumerate([(64, 3), (128, 4), (256, 6), (512, 3)]):
            blocks = []
            for index in range(count):
                stride = 2 if stage and not index else 1
                blocks.append(Bottleneck(inputs, width, stride))
                inputs = 4 * width
            setattr(self, f"layer{stage + 1}", nn.Sequential(*blocks))
        self.fc = nn.Linear(2048, 1000)

    def forward(self, x: Tensor) -> Tensor:
        x = self.maxpool(self.relu(self.bn1(self.conv1(x))))
        for stage in (self.layer1, self.layer2, self.layer3, self.layer4):
            x = stage(x)
        return self.fc(x.mean((2, 3)))


class Vgg16(nn.Module):
    """Simonyan and Zisserman 2014, column D, with the softmax of the table."""

    def __init__(self) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        inputs = 3
        for width, count in [(64, 2), (128, 2), (256, 3), (512, 3), (512, 3)]:
            for _ in range(count):
                layers += [nn.Conv2d(inputs, width, 3, padding=1), nn.ReLU(inplace=True)]
                inputs = width
            layers.append(nn.MaxPool2d(2))
        self.features = nn.Sequential(*layers)
        self.classifier = nn.Sequential(
            *(nn.Linear(25088, 4096), nn.ReLU(inplace=True), nn.Dropout()),
            *(nn.Linear(4096, 4096), nn.ReLU(inplace=True), nn.Dropout()),
            nn.Linear(4096, 1000),
        )

    def forward(self, x: Tensor) -> Tensor:
        return self.classifier(self.features(x).flatten(1)).softmax(1)


class Unit(nn.Module):
    """A convolution and its rectification."""

    def __init__(self, inputs: int, width: int, kernel: int, stride: int = 1, pad: int = 0) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, width, kernel, stride, pad)
        self.relu = nn.ReLU(inplace=True)

    def forward(self, x: Tensor) -> Tensor:
        return self.relu(self.conv1(x))


class Inception(nn.Module):
    """Szegedy et al. 2014, figure 2(b)."""

    def __init__(self, n: int, c1: int, r3: int, c3: int, r5: int, c5: int, cp: int) -> None:
        super().__init__()
        self.unit1 = Unit(n, c1, 1)
        self.unit2, self.unit3 = Unit(n, r3, 1), Unit(r3, c3, 3, pad=1)
        self.unit4, self.unit5 = Unit(n, r5, 1), Unit(r5, c5, 5, pad=2)
        self.pool, self.unit6 = nn.MaxPool2d(3, 1, 1), Unit(n, cp, 1)

    def forward(self, x: Tensor) -> Tensor:
        threes, fives = self.unit3(self.unit2(x)), self.unit5(self.unit4(x))
        return torch.cat([self.unit1(x), threes, fives, self.unit6(self.pool(x))], 1)


class GoogLeNet(nn.Module):
    """Szegedy et al. 2014 without the auxiliary heads, as in BVLC/caffe's deploy.prototxt."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = Unit(3, 64, 7, 2, 3)
        self.pool = nn.MaxPool2d(3, 2, ceil_mode=True)
        self.norm = nn.LocalResponseNorm(5, 1e-4, 0.75, 1.0)
        self.conv2_reduce, self.conv2 = Unit(64, 64, 1), Unit(64, 192, 3, pad=1)
        self.i3a = Inception(192, 64, 96, 128, 16, 32, 32)
        self.i3b = Inception(256, 128, 128, 192, 32, 96, 64)
        self.i4a = Inception(480, 192, 96, 208, 16, 48, 64)
        self.i4b = Inception(512, 160, 112, 224, 24, 64, 64)
        self.i4c = Inception(512, 128, 128, 256, 24, 64, 64)
        self.i4d = Inception(512, 112, 144, 288, 32, 64, 64)
        self.i4e = Inception(528, 256, 160, 320, 32, 128, 128)
        self.i5a = Inception(832, 256, 160, 320, 32, 128, 128)
        self.i5b = Inception(832, 384, 192, 384, 48, 128, 128)
        self.fc = nn.Linear(1024, 1000)

    def forward(self, x: Tensor) -> Tensor:
        x = self.norm(self.pool(self.conv1(x)))
        x = self.pool(self.norm(self.conv2(self.conv2_reduce(x))))
        x = self.pool(self.i3b(self.i3a(x)))
        for module in (self.i4a, self.i4b, self.i4c, self.i4d, self.i4e):
            x = module(x)
        x = self.i5b(self.i5a(self.pool(x)))
        return self.fc(x.mean((2, 3))).softmax(1)


class DcganGenerator(nn.Module):
    """Radford et al. 2015 as in pytorch/examples: [N, 100] to [N, 3, 64, 64]."""

    def __init__(self, width: int = 64) -> None:
        super().__init__()
        layers: list[nn.Module] = [nn.ConvTranspose2d(100, 8 * width, 4, bias=False)]
        for factor in (8, 4, 2):
            layers += [nn.BatchNorm2d(factor * width), nn.ReLU(inplace=True)]
            layers.append(
                nn.ConvTranspose2d(factor * width, factor * width // 2, 4, 2, 1, bias=False)
            )
        layers += [nn.BatchNorm2d(width), nn.ReLU(inplace=True)]
        layers += [nn.ConvTranspose2d(width, 3, 4, 2, 1, bias=False), nn.Tanh()]
        self.main = nn.Sequential(*layers)

    def forward(self, x: Tensor) -> Tensor:
        return self.main(x.reshape(-1, 100, 1, 1))


# The library's name of each, the module, and the shape of a sample.
NETS: dict[str, tuple[type[nn.Module], tuple[int, ...]]] = {
    "resnet50": (ResNet50, (3, 224, 224)),
    "vgg_d": (Vgg16, (3, 224, 224)),
    "googlenet": (GoogLeNet, (3, 224, 224)),
    "dcgan_generator": (DcganGenerator, (100,)),
}


def scattered(kind: type[nn.Module], seed: int = 0) -> nn.Module:
    """A module in evaluation mode whose parameters and statistics are all random, none constant."""
    torch.manual_seed(seed)
    module = kind().eval()
    with torch.no_grad():
        for name, value in module.state_dict().items():
            if value.ndim == 1 and value.is_floating_point():
                low, high = (0.75, 1.25) if "var" in name or "bn" in name else (-0.25, 0.25)
                value.uniform_(low, high)
    return module
