"""Parameters to a file."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import save_file

from runtime.arrays import save_arrays
from runtime.errors import CallError
from runtime.files import write_whole


def save_weights(path: Path, arrays: Mapping[str, NDArray[Any]]) -> None:
    """Write parameters by name to a .safetensors or .npz file, whole or not at all."""
    if path.suffix == ".npz":
        save_arrays(path, arrays)
    elif path.suffix == ".safetensors":
        contiguous = {name: np.ascontiguousarray(array) for name, array in arrays.items()}
        write_whole(path, lambda target: save_file(contiguous, target))
    else:
        raise CallError(f"{path.name}: weights are written as .safetensors or .npz")
