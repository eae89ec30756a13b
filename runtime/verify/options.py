"""How two computations are compared."""

from __future__ import annotations

from dataclasses import dataclass

from runtime.settings import Settings
from runtime.verify.tolerance import Tolerance, tolerance


@dataclass(frozen=True)
class VerifyOptions:
    """What a comparison is asked for, handed down whole.

    One side runs on `device` in `dtype`, where `exact` rules out that products are rounded to TF32;
    random inputs are `batch` samples by `seed`. With `bisect` it ends at the first layer that
    differs, and reports on it.
    """

    device: str = "cpu"
    dtype: str = "f32"
    exact: bool = True
    seed: int = 0
    batch: int = 2
    bisect: bool = False

    @property
    def settings(self) -> Settings:
        """How ONNX Runtime is asked for layers as they stand."""
        return Settings(exact=self.exact, optimise=False, dtype=self.dtype, spin=False)

    def allow(self, layers: int) -> Tolerance:
        """How far two tensors of so many layers may be apart."""
        return tolerance(self.device, self.dtype, exact=self.exact, layers=layers)


USUAL = VerifyOptions()
