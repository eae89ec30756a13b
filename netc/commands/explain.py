"""`netc explain`: how each number of a definition came about, or what a code means."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import click

from compiler.derivation import derive
from compiler.graph import Node
from compiler.ops import OPS
from compiler.ops.base import show_shape
from netc.errors import say
from netc.library import library_nets
from netc.net import Net
from netc.options import OUTPUT, NetChoice, chooses_net
from netc.pages import page
from netc.reference import section
from netc.tabular import print_markdown
from runtime.errors import CallError


@click.command("explain")
@click.argument("subject", metavar="FILE[:LINE]|CODE|OP")
@click.option(
    "--svg",
    "picture",
    type=OUTPUT,
    metavar="X.svg",
    help="Draw the first layer that slides a window: padding, positions, what is left over.",
)
@chooses_net
def command(subject: str, picture: Path | None, choice: NetChoice) -> None:
    """Derive every size, or explain a code (E302) or an op (conv)."""
    if picture is not None and picture.suffix.lower() != ".svg":
        raise CallError(f"the figure of a window is an .svg, not {picture.name}")
    if re.fullmatch(r"[A-Za-z]\d{3}", subject):
        print_markdown(page(subject.upper()))
        return
    if subject in OPS and subject not in library_nets() and not Path(subject).exists():
        print_markdown(section(OPS[subject]))
        return
    file, line = split(subject)
    nets = choice.opened(file)
    reports = [report for net in nets if (report := explain(net, line))]
    if not reports:
        raise CallError(f"no layer of {file} stands at line {line}")
    say("\n\n".join(reports))
    if picture is not None:
        draw_window(nets, file, line, picture, choice)


def draw_window(
    nets: Sequence[Net], file: str, line: int | None, picture: Path, choice: NetChoice
) -> None:
    """Draw the first layer that slides a window over its input; raises `CallError` for none."""
    from netc.plot.windows import slides, window_figure
    from runtime.files import refuse_inputs, write_whole

    refuse_inputs([picture], choice.files.seen)
    for net in nets:
        for layer in net.analysis.layers:
            here = line is None or touches(layer.node, line)
            if here and slides(net.graph, layer.node):
                write_whole(picture, window_figure(net.graph, layer).encode())
                say(f"{layer.node.name} -> {picture}")
                return
    where = file if line is None else f"{file}:{line}"
    raise CallError(f"no layer of {where} slides a window")


def split(subject: str) -> tuple[str, int | None]:
    """`x.netdef:41` as a file and a line."""
    file, colon, number = subject.rpartition(":")
    if colon and number.isdigit() and not Path(subject).exists():
        return file, int(number)
    return subject, None


def explain(net: Net, line: int | None) -> str:
    """The derivation of each layer of a net, or of those that a line of the text makes."""
    blocks = []
    for layer in net.analysis.layers:
        node = layer.node
        if line is not None and not touches(node, line):
            continue
        steps = "".join(f"\n    {step}" for step in node.call_stack[-1:])
        lines = "".join(f"\n    {text}" for text in derive(net.graph, layer))
        blocks.append(
            f"{node.name}, line {node.span.line}: {node.op.name} {show_shape(node.shape)}"
            f"{steps}{lines}"
        )
    return "\n\n".join([f"net {net.name}", *blocks]) if blocks else ""


def touches(node: Node, line: int) -> bool:
    """Whether a layer stands on a line, or comes from a block called there."""
    spans = [node.span, *(step.span for step in node.call_stack)]
    return any(span.line <= line <= span.last[0] for span in spans[:1]) or any(
        span.line == line for span in spans[1:]
    )
