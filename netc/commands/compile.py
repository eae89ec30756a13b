"""`netc compile`: a definition to an ONNX file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from netc.options import SEED, WEIGHTS, Choice, chooses_net

if TYPE_CHECKING:
    from compiler.embed import Layout
    from runtime.weights.rename import WeightsFile


@click.command("compile")
@click.argument("file")
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    metavar="X.onnx",
    help="Where to write the model; by default beside you, under the net's name.",
)
@click.option(
    "--emit",
    type=click.Choice(["onnx", "ast", "graph", "shapes"]),
    default="onnx",
    show_default=True,
    help="Stop after a stage and print what it made.",
)
@click.option("--opset", type=click.IntRange(13, 26), default=21, show_default=True)
@click.option("--batch", type=click.IntRange(1), help="Pin the batch size.")
@click.option("--no-optimize", is_flag=True, help="Leave the passes out.")
@click.option(
    "--embed-preprocess",
    type=click.Choice(["nhwc", "nchw"]),
    is_flag=False,
    flag_value="nhwc",
    help="The model takes pixels, uint8 in this layout, and normalises them itself.",
)
@SEED
@WEIGHTS
@chooses_net
def command(
    file: str,
    output: Path | None,
    emit: str,
    opset: int,
    batch: int | None,
    no_optimize: bool,
    seed: int,
    embed_preprocess: Layout | None,
    weights: WeightsFile | None,
    choice: Choice,
) -> None:
    """Compile a net to an ONNX file."""
    from netc.emit import emit_text

    if emit == "ast":
        click.echo(emit_text("ast", choice.module(file)))
        return
    net = choice.single(file)
    if emit != "onnx":
        click.echo(emit_text(emit, net))
        return
    if weights is not None:
        net = net.with_weights(weights)
    from runtime.models import own_data

    target = output or Path(f"{net.name}.onnx")
    path = net.compile(
        target,
        seed=seed,
        optimise=not no_optimize,
        opset=opset,
        batch=batch,
        embed=embed_preprocess,
    )
    size = path.stat().st_size
    click.echo(
        f"{net.name}: {net.analysis.parameters:,} parameters -> {path} "
        f"({size:,} bytes, opset {opset})"
    )
    for data in sorted(own_data(path)):
        click.echo(f"its weights: {data} ({data.stat().st_size:,} bytes)")
