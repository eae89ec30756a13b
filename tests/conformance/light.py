"""The nine whole networks that the onnx package ships, imported and run both ways.

The files hold architectures without trained numbers: every weight is a `ConstantOfShape`, so that
each layer's numbers are all alike, and the expected output is that of onnx's own evaluator for one
input, a ramp from 0 to 1. They prove the graph, its sizes, its pads and its constants; they cannot
tell one channel from another.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import numpy_helper

from compiler.driver import compile_graph
from compiler.importers.define import Defined, define
from compiler.importers.from_onnx import import_onnx
from runtime.reference import run_reference
from runtime.session import open_session

FOLDER = Path(onnx.__file__).parent / "backend" / "test" / "data" / "light"
NAMES = tuple(sorted(path.stem for path in FOLDER.glob("*.onnx")))
RELATIVE, ABSOLUTE = 1e-3, 1e-7  # those of the package's own runner


@dataclass(frozen=True)
class Outcome:
    """A network's definition, and its output each way beside the expected one."""

    defined: Defined
    expected: NDArray[Any]
    numpy: NDArray[Any]
    onnx: NDArray[Any]

    def agrees(self) -> bool:
        """Whether both ways give what is expected."""
        return all(
            found.shape == self.expected.shape
            and np.allclose(found, self.expected, RELATIVE, ABSOLUTE)
            for found in (self.numpy, self.onnx)
        )


def run_light(name: str) -> Outcome:
    """Import one of the networks, and run its definition by NumPy and by ONNX Runtime."""
    model = onnx.load(FOLDER / f"{name}.onnx")
    defined = define(import_onnx(model, f"{name}.onnx"))
    expected = numpy_helper.to_array(onnx.load_tensor(FOLDER / f"{name}_output_0.pb"))
    (source,) = defined.graph.inputs()
    shape = (1, *(size for size in source.shape if isinstance(size, int)))
    count = int(np.prod(shape))
    feeds = {source.name: (np.arange(count).reshape(shape) / count).astype(np.float32)}
    (by_numpy,) = run_reference(defined.graph, feeds).values()
    session = open_session(compile_graph(defined.graph).SerializeToString(), "cpu")
    (by_onnx,) = session.run(feeds).values()
    return Outcome(defined, expected, by_numpy, by_onnx)
