"""`netc run`: a definition or a compiled model on real input."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from netc.options import SEED, WEIGHTS, Choice, chooses_net


@click.command("run")
@click.argument("file")
@click.option(
    "--image",
    type=click.Path(path_type=Path),
    metavar="PICTURE",
    help="A picture for the (single, or first picture-like) input.",
)
@click.option(
    "--input",
    "inputs",
    multiple=True,
    metavar="NAME=X.npy",
    help="An array for an input, batch first.",
)
@click.option("--random", is_flag=True, help="Random numbers for every input.")
@click.option(
    "--device",
    type=click.Choice(["auto", "cpu", "cuda", "numpy"]),
    default="auto",
    show_default=True,
)
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    metavar="Y.npz|Y.png",
    help="Write the outputs as arrays, or an image output as a picture.",
)
@click.option(
    "--range",
    "low_high",
    default="0,1",
    show_default=True,
    metavar="LOW,HIGH",
    help="The values that black and white stand for in a written picture.",
)
@click.option("--top", default=5, show_default=True, help="How many classes to print.")
@SEED
@WEIGHTS
@chooses_net
def command(file: str, choice: Choice, **options: Any) -> None:
    """Run a definition or an ONNX file on a picture, arrays or random numbers."""
    from netc.execute import execute

    execute(file, options, choice)
