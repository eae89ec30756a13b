"""`netc verify`: NumPy against ONNX Runtime."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict

import click

from netc.options import FORMAT, SEED, Choice, chooses_net


@click.command("verify")
@click.argument("file")
@click.option("--device", type=click.Choice(["cpu", "cuda"]), default="cpu", show_default=True)
@FORMAT
@SEED
@chooses_net
def command(file: str, device: str, form: str, seed: int, choice: Choice) -> None:
    """Compare NumPy with ONNX Runtime at every layer, on random input and weights."""
    results = []
    for net in choice.opened(file):
        comparison = net.verify(device=device, seed=seed)
        head = {"net": net.name, "ok": comparison.ok, "device": device}
        results.append(head | asdict(comparison))
        if form == "text":
            click.echo(f"{net.name}: {comparison.sentence(device)}")
    ok = all(result["ok"] for result in results)
    if form == "json":
        click.echo(json.dumps({"ok": ok, "nets": results}, indent=2))
    sys.exit(0 if ok else 1)
