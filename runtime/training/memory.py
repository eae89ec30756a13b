"""Samples that a Python program has: arrays by name, or one by one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from compiler.training.model import Data
from runtime.training.samples import DataError, Samples, all_of, array_source

NAME = "the data"


def samples_in_memory(parts: Sequence[Data], data: Any) -> Samples:
    """Samples from arrays by name, or from an iterable of dicts or tuples; raises `DataError`."""
    columns = data if isinstance(data, Mapping) else columns_of(parts, data)
    sources = {}
    for part in parts:
        if part.name not in columns:
            have = ", ".join(columns) or "nothing"
            raise DataError(f"{NAME} has no {part.name}; it has {have}")
        sources[part.name] = array_source(NAME, part, np.asarray(columns[part.name]))
    return all_of(NAME, sources)


def columns_of(parts: Sequence[Data], data: Iterable[Any]) -> dict[str, list[Any]]:
    """What each part is of all samples, one after the other."""
    names = [part.name for part in parts]
    columns: dict[str, list[Any]] = {name: [] for name in names}
    for number, sample in enumerate(data):
        if not isinstance(sample, Mapping):
            values = tuple(sample) if isinstance(sample, tuple | list) else (sample,)
            if len(values) != len(names):
                rendered = ", ".join(names)
                raise DataError(f"sample {number:,} has {len(values)} parts, not {rendered}")
            sample = dict(zip(names, values, strict=True))
        for name in names:
            if name not in sample:
                raise DataError(f"sample {number:,} has no {name}; it has {', '.join(sample)}")
            columns[name].append(np.asarray(sample[name]))
            if columns[name][-1].shape != columns[name][0].shape:
                raise DataError(f"{name} of sample {number:,} has another shape than the first")
    return columns
