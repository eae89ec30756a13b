"""`netc import`: what is read, proved and written."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from compiler.importers.imported import Imported, UnreadableError
from grammar.diagnostics import DefinitionError, Diagnostic, Remedy
from netc.models import is_onnx, read_model
from runtime.errors import CallError

if TYPE_CHECKING:
    import onnx

    from compiler.graph import Graph
    from compiler.importers.define import Defined
    from compiler.ops.base import Shape
    from runtime.verify.comparison import Comparison

UNVERIFIED = "not verified: its numbers were not held against those of the original"
ALL_THE_SAME = "--unverified writes the definition without this proof, and says so in it"


def import_model(
    path: Path, shapes: Mapping[str, Shape], *, unverified: bool = False
) -> tuple[Imported, Defined, str]:
    """What a file holds, the definition of it, and what proved them to be the same, in words.

    An ONNX model is run beside its definition. Raises as `read_model` does, and `DefinitionError`
    when the numbers differ or cannot be compared.
    """
    if not is_onnx(str(path)):
        if unverified:
            raise CallError(f"{path} holds no numbers to verify: --unverified is for ONNX models")
        return *read_model(path, shapes), ""
    from compiler.importers.define import define
    from compiler.importers.from_onnx import import_onnx
    from compiler.importers.from_onnx.operators import modern
    from runtime.onnx_file import read_model_file

    model = read_model_file(path)
    try:
        model = modern(model, path.name)  # ONNX Runtime does not run older ones either
        imported = import_onnx(model, path.name, shapes=shapes)
    except UnreadableError as error:
        raise CallError(str(error)) from None
    if unverified:
        imported = replace(imported, notes=(*imported.notes, UNVERIFIED))
    defined = define(imported)
    return imported, defined, "" if unverified else proved(imported, defined, model)


def proved(imported: Imported, defined: Defined, model: onnx.ModelProto) -> str:
    """How near the definition is to its model, in words; raises `DefinitionError`."""
    from runtime.verify.proof import UnprovedError, prove

    first = next(iter(imported.graph.nodes()))
    try:
        proof = prove(imported, defined, model)
    except UnprovedError as error:
        message = f"the import cannot be held against the model: {error}"
        raise DefinitionError(
            [Diagnostic.of("E604", message, first.span, help=ALL_THE_SAME)]
        ) from None
    if proof.failed is None:
        runs = "" if proof.runs == 1 else f" in {proof.runs} runs of other sizes"
        return (
            f"{proof.tensors} tensors agree with ONNX Runtime's of the original{runs}, "
            f"largest relative difference {proof.relative:.1e}"
        )
    raise DefinitionError([diagnostic_of(imported.graph, proof.failed)])


def diagnostic_of(graph: Graph, failed: Comparison) -> Diagnostic:
    """The first layer that differs, at its operator in the listing of the model."""
    message = "the import computes something else than the model: "
    if failed.first_difference is not None:
        found = failed.first_difference.diagnostic("the original", "the definition")
        headline, remedy = message + found.message, Remedy(ALL_THE_SAME)
        return found.saying(code="E603", headline=headline, remedy=remedy)
    if not failed.failures:
        message = (
            f"the import cannot be held against the model: every number of {failed.nan[0]} is NaN"
        )
        return Diagnostic.of("E604", message, graph[failed.nan[0]].span, help=ALL_THE_SAME)
    first = failed.failures[0]
    message += f"its output {first}"
    return Diagnostic.of("E603", message, graph[graph.outputs[first.node]].span, help=ALL_THE_SAME)
