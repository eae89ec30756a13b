"""A net compiled and imported again, and the two compared."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx

import netc
from compiler.dims import evaluate, symbols
from compiler.driver import check_net, compile_graph, load
from compiler.files import read_source
from compiler.graph import Graph
from compiler.importers.define import Defined, define
from compiler.importers.from_onnx import import_onnx
from compiler.initialise import scatter
from compiler.options import CompileOptions
from runtime.reference import run_reference
from runtime.session import open_session

NETS = {
    block.name: block for block in load(read_source(Path(__file__).with_name("nets.netdef"))).nets()
}
# Nets of the library, narrow enough to be quick; AUX has GoogLeNet's auxiliary heads.
LIBRARY: dict[str, dict[str, Any]] = {
    "alexnet": {"classes": 10, "hidden": 64},
    "c3d": {"classes": 10, "width": 4, "hidden": 32},
    "dcgan_discriminator": {"width": 8},
    "dcgan_generator": {"width": 8},
    "resnet18": {"width": 8},
    "resnet50": {"width": 8},
    "vgg_d_bn": {"classes": 10, "width": 4, "hidden": 32},
}
AUX = "googlenet_aux"
SIZE = 16  # of every symbol, when a net runs


def graph_of(name: str, *, whole: bool = False) -> Graph:
    """A net of this folder or of the library, with random numbers for all its parameters.

    The library's are narrow unless they are wanted `whole`.
    """
    if name in NETS:
        checked = check_net(NETS[name])
        assert not checked.errors, checked.errors
        return scatter(checked.graph)
    if name == AUX:
        return scatter(netc.load("googlenet", aux=True).graph)
    return scatter(netc.load(name, **({} if whole else LIBRARY.get(name, {}))).graph)


def again(graph: Graph, *, optimise: bool = False) -> tuple[onnx.ModelProto, Defined]:
    """The compiled model, and the definition that is made of it."""
    model = compile_graph(graph, CompileOptions(optimise=optimise))
    return model, define(import_onnx(model, f"{graph.name}.onnx"))


def feeds_of(graph: Graph, batch: int = 2) -> dict[str, Any]:
    """Random inputs."""
    random = np.random.default_rng(0)
    feeds = {}
    for node in graph.inputs():
        sizes = [evaluate(size, dict.fromkeys(symbols(size), SIZE)) for size in node.shape]
        feeds[node.name] = random.standard_normal((batch, *sizes)).astype(np.float32)
    return feeds


def batch_of(model: onnx.ModelProto) -> int:
    """The batch that a model fixes, else two samples."""
    first = model.graph.input[0].type.tensor_type.shape.dim[0]
    return int(first.dim_value) if first.HasField("dim_value") else 2


def assert_same(model: onnx.ModelProto, defined: Defined, *, interpret: bool = True) -> None:
    """The definition's network gives the model's outputs, by ONNX Runtime and by NumPy."""
    feeds = feeds_of(defined.graph, batch_of(model))
    session = open_session(model.SerializeToString(), "cpu")
    wanted = session.run(feeds)
    compiled = open_session(compile_graph(defined.graph).SerializeToString(), "cpu")
    ways = [compiled.run(feeds)]
    if interpret:
        ways.append(dict(run_reference(defined.graph, feeds)))
    for found in ways:
        assert set(found) == set(wanted)
        for name, value in wanted.items():
            atol = 1e-4 * max(1.0, float(np.abs(value).max()))
            np.testing.assert_allclose(found[name], value, rtol=1e-4, atol=atol)


def layers(defined: Defined) -> str:
    """The ops of a network but for its inputs and bare branches, in order."""
    names = [node.op.name for node in defined.graph.nodes()]
    return " ".join(name for name in names if name not in ("input", "identity"))


def assert_means(model: onnx.ModelProto, wanted: str) -> Defined:
    """The model is read as these layers, and they give its outputs."""
    defined = define(import_onnx(model, "test.onnx"))
    assert layers(defined) == wanted
    assert_same(model, defined)
    return defined
