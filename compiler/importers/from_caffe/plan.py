"""What of a network is there when it is tested: the layers that lead to an output.

Layers of other phases are left out, and those that make labels only: a blob of the data that
nothing reads but losses and accuracies, behind their first input, is no input of the network.
Layers that work on boxes, and what follows them, are cut off: what they read is an output.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import field

from compiler.importers.from_caffe.layer import CaffeLayer, is_data
from grammar.records import dataclass

# They compare with the truth, or count: their first input is the network's result.
LOSSES = {
    "ContrastiveLoss",
    "EuclideanLoss",
    "HingeLoss",
    "InfogainLoss",
    "MultinomialLogisticLoss",
    "SmoothL1Loss",
    "TripletLoss",
    "SigmoidCrossEntropyLoss",
    "SoftmaxWithLoss",
}
# They turn maps into boxes, or take boxes out of maps.
BOXES = {
    "PriorBox",
    "AnnotatedData",
    "DetectionOutput",
    "DetectionEvaluate",
    "MultiBoxLoss",
    "Proposal",
    "ProposalTarget",
    "AnchorTarget",
    "ROIPooling",
    "ROIAlign",
    "RoIAlign",
    "PSROIPooling",
    "PSROIAlign",
    "BoxAnnotatorOHEM",
    "DeformablePSROIPooling",
    "EvalDetection",
    "RegionLoss",
    "YoloDetectionOutput",
    "Yolov3DetectionOutput",
    "Yolov3",
}
BOX_CODE = ("proposal", "anchor", "roi", "rpn")  # in the names of Python layers that do so
WEIGHTED = {
    "Convolution",
    "ConvolutionDepthwise",
    "DepthwiseConvolution",
    "Deconvolution",
    "InnerProduct",
    "BatchNorm",
    "BN",
    "PReLU",
}


def counts(layer: CaffeLayer) -> bool:
    """Whether a layer gives out figures of merit or nothing: it is left out."""
    return layer.type.endswith("Accuracy") or layer.type == "Silence"


def is_loss(layer: CaffeLayer) -> bool:
    """Whether a layer compares a result with the truth."""
    return layer.type in LOSSES


def works_on_boxes(layer: CaffeLayer) -> bool:
    """Whether a layer makes boxes, or takes what is in them."""
    if layer.type != "Python":
        return layer.type in BOXES
    fields = layer.parameters("python")
    code = f"{fields.one('module', '')} {fields.one('layer', '')}".lower()
    return any(word in code for word in BOX_CODE)


@dataclass
class Blob:
    """What one layer makes under a name; a layer in place makes another one of the same name."""

    name: str
    of_data: bool  # made of the data without a learned layer between
    cut: bool
    readers: list[tuple[CaffeLayer, int]] = field(default_factory=list)
    wanted: bool = False


class TestPhase:
    """The layers of the test phase with the blobs that they read and make, in order."""

    def __init__(self, layers: Sequence[CaffeLayer], inputs: Sequence[str]) -> None:
        self.read: dict[int, list[Blob | None]] = {}
        self.made: dict[int, list[Blob]] = {}
        self.cut: set[int] = set()
        self.live: set[int] = set()
        self.layers = [layer for layer in layers if not is_data(layer)]
        current: dict[str, Blob] = {}
        for name in inputs:
            current[name] = Blob(name, of_data=True, cut=False)
        self.data = dict(current)
        for layer in self.layers:
            self.place(layer, current)
        for layer in reversed(self.layers):
            self.follow_back(layer)

    def place(self, layer: CaffeLayer, current: dict[str, Blob]) -> None:
        """Note what a layer reads and makes."""
        read = [current.get(name) for name in layer.bottoms]
        blobs = [blob for blob in read if blob is not None]
        boxes = any(blob.cut for blob in blobs[:1] if is_loss(layer)) or (
            not is_loss(layer) and any(blob.cut for blob in blobs)
        )
        cut = works_on_boxes(layer) or boxes
        if cut:
            self.cut.add(id(layer))
        for place, blob in enumerate(read):
            if blob is not None:
                blob.readers.append((layer, place))
        of_data = bool(blobs) and layer.type not in WEIGHTED and all(b.of_data for b in blobs)
        made = [Blob(name, of_data, cut) for name in layer.tops]
        self.read[id(layer)], self.made[id(layer)] = read, made
        current.update((blob.name, blob) for blob in made)

    def follow_back(self, layer: CaffeLayer) -> None:
        """Note whether a layer leads to an output, and what it needs for that."""
        read, made = self.read[id(layer)], self.made[id(layer)]
        if layer.type == "Silence":
            return
        if id(layer) in self.cut:
            sizes_only = layer.type == "PriorBox"
            wanted = [b for b in read if b and not (b.cut or b.of_data or sizes_only)]
        elif is_loss(layer) or counts(layer):
            self.live.add(id(layer))
            wanted = [b for i, b in enumerate(read) if b and (i == 0 or not b.of_data)]
        elif not made or any(blob.wanted or not blob.readers for blob in made):
            self.live.add(id(layer))
            wanted = [blob for blob in read if blob is not None]
        else:
            return
        for blob in wanted:
            blob.wanted = not blob.cut

    def outputs_at(self, layer: CaffeLayer) -> Iterator[str]:
        """The blobs that a layer that is cut off reads and that are outputs therefore."""
        if layer.type == "PriorBox":
            return  # it takes the sizes of maps only
        for blob in self.read[id(layer)]:
            if blob is not None and blob.wanted and not blob.of_data:
                yield blob.name

    def only_reader(self, layer: CaffeLayer) -> CaffeLayer | None:
        """The layer that alone reads the only output of another."""
        made = self.made[id(layer)]
        if len(made) != 1 or len(made[0].readers) != 1:
            return None
        reader, _ = made[0].readers[0]
        return reader if id(reader) in self.live else None

    def unneeded(self) -> Mapping[str, Blob]:
        """The data that lead to no output though something reads them: labels and the like."""
        return {name: blob for name, blob in self.data.items() if not blob.wanted}
