"""Which pixels are the nearest along one axis of a resized map, worked out without rounding.

Pixel i of w from W lies at ((2i + 1)W - w)/2w ("half_pixel") or at 2iW/2w ("asymmetric"). The
nearest to p/2w is the floor of (p + rest)/2w: a whole number, where float32 may be off by one.
"""

from __future__ import annotations

from fractions import Fraction
from math import ceil, floor, gcd

from compiler.dims import Dim, Size
from compiler.onnx.emitter import Emitter
from compiler.onnx.sizes import emit_size
from grammar.records import dataclass

LARGEST_EXACT = 2**10  # the denominator of a given scale that float32 divides by well enough
NEAR = 1e-5  # relative: no float32 place is as far from the true one


@dataclass(frozen=True)
class Nearest:
    """One axis: the pixels wanted, where they lie, and what their nearest is.

    `factor` is a given scale, None where it is the ratio of the sizes.
    """

    wanted: Size
    align: str
    rounding: str
    factor: float | None

    def is_tied(self, have: Size) -> bool:
        """Whether a pixel may lie where the nearest one changes, but not in float32.

        ONNX Runtime divides by a scale in float32: pixel 0 of 7 to 1 lies at 2.9999998 there
        instead of at 3, which has another floor. Where the scale is exact, so are the places; a
        symbolic size may always tie.
        """
        if self.align == "corners":
            return False
        if isinstance(have, Dim) or isinstance(self.wanted, Dim):
            return True
        if self.factor is not None:
            halves = [2 * place for place in self.places(self.factor)]
            near = any(abs(p - round(p)) < NEAR * (1 + abs(p)) for p in halves)
            return near and Fraction(self.factor).denominator > LARGEST_EXACT
        divisor = have // gcd(have, self.count)
        factors, offset = self.numerators()
        offset += 0 if self.rounding in ("floor", "ceil") else self.count
        ties = any((n * have + offset) % (2 * self.count) == 0 for n in factors)
        return ties and divisor & (divisor - 1) != 0  # no power of two

    def places(self, factor: float) -> list[float]:
        """Where the pixels lie for a given scale."""
        half = 0.5 if self.align == "half_pixel" else 0.0
        return [(pixel + half) / factor - half for pixel in range(self.count)]

    def numerators(self) -> tuple[list[int], int]:
        """Factors n and the offset b of the places (nW + b)/2w."""
        if self.align == "half_pixel":
            return [2 * pixel + 1 for pixel in range(self.count)], -self.count
        return [2 * pixel for pixel in range(self.count)], 0

    @property
    def count(self) -> int:
        """The pixels wanted, where their number is known."""
        assert isinstance(self.wanted, int)
        return self.wanted

    @property
    def rest(self) -> int:
        """What makes the nearest to a place p/2w the floor of (p + rest)/2w."""
        w = self.count
        rests = {"floor": 0, "prefer_ceil": w, "prefer_floor": w - 1, "ceil": 2 * w - 1}
        return rests[self.rounding]

    def pixels(self, have: int) -> list[int]:
        """The nearest pixels of an axis of a known size."""
        if self.factor is not None:
            half = {"prefer_floor": -0.5, "prefer_ceil": 0.5}.get(self.rounding, 0.0)
            nearest = ceil if self.rounding in ("ceil", "prefer_floor") else floor
            found = [nearest(place + half) for place in self.places(self.factor)]
        else:
            factors, offset = self.numerators()
            found = [(n * have + offset + self.rest) // (2 * self.count) for n in factors]
        return [min(max(pixel, 0), have - 1) for pixel in found]

    def emit_pixels(self, emit: Emitter, x: str, axis: int) -> str:
        """The nearest pixels along an ONNX axis whose size only the running model knows."""
        factors, offset = self.numerators()
        ends = emit.ints([axis]), emit.ints([axis + 1])
        size = emit.node("Slice", emit.node("Shape", x), *ends, emit.ints([0]))
        scaled = emit.node("Mul", size, emit.ints(factors))
        moved = emit.node("Add", scaled, emit.ints([offset + self.rest]))
        # ONNX rounds to 0, and no numerator is below -2w.
        pixels = emit.node("Div", moved, emit.ints([2 * self.count]))
        return emit.node("Min", pixels, emit.node("Sub", size, emit.ints([1])))

    def emit_any(self, emit: Emitter, wanted: Size, have: Size) -> str:
        """The nearest pixels where both sizes may be known to the running model only."""
        size, count = emit_size(emit, have), emit_size(emit, wanted)
        end = emit.node("Reshape", count, emit.ints([]))
        pixels = emit.node("Range", emit.ints(0), end, emit.ints(1))
        twice = emit.node("Mul", emit.node("Mul", pixels, emit.ints([2])), size)
        if self.align == "half_pixel":
            twice = emit.node("Sub", emit.node("Add", twice, size), count)
        double = emit.node("Add", count, count)
        one = emit.ints([1])
        rest = {
            "floor": None,
            "prefer_ceil": count,
            "prefer_floor": emit.node("Sub", count, one),
            "ceil": emit.node("Sub", double, one),
        }[self.rounding]
        found = emit.node("Div", twice if rest is None else emit.node("Add", twice, rest), double)
        return emit.node("Min", found, emit.node("Sub", size, one))

    def emit(self, emit: Emitter, x: str, axis: int, have: Size) -> str:
        """The axis of `x` with its nearest pixels picked by their numbers."""
        if isinstance(self.wanted, Dim):
            return emit.node("Gather", x, self.emit_any(emit, self.wanted, have), axis=axis)
        known = emit.ints(self.pixels(have)) if isinstance(have, int) else None
        return emit.node("Gather", x, known or self.emit_pixels(emit, x, axis), axis=axis)
