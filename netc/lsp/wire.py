"""The protocol below the features: what no editor should send is answered, or ends the talk."""

from __future__ import annotations

import io
from typing import Any, BinaryIO, cast

from pygls.exceptions import JsonRpcException, JsonRpcInvalidParams, JsonRpcInvalidRequest
from pygls.protocol import LanguageServerProtocol

LONGEST_LINE = 8 * 2**10  # bytes of a header
LARGEST_MESSAGE = 64 * 2**20  # bytes: a text ends at 16 MiB, its JSON at four times that


class Protocol(LanguageServerProtocol):
    """The library's protocol; a request whose parameters are malformed gets an answer too."""

    def structure_message(self, data: dict[str, Any]) -> Any:
        """A message of JSON as an object; raises when it is none, once that has been answered."""
        try:
            return super().structure_message(data)
        except JsonRpcException:
            self.refuse(data, JsonRpcInvalidParams())
            raise

    def handle_message(self, message: Any) -> None:
        """Act on a message; what is no object, or is not of this protocol, is answered as such."""
        if getattr(message, "jsonrpc", None) != self.VERSION:
            identity = message.get("id") if isinstance(message, dict) else None
            self.refuse({"id": identity, "method": ""}, JsonRpcInvalidRequest())
            return
        if self._shutdown and hasattr(message, "id") and hasattr(message, "method"):
            self.refuse({"id": message.id, "method": ""}, JsonRpcInvalidRequest())
            return
        super().handle_message(message)

    def refuse(self, data: dict[str, Any], why: JsonRpcException) -> None:
        """Answer a request with an error; notifications and answers have none."""
        identity = data.get("id")
        if "method" in data and "id" in data and isinstance(identity, int | str | None):
            self._send_data(
                {
                    "jsonrpc": self.VERSION,
                    "id": identity,
                    "error": {"code": why.code, "message": why.message},
                }
            )


class Messages(io.RawIOBase):
    """Standard input, of which no line and no message may be beyond all reason: there it ends."""

    def __init__(self, stream: BinaryIO) -> None:
        super().__init__()
        self.stream = stream

    def readline(self, size: int | None = -1, /) -> bytes:
        """A line with its end; nothing at the end, or where a line has none for too long."""
        line = self.stream.readline(LONGEST_LINE)
        return b"" if len(line) == LONGEST_LINE else line

    def read(self, size: int | None = -1, /) -> bytes:
        """So many bytes; nothing at the end, or for more than a message may have."""
        wanted = cast(int, size)
        return b"" if wanted > LARGEST_MESSAGE else self.stream.read(wanted)
