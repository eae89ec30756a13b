"""`netc plot`: the picture of a network."""

from __future__ import annotations

from pathlib import Path

import click

from netc.errors import say
from netc.models import is_model
from netc.options import FILE, Command, NetChoice, chooses_net, counted, output
from netc.plot import STYLES, PlotOptions, check, plot
from runtime.files import refuse_inputs


@click.command("plot", cls=Command)
@FILE
@output(
    "X.svg|.html|.png|.pdf",
    "Where to draw: .html is a page whose blocks open and close, all others are pictures.",
    required=True,
)
@click.option(
    "--style",
    type=click.Choice(STYLES),
    default="flow",
    show_default=True,
    help="flow: boxes and lines; volumes: tensors to scale; u: along a U; connections: every "
    "number of a small net.",
)
@click.option("--horizontal", is_flag=True, help="The flow to the right instead of down.")
@counted(
    "--depth",
    metavar="N",
    least=0,
    help="How many levels of blocks are open; by default as many as stay readable.",
)
@chooses_net
def command(
    file: str,
    output: Path,
    style: str,
    horizontal: bool,
    depth: int | None,
    choice: NetChoice,
) -> None:
    """Draw a net: its layers and blocks, shapes on the lines.

    FILE is a definition, a name of the library, or a model: .onnx, .prototxt, .cfg.
    """
    options = PlotOptions(style, depth, horizontal)
    check(output, options)
    (net,) = choice.measured(file) if is_model(file) else [choice.single(file)]
    refuse_inputs([output], choice.files.seen)
    path = plot(net.graph, net.analysis, output, options)
    count = len(net.graph)
    layers = f"{count:,} layer{'s' if count != 1 else ''}"
    say(f"{net.name}: {layers} -> {path} ({path.stat().st_size:,} bytes)")
