"""int8 models through ONNX Runtime's own quantizer: QDQ, calibrated on the user's data."""

from __future__ import annotations

import contextlib
import io
import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import onnx
from numpy.typing import NDArray
from onnxruntime.quantization import (
    CalibrationDataReader,
    CalibrationMethod,
    QuantFormat,
    QuantType,
    quant_pre_process,
    quantize_static,
)
from onnxruntime.quantization.registry import QDQRegistry, QLinearOpsRegistry

from grammar.diagnostics import nearest
from runtime.accuracy import Deviation, compare_sessions, exposing
from runtime.errors import CallError, first_line
from runtime.files import scratch_folder
from runtime.models import LARGEST_INSIDE, weight_bytes, write_model
from runtime.onnx_file import read_model_file
from runtime.session import open_session

METHODS = {
    "minmax": CalibrationMethod.MinMax,
    "entropy": CalibrationMethod.Entropy,
    "percentile": CalibrationMethod.Percentile,
}

# Left in float32: a softmax over many classes lies below int8's step of 1/256, and statistics of
# a normalisation want more than 8 bits.
KEPT = frozenset({"Softmax", "InstanceNormalization", "LayerNormalization", "LRN", "Cast"})

KEPT_LAYERS = frozenset({"lrn", "groupnorm", "layernorm", "instancenorm"})

Feeds = Mapping[str, NDArray[Any]]


@dataclass(frozen=True)
class QuantizationPlan:
    """How to quantize: how ranges are found, a scale for each output channel or for each tensor,
    weights of 7 bits, activations around 0 (for GPUs), layers left in float32.

    Weights are unsigned, with their 0 at 128: x86 processors without VNNI add products of unsigned
    and signed bytes in 16 bits, which saturate. Weights of 7 bits are signed, for they cannot, and
    so are weights beside activations around 0, which GPUs want.
    """

    method: str = "minmax"
    per_channel: bool = True
    reduce_range: bool = False
    symmetric: bool = False
    exclude: tuple[str, ...] = ()

    @property
    def signed_weights(self) -> bool:
        """Whether weights are int8, not uint8."""
        return self.symmetric or self.reduce_range


class CalibrationReader(CalibrationDataReader):  # type: ignore[misc]
    """The samples for the quantizer, each read when its turn comes."""

    def __init__(self, count: int, read: Callable[[int], Feeds]) -> None:
        self._count, self._read = count, read
        self._pending: Iterator[int] = iter(range(count))

    def __len__(self) -> int:
        return self._count

    def set_range(self, start_index: int, end_index: int) -> None:
        """The samples that come next."""
        self._pending = iter(range(start_index, end_index))

    def get_next(self) -> Feeds | None:
        """The next sample, or None after the last one."""
        index = next(self._pending, None)
        return None if index is None else self._read(index)


def quantized(
    model: onnx.ModelProto, count: int, read: Callable[[int], Feeds], plan: QuantizationPlan
) -> onnx.ModelProto:
    """The int8 model; `read` gives each of `count` samples as a batch. Raises `CallError`."""
    exclude = [*nodes_of_layers(model, plan.exclude), *careful_nodes(model)]
    kinds = sorted({*QDQRegistry, *QLinearOpsRegistry} - KEPT)
    large = weight_bytes(model) > LARGEST_INSIDE
    level = logging.root.level
    logging.root.setLevel(logging.ERROR)  # it recommends a step that lowering has done already
    try:
        with (
            scratch_folder() as folder,
            contextlib.redirect_stdout(io.StringIO()),  # and tells of each sample
        ):
            source, target = folder / "float32.onnx", folder / "int8.onnx"
            write_model(model, source, external=large)
            quantize_static(
                source,
                target,
                CalibrationReader(count, read),
                quant_format=QuantFormat.QDQ,
                op_types_to_quantize=kinds,
                per_channel=plan.per_channel,
                reduce_range=plan.reduce_range,
                activation_type=QuantType.QInt8 if plan.symmetric else QuantType.QUInt8,
                weight_type=QuantType.QInt8 if plan.signed_weights else QuantType.QUInt8,
                nodes_to_exclude=exclude,
                use_external_data_format=large,
                calibrate_method=METHODS[plan.method],
                extra_options={
                    # One sample at a time: all tensors of all samples would not fit in memory.
                    "CalibStridedMinMax": 1,
                    "ActivationSymmetric": plan.symmetric,
                    "WeightSymmetric": True,
                },
            )
            result = read_model_file(target)
    except CallError:
        raise
    except Exception as error:  # the quantizer raises bare exceptions of many kinds
        raise CallError(f"the quantizer refuses this model: {first_line(error)}") from None
    finally:
        logging.root.setLevel(level)
    stamp(result)
    return result


def nodes_of_layers(model: onnx.ModelProto, layers: Sequence[str]) -> Iterator[str]:
    """The nodes of layers and blocks; raises `CallError` for one that is not there.

    A layer is known by its node, its output, or its parameters: the node of a convolution into
    which batch normalisation is folded has the name of that.
    """
    held = {tensor.name for tensor in model.graph.initializer}
    for layer in layers:
        found = [
            node.name
            for node in model.graph.node
            if layer in (node.name, *node.output)
            or node.name.startswith(f"{layer}.")
            or any(n in held and layer in (n, n.rpartition(".")[0]) for n in node.input)
        ]
        if not found:
            close = nearest(layer, [node.name for node in model.graph.node])
            hint = f"; the nearest is {close}" if close else ""
            raise CallError(f"there is no layer {layer} to leave out{hint}")
        yield from found


def careful_nodes(model: onnx.ModelProto) -> list[str]:
    """The nodes of our normalisation layers, whatever operators they are written in."""
    return [
        node.name
        for node in model.graph.node
        if any(p.key == "netc.op" and p.value in KEPT_LAYERS for p in node.metadata_props)
    ]


def folded(path: Path) -> onnx.ModelProto:
    """A model of somebody else's as the quantizer likes it: constants and batch norms folded.

    ONNX Runtime's basic rewrites, which keep the names of tensors. Raises `CallError`.
    """
    model = read_model_file(path)
    large = weight_bytes(model) > LARGEST_INSIDE
    with scratch_folder() as folder:
        # Its weights are copied beside it: the rewriting looks for external data in the folder
        # that it writes to.
        source, target = folder / "float32.onnx", folder / "folded.onnx"
        try:
            write_model(model, source, external=large)
            quant_pre_process(source, target, skip_symbolic_shape=True, save_as_external_data=large)
            return read_model_file(target)
        except Exception as error:  # bare exceptions of many kinds
            raise CallError(f"ONNX Runtime cannot rewrite {path}: {first_line(error)}") from None


def stamp(model: onnx.ModelProto) -> None:
    """Say in the metadata that it is int8."""
    for entry in model.metadata_props:
        if entry.key == "netc.dtype":
            entry.value = "int8"
            return
    entry = model.metadata_props.add()
    entry.key, entry.value = "netc.dtype", "int8"


def loss(
    reference: onnx.ModelProto,
    model: onnx.ModelProto,
    batches: Iterator[Feeds],
    *,
    layers: bool = False,
) -> dict[str, Deviation]:
    """The int8 model against the float32 one: every output, or every tensor that both have."""
    pairs = common_tensors(reference, model) if layers else {}
    pairs |= {info.name: info.name for info in reference.graph.output}
    first, second = reference, model
    if layers:
        first, second = exposing(reference, pairs), exposing(model, pairs.values())
    return compare_sessions(open_session(first, "cpu"), open_session(second, "cpu"), batches, pairs)


def common_tensors(reference: onnx.ModelProto, model: onnx.ModelProto) -> dict[str, str]:
    """Each tensor of a float32 model with what stands for it in its int8 model, in order."""
    made = {name for node in model.graph.node for name in node.output}
    found = {}
    for name in float_tensors(reference):
        for counterpart in (f"{name}_DequantizeLinear_Output", name):
            if counterpart in made:
                found[name] = counterpart
                break
    return found


def float_tensors(model: onnx.ModelProto) -> Sequence[str]:
    """What the nodes make, but for shapes."""
    return [
        name
        for node in model.graph.node
        if node.op_type not in ("Shape", "Gather", "Constant")
        for name in node.output
    ]
