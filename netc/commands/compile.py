"""`netc compile`: a definition to an ONNX file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from compiler.onnx.precision import DTYPES, OPSETS, WORDS
from compiler.options import CompileOptions
from netc.errors import say
from netc.options import DTYPE, FILE, FOLDER, Command, NetChoice, output, takes_net
from runtime.errors import CallError

if TYPE_CHECKING:
    from netc.net import Net
    from runtime.weights.rename import WeightsFile


@click.command("compile", cls=Command)
@FILE
@output("X.onnx", "Where to write the model; by default NAME.onnx here. X.py is PyTorch source.")
@click.option(
    "--emit",
    type=click.Choice(["onnx", "ast", "graph", "shapes"]),
    default="onnx",
    show_default=True,
    help="onnx writes the file; ast, graph and shapes are printed instead.",
)
@click.option(
    "--opset", type=click.IntRange(13, 26), help="By default 21; 22 for bf16, which needs it."
)
@DTYPE
@click.option(
    "--io-dtype",
    type=click.Choice(DTYPES),
    default="f32",
    show_default=True,
    help="What inputs and outputs are.",
)
@click.option(
    "--external-data/--no-external-data",
    default=None,
    help="Weights in a file beside the model; by default above 1.5 GB.",
)
@click.option("--batch", type=click.IntRange(1), help="Fix the batch size; by default any, N.")
@click.option(
    "--no-optimize",
    "optimise",
    flag_value=False,
    default=True,
    help="Write every layer as it stands: no batch norm folded, no identity removed.",
)
@click.option(
    "--embed-preprocess",
    "embed",
    type=click.Choice(["nhwc", "nchw"]),
    is_flag=False,
    flag_value="nhwc",
    help="The model takes pixels, uint8 in this layout (by default nhwc), and normalises them.",
)
@click.option(
    "--triton",
    type=FOLDER,
    metavar="FOLDER",
    help="Write a model repository for Triton instead: FOLDER/NAME with config and class names.",
)
@click.option(
    "--train",
    metavar="NAME",
    help="Write one step of this training instead: forward, loss, backward and update; "
    "with -o X.py all of it as a PyTorch program.",
)
@click.option(
    "--checkpoint",
    is_flag=True,
    help="Of a step: work activations out twice instead of keeping them.",
)
@takes_net
def command(
    file: str,
    output: Path | None,
    emit: str,
    triton: Path | None,
    external_data: bool | None,
    train: str | None,
    checkpoint: bool,
    weights: WeightsFile | None,
    choice: NetChoice,
    **options: Any,
) -> None:
    """Compile a net, or a step of a training, to an ONNX file.

    With -o X.py the net is written as PyTorch source instead.

    With --train the model takes a batch, the parameters and the optimiser's arrays, and gives them
    anew; where they begin is written beside it, as .safetensors. Its metadata netc.step says what
    each input and output is. With --train and -o X.py the whole training is written as a PyTorch
    program, which runs alone, under torchrun and in Ray Train.
    """
    from netc.emit import emit_text

    wanted = CompileOptions(**options)
    if train is not None and output is not None and output.suffix == ".py":
        from netc.stepping import compile_script

        if wanted != CompileOptions() or weights or emit != "onnx" or triton or checkpoint:
            raise CallError("a training in PyTorch takes --set alone")
        say(compile_script(file, train, choice, output))
        return
    if train is not None:
        from netc.stepping import compile_steps

        plain = CompileOptions(
            wanted.seed, wanted.optimise, wanted.opset, dtype=wanted.dtype, embed=wanted.embed
        )
        if wanted != plain or weights or emit != "onnx" or triton:
            raise CallError("--train goes with --opset, --dtype, --seed and --set")
        for line in compile_steps(file, train, choice, output, wanted, checkpoint):
            click.echo(line)
        return

    if checkpoint:
        raise CallError("--checkpoint is of a step: it goes with --train")
    if output is not None and output.suffix == ".py" and emit == "onnx" and triton is None:
        if wanted != CompileOptions() or weights or external_data is not None:
            raise CallError("PyTorch source takes --set alone: weights are loaded by name")
        write_torch(choice.single(file), output, choice)
        return
    if triton is not None and (output or emit != "onnx"):
        raise CallError("--triton names the folder of models that is written: no -o, no --emit")
    if emit == "ast":
        say(emit_text("ast", choice.module(file)))
        return
    net = choice.single(file)
    if emit != "onnx":
        say(emit_text(emit, net))
        return
    if weights is not None:
        net = net.with_weights(weights)
    if triton is not None:
        from netc.triton import write_repository

        place = write_repository(net, triton, wanted, external_data)
        say(f"{net.name}: {net.analysis.parameters:,} parameters -> {place}")
        return
    from runtime.files import refuse_inputs
    from runtime.models import own_data

    target = output or Path(f"{net.name}.onnx")
    refuse_inputs([target], choice.files.seen)
    path = net.write(target, wanted, external_data)
    say(
        f"{net.name}: {net.analysis.parameters:,} parameters -> {path} "
        f"({path.stat().st_size:,} bytes, "
        + (f"{WORDS[wanted.dtype]}, " if wanted.dtype != "f32" else "")
        + f"opset {wanted.opset or OPSETS[wanted.dtype]})"
    )
    for data in sorted(own_data(path)):
        say(f"its weights: {data} ({data.stat().st_size:,} bytes)")


def write_torch(net: Net, target: Path, choice: NetChoice) -> None:
    """Write PyTorch source."""
    from runtime.files import refuse_inputs, write_whole

    refuse_inputs([target], choice.files.seen)
    source = net.torch_source()
    write_whole(target, source.encode())
    lines = source.count("\n")
    say(f"{net.name}: {net.analysis.parameters:,} parameters -> {target} ({lines} lines)")
