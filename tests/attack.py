"""Files that a stranger sends: none may end in anything but a report, soon, and in little memory.

`python -m tests.attack 3000 --seed 7` tries that many of each kind: definitions with words changed
and in odd layouts, and weights, pictures, models and messages to the language server with bytes
changed. It tells of each that raises, leaves an exit code that is none, takes more than five
seconds or a gigabyte; `--kind npz` tries one kind. A failing input is written to the current
folder.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import os
import signal
import sys
import tempfile
import threading
import time
import traceback
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any, cast

import numpy as np
from PIL import Image

import netc as package
from runtime.weights.saving import save_weights
from tests import fuzz
from tests.memory import peak_of
from tests.netc.command import netc

SECONDS = 5  # of work; a busy machine is no fault
WAITING = 60  # seconds in all: what waits for something does no work
BYTES = 2**30
NET = """
net n {
    input x: f32[3, 8, 8] from picture(resize=8, crop=8)
    conv(4, 3x3) as a -> bn as b -> relu -> gap -> flatten -> dense(5) as c
    output y
}
"""
PROTOTXT = """
name: "n" input: "x" input_shape { dim: 1 dim: 3 dim: 8 dim: 8 }
layer { name: "a" type: "Convolution" bottom: "x" top: "a"
  convolution_param { num_output: 4 kernel_size: 3 pad: 1 } }
layer { name: "p" type: "Pooling" bottom: "a" top: "p" pooling_param { pool: MAX kernel_size: 2 } }
layer { name: "c" type: "InnerProduct" bottom: "p" top: "c" inner_product_param { num_output: 5 } }
"""
CFG = """
[net]
width=8
height=8
channels=3
[convolutional]
batch_normalize=1
filters=4
size=3
stride=1
pad=1
activation=leaky
[maxpool]
size=2
stride=2
[route]
layers=-1,-2
"""
EXTREMES = (
    *(b"\x00", b"\xff", b"\x00" * 8, b"\xff" * 8, b"\xff\xff\xff\x7f", b"\x80\x80\x80\x80\x10"),
    *(b"-1", b"0", b"99999999999", b"1e999", b"nan", b"\n", b'"', b"{", b"}", b"[" * 50),
)


@dataclass(frozen=True)
class Failure:
    """An input that went wrong, and how."""

    content: bytes
    reason: str


def mutated(choices: Random, seeds: list[bytes]) -> bytes:
    """A file with some bytes changed, taken out, doubled, or taken from another."""
    content = bytearray(choices.choice(seeds))
    for _ in range(choices.choice([1, 1, 2, 4, 16])):
        at = choices.randrange(len(content) + 1)
        match choices.randrange(7):
            case 0 if at < len(content):
                content[at] ^= 1 << choices.randrange(8)
            case 1:
                value = choices.choice(EXTREMES)
                content[at : at + len(value)] = value
            case 2:
                content[at:at] = choices.choice(EXTREMES)
            case 3:
                del content[at : at + choices.choice([1, 2, 8, 100, 10**6])]
            case 4:
                content[at:at] = content[at : at + choices.choice([1, 8, 64])]
            case 5:
                other = choices.choice(seeds)
                start = choices.randrange(len(other) + 1)
                content[at : at + 32] = other[start : start + 32]
            case 6:
                content[at : at + 4] = choices.randbytes(4)
    return bytes(content)


# ── seeds and calls of each kind ─────────────────────────────────────────────────────────────────


def seeds_of(kind: str, folder: Path) -> list[bytes]:
    """Right files of a kind, from which wrong ones are made."""
    match kind:
        case "npz" | "safetensors":
            return [written(folder / f"seed.{kind}")]
        case "pt":
            archive = written(folder / "seed.npz")
            return [archive, b"\x80\x02}q\x00X\x01\x00\x00\x00aq\x01K\x01s.", b"\x80\x04N."]
        case "picture":
            return [picture(form) for form in ("PNG", "JPEG", "BMP", "GIF", "TIFF", "WEBP", "PPM")]
        case "onnx":
            models = [package.loads(NET).model(optimise=flag) for flag in (True, False)]
            return [model.SerializeToString() for model in models]
        case "prototxt":
            return [PROTOTXT.encode()]
        case "cfg":
            return [CFG.encode()]
    return [b""]


def written(path: Path) -> bytes:
    """The network's weights as a file."""
    save_weights(path, dict(package.loads(NET).weights))
    return path.read_bytes()


def picture(form: str) -> bytes:
    """A small picture in a form."""
    content = io.BytesIO()
    pixels = np.random.default_rng(0).integers(0, 256, (9, 11, 3), np.uint8)
    Image.fromarray(pixels).save(content, form)
    return content.getvalue()


COMMANDS: dict[str, list[str]] = {
    "definition": ["check", "{0}.netdef"],
    "npz": ["compile", "net.netdef", "--weights", "{0}.npz", "-o", "y.onnx"],
    "safetensors": ["compile", "net.netdef", "--weights", "{0}.safetensors", "-o", "y.onnx"],
    "pt": ["weights", "net.netdef", "--compare", "{0}.pt"],
    "picture": ["run", "net.netdef", "--image", "{0}.png", "--device", "numpy"],
    "onnx": ["import", "{0}.onnx", "-o", "y.netdef"],
    "prototxt": ["import", "{0}.prototxt", "-o", "y.netdef"],
    "cfg": ["import", "{0}.cfg", "-o", "y.netdef"],
}
KINDS = (*COMMANDS, "protocol")


class TooLong(BaseException):
    """An input took more than its time: no `except Exception` may take it for its own."""


@contextlib.contextmanager
def limited() -> Iterator[None]:
    """Raise `TooLong` when what is done takes more than its time."""

    def stop(number: int, frame: Any) -> None:
        raise TooLong

    limits = {
        signal.SIGPROF: (signal.ITIMER_PROF, SECONDS),
        signal.SIGALRM: (signal.ITIMER_REAL, WAITING),
    }
    before = {number: signal.signal(number, stop) for number in limits}
    for timer, seconds in limits.values():
        signal.setitimer(timer, seconds)
    try:
        yield
    finally:
        for number, (timer, _) in limits.items():
            signal.setitimer(timer, 0)
            signal.signal(number, before[number])


def complaint(call: list[str]) -> str:
    """What is wrong with how a command ends; nothing if it ends as it should."""
    results: list[Any] = []
    try:
        with limited():
            peak = peak_of(lambda: results.append(netc(*call)))
    except TooLong:
        return f"more than {SECONDS} seconds of work, or {WAITING} in all"
    except Exception:
        return traceback.format_exc(limit=-4)
    result = results[0]
    if result.exit_code not in (0, 1, 2, 3) or "E901" in result.output:
        return f"exit code {result.exit_code}: {result.output[-1000:]}"
    if result.exit_code and not result.stderr.strip():
        return f"exit code {result.exit_code}, and no word"
    return f"{peak:,} bytes" if peak > BYTES else ""


def failures(kind: str, count: int, seed: int) -> Iterator[Failure]:
    """Those of so many inputs of a kind that end wrongly."""
    if kind == "protocol":
        yield from failures_of_messages(count, seed)
        return
    with tempfile.TemporaryDirectory() as name, contextlib.chdir(name):
        folder = Path(name)
        Path("net.netdef").write_text(NET)
        seeds = seeds_of(kind, folder)
        made = (mutated(Random(f"{seed} {kind} {n}"), seeds) for n in range(count))
        call = [word.format("x") for word in COMMANDS[kind]]
        path = Path(next(word for word in call if word.startswith("x.")))
        for content in fuzz.inputs(count, seed) if kind == "definition" else made:
            path.write_bytes(content)
            reason = complaint(call)
            if reason:
                yield Failure(content, reason)


# ── messages to the language server ──────────────────────────────────────────────────────────────


def session(uri: str) -> list[dict[str, Any]]:
    """What an editor says."""
    document = {"uri": uri, "languageId": "netdef", "version": 1, "text": NET}
    place = {"textDocument": {"uri": uri}, "position": {"line": 3, "character": 6}}
    whole = {"start": {"line": 0, "character": 0}, "end": {"line": 9, "character": 0}}
    text = {"textDocument": {"uri": uri}}
    asked = {
        **dict.fromkeys(("hover", "completion", "definition", "signatureHelp"), place),
        **dict.fromkeys(("documentSymbol", "foldingRange"), text),
        "rename": place | {"newName": "m"},
        "references": place | {"context": {"includeDeclaration": True}},
        "inlayHint": text | {"range": whole},
        "codeAction": text | {"range": whole, "context": {"diagnostics": []}},
        "formatting": text | {"options": {"tabSize": 4, "insertSpaces": True}},
    }
    change = {"textDocument": {"uri": uri, "version": 2}, "contentChanges": [{"text": NET}]}
    said = {"didOpen": {"textDocument": document}, "didChange": change}
    notified = [{"method": f"textDocument/{name}", "params": p} for name, p in said.items()]
    requests = [{"method": f"textDocument/{name}", "params": p} for name, p in asked.items()]
    return [*notified, *(request | {"id": 7} for request in requests)]


def failures_of_messages(count: int, seed: int) -> Iterator[Failure]:
    """Those of so many messages after which a server no longer answers, or has grown too large."""
    from tests.lsp.client import Client

    uri = "file:///nowhere/n.netdef"
    bodies = [json.dumps({"jsonrpc": "2.0"} | message).encode() for message in session(uri)]
    number = 0
    while number < count:
        with Client() as client:
            process = client.process
            assert process.stdin is not None and process.stderr is not None
            drain = process.stderr.read
            threading.Thread(target=drain, daemon=True).start()
            for number in range(number, count):  # noqa: B020  # goes on where the last server ended
                content = mutated(Random(f"{seed} protocol {number}"), bodies)
                if b'"exit"' in content or b'"shutdown"' in content:
                    continue
                try:
                    process.stdin.write(b"Content-Length: %d\r\n\r\n%s" % (len(content), content))
                    process.stdin.flush()
                    if number % 10 == 9:
                        start = time.monotonic()
                        client.identity = 10**6 + number
                        client.about("documentSymbol", uri)
                        waited = time.monotonic() - start
                        if waited > WAITING:
                            yield Failure(content, f"{waited:.1f} seconds until the next answer")
                except Exception:
                    yield Failure(content, traceback.format_exc(limit=-2))
                    break
            number += 1
            if resident(process.pid) > BYTES:
                yield Failure(b"", "the server has grown beyond a gigabyte")


def resident(process: int) -> int:
    """The bytes that a process had in memory at most; 0 where the system cannot tell."""
    try:
        status = Path(f"/proc/{process}/status").read_text()
    except OSError:
        return 0
    lines = [line.split() for line in status.splitlines() if line.startswith("VmHWM")]
    return int(lines[0][1]) * 1024 if lines else 0


def main() -> int:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("count", type=int, nargs="?", default=3000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--kind", choices=KINDS)
    options = parser.parse_args()
    found = 0
    here = Path.cwd()
    for kind in [options.kind] if options.kind else KINDS:
        start, wrong = time.monotonic(), 0
        for failure in failures(cast(str, kind), options.count, options.seed):
            wrong += 1
            name = here / f"attack-{kind}-{options.seed}-{wrong}"
            name.write_bytes(failure.content)
            print(f"{name.name}: {failure.reason}", flush=True)
        found += wrong
        took = time.monotonic() - start
        print(f"{kind}: {options.count:,} inputs, {wrong} failures, {took:.0f} s", flush=True)
    return 1 if found else 0


if __name__ == "__main__":
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    sys.exit(main())
