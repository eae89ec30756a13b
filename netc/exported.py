"""A PyTorch module as a network: exported to ONNX by PyTorch, read by the importer."""

from __future__ import annotations

import inspect
import re
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
from runtime.errors import CallError, MachineError, first_line

if TYPE_CHECKING:
    from onnx import ModelProto

OPSET = 17


@documented
def from_torch(module: Any, example: Any, name: str = "") -> Net:
    """The network that a torch module is on inputs like `example`, called `name` or as its class.

    The example is a tensor, a tuple of them, or a mapping from the inputs' names: those of the
    parameters of `forward`, or others for these in their order. It has the batch first, and sizes
    that the network then has; the batch stays open. Parameters keep their names and numbers. Raises
    `DefinitionError` with every layer that cannot be expressed, `CallError` where PyTorch exports
    no such module or takes no such example, `MachineError` without torch.
    """
    try:
        import torch
    except ImportError:
        raise MachineError("torch is not installed", "pip install torch") from None
    if not isinstance(module, torch.nn.Module):
        raise CallError(f"a torch.nn.Module is wanted, not {type(module).__name__}")
    if not isinstance(name, str) or not (name.isidentifier() or not name):
        raise CallError(f"a network is called by a word, not {name!r}")
    given = named_inputs(module, example)
    if not given or not all(
        isinstance(tensor, torch.Tensor) and tensor.dim() for tensor in given.values()
    ):
        raise CallError(
            "the example is a tensor, a tuple of them or a mapping to them, with the batch first"
        )
    training = {part: part.training for part in module.modules()}
    try:
        with TemporaryDirectory() as folder:
            path = Path(folder) / f"{name or type(module).__name__.lower()}.onnx"
            export(module.eval(), given, path)
            mend(path, given, [n for n, _ in module.named_parameters(remove_duplicate=False)])
            return read(path)
    finally:
        for part, was in training.items():
            part.training = was


def export(module: Any, given: Mapping[str, Any], path: Path) -> None:
    """Write the ONNX model of a module; raises `CallError` with what PyTorch says."""
    import torch

    ordered, named = as_arguments(module, given)
    try:
        with torch.no_grad():
            made = module(*ordered, **named)
    except Exception as error:  # whatever the module's code raises
        raise CallError(f"the module does not run on the example: {first_line(error)}") from error
    results = made if isinstance(made, tuple) else (made,)
    fields = getattr(made, "_fields", None) or [f"output{place}" for place in range(len(results))]
    inputs = [*given]
    outputs = [*fields] if len(results) > 1 else ["output"]
    outputs = [f"{name}_" if name in inputs else name for name in outputs]
    try:
        with (
            warnings.catch_warnings(),
            redirect_stdout(StringIO()),  # it prints what it refuses
            known_to_the_exporter(OPSET, len(next(iter(given.values())))),
        ):
            warnings.simplefilter("ignore")  # that it is the older exporter: it keeps names
            torch.onnx.export(
                module,
                ordered,
                str(path),
                kwargs=named,
                dynamo=False,
                training=torch.onnx.TrainingMode.PRESERVE,  # else batch norms are folded away
                do_constant_folding=False,
                input_names=inputs,
                output_names=outputs,
                opset_version=OPSET,
                dynamic_axes={name: {0: "N"} for name in (*inputs, *outputs)},
            )
    except Exception as error:  # whatever the exporter meets in the module's code
        raise CallError(f"PyTorch exports no such module: {first_line(error)}") from error


def named_inputs(module: Any, example: Any) -> dict[str, Any]:
    """The tensors of an example by the inputs' names, in the order in which `forward` takes them.

    Without names they are called as `forward` calls them. Raises `CallError` for names of which
    `forward` has some, but not all.
    """
    names = parameters_of(module)
    if not isinstance(example, Mapping):
        given = tuple(example) if isinstance(example, tuple | list) else (example,)
        known = names[: len(given)]
        known += [f"input{place}" for place in range(len(known), len(given))]
        return dict(zip(known, given, strict=True))
    for name in example:
        if not isinstance(name, str) or not name.isidentifier():
            raise CallError(f"an input is called by a word, not {name!r}")
    unknown = [name for name in example if name not in names]
    if len(unknown) == len(example):
        return dict(example)
    if unknown:
        message = f"forward takes {', '.join(names)}, and no {', '.join(map(repr, unknown))}"
        raise CallError(f"{message}: names are all of them those of forward, or none")
    return {name: example[name] for name in names if name in example}


def parameters_of(module: Any) -> list[str]:
    """What `forward` calls what it takes, in its order."""
    parameters = inspect.signature(module.forward).parameters.values()
    return [p.name for p in parameters if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)]


def as_arguments(module: Any, given: Mapping[str, Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """How `forward` is called with named inputs: in their order, by name behind one left out.

    Raises `CallError` where it takes more than it is given, or fewer.
    """
    names = parameters_of(module)
    known = any(name in names for name in given)
    pairs = zip(given, names, strict=False)
    count = (
        next((k for k, (a, b) in enumerate(pairs) if a != b), len(given)) if known else len(given)
    )
    tensors = [*given.values()]
    ordered, named = tuple(tensors[:count]), dict([*given.items()][count:])
    try:
        inspect.signature(module.forward).bind(*ordered, **named)
    except TypeError as error:
        example = f"the example has {len(given)}: {', '.join(given)}"
        raise CallError(f"forward takes {', '.join(names)}, {example} ({error})") from None
    return ordered, named


def mend(path: Path, inputs: Mapping[str, Any], parameters: Sequence[str]) -> None:
    """Put a file that the exporter wrote right; `inputs` are those of its module by name.

    It says which arrays are `parameters`, that somebody learns: ONNX knows initializers alone.
    """
    import onnx

    from compiler.importers.from_onnx.operators import LEARNED

    model = onnx.load(path, load_external_data=False)
    add_unused_inputs(model, inputs)
    count_from_front(model)
    take_as_own(model)
    # One that is called as an input or output has a number behind its name.
    learned = [
        tensor.name
        for tensor in model.graph.initializer
        if {tensor.name, re.sub(r"\.\d+$", "", tensor.name)} & {*parameters}
    ]
    model.metadata_props.add(key=LEARNED, value="\n".join(learned))
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
