"""googlenet, written by netc: image [3, 224, 224], batch first."""

import torch
from torch import nn
from torch.nn import functional as F


# Every convolution is followed by a rectification (section 5).
class Unit(nn.Module):
    def __init__(self, in_channels, c, kernel_size=1, stride=1, pad=0):
        super().__init__()
        self.conv1 = nn.Conv2d(in_channels, c, kernel_size, stride=stride, padding=pad)

    def forward(self, x):
        return F.relu(self.conv1(x))


# Figure 2(b): 1x1 convolutions first shrink what the 3x3 and 5x5 ones see.
class Inception(nn.Module):
    def __init__(self, in_channels, c1, r3, c3, r5, c5, cp):
        super().__init__()
        self.unit1 = Unit(in_channels, c1)
        self.unit2 = Unit(in_channels, r3)
        self.unit3 = Unit(r3, c3, kernel_size=3, pad=1)
        self.unit4 = Unit(in_channels, r5)
        self.unit5 = Unit(r5, c5, kernel_size=5, pad=2)
        self.unit6 = Unit(in_channels, cp)

    def forward(self, x):
        y = self.unit1(x)
        z = self.unit2(x)
        z = self.unit3(z)
        u = self.unit4(x)
        u = self.unit5(u)
        x = self.unit6(F.max_pool2d(x, kernel_size=3, stride=1, padding=1))
        return torch.cat((y, z, u, x), 1)


# GoogLeNet (Szegedy et al., 2014): nine inception modules; aux=true adds the two auxiliary heads.
class Googlenet(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = Unit(3, 64, kernel_size=7, stride=2, pad=3)
        self.conv2_reduce = Unit(64, 64)
        self.conv2 = Unit(64, 192, kernel_size=3, pad=1)
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

    def forward(self, image):
        x = self.conv1(image)  # [64, 112, 112]
        x = F.local_response_norm(
            F.max_pool2d(x, kernel_size=3, stride=2, ceil_mode=True),
            size=5,
            alpha=0.0001,
            beta=0.75,
            k=1.0,
        )
        x = self.conv2_reduce(x)  # [64, 56, 56]
        x = self.conv2(x)  # [192, 56, 56]
        x = F.max_pool2d(
            F.local_response_norm(x, size=5, alpha=0.0001, beta=0.75, k=1.0),
            kernel_size=3,
            stride=2,
            ceil_mode=True,
        )
        x = self.i3a(x)  # [256, 28, 28]
        x = self.i3b(x)  # [480, 28, 28]
        # [512, 14, 14]
        x = self.i4a(F.max_pool2d(x, kernel_size=3, stride=2, ceil_mode=True))
        x = self.i4b(x)  # [512, 14, 14]
        x = self.i4c(x)  # [512, 14, 14]
        x = self.i4d(x)  # [528, 14, 14]
        x = self.i4e(x)  # [832, 14, 14]
        # [832, 7, 7]
        x = self.i5a(F.max_pool2d(x, kernel_size=3, stride=2, ceil_mode=True))
        x = self.i5b(x)  # [1024, 7, 7]
        x = torch.flatten(
            F.dropout(F.adaptive_avg_pool2d(x, output_size=1), 0.4, self.training),
            1,
        )
        return F.softmax(self.fc(x), dim=1)
