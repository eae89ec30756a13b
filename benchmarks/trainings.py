"""The trainings that are timed: the definition, and the same nets in PyTorch; needs torch."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as f


class LeNet5(nn.Module):
    """LeNet-5 with maximum pooling and relu, as the definition beside it."""

    def __init__(self) -> None:
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(1, 6, 5, padding=2),
            nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Conv2d(6, 16, 5),
            nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Flatten(),
        )
        self.classifier = nn.Sequential(
            nn.Linear(400, 120), nn.ReLU(), nn.Linear(120, 84), nn.ReLU(), nn.Linear(84, 10)
        )

    def forward(self, x: Tensor) -> Tensor:
        return self.classifier(self.features(x))


def taught(net: str, image: str, optimiser: str, batch: int) -> str:
    """A training of a net that tells ten classes apart."""
    return f"""train t {{
    data image: {image}, label: class[10]
    minimize cross_entropy({net}(image), label)
    update {net} with {optimiser}
    batch {batch}; epochs 1
}}
"""


LENET5 = """
net lenet5 {
    input image: f32[1, 28, 28]
    conv(6, 5x5, pad=2) -> relu -> maxpool(2) -> conv(16, 5x5) -> relu -> maxpool(2) -> flatten
    dense(120) -> relu -> dense(84) -> relu -> dense(10)
    output logits
}
""" + taught("lenet5", "f32[1, 28, 28]", "adam(1e-3)", 64)


class Block(nn.Module):
    """Two 3x3 convolutions and a shortcut, projected where the shape changes (He et al. 2016)."""

    def __init__(self, channels: int, width: int, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels, width, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = nn.Conv2d(width, width, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(width)
        self.short = None
        if stride > 1:
            self.short = nn.Sequential(
                nn.Conv2d(channels, width, 1, stride, bias=False), nn.BatchNorm2d(width)
            )

    def forward(self, x: Tensor) -> Tensor:
        y = self.bn2(self.conv2(f.relu(self.bn1(self.conv1(x)))))
        return f.relu(y + (x if self.short is None else self.short(x)))


class ResNet20(nn.Module):
    """Three stages of three blocks on 32x32 pixels."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Sequential(
            nn.Conv2d(3, 16, 3, padding=1, bias=False), nn.BatchNorm2d(16), nn.ReLU()
        )
        widths = [(16, 16, 1)] + [(16, 16, 1)] * 2
        widths += [(16, 32, 2)] + [(32, 32, 1)] * 2 + [(32, 64, 2)] + [(64, 64, 1)] * 2
        self.blocks = nn.Sequential(*(Block(*each) for each in widths))
        self.last = nn.Linear(64, 10)

    def forward(self, x: Tensor) -> Tensor:
        return self.last(self.blocks(self.first(x)).mean((2, 3)))


RESNET20 = """
block basic(width, stride=1) {
    add {
        { conv(width, 3x3, stride=stride, pad=1, bias=false) -> bn -> relu
          conv(width, 3x3, pad=1, bias=false) -> bn }
        if stride > 1 { { conv(width, 1x1, stride=stride, bias=false) -> bn } } else { identity }
    }
    relu
}
net resnet20 {
    input image: f32[3, 32, 32]
    conv(16, 3x3, pad=1, bias=false) -> bn -> relu
    repeat 3 { basic(16) }
    for width in [32, 64] { basic(width, 2) -> basic(width) -> basic(width) }
    gap -> flatten -> dense(10)
    output logits
}
""" + taught("resnet20", "f32[3, 32, 32]", "sgd(0.1, momentum=0.9, decay=1e-4)", 128)


class DenseNet22(nn.Module):
    """Three blocks of six 3x3 convolutions, each on all maps before it (Huang et al. 2017)."""

    def __init__(self, growth: int = 12) -> None:
        super().__init__()
        layers: list[nn.Module] = [nn.Conv2d(3, 16, 3, padding=1, bias=False)]
        channels = 16
        for block in range(3):
            if block:
                layers.append(normed(channels, channels, 1))
                layers.append(nn.AvgPool2d(2))
            for _ in range(6):
                layers.append(Joined(normed(channels, growth, 3)))
                channels += growth
        self.features = nn.Sequential(*layers, nn.BatchNorm2d(channels), nn.ReLU())
        self.last = nn.Linear(channels, 10)

    def forward(self, x: Tensor) -> Tensor:
        return self.last(self.features(x).mean((2, 3)))


class Joined(nn.Module):
    """What a layer makes, behind what it takes."""

    def __init__(self, layer: nn.Module) -> None:
        super().__init__()
        self.layer = layer

    def forward(self, x: Tensor) -> Tensor:
        return torch.cat([x, self.layer(x)], 1)


def normed(channels: int, width: int, side: int) -> nn.Module:
    """Batch norm, relu and a convolution, in this order."""
    convolution = nn.Conv2d(channels, width, side, padding=side // 2, bias=False)
    return nn.Sequential(nn.BatchNorm2d(channels), nn.ReLU(), convolution)


DENSENET22 = """
net densenet22 {
    input image: f32[3, 32, 32]
    conv(16, 3x3, pad=1, bias=false)
    for width in [16, 88, 160] {
        if width > 16 { bn -> relu -> conv(width, 1x1, bias=false) -> avgpool(2) }
        repeat 6 {
            concat {
                identity
                { bn -> relu -> conv(12, 3x3, pad=1, bias=false) }
            }
        }
    }
    bn -> relu -> gap -> flatten -> dense(10)
    output logits
}
""" + taught("densenet22", "f32[3, 32, 32]", "sgd(0.1, momentum=0.9, decay=1e-4)", 64)


def dcgan_generator() -> nn.Module:
    """100 numbers to 3x64x64 (Radford et al. 2016), 64 maps before the last."""
    layers: list[nn.Module] = []
    for before, after, stride, pad in [
        (100, 512, 1, 0),
        (512, 256, 2, 1),
        (256, 128, 2, 1),
        (128, 64, 2, 1),
    ]:
        layers += [
            nn.ConvTranspose2d(before, after, 4, stride, pad, bias=False),
            nn.BatchNorm2d(after),
            nn.ReLU(),
        ]
    return nn.Sequential(*layers, nn.ConvTranspose2d(64, 3, 4, 2, 1, bias=False), nn.Tanh())


def dcgan_discriminator() -> nn.Module:
    """3x64x64 to one number."""
    layers: list[nn.Module] = [nn.Conv2d(3, 64, 4, 2, 1, bias=False), nn.LeakyReLU(0.2)]
    for before, after in [(64, 128), (128, 256), (256, 512)]:
        layers += [
            nn.Conv2d(before, after, 4, 2, 1, bias=False),
            nn.BatchNorm2d(after),
            nn.LeakyReLU(0.2),
        ]
    return nn.Sequential(*layers, nn.Conv2d(512, 1, 4, bias=False), nn.Flatten())


DCGAN = """
net generator {
    input z: f32[100, 1, 1]
    deconv(512, 4x4, bias=false) -> bn -> relu
    for width in [256, 128, 64] { deconv(width, 4x4, stride=2, pad=1, bias=false) -> bn -> relu }
    deconv(3, 4x4, stride=2, pad=1, bias=false) -> tanh
    output picture
}
net discriminator {
    input picture: f32[3, 64, 64]
    conv(64, 4x4, stride=2, pad=1, bias=false) -> leaky_relu(0.2)
    for width in [128, 256, 512] {
        conv(width, 4x4, stride=2, pad=1, bias=false) -> bn -> leaky_relu(0.2)
    }
    conv(1, 4x4, bias=false) -> flatten
    output real = sigmoid
}
train t {
    let G = generator
    let D = discriminator
    data x: f32[3, 64, 64]
    noise z: f32[100, 1, 1] normal
    step { maximize log(D(x)) + log(1 - D(G(z)))
           update D with adam(2e-4, beta1=0.5) }
    step { minimize log(1 - D(G(z)))
           update G with adam(2e-4, beta1=0.5) }
    batch 32; epochs 1
}
"""

Loss = Callable[[dict[str, nn.Module], dict[str, Tensor]], Tensor]


def classified(name: str) -> list[Loss]:
    """The cross entropy of one net."""
    return [lambda nets, batch: f.cross_entropy(nets[name](batch["image"]), batch["label"])]


def adversarial() -> list[Loss]:
    """What is minimised in the two steps of a GAN, the sigmoid taken into the logarithm."""

    def of_discriminator(nets: dict[str, nn.Module], batch: dict[str, Tensor]) -> Tensor:
        real, made = nets["discriminator"](batch["x"]), nets["generator"](batch["z"])
        false = nets["discriminator"](made.detach())
        return (f.softplus(-real) + f.softplus(false)).mean()

    def of_generator(nets: dict[str, nn.Module], batch: dict[str, Tensor]) -> Tensor:
        return -f.softplus(nets["discriminator"](nets["generator"](batch["z"]))).mean()

    return [of_discriminator, of_generator]


@dataclass(frozen=True)
class Timed:
    """A definition, its nets in PyTorch by name, and for each step the loss and what moves."""

    text: str
    batch: int
    nets: dict[str, Callable[[], nn.Module]]
    losses: list[Loss]
    moves: list[tuple[str, Callable[[Any], torch.optim.Optimizer]]]


def adam(rate: float, beta1: float = 0.9) -> Callable[[Any], torch.optim.Optimizer]:
    """PyTorch's Adam."""
    return lambda parameters: torch.optim.Adam(parameters, rate, (beta1, 0.999))


TRAININGS = {
    "lenet5": Timed(LENET5, 64, {"lenet5": LeNet5}, classified("lenet5"), [("lenet5", adam(1e-3))]),
    "resnet20": Timed(
        RESNET20,
        128,
        {"resnet20": ResNet20},
        classified("resnet20"),
        [("resnet20", lambda p: torch.optim.SGD(p, 0.1, momentum=0.9, weight_decay=1e-4))],
    ),
    "densenet22": Timed(
        DENSENET22,
        64,
        {"densenet22": DenseNet22},
        classified("densenet22"),
        [("densenet22", lambda p: torch.optim.SGD(p, 0.1, momentum=0.9, weight_decay=1e-4))],
    ),
    "dcgan": Timed(
        DCGAN,
        32,
        {"generator": dcgan_generator, "discriminator": dcgan_discriminator},
        adversarial(),
        [("discriminator", adam(2e-4, 0.5)), ("generator", adam(2e-4, 0.5))],
    ),
}
