"""Other formats to definitions: ONNX models, Caffe prototxt, Darknet cfg.

from_onnx, from_caffe, from_darknet   a file becomes a graph, its layers in netc's terms
tidy                                  several layers that are one in our language become one
structure                             the graph becomes blocks, joins and loops, and text
define                                the text is compiled and proved to be that graph
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from compiler.importers.imported import Imported, UnreadableError
from compiler.ops.base import Shape

FORMATS = (".onnx", ".prototxt", ".cfg")


def read_model(path: Path, shapes: Mapping[str, Shape] | None = None) -> Imported:
    """The graph of a text file, its format known by its ending; of ONNX see `from_onnx`.

    `shapes` are those of inputs whose sizes the file leaves open, without the batch. Raises
    `DefinitionError` with every layer that cannot be expressed, `UnreadableError`, and `OSError`.
    """
    match path.suffix:
        case ".prototxt":
            from compiler.importers.from_caffe import read_caffe

            return read_caffe(path, shapes)
        case ".cfg":
            from compiler.importers.from_darknet import read_darknet

            if shapes:
                raise UnreadableError(f"{path}: the [net] of a cfg says how large its picture is")
            return read_darknet(path)
    raise UnreadableError(f"{path}: a model ends in one of {', '.join(FORMATS)}")
