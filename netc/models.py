"""Models of other formats, read as definitions: ONNX, Caffe prototxt, Darknet cfg."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from compiler import importers
from compiler.files import is_regular
from compiler.importers import FORMATS
from compiler.importers.imported import Imported, UnreadableError
from netc.given import documented, path_of
from netc.net import Net
from runtime.errors import CallError
from runtime.files import no_file

if TYPE_CHECKING:
    from compiler.importers.define import Defined
    from compiler.ops.base import Shape


def is_model(file: str) -> bool:
    """Whether a file is a model of another format, by its name."""
    return Path(file).suffix in FORMATS


def is_onnx(file: str) -> bool:
    """Whether a file is a model that runs as it is, by its name."""
    return Path(file).suffix == ".onnx"


def read_model(path: Path, shapes: Mapping[str, Shape] | None = None) -> tuple[Imported, Defined]:
    """What a file holds and the definition of it.

    `shapes` are those of inputs whose sizes the file leaves open, without the batch. Raises
    `DefinitionError` with every layer that cannot be expressed, `CallError` for other files.
    """
    from compiler.importers.define import define

    if not is_regular(path):
        raise CallError(no_file(path))
    try:
        if is_onnx(str(path)):
            from compiler.importers.from_onnx import import_onnx
            from runtime.onnx_file import read_model_file

            imported = import_onnx(read_model_file(path), path.name, shapes=shapes)
        else:
            imported = importers.read_model(path, shapes)
    except UnreadableError as error:
        raise CallError(str(error)) from None
    return imported, define(imported)


@documented
def read(file: str | Path, **shapes: Shape) -> Net:
    """The network of an ONNX, Caffe or Darknet file, with its weights where the file holds them.

    `shapes` are those of inputs whose sizes the file leaves open, without the batch. Raises
    `DefinitionError` with every layer that cannot be expressed, and `CallError`.
    """
    return Net(read_model(path_of(file), shapes)[1].checked)
