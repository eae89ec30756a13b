"""From an edit to its diagnostics, over the real protocol; and what an editor asks meanwhile."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from benchmarks.measure import Options, Row, Timing
from compiler.files import LIBRARY
from tests.lsp.client import Client

WHOLE = {"start": {"line": 0, "character": 0}, "end": {"line": 9999, "character": 0}}


@dataclass(frozen=True)
class Text:
    """A definition to edit: `edits` are words of it and what they become in turn.

    `bound` is the most milliseconds that its diagnostics may take.
    """

    name: str
    text: str
    bound: float
    edits: tuple[tuple[str, str, str], ...]


def rows(options: Options) -> list[Row]:
    """100 ms for GoogLeNet, 1 s for the net of 1202 layers."""
    return [row for text in texts() for row in measured(text, options.runs)]


def texts() -> Iterator[Text]:
    """GoogLeNet, and the 1202-layer net without the smaller ones beside it."""
    googlenet = (LIBRARY / "googlenet.netdef").read_text(encoding="utf-8")
    edits: tuple[tuple[str, str, str], ...] = (
        ("a block's number", "dropout(0.7)", "dropout(0.{n})"),
        ("a wrong shape", "[480, 14, 14]", "[480, 14, {n}]"),
        ("a branch too small", "5x5, pad=2", "5x5, pad={n}"),
        ("a syntax error", "lrn(5, ", "lrn({n}, , "),
    )
    yield Text("googlenet", googlenet, 100, edits)
    cifar = (LIBRARY / "resnet_cifar.netdef").read_text(encoding="utf-8")
    begin, end = cifar.index("net resnet20"), cifar.index("net resnet1202")
    small_edits = (
        ("a comment", "The paper's table", "Table {n}"),
        ("a wrong shape", "[64]", "[{n}]"),
        ("a block's number", "bn -> relu\n", "bn(eps=0.0{n}) -> relu\n"),
    )
    yield Text("resnet1202", cifar[:begin] + cifar[end:], 1000, small_edits)


def measured(text: Text, runs: int) -> Iterator[Row]:
    """The answers to each kind of edit, and to what an editor asks of the text."""
    with Client() as client:
        uri = f"untitled:{text.name}"
        client.open(uri, text.text)
        for what, old, new in text.edits:

            def edit(turn: int, old: str = old, new: str = new) -> None:
                client.edit(uri, text.text.replace(old, new.format(n=turn), 1))

            yield row(text, f"edit {what}", text.bound, times(edit, runs))
        client.edit(uri, text.text)
        hints = times(lambda _: client.about("inlayHint", uri, range=WHOLE), runs)
        yield row(text, "all hints", text.bound, hints)
        completion = times(lambda _: client.at("completion", uri, 12, 4), runs)
        yield row(text, "completion", 100, completion)
        client.end()


def row(text: Text, what: str, bound: float, found: tuple[float, ...]) -> Row:
    """One line of the table."""
    return Row(f"{text.name}: {what}", Timing("netc lsp answers", found, "ms"), bound=bound)


def times(action: Callable[[int], object], runs: int) -> tuple[float, ...]:
    """Milliseconds of an action called with 1, 2, …; its first call does not count."""
    found = []
    for turn in range(1, runs + 2):
        begin = time.perf_counter()
        action(turn)
        found.append((time.perf_counter() - begin) * 1000)
    return tuple(found[1:])
