"""Where the data of a Caffe network come from: declared inputs, or layers that read a data set."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from compiler.importers.builder import Refused
from compiler.importers.from_caffe.layer import CaffeLayer, TestState, is_data, is_there
from compiler.importers.from_caffe.network import CaffeNetwork
from compiler.importers.from_caffe.prototxt import ProtoMessage
from compiler.ops.base import Shape
from compiler.values import POISON
from grammar.records import dataclass
from grammar.source import Span


@dataclass(frozen=True)
class DeclaredInput:
    """An input's name, its sizes (batch first, none when not said), and its place.

    What a file declares is an input though nothing reads it; what a data set holds is not.
    """

    name: str
    sizes: tuple[int, ...]
    span: Span
    is_declared: bool


def declare_inputs(
    network: CaffeNetwork, inputs: Sequence[DeclaredInput], shapes: Mapping[str, Shape]
) -> None:
    """Declare every input, of each style; a blob that only losses read is none."""
    unneeded = network.plan.unneeded()
    for declared in inputs:
        name = declared.name
        if name in unneeded and (unneeded[name].readers or not declared.is_declared):
            continue
        network.blobs[name] = POISON
        with network.builder.reporting(declared.span, f"input {name}"):
            shape = shape_of(declared, shapes.get(name))
            network.blobs[name] = network.builder.input(name, shape, declared.span)
            network.batches.add(declared.sizes[0] if declared.sizes else 0)


def shape_of(declared: DeclaredInput, given: Shape | None) -> Shape:
    """The shape of an input without the batch: what the call gives, or what the file says."""
    name, sizes = declared.name, declared.sizes
    if given is None and not sizes:
        raise Refused("its shape is not said", help=f"say it: --shape {name}=3x224x224")
    shape = given or sizes[1:]
    if not 1 <= len(shape) <= 4:
        raise Refused(f"a tensor has 1 to 4 sizes besides the batch, not {len(shape)}")
    for size in shape:
        if isinstance(size, int) and size < 1:
            raise Refused(f"its size {size} is no size")
    return shape


def inputs_of(
    net: ProtoMessage, layers: Sequence[CaffeLayer], state: TestState
) -> list[DeclaredInput]:
    """The inputs of a file, declared or made by layers of the phase."""
    names = [field for field in net.fields if field.name == "input"]
    net.read.add("input")
    flat = tuple(net.all("input_dim"))
    blocks = [tuple(shape.all("dim")) for shape in net.all("input_shape")]
    found = []
    for place, field in enumerate(names):
        sizes = flat[4 * place : 4 * place + 4]
        if place < len(blocks):
            sizes = blocks[place]
        found.append(DeclaredInput(str(field.value), sizes, field.span, is_declared=True))
    made: set[str] = set()
    for layer in data_layers(layers, state):
        found += [declared for declared in from_layer(layer) if declared.name not in made]
        made.update(layer.tops)
    return found


def data_layers(layers: Sequence[CaffeLayer], state: TestState) -> list[CaffeLayer]:
    """The layers that make data; a file for training only has none that is for testing."""
    data = [layer for layer in layers if is_data(layer)]
    return [layer for layer in data if is_there(layer, state)] or data


def from_layer(layer: CaffeLayer) -> Iterator[DeclaredInput]:
    """The inputs of a layer that declares or reads data."""
    shapes = [
        tuple(shape.all("dim"))
        for name in ("input", "dummy_data")
        for shape in layer.parameters(name).all("shape")
    ]
    for place, top in enumerate(layer.tops):
        sizes = shapes[min(place, len(shapes) - 1)] if shapes else picture(layer)
        yield DeclaredInput(top, sizes, layer.span, is_declared=layer.type == "Input")


def picture(layer: CaffeLayer) -> tuple[int, ...]:
    """The size of the pictures that a data layer crops: (batch, channels, side, side)."""
    transform, memory = layer.parameters("transform"), layer.parameters("memory_data")
    sources = [layer.parameters(name) for name in ("data", "image_data")]
    batch = next((m.one("batch_size") for m in [*sources, memory] if m.all("batch_size")), 0)
    if memory.all("channels"):
        return (batch, *(memory.one(name, 1) for name in ("channels", "height", "width")))
    dummy = layer.parameters("dummy_data")
    if dummy.all("channels"):
        sizes = [dummy.one(name, 1) for name in ("num", "channels", "height", "width")]
        return tuple(sizes)
    sides = [m.one("crop_size") for m in (transform, *sources) if m.one("crop_size")]
    means = transform.all("mean_value")
    grey = transform.one("force_gray", False) or len(means) == 1
    return (batch, 1 if grey else 3, sides[0], sides[0]) if sides else ()
