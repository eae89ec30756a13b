"""ResNet-50 in plain torch, exported to ONNX; run by the Python that has torch.

`python benchmarks/torch_resnet50.py torchscript|dynamo X.onnx` prints the seconds of the export.
Layers, strides and names are those of torchvision's `resnet50`, which is not needed.
"""

from __future__ import annotations

import json
import sys
import time

import torch
from torch import nn


class Bottleneck(nn.Module):
    """1x1, 3x3, 1x1, four times as wide at its end, and a shortcut (He et al. 2015, figure 5)."""

    def __init__(self, inputs: int, width: int, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, width, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = nn.Conv2d(width, width, 3, stride, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(width)
        self.conv3 = nn.Conv2d(width, 4 * width, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(4 * width)
        self.relu = nn.ReLU(inplace=True)
        self.downsample = (
            nn.Sequential(
                nn.Conv2d(inputs, 4 * width, 1, stride, bias=False), nn.BatchNorm2d(4 * width)
            )
            if stride != 1 or inputs != 4 * width
            else nn.Identity()
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """The sum of both ways."""
        y = self.relu(self.bn1(self.conv1(x)))
        y = self.relu(self.bn2(self.conv2(y)))
        return self.relu(self.bn3(self.conv3(y)) + self.downsample(x))


def stage(inputs: int, width: int, depth: int, stride: int) -> nn.Sequential:
    """`depth` bottlenecks, the first of which strides."""
    first = Bottleneck(inputs, width, stride)
    return nn.Sequential(first, *(Bottleneck(4 * width, width, 1) for _ in range(depth - 1)))


def resnet50() -> nn.Sequential:
    """The whole network, 25,557,032 parameters."""
    return nn.Sequential(
        nn.Conv2d(3, 64, 7, 2, 3, bias=False),
        nn.BatchNorm2d(64),
        nn.ReLU(inplace=True),
        nn.MaxPool2d(3, 2, 1),
        stage(64, 64, 3, 1),
        stage(256, 128, 4, 2),
        stage(512, 256, 6, 2),
        stage(1024, 512, 3, 2),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(2048, 1000),
    )


def main(exporter: str, path: str) -> None:
    """Build, export, and say how long the export took."""
    model = resnet50().eval()
    assert sum(p.numel() for p in model.parameters()) == 25_557_032
    image = torch.zeros(1, 3, 224, 224)
    start = time.perf_counter()
    torch.onnx.export(model, (image,), path, dynamo=exporter == "dynamo")
    print(json.dumps({"export": time.perf_counter() - start}))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
