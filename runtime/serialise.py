"""The bytes of a model, one initializer after the other.

Protobuf makes the bytes of a message at once, in memory of its own, and Python copies them: two
more copies of all weights. Those of a message within another are its tag, its length and itself
(protobuf's "Encoding", "Length-Delimited Records"), so they can be put together piece by piece,
in the order of the fields' numbers, as protobuf does.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain
from typing import TypeVar

import onnx
from google.protobuf.message import Message
from google.protobuf.unknown_fields import UnknownFieldSet

AnyMessage = TypeVar("AnyMessage", bound=Message)


def pieces(model: onnx.ModelProto) -> Iterator[bytes]:
    """What joined is `model.SerializeToString(deterministic=True)`."""
    if any(UnknownFieldSet(message) for message in (model, model.graph)):  # of a later ONNX
        yield model.SerializeToString(deterministic=True)
        return
    graph = onnx.ModelProto.DESCRIPTOR.fields_by_name["graph"].number
    initializer = onnx.GraphProto.DESCRIPTOR.fields_by_name["initializer"].number
    before, after = around(model, graph)
    first, last = around(model.graph, initializer)
    tensors = model.graph.initializer
    starts = [header(initializer, tensor.ByteSize()) for tensor in tensors]
    size = sum(map(len, chain((first, last), starts))) + sum(t.ByteSize() for t in tensors)
    yield before
    if model.HasField("graph"):
        yield header(graph, size)
        yield first
        for start, tensor in zip(starts, tensors, strict=True):
            yield start
            yield tensor.SerializeToString(deterministic=True)
        yield last
    yield after


def around(message: AnyMessage, number: int) -> tuple[bytes, bytes]:
    """The bytes of the fields with smaller numbers, and of those with larger ones."""
    before, after = type(message)(), type(message)()
    for field, value in message.ListFields():
        part = before if field.number < number else after
        if field.number == number:
            continue
        if isinstance(value, Message) or hasattr(value, "MergeFrom"):  # repeated ones too
            getattr(part, field.name).MergeFrom(value)
        else:
            setattr(part, field.name, value)
    return before.SerializeToString(deterministic=True), after.SerializeToString(deterministic=True)


def header(number: int, size: int) -> bytes:
    """The tag and length of a message that is a field of another."""
    return varint(number << 3 | 2) + varint(size)


def varint(number: int) -> bytes:
    """A number in bytes of seven bits, the lowest first."""
    found = bytearray()
    while number > 0x7F:
        found.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*found, number])
