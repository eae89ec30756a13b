"""A PyTorch module as a network: exported to ONNX by PyTorch, read by the importer."""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Mapping, Sequence
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from netc.given import documented
from netc.models import read
from netc.net import Net
from netc.torch_symbols import OURS, known_to_the_exporter
from runtime.errors import CallError, MachineError

if TYPE_CHECKING:
    from onnx import ModelProto

OPSET = 17


@documented
def from_torch(module: Any, example: Any) -> Net:
    """The network that a torch module is on inputs like `example`, a tensor or a tuple of them.

    The example has the batch first, and sizes that the network then has; the batch stays open.
    Parameters keep their names and numbers. Raises `DefinitionError` with every layer that cannot
    be expressed, `CallError` where PyTorch exports no such module, `MachineError` without torch.
    """
    try:
        import torch
    except ImportError:
        raise MachineError("torch is not installed", "pip install torch") from None
    if not isinstance(module, torch.nn.Module):
        raise CallError(f"a torch.nn.Module is wanted, not {type(module).__name__}")
    given = tuple(example) if isinstance(example, tuple | list) else (example,)
    if not given or not all(isinstance(tensor, torch.Tensor) and tensor.dim() for tensor in given):
        raise CallError("the example is a tensor, or a tuple of them, with the batch first")
    training = {part: part.training for part in module.modules()}
    try:
        with TemporaryDirectory() as folder:
            path = Path(folder) / f"{type(module).__name__.lower()}.onnx"
            export(module.eval(), given, path)
            mend(path, named_inputs(module, given), [name for name, _ in module.named_buffers()])
            return read(path)
    finally:
        for part, was in training.items():
            part.training = was


def export(module: Any, given: Sequence[Any], path: Path) -> None:
    """Write the ONNX model of a module; raises `CallError` with what PyTorch says."""
    import torch

    with torch.no_grad():
        made = module(*given)
    results = made if isinstance(made, tuple) else (made,)
    named = getattr(made, "_fields", None) or [f"output{place}" for place in range(len(results))]
    outputs = [*named] if len(results) > 1 else ["output"]
    inputs = [*named_inputs(module, given)]
    try:
        with (
            warnings.catch_warnings(),
            redirect_stdout(StringIO()),  # it prints what it refuses
            known_to_the_exporter(OPSET),
        ):
            warnings.simplefilter("ignore")  # that it is the older exporter: it keeps names
            torch.onnx.export(
                module,
                tuple(given),
                str(path),
                dynamo=False,
                training=torch.onnx.TrainingMode.PRESERVE,  # else batch norms are folded away
                do_constant_folding=False,
                input_names=inputs,
                output_names=outputs,
                opset_version=OPSET,
                dynamic_axes={name: {0: "N"} for name in (*inputs, *outputs)},
            )
    except Exception as error:  # whatever the exporter meets in the module's code
        said = str(error).strip().splitlines() or [type(error).__name__]
        raise CallError(f"PyTorch exports no such module: {said[0]}") from error


def named_inputs(module: Any, given: Sequence[Any]) -> dict[str, Any]:
    """The inputs by what `forward` calls them."""
    names = [*inspect.signature(module.forward).parameters][: len(given)]
    names += [f"input{place}" for place in range(len(names), len(given))]
    return dict(zip(names, given, strict=True))


def mend(path: Path, inputs: Mapping[str, Any], buffers: Sequence[str]) -> None:
    """Put a file that the exporter wrote right; `inputs` are those of its module by name.

    It says which arrays are `buffers`, that nobody learns: ONNX knows initializers alone.
    """
    import onnx

    from compiler.importers.from_onnx.operators import FIXED

    model = onnx.load(path, load_external_data=False)
    mended = [add_unused_inputs(model, inputs), count_from_front(model), take_as_own(model)]
    if buffers:
        model.metadata_props.add(key=FIXED, value="\n".join(buffers))
    if any(mended) or buffers:
        onnx.save(model, path)


def add_unused_inputs(model: ModelProto, inputs: Mapping[str, Any]) -> bool:
    """Declare the inputs that the exporter has dropped, since nothing takes them; whether any."""
    from onnx import TensorProto, helper

    declared = {value.name: value for value in model.graph.input}
    if declared.keys() >= inputs.keys():
        return False
    del model.graph.input[:]
    for name, tensor in inputs.items():
        whole = not (tensor.is_floating_point() or tensor.is_complex())
        kind = TensorProto.INT64 if whole else TensorProto.FLOAT
        shape = ["N", *tensor.shape[1:]]
        unused = helper.make_tensor_value_info(name, kind, shape)
        model.graph.input.append(declared.get(name, unused))
    return True


def count_from_front(model: ModelProto) -> bool:
    """Count moved axes from the front: of `movedim(-1, 1)` it writes the -1; whether any is so."""
    found = False
    for node in model.graph.node:
        for attribute in node.attribute:
            if node.op_type == "Transpose" and attribute.name == "perm":
                order = [axis % len(attribute.ints) for axis in attribute.ints]
                found |= order != [*attribute.ints]
                attribute.ints[:] = order
    return found


def take_as_own(model: ModelProto) -> bool:
    """Put operators of ours in our domain; whether there are any."""
    own = [node for node in model.graph.node if node.op_type in OURS]
    for node in own:
        node.domain = "netc"
    if own:
        model.opset_import.add(domain="netc", version=1)
    return bool(own)
