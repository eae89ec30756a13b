"""names, written by netc: image [2, 6, 6], batch first."""

import torch
from torch import nn
from torch.nn import functional as F


def take(table, index, axis):
    """Of each sample the places of its table that its index says, along an axis."""
    rows = table.movedim(axis, 1)
    samples = torch.arange(len(rows), device=rows.device).view(-1, *[1] * (index.dim() - 1))
    count = index.dim() - 1
    taken = rows[samples, index.long()]
    return taken.movedim(tuple(range(1, count + 1)), tuple(range(axis, axis + count)))


class Names(nn.Module):
    def __init__(self):
        super().__init__()
        self.add_module("0", nn.Conv2d(2, 4, 3))
        self.stem = nn.Module()
        self.stem.norm = nn.BatchNorm2d(4)
        self.stem.table = nn.Parameter(1 * torch.randn(5, 8))
        self.features = nn.Sequential(
            nn.Conv2d(4, 4, 1),
            nn.ReLU(),
            nn.Conv2d(4, 4, 1),
            nn.ReLU(),
            nn.Conv2d(4, 8, 1),
            nn.ReLU(),
        )
        self.register_buffer("const1", torch.tensor((4.0, 0.0, 0.0)), persistent=False)
        with torch.no_grad():
            getattr(self, "0").weight.copy_(
                torch.tensor(
                    (
                        (
                            ((0.0, 1.0, 0.0), (1.0, 1.0, 1.0), (0.0, 1.0, 0.0)),
                            ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0)),
                        ),
                        (
                            ((0.0, 1.0, 0.0), (1.0, 1.0, 1.0), (0.0, 1.0, 0.0)),
                            ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0)),
                        ),
                        (
                            ((0.0, 1.0, 0.0), (1.0, 1.0, 1.0), (0.0, 1.0, 0.0)),
                            ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0)),
                        ),
                        (
                            ((0.0, 1.0, 0.0), (1.0, 1.0, 1.0), (0.0, 1.0, 0.0)),
                            ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0)),
                        ),
                    ),
                ),
            )

    def forward(self, image):
        x = self.features(F.relu(self.stem.norm(getattr(self, "0")(image))))
        y = self.stem.table.expand(x.shape[0], *self.stem.table.shape)
        y = take(y, self.const1.expand(x.shape[0], *self.const1.shape), 1).max(1).values
        x = F.normalize(
            torch.flatten(F.adaptive_avg_pool2d(x, output_size=1), 1),
            dim=1,
        )
        return torch.cat((x, y), 1)
