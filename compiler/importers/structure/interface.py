"""How the definition calls the inputs and outputs, whose own names the model keeps.

A name of the source that is no name of the language, or reads as one of its words, is said in
quotes: `input x as "input"`, `output y as "386:0"`.
"""

from __future__ import annotations

from collections.abc import Mapping, Set

from compiler.graph import Graph
from compiler.importers.builder import identifier
from compiler.importers.numbered import numbered
from compiler.ops import OPS
from grammar.records import dataclass

PLAIN = {"input": "x", "output": "y"}  # what they are called whose names say no more


@dataclass(frozen=True)
class Interface:
    """The names that stand in the text, by those that the source gives."""

    inputs: Mapping[str, str]
    outputs: Mapping[str, str]


def interface_of(graph: Graph, labels: Set[str]) -> Interface:
    """Names for what goes in and out; an output may be called as the layer that makes it."""
    taken = {label.partition(".")[0] for label in labels}
    inputs: dict[str, str] = {}
    for node in graph.inputs():
        word = spoken(node.name, "input")
        if word in OPS and len(graph.inputs()) > 1:  # a chain may begin with it
            word += "_"
        inputs[node.name] = numbered(word, taken, "_")
        taken.add(inputs[node.name])
    outputs: dict[str, str] = {}
    for name, made in graph.outputs.items():
        own = inputs.get(made, made)
        outputs[name] = numbered(spoken(name, "output"), taken - {own}, "_")
        taken.add(outputs[name])
    return Interface(inputs, outputs)


def spoken(name: str, kind: str) -> str:
    """A name of the source as a name of the language."""
    return PLAIN[kind] if name.lower() in PLAIN else identifier(name, PLAIN[kind])


def outside_text(word: str, name: str) -> str:
    """` as "386:0"`, nothing where the name of the source is the word that stands in the text."""
    if word == name:
        return ""
    escaped = name.replace("\\", "\\\\").replace('"', '\\"').replace("{", "{{").replace("}", "}}")
    return f' as "{escaped}"'
