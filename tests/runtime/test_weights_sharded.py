"""Weights in several files, beside their index, and from a hub that answers on this machine."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import save_file

import netc
from runtime.errors import CallError, MachineError
from runtime.weights.hub import fetch_weights
from runtime.weights.opening import open_weights

NET = "net n { input x: f32[3]; dense(2) as fc; output y }"
WEIGHT = np.arange(6, dtype=np.float32).reshape(2, 3)
BIAS = np.array([7, 8], dtype=np.float32)
MAP = {"fc.weight": "a.safetensors", "fc.bias": "b.safetensors"}


def shards(folder: Path, files: dict[str, Any] | None = None) -> Path:
    """A folder with two files and their index."""
    folder.mkdir(parents=True, exist_ok=True)
    save_file({"fc.weight": WEIGHT}, folder / "a.safetensors")
    save_file({"fc.bias": BIAS, "other": BIAS}, folder / "b.safetensors")
    index = folder / "model.safetensors.index.json"
    index.write_text(json.dumps({"weight_map": MAP if files is None else files}))
    return index


def test_an_index_leads_to_the_tensors_of_its_files(tmp_path: Path) -> None:
    net = netc.loads(NET).with_weights(shards(tmp_path))
    np.testing.assert_array_equal(net.weights["fc.weight"], WEIGHT)
    np.testing.assert_array_equal(net.weights["fc.bias"], BIAS)


@pytest.mark.parametrize(
    ("files", "says"),
    [
        ({"fc.weight": "../a.safetensors"}, "is no .safetensors file beside it"),
        ({"fc.weight": "a.pt"}, "is no .safetensors file beside it"),
        ({"fc.weight": "c.safetensors"}, "c.safetensors, which is not beside it"),
        ({"fc.bias": "a.safetensors"}, "says that fc.bias is in a.safetensors, and it is not"),
        ([1, 2], "is no index of weights"),
    ],
)
def test_an_index_that_leads_nowhere_is_refused(tmp_path: Path, files: Any, says: str) -> None:
    with pytest.raises(CallError, match=says):
        open_weights(shards(tmp_path, files))


def test_what_is_no_json_is_no_index(tmp_path: Path) -> None:
    index = shards(tmp_path)
    index.write_text("[" * 100_000)
    with pytest.raises(CallError, match="is no index of weights"):
        open_weights(index)


# ── the hub ──────────────────────────────────────────────────────────────────────────────────


class Hub(BaseHTTPRequestHandler):
    """As much of the hub as a download asks for: files by repository, their revision and digest."""

    def __init__(self, *arguments: Any, root: Path) -> None:
        self.root = root
        super().__init__(*arguments)

    def do_HEAD(self) -> None:
        self.answer(body=False)

    def do_GET(self) -> None:
        self.answer(body=True)

    def answer(self, body: bool) -> None:
        repository, _, file = self.path.strip("/").partition("/resolve/main/")
        path = self.root / repository / file
        if not path.is_file():
            missing = "EntryNotFound" if (self.root / repository).is_dir() else "RepoNotFound"
            self.send_response(404)
            self.send_header("X-Error-Code", missing)
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        content = path.read_bytes()
        self.send_response(200)
        self.send_header("X-Repo-Commit", "0" * 40)
        self.send_header("ETag", f'"{path.stem}"')
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if body:
            self.wfile.write(content)

    def log_message(self, format: str, *arguments: Any) -> None:
        """Nothing is told of requests."""


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[str]:
    """The address of a hub with a repository in one file and one in two."""
    root = tmp_path / "hub"
    (root / "me/one").mkdir(parents=True)
    save_file({"fc.weight": WEIGHT, "fc.bias": BIAS}, root / "me/one/model.safetensors")
    shards(root / "me/two")
    (root / "me/none").mkdir()
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Hub, root=root))
    Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()


TRIES = """
import sys, netc
for text in sys.argv[2:]:
    try:
        print(netc.loads(sys.argv[1]).with_weights(text).weights["fc.bias"].tolist())
    except Exception as error:
        print(type(error).__name__, error)
"""


def tried(endpoint: str, home: Path, *texts: str, offline: bool = False) -> list[str]:
    """What loading each says, by the client itself in a process of its own."""
    environment = os.environ | {
        "HF_ENDPOINT": endpoint,
        "HF_HOME": str(home),
        "HF_HUB_OFFLINE": str(int(offline)),
        "HF_HUB_DISABLE_XET": "1",
        "HF_HUB_DISABLE_PROGRESS_BARS": "1",
        "NO_PROXY": "127.0.0.1",
    }
    command = [sys.executable, "-c", TRIES, NET, *texts]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    return done.stdout.splitlines()


@pytest.mark.skipif(
    importlib.util.find_spec("huggingface_hub") is None, reason="huggingface_hub is not installed"
)
def test_weights_come_from_the_hub_and_then_from_its_cache(hub: str, tmp_path: Path) -> None:
    home = tmp_path / "home"
    file = "hf:me/one/model.safetensors"
    said = tried(hub, home, "hf:me/one", file, "hf:me/two", "hf:me/none", "hf:me/nobody")
    assert said[:3] == [str(BIAS.tolist())] * 3
    assert said[3].startswith("CallError hf:me/none has no model.safetensors and no model.safe")
    assert said[4].startswith("CallError the hub has no me/nobody")
    offline = tried(hub, home, "hf:me/one", "hf:me/two", "hf:me/none", offline=True)
    assert offline[:2] == [str(BIAS.tolist())] * 2
    assert offline[2].startswith("MachineError me/none/model.safetensors is not in the cache")


@pytest.mark.parametrize("text", ["hf:", "hf:me", "hf:me/", "hf:/one"])
def test_a_repository_has_an_owner_and_a_name(text: str) -> None:
    with pytest.raises(CallError, match="are written hf:OWNER/REPO"):
        fetch_weights(text)


def test_without_the_client_the_machine_is_said_to_lack_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)
    with pytest.raises(MachineError, match="which is not installed here") as caught:
        open_weights(Path("hf:me/one"))
    assert "netc[hub]" in caught.value.remedy
