"""How a checked graph becomes an ONNX model."""

from __future__ import annotations

from typing import Literal, TypeAlias

from grammar.records import dataclass

PixelLayout: TypeAlias = Literal["nhwc", "nchw"]


@dataclass(frozen=True)
class CompileOptions:
    """What a call of the compiler asks for, handed down whole.

    `seed` gives initial numbers to parameters that have none; with `optimise` the passes run.
    `opset` None is the usual one of the precision, `batch` None any number of samples. `dtype` is
    what the layers compute in, `io_dtype` what inputs and outputs are. With `embed` the inputs that
    come from pictures take their pixels, uint8 in this layout.
    """

    seed: int = 0
    optimise: bool = True
    opset: int | None = None
    batch: int | None = None
    dtype: str = "f32"
    io_dtype: str = "f32"
    embed: PixelLayout | None = None


USUAL = CompileOptions()
