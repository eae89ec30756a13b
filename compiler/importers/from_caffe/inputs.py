"""Where the data of a Caffe network come from: declared inputs, or layers that read a data set."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from compiler.importers.builder import Refused
from compiler.importers.from_caffe.network import Layer, Network, in_phase, layer_of
from compiler.importers.from_caffe.prototxt import Message
from compiler.ops.base import Shape
from compiler.values import POISON
from grammar.source import Span


def is_data(layer: Layer) -> bool:
    """Whether a layer makes the data: `Input`, what is called `…Data`, code that reads nothing."""
    source = layer.type in ("Input", "Python") or layer.type.endswith("Data")
    return source and not layer.bottoms


def read_inputs(network: Network, message: Message, shapes: Mapping[str, Shape]) -> None:
    """Declare every input, of each style; a blob of labels is none."""
    source = network.builder.source
    with network.builder.reporting(Span(source, 0, 0), "the input"):
        for name, dims, span in declared(message):
            if is_label(name, span):
                network.labels.add(name)
                continue
            network.blobs[name] = POISON
            with network.builder.reporting(span, f"input {name}"):
                shape = shape_of(name, dims, shapes.get(name))
                network.blobs[name] = network.builder.input(name, shape, span)


def shape_of(name: str, dims: list[int], given: Shape | None) -> Shape:
    """The shape of an input without the batch: what the call gives, or what the file says."""
    if given is None and not dims:
        raise Refused("its shape is not said", help=f"say it: --shape {name}=3x224x224")
    shape = given or tuple(dims[1:])
    if not 1 <= len(shape) <= 4:
        raise Refused(f"a tensor has 1 to 4 sizes besides the batch, not {len(shape)}")
    return shape


def is_label(name: str, span: Span) -> bool:
    """Whether a data layer's blob holds the classes that an example has."""
    return "label" in name and not span.text.startswith("input")


def declared(message: Message) -> Iterator[tuple[str, list[int], Span]]:
    """The name, sizes (batch first, none when not said) and place of each input."""
    names = [field for field in message.fields if field.name == "input"]
    flat = [int(d) for d in message.all("input_dim")]
    blocks = [m for m in message.all("input_shape") if isinstance(m, Message)]
    for place, field in enumerate(names):
        dims = flat[4 * place : 4 * place + 4]
        if place < len(blocks):
            dims = [int(d) for d in blocks[place].all("dim")]
        yield str(field.value), dims, field.span
    layers = [
        layer_of(field.value, field.span)
        for field in message.fields
        if field.name in ("layer", "layers") and isinstance(field.value, Message)
    ]
    data = [layer for layer in layers if is_data(layer)]
    tested = [layer for layer in data if in_phase(layer, "TEST")]
    made: set[str] = set()
    for layer in tested or data:  # a file for training only has none that is for testing
        yield from (found for found in from_layer(layer) if found[0] not in made)
        made.update(layer.tops)


def from_layer(layer: Layer) -> Iterator[tuple[str, list[int], Span]]:
    """The inputs of a layer that declares or reads data; what it calls a label is no input."""
    shapes = [
        [int(d) for d in shape.all("dim")]
        for name in ("input", "dummy_data")
        for shape in layer.parameters(name).all("shape")
        if isinstance(shape, Message)
    ]
    for place, top in enumerate(layer.tops):
        dims = shapes[min(place, len(shapes) - 1)] if shapes else picture(layer.fields)
        yield top, dims, layer.span


def picture(fields: Message) -> list[int]:
    """The size of the pictures that a data layer crops: [batch, channels, side, side]."""
    transform = fields.message("transform_param")
    side = transform.one("crop_size") or next(
        (m.one("crop_size") for m in fields.all("data_param") if m.one("crop_size")), None
    )
    means = transform.all("mean_value")
    memory = fields.message("memory_data_param")
    if memory.all("channels"):
        return [1, *(int(memory.one(name, 1)) for name in ("channels", "height", "width"))]
    grey = transform.one("force_gray", False) or len(means) == 1
    return [1, 1 if grey else 3, int(side), int(side)] if side else []
