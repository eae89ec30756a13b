"""Parameters and arrays from and to files; never pickle."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load_file

from compiler.graph import Graph
from compiler.ops.base import show_shape
from runtime.errors import CallError
from runtime.files import write_whole

MOST_SHOWN = 10
IGNORED = "num_batches_tracked"  # PyTorch's counter in batch normalisation


class WeightsError(CallError):
    """A file of weights or arrays that cannot be read, or does not fit."""


def load_weights(path: Path) -> dict[str, NDArray[Any]]:
    """The arrays of a .safetensors or .npz file by name."""
    if not path.is_file():
        raise WeightsError(f"there is no file {path}")
    if path.suffix == ".safetensors":
        try:
            return dict(load_file(path))
        except (SafetensorError, OSError, TypeError) as error:
            raise WeightsError(f"{path} cannot be read: {error}") from None
    if path.suffix == ".npz":
        return read_npz(path)
    raise WeightsError(
        f"{path.name}: weights are .safetensors or .npz; convert a pickled "
        "checkpoint with safetensors first"
    )


def read_npz(path: Path) -> dict[str, NDArray[Any]]:
    """The arrays of an .npz file, without pickled objects."""
    try:
        with np.load(path, allow_pickle=False) as file:
            return {name: file[name] for name in file.files}
    except (OSError, ValueError, EOFError, zipfile.BadZipFile) as error:
        raise WeightsError(f"{path} cannot be read: {error}") from None


def apply_weights(graph: Graph, loaded: Mapping[str, NDArray[Any]]) -> Graph:
    """The graph with these parameters; every name and shape must be as the graph needs it."""
    needed = graph.parameters()
    given = {name: array for name, array in loaded.items() if not name.endswith(IGNORED)}
    complaints = [
        f"missing: {name} {show_shape(w.shape)}" for name, w in needed.items() if name not in given
    ]
    complaints += [f"not in the network: {name}" for name in given if name not in needed]
    complaints += [
        f"{name} has shape {show_shape(given[name].shape)}, the network needs "
        f"{show_shape(weight.shape)}"
        for name, weight in needed.items()
        if name in given and given[name].shape != weight.shape
    ]
    if complaints:
        more = len(complaints) - MOST_SHOWN
        shown = complaints[:MOST_SHOWN] + ([f"and {more} more"] if more > 0 else [])
        raise WeightsError("the weights do not fit the network\n  " + "\n  ".join(shown))
    return replace(
        graph, values={name: np.asarray(given[name], dtype=np.float32) for name in needed}
    )


def load_arrays(path: Path) -> NDArray[Any]:
    """One array from an .npy file, or from an .npz that holds one."""
    if not path.is_file():
        raise WeightsError(f"there is no file {path}")
    if path.suffix == ".npz":
        arrays = read_npz(path)
        if len(arrays) != 1:
            raise WeightsError(f"{path} holds {len(arrays)} arrays, one is needed")
        array = next(iter(arrays.values()))
    else:
        try:
            array = np.load(path, allow_pickle=False)
        except (OSError, ValueError, EOFError) as error:
            raise WeightsError(f"{path} cannot be read: {error}") from None
    if not isinstance(array, np.ndarray) or array.dtype.kind not in "fiub":
        raise WeightsError(f"{path} holds no numbers")
    return array


def save_arrays(path: Path, arrays: Mapping[str, NDArray[Any]]) -> None:
    """Write arrays to an .npz file, whole or not at all."""

    def save(target: Path) -> None:
        with target.open("wb") as file:
            np.savez(file, allow_pickle=False, **arrays)

    write_whole(path, save)
