"""`netc doctor`: what this machine can do."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict

import click

from netc.errors import say
from netc.options import FORMAT

SIGNS = {"ok": ("ok", "green"), "note": ("--", "yellow"), "wrong": ("!!", "red")}


@click.command("doctor")
@FORMAT
def command(form: str) -> None:
    """What this machine can run, what is wrong, what would help."""
    from runtime.doctor import examine

    findings = examine()
    ok = all(finding.state != "wrong" for finding in findings)
    if form == "json":
        say(json.dumps({"ok": ok, "findings": [asdict(f) for f in findings]}, indent=2))
        sys.exit(0 if ok else 3)
    from netc.tabular import print_hanging

    room = max(len(finding.topic) for finding in findings)
    for finding in findings:
        sign, colour = SIGNS[finding.state]
        lead = f"{finding.topic:{room}} "
        print_hanging(((f"{sign} ", colour), (lead, "")), finding.text)
        if finding.remedy:
            print_hanging(((" " * (len(sign) + 1 + len(lead)), ""),), f"help: {finding.remedy}")
    sys.exit(0 if ok else 3)
