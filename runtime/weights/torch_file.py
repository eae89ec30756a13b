"""PyTorch checkpoints, read by PyTorch itself and only as plain tensors."""

from __future__ import annotations

import pickle
import warnings
import zipfile
from collections.abc import Mapping
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from runtime.arrays import Stored
from runtime.errors import MachineError, first_line
from runtime.weights import WeightsError

WRAPPERS = ("state_dict", "model_state_dict", "model")  # where training scripts put the state dict
DEEPEST = 4  # wrappers around wrappers
MOST_TOLD = 8  # of the entries of a checkpoint that is none


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
    loaded = load(torch, path)
    tensors = state_dict(loaded, torch.Tensor)
    if tensors is None:
        raise WeightsError(
            f"{path} holds no state dict, a mapping of names to tensors, by itself or under "
            f"{', '.join(WRAPPERS)}; it holds {contents(loaded, torch.Tensor)}"
        )
    return {
        name: Stored(tuple(tensor.shape), kind_of(tensor), partial(read, tensor))
        for name, tensor in tensors.items()
    }


def load(torch: Any, path: Path) -> Any:
    """What a checkpoint holds, if that is plain data and tensors; raises `WeightsError`.

    A file in today's format, a zip, is mapped: it costs memory when a tensor is read.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # they are about PyTorch's own formats
            return torch.load(
                path, map_location="cpu", weights_only=True, mmap=zipfile.is_zipfile(path)
            )
    except pickle.UnpicklingError:
        raise WeightsError(
            f"{path} holds pickled objects besides tensors, which could run any code, or is "
            "broken: save only the model's state_dict()"
        ) from None
    except Exception as error:  # a broken pickle makes PyTorch's reader raise nearly anything
        if "TorchScript" in str(error):
            raise WeightsError(
                f"{path} is a TorchScript program: save torch.jit.load(…).state_dict() instead"
            ) from None
        raise WeightsError(f"{path} cannot be read as plain tensors: {first_line(error)}") from None


def kind_of(tensor: Any) -> str:
    """The element type of a tensor, and what keeps it from being an array."""
    dtype = str(tensor.dtype).removeprefix("torch.")
    layout = str(tensor.layout).removeprefix("torch.")
    if layout != "strided":
        return f"{layout} {dtype}"
    return f"{dtype} without numbers" if tensor.is_meta else dtype


def conversion(path: Path) -> str:
    """The two lines that make a .safetensors file of a checkpoint where PyTorch is."""
    return (
        "pip install torch, or run these two lines where PyTorch is:\n"
        "  import torch; from safetensors.torch import save_file\n"
        f'  save_file(torch.load("{path.name}", map_location="cpu", weights_only=True), '
        f'"{path.stem}.safetensors")\n'
        'where a training script put more into the file, take torch.load(…)["state_dict"]'
    )


def contents(loaded: Any, tensor: type[Any]) -> str:
    """What a checkpoint has instead of a state dict, or among its tensors, in words."""
    if not isinstance(loaded, Mapping):
        return f"a {type(loaded).__name__}"
    tensors = [key for key, value in loaded.items() if isinstance(value, tensor)]
    rendered = [f"{len(tensors)} tensors"] if tensors else []
    rendered += [
        f"{k} ({type(v).__name__})" for k, v in loaded.items() if not isinstance(v, tensor)
    ]
    more = [f"{len(rendered) - MOST_TOLD} more"] if len(rendered) > MOST_TOLD else []
    return ", ".join(rendered[:MOST_TOLD] + more) or "nothing"


def state_dict(loaded: Any, tensor: type[Any]) -> Mapping[str, Any] | None:
    """The mapping of names to tensors in what was loaded, or under its usual keys."""
    for _ in range(DEEPEST):
        if not isinstance(loaded, Mapping):
            return None
        if loaded and all(isinstance(n, str) and isinstance(t, tensor) for n, t in loaded.items()):
            return loaded
        loaded = next((loaded[key] for key in WRAPPERS if key in loaded), None)
    return None


def read(tensor: Any) -> NDArray[Any]:
    """A tensor as an array; NumPy has no bfloat16, so floats become float32 or stay float64."""
    detached = tensor.detach().resolve_neg()
    if detached.is_floating_point() and detached.element_size() < 4:
        detached = detached.float()
    array: NDArray[Any] = detached.numpy()
    return array
