"""Caffe prototxt to graphs in netc's ops.

prototxt   text protocol buffers as nested messages
schema     the fields that Caffe knows, and the kinds of their values
layer      one layer, and the phases that it is there for
plan       the layers of the test that lead to an output
network    one network being read: blobs, names; the files below register what each layer type means
inputs     where its data come from
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from compiler.importers.builder import GraphBuilder, Refused
from compiler.importers.from_caffe.inputs import declare_inputs, inputs_of
from compiler.importers.from_caffe.layer import (
    OLD_TYPES,
    CaffeLayer,
    TestState,
    is_there,
    layers_of,
    state_of,
)
from compiler.importers.from_caffe.network import POISON, READERS, CaffeNetwork
from compiler.importers.from_caffe.plan import TestPhase, counts, is_loss
from compiler.importers.from_caffe.prototxt import parse_prototxt
from compiler.importers.from_caffe.schema import checked, overlooked
from compiler.importers.imported import (
    Imported,
    UnreadableError,
    check_count,
    check_inputs,
    read_text,
)
from compiler.importers.tidy import tidy
from compiler.ops.base import Shape
from compiler.values import Tensor
from grammar.diagnostics import did_you_mean
from grammar.source import Source

UNREAD = "not read, for it says how to train, what to print or by which code to run: "


def read_caffe(path: Path, shapes: Mapping[str, Shape] | None = None) -> Imported:
    """The graph of a prototxt file, as it is when tested.

    Raises `DefinitionError`, `UnreadableError`, `OSError`.
    """
    return import_caffe(Source(path.name, read_text(path), path), shapes)


def import_caffe(source: Source, shapes: Mapping[str, Shape] | None = None) -> Imported:
    """The graph of a prototxt text; `shapes` are those of inputs that it does not say.

    Raises `DefinitionError` and, for a text without layers, `UnreadableError`.
    """
    raw = parse_prototxt(source)
    if not raw.all("layer") and not raw.all("layers"):
        raise UnreadableError(f"{source.name} has no layers: it is no network of Caffe")
    check_count(source.name, len(raw.all("layer", "layers")))
    known = {*READERS, *(old for old, new in OLD_TYPES.items() if new in READERS)}
    net = checked(raw, source, frozenset(known))
    builder = GraphBuilder(str(net.one("name", "")) or Path(source.name).stem, source)
    builder.note("the network as it is when tested: layers of the phase TRAIN are left out")
    state = state_of(net)
    there = [layer for layer in layers_of(net) if stays(builder, layer, state)]
    inputs = inputs_of(net, layers_of(net), state)
    check_inputs(source.name, shapes or {}, [declared.name for declared in inputs])
    network = CaffeNetwork(builder, TestPhase(there, [declared.name for declared in inputs]))
    declare_inputs(network, inputs, shapes or {})
    for layer in network.plan.layers:
        read_layer(network, layer)
    outputs = network.outputs()
    if not outputs and not builder.diagnostics:
        raise UnreadableError(f"{source.name} holds data only: nothing in it gives out a result")
    for blob, tensor in outputs.items():
        builder.output(blob, tensor)
    idle = [
        path for path, field, _ in overlooked(net, "net") if field.name not in ("layer", "layers")
    ]
    tell_idle(builder, [*idle, *network.idle])
    return tidy(builder.finish(f"{source.name} (Caffe)"))


def stays(builder: GraphBuilder, layer: CaffeLayer, state: TestState) -> bool:
    """Whether a layer is there in the test."""
    with builder.reporting(layer.span, f"{layer.type or 'layer'} {layer.name}"):
        return is_there(layer, state)
    return False


def tell_idle(builder: GraphBuilder, paths: list[str]) -> None:
    """Say which fields nothing had to read."""
    if paths:
        builder.note(UNREAD + ", ".join(dict.fromkeys(paths)))


def read_layer(network: CaffeNetwork, layer: CaffeLayer) -> None:
    """One layer: its tensors go under the names of its tops."""
    plan, builder = network.plan, network.builder
    network.layer = layer
    if id(layer) in plan.cut:
        cut_off(network, layer)
        return
    if id(layer) not in plan.live:
        return
    tops = (layer.name,) if is_loss(layer) else layer.tops
    made: list[Tensor] = [POISON] * len(tops)
    with builder.reporting(layer.span, f"{layer.type or 'layer'} {layer.name}"):
        if is_left_out(layer):
            builder.note(f"{layer.type} layers are left out")
            return  # what it compares with the truth stays an output
        made = tensors_of(network, layer)
        tell_overlooked(network, layer)
    for blob in layer.bottoms[:1] if is_loss(layer) else layer.bottoms:
        network.unused.pop(blob, None)
    for blob, tensor in zip(tops, made, strict=True):
        network.write(blob, tensor)


def is_left_out(layer: CaffeLayer) -> bool:
    """Whether a layer compares or counts without computing anything that a network gives out."""
    return counts(layer) or (is_loss(layer) and layer.type not in READERS)


def tensors_of(network: CaffeNetwork, layer: CaffeLayer) -> list[Tensor]:
    """What a layer makes; raises `Refused`, and `Poisoned` behind a layer that was refused."""
    if layer.type not in READERS:
        if layer.fields.all("layer"):
            raise Refused(
                "it has the form of before 2014", "Caffe's upgrade_net_proto_text renews the file"
            )
        raise Refused("the language has no such layer", did_you_mean(layer.type, READERS))
    for place, top in enumerate(layer.tops):
        if top in network.blobs and layer.bottoms[place : place + 1] != (top,):
            raise Refused(f"its output {top} has the name of another blob")
    result = READERS[layer.type](network)
    made = result if isinstance(result, list) else [result]
    if len(made) != len(layer.tops) and not is_loss(layer):
        raise Refused(f"it has {len(layer.tops)} outputs, not {len(made)}")
    return made


def tell_overlooked(network: CaffeNetwork, layer: CaffeLayer) -> None:
    """Say which fields of a layer were not read; raises `Refused` for one that matters."""
    kind = "layer" if layer.fields.one("type") == layer.type else "old_layer"
    for path, field, idle in overlooked(layer.fields, kind):
        if idle:
            network.idle.append(path.removeprefix("param."))
        elif path == field.name:
            network.builder.warn(field.span, f"a {layer.type} layer does not read {path}")
        else:
            raise Refused(f"its {path} changes what it computes")


def cut_off(network: CaffeNetwork, layer: CaffeLayer) -> None:
    """Leave out a layer that works on boxes: the maps that it reads are outputs."""
    read = list(dict.fromkeys(network.plan.outputs_at(layer)))
    for blob in read:
        tensor = network.blobs.get(blob, POISON)
        if tensor.node is not None:
            network.decoded.setdefault(blob, tensor)
    what = f"{layer.type} {layer.name} works on boxes and was left out, with what follows it"
    if read:
        what += f": {', '.join(read)} became output" + ("s" if len(read) > 1 else "")
        network.builder.note(what)
