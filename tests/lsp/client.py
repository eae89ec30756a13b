"""A small editor: it starts the server as a process and talks to it over its standard streams."""

from __future__ import annotations

import json
import queue
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

SECONDS = 60  # generous: a machine under load is no failure


class Failed(Exception):
    """The server answered a request with an error."""


class Client:
    """A connection to a server of its own; a context that shuts it down at the end."""

    def __init__(self, *arguments: str, **initialize: Any) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "netc", "lsp", *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        self.messages: queue.Queue[dict[str, Any] | None] = queue.Queue()
        self.diagnostics: dict[str, dict[str, Any]] = {}
        self.asked: list[str] = []  # requests that the server sent to us
        self.versions: dict[str, int] = {}
        self.identity = 0
        threading.Thread(target=self._read, daemon=True).start()
        params = {"processId": None, "rootUri": None, "capabilities": {}} | initialize
        self.capabilities = self.request("initialize", params)["capabilities"]
        self.notify("initialized", {})

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *error: object) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        for stream in (self.process.stdin, self.process.stdout, self.process.stderr):
            assert stream is not None
            stream.close()

    # ── messages ─────────────────────────────────────────────────────────────────────────────

    def _read(self) -> None:
        stream = self.process.stdout
        assert stream is not None
        while True:
            length = 0
            while (line := stream.readline()) not in (b"\r\n", b""):
                name, _, value = line.partition(b":")
                length = int(value) if name.lower() == b"content-length" else length
            if not length:
                self.messages.put(None)
                return
            self.messages.put(json.loads(stream.read(length)))

    def send(self, message: dict[str, Any]) -> None:
        body = json.dumps({"jsonrpc": "2.0"} | message).encode()
        assert self.process.stdin is not None
        self.process.stdin.write(b"Content-Length: %d\r\n\r\n%s" % (len(body), body))
        self.process.stdin.flush()

    def receive(self) -> dict[str, Any]:
        """The next message; notifications and requests of the server are kept."""
        message = self.messages.get(timeout=SECONDS)
        assert message is not None, "the server has ended"
        if message.get("method") == "textDocument/publishDiagnostics":
            self.diagnostics[message["params"]["uri"]] = message["params"]
        elif "method" in message:
            self.asked.append(message["method"])
            if "id" in message:
                self.send({"id": message["id"], "result": None})
        return message

    def notify(self, method: str, params: Any = None) -> None:
        self.send({"method": method, "params": params})

    def request(self, method: str, params: Any = None) -> Any:
        """The result of a request; raises `Failed`."""
        self.identity += 1
        self.send({"id": self.identity, "method": method, "params": params})
        while (message := self.receive()).get("id") != self.identity or "method" in message:
            pass
        if "error" in message:
            raise Failed(message["error"]["message"])
        return message.get("result")

    # ── texts ────────────────────────────────────────────────────────────────────────────────

    def open(self, uri: str, text: str) -> list[dict[str, Any]]:
        """Open a text; returns what the server finds in it."""
        self.versions[uri] = 1
        document = {"uri": uri, "languageId": "netdef", "version": 1, "text": text}
        self.notify("textDocument/didOpen", {"textDocument": document})
        return self.problems(uri)

    def edit(self, uri: str, text: str) -> list[dict[str, Any]]:
        """Give a text another content; returns what the server finds in it."""
        self.change(uri, text)
        return self.problems(uri)

    def change(self, uri: str, text: str) -> None:
        """Give a text another content, and wait for nothing."""
        self.versions[uri] += 1
        document = {"uri": uri, "version": self.versions[uri]}
        changes = {"textDocument": document, "contentChanges": [{"text": text}]}
        self.notify("textDocument/didChange", changes)

    def problems(self, uri: str) -> list[dict[str, Any]]:
        """The diagnostics of the text as it stands, once they are there."""
        while self.diagnostics.get(uri, {}).get("version") != self.versions[uri]:
            self.receive()
        found: list[dict[str, Any]] = self.diagnostics[uri]["diagnostics"]
        return found

    def at(self, method: str, uri: str, line: int, character: int, **more: Any) -> Any:
        """A request about a position."""
        place = {"line": line, "character": character}
        params = {"textDocument": {"uri": uri}, "position": place}
        return self.request(f"textDocument/{method}", params | more)

    def about(self, method: str, uri: str, **more: Any) -> Any:
        """A request about a text."""
        return self.request(f"textDocument/{method}", {"textDocument": {"uri": uri}} | more)

    def end(self) -> int:
        """Shut the server down; returns its exit code."""
        self.request("shutdown")
        self.notify("exit")
        return self.process.wait(SECONDS)


def uri_of(path: Path) -> str:
    """The URI of a file."""
    return path.as_uri()
