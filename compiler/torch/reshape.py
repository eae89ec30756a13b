"""Other shapes in PyTorch."""

from __future__ import annotations

from collections.abc import Sequence

from compiler.dims import Dim
from compiler.ops.base import Shape
from compiler.ops.reshape import Flatten, Reshape, Transpose
from compiler.torch import writes
from compiler.torch.layer import Call, Layer, text_length


@writes(Flatten)
def flatten(op: Flatten, layer: Layer, x: str) -> str:
    """A tensor's own `flatten` behind the batch, or nn.Flatten, which begins there unless told."""
    start = op.kept(layer.shape) + 1
    given = (("start_dim", start, 1),)
    layer.plain = Call("nn.Flatten", (), given)
    return f"{x}.flatten({start})"


@writes(Reshape)
def reshape(op: Reshape, layer: Layer, x: str) -> str:
    """A reshape of each sample; `flatten` or `unflatten` of some axes where the others stay."""
    if len(layer.shape) == 1 and not any(isinstance(size, Dim) for size in layer.output):
        layer.plain = Call("nn.Unflatten", (1, tuple(layer.output)))
    sizes = [str(size) if isinstance(size, int) else layer.size(size, x) for size in op.shape]
    batch = f"{layer.batch}.shape[0]" if "-1" in sizes else "-1"
    plain = f"{x}.reshape({', '.join([batch, *sizes])})"
    # What is the same for all samples has a batch that only its exporter may know.
    other = of_some_axes(layer, x, sizes) if layer.is_fed else ""
    return min(plain, other or plain, key=text_length)


def of_some_axes(layer: Layer, x: str, sizes: Sequence[str]) -> str:
    """Axes that follow one another as the one of any size, or channels as several axes.

    Empty for neither: a batch that is counted on (`-1`) is the safer one in what is exported.
    """
    before, after = layer.shape, layer.output
    first = equal_in_front(layer, before, after)
    last = equal_in_front(layer, before[first:][::-1], after[first:][::-1])
    if len(before) > len(after) > first and sizes[first] == "-1":
        last = min(last, len(after) - first - 1)
        merges = len(after) == first + 1 + last
        return f"{x}.flatten({first + 1}, {len(before) - last})" if merges else ""
    parts = sizes[first : len(after) - last]
    splits = len(before) == 1 + last and not first and not {"1", "-1"} & {*parts}
    return f"{x}.unflatten(1, ({', '.join(parts)}))" if splits and len(parts) > 1 else ""


def equal_in_front(layer: Layer, one: Shape, other: Shape) -> int:
    """With how many equal sizes two shapes begin."""
    pairs = [*zip(one, other, strict=False)]
    equal = layer.graph.facts.equal
    return next((at for at, pair in enumerate(pairs) if not equal(*pair)), len(pairs))


@writes(Transpose)
def transpose(op: Transpose, layer: Layer, x: str) -> str:
    """A permutation that leaves the batch in front."""
    return f"{x}.permute({', '.join(map(str, (0, *(axis + 1 for axis in op.order))))})"
