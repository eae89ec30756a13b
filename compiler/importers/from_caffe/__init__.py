"""Caffe prototxt to graphs in netc's ops.

prototxt   text protocol buffers as nested messages
network    one network being read: blobs, phases, names; the files below register what each
           layer type means
inputs     where its data come from
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from compiler.importers.builder import Builder, Refused
from compiler.importers.from_caffe.inputs import is_data, read_inputs
from compiler.importers.from_caffe.network import (
    POISON,
    READERS,
    Layer,
    Network,
    in_phase,
    layer_of,
)
from compiler.importers.from_caffe.prototxt import Message, parse_prototxt
from compiler.importers.imported import Imported, UnreadableError, read_text
from compiler.importers.tidy import tidy
from compiler.ops.base import Shape
from compiler.values import Tensor
from grammar.source import Source

DROPPED = ("Accuracy", "Silence")  # they compute nothing that a network gives out
LOSSES = {
    "EuclideanLoss",
    "HingeLoss",
    "ContrastiveLoss",
    "InfogainLoss",
    "MultinomialLogisticLoss",
}


def read_caffe(path: Path, shapes: Mapping[str, Shape] | None = None) -> Imported:
    """The graph of a prototxt file, as it is when tested.

    Raises `DefinitionError`, `UnreadableError`, `OSError`.
    """
    return import_caffe(Source(path.name, read_text(path), path), shapes)


def import_caffe(source: Source, shapes: Mapping[str, Shape] | None = None) -> Imported:
    """The graph of a prototxt text; `shapes` are those of inputs that it does not say.

    Raises `DefinitionError` and, for a text without layers, `UnreadableError`.
    """
    message = parse_prototxt(source)
    if not message.all("layer") and not message.all("layers"):
        raise UnreadableError(f"{source.name} has no layers: it is no network of Caffe")
    name = str(message.one("name", "")) or Path(source.name).stem
    builder = Builder(name, source)
    network = Network(builder)
    builder.note("the network as it is when tested: layers of the phase TRAIN are left out")
    read_inputs(network, message, shapes or {})
    for field in message.fields:
        if field.name in ("layer", "layers") and isinstance(field.value, Message):
            layer = layer_of(field.value, field.span)
            if in_phase(layer, "TEST") and not is_data(layer):
                read_layer(network, layer)
    for blob in network.unused:
        builder.output(blob, network.blobs[blob])
    return tidy(builder.finish(f"{source.name} (Caffe)"))


def read_layer(network: Network, layer: Layer) -> None:
    """One layer: its tensors go under the names of its tops."""
    network.layer = layer
    made: list[Tensor] = [POISON] * len(layer.tops)
    with network.builder.reporting(layer.span, f"{layer.type or 'layer'} {layer.name}"):
        if layer.type in LOSSES or layer.type.endswith(DROPPED):
            network.builder.note(f"{layer.type} layers are left out")
        elif layer.type not in READERS:
            raise Refused("the language has no such layer")
        else:
            result = READERS[layer.type](network)
            made = result if isinstance(result, list) else [result]
    loss = layer.type.endswith("Loss")
    if layer.type in LOSSES or layer.type.endswith("Accuracy"):
        return  # what it compares with the truth stays an output
    for blob in layer.bottoms:
        network.unused.pop(blob, None)
    if layer.type == "Silence":
        return
    tops = (layer.name,) if loss else layer.tops
    for blob, tensor in zip(tops, made, strict=False):
        network.write(blob, tensor)
