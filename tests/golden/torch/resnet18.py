"""resnet18, written by netc: image [3, 224, 224], batch first."""

import torch
from torch import nn
from torch.nn import functional as F


# Figure 5, left: two 3x3 convolutions.
class Basic(nn.Module):
    def __init__(self, c):
        super().__init__()
        self.conv1 = nn.Conv2d(c, c, 3, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(c)
        self.conv2 = nn.Conv2d(c, c, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(c)

    def forward(self, x):
        y = self.bn2(self.conv2(F.relu(self.bn1(self.conv1(x)))))
        return F.relu(y + x)


# Figure 5, left: two 3x3 convolutions.
class Basic2(nn.Module):
    def __init__(self, c):
        super().__init__()
        self.conv1 = nn.Conv2d(c // 2, c, 3, stride=2, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(c)
        self.conv2 = nn.Conv2d(c, c, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(c)
        self.downsample = nn.Sequential(
            nn.Conv2d(c // 2, c, 1, stride=2, bias=False),
            nn.BatchNorm2d(c),
        )

    def forward(self, x):
        y = self.bn2(self.conv2(F.relu(self.bn1(self.conv1(x)))))
        x = self.downsample(x)
        return F.relu(y + x)


# ResNet-18 (He et al., 2015).
class Resnet18(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(3, 64, 7, stride=2, padding=3, bias=False)
        self.bn1 = nn.BatchNorm2d(64)
        self.layer1 = nn.Sequential(*(Basic(64) for _ in range(2)))
        self.layer2 = nn.Sequential(Basic2(128), Basic(128))
        self.layer3 = nn.Sequential(Basic2(256), Basic(256))
        self.layer4 = nn.Sequential(Basic2(512), Basic(512))
        self.fc = nn.Linear(512, 1000)

    def forward(self, image):
        x = F.max_pool2d(
            F.relu(self.bn1(self.conv1(image))),
            kernel_size=3,
            stride=2,
            padding=1,
        )
        x = self.layer1(x)  # [64, 56, 56]
        x = self.layer2(x)  # [128, 28, 28]
        x = self.layer3(x)  # [256, 14, 14]
        x = self.layer4(x)  # [512, 7, 7]
        return self.fc(torch.flatten(F.adaptive_avg_pool2d(x, output_size=1), 1))
