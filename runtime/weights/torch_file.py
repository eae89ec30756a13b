"""PyTorch checkpoints, read by PyTorch itself and only as plain tensors."""

from __future__ import annotations

import pickle
import zipfile
from collections.abc import Mapping
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from runtime.arrays import Stored
from runtime.errors import MachineError
from runtime.weights import WeightsError

WRAPPERS = ("state_dict", "model_state_dict", "model")  # where training scripts put the state dict


def store_torch(path: Path) -> dict[str, Stored]:
    """The tensors of a state dict by name.

    Raises `MachineError` without PyTorch: nothing else reads its pickles safely.
    """
    try:
        torch = import_module("torch")
    except ImportError:
        raise MachineError(
            f"{path.name} is a PyTorch checkpoint, which only PyTorch reads, and it is not "
            "installed here",
            conversion(path),
        ) from None
    try:
        # A file in today's format, a zip, is mapped: it costs memory when a tensor is read.
        loaded = torch.load(
            path, map_location="cpu", weights_only=True, mmap=zipfile.is_zipfile(path)
        )
    except pickle.UnpicklingError:
        raise WeightsError(
            f"{path} holds pickled objects besides tensors, which could run any code: save only "
            "the model's state_dict()"
        ) from None
    except (RuntimeError, OSError, EOFError, ValueError) as error:
        first = (str(error).splitlines() or [type(error).__name__])[0]
        raise WeightsError(f"{path} cannot be read as plain tensors: {first}") from None
    tensors = state_dict(loaded, torch.Tensor)
    if tensors is None:
        raise WeightsError(f"{path} holds no state dict, a mapping of names to tensors")
    return {
        name: Stored(
            tuple(tensor.shape), str(tensor.dtype).removeprefix("torch."), partial(read, tensor)
        )
        for name, tensor in tensors.items()
    }


def conversion(path: Path) -> str:
    """The two lines that make a .safetensors file of a checkpoint where PyTorch is."""
    return (
        "pip install torch, or run these two lines where PyTorch is:\n"
        "  import torch; from safetensors.torch import save_file\n"
        f'  save_file(torch.load("{path.name}", map_location="cpu", weights_only=True), '
        f'"{path.stem}.safetensors")'
    )


def state_dict(loaded: Any, tensor: type[Any]) -> Mapping[str, Any] | None:
    """The mapping of names to tensors in what was loaded, or under one of its usual keys."""
    if not isinstance(loaded, Mapping):
        return None
    if loaded and all(isinstance(value, tensor) for value in loaded.values()):
        return loaded
    for key in WRAPPERS:
        if key in loaded:
            return state_dict(loaded[key], tensor)
    return None


def read(tensor: Any) -> NDArray[Any]:
    """A tensor as an array; NumPy has no bfloat16, so floats become float32 or stay float64."""
    detached = tensor.detach()
    if detached.is_floating_point() and detached.element_size() < 4:
        detached = detached.float()
    array: NDArray[Any] = detached.numpy()
    return array
