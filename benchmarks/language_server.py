"""From an edit to its diagnostics, over the real protocol; and what an editor asks meanwhile.

    python -m benchmarks.language_server [--repeat N]

Each row edits a text of the library again and again and waits for the server's answer: the median
and the slowest, in milliseconds. Targets are 100 ms for GoogLeNet and 1 s for the net of 1202
layers; fails when a median is above its target. A busy machine shows in `slowest` first.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from compiler.modules import LIBRARY
from tests.lsp.client import Client

COLUMNS = "{:32} {:>8} {:>10} {:>10} {:>10}"
WHOLE = {"start": {"line": 0, "character": 0}, "end": {"line": 9999, "character": 0}}


@dataclass(frozen=True)
class Text:
    """A definition to edit: `edits` are words of it and what they become in turn."""

    name: str
    text: str
    target: float
    edits: tuple[tuple[str, str, str], ...]


def texts() -> Iterator[Text]:
    """GoogLeNet, and the 1202-layer net without the smaller ones beside it."""
    googlenet = (LIBRARY / "googlenet.netdef").read_text(encoding="utf-8")
    edits = (
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
        ("a block's number", "normal(0.01)", "normal(0.{n})"),
    )
    yield Text("resnet1202", cifar[:begin] + cifar[end:], 1000, small_edits)


def measured(text: Text, repeat: int) -> Iterator[tuple[str, float, list[float]]]:
    """What was done with a text, its target, and how long it took each time."""
    with Client() as client:
        uri = f"untitled:{text.name}"
        client.open(uri, text.text)
        for what, old, new in text.edits:
            assert old in text.text, old

            def edit(turn: int, old: str = old, new: str = new) -> None:
                client.edit(uri, text.text.replace(old, new.format(n=turn), 1))

            yield what, text.target, times(edit, repeat)
        client.edit(uri, text.text)
        hints = times(lambda _: client.about("inlayHint", uri, range=WHOLE), repeat)
        yield "all hints", text.target, hints
        yield "completion", 100, times(lambda _: client.at("completion", uri, 12, 4), repeat)
        client.end()


def times(action: Callable[[int], object], repeat: int) -> list[float]:
    """Milliseconds of an action called with 1, 2, …; its first call is for warming up."""
    found = []
    for turn in range(1, repeat + 2):
        begin = time.perf_counter()
        action(turn)
        found.append((time.perf_counter() - begin) * 1000)
    return found[1:]


def main() -> int:
    """The exit code: 1 when a target is missed."""
    parser = argparse.ArgumentParser(description="Time the language server.")
    parser.add_argument("--repeat", type=int, default=15, help="edits in each row")
    repeat = parser.parse_args().repeat
    missed = []
    print(COLUMNS.format("what", "target", "median", "slowest", "fastest"))
    for text in texts():
        for what, target, found in measured(text, repeat):
            median = statistics.median(found)
            figures = (f"{value:.0f}" for value in (target, median, max(found), min(found)))
            print(COLUMNS.format(f"{text.name}: {what}", *figures), flush=True)
            if median > target:
                missed.append(f"{text.name}: {what}")
    print(f"missed: {', '.join(missed)}" if missed else "every target is met")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
