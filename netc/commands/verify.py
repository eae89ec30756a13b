"""`netc verify`: NumPy against ONNX Runtime, or one model against another."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from netc.options import DTYPE, FORMAT, TF32, NetChoice, counted, takes_net, takes_shapes
from netc.verifying import VerifyCall, verify
from runtime.errors import CallError
from runtime.verify.options import VerifyOptions

if TYPE_CHECKING:
    from runtime.weights.rename import WeightsFile


@click.command("verify")
@click.argument("file")
@click.argument("other", required=False)
@click.option(
    "--device",
    default="cpu",
    show_default=True,
    metavar="DEVICE",
    help="What NumPy is compared with; where two models run.",
)
@click.option(
    "--bisect", is_flag=True, help="End at the first layer that differs, and say all about it."
)
@counted("--batch", default=2, help="Samples of random input.")
@click.option(
    "--input",
    "inputs",
    multiple=True,
    metavar="[NAME=]PATH",
    help="Numbers for an input of two models, batch first: .npy, or .npz with every input; may be "
    "repeated.",
)
@click.option(
    "--train",
    metavar="NAME",
    help="Hold each step of this training against NumPy: every tensor, derivative and update.",
)
@DTYPE
@TF32
@FORMAT
@takes_net
@takes_shapes
def command(
    file: str,
    other: str | None,
    device: str,
    bisect: bool,
    batch: int,
    inputs: tuple[str, ...],
    train: str | None,
    dtype: str,
    tf32: bool,
    form: str,
    seed: int,
    weights: WeightsFile | None,
    choice: NetChoice,
) -> None:
    """Compare NumPy with ONNX Runtime at every layer.

    FILE is a definition, with random weights or those of --weights, or an ONNX model, which is
    imported and compared with its own run; the input is random. With OTHER, the outputs of two of
    them are compared.
    """
    options = VerifyOptions(device, dtype, not tf32, seed, batch, bisect)
    call = VerifyCall(options, inputs, form, weights)
    if train is not None:
        from netc.stepping import verify_training

        if other is not None or inputs or weights or bisect or tf32:
            message = "--train goes with --device, --dtype, --batch, --seed, --format and --set"
            raise CallError(message)
        sys.exit(0 if verify_training(file, train, call, choice) else 1)
    sys.exit(0 if verify(file, other, call, choice) else 1)
