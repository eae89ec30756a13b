"""`netc import`: another format to a definition."""

from __future__ import annotations

from pathlib import Path

import click

from netc.errors import say, show
from netc.options import INPUT, OUTPUT, SHAPES, Command, output, shape_of
from runtime.errors import CallError
from runtime.files import refuse_inputs, write_whole


@click.command("import", cls=Command)
@click.argument("file", type=INPUT)
@output("X.netdef", "Where to write the definition; by default NAME.netdef in the current folder.")
@click.option(
    "--weights",
    type=OUTPUT,
    metavar="X.safetensors",
    help="Where to write the parameters, under the definition's names.",
)
@SHAPES
@click.option(
    "--unverified",
    is_flag=True,
    help="Write the definition of an ONNX model without running it beside the original.",
)
def command(
    file: Path,
    output: Path | None,
    weights: Path | None,
    shapes: tuple[str, ...],
    unverified: bool,
) -> None:
    """Turn an ONNX, Caffe or Darknet model into a definition.

    FILE is .onnx, .prototxt or .cfg. The definition of an ONNX model is written when ONNX Runtime
    gives the same numbers for both.
    """
    from netc.importing import import_model
    from runtime.weights.saving import save_weights

    target = output or Path(f"{file.stem}.netdef")
    refuse_inputs([target], [file])
    given = dict(map(shape_of, shapes))
    imported, defined, proof = import_model(file, given, unverified=unverified)
    graph = defined.graph
    if weights is not None and graph.parameters() and not graph.values:
        raise CallError(f"{file} holds no weights, only a network")
    if weights is not None and graph.values:
        save_weights(weights, graph.values)
    write_whole(target, defined.text.encode())
    show(imported.warnings)
    for note in imported.notes:
        say(f"note: {note}")
    say(f"{graph.name}: {len(graph)} layers -> {target}")
    if proof:
        say(proof)
    if weights is not None and not graph.values:
        say(f"note: no layer of {graph.name} has weights: {weights} is not written")
    elif weights is not None:
        say(f"{len(graph.values)} arrays -> {weights}")
