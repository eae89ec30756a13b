"""Nets that neither torchvision nor timm has, in PyTorch, written from their papers.

Layer names are those of the repositories that the definitions cite.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import nn
from torch.nn import functional as f

Tensor = Any


class TwoConvolutions(nn.Module):
    """3x3 convolution, normalisation and rectification, twice."""

    def __init__(self, before: int, after: int) -> None:
        super().__init__()
        self.conv1, self.bn1 = nn.Conv2d(before, after, 3, padding=1), nn.BatchNorm2d(after)
        self.conv2, self.bn2 = nn.Conv2d(after, after, 3, padding=1), nn.BatchNorm2d(after)

    def forward(self, x: Tensor) -> Tensor:
        x = f.relu(self.bn1(self.conv1(x)))
        return f.relu(self.bn2(self.conv2(x)))


class UNetPlusPlus(nn.Module):
    """Equation 1 of Zhou et al., 2018."""

    def __init__(self, c: int = 32) -> None:
        super().__init__()
        for j in range(5):
            for i in range(5 - j):
                below = c * 2 ** (i + 1) if j else (c * 2 ** (i - 1) if i else 3)
                node = TwoConvolutions(j * c * 2**i + below, c * 2**i)
                self.add_module(f"conv{i}_{j}", node)
        self.final = nn.Conv2d(c, 1, 1)

    def forward(self, image: Tensor) -> Tensor:
        seen: dict[tuple[int, int], Tensor] = {}
        for j in range(5):
            for i in range(5 - j):
                node = self.get_submodule(f"conv{i}_{j}")
                if j:
                    below = f.interpolate(
                        seen[i + 1, j - 1], scale_factor=2, mode="bilinear", align_corners=True
                    )
                    x = torch.cat([*(seen[i, k] for k in range(j)), below], 1)
                else:
                    x = f.max_pool2d(seen[i - 1, 0], 2) if i else image
                seen[i, j] = node(x)
        return self.final(seen[0, 4])


class Level(nn.Module):
    """A level of Pix2Pix's U, which rectifies its input in place."""

    def __init__(self, widths: list[int], up: int, drop: list[bool]) -> None:
        super().__init__()
        width, more = widths[0], len(widths) > 1
        inside: list[nn.Module] = [nn.BatchNorm2d(width)] if more else []
        inside += [Level(widths[1:], width, drop[1:])] if more else []
        self.model = nn.Sequential(
            nn.LeakyReLU(0.2, inplace=True),
            nn.Conv2d(up, width, 4, 2, 1, bias=False),
            *inside,
            nn.ReLU(),
            nn.ConvTranspose2d(2 * width if more else width, up, 4, 2, 1, bias=False),
            nn.BatchNorm2d(up),
            *([nn.Dropout(0.5)] if drop[0] else []),
        )

    def forward(self, x: Tensor) -> Tensor:
        return torch.cat([x, self.model(x)], 1)


class Generator(nn.Module):
    """Pix2Pix's, of eight levels."""

    def __init__(self, c: int = 64) -> None:
        super().__init__()
        widths, drop = [c * min(2**i, 8) for i in range(1, 8)], [3 <= i < 6 for i in range(7)]
        outermost = nn.Sequential(
            nn.Conv2d(3, c, 4, 2, 1, bias=False),
            Level(widths, c, drop),
            nn.ReLU(),
            nn.ConvTranspose2d(2 * c, 3, 4, 2, 1),
            nn.Tanh(),
        )
        self.model = nn.Module()
        self.model.model = outermost

    def forward(self, x: Tensor) -> Tensor:
        return self.model.model(x)


class Discriminator(nn.Module):
    """Pix2Pix's, of 70x70 patches."""

    def __init__(self, c: int = 64) -> None:
        super().__init__()
        layers: list[nn.Module] = [nn.Conv2d(6, c, 4, 2, 1), nn.LeakyReLU(0.2)]
        for before, after, stride in [(c, 2 * c, 2), (2 * c, 4 * c, 2), (4 * c, 8 * c, 1)]:
            layers.append(nn.Conv2d(before, after, 4, stride, 1, bias=False))
            layers += [nn.BatchNorm2d(after), nn.LeakyReLU(0.2)]
        self.model = nn.Sequential(*layers, nn.Conv2d(8 * c, 1, 4, 1, 1))

    def forward(self, source: Tensor, target: Tensor) -> Tensor:
        return self.model(torch.cat([source, target], 1))


class Espcn(nn.Module):
    """Section 3 of Shi et al., 2016."""

    def __init__(self, scale: int = 3) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(1, 64, 5, padding=2)
        self.conv2 = nn.Conv2d(64, 32, 3, padding=1)
        self.conv3 = nn.Conv2d(32, scale**2, 3, padding=1)
        self.scale = scale

    def forward(self, x: Tensor) -> Tensor:
        x = torch.tanh(self.conv2(torch.tanh(self.conv1(x))))
        return f.pixel_shuffle(self.conv3(x), self.scale)


class Residual(nn.Module):
    """What is inside is added to its input."""

    def __init__(self, *body: nn.Module) -> None:
        super().__init__()
        self.body = nn.Sequential(*body)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.body(x)


def wide(before: int, after: int) -> nn.Module:
    """A 3x3 convolution that keeps the size."""
    return nn.Conv2d(before, after, 3, padding=1)


class Edsr(nn.Module):
    """Figure 3 of Lim et al., 2017, twice as large."""

    def __init__(self, c: int = 64) -> None:
        super().__init__()
        self.head = nn.Sequential(wide(3, c))
        blocks = [Residual(wide(c, c), nn.ReLU(), wide(c, c)) for _ in range(16)]
        self.body = nn.Sequential(*blocks, wide(c, c))
        enlarge = nn.Sequential(wide(c, 4 * c), nn.PixelShuffle(2))
        self.tail = nn.Sequential(enlarge, wide(c, 3))

    def forward(self, x: Tensor) -> Tensor:
        mean = 255 * torch.tensor([0.4488, 0.4371, 0.4040], dtype=x.dtype, device=x.device)
        x = self.head(x - mean[:, None, None])
        return self.tail(x + self.body(x)) + mean[:, None, None]


class WaveNet(nn.Module):
    """Figure 4 of van den Oord et al., 2016."""

    def __init__(self, c: int = 32, skip: int = 256, classes: int = 256) -> None:
        super().__init__()
        self.dilations = [2**i for _ in range(4) for i in range(10)]

        def convolutions(after: int, kernel: int) -> nn.ModuleList:
            dilated = self.dilations if kernel > 1 else [1] * len(self.dilations)
            made = [nn.Conv1d(c, after, kernel, dilation=d, bias=False) for d in dilated]
            return nn.ModuleList(made)

        self.start_conv = nn.Conv1d(classes, c, 1, bias=False)
        self.filter_convs, self.gate_convs = convolutions(c, 2), convolutions(c, 2)
        self.residual_convs, self.skip_convs = convolutions(c, 1), convolutions(skip, 1)
        self.end_conv_1, self.end_conv_2 = nn.Conv1d(skip, skip, 1), nn.Conv1d(skip, classes, 1)

    def forward(self, x: Tensor) -> Tensor:
        x, total = self.start_conv(x), 0
        for i, d in enumerate(self.dilations):
            past = f.pad(x, (d, 0))
            gated = torch.tanh(self.filter_convs[i](past))
            gated = gated * torch.sigmoid(self.gate_convs[i](past))
            total = total + self.skip_convs[i](gated)
            x = x + self.residual_convs[i](gated)
        return self.end_conv_2(f.relu(self.end_conv_1(f.relu(total))))
