"""`netc run`: a definition or a compiled model on real input."""

from __future__ import annotations

from typing import Any

import click

from netc.options import (
    DEVICE,
    DTYPE,
    FILE,
    OUTPUT,
    PATTERN,
    TF32,
    Command,
    NetChoice,
    counted,
    pictures,
    takes_net,
    takes_shapes,
)


@click.command("run", cls=Command)
@FILE
@pictures(
    "A picture, a folder or a quoted glob of them, for the first input that takes pictures; "
    "may be repeated."
)
@click.option(
    "--input",
    "inputs",
    type=PATTERN,
    multiple=True,
    metavar="NAME=X.npy",
    help="Arrays or pictures for an input: a file, a folder or a quoted glob; numbers, "
    '"[[1, 2], [3, 4]]"; or an .npz for all inputs; may be repeated.',
)
@click.option("--random", is_flag=True, help="Random numbers for every input that has nothing.")
@counted("--samples", help="How many samples --random makes; 1 by default.")
@DEVICE
@DTYPE
@TF32
@click.option("--placement", is_flag=True, help="How many nodes of which operators run where.")
@counted("--batch-size", help="How many samples run at once; 8 by default.")
@click.option(
    "--tta",
    type=click.Choice(["none", "flip", "tencrop"]),
    default="none",
    show_default=True,
    help="Average over a picture and its mirror image, or over ten crops.",
)
@click.option(
    "--out",
    type=OUTPUT,
    metavar="Y.npz|Y.png|…",
    help="Write the results: .npz, .npy, .parquet, .jsonl, .csv, a picture, or a folder of them; "
    "in one picture several samples, or maps that are no colours, stand side by side.",
)
@click.option(
    "--format",
    "form",
    type=click.Choice(["table", "jsonl", "csv", "npz", "npy", "parquet", "picture"]),
    help="The form of the results, where the name after --out does not say it.",
)
@click.option(
    "--range",
    "low_high",
    default="0,1",
    show_default=True,
    metavar="LOW,HIGH|auto",
    help="The values that black and white stand for in a written picture; auto: its own.",
)
@counted("--top", default=5, help="How many classes to tell.")
@takes_net
@takes_shapes
def command(file: str, choice: NetChoice, **options: Any) -> None:
    """Run a definition or an ONNX model on pictures or arrays."""
    from netc.execute import RunOptions, execute

    execute(file, RunOptions(**options), choice)
