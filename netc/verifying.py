"""`netc verify`, what is compared with what, and how it is told."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass

import click

from compiler.precision import WORDS
from grammar.diagnostics import render
from netc.options import Choice
from runtime.compare import Comparison


@dataclass(frozen=True)
class VerifyOptions:
    """What a call of `netc verify` asks for, besides the files and the net."""

    device: str = "cpu"
    dtype: str = "f32"
    exact: bool = True
    seed: int = 0
    batch: int = 2
    bisect: bool = False
    inputs: tuple[str, ...] = ()
    form: str = "text"


def verify(file: str, other: str | None, options: VerifyOptions, choice: Choice) -> bool:
    """The whole of the `verify` command; whether everything agrees."""
    results = []
    for name, comparison in comparisons(file, other, options, choice):
        head = {"net": name, "device": options.device, "dtype": options.dtype}
        results.append(head | comparison.as_dict())
        if options.form == "text":
            tell(name, comparison, options)
    ok = all(result["ok"] for result in results)
    if options.form == "json":
        click.echo(json.dumps({"ok": ok, "nets": results}, indent=2))
    return ok


def comparisons(
    file: str, other: str | None, options: VerifyOptions, choice: Choice
) -> Iterator[tuple[str, Comparison]]:
    """Each comparison that the call means, with the net's name."""
    for net in choice.opened(file):
        yield (
            net.name,
            net.verify(
                device=options.device,
                seed=options.seed,
                dtype=options.dtype,
                exact=options.exact,
                batch=options.batch,
                bisect=options.bisect,
            ),
        )


def tell(name: str, comparison: Comparison, options: VerifyOptions) -> None:
    """A comparison in words; what a bisection found as a diagnostic."""
    where = options.device
    if options.dtype != "f32":
        where += f", {WORDS[options.dtype]}"
    click.echo(f"{name}: {comparison.sentence(where)}")
    if comparison.culprit is not None:
        found = comparison.culprit.diagnostic(comparison.subject, comparison.reference)
        click.echo("\n" + render(found))
