"""Layers as they are while a network learns, where that differs from a network that runs."""

from __future__ import annotations

from compiler.ops.normalise import BatchNorm
from grammar.records import dataclass


@dataclass(frozen=True)
class BatchNormTraining(BatchNorm, name="bn"):
    """Batch normalisation with the statistics of the batch, each channel by itself.

    y = (x - mean)/sqrt(variance + eps) * weight + bias, both over the batch and all pixels, the
    variance divided by their number n (Ioffe and Szegedy 2015, algorithm 1). The running
    statistics move by `momentum` towards the batch's, the variance there divided by n - 1.
    """
