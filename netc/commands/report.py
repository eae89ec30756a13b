"""`netc report`: a network on one page."""

from __future__ import annotations

from pathlib import Path

import click

from netc.errors import say
from netc.models import is_model
from netc.options import FILE, Command, NetChoice, counted, output, pictures, takes_net
from runtime.errors import CallError
from runtime.files import refuse_inputs
from runtime.weights.rename import WeightsFile

MOST_PICTURES = 2


@click.command("report", cls=Command)
@FILE
@output("X.html", "Where to write the page.", required=True)
@click.option("--bench", is_flag=True, help="Measure the time of each layer on this CPU.")
@pictures("A picture that is run: its classes, its maps in every layer; may be repeated for two.")
@counted(
    "--most", default=16, most=256, help="How many maps of a layer are shown, the strongest first."
)
@click.option(
    "--gradients/--no-gradients",
    default=True,
    show_default=True,
    help="Saliency, Grad-CAM and the effective receptive field of the pictures.",
)
@takes_net
def command(
    file: str,
    output: Path,
    bench: bool,
    images: tuple[str, ...],
    most: int,
    gradients: bool,
    seed: int,
    weights: WeightsFile | None,
    choice: NetChoice,
) -> None:
    """Show a net on one page: picture, table, text, charts.

    FILE is a definition, a name of the library, or a model: .onnx, .prototxt, .cfg.
    """
    from netc.report import ReportOptions, check_suffix, write_report

    check_suffix(output)
    if len(images) > MOST_PICTURES:
        raise CallError("one picture, or two side by side")
    if is_model(file):
        if weights is not None:
            choice.refuse(weights)
        (net,) = choice.measured(file)
    else:
        net = choice.single(file, weights)
    refuse_inputs([output], choice.files.seen)
    options = ReportOptions(bench, tuple(map(Path, images)), most, gradients, seed)
    path = write_report(net, output, options, choice.files.seen)
    say(f"{net.name}: {len(net.graph):,} layers -> {path} ({path.stat().st_size:,} bytes)")
