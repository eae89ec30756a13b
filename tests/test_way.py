"""A layer's way from text to ONNX and to NumPy leads through few files.

Counted is each file of the compiler's own packages of which some function runs while a net of one
convolution is checked, compiled and interpreted: those too that a net without a layer needs, which
are counted apart. What is worked out once for all nets, such as the parser's tables, is there by
then; what runs at import is not counted.
"""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path
from types import FrameType
from typing import Any

import numpy as np

import compiler
from compiler.driver import check_net, compile_graph, load, require
from compiler.initialise import initialise
from grammar.source import Source
from runtime.reference import run_reference

ROOT = Path(compiler.__file__).parents[1]
PACKAGES = tuple(f"{ROOT / package}/" for package in ("grammar", "compiler", "runtime"))
NOTHING = "net one { input x: f32[3, 8, 8]; output y }"
ONE_LAYER = "net one { input x: f32[3, 8, 8]; conv(8, 3x3); output y }"
MOST_FILES = 39
MOST_BESIDE_NOTHING = 31  # those that only the layer leads to, or leads to more often


def travel(text: str) -> None:
    """Check a net, compile it to ONNX, and run it with NumPy."""
    (net,) = load(Source("one.netdef", text)).nets()
    graph = require(check_net(net))
    compile_graph(graph)
    run_reference(initialise(graph), {"x": np.ones((1, 3, 8, 8), np.float32)})


def calls(text: str) -> Counter[tuple[str, str]]:
    """How often each function of each file is entered on that way."""
    travel(text)  # what is imported and kept once is there
    found: Counter[tuple[str, str]] = Counter()

    def count(frame: FrameType, event: str, _: Any) -> None:
        if event == "call" and frame.f_code.co_filename.startswith(PACKAGES):
            found[frame.f_code.co_filename, frame.f_code.co_qualname] += 1

    before = sys.getprofile()
    sys.setprofile(count)
    try:
        travel(text)
    finally:
        sys.setprofile(before)
    return found


def files(found: Counter[tuple[str, str]]) -> list[str]:
    """The files whose functions were entered."""
    return sorted({str(Path(file).relative_to(ROOT)) for file, _ in found})


def test_a_layer_leads_through_fewer_than_40_files() -> None:
    entered, added = files(calls(ONE_LAYER)), files(calls(ONE_LAYER) - calls(NOTHING))
    assert "compiler/onnx/convolution.py" in added and "runtime/kernels/convolution.py" in added
    assert len(entered) <= MOST_FILES, entered
    assert len(added) <= MOST_BESIDE_NOTHING, added
