"""transformer, written by netc: tokens [7], batch first."""

import torch
from torch import nn
from torch.nn import functional as F


def drop_path(x, p, training):
    """Drops the branch of a sample as a whole."""
    if not training or not p:
        return x
    return x * x.new_empty(len(x), *[1] * (x.dim() - 1)).bernoulli_(1 - p) / (1 - p)


class Attention(nn.Module):
    def __init__(self):
        super().__init__()
        self.qkv = nn.Linear(8, 24)
        self.proj = nn.Linear(8, 8)

    def forward(self, x):
        x = self.qkv(x)
        y = x.chunk(3, 2)[0]
        z = x.chunk(3, 2)[1]
        x = x.chunk(3, 2)[2]
        y = y.reshape(y.shape[0], 8, 2, 4).permute(0, 2, 1, 3)
        z = z.reshape(z.shape[0], 8, 2, 4).permute(0, 2, 3, 1)
        x = x.reshape(x.shape[0], 8, 2, 4).permute(0, 2, 1, 3)
        x = (
            F.softmax(y @ z * 0.5, dim=3) @ x
        ).permute(0, 2, 1, 3).reshape(x.shape[0], 8, 8)
        return self.proj(x)


class Encoder(nn.Module):
    def __init__(self):
        super().__init__()
        self.norm1 = nn.LayerNorm(8)
        self.attn = Attention()
        self.norm2 = nn.LayerNorm(8)
        self.fc1 = nn.Linear(8, 16)
        self.fc2 = nn.Linear(16, 8)
        self.gamma = nn.Parameter(torch.full((8,), 0.5))

    def forward(self, x):
        y = self.attn(self.norm1(x))  # [8, 8]
        y = y * self.gamma
        x = y + x
        y = drop_path(self.fc2(F.gelu(self.fc1(self.norm2(x)))), 0.1, self.training)
        return y + x


# Words to a score for each of five classes.
class Transformer(nn.Module):
    def __init__(self):
        super().__init__()
        self.embedding = nn.Embedding(20, 8)
        self.blocks = nn.Sequential(*(Encoder() for _ in range(2)))
        self.norm = nn.LayerNorm(8)
        self.head = nn.Linear(8, 5)
        self.class_token = nn.Parameter(0.02 * torch.randn(1, 8))
        self.positions = nn.Parameter(0.02 * torch.randn(8, 8))

    def forward(self, tokens):
        x = self.embedding(tokens)
        y = self.class_token.expand(x.shape[0], *self.class_token.shape)
        x = self.blocks(torch.cat((y, x), 1) + self.positions)  # [8, 8]
        return self.head(torch.flatten(self.norm(x)[:, :1], 1))
