"""How the time of every command grows with its input: n, 2n and 4n of what may stand in a file.

Each is a process of its own, measured in processor time, so that a busy machine does not matter. A
refusal is as good as a result: what counts is that it comes soon and in little memory.
"""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from benchmarks.long_models import MODELS
from benchmarks.measure import ROOT, Options, Row, Timing, surroundings
from compiler.driver import MOST_STEPS_OF_FILE, STEPS_OF_ITEM
from compiler.elaborate.state import MOST_NODES
from compiler.importers.imported import MOST_LAYERS

MEGABYTE = 1_000_000
MOST_SECONDS = 5.0
MOST_MEMORY = 1024.0  # MiB
MOST_GROWTH = 2.6  # of the time when the input doubles; 2 is in proportion, 4 quadratic
# What each is called here, and its words.
COMMANDS: dict[str, tuple[str, ...]] = {
    "check": ("check", "FILE"),
    "summary": ("summary", "FILE"),
    "fmt": ("fmt", "FILE", "--check"),
    "plot": ("plot", "FILE", "-o", "x.svg"),
    "explain": ("explain", "FILE"),
    "compile": ("compile", "FILE", "-o", "y.onnx"),
    "source": ("compile", "FILE", "-o", "x.py"),
    "report": ("report", "FILE", "-o", "x.html"),
    "diff": ("diff", "FILE", "FILE"),
    "run": ("run", "FILE", "--random"),
    "verify": ("verify", "FILE"),
}
LAYERS = MOST_NODES // 4 - 1  # of a net with an input, and perhaps a join, four times as deep
NETS = MOST_STEPS_OF_FILE // STEPS_OF_ITEM // 4  # so many times four are checked together
IMPORT = ("import", "FILE", "-o", "x.netdef")


def net(body: str, shape: str = "[3, 8, 8]") -> str:
    """A net of one input and one output."""
    return f"net n {{\n    input x: f32{shape}\n    {body}\n    output y\n}}\n"


def numbered(count: int, line: str, between: str = "\n") -> str:
    """A line once for each number, which stands for `#`."""
    return between.join(line.replace("#", str(index)) for index in range(count))


def training(body: str) -> str:
    """A training of a small net."""
    head = "data x: f32[3, 8, 8], label: class[5]\n    s = m(x)\n"
    end = "update m with adam(1e-3)\n    batch 4; epochs 1\n"
    return (
        "net m {\n    input x: f32[3, 8, 8]\n    flatten -> dense(5)\n    output y\n}\n"
        f"train t {{\n    {head}    minimize cross_entropy(s.y, label)\n{body}\n    {end}}}\n"
    )


KINDS: dict[str, tuple[int, Callable[[int], str]]] = {
    "a chain": (LAYERS, lambda n: net(f"repeat {n} {{ relu }}")),
    "a written chain": (LAYERS, lambda n: net("relu" + " -> relu" * n)),
    "branches": (LAYERS, lambda n: net(f"concat {{ for i in range({n}) {{ relu }} }}")),
    "a concat of named layers": (
        LAYERS,
        lambda n: net(f'for i in range({n}) {{ relu as "a{{i}}" }}\n' + listed("concat", n)),
    ),
    "convolutions": (LAYERS, lambda n: net(f"repeat {n} {{ conv(3, 3x3, pad=1) }}")),
    "layers by odd numbers": (
        LAYERS,
        lambda n: net("\n".join(f"conv(3, 1x1) as a{i * i % 977}_{i}" for i in range(n))),
    ),
    "normalised": (
        LAYERS // 3,
        lambda n: net(f"repeat {n} {{ conv(3, 3x3, pad=1) -> bn -> relu }}"),
    ),
    "residual blocks": (
        LAYERS // 4,
        lambda n: net(f"repeat {n} {{ add {{ identity; conv(3, 3x3, pad=1) -> dropout }} }}"),
    ),
    "open sizes": (LAYERS, lambda n: net(f"repeat {n} {{ conv(3, 3x3, pad=1) }}", "[3, H, W]")),
    "sums of many": (
        12,
        lambda n: net(
            numbered(1000, "relu as a#") + f"\nfor i in range({n}) {{ {listed('add', 1000)} }}"
        ),
    ),
    "values in turns": (
        LAYERS // 2,
        lambda n: net(f"repeat {n} {{\n{numbered(100, 'let a# = # + 1')}\nrelu }}"),
    ),
    "parameters": (
        LAYERS,
        lambda n: (
            f"block b({numbered(150, 'p# = 1', ', ')}) {{ relu }}\n" + net(f"repeat {n} {{ b }}")
        ),
    ),
    "lets": (4000, lambda n: numbered(n, "let a# = # + 1") + "\n" + net("relu")),
    "blocks": (4000, lambda n: numbered(n, "block b# { relu }") + "\n" + net("b0")),
    "nets": (NETS, lambda n: numbered(n, "net m# { input x: f32[3]; relu; output y }")),
    "deep nets": (
        NETS,
        lambda n: numbered(n, "net m# { input x: f32[3]; repeat 4990 { relu }; output y }"),
    ),
    "steps": (
        1000,
        lambda n: training(numbered(n, "step { minimize mse(m(x).y, 0); update m with sgd(1) }")),
    ),
    "unknown names": (1000, lambda n: net(numbered(n, "unknown# -> relu"))),
    "mistakes": (1000, lambda n: net(numbered(n, "x -> conv(3, 9x9)"))),
    "a condition": (4000, lambda n: net(f"assert {' and '.join(['true'] * n)}\n relu")),
    "a sum": (4000, lambda n: net(f"let s = {' + '.join(['1'] * n)}\n relu")),
    "a matrix": (
        2000,
        lambda n: net(f"filter([{numbered(n, '[1, 2, 1]', ', ')}])", f"[1, {n}, 8]"),
    ),
    "contracts": (1000, lambda n: net(numbered(n, "expect params == #") + "\n relu")),
    "comments": (20_000, lambda n: numbered(n, "# remark # of many") + "\n" + net("relu")),
    "brackets": (20_000, lambda n: net(f"let a = {'(' * n}1{')' * n}\n relu")),
    "reports": (1000, lambda n: training(numbered(n, "report accuracy(s.y, label) as r#"))),
    "calls of a net": (1000, lambda n: training(numbered(n, "s# = m(x)"))),
    "open brackets": (20_000, lambda n: net("conv(" * n)),
}


def listed(op: str, count: int) -> str:
    """A call that names `a0`, `a1`, …"""
    return f"{op}({numbered(count, 'a#', ', ')})"


@dataclass(frozen=True)
class Case:
    """A command on files of one kind: what it is called, a count, and the file of so many."""

    what: str
    words: tuple[str, ...]
    suffix: str
    count: int
    content: Callable[[int], bytes]


def cases() -> Iterator[Case]:
    """Every command on every kind of definition, and the import of every kind of model."""
    for kind, (count, text) in KINDS.items():
        for command, words in COMMANDS.items():

            def written(n: int, text: Callable[[int], str] = text) -> bytes:
                return text(n).encode()

            yield Case(f"{command}, {kind}", words, ".netdef", count, written)
    for kind, (suffix, layers, content) in MODELS.items():
        largest = min(MOST_LAYERS // layers, MEGABYTE // (len(content(1000)) // 1000))
        yield Case(f"import, {kind}", IMPORT, suffix, largest // 4, content)


def rows(options: Options) -> Iterator[Row]:
    """A row for each case, then the slowest and the largest of all."""
    slowest, largest = ("", 0.0), ("", 0.0)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for case in cases():
            seconds = {}
            for times in (1, 2, 4):
                file = folder / f"x{case.suffix}"
                file.write_bytes(case.content(case.count * times))
                seconds[times], memory = spent(case.words, file, folder)
                slowest = max(slowest, (case.what, seconds[times]), key=lambda pair: pair[1])
                largest = max(largest, (case.what, memory), key=lambda pair: pair[1])
            told = ", ".join(f"{taken:.2f}" for taken in seconds.values())
            print(f"  {case.what}: {told} s, {memory:.0f} MiB", file=sys.stderr, flush=True)
            ours = Timing(f"{4 * case.count:,}", (seconds[4],))
            half = Timing(f"{2 * case.count:,}", (seconds[2],))
            yield Row(case.what, ours, half, MOST_GROWTH)
    yield Row(f"the slowest: {slowest[0]}", Timing("processor", (slowest[1],)), bound=MOST_SECONDS)
    yield Row(
        f"the largest: {largest[0]}", Timing("memory", (largest[1],), "MiB"), bound=MOST_MEMORY
    )


def spent(words: tuple[str, ...], file: Path, folder: Path) -> tuple[float, float]:
    """The seconds of processor time and the MiB of a command, done or refused."""
    call = [sys.executable, "-m", "netc"]
    for word in words:
        made = str(folder / word) if word.startswith(("x.", "y.")) else word
        call.append(str(file) if word == "FILE" else made)
    process = os.posix_spawn(
        sys.executable,
        call,
        {**surroundings(), "PYTHONPATH": str(ROOT)},
        file_actions=[
            (os.POSIX_SPAWN_OPEN, descriptor, os.devnull, os.O_WRONLY, 0) for descriptor in (1, 2)
        ],
    )
    _, status, usage = os.wait4(process, 0)
    if os.waitstatus_to_exitcode(status) not in (0, 1, 2):
        raise RuntimeError(f"{' '.join(call)}: {os.waitstatus_to_exitcode(status)}")
    return usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024
