"""`netc check`: every mistake of definition files."""

from __future__ import annotations

import json
import sys
from dataclasses import replace

import click

from compiler.driver import Checked
from compiler.lints import lint_names
from grammar.diagnostics import DefinitionError, Diagnostic
from netc.errors import show
from netc.options import FORMAT, Choice, chooses_net


@click.command("check")
@click.argument("files", nargs=-1, required=True, metavar="FILE…")
@click.option("--strict", is_flag=True, help="Warnings count as errors.")
@FORMAT
@chooses_net
def command(files: tuple[str, ...], strict: bool, form: str, choice: Choice) -> None:
    """Find every mistake in definition files."""
    found: list[Diagnostic] = []
    lines: list[str] = []
    for file in files:
        try:
            checked_nets = choice.checked(file)
        except DefinitionError as error:
            found += error.diagnostics
            continue
        if not checked_nets:
            lines.append(f"{file}: no nets, only definitions to use")
        for block, checked in checked_nets:
            found += checked.diagnostics
            if not checked.errors:
                lines.append(f"{file}: {block.name} is fine: {cost(checked)}")
        if not any(checked.errors for _, checked in checked_nets):
            found += lint_names(choice.module(file).file)
    if strict:
        found = [replace(diagnostic, severity="error") for diagnostic in found]
    failed = any(d.severity == "error" for d in found)
    if form == "json":
        report = {"ok": not failed, "diagnostics": [d.as_dict() for d in found]}
        click.echo(json.dumps(report, indent=2))
    else:
        for line in lines:
            click.echo(line)
        show(found)
    sys.exit(1 if failed else 0)


def cost(checked: Checked) -> str:
    """Parameters and multiply-accumulates in words."""
    assert checked.analysis is not None
    macs = checked.analysis.macs
    known = f", {macs:,} MACs" if isinstance(macs, int) else ""
    return f"{checked.analysis.parameters:,} parameters{known}"
