"""What the written source defines for itself, where PyTorch has none of the meaning."""

from __future__ import annotations

from grammar.records import dataclass


@dataclass(frozen=True)
class Helper:
    """A function or class as source, and the others that it calls."""

    source: str
    needs: tuple[str, ...] = ()


HELPERS: dict[str, Helper] = {
    "depthwise": Helper('''
def depthwise(x, kernel, stride=1, dilation=1):
    """One kernel on every channel by itself."""
    convolve = (F.conv1d, F.conv2d, F.conv3d)[kernel.dim() - 1]
    weight = kernel.expand(int(x.shape[1]), 1, *kernel.shape)
    return convolve(x, weight, stride=stride, dilation=dilation, groups=x.shape[1])
'''),
    "average_pool": Helper(
        '''
def average_pool(x, kernel, stride, dilation, pads, overhang, count_pad):
    """The mean of each window; the padding counts if told so, what overhangs never does."""
    taps = x.new_ones(kernel)
    ones = F.pad(x.new_ones(1, 1, *x.shape[2:]), pads, value=float(count_pad))
    count = depthwise(F.pad(ones, overhang), taps, stride, dilation)
    return depthwise(F.pad(F.pad(x, pads), overhang), taps, stride, dilation) / count
''',
        ("depthwise",),
    ),
    "DropPath": Helper('''
class DropPath(nn.Dropout):
    """Drops the branch of a sample as a whole while training."""

    def forward(self, x):
        if not self.training:
            return x
        return x * super().forward(x.new_ones(len(x), *[1] * (x.dim() - 1)))
'''),
    "AlongChannels": Helper('''
class AlongChannels:
    """A layer of the last axis, on that of the channels."""

    def forward(self, x):
        return super().forward(x.movedim(1, -1)).movedim(-1, 1)
'''),
    "ChannelNorm": Helper(
        '''
class ChannelNorm(AlongChannels, nn.LayerNorm):
    """nn.LayerNorm of the channels at each place of a map."""
''',
        ("AlongChannels",),
    ),
    "ChannelLinear": Helper(
        '''
class ChannelLinear(AlongChannels, nn.Linear):
    """nn.Linear of the channels at each place of a map."""
''',
        ("AlongChannels",),
    ),
    "in_turn": Helper('''
def in_turn(operator, first, *others):
    """Tensors with one operator between all of them."""
    for x in others:
        first = operator(first, x)
    return first
'''),
    "larger": Helper('''
def larger(first, *others):
    """The largest, element by element; of equal ones the first."""
    for x in others:
        first = torch.where(first >= x, first, x)
    return first
'''),
    "smaller": Helper('''
def smaller(first, *others):
    """The smallest, element by element; of equal ones the first."""
    for x in others:
        first = torch.where(first <= x, first, x)
    return first
'''),
    "take": Helper('''
def take(table, index, axis):
    """Of each sample the places of its table that its index says, along an axis."""
    rows = table.movedim(axis, 1)
    samples = torch.arange(len(rows), device=rows.device).view(-1, *[1] * (index.dim() - 1))
    count = index.dim() - 1
    taken = rows[samples, index.long()]
    return taken.movedim(tuple(range(1, count + 1)), tuple(range(axis, axis + count)))
'''),
    "accuracy": Helper('''
def accuracy(scores, label, top=1):
    """1 where fewer than `top` scores stand before that of the right class, else 0."""
    label = label.unsqueeze(1)
    right = scores.gather(1, label)
    classes = torch.arange(scores.shape[1], device=scores.device)
    classes = classes.view(-1, *[1] * (scores.dim() - 2))
    before = (scores > right) | ((scores == right) & (classes < label))
    return (before.sum(1) < top).float()
'''),
    "divergence": Helper('''
def divergence(p, q, logarithms=False):
    """The sum over the classes of p (log p - log q), nothing where p is 0."""
    some = p > 0
    own = torch.log(torch.where(some, p, 1.0))
    other = q if logarithms else torch.log(torch.where(some, q, 1.0))
    return torch.where(some, p * (own - other), 0.0).sum(1)
'''),
    "nearest": Helper('''
def nearest(x, sizes):
    """The map at other sizes, each pixel that at its place or just before."""
    for axis, size in enumerate(sizes, start=2):
        places = torch.arange(size, device=x.device) * x.shape[axis] // size
        x = x.index_select(axis, places)
    return x
'''),
    "resize": Helper('''
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
'''),
}
