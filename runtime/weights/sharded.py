"""Weights in several .safetensors files, with the index that says which tensor is where.

`model.safetensors.index.json` is what Hugging Face's libraries write of a large model:
`{"metadata": {…}, "weight_map": {"fc.weight": "model-00001-of-00002.safetensors", …}}`.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from compiler.files import read_regular
from runtime.arrays import Stored
from runtime.weights import WeightsError

INDEX = ".safetensors.index.json"
LARGEST_INDEX = 64 * 2**20


def store_sharded(path: Path, store: Callable[[Path], dict[str, Stored]]) -> dict[str, Stored]:
    """The tensors that an index lists, each from its file, which lies beside the index."""
    files = weight_map(path)
    shards = {name: store(path.parent / name) for name in dict.fromkeys(files.values())}
    for tensor, name in files.items():
        if tensor not in shards[name]:
            raise WeightsError(f"{path.name} says that {tensor} is in {name}, and it is not")
    return {tensor: shards[name][tensor] for tensor, name in files.items()}


def weight_map(path: Path, there: bool = True) -> dict[str, str]:
    """The file of each tensor, as the index has it; with `there` all of them must lie beside it."""
    try:
        found = json.loads(read_regular(path, LARGEST_INDEX))["weight_map"]
        entries = {str(tensor): str(name) for tensor, name in found.items()}
    except OSError as error:
        raise WeightsError(f"{path} cannot be read: {error.strerror or error}") from None
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        raise WeightsError(f"{path.name} is no index of weights: it has no weight_map") from None
    for name in set(entries.values()):
        if not is_beside(name):
            raise WeightsError(f"{path.name} names {name}, which is no .safetensors file beside it")
        if there and not (path.parent / name).is_file():
            raise WeightsError(f"{path.name} names {name}, which is not beside it")
    return entries


def is_beside(name: str) -> bool:
    """Whether a name is that of a .safetensors file in the same folder."""
    return name.endswith(".safetensors") and not {"/", "\\", "\0"} & {*name}
