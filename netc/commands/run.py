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
from runtime.errors import CallError


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
@click.option(
    "--engine",
    type=click.Choice(["here", "ray"]),
    default="here",
    show_default=True,
    help="ray: very many pictures, in workers of Ray, into a folder of Parquet files; the same "
    "call goes on where it was ended.",
)
@click.option(
    "--address", metavar="HOST:PORT", help="A cluster of Ray; by default one on this machine."
)
@counted("--workers", help="Of Ray; by default one for each GPU, or for each processor.")
@takes_net
@takes_shapes
def command(
    file: str,
    choice: NetChoice,
    engine: str,
    address: str | None,
    workers: int | None,
    **options: Any,
) -> None:
    """Run a definition or an ONNX model on pictures or arrays."""
    from netc.execute import RunOptions, execute

    wanted = RunOptions(**options)
    if engine == "ray":
        from netc.ray_engine import run_on_ray

        run_on_ray(file, wanted, choice, address, workers)
        return
    if address is not None or workers is not None:
        raise CallError("--address and --workers are of --engine ray")
    execute(file, wanted, choice)
