"""`netc serve`: a network for programs that speak HTTP."""

from __future__ import annotations

from typing import Any

import click

from netc.errors import say
from netc.options import (
    DEVICE,
    DTYPE,
    FILE,
    TF32,
    Command,
    NetChoice,
    counted,
    takes_net,
    takes_shapes,
)
from runtime.errors import MachineError

MIB = 2**20


@click.command("serve", cls=Command)
@FILE
@click.option(
    "--host",
    default="127.0.0.1",
    show_default=True,
    help="The address to listen at; the usual one is for this machine only.",
)
@counted(
    "--port", default=8000, least=0, most=65535, help="The port to listen at; 0 takes a free one."
)
@counted("--batch-size", "largest", default=8, help="How many samples run at once, at most.")
@click.option(
    "--delay",
    type=click.FloatRange(0, 10_000),
    default=0.0,
    show_default=True,
    metavar="MS",
    help="How long a batch that is not full waits for more; 0 waits only while the model is busy.",
)
@counted(
    "--queue", "most_waiting", default=256, help="How many requests may wait; further ones get 503."
)
@counted(
    "--max-request",
    default=64,
    metavar="MIB",
    most=4096,
    help="The largest request, in MiB; larger ones get 413.",
)
@DEVICE
@DTYPE
@TF32
@takes_net
@takes_shapes
def command(
    file: str,
    choice: NetChoice,
    host: str,
    port: int,
    largest: int,
    delay: float,
    most_waiting: int,
    max_request: int,
    **options: Any,
) -> None:
    """Serve a definition or an ONNX model over HTTP.

    It speaks the Open Inference Protocol, version 2, and runs requests that wait together. Nobody
    is asked for a password: behind another --host than the usual one, put a proxy that does.
    """
    from netc.execute import RunOptions, find_runnable, tell_note, what_runs

    try:
        from netc.serving import ServeOptions, serve
    except ModuleNotFoundError as error:
        raise MachineError(
            f"the server needs a library that is missing: {error.name}",
            "pip install '.[serve]' in a checkout of netc",
        ) from None
    # The model's threads leave the cores to those that read and answer while no batch runs.
    runnable = find_runnable(file, RunOptions(**options), choice, spin=False)
    tell_note(runnable.runner.note)
    wanted = ServeOptions(host, port, largest, delay / 1000, most_waiting, max_request * MIB)
    serve(runnable, wanted, lambda address: say(f"{what_runs(runnable)}: {address}"))
