"""windows, written by netc: x [4, H, W], batch first."""

import math

import torch
from torch import nn
from torch.nn import functional as F


def depthwise(x, kernel, stride=1, dilation=1):
    """One kernel on every channel by itself."""
    convolve = (F.conv1d, F.conv2d, F.conv3d)[kernel.dim() - 1]
    weight = kernel.expand(x.shape[1], 1, *kernel.shape)
    return convolve(x, weight, stride=stride, dilation=dilation, groups=x.shape[1])


def larger(first, *others):
    """The largest, element by element; of equal ones the first."""
    for x in others:
        first = torch.where(first >= x, first, x)
    return first


def resize(x, sizes, mode="nearest", align="half_pixel", rounding="prefer_floor", scale=None):
    """The map at other sizes, along each axis in turn."""
    for axis, size in enumerate(sizes, start=2):
        have, i = x.shape[axis], torch.arange(size, dtype=torch.float64, device=x.device)
        top, bottom = (have, size) if scale is None else (1, scale[axis - 2])
        if align == "corners":
            place = i * (have - 1) / max(size - 1, 1)
        elif align == "asymmetric":
            place = i * top / bottom
        else:
            place = (2 * i + 1) * top / (2 * bottom) - 0.5
        low = place.floor()
        t = place - low
        if mode == "nearest":
            up = {"floor": t < 0, "ceil": t > 0, "prefer_floor": t > 0.5, "prefer_ceil": t >= 0.5}
            taps = [(low + up[rounding], torch.ones_like(t))]
        elif mode == "linear":
            taps = [(low, 1 - t), (low + 1, t)]
        else:
            a = -0.75
            far = [((a * d - 5 * a) * d + 8 * a) * d - 4 * a for d in (1 + t, 2 - t)]
            near = [((a + 2) * d - (a + 3)) * d * d + 1 for d in (t, 1 - t)]
            taps = [(low - 1, far[0]), (low, near[0]), (low + 1, near[1]), (low + 2, far[1])]
        wide = [-1 if k == axis else 1 for k in range(x.dim())]
        parts = [
            x.index_select(axis, p.clamp(0, have - 1).long()) * w.to(x.dtype).view(wide)
            for p, w in taps
        ]
        x = sum(parts[1:], parts[0])
    return x


class Windows(nn.Module):
    def __init__(self):
        super().__init__()
        self.unequal = nn.Conv2d(4, 6, (3, 2), groups=2)
        self.deconv1 = nn.ConvTranspose2d(
            6,
            4,
            3,
            stride=2,
            output_padding=1,
            bias=False,
        )

    def forward(self, x):
        H = x.shape[2]
        x = F.max_pool2d(
            F.pad(
                self.unequal(F.pad(x, (0, 1, 2, 0), mode="reflect")),
                (1, 1, 0, 2),
                value=-math.inf,
            ),
            kernel_size=3,
            stride=2,
        )
        x = F.pad(self.deconv1(x), (0, -1, -1, 0))
        y = F.avg_pool2d(x, kernel_size=3, stride=1, padding=1, count_include_pad=False)
        z = depthwise(
            F.pad(x.abs() ** 3, (1, 1, 1, 1)),
            x.new_ones((3, 3)),
            (1, 1),
            (1, 1),
        ) ** (1 / 3)
        u = depthwise(
            F.pad(x, (1, 1, 0, 0)),
            x.new_tensor(((0.5, 1.0, 0.5),)),
            stride=1,
        )
        x = (
            y + z + u + F.max_pool2d(x, kernel_size=3, stride=1, padding=1)
        )[:, :, 1:H - 1, 2:6]
        x = F.interpolate(
            F.pad(x, (0, 2, 1, 0), mode="replicate"),
            (8, 6),
            mode="bicubic",
        )
        x = F.interpolate(
            resize(x, (5, 7), rounding="ceil"),
            scale_factor=2,
            mode="nearest",
        )
        x = F.adaptive_avg_pool2d(x, output_size=(3, 2)).reshape(x.shape[0], 2, 12)
        return larger(x, x * 0.5)
