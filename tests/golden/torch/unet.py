"""unet, written by netc: image [1, H, W], batch first."""

import torch
from torch import nn
from torch.nn import functional as F


class DoubleConv(nn.Module):
    def __init__(self, in_channels, c):
        super().__init__()
        self.conv1 = nn.Conv2d(in_channels, c, 3, padding=1)
        self.conv2 = nn.Conv2d(c, c, 3, padding=1)

    def forward(self, x):
        return F.relu(self.conv2(F.relu(self.conv1(x))))


# U-Net (Ronneberger et al., 2015) with same padding, for pictures of any size that 16 divides.
class Unet(nn.Module):
    def __init__(self):
        super().__init__()
        self.enc1 = DoubleConv(1, 64)
        self.enc2 = DoubleConv(64, 128)
        self.enc3 = DoubleConv(128, 256)
        self.enc4 = DoubleConv(256, 512)
        self.double_conv1 = DoubleConv(512, 1024)
        self.up4 = nn.ConvTranspose2d(1024, 512, 2, stride=2)
        self.double_conv2 = DoubleConv(1024, 512)
        self.up3 = nn.ConvTranspose2d(512, 256, 2, stride=2)
        self.double_conv3 = DoubleConv(512, 256)
        self.up2 = nn.ConvTranspose2d(256, 128, 2, stride=2)
        self.double_conv4 = DoubleConv(256, 128)
        self.up1 = nn.ConvTranspose2d(128, 64, 2, stride=2)
        self.double_conv5 = DoubleConv(128, 64)
        self.conv1 = nn.Conv2d(64, 2, 1)

    def forward(self, image):
        x = self.enc1(image)  # [64, H, W]
        y = self.enc2(F.max_pool2d(x, kernel_size=2))  # [128, floor(H/2), floor(W/2)]
        z = self.enc3(F.max_pool2d(y, kernel_size=2))  # [256, floor(H/4), floor(W/4)]
        u = self.enc4(F.max_pool2d(z, kernel_size=2))  # [512, floor(H/8), floor(W/8)]
        # [1024, floor(H/16), floor(W/16)]
        v = self.double_conv1(
            F.max_pool2d(F.dropout(u, 0.5, self.training), kernel_size=2)
        )
        # [512, floor(H/8), floor(W/8)]
        u = self.double_conv2(
            torch.cat((u, self.up4(F.dropout(v, 0.5, self.training))), 1)
        )
        # [256, floor(H/4), floor(W/4)]
        z = self.double_conv3(torch.cat((z, self.up3(u)), 1))
        # [128, floor(H/2), floor(W/2)]
        y = self.double_conv4(torch.cat((y, self.up2(z)), 1))
        x = self.double_conv5(torch.cat((x, self.up1(y)), 1))  # [64, H, W]
        return self.conv1(x)
