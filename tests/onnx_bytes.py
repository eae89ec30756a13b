"""Broken ONNX files: none may end in anything but an import or a report, soon and in little memory.

`python -m tests.onnx_bytes 20000 --seed 1` changes random models (`importers/random_onnx.py`) in
their bytes and in their fields, and imports each through the real command. It tells of each that
ends in an error of netc's own or another exit code than 0, 1 or 2, says nothing, computes something
else than the model, takes more than ten seconds of work, or makes the process grow by a gigabyte;
the file is saved in the current folder.
"""

from __future__ import annotations

import resource
import sys
import tempfile
import time
import traceback
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message

from tests.campaigns import Failure, campaign
from tests.importers.random_onnx import draw
from tests.netc.command import netc

SECONDS = 10.0
MOST_MEMORY = 2**20  # KiB beyond what the process took before
NUMBERS = [0, 1, -1, 2, 3, 7, 64, 99, 1000, 2**31 - 1, -(2**31), 2**40, 2**63 - 1, -(2**63)]
WORDS = [
    "",
    "x",
    "in0",
    "t1",
    "y",
    "add",
    "Relu",
    "Conv",
    "Loop",
    "If",
    "Tile",
    "a b",
    "a/b",
    "\x00",
    "é",
]
WORDS += [
    "layer0.weight",
    "a" * 3000,
    "conv1.0.",
    ".",
    "Reshape",
    "Concat",
    "ai.onnx.ml",
    "in",
    "net",
]


def inputs(count: int, seed: int) -> Iterator[bytes]:
    """Files: models with changed fields, with changed bytes, or both."""
    for number in range(count):
        random = Random(f"{seed} {number}")
        model = draw(random.randrange(2**32))
        kind = random.random()
        if kind < 0.75:
            for _ in range(random.choice([1, 1, 1, 2, 4])):
                change(model, random)
        content = model.SerializeToString()
        yield scrambled(content, random) if kind > 0.7 else content


def scrambled(content: bytes, random: Random) -> bytes:
    """Bytes with some changed, cut out, doubled, or cut off."""
    data = bytearray(content)
    for _ in range(random.choice([1, 1, 2, 8])):
        if not data:
            break
        at = random.randrange(len(data))
        match random.randrange(5):
            case 0:
                data[at] ^= 1 << random.randrange(8)
            case 1:
                data[at] = random.randrange(256)
            case 2:
                del data[at : at + random.randrange(1, 9)]
            case 3:
                data[at:at] = data[at : at + random.randrange(1, 30)]
            case 4 if random.random() < 0.2:
                del data[at:]
    return bytes(data)


def change(model: Message, random: Random) -> None:
    """Change one field somewhere in a message."""
    message, field = random.choice(list(fields(model)))
    if field.is_repeated:
        change_list(getattr(message, field.name), field, random)
    elif field.type == FieldDescriptor.TYPE_MESSAGE or random.random() < 0.15:
        message.ClearField(field.name)
    else:
        setattr(message, field.name, value_of(field, random))


def change_list(items: Any, field: FieldDescriptor, random: Random) -> None:
    """Drop, double, exchange or change an item of a list."""
    at, other = random.randrange(len(items)), random.randrange(len(items))
    match random.randrange(4):
        case 0:
            del items[at]
        case 1:
            items.append(items[at])
        case 2 if field.type == FieldDescriptor.TYPE_MESSAGE:
            items[at].CopyFrom(items[other])
        case 2:
            items[at], items[other] = items[other], items[at]
        case 3 if field.type != FieldDescriptor.TYPE_MESSAGE:
            items[at] = value_of(field, random)


def value_of(field: FieldDescriptor, random: Random) -> Any:
    """Some value for a field."""
    if field.type == FieldDescriptor.TYPE_STRING:
        return random.choice(WORDS)
    if field.type == FieldDescriptor.TYPE_BYTES:
        return random.choice([b"", b"\xff", b"SAME_UPPER", b"VALID", b"linear", b"\x00" * 64])
    if field.type in (FieldDescriptor.TYPE_FLOAT, FieldDescriptor.TYPE_DOUBLE):
        return random.choice([0.0, 1.0, -1.0, 1e30, float("nan"), float("inf")])
    if field.type == FieldDescriptor.TYPE_INT64:
        return random.choice(NUMBERS)
    if field.type == FieldDescriptor.TYPE_ENUM:
        return random.choice(sorted(field.enum_type.values_by_number))
    return random.choice(NUMBERS[:11])


def fields(message: Message) -> Iterator[tuple[Message, FieldDescriptor]]:
    """Every field that is set, in the messages within too."""
    for field, value in message.ListFields():
        yield message, field
        if field.type == FieldDescriptor.TYPE_MESSAGE:
            for inner in value if field.is_repeated else [value]:
                yield from fields(inner)


def memory() -> int:
    """The most that this process ever took, in KiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def failures(count: int, seed: int, *, timed: bool) -> Iterator[Failure]:
    """The inputs among `count` whose import goes wrong."""
    with tempfile.TemporaryDirectory() as folder:
        path, target = Path(folder) / "x.onnx", Path(folder) / "x.netdef"
        for content in inputs(count, seed):
            path.write_bytes(content)
            start, before = time.process_time(), memory()
            try:
                result = netc("import", path, "-o", target)
            except Exception:
                yield Failure(content, traceback.format_exc(limit=-3))
                continue
            seconds, grown = time.process_time() - start, memory() - before
            if result.exit_code not in (0, 1, 2) or "E901" in result.stderr:
                yield Failure(content, f"exit code {result.exit_code}: {result.stderr}")
            elif "E603" in result.stderr:
                yield Failure(content, result.stderr)
            elif not (result.stdout if result.exit_code == 0 else result.stderr).strip():
                yield Failure(content, "no word")
            elif result.exit_code and target.exists():
                yield Failure(content, "a file is written though the import failed")
            elif timed and (seconds > SECONDS or grown > MOST_MEMORY):
                yield Failure(content, f"{seconds:.1f} seconds, {grown // 1024} MiB more")
            target.unlink(missing_ok=True)


def main() -> int:
    """The command."""
    return campaign(
        __doc__, partial(failures, timed=True), lambda seed, number: f"bytes{seed}_{number}.onnx"
    )


if __name__ == "__main__":
    sys.exit(main())
