"""`--image`, `--input` and `--random` as samples for every input."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from netc.runnable import Runnable
from runtime.arrays import store_npz
from runtime.decode import SUFFIXES
from runtime.errors import CallError
from runtime.inputs import Sample, expand, samples_of
from runtime.pictures import Augment


def gather(
    runnable: Runnable,
    images: Sequence[str],
    inputs: Sequence[str],
    random: int,
    augment: Augment = "none",
) -> dict[str, list[Sample]]:
    """The samples by input; raises `CallError` when one is given twice or not at all.

    `random` is how many samples of random numbers an input gets that has nothing.
    """
    given: dict[str, list[Any]] = {}
    for text in inputs:
        for name, path in parse_input(runnable, text):
            given.setdefault(name, []).append(path)
    if images:
        files = [file for text in images for file in expand(text, SUFFIXES)]
        given[picture_input(runnable, given)] = files
    if random:
        for name, array in runnable.random(random).items():
            given.setdefault(name, [array])
    missing = [spec.name for spec in runnable.inputs if spec.name not in given]
    if missing:
        raise CallError(
            f"nothing is given for the input {missing[0]}: use --image, "
            f"--input {missing[0]}=x.npy or --random"
        )
    return {
        spec.name: samples_of(spec, given[spec.name], augment)
        for spec in runnable.inputs  # in the order of the definition
    }


def parse_input(runnable: Runnable, text: str) -> list[tuple[str, Any]]:
    """`name=PATH`; the path alone for a single input, or an .npz with every input by name.

    Numbers may stand in the place of a path: `[1, 2, 3]`.
    """
    name, equals, path = text.partition("=")
    if equals:
        return [(runnable.spec(name).name, numbers_or_path(path))]
    if len(runnable.inputs) == 1:
        return [(runnable.inputs[0].name, numbers_or_path(text))]
    if Path(text).suffix != ".npz":
        raise CallError(f"--input takes name=x.npy, or an .npz with every input, not {text}")
    arrays = store_npz(Path(text))
    unknown = [name for name in arrays if all(name != spec.name for spec in runnable.inputs)]
    if unknown:
        raise CallError(
            f"{text} holds {unknown[0]}, and there is no such input; there are "
            + ", ".join(spec.name for spec in runnable.inputs)
        )
    return [(name, text) for name in arrays]


def numbers_or_path(text: str) -> Any:
    """Numbers in brackets as an array, anything else as the path that it is."""
    if not text.startswith("["):
        return text
    try:
        rows = json.loads(text)
    except (ValueError, RecursionError):
        return text  # a pattern may begin with a bracket
    try:
        array = np.array(rows)
    except ValueError as error:
        raise CallError(f"rows of numbers are of equal length: {error}") from None
    if array.dtype.kind not in "if" or not array.size:
        raise CallError(f"--input takes numbers, as in [[1, 2], [3, 4]], not {text}")
    return array


def picture_input(runnable: Runnable, given: dict[str, Any]) -> str:
    """The first input that takes a picture and has nothing yet."""
    for spec in runnable.inputs:
        if spec.pictures is not None and spec.name not in given:
            return spec.name
    raise CallError(
        f"{runnable.name} has no input that takes a picture"
        + (" and has none yet" if given else "")
    )
