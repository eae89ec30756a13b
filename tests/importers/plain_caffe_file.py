"""A Caffe file of a repository for the plain reading: what of it is there when it is tested.

Shares nothing with the importer. Old spellings (upgrade_proto.cpp), phases and stages (net.cpp,
`StateMeetsRule`); layers that read data or compare with the truth are passed over.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from numpy.typing import NDArray

from tests.importers.plain_caffe import RULES, Array, Fields, Held, Layer, Plain

OLD = {
    "ABSVAL": "AbsVal",
    "BNLL": "BNLL",
    "CONCAT": "Concat",
    "CONVOLUTION": "Convolution",
    "DECONVOLUTION": "Deconvolution",
    "DROPOUT": "Dropout",
    "ELTWISE": "Eltwise",
    "EXP": "Exp",
    "FLATTEN": "Flatten",
    "INNER_PRODUCT": "InnerProduct",
    "LRN": "LRN",
    "POOLING": "Pooling",
    "POWER": "Power",
    "RELU": "ReLU",
    "SIGMOID": "Sigmoid",
    "SLICE": "Slice",
    "SOFTMAX": "Softmax",
    "SOFTMAX_LOSS": "SoftmaxWithLoss",
    "SPLIT": "Split",
    "TANH": "TanH",
}
SAME = {"DepthwiseConvolution": "ConvolutionDepthwise"}
LOSSES = {"SoftmaxWithLoss": "Softmax", "SigmoidCrossEntropyLoss": "Sigmoid"}


def is_there(fields: Fields, state: Fields) -> bool:
    """Whether a layer is in the network of the test: if it is included, or else not excluded."""

    def meets(rule: Fields) -> bool:
        level, stages = state.get("level", [0])[0], state.get("stage", [])
        wanted, unwanted = rule.get("stage", []), rule.get("not_stage", [])
        return (
            rule.get("phase", ["TEST"])[0] == "TEST"
            and rule.get("min_level", [level])[0] <= level <= rule.get("max_level", [level])[0]
            and all(stage in stages for stage in wanted)
            and not any(stage in stages for stage in unwanted)
        )

    if "include" in fields:
        return any(map(meets, fields["include"]))
    return not any(map(meets, fields.get("exclude", [])))


def modern(fields: Fields) -> Fields:
    """A layer in the spelling of today."""
    kind = str(fields.get("type", [""])[0])
    param = [{"name": [p]} if isinstance(p, str) else p for p in fields.get("param", [])]
    return {**fields, "type": [OLD.get(kind, SAME.get(kind, kind))], "param": param}


class PlainFile(Plain):
    """The network of a file; `unread` and `skipped` tell of its last run."""

    def __init__(self, text: str, held: Held) -> None:
        super().__init__(text, held)
        state = self.net.get("state", [{}])[0]
        layers = self.net.get("layer", []) + self.net.get("layers", [])
        self.layers = [modern(fields) for fields in layers if is_there(fields, state)]
        self.unread: set[str] = set()
        self.skipped: list[str] = []

    def run(self, feeds: Mapping[str, NDArray[Any]]) -> dict[str, Array]:
        """Every blob that can be made of the inputs, and what losses make of it.

        A layer without a rule is passed over, with all that needs it.
        """
        blobs = {name: value.astype(float) for name, value in feeds.items()}
        for fields in self.layers:
            layer = Layer(fields, self.used)
            if layer.type in LOSSES:
                layer.type, layer.tops = LOSSES[layer.type], [layer.name]
                layer.bottoms = layer.bottoms[:1]
            known = layer.type in RULES and layer.bottoms
            if not known or any(name not in blobs for name in layer.bottoms):
                self.skipped.append(layer.type)
                self.unread -= set(layer.bottoms[1:] if layer.type.endswith("Loss") else ())
                for name in set(layer.tops) - feeds.keys():  # what it would have made is not there
                    blobs.pop(name, None)
                continue
            made = RULES[layer.type](self, layer, *(blobs[name] for name in layer.bottoms))
            self.unread -= set(layer.bottoms)
            for name, value in zip(layer.tops, made, strict=True):
                blobs[name] = value
                self.unread.add(name)
                self.normalised.pop(name, None)
                if layer.type == "BatchNorm":
                    self.normalised[name] = layer.name
        return blobs
