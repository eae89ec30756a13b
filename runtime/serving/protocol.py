"""The Open Inference Protocol, version 2: what a request holds, and what answers it.

A request is a JSON object with a list of `inputs`. The numbers of a tensor stand in its `data`, or
behind the object as raw little-endian bytes (the extension for binary data), as many as its
parameter `binary_data_size` says. An answer is made in the same way.
https://github.com/kserve/open-inference-protocol
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from runtime.batches import Arrays
from runtime.decode import PictureError
from runtime.errors import CallError
from runtime.inputs import InputSpec, TensorSpec
from runtime.pictures import read_views

DATATYPES = {
    "BOOL": np.dtype("bool"),
    **{f"UINT{bits}": np.dtype(f"<u{bits // 8}") for bits in (8, 16, 32, 64)},
    **{f"INT{bits}": np.dtype(f"<i{bits // 8}") for bits in (8, 16, 32, 64)},
    **{f"FP{bits}": np.dtype(f"<f{bits // 8}") for bits in (16, 32, 64)},
}
NAMES = {dtype: name for name, dtype in DATATYPES.items()}
BYTES = "BYTES"  # of which an input that takes pictures takes whole files
LENGTH = np.dtype("<u4")  # what stands before each item of BYTES


class RequestError(CallError):
    """A request that the protocol or the model does not take; its text is the answer."""


@dataclass(frozen=True)
class WantedOutput:
    """An output that a request asks for: as raw bytes or not; of `classes`, the best so many."""

    name: str
    binary: bool = False
    classes: int = 0


@dataclass(frozen=True)
class Request:
    """What one caller wants: a batch for each input; outputs that are all of them if none."""

    feeds: Arrays
    outputs: tuple[WantedOutput, ...] = ()
    id: str = ""
    binary: bool = False  # outputs that none are named of

    @property
    def count(self) -> int:
        """How many samples."""
        return len(next(iter(self.feeds.values())))


@dataclass(frozen=True)
class Answer:
    """The body of an answer, of which so many bytes are JSON; all of them where it says None."""

    body: bytes
    json_bytes: int | None = None


@dataclass(frozen=True)
class ModelText:
    """What is told of a model: its name, its inputs, its outputs and their classes."""

    name: str
    inputs: tuple[InputSpec, ...]
    outputs: tuple[TensorSpec, ...]
    labels: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    version: str = "1"

    def metadata(self) -> dict[str, Any]:
        """The answer to a question for the model's inputs and outputs; -1 is an open size."""
        return {
            "name": self.name,
            "versions": [self.version],
            "platform": "onnxruntime_onnx",
            "inputs": [described(spec) for spec in self.inputs],
            "outputs": [described(spec) for spec in self.outputs],
        }


def described(spec: TensorSpec) -> dict[str, Any]:
    """One tensor: its name, datatype and shape, the batch in front."""
    sizes = [size if isinstance(size, int) else -1 for size in spec.shape]
    return {"name": spec.name, "datatype": datatype_of(spec.dtype), "shape": [-1, *sizes]}


def datatype_of(dtype: str) -> str:
    """The protocol's word for an element type."""
    return "BF16" if dtype == "bfloat16" else NAMES[np.dtype(dtype)]


def parse_request(body: bytes, json_bytes: int | None, specs: Sequence[InputSpec]) -> Request:
    """The request in a body of which the first `json_bytes` are JSON; raises `RequestError`."""
    if json_bytes is not None and not 0 <= json_bytes <= len(body):
        raise RequestError("Inference-Header-Content-Length is not a length within the request")
    tail = memoryview(body)[len(body) if json_bytes is None else json_bytes :]
    found = parsed(body if json_bytes is None else body[:json_bytes])
    known = {spec.name: spec for spec in specs}
    feeds: Arrays = {}
    for tensor in listed(found, "inputs"):
        name = text_in(tensor, "name")
        if name not in known:
            raise RequestError(f"there is no input {name}; there are {', '.join(known)}")
        if name in feeds:
            raise RequestError(f"the input {name} is given twice")
        size = parameters_of(tensor).get("binary_data_size")
        raw = None
        if size is not None:
            if not is_whole(size) or not 0 <= size <= len(tail):
                raise RequestError(f"the binary_data_size of {name} is not within the request")
            raw, tail = tail[:size], tail[size:]
        feeds[name] = read_tensor(tensor, known[name], raw)
    missing = [name for name in known if name not in feeds]
    if missing:
        raise RequestError(f"nothing is given for the input {missing[0]}")
    if len({len(array) for array in feeds.values()}) > 1:
        rendered = ", ".join(f"{len(array)} of {name}" for name, array in feeds.items())
        raise RequestError(f"every input needs the same number of samples, there are {rendered}")
    if len(tail):
        raise RequestError(f"{len(tail):,} bytes behind the last tensor belong to none")
    outputs = tuple(wanted_outputs(found))
    return Request(
        {name: feeds[name] for name in known},
        outputs,
        str(found.get("id", "")),
        parameters_of(found).get("binary_data_output") is True,
    )


def parsed(text: bytes) -> dict[str, Any]:
    """The JSON object that a request is."""
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        raise RequestError("the request is no JSON") from None
    if not isinstance(found, dict):
        raise RequestError("the request is no JSON object")
    return found


def listed(holder: dict[str, Any], key: str) -> list[dict[str, Any]]:
    """A list of objects in a request."""
    value = holder.get(key)
    if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
        raise RequestError(f"`{key}` is a list of objects")
    return value


def text_in(holder: dict[str, Any], key: str) -> str:
    """A text in a request."""
    value = holder.get(key)
    if not isinstance(value, str):
        raise RequestError(f"`{key}` is a text")
    return value


def parameters_of(holder: dict[str, Any]) -> dict[str, Any]:
    """The parameters that a part of a request has."""
    value = holder.get("parameters", {})
    if not isinstance(value, dict):
        raise RequestError("`parameters` is an object")
    return value


def is_whole(value: Any) -> bool:
    """Whether JSON has a whole number here."""
    return isinstance(value, int) and not isinstance(value, bool)


def read_tensor(tensor: dict[str, Any], spec: InputSpec, raw: memoryview | None) -> NDArray[Any]:
    """The numbers of one input, a batch; raises `RequestError` for what the input cannot take."""
    shape = tensor.get("shape")
    if not isinstance(shape, list) or not all(is_whole(size) and size >= 0 for size in shape):
        raise RequestError(f"the shape of {spec.name} is a list of sizes")
    word = text_in(tensor, "datatype")
    if word == BYTES and spec.pictures is not None:
        return read_pictures(tensor, spec, raw, shape)
    if word != datatype_of(spec.dtype):
        also = " (or BYTES, a picture file a sample)" if spec.pictures is not None else ""
        raise RequestError(f"the input {spec.name} is {datatype_of(spec.dtype)}{also}, not {word}")
    if word not in DATATYPES:
        raise RequestError(f"{word} cannot be sent")
    if len(shape) != len(spec.shape) + 1 or not spec.fits(shape[1:]) or not shape[0]:
        wanted = [-1, *(size if isinstance(size, int) else -1 for size in spec.shape)]
        raise RequestError(f"the input {spec.name} is {wanted}, not {shape}")
    dtype, count = DATATYPES[word], math.prod(shape)
    if raw is None:
        return numbers(tensor.get("data"), dtype, count, spec.name).reshape(shape)
    if len(raw) != count * dtype.itemsize:
        raise RequestError(
            f"the input {spec.name} is {shape} of {word}, {count * dtype.itemsize:,} bytes, "
            f"and there are {len(raw):,}"
        )
    return np.frombuffer(raw, dtype).reshape(shape)


def numbers(data: Any, dtype: np.dtype[Any], count: int, name: str) -> NDArray[Any]:
    """The numbers in JSON, flat or nested, all of them of the element type's kind."""
    if not isinstance(data, list):
        raise RequestError(f"the input {name} has neither `data` nor `binary_data_size`")
    try:
        with np.errstate(over="ignore"):
            plain = np.array(data)
            if plain.dtype.kind not in {"b": "b", "f": "iuf"}.get(dtype.kind, "iu"):
                raise ValueError
            found = plain.astype(dtype)
        if dtype.kind in "iu" and not np.array_equal(found, plain):
            raise OverflowError
    except (ValueError, TypeError, OverflowError):
        raise RequestError(f"the `data` of {name} are not numbers of {NAMES[dtype]}") from None
    if found.size != count:
        raise RequestError(f"the `data` of {name} are {found.size:,} numbers, not {count:,}")
    return found


def read_pictures(
    tensor: dict[str, Any], spec: InputSpec, raw: memoryview | None, shape: list[int]
) -> NDArray[Any]:
    """Picture files, one a sample, brought to the input as its clause says."""
    assert spec.pictures is not None
    if raw is None:
        raise RequestError(f"the pictures of {spec.name} come as binary data")
    files = list(items_of_bytes(raw, spec.name))
    if math.prod(shape) != len(files) or not files:
        raise RequestError(f"{spec.name} has {len(files):,} pictures, and says {shape}")
    try:
        views = [read_views(file, spec.pictures) for file in files]
        return np.concatenate(views)
    except PictureError as error:
        raise RequestError(str(error)) from None
    except ValueError:  # open sizes, and no two alike
        raise RequestError(f"the pictures of {spec.name} are of several sizes") from None


def items_of_bytes(raw: memoryview, name: str) -> Iterator[bytes]:
    """The items of a BYTES tensor: each behind its length in four bytes."""
    while len(raw):
        length = int.from_bytes(raw[: LENGTH.itemsize], "little")
        raw = raw[LENGTH.itemsize :]
        if length > len(raw):
            raise RequestError(f"an item of {name} is longer than what is there")
        yield bytes(raw[:length])
        raw = raw[length:]


def wanted_outputs(found: dict[str, Any]) -> Iterator[WantedOutput]:
    """The outputs that a request names."""
    if "outputs" not in found:
        return
    for tensor in listed(found, "outputs"):
        given = parameters_of(tensor)
        classes = given.get("classification", 0)
        if not is_whole(classes) or classes < 0:
            raise RequestError("`classification` is how many classes are wanted")
        yield WantedOutput(text_in(tensor, "name"), given.get("binary_data") is True, classes)


def chosen_outputs(request: Request, model: ModelText) -> list[WantedOutput]:
    """The outputs that answer a request; raises `RequestError` for one that there is not."""
    names = [spec.name for spec in model.outputs]
    for wanted in request.outputs:
        if wanted.name not in names:
            raise RequestError(f"there is no output {wanted.name}; there are {', '.join(names)}")
    return list(request.outputs) or [WantedOutput(name, request.binary) for name in names]


def render_answer(request: Request, model: ModelText, arrays: Arrays) -> Answer:
    """What answers a request whose outputs are these arrays."""
    outputs: list[dict[str, Any]] = []
    tail: list[bytes] = []
    for wanted in chosen_outputs(request, model):
        array = arrays[wanted.name]
        text: dict[str, Any] = {"name": wanted.name}
        if wanted.classes:
            names = best_classes(array, wanted.classes, model.labels.get(wanted.name, ()))
            text |= {"datatype": BYTES, "shape": [len(names), len(names[0])]}
            flat = [name for row in names for name in row]
            raw = b"".join(len(n).to_bytes(4, "little") + n for n in map(str.encode, flat))
            data: list[Any] = flat
        else:
            text |= {"datatype": NAMES[array.dtype], "shape": list(array.shape)}
            raw = np.ascontiguousarray(array).tobytes() if wanted.binary else b""
            data = [] if wanted.binary else array.ravel().tolist()
        if wanted.binary:
            text["parameters"] = {"binary_data_size": len(raw)}
            tail.append(raw)
        else:
            text["data"] = data
        outputs.append(text)
    answer: dict[str, Any] = {"model_name": model.name, "model_version": model.version}
    if request.id:
        answer["id"] = request.id
    head = json.dumps(answer | {"outputs": outputs}).encode()
    return Answer(head + b"".join(tail), len(head) if tail else None)


def best_classes(array: NDArray[Any], count: int, labels: Sequence[str]) -> list[list[str]]:
    """The best classes of each sample as `value:index:name`, the best first."""
    rows = array.reshape(len(array), -1)
    order = np.argsort(-rows, axis=1, kind="stable")[:, :count]
    return [
        [
            f"{row[index]:f}:{index}" + (f":{labels[index]}" if index < len(labels) else "")
            for index in best
        ]
        for row, best in zip(rows, order, strict=True)
    ]
