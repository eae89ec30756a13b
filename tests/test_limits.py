"""Definitions beyond all reason: one located error, soon, in little memory; or sizes as numbers.

Each runs in a process of its own that is stopped after a few seconds of work, and may not take more
than 500 MB.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

MOST_SECONDS = 16  # of work; on a fast machine to itself each takes under 2, on a slow one 6
MOST_MEMORY = 500 * 2**20

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="measured as Linux counts")


def net(body: str, shape: str = "[3, 8, 8]") -> str:
    return f"net n {{\n    input x: f32{shape}\n    {body}\n    output y\n}}\n"


def lets(first: str, again: str, count: int = 60) -> str:
    """Names a0, a1, … each made of the one before it."""
    return f"let a0 = {first}\n" + "".join(
        f"let a{i} = {again.replace('A', f'a{i - 1}')}\n" for i in range(1, count)
    )


def blocks(innermost: str, body: str, count: int = 30) -> str:
    """Blocks b0, b1, … each of calls of the one before it."""
    return f"block b0 {{ {innermost} }}\n" + "".join(
        f"block b{i} {{ {body.replace('B', f'b{i - 1}')} }}\n" for i in range(1, count)
    )


def training(body: str) -> str:
    """A training of a net of 100 layers."""
    return net("repeat 97 { shift(1) }\n flatten -> dense(5)", "[3, 8, 8]") + (
        "train t {\n data x: f32[3, 8, 8], label: class[5]\n scores = n(x)\n"
        f" minimize cross_entropy(scores.y, label)\n{body}\n update n with sgd(0.1)\n"
        " batch 4; epochs 1\n}\n"
    )


def deep(*statements: str, items: int = 1) -> str:
    """A net of 2,400 layers, and trainings of it with these statements."""
    body = "\n ".join(statements)
    return net("repeat 2400 { conv(3, 1x1) }\n gap -> flatten -> dense(3)") + "".join(
        f"train t{i} {{\n data x: f32[3, 8, 8], label: class[3]\n scores = n(x)\n"
        f" batch 4; epochs 1\n {body}\n}}\n"
        for i in range(items)
    )


LOSS, UPDATE = "minimize cross_entropy(scores.y, label)", "update n with sgd(0.1)"
TEN = "; ".join("B" * 10)
ERRORS = {
    "a loop of a billion": ("E209", net("repeat 1000000000 { relu }")),
    "loops in loops": ("E209", net("repeat 1000 { repeat 1000 { repeat 1000 { relu } } }")),
    "empty loops in loops": ("E209", net("repeat 1000 { repeat 1000 { repeat 1000 { } } }\n relu")),
    "a range of a billion": ("E205", net("for i in range(1000000000) { relu }")),
    "a loop over a long range": ("E209", net("for i in range(90000) { relu }")),
    "ranges in a loop": ("E209", net("for i in range(4999) { let a = range(90000) }\n relu")),
    "blocks of blocks": ("E209", blocks("relu", TEN) + net("b29")),
    "blocks of blocks without layers": ("E209", blocks("if false { relu }", TEN) + net("b29")),
    "a layer too many": ("E209", net("relu" + " -> relu" * 20_000)),
    "a tower of powers": ("E205", net("let a = 2 ** 10 ** 10\n relu")),
    "squares of squares": ("E205", net(lets("12345", "A * A") + "relu")),
    "a string times a billion": ("E205", net('let a = "a" * 1000000000\n relu')),
    "strings in strings": ("E209", net(lets('"0123456789"', '"' + "{A}" * 10 + '"') + "relu")),
    "lists doubled": ("E209", net(lets("[1, 2]", "A + A") + "relu")),
    "lists in lists": ("E209", net(lets("[1, 2]", "[A, A]") + "relu")),
    "lists doubled outside a net": ("E209", lets("[1, 2]", "A + A") + net("relu")),
    "deep lists": ("E209", net(lets("1", "[A]", 3000) + "assert a2999 == a2998\n relu")),
    "polynomials of polynomials": ("E205", net(lets("H + W + 1", "A * A") + "relu", "[3, H, W]")),
    "a size beyond 64 bits": ("E203", net("dense(10)", "[100000000000000000000000000000]")),
    "a product beyond 64 bits": ("E209", net("flatten", f"[{10**9}, {10**9}, {10**9}]")),
    "a tensor beyond all addresses": ("E209", net("upsample(1000000)", "[1000000, 8, 8]")),
    "an input beyond all addresses": ("E209", net("relu", "[1000000, 8000000, 8000000]")),
    "an argument of a trillion": ("E203", net("conv(1000000000000, 3x3)")),
    "a kernel of a billion": ("E302", net("conv(3, 1000000000)")),
    "a pooling to a billion pixels": ("E306", net("adaptive_avgpool(1000000000)")),
    "a mistake in every turn": ("E302", net("repeat 5000 { x -> conv(8, 99x99) }")),
    "thousands of mistakes": ("E302", net("x -> conv(8, 99x99)\n" * 3000)),
    "nested parentheses": ("E104", net("conv(" + "(" * 100_000 + "1" + ")" * 100_000 + ", 3x3)")),
    "a number of 5,000 digits": ("E104", net("conv(" + "1" * 5000 + ", 3x3)")),
    "calls of nets": ("E209", training("\n".join(f"s{i} = n(x)" for i in range(5000)))),
    "steps of nets": (
        "E209",
        training("step { minimize mse(n(x), 0); update n with sgd(1) }\n" * 999),
    ),
    "thousands of mistakes in a training": ("E201", training("s = f(x)\n" * 3000)),
    "many deep nets": (
        "E209",
        "".join(
            f"net n{i} {{ input x: f32[3]; repeat 4900 {{ shift(1) }}; output y }}\n"
            for i in range(99)
        ),
    ),
    "values in many turns": ("E209", net(f"repeat 4000 {{\n{lets('1', 'A + 1', 99)} relu }}")),
    "assertions in many turns": (
        "E209",
        net("repeat 4000 {\n" + "assert 1 + 1 == 2\n" * 99 + "relu }"),
    ),
    "parameters of many calls": (
        "E209",
        f"block b({', '.join(f'p{i}=1' for i in range(999))}) {{ relu }}\n"
        + net("repeat 4000 { b }"),
    ),
    "sums of many": (
        "E209",
        net(
            "".join(f"relu as a{i}\n" for i in range(999))
            + f"for i in range(99) {{ add({', '.join(f'a{i}' for i in range(999))}) }}"
        ),
    ),
    "many trainings of a deep net": ("E209", deep(LOSS, UPDATE, items=99)),
    "many steps of a deep net": (
        "E209",
        deep(*[f"step {{ {LOSS}; {UPDATE} }}"] * 99),
    ),
    "many updates of a deep net": (
        "E209",
        deep(LOSS, *[f'update n only "conv{i}.bias" with sgd(0.1)' for i in range(1, 200)]),
    ),
    "many patterns for a deep net": (
        "E209",
        deep(LOSS, "update n only " + ", ".join(['"*"'] * 99) + " with sgd(0.1)"),
    ),
    "a long sum": ("E104", net("let a = 1" + " + 1" * 20_000 + "\n relu")),
}
FINE = {
    "an input of a trillion numbers": net("relu", "[1000000, 1000000, 1]"),
    "a dense layer over it": net("flatten -> dense(1000000)", "[1000000, 1000000, 1]"),
    "a convolution of a billion channels": net("conv(1000000000, 3x3)"),
    "padding of a billion pixels": net("conv(3, 3x3, pad=1000000000)"),
    "as many layers as there may be": net("repeat 2499 { conv(3, 3x3, pad=1) -> relu }"),
}
TOO_LARGE = {
    "a dense layer": net("flatten -> dense(1000000)", "[1000000, 1000000, 1]"),
    "a convolution": net("conv(1000000000, 3x3)"),
    "many convolutions": net("repeat 200 { conv(4096, 3x3, pad=1) }"),
    "buffers": net("bn", "[100000000000, 8, 8]"),
    "a kernel repeated": net("filter([[1, 2], [3, 4]])", "[1000000000, 8, 8]"),
}
CONNECTED = {
    "sums of many": net(
        "".join(f"relu as a{i}\n" for i in range(999))
        + f"for i in range(24) {{ add({', '.join(f'a{i}' for i in range(999))}) }}"
    ),
    "gates of gates": net("for i in range(60) { mul { relu; tanh } }\n add { identity; relu }"),
}
COMPILED = {
    "an input of a trillion numbers": net("relu", "[1000000, 1000000, 1]"),
    "arithmetic on a billion channels": net("scale(2.5) -> shift(1)", "[1000000000, 8, 8]"),
    "padding of a billion pixels": net("pad(1000000000) -> maxpool(2)"),
}


# `netc`, then the high-water mark of its memory: what wait4 tells counts the parent's as well.
MEASURED = """
import sys
from netc.main import main
try:
    main()
finally:
    sys.stdout.flush()
    mark = next(line for line in open("/proc/self/status") if line.startswith("VmHWM"))
    print("peak", mark.split()[1], file=sys.stderr)
"""


def stop_early() -> None:
    """Give the process that begins only so much work, and keep its mistakes from the machine."""
    resource.setrlimit(resource.RLIMIT_CPU, (MOST_SECONDS, MOST_SECONDS))
    resource.setrlimit(resource.RLIMIT_AS, (8 * 2**30, 8 * 2**30))


def run(*arguments: str | Path) -> tuple[int, str, str]:
    """The exit code and the output of a whole `netc` process; it must have kept to its memory."""
    process = subprocess.run(
        [sys.executable, "-c", MEASURED, *map(str, arguments)],
        capture_output=True,
        text=True,
        preexec_fn=stop_early,
        env=os.environ | {"OPENBLAS_NUM_THREADS": "1"},
    )
    assert process.returncode >= 0, f"stopped by signal {-process.returncode}"
    complained, _, peak = process.stderr.rpartition("peak ")
    assert int(peak) * 1024 < MOST_MEMORY
    assert "Traceback" not in complained
    return process.returncode, process.stdout, complained


def written(text: str, folder: Path) -> Path:
    file = folder / "limit.netdef"
    file.write_text(text)
    return file


@pytest.mark.parametrize("case", ERRORS)
def test_check_reports_where_it_is_too_much(case: str, tmp_path: Path) -> None:
    code, text = ERRORS[case]
    exit_code, output, errors = run("check", written(text, tmp_path), "--format", "json")
    assert output, errors
    report: dict[str, Any] = json.loads(output)
    assert exit_code == 1 and not report["ok"]
    first = next(d for d in report["diagnostics"] if d["severity"] == "error")
    assert first["code"] == code
    assert 1 <= first["line"] <= text.count("\n")
    assert len(report["diagnostics"]) <= 100


@pytest.mark.parametrize("case", FINE)
def test_check_works_with_sizes_of_any_number(case: str, tmp_path: Path) -> None:
    exit_code, output, _ = run("check", written(FINE[case], tmp_path))
    assert exit_code == 0 and "n is fine" in output


@pytest.mark.parametrize("case", TOO_LARGE)
def test_compile_refuses_what_no_machine_holds(case: str, tmp_path: Path) -> None:
    file = written(TOO_LARGE[case], tmp_path)
    exit_code, _, errors = run("compile", file, "-o", tmp_path / "x.onnx")
    assert exit_code == 1
    assert "error[E209]" in errors and f"{file}:3:" in errors
    assert list(tmp_path.iterdir()) == [file]


@pytest.mark.parametrize("case", COMPILED)
def test_compile_takes_tensors_of_any_size(case: str, tmp_path: Path) -> None:
    target = tmp_path / "x.onnx"
    assert run("compile", written(COMPILED[case], tmp_path), "-o", target)[0] == 0
    assert target.stat().st_size < 2000


@pytest.mark.parametrize("case", CONNECTED)
def test_compile_takes_layers_that_take_many_tensors(case: str, tmp_path: Path) -> None:
    target = tmp_path / "x.onnx"
    assert run("compile", written(CONNECTED[case], tmp_path), "-o", target)[0] == 0
    assert target.exists()
