"""Files of weights by their kind: .safetensors, .npz, .onnx, and with PyTorch .pt, .pth, .ckpt."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import ml_dtypes  # noqa: F401  # NumPy knows the name bfloat16 once this is imported
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open

from runtime.arrays import Stored, store_npz
from runtime.files import no_file
from runtime.weights import WeightsError
from runtime.weights.hub import fetch_weights, is_remote
from runtime.weights.onnx_file import store_onnx
from runtime.weights.sharded import INDEX, store_sharded
from runtime.weights.torch_file import store_torch

# The names that safetensors and NumPy give the same element type, for those that become floats.
FLOATS = {"F64": "float64", "F32": "float32", "F16": "float16", "BF16": "bfloat16"}


def open_weights(path: Path) -> dict[str, Stored]:
    """The arrays of a file of weights by name, not yet read; raises `CallError`.

    The file may be the index of several, or one of the hub, `hf:OWNER/REPO[/FILE]`.

    Raises `MachineError` for a PyTorch checkpoint where PyTorch is not installed.
    """
    if is_remote(str(path)):
        path = fetch_weights(str(path))
    if not path.is_file():
        raise WeightsError(no_file(path))
    if path.name.endswith(INDEX):
        return store_sharded(path, store_safetensors)
    match path.suffix.lower():
        case ".safetensors":
            return store_safetensors(path)
        case ".npz":
            return store_npz(path)
        case ".onnx":
            return store_onnx(path)
        case ".pt" | ".pth" | ".ckpt":
            return store_torch(path)
    raise WeightsError(
        f"{path.name}: weights are .safetensors, .npz, .onnx, .pt, .pth or .ckpt files, or "
        "hf:OWNER/REPO"
    )


def store_safetensors(path: Path) -> dict[str, Stored]:
    """The tensors of a .safetensors file; the library refuses lying or overlapping headers."""
    try:
        file: Any = safe_open(path, framework="np")
        slices = {name: file.get_slice(name) for name in file.keys()}  # noqa: SIM118  # no mapping
        return {
            name: Stored(
                tuple(slice.get_shape()),
                FLOATS.get(slice.get_dtype(), slice.get_dtype()),
                partial(read_tensor, path, file, name),
            )
            for name, slice in slices.items()
        }
    except (SafetensorError, OSError) as error:
        raise WeightsError(f"{path} cannot be read: {error}") from None


def read_tensor(path: Path, file: Any, name: str) -> NDArray[Any]:
    """One tensor of an open .safetensors file."""
    try:
        tensor: NDArray[Any] = file.get_tensor(name)
    except (SafetensorError, OSError, TypeError, AttributeError) as error:
        raise WeightsError(f"{path}: {name} cannot be read: {error}") from None
    return tensor
