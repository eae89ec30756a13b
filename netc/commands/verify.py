"""`netc verify`: NumPy against ONNX Runtime."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict

import click

from compiler.precision import WORDS
from netc.options import DTYPE, FORMAT, SEED, TF32, Choice, chooses_net


@click.command("verify")
@click.argument("file")
@click.option(
    "--device",
    default="cpu",
    show_default=True,
    metavar="cpu|cuda[:N]|tensorrt[:N]",
    help="What NumPy is compared with.",
)
@DTYPE
@TF32
@FORMAT
@SEED
@chooses_net
def command(
    file: str, device: str, dtype: str, tf32: bool, form: str, seed: int, choice: Choice
) -> None:
    """Compare NumPy with ONNX Runtime at every layer, on random input and weights."""
    results = []
    for net in choice.opened(file):
        comparison = net.verify(device=device, seed=seed, dtype=dtype, exact=not tf32)
        head = {"net": net.name, "ok": comparison.ok, "device": device, "dtype": dtype}
        results.append(head | asdict(comparison))
        if form == "text":
            where = device if dtype == "f32" else f"{device}, {WORDS[dtype]}"
            click.echo(f"{net.name}: {comparison.sentence(where)}")
    ok = all(result["ok"] for result in results)
    if form == "json":
        click.echo(json.dumps({"ok": ok, "nets": results}, indent=2))
    sys.exit(0 if ok else 1)
