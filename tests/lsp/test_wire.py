"""What no editor should send: it is answered as a fault, or ends the talk; the server lives on."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from tests.lsp.client import Client, Failed

pytest.importorskip("pygls", reason="the language server needs netc[lsp]")

NET = "net n { input x: f32[3, 8, 8]; relu; output y }"
MALFORMED: list[tuple[str, Any]] = [
    ("textDocument/hover", None),
    ("textDocument/hover", {}),
    ("textDocument/hover", []),
    ("textDocument/hover", "here"),
    ("textDocument/hover", {"textDocument": {"uri": "x"}, "position": {"line": "a"}}),
    ("textDocument/completion", {"textDocument": 5, "position": 5}),
    ("textDocument/rename", {"textDocument": {"uri": "file:///x"}, "newName": 7}),
    ("textDocument/codeAction", {"textDocument": {"uri": "x"}, "range": 3}),
    ("textDocument/formatting", {"textDocument": None}),
    ("nonsense/method", {"a": 1}),
]


@pytest.fixture(scope="module")
def client() -> Iterator[Client]:
    with Client() as started:
        yield started


@pytest.mark.parametrize(("method", "params"), MALFORMED)
def test_malformed_parameters_are_answered(client: Client, method: str, params: Any) -> None:
    with pytest.raises(Failed, match=r"Invalid Params|Method Not Found|Invalid Request"):
        client.request(method, params)


def test_the_server_goes_on_after_all_that_is_malformed(client: Client, tmp_path: Path) -> None:
    for method in ("textDocument/didOpen", "textDocument/didChange", "nonsense"):
        for params in (None, 5, {}, {"textDocument": {"uri": "file:///x"}}):
            client.notify(method, params)
    client.send({"jsonrpc": "1.0", "id": 5, "method": "textDocument/hover"})
    client.send({"id": [], "method": {}, "params": "\ud800"})
    client.send({"id": 77, "result": None})
    assert client.process.stdin is not None
    for body in (b"{", b"[]", b"null", b"\xff\xfe", b"[" * 5000, b'"\\ud800"'):
        client.process.stdin.write(b"Content-Length: %d\r\n\r\n%s" % (len(body), body))
    client.process.stdin.flush()
    uri = (tmp_path / "n.netdef").as_uri()
    assert client.open(uri, NET) == []
    assert client.at("hover", uri, 0, 32)["contents"]


def test_positions_and_names_out_of_this_world_do_no_harm(client: Client, tmp_path: Path) -> None:
    uri = (tmp_path / "m.netdef").as_uri()
    client.open(uri, NET)
    for line, character in ((0, 10**9), (10**9, 0), (2**31 - 1, 2**31 - 1)):
        for method in ("hover", "completion", "definition", "signatureHelp"):
            client.at(method, uri, line, character)
    for odd in ("file:///a%00b.netdef", "file:///" + "a" * 5000, "untitled:\ud800", "", "x:y:z"):
        client.open(odd, NET)
        assert client.about("documentSymbol", odd)


def test_a_request_after_the_shutdown_is_answered() -> None:
    with Client() as client:
        client.request("shutdown")
        with pytest.raises(Failed, match="Invalid Request"):
            client.request("workspace/symbol", {"query": ""})


@pytest.mark.parametrize("sent", [b"Content-Length: 99999999999\r\n\r\n{}", b"x" * 10_000_000])
def test_what_no_message_can_be_ends_the_server_without_filling_the_memory(sent: bytes) -> None:
    with Client() as client:
        assert client.process.stdin is not None
        with suppress(BrokenPipeError):
            client.process.stdin.write(sent)
            client.process.stdin.flush()
        assert client.process.wait(60) == 0
