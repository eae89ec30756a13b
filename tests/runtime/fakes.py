"""ONNX Runtime as it behaves on machines that the tests do not run on."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from unittest import mock

import numpy as np
import onnxruntime as ort

from runtime import providers, session
from runtime.devices import CPU, CUDA, TENSORRT
from runtime.machine import Driver, Gpu

H100 = Gpu("NVIDIA H100", 80 * 2**30, (9, 0))
WORKING = Driver("580.65", (13, 0), (H100,))
ABSENT = Driver(problem="no NVIDIA driver was found")


@dataclass
class Part:
    """What ONNX Runtime tells of one provider's share of a graph."""

    ep_name: str
    nodes: Sequence[tuple[str, str]]

    def get_nodes(self) -> list[Any]:
        """Its nodes."""
        found = []
        for name, op_type in self.nodes:
            node = mock.Mock(op_type=op_type)
            node.name = name
            found.append(node)
        return found


@dataclass
class Machine:
    """A machine as ONNX Runtime and the driver describe it, and what was asked of them.

    `in_use` are the providers that a session ends up with, `parts` where its nodes land, `raises`
    what opening a session raises; `opened` collects the providers of each session asked for.
    """

    available: Sequence[str] = (TENSORRT, CUDA, CPU)
    driver: Driver = WORKING
    in_use: Sequence[str] | None = None
    parts: Sequence[Part] = (Part(CUDA, [("conv1", "Conv"), ("relu1", "Relu")]),)
    raises: Exception | None = None
    opened: list[list[tuple[str, dict[str, str]]]] = field(default_factory=list)
    options: list[Any] = field(default_factory=list)

    def open(self, source: Any, options: Any, *, providers: Any, enable_fallback: int) -> Any:
        """What stands for `InferenceSession`."""
        assert enable_fallback == 0, "ONNX Runtime would print and retry on the CPU"
        self.opened.append(providers)
        self.options.append(options)
        on_gpu = providers[0][0] != CPU
        if self.raises is not None and on_gpu:
            raise self.raises
        made = mock.MagicMock()
        asked = [name for name, _ in providers]
        made.get_providers.return_value = self.in_use if self.in_use and on_gpu else asked
        made.get_provider_graph_assignment_info.return_value = list(self.parts)
        made.get_inputs.return_value = [Info("x", [1, 3])]
        made.get_outputs.return_value = [Info("y", [1, 3])]
        made.get_modelmeta.return_value.custom_metadata_map = {}
        made.run.return_value = [np.zeros((1, 3), np.float32)]
        return made


@dataclass
class Info:
    """An input or output as ONNX Runtime describes it."""

    name: str
    shape: list[int]
    type: str = "tensor(float)"


@contextmanager
def machine(**settings: Any) -> Iterator[Machine]:
    """Pretend to be on another machine."""
    fake = Machine(**settings)
    with (
        mock.patch.object(ort, "InferenceSession", fake.open),
        mock.patch.object(ort, "get_available_providers", lambda: list(fake.available)),
        mock.patch.object(session, "driver", lambda: fake.driver),
        mock.patch.object(providers, "driver", lambda: fake.driver),
    ):
        yield fake
