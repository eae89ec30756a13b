"""A PyTorch module as a network: exported to ONNX by PyTorch, read by the importer."""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from netc.given import documented
from netc.models import read
from netc.net import Net
from runtime.errors import CallError, MachineError

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
    inputs = [*inspect.signature(module.forward).parameters][: len(given)]
    inputs += [f"input{place}" for place in range(len(inputs), len(given))]
    try:
        with warnings.catch_warnings():
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
