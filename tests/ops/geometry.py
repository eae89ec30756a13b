"""Random window geometry: unequal sizes, even kernels, dilation, asymmetric pads, ranks 1 to 3."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from hypothesis import HealthCheck, assume, settings
from hypothesis import strategies as st

from compiler.ops.arguments import Extent

# The same examples on every run; the plain loops set the pace, not the search.
examples = settings(
    derandomize=True,
    database=None,
    deadline=None,
    max_examples=60,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)


@dataclass(frozen=True)
class Geometry:
    """One input [N, C, spatial…] and a window along each spatial axis."""

    channels: int
    sizes: tuple[int, ...]
    kernel: Extent
    stride: Extent
    dilation: Extent
    pads: tuple[tuple[int, int], ...]

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape per sample."""
        return (self.channels, *self.sizes)

    @property
    def extents(self) -> tuple[int, ...]:
        """The dilated kernel."""
        return tuple(d * (k - 1) + 1 for k, d in zip(self.kernel, self.dilation, strict=True))

    @property
    def window(self) -> dict[str, Any]:
        """The window as an op takes it."""
        return {"stride": self.stride, "pad": self.pads, "dilation": self.dilation}

    @property
    def slides(self) -> dict[str, Any]:
        """The window as the plain loops take it."""
        return {"stride": self.stride, "pads": self.pads, "dilation": self.dilation}

    def groups(self, data: st.DataObject) -> int:
        """A number of groups that divides the channels."""
        return data.draw(st.sampled_from([g for g in (1, 2, 3, 4) if self.channels % g == 0]))


@st.composite
def geometries(
    draw: st.DrawFn, *, dilated: bool = True, small_pads: bool = False, ceil: bool = False
) -> Geometry:
    """A geometry whose kernel fits; `small_pads` keeps the pads below the kernel, as pools need."""
    rank = draw(st.integers(1, 3))
    largest = {1: 9, 2: 7, 3: 5}[rank]
    sizes = draw(st.lists(st.integers(2, largest), min_size=rank, max_size=rank, unique=True))

    def each(low: int, high: int) -> Extent:
        return Extent(draw(st.lists(st.integers(low, high), min_size=rank, max_size=rank)))

    kernel, stride = each(1, {1: 5, 2: 4, 3: 3}[rank]), each(1, 3)
    dilation = each(1, 3 if rank == 1 else 2) if dilated else Extent([1] * rank)
    pads = tuple(zip(each(0, 2), each(0, 2), strict=True))
    # The batch of `check` is 2, and no channel count is.
    found = Geometry(draw(st.sampled_from((1, 3, 4))), tuple(sizes), kernel, stride, dilation, pads)
    for w, k, d, s, extent, (before, after) in zip(
        sizes, kernel, dilation, stride, found.extents, pads, strict=True
    ):
        assume(extent <= w + before + after + (s - 1 if ceil else 0))
        if small_pads:
            assume(max(before, after) < extent and (d <= w or not before or k == 1))
    return found
