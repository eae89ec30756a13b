"""`netc check`: every mistake of definition files."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from typing import TYPE_CHECKING

import click

from compiler.analysis import Analysis
from compiler.driver import FileCheck, all_found
from grammar.diagnostics import Diagnostic
from netc.errors import say, show
from netc.options import FORMAT, NetChoice, chooses_net

if TYPE_CHECKING:
    from compiler.training.model import TrainingPlan


@click.command("check")
@click.argument("files", nargs=-1, required=True, metavar="FILE…")
@click.option("--strict", is_flag=True, help="Warnings count as errors.")
@FORMAT
@chooses_net
def command(files: tuple[str, ...], strict: bool, form: str, choice: NetChoice) -> None:
    """Find every mistake in definition files.

    The file `-` is standard input.
    """
    found: list[Diagnostic] = []
    lines: list[str] = []
    for file in files:
        module, checked_nets = choice.examined(file)
        check = FileCheck()
        trainings = [check.training(t, choice.settings_of(t)) for t in choice.trainings(module)]
        of_file = all_found(module, (checked for _, checked in checked_nets), trainings)
        found += of_file
        if any(d.severity == "error" for d in of_file):
            continue
        if not checked_nets and not trainings:
            lines.append(f"{file}: no nets, only definitions to use")
        lines += [
            f"{file}: {block.name} is fine: {cost(checked.analysis)}"
            for block, checked in checked_nets
            if checked.analysis is not None
        ]
        lines += [
            f"{file}: training {one.name} is fine: {rendered(one.training)}"
            for one in trainings
            if one.training is not None
        ]
    if strict:
        found = [replace(diagnostic, severity="error") for diagnostic in found]
    failed = any(d.severity == "error" for d in found)
    if form == "json":
        report = {"ok": not failed, "diagnostics": [d.as_dict() for d in found]}
        say(json.dumps(report, indent=2))
    else:
        for line in lines:
            say(line)
        show(found)
    sys.exit(1 if failed else 0)


def rendered(training: TrainingPlan) -> str:
    """How much a training learns, and how long."""
    learned = {
        name for step in training.steps for update in step.updates for name in update.parameters
    }
    count = sum(weight.size for name, weight in training.parameters() if name in learned)
    steps = f"{len(training.steps)} steps, " if len(training.steps) > 1 else ""
    word = "epoch" if training.epochs == 1 else "epochs"
    return f"{steps}{count:,} parameters learn, batch {training.batch}, {training.epochs} {word}"


def cost(analysis: Analysis) -> str:
    """Parameters and multiply-accumulates in words."""
    known = f", {analysis.macs:,} MACs" if isinstance(analysis.macs, int) else ""
    return f"{analysis.parameters:,} parameters{known}"
