"""Darknet cfg to graphs in netc's ops.

cfg          sections of options
options      the options that Darknet reads
network      one network being read: layers by their index
layers       what the sections of one input mean
routes       what those mean that take other layers or resize maps
activations  what each activation means
"""

from __future__ import annotations

from contextlib import suppress
from math import prod
from pathlib import Path

from compiler.importers.builder import GraphBuilder, Refused
from compiler.importers.from_darknet.cfg import Section, parse_cfg
from compiler.importers.from_darknet.network import READERS, DarknetNetwork, lender
from compiler.importers.from_darknet.options import refuse_changes, tell
from compiler.importers.imported import Imported, UnreadableError, check_count, read_text
from compiler.importers.tidy import tidy
from compiler.values import POISON, Tensor
from grammar.diagnostics import did_you_mean
from grammar.source import Source

DECODERS = {"yolo", "region", "detection", "gaussian_yolo", "iseg"}  # boxes out of a raw map
LOSSES = {"cost", "contrastive"}


def read_darknet(path: Path) -> Imported:
    """The graph of a cfg file. Raises `DefinitionError`, `UnreadableError`, `OSError`."""
    return import_darknet(Source(path.name, read_text(path), path))


def import_darknet(source: Source) -> Imported:
    """The graph of a cfg text, as it is when tested."""
    sections = parse_cfg(source)
    if not sections or sections[0].name != "net":
        raise UnreadableError(f"{source.name}: a cfg begins with the section [net]")
    check_count(source.name, len(sections))
    builder = GraphBuilder(Path(source.name).stem.replace("-", "_"), source)
    image = POISON
    with builder.reporting(sections[0].span, "the input"):
        image = read_input(builder, sections[0])
    network = DarknetNetwork(builder, image)
    network.lenders = lenders(sections[1:])
    for section in sections[1:]:
        read_layer(network, section)
    with builder.reporting(sections[-1].span, "the network"):
        declare_outputs(network, sections)
    tell(builder, sections, frozenset(DECODERS | LOSSES))
    return tidy(builder.finish(f"{source.name} (Darknet)"))


def lenders(sections: list[Section]) -> set[int]:
    """The layers whose parameters others share."""
    found = set()
    for place, section in enumerate(sections):
        with suppress(Refused):  # which the layer itself complains of
            if section.name == "convolutional" and section.given("share_index"):
                found.add(lender(section.whole("share_index", 0), place))
    return found


def read_input(builder: GraphBuilder, section: Section) -> Tensor:
    """The picture, or the vector of `inputs` numbers."""
    sizes = tuple(section.whole(name, 0) for name in ("channels", "height", "width"))
    if all(size > 0 for size in sizes):
        if section.whole("inputs", prod(sizes)) != prod(sizes):
            raise Refused("its inputs are not height x width x channels")
        return builder.input("image", sizes, section.span)
    count = section.whole("inputs", 0)
    if count < 1:
        raise Refused("[net] gives neither height, width and channels nor inputs")
    return builder.input("data", (count,), section.span)


def read_layer(network: DarknetNetwork, section: Section) -> None:
    """One layer; each section is one, whatever it becomes."""
    network.begin(section)
    made = POISON
    what = f"[{section.name}], layer {len(network.made)},"
    with network.builder.reporting(section.span, what):
        if section.name in DECODERS:
            network.builder.note(
                f"[{section.name}] decodes boxes: the map that it reads is an output here"
            )
            made = network.current()
            network.taken.discard(len(network.made) - 1)
        elif section.name in LOSSES:
            network.builder.note(f"[{section.name}] is for training and was left out")
            made = network.current()
        elif section.name not in READERS:
            help = did_you_mean(section.name, {*READERS, *DECODERS, *LOSSES})
            raise Refused("the language has no such layer", help)
        else:
            refuse_changes(section)
            made = READERS[section.name](network)
    network.made.append(made)


def declare_outputs(network: DarknetNetwork, sections: list[Section]) -> None:
    """The maps that decoders read, or what the last layer makes."""
    decoded = [
        tensor
        for section, tensor in zip(sections[1:], network.made, strict=True)
        if section.name in DECODERS
    ]
    for number, tensor in enumerate(decoded, start=1):
        network.builder.output(f"boxes{number}" if len(decoded) > 1 else "boxes", tensor)
    if not network.made:
        raise Refused("it has no layers")
    if not decoded:
        network.builder.output("result", network.made[-1])
