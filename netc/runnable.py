"""What can be run, and how: a definition's network or a compiled model on a device."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal, cast

import numpy as np
from ml_dtypes import bfloat16

from compiler.driver import compile_graph
from compiler.graph import Graph, Input, Node, is_whole, limits_of
from compiler.initialise import initialise, is_seeded
from compiler.options import CompileOptions
from compiler.pictures import Picture
from compiler.symbols.labels import label_of
from grammar.diagnostics import printable
from runtime.batches import Arrays, Runner
from runtime.errors import CallError
from runtime.inputs import InputSpec, TensorSpec
from runtime.pictures import PictureInput
from runtime.random_inputs import OPEN_SIZE, random_feeds, random_input
from runtime.reference import run_reference
from runtime.session import OnnxSession, open_session
from runtime.settings import Settings
from runtime.valid_sizes import Violated, violated_of


@dataclass(frozen=True)
class Engine:
    """What a network runs on, and the seed of the weights that it has no numbers for.

    `dtype` is what it computes in; `exact` keeps CUDA from rounding float32 products to TF32;
    `threads` is 0 for all cores; those that `spin` between runs take time from what else is done.
    """

    device: str = "auto"
    seed: int = 0
    dtype: str = "f32"
    exact: bool = True
    threads: int = 0
    spin: bool = True

    @property
    def settings(self) -> Settings:
        """How ONNX Runtime is asked for it."""
        return Settings(exact=self.exact, dtype=self.dtype, threads=self.threads, spin=self.spin)


@dataclass(frozen=True)
class Runnable:
    """A network ready to run.

    `labels` are class names by output, `violated` the valid domain, `random` makes so many
    samples of random numbers, `seeded` says that the weights are initial ones.
    """

    name: str
    inputs: tuple[InputSpec, ...]
    outputs: tuple[TensorSpec, ...]
    runner: Runner
    labels: Mapping[str, tuple[str, ...]]
    violated: Violated
    random: Callable[[int], Arrays]
    seeded: bool = False

    def spec(self, name: str) -> InputSpec:
        """The input of this name; raises `CallError`."""
        for spec in self.inputs:
            if spec.name == name:
                return spec
        names = ", ".join(spec.name for spec in self.inputs)
        raise CallError(f"there is no input {name}; there are {names}")


def runnable_of_graph(graph: Graph, engine: Engine, tensors: Sequence[str] = ()) -> Runnable:
    """A definition: compiled on the way, or interpreted by NumPy.

    `tensors` names layers, blocks and outputs whose tensors are wanted instead of the outputs.
    """
    if tensors:
        graph = with_tensors(graph, tensors)
    domain, limits = graph.domain, limits_of(graph)
    return Runnable(
        name=graph.name,
        inputs=tuple(spec_of_node(node, limits.get(node.name)) for node in graph.inputs()),
        outputs=tuple(
            TensorSpec(name, sizes_of(graph[node])) for name, node in graph.outputs.items()
        ),
        runner=runner_of_graph(graph, engine),
        labels=graph.labels,
        violated=domain.contains if domain is not None else violated_of(()),
        random=lambda count: dict(random_feeds(graph, engine.seed, batch=count)),
        seeded=is_seeded(graph),
    )


def with_tensors(graph: Graph, tensors: Sequence[str]) -> Graph:
    """The graph with the tensors of these labels as its outputs."""
    try:
        outputs = {label: label_of(graph, label) for label in tensors}
    except KeyError as error:
        raise CallError(str(error.args[0])) from None
    return replace(graph, outputs=outputs)


def spec_of_node(node: Node, below: int | None = None) -> InputSpec:
    """What an input of a definition takes; whole numbers lie `below` a limit."""
    assert isinstance(node.op, Input)
    shape = sizes_of(node)
    if is_whole(node):
        return InputSpec(node.name, shape, "int64", below=below)
    return InputSpec(node.name, shape, "float32", picture_input(shape, node.op.picture))


def sizes_of(node: Node) -> tuple[int | str, ...]:
    """The shape per sample of a layer's tensor, open sizes as text."""
    return tuple(size if isinstance(size, int) else str(size) for size in node.shape)


def picture_input(
    shape: tuple[int | str, ...],
    picture: Picture | None,
    embedded: Literal["nhwc", "nchw"] | None = None,
) -> PictureInput | None:
    """How pictures become an input of this shape; None where they cannot."""
    wanted = PictureInput(shape, picture, embedded)
    return wanted if wanted.clause.complaint(shape) is None else None


def runner_of_graph(graph: Graph, engine: Engine) -> Runner:
    """The interpreter, or ONNX Runtime with the model that the definition compiles to."""
    if engine.device == "numpy":
        if engine.dtype != "f32":
            raise CallError("the NumPy device computes in float32: no --dtype")
        complete = initialise(graph, engine.seed)
        return Runner("numpy", lambda feeds: dict(run_reference(complete, feeds)))
    model = compile_graph(graph, CompileOptions(engine.seed, dtype=engine.dtype))
    return runner_of_session(open_session(model, engine.device, engine.settings))


def runner_of_session(session: OnnxSession) -> Runner:
    """A session as what runs batches; a model whose batch is a number has it pinned.

    bfloat16 outputs become float32, since no file of arrays, table or picture holds them.
    """
    first = next((shape[0] for shape in session.inputs.values() if shape), None)
    pinned = first if isinstance(first, int) else None

    def run(feeds: Arrays) -> Arrays:
        outputs = session.run(feeds)
        return {n: v.astype(np.float32) if v.dtype == bfloat16 else v for n, v in outputs.items()}

    return Runner(
        session.device, run, session.note, pinned, session.placement, lambda: session.note
    )


def runnable_of_model(
    path: Path, engine: Engine, shapes: Mapping[str, tuple[int, ...]] | None = None
) -> Runnable:
    """A compiled model, with what its metadata says of pictures, class names and sizes.

    `shapes` are those of inputs whose sizes it leaves open, without the batch.
    """
    if engine.device == "numpy":
        raise CallError("the NumPy device runs definitions, not ONNX files")
    if engine.dtype != "f32":
        raise CallError("an ONNX file has its precision inside: no --dtype")
    session = open_session(path, engine.device, engine.settings)
    try:
        found = read_metadata(session.metadata)
        violated = violated_of(found.get("domain", []))
    except (ValueError, TypeError, RecursionError) as error:
        raise CallError(f"the metadata of {path} is broken: {error}") from None
    if not session.inputs:
        raise CallError(f"{path} has no input: it gives the same on every run")
    specs = tuple(spec_of_model(session, name, found) for name in session.inputs)
    for name, shape in (shapes or {}).items():
        specs = with_shape(specs, name, shape)
    return Runnable(
        name=printable(session.metadata.get("netc.net", path.stem)),
        inputs=specs,
        outputs=tuple(outputs_of_model(session)),
        runner=runner_of_session(session),
        labels=found["labels"],
        violated=violated,
        random=lambda count: random_samples(specs, engine.seed, count),
    )


def read_metadata(metadata: Mapping[str, str]) -> dict[str, Any]:
    """The entries that netc wrote into a model; raises ValueError for what it would not write."""
    found: dict[str, Any] = {"picture": {}, "labels": {}, "embedded": {}, "below": {}}
    for key, value in metadata.items():
        kind, _, name = key.removeprefix("netc.").partition(".")
        if key == "netc.domain":
            found["domain"] = [str(line) for line in json.loads(value)]
        elif key.startswith("netc.picture."):
            found[kind][name] = Picture.from_dict(json.loads(value))
        elif key.startswith("netc.below."):
            found[kind][name] = int(json.loads(value))
        elif key.startswith("netc.labels."):
            found[kind][name] = tuple(map(str, json.loads(value)))
        elif key.startswith("netc.embedded."):
            layout = json.loads(value)
            if layout not in ("nhwc", "nchw"):
                raise ValueError(f"{key} is {layout}")
            found[kind][name] = layout
    return found


def spec_of_model(session: OnnxSession, name: str, found: Mapping[str, Any]) -> InputSpec:
    """What an input of a compiled model takes.

    An input of uint8 takes the pixels themselves, whether netc embedded the rest or somebody else.
    """
    if not session.inputs[name]:
        raise CallError(f"the input {name} is a single number, or of any shape: it has no batch")
    sizes = session.inputs[name][1:]
    shape = tuple(size if isinstance(size, int) else size or "?" for size in sizes)
    dtype = str(session.types[name])
    picture = found["picture"].get(name)
    if np.dtype(dtype).kind in "iu" and name in found["below"]:
        return InputSpec(name, shape, dtype, below=found["below"][name])
    if dtype != "uint8" or len(shape) != 3:
        return InputSpec(name, shape, dtype, picture_input(shape, picture))
    layout = found["embedded"].get(name, "nchw" if shape[0] in (1, 3, 4) else "nhwc")
    channels, *sides = shape if layout == "nchw" else (shape[2], *shape[:2])
    inner = (*sides, channels) if picture and picture.layout == "hwc" else (channels, *sides)
    return InputSpec(name, shape, dtype, picture_input(inner, picture, cast(Any, layout)))


def outputs_of_model(session: OnnxSession) -> Iterator[TensorSpec]:
    """What a compiled model gives."""
    for name, shape in session.output_shapes.items():
        sizes = tuple(size if isinstance(size, int) else size or "?" for size in shape[1:])
        yield TensorSpec(name, sizes, str(session.output_types[name]))


def with_shape(
    specs: Sequence[InputSpec], name: str, shape: tuple[int, ...]
) -> tuple[InputSpec, ...]:
    """The inputs, one of them of a shape that fits what the model says; raises `CallError`."""
    spec = next((spec for spec in specs if spec.name == name), None)
    if spec is None:
        raise CallError(f"there is no input {name}; there are {', '.join(s.name for s in specs)}")
    pairs = zip(spec.shape, shape, strict=False)
    if len(shape) != len(spec.shape) or any(isinstance(a, int) and a != b for a, b in pairs):
        rendered = "x".join(map(str, spec.shape))
        raise CallError(f"the input {name} is {rendered}, not {'x'.join(map(str, shape))}")
    return tuple(replace(s, shape=shape) if s is spec else s for s in specs)


def random_samples(specs: Sequence[InputSpec], seed: int, count: int) -> Arrays:
    """Samples of random numbers for each input; open sizes are 64."""
    return {
        spec.name: random_input(
            spec.name,
            (count, *(size if isinstance(size, int) else OPEN_SIZE for size in spec.shape)),
            spec.dtype,
            seed,
            spec.below,
        )
        for spec in specs
    }
