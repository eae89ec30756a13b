"""One layer of a Caffe file, and the phases that it is there for."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from compiler.importers.builder import Refused
from compiler.importers.from_caffe.prototxt import ProtoMessage
from grammar.records import dataclass
from grammar.source import Span

# Names of layer types and parameters before 2014-09 ("V1"), as Caffe upgrades them.
OLD_TYPES = {
    "CONVOLUTION": "Convolution",
    "DECONVOLUTION": "Deconvolution",
    "INNER_PRODUCT": "InnerProduct",
    "RELU": "ReLU",
    "TANH": "TanH",
    "SIGMOID": "Sigmoid",
    "ABSVAL": "AbsVal",
    "BNLL": "BNLL",
    "POWER": "Power",
    "EXP": "Exp",
    "POOLING": "Pooling",
    "LRN": "LRN",
    "DROPOUT": "Dropout",
    "CONCAT": "Concat",
    "ELTWISE": "Eltwise",
    "SLICE": "Slice",
    "SPLIT": "Split",
    "FLATTEN": "Flatten",
    "SOFTMAX": "Softmax",
    "SOFTMAX_LOSS": "SoftmaxWithLoss",
    "ACCURACY": "Accuracy",
    "SILENCE": "Silence",
    "DATA": "Data",
    "IMAGE_DATA": "ImageData",
    "HDF5_DATA": "HDF5Data",
    "MEMORY_DATA": "MemoryData",
    "DUMMY_DATA": "DummyData",
    "WINDOW_DATA": "WindowData",
}


@dataclass(frozen=True)
class CaffeLayer:
    """One layer: its type in the current spelling, the blobs it reads and writes, its fields."""

    type: str
    name: str
    bottoms: tuple[str, ...]
    tops: tuple[str, ...]
    fields: ProtoMessage
    span: Span

    def parameters(self, name: str) -> ProtoMessage:
        """The message `<name>_param`."""
        return self.fields.message(f"{name}_param")

    def named(self, count: int) -> tuple[str, ...]:
        """The names of its first `count` blobs of parameters, by which layers share them."""
        given = self.fields.all("param")
        names = [str(p.one("name", "")) if isinstance(p, ProtoMessage) else str(p) for p in given]
        return tuple((names + [""] * count)[:count])


@dataclass(frozen=True)
class TestState:
    """What rules of layers are held against: a network that is tested."""

    phase: str = "TEST"
    level: int = 0
    stages: Collection[str] = ()


def state_of(net: ProtoMessage, phase: str = "TEST") -> TestState:
    """The level and the stages that a file asks for."""
    state = net.message("state")
    return TestState(phase, int(state.one("level", 0)), frozenset(state.all("stage")))


def layer_of(fields: ProtoMessage, span: Span) -> CaffeLayer:
    """A layer of either spelling."""
    kind = str(fields.one("type", ""))
    return CaffeLayer(
        OLD_TYPES.get(kind, kind),
        str(fields.one("name", "")),
        tuple(map(str, fields.all("bottom"))),
        tuple(map(str, fields.all("top"))),
        fields,
        span,
    )


def layers_of(net: ProtoMessage) -> list[CaffeLayer]:
    """Every layer of a file, in order."""
    return [
        layer_of(field.value, field.span)
        for field in net.fields
        if field.name in ("layer", "layers") and isinstance(field.value, ProtoMessage)
    ]


def is_data(layer: CaffeLayer) -> bool:
    """Whether a layer makes the data: `Input`, what is called `…Data`, code that reads nothing."""
    source = layer.type in ("Input", "Python") or layer.type.endswith("Data")
    return source and not layer.bottoms


def is_there(layer: CaffeLayer, state: TestState) -> bool:
    """Whether `include` and `exclude` leave a layer in a network; raises `Refused` for both."""
    included, excluded = layer.fields.all("include"), layer.fields.all("exclude")
    if included and excluded:
        raise Refused("it has both include and exclude, of which Caffe takes one")
    if included:
        return any(matches(rule, state) for rule in included)
    return not any(matches(rule, state) for rule in excluded)


def matches(rule: Any, state: TestState) -> bool:
    """Whether a network meets a rule, in all that the rule says."""
    return (
        rule.one("phase", state.phase) == state.phase
        and rule.one("min_level", state.level) <= state.level <= rule.one("max_level", state.level)
        and all(stage in state.stages for stage in rule.all("stage"))
        and not any(stage in state.stages for stage in rule.all("not_stage"))
    )
