"""The `from picture(…)` clause: how a photograph becomes an input."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from typing import Any

from compiler.ops.arguments import DEVIATIONS, NUMBERS, Extent, arg, extent


@dataclass(frozen=True)
class Picture:
    """Resize, crop the centre, scale to 0..1, then (value - mean) / std for each channel.

    `resize` is the length of the shorter side (or height x width), `crop` the side of the centre
    square (or height x width); without either the picture must already fit.
    """

    resize: int | Extent | None = arg(extent(1), None, "shorter side, or height x width")
    crop: int | Extent | None = arg(extent(1), None, "side of the centre, or height x width")
    mean: Any = arg(NUMBERS, 0.0, "subtracted from each channel, in 0..1")
    std: Any = arg(DEVIATIONS, 1.0, "each channel is divided by it")

    def as_dict(self) -> dict[str, Any]:
        """The form in a model's metadata."""
        return asdict(self)

    @classmethod
    def from_dict(cls, entries: dict[str, Any]) -> Picture:
        """The reverse of `as_dict`, from trusted or untrusted JSON; raises ValueError."""
        known = {field.name: field.metadata["kind"] for field in fields(cls)}
        if not isinstance(entries, dict) or not set(entries) <= set(known):
            raise ValueError("this is no picture description")
        return cls(
            **{name: known[name](value) for name, value in entries.items() if value is not None}
        )
