"""Definitions as text in a test, checked, measured and run by the real compiler."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

import netc
from compiler.driver import check_net, load
from grammar.source import Source


def define(text: str, **parameters: Any) -> netc.Net:
    """The one net of a definition, which may `use` the library's blocks.

    Raises `DefinitionError` when the text is at fault.
    """
    (net,) = load(Source("test.netdef", text)).nets()
    return netc.Net(check_net(net, parameters))


def run(net: netc.Net, values: ArrayLike | Mapping[str, ArrayLike]) -> dict[str, NDArray[Any]]:
    """The outputs for one sample, without the batch, from ONNX Runtime; NumPy must agree."""
    given = values if isinstance(values, Mapping) else {net.graph.inputs()[0].name: values}
    feeds = {name: np.asarray(value, dtype=np.float32)[None] for name, value in given.items()}
    found, reference = (net.run(feeds, device=device) for device in ("cpu", "numpy"))
    for name, value in found.items():
        np.testing.assert_allclose(value, reference[name], rtol=1e-5, atol=1e-5)
    return {name: value[0] for name, value in found.items()}
