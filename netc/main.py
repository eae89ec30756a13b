"""The command line. Exit codes: 0 done, 1 the definition, 2 the call, 3 the machine."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any

import click

from compiler.driver import check_net
from grammar.diagnostics import DefinitionError, Diagnostic, render
from netc import __version__
from netc.api import Net, load
from netc.library import (
    CallError,
    check_settings,
    choose_net,
    library_nets,
    open_module,
    parse_settings,
)

FORMAT = click.option(
    "--format", "form", type=click.Choice(["text", "json"]), default="text", help="How to print."
)
INCLUDE = click.option(
    "-I",
    "include",
    multiple=True,
    metavar="FOLDER",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="A folder in which `use` may look.",
)
SEED = click.option("--seed", default=0, show_default=True, help="Seed of the initial weights.")
WEIGHTS = click.option(
    "--weights",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Parameters from a .safetensors or .npz file.",
)


def selects_net(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options of every command that reads a definition."""
    command = click.option("--net", "net", metavar="NAME", help="Which net of the file.")(command)
    command = click.option(
        "--set", "settings", multiple=True, metavar="NAME=VALUE", help="A parameter of the net."
    )(command)
    return INCLUDE(command)


def fail(code: int, message: str) -> None:
    """Say it on standard error and stop."""
    click.echo(message, err=True)
    sys.exit(code)


def reports_errors(command: Callable[..., Any]) -> Callable[..., Any]:
    """Turn every expected failure into its message and exit code."""

    @wraps(command)
    def wrapped(*args: Any, **kwargs: Any) -> Any:
        try:
            return command(*args, **kwargs)
        except DefinitionError as error:
            show(error.diagnostics)
            sys.exit(1)
        except CallError as error:
            fail(2, f"error: {error}")
        except ValueError as error:
            if type(error) is ValueError or type(error).__module__.startswith("runtime."):
                fail(2, f"error: {error}")
            raise
        except MemoryError:
            fail(3, "error: this network needs more memory than there is")
        except ImportError as error:
            fail(3, f"error: a library is missing: {error}; reinstall netc")
        except OSError as error:
            where = f": {error.filename}" if error.filename else ""
            fail(2, f"error: {error.strerror or error}{where}")
        except Exception as error:
            if type(error).__name__ != "MachineError":
                raise
            fail(3, f"error: {error}\nhelp: {getattr(error, 'remedy', '')}")

    return wrapped


def show(diagnostics: Any) -> None:
    """Diagnostics on standard error, coloured on a terminal, and a count."""
    for diagnostic in diagnostics:
        text = render(diagnostic)
        head, _, rest = text.partition("\n")
        colour = "red" if diagnostic.severity == "error" else "yellow"
        click.echo(click.style(head, fg=colour, bold=True) + "\n" + rest + "\n", err=True)
    errors = sum(d.severity == "error" for d in diagnostics)
    if errors:
        click.echo(f"{errors} error{'s' if errors != 1 else ''}", err=True)


def open_net(
    file: str, net: str | None, settings: tuple[str, ...], include: tuple[Path, ...]
) -> Net:
    """The checked net of a command; warnings are shown."""
    loaded = load(file, net, include=include, **parse_settings(settings))
    show(loaded.warnings)
    return loaded


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="netc")
def main() -> None:
    """The network definition compiler: check, measure, compile, run and verify."""


@main.command()
@click.argument("files", nargs=-1, required=True, metavar="FILE…")
@FORMAT
@selects_net
@reports_errors
def check(
    files: tuple[str, ...],
    form: str,
    net: str | None,
    settings: tuple[str, ...],
    include: tuple[Path, ...],
) -> None:
    """Find every mistake in definition files."""
    values = parse_settings(settings)
    found: list[Diagnostic] = []
    lines: list[str] = []
    for file in files:
        try:
            module, named = open_module(file, include)
        except DefinitionError as error:
            found += error.diagnostics
            continue
        chosen = net or named
        blocks = module.nets() if chosen is None else [choose_net(module, chosen)]
        if not blocks:
            lines.append(f"{file}: no nets, only definitions to use")
        for block in blocks:
            if len(blocks) == 1:
                check_settings(block, values)
            known = {p.name.id for p in block.definition.parameters}
            checked = check_net(block, {k: v for k, v in values.items() if k in known})
            found += checked.diagnostics
            if not checked.errors and checked.analysis is not None:
                macs = checked.analysis.macs
                cost = f", {macs:,} MACs" if isinstance(macs, int) else ""
                lines.append(
                    f"{file}: {block.name} is fine: "
                    f"{checked.analysis.parameters:,} parameters{cost}"
                )
    failed = any(d.severity == "error" for d in found)
    if form == "json":
        click.echo(
            json.dumps({"ok": not failed, "diagnostics": [d.as_dict() for d in found]}, indent=2)
        )
    else:
        for line in lines:
            click.echo(line)
        show(found)
    sys.exit(1 if failed else 0)


@main.command()
@click.argument("file")
@FORMAT
@selects_net
@reports_errors
def summary(
    file: str, form: str, net: str | None, settings: tuple[str, ...], include: tuple[Path, ...]
) -> None:
    """Every layer's shape, parameters, MACs, receptive field and memory."""
    module, named = open_module(file, include)
    chosen = net or named
    blocks = [choose_net(module, chosen)] if chosen else module.nets()
    if not blocks:
        raise CallError(f"{file} defines no net")
    values = parse_settings(settings)
    nets = []
    for block in blocks:
        if len(blocks) == 1:
            check_settings(block, values)
        known = {p.name.id for p in block.definition.parameters}
        nets.append(Net(check_net(block, {k: v for k, v in values.items() if k in known})))
    if form == "json":
        click.echo(json.dumps({"nets": [n.summary() for n in nets]}, indent=2))
        return
    from netc.tables import print_summary

    for index, loaded in enumerate(nets):
        if index:
            click.echo()
        print_summary(loaded.graph, loaded.analysis)
        show(loaded.warnings)


@main.command("list")
@FORMAT
@reports_errors
def list_(form: str) -> None:
    """The networks that come with netc."""
    rows = []
    for path in dict.fromkeys(library_nets().values()):
        module, _ = open_module(str(path))
        for net in module.nets():
            first = (net.definition.doc.splitlines() or [""])[0]
            rows.append((net.name, path.name, first))
    if form == "json":
        click.echo(json.dumps([{"net": n, "file": f, "doc": d} for n, f, d in rows], indent=2))
        return
    from rich.console import Console

    from netc.tables import list_table

    console = Console(highlight=False, markup=False)
    if not console.is_terminal:
        console = Console(highlight=False, markup=False, width=160)
    console.print(list_table(rows))


@main.command()
@click.argument("file")
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    metavar="X.onnx",
    help="Where to write the model; by default beside you, under the net's name.",
)
@click.option(
    "--emit",
    type=click.Choice(["onnx", "ast", "graph", "shapes"]),
    default="onnx",
    show_default=True,
    help="Stop after a stage and print what it made.",
)
@click.option("--opset", type=click.IntRange(13, 26), default=21, show_default=True)
@click.option("--batch", type=click.IntRange(1), help="Pin the batch size.")
@click.option("--no-optimize", is_flag=True, help="Leave the passes out.")
@SEED
@WEIGHTS
@selects_net
@reports_errors
def compile(
    file: str,
    output: Path | None,
    emit: str,
    opset: int,
    batch: int | None,
    no_optimize: bool,
    seed: int,
    weights: Path | None,
    net: str | None,
    settings: tuple[str, ...],
    include: tuple[Path, ...],
) -> None:
    """Compile a net to an ONNX file."""
    from netc.emit import emit_text

    if emit == "ast":
        click.echo(emit_text("ast", open_module(file, include)[0]))
        return
    loaded = open_net(file, net, settings, include)
    if emit != "onnx":
        click.echo(emit_text(emit, loaded))
        return
    if weights is not None:
        loaded = loaded.with_weights(weights)
    target = output or Path(f"{loaded.name}.onnx")
    path = loaded.compile(target, seed=seed, optimise=not no_optimize, opset=opset, batch=batch)
    size = path.stat().st_size
    click.echo(
        f"{loaded.name}: {loaded.analysis.parameters:,} parameters -> {path} "
        f"({size:,} bytes, opset {opset})"
    )


@main.command()
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
@selects_net
@reports_errors
def run(file: str, **options: Any) -> None:
    """Run a definition or an ONNX file on a picture, arrays or random numbers."""
    from netc.execute import execute

    execute(file, options, open_net)


@main.command()
@click.argument("file")
@click.option("--device", type=click.Choice(["cpu", "cuda"]), default="cpu", show_default=True)
@FORMAT
@SEED
@selects_net
@reports_errors
def verify(
    file: str,
    device: str,
    form: str,
    seed: int,
    net: str | None,
    settings: tuple[str, ...],
    include: tuple[Path, ...],
) -> None:
    """Compare NumPy with ONNX Runtime at every layer, on random input and weights."""
    module, named = open_module(file, include)
    chosen = net or named
    names = [chosen] if chosen else [block.name for block in module.nets()]
    if not names:
        raise CallError(f"{file} defines no net")
    results = []
    for name in names:
        loaded = open_net(file, name, settings if len(names) == 1 else (), include)
        comparison = loaded.verify(device=device, seed=seed)
        results.append(
            {
                "net": name,
                "ok": comparison.ok,
                "nodes": comparison.nodes,
                "device": device,
                "worst": comparison.worst,
                "worst_node": comparison.worst_node,
                "failures": [
                    {"node": f.node, "line": f.line, "error": f.error, "stage": f.stage}
                    for f in comparison.failures
                ],
            }
        )
        if form == "text":
            share = f"largest difference {comparison.worst:.1%} of the tolerance"
            word = "agree" if comparison.ok else "DIFFER"
            click.echo(
                f"{name}: NumPy and ONNX Runtime ({device}) {word} at "
                f"{comparison.nodes} layers, {share} at {comparison.worst_node}"
            )
            for failure in comparison.failures[:1]:
                click.echo(
                    f"  first difference: {failure.node}, line {failure.line}: "
                    f"{failure.error:.3g} ({failure.stage})"
                )
    ok = all(result["ok"] for result in results)
    if form == "json":
        click.echo(json.dumps({"ok": ok, "nets": results}, indent=2))
    sys.exit(0 if ok else 1)
