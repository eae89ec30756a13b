"""`netc quantize`: an int8 model, calibrated on real input."""

from __future__ import annotations

from typing import Any

import click

from netc.options import FILE, FORMAT, PATTERN, Command, NetChoice, counted, output, takes_net


@click.command("quantize", cls=Command)
@FILE
@click.option(
    "--calibrate",
    type=PATTERN,
    multiple=True,
    required=True,
    metavar="FOLDER",
    help="Typical input: a folder, a quoted glob or a file of pictures or arrays; NAME=… for "
    "several inputs; may be repeated.",
)
@output("X.onnx", "Where to write the model; by default NAME.int8.onnx in the current folder.")
@click.option(
    "--method",
    type=click.Choice(["minmax", "entropy", "percentile"]),
    default="minmax",
    show_default=True,
    help="How the range of a tensor is found from what was seen of it.",
)
@click.option("--per-tensor", is_flag=True, help="One scale a weight, not one an output channel.")
@click.option("--reduce-range", is_flag=True, help="7-bit weights: faster on x86 without VNNI.")
@click.option("--symmetric", is_flag=True, help="Activations around 0, for GPUs.")
@click.option(
    "--exclude",
    multiple=True,
    metavar="LAYER",
    help="A layer to leave in float32; may be repeated.",
)
@counted("--limit", help="The first so many samples only.")
@click.option("--per-layer", is_flag=True, help="The loss at every layer.")
@FORMAT
@takes_net
def command(file: str, choice: NetChoice, **options: Any) -> None:
    """Quantize to int8, and say what that costs in accuracy.

    FILE is a definition, a name of the library or an ONNX model.
    """
    from netc.quantizing import QuantizeOptions, quantize

    quantize(file, QuantizeOptions(**options), choice)
