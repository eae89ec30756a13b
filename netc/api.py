"""The public Python interface: load a definition, measure, compile, run and verify it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from compiler.analysis import Analysis
from compiler.driver import Checked, check_net, compile_graph
from compiler.graph import Graph, Input
from grammar.diagnostics import DefinitionError
from netc.library import check_settings, choose_net, open_module
from netc.summary import net_summary
from runtime.errors import CallError

if TYPE_CHECKING:
    import onnx
    from numpy.typing import NDArray

    from runtime.compare import Comparison


class Net:
    """A checked network."""

    def __init__(self, checked: Checked) -> None:
        if checked.errors or checked.analysis is None:
            raise DefinitionError(checked.diagnostics)
        self.graph: Graph = checked.graph
        self.analysis: Analysis = checked.analysis
        self.warnings = checked.diagnostics

    @property
    def name(self) -> str:
        """What the definition calls it."""
        return self.graph.name

    def summary(self) -> dict[str, Any]:
        """Totals, inputs, outputs, valid domain, and every layer with shapes and costs."""
        return net_summary(self.graph, self.analysis)

    def __str__(self) -> str:
        from netc.tables import totals

        return "\n".join([self.name, *totals(self.graph, self.analysis)])

    def with_weights(self, path: str | Path) -> Net:
        """This network with the parameters of a .safetensors or .npz file."""
        from runtime.weights import apply_weights, load_weights

        net = Net.__new__(Net)
        net.graph = apply_weights(self.graph, load_weights(Path(path)))
        net.analysis, net.warnings = self.analysis, self.warnings
        return net

    def model(
        self,
        *,
        seed: int = 0,
        optimise: bool = True,
        opset: int | None = None,
        batch: int | None = None,
    ) -> onnx.ModelProto:
        """The ONNX model; parameters without numbers get seeded initial ones."""
        return compile_graph(self.graph, seed=seed, optimise=optimise, opset=opset, batch=batch)

    def compile(
        self,
        path: str | Path,
        *,
        seed: int = 0,
        optimise: bool = True,
        opset: int | None = None,
        batch: int | None = None,
    ) -> Path:
        """Write the ONNX file, whole or not at all; returns its path."""
        from runtime.models import write_model

        model = self.model(seed=seed, optimise=optimise, opset=opset, batch=batch)
        return write_model(model, Path(path))

    def feeds(self, given: Any) -> dict[str, NDArray[Any]]:
        """Inputs by name, batch first, from a picture's path, an array, or a mapping of them."""
        import numpy as np

        from runtime.pictures import read_picture

        inputs = {node.name: node for node in self.graph.inputs()}
        if not isinstance(given, Mapping):
            if len(inputs) != 1:
                raise CallError("give the inputs by name: " + ", ".join(inputs))
            given = {next(iter(inputs)): given}
        feeds = {}
        for name, value in given.items():
            if name not in inputs:
                raise CallError(f"no input is called {name}; there are " + ", ".join(inputs))
            node = inputs[name]
            assert isinstance(node.op, Input)
            if isinstance(value, str | Path):
                shape = tuple(s if isinstance(s, int) else str(s) for s in node.shape)
                feeds[name] = read_picture(Path(value), shape, node.op.picture)
                continue
            array = np.asarray(value, dtype=np.float32)
            feeds[name] = array[None] if array.ndim == len(node.shape) else array
        return feeds

    def run(self, given: Any, *, device: str = "auto", seed: int = 0) -> dict[str, NDArray[Any]]:
        """The outputs by name, batch first; `device` is auto, cpu, cuda or numpy."""
        from compiler.initialise import initialise
        from runtime.reference import run_reference
        from runtime.session import open_session

        feeds = self.feeds(given)
        if device == "numpy":
            return dict(run_reference(initialise(self.graph, seed), feeds))
        return open_session(self.model(seed=seed).SerializeToString(), device).run(feeds)

    def verify(self, *, device: str = "cpu", seed: int = 0) -> Comparison:
        """NumPy against ONNX Runtime on random input, every layer."""
        from compiler.initialise import scatter
        from runtime.compare import compare_all, random_feeds

        graph = scatter(self.graph, seed)
        return compare_all(graph, random_feeds(graph, seed), device=device)


def load(
    file: str | Path,
    net: str | None = None,
    *,
    include: Sequence[str | Path] = (),
    **parameters: Any,
) -> Net:
    """The network of a definition file (or of the library, by name), checked.

    `net` chooses one of several; `parameters` are the net's own (`classes=10`). Raises
    `DefinitionError` with every mistake, `CallError` when the call is at fault.
    """
    module, named = open_module(str(file), [Path(folder) for folder in include])
    block = choose_net(module, net or named)
    check_settings(block, parameters)
    return Net(check_net(block, parameters))


__all__ = ["Net", "load"]
