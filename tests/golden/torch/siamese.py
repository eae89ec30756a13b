"""siamese, written by netc: left [3, 9, 8], right [3, 9, 8], batch first."""

from typing import NamedTuple

import torch
from torch import nn
from torch.nn import functional as F


class SiameseOutputs(NamedTuple):
    near: torch.Tensor
    far: torch.Tensor


# A tower whose parameters both sides share.
class Tower(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(3, 4, 3, stride=2)
        self.bn1 = nn.BatchNorm2d(4, momentum=0.01)
        self.head = nn.Sequential(nn.Conv2d(4, 4, 1), nn.PReLU(1), nn.Dropout(0.2))

    def forward(self, x):
        return self.head(F.relu(self.bn1(self.conv1(F.pad(x, (0, 1, 1, 1))))))


# Two pictures, two results.
class Siamese(nn.Module):
    def __init__(self):
        super().__init__()
        self.tower = Tower()

    def forward(self, left, right):
        x = self.tower(left)  # [4, 5, 4]
        y = self.tower(right)  # [4, 5, 4]
        z = x - y
        x = torch.flatten(F.adaptive_avg_pool2d(torch.cat((x, y), 1), output_size=1), 1)
        return SiameseOutputs(z, x)
