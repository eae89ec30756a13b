"""lenet5, written by netc: image [1, 28, 28], batch first."""

import torch
from torch import nn
from torch.nn import functional as F


# LeNet-5 (LeCun et al., 1998), the common dense-C3 variant on 28x28 digits.
# The source squashes with a sigmoid and has a dense layer for C5; tanh and a convolution over the
# whole map are the paper's, with the same weights.
class Lenet5(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 6, 5, padding=2)
        self.conv2 = nn.Conv2d(6, 16, 5)
        self.conv3 = nn.Conv2d(16, 120, 5)
        self.dense1 = nn.Linear(120, 84)
        self.logits = nn.Linear(84, 10)

    def forward(self, image):
        x = torch.tanh(
            self.conv2(F.avg_pool2d(torch.tanh(self.conv1(image)), kernel_size=2)),
        )
        x = self.dense1(
            torch.flatten(torch.tanh(self.conv3(F.avg_pool2d(x, kernel_size=2))), 1)
        )
        return F.softmax(self.logits(torch.tanh(x)), dim=1)
