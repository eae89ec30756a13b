"""`netc lsp` as a command."""

from __future__ import annotations

import subprocess
import sys

import pytest


def python(code: str) -> subprocess.CompletedProcess[str]:
    """A Python process of its own, with nothing on its standard input."""
    return subprocess.run(
        [sys.executable, "-c", code],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize("missing", ["pygls", "lsprotocol"])
def test_without_its_library_the_command_says_how_to_get_it(missing: str) -> None:
    code = f"import sys; sys.modules[{missing!r}] = None; sys.argv = ['netc', 'lsp']\n"
    done = python(code + "from netc.main import main; main()")
    assert done.returncode == 3
    assert f"missing: {missing}" in done.stderr
    assert "pip install '.[lsp]' in a checkout of netc" in done.stderr
    assert done.stdout == ""


def test_the_server_needs_no_numbers() -> None:
    pytest.importorskip("pygls", reason="the language server needs netc[lsp]")
    done = python(
        "import sys, netc.lsp.features\n"
        "print(sorted({'numpy', 'onnx', 'onnxruntime', 'PIL'} & set(sys.modules)))"
    )
    assert done.stdout.strip() == "[]"


def test_what_answers_needs_no_protocol() -> None:
    parts = "analysis, calls, completion, documents, hints, hover, problems, rename, symbols"
    done = python(
        f"import sys\nfrom netc.lsp import {parts}\n"
        "print(sorted({'pygls', 'lsprotocol'} & set(sys.modules)))"
    )
    assert done.stdout.strip() == "[]", done.stderr
