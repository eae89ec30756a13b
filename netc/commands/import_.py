"""`netc import`: another format to a definition."""

from __future__ import annotations

from pathlib import Path

import click

from runtime.errors import CallError
from runtime.files import write_whole


@click.command("import")
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    metavar="X.netdef",
    help="Where to write the definition; by default beside you, under the file's name.",
)
@click.option(
    "--weights",
    type=click.Path(path_type=Path),
    metavar="X.safetensors",
    help="Where to write the parameters under the definition's names.",
)
def command(file: Path, output: Path | None, weights: Path | None) -> None:
    """Turn an ONNX model, a Caffe prototxt or a Darknet cfg into a definition."""
    from compiler.importers import read_model
    from compiler.importers.define import define
    from compiler.importers.imported import UnreadableError
    from runtime.weights.saving import save_weights

    if not file.is_file():
        raise CallError(f"there is no file {file}")
    try:
        imported = read_model(file)
    except UnreadableError as error:
        raise CallError(str(error)) from None
    defined = define(imported)
    if weights is not None:
        if not defined.graph.values:
            raise CallError(f"{file} holds no weights")
        save_weights(weights, defined.graph.values)
    target = output or Path(f"{file.stem}.netdef")
    write_whole(target, defined.text.encode())
    for note in imported.notes:
        click.echo(f"note: {note}")
    graph = defined.graph
    click.echo(f"{graph.name}: {len(graph)} layers -> {target}")
    if weights is not None:
        click.echo(f"{len(graph.values)} arrays -> {weights}")
