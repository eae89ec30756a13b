"""What a session of ONNX Runtime is asked for, whatever the device."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from numpy.typing import NDArray


@dataclass(frozen=True)
class Settings:
    """How a model is opened.

    `exact` keeps float32 products from being rounded to TF32; `optimise` is ONNX Runtime's own
    rewriting, `layouts` the part of it that looks for better layouts; `sizes` pins symbolic sizes,
    `N` the batch; `threads` is 0 for all cores; `dtype` is what the network computes in; `fixed`
    says that the shapes never change, so that convolution algorithms are searched for
    exhaustively; `capture` makes a CUDA graph of a run; `weights` are the numbers that the model
    only refers to (`models.detached`). Threads that `spin` while they wait answer sooner, and take
    the time of a core; one run of much work does not need it.
    `in_order` runs the nodes as they stand and frees each tensor after its last use, which is what
    a training step needs: ONNX Runtime's own order and plans take up to three times its memory. On
    the CPU its convolutions are worked out in blocks of channels (`blocked.py`).
    `profile` begins the name of a file in which it writes how long each node took.
    """

    exact: bool = True
    optimise: bool = True
    layouts: bool = True
    sizes: Mapping[str, int] = field(default_factory=dict)
    threads: int = 0
    dtype: str = "f32"
    fixed: bool = False
    capture: bool = False
    spin: bool = True
    in_order: bool = False
    weights: Mapping[str, NDArray[Any]] = field(default_factory=dict)
    profile: Path | None = None
