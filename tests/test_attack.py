"""A few dozen files of strangers, always the same; `python -m tests.attack` tries many more."""

from __future__ import annotations

import os

import pytest

from tests.attack import COMMANDS, failures


@pytest.mark.skipif(os.name != "posix", reason="time is limited by a signal")
@pytest.mark.parametrize("kind", COMMANDS)
def test_no_file_of_a_stranger_ends_in_anything_but_a_report(kind: str) -> None:
    if "parquet" in kind:
        pytest.importorskip("pyarrow", reason="Parquet files need netc[parquet]")
    assert [failure.reason for failure in failures(kind, 20, seed=1)] == []


def test_no_message_of_an_editor_ends_the_server() -> None:
    pytest.importorskip("pygls", reason="the language server needs netc[lsp]")
    assert [failure.reason for failure in failures("protocol", 40, seed=1)] == []
