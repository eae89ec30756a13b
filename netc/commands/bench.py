"""`netc bench`: latency and throughput."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from netc.options import DEVICE, DTYPE, FORMAT, TF32, NetChoice, counted, takes_net


def batch_sizes(ctx: click.Context, parameter: click.Parameter, text: str) -> tuple[int, ...]:
    """The numbers of `1,8`."""
    numbers = text.split(",")
    if not all(n.strip().isdecimal() and int(n) for n in numbers):
        raise click.BadParameter(f"{text} is no list of batch sizes such as 1,8", ctx, parameter)
    return tuple(map(int, numbers))


@click.command("bench")
@click.argument("file")
@click.option(
    "--batch",
    "batches",
    callback=batch_sizes,
    default="1",
    show_default=True,
    metavar="N,…",
    help="Batch sizes, one after the other.",
)
@click.option(
    "--against",
    type=click.Path(path_type=Path),
    metavar="X.onnx",
    help="Another model with the same inputs, timed in the same rounds.",
)
@DEVICE
@click.option(
    "--devices",
    metavar="all|cpu,openvino,…",
    help="One model on several devices, or all of this machine, in the same rounds.",
)
@DTYPE
@TF32
@counted("--threads", default=0, least=0, help="Processor threads; 0 is one for each core.")
@click.option("--placement", is_flag=True, help="Which node runs on which provider.")
@counted("--size", default=224, help="What the symbolic sizes of an ONNX file become.")
@click.option(
    "--seconds",
    type=click.FloatRange(0),
    default=3.0,
    show_default=True,
    help="How long each model is timed, per batch size.",
)
@FORMAT
@takes_net
def command(file: str, choice: NetChoice, **options: Any) -> None:
    """Time a definition or an ONNX model: latency and throughput."""
    from netc.timing import BenchOptions, report

    report(file, BenchOptions(**options), choice)
