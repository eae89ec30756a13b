"""Files that a stranger sends: none may end in anything but a report, soon, and in little memory.

`python -m tests.attack 3000 --seed 7` tries that many of each kind: definitions with words changed
and in odd layouts, and weights, pictures, models and messages to the language server with bytes
changed. It tells of each that raises, leaves an exit code that is none, takes more than five
seconds of work or a gigabyte; `--kind npz` tries one kind. A failing input is written to the
current folder, and a table says in the end how many of each kind failed in which way.
"""

from __future__ import annotations

import argparse
import contextlib
import gzip
import io
import json
import os
import signal
import sys
import tempfile
import threading
import time
import traceback
import zipfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from itertools import cycle
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
WAITING = 60  # seconds in all: what waits for something does no work; tried twice for that reason
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
layers=-1
[upsample]
stride=2
[route]
layers=-1,0
[softmax]
"""
TRAIN = """
train t {
    data image: f32[1, 8, 8], label: class[5]
    scores = m(image)
    minimize cross_entropy(scores.logits, label)
    update m with adam(1e-2)
    batch 4; epochs 1
}
net m {
    input image: f32[1, 8, 8]
    conv(3, 3x3) -> relu -> flatten -> dense(5) as logits
    output probs = softmax
}
"""
EXTREMES = (
    *(b"\x00", b"\xff", b"\x00" * 8, b"\xff" * 8, b"\xff\xff\xff\x7f", b"\x80\x80\x80\x80\x10"),
    *(b"-1", b"0", b"99999999999", b"1e999", b"nan", b"\n", b'"', b"{", b"}", b"[" * 50),
)


WAYS = ("traceback", "time", "memory", "ending")


@dataclass(frozen=True)
class Complaint:
    """In which of the `WAYS` a command went wrong, and more about it."""

    way: str
    reason: str


@dataclass(frozen=True)
class Failure:
    """An input that went wrong, and how."""

    content: bytes
    way: str
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


def mutated_inside(choices: Random, seeds: list[bytes]) -> bytes:
    """A file that `mutated` made, or a packed one with right checksums around what it made."""
    seed = choices.choice(seeds)
    if choices.random() < 0.7 and seed.startswith(b"\x1f\x8b"):
        return gzip.compress(mutated(choices, [gzip.decompress(seed)]), mtime=0)
    if choices.random() < 0.7 and seed.startswith(b"PK"):
        archive, content = zipfile.ZipFile(io.BytesIO(seed)), io.BytesIO()
        wrong = choices.choice(archive.namelist())
        with zipfile.ZipFile(content, "w", choices.choice([0, zipfile.ZIP_DEFLATED])) as packed:
            for name in archive.namelist():
                inside = archive.read(name)
                packed.writestr(name, mutated(choices, [inside]) if name == wrong else inside)
        return content.getvalue()
    return mutated(choices, seeds)


# ── seeds and calls of each kind ─────────────────────────────────────────────────────────────────


def seeds_of(kind: str, folder: Path) -> list[bytes]:
    """Right files of a kind, from which wrong ones are made."""
    match kind:
        case "npz" | "safetensors":
            return [written(folder / f"seed.{kind}")]
        case "pt":
            archive = written(folder / "seed.npz")
            if find_spec("torch") is not None:
                torch, content = import_module("torch"), io.BytesIO()
                weights = package.loads(NET).weights
                torch.save(
                    {name: torch.from_numpy(a.copy()) for name, a in weights.items()}, content
                )
                return [content.getvalue(), archive]
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
        case "data npz" | "data csv" | "data parquet" | "data idx" | "data gz" | "data bin":
            return [samples(kind.removeprefix("data "), folder)]
        case "state":
            netc(*COMMANDS[kind][0].replace("--max-steps 2", "--max-steps 1").split())
            return [Path("run/state.safetensors").read_bytes()]
    return [b""]


def samples(form: str, folder: Path) -> bytes:
    """Six pictures of 8x8 and their classes, as `netc train` reads them."""
    pixels = np.random.default_rng(0).integers(0, 256, (6, 8, 8), np.uint8)
    labels = np.arange(6, dtype=np.uint8) % 5
    rows = [" ".join(map(str, row)) for row in pixels.reshape(6, -1)]
    content = io.BytesIO()
    match form:
        case "npz":
            np.savez(content, image=pixels[:, None] / np.float32(255), label=labels)
        case "csv":
            lines = [f'"{row}",{label}' for row, label in zip(rows, labels, strict=True)]
            content.write("\n".join(["image,label", *lines, ""]).encode())
        case "parquet":
            arrow, parquet = import_module("pyarrow"), import_module("pyarrow.parquet")
            table = arrow.table(
                {"image": [[float(v) for v in p.flat] for p in pixels], "label": labels}
            )
            parquet.write_table(table, content)
        case "idx" | "gz":
            (folder / "x-labels-idx1-ubyte").write_bytes(b"\0\0\x08\1\0\0\0\6" + labels.tobytes())
            head = b"\0\0\x08\3" + b"".join(n.to_bytes(4, "big") for n in pixels.shape)
            whole = head + pixels.tobytes()
            content.write(gzip.compress(whole, mtime=0) if form == "gz" else whole)
        case "bin":
            colours = np.random.default_rng(0).integers(0, 256, (3, 3072), np.uint8)
            content.write(b"".join(b"\1" + colour.tobytes() for colour in colours))
    return content.getvalue()


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


# What is done with the files of a kind, in turn.
COMMANDS: dict[str, list[str]] = {
    "definition": [
        "check x.netdef",
        "summary x.netdef",
        "check x.netdef --format json",
        "explain x.netdef",
        "fmt --check x.netdef",
        "plot x.netdef -o y.svg",
        "diff net.netdef x.netdef",
    ],
    "npz": ["compile net.netdef --weights x.npz -o y.onnx", "weights net.netdef --compare x.npz"],
    "safetensors": [
        "compile net.netdef --weights x.safetensors -o y.onnx",
        "weights net.netdef --compare x.safetensors",
    ],
    "pt": ["weights net.netdef --compare x.pt"],
    "picture": ["run net.netdef --image x.png --device numpy"],
    "onnx": ["import x.onnx -o y.netdef", "import x.onnx -o y.netdef --weights y.npz"],
    "prototxt": ["import x.prototxt -o y.netdef"],
    "cfg": ["import x.cfg -o y.netdef"],
    "data npz": ["train t.netdef --data x.npz --dry-run --device numpy"],
    "data csv": ["train v.netdef --data x.csv --dry-run --device numpy"],
    "data parquet": ["train t.netdef --data x.parquet --dry-run --device numpy"],
    "data idx": ["train t.netdef --data x-images-idx3-ubyte --dry-run --device numpy"],
    "data gz": ["train t.netdef --data x-images-idx3-ubyte.gz --dry-run --device numpy"],
    "data bin": ["train c.netdef --data x.bin --dry-run --device numpy"],
    "state": ["train t.netdef --data d.npz --out run --resume --device numpy --max-steps 2"],
}
FILES = {"state": "run/state.safetensors"}  # where no word of the call is the file
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


def complaint(call: list[str], again: bool = True) -> Complaint | None:
    """What is wrong with how a command ends; None if it ends as it should."""
    results: list[Any] = []
    start = time.process_time()
    try:
        with limited():
            peak = peak_of(lambda: results.append(netc(*call)))
    except TooLong:
        worked = time.process_time() - start
        if worked < SECONDS and again:  # others may have had the machine
            return complaint(call, again=False)
        return Complaint("time", f"{worked:.1f} seconds of work, and no end")
    except Exception:
        return Complaint("traceback", traceback.format_exc(limit=-4))
    result = results[0]
    if "E901" in result.output:
        return Complaint("traceback", result.output[-1000:])
    if result.exit_code not in (0, 1, 2, 3):
        return Complaint("ending", f"exit code {result.exit_code}: {result.output[-1000:]}")
    if result.exit_code and not result.output.strip():
        return Complaint("ending", f"exit code {result.exit_code}, and no word")
    return Complaint("memory", f"{peak:,} bytes") if peak > BYTES else None


def failures(kind: str, count: int, seed: int) -> Iterator[Failure]:
    """Those of so many inputs of a kind that end wrongly."""
    if kind == "protocol":
        yield from failures_of_messages(count, seed)
        return
    with tempfile.TemporaryDirectory() as name, contextlib.chdir(name):
        folder = Path(name)
        Path("net.netdef").write_text(NET)
        Path("t.netdef").write_text(TRAIN)
        Path("c.netdef").write_text(TRAIN.replace("[1, 8, 8]", "[3, 32, 32]"))
        vectors = TRAIN.replace("[1, 8, 8]", "[64]").replace("conv(3, 3x3) -> relu -> ", "")
        Path("v.netdef").write_text(vectors)
        Path("d.npz").write_bytes(samples("npz", folder))
        seeds = seeds_of(kind, folder)
        made = (mutated_inside(Random(f"{seed} {kind} {n}"), seeds) for n in range(count))
        calls = [call.split() for call in COMMANDS[kind]]
        words = [word for word in calls[0] if word.startswith(("x.", "x-"))]
        path = Path(FILES.get(kind) or words[0])
        contents = fuzz.inputs(count, seed) if kind == "definition" else made
        for content, call in zip(contents, cycle(calls)):
            path.write_bytes(content)
            found = complaint(call)
            if found is not None:
                yield Failure(content, found.way, f"netc {' '.join(call)}: {found.reason}")


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
                try:
                    process.stdin.write(b"Content-Length: %d\r\n\r\n%s" % (len(content), content))
                    process.stdin.flush()
                    if number % 10 == 9:
                        start = worked(process.pid)
                        client.identity = 10**6 + number
                        client.about("documentSymbol", uri)
                        took = worked(process.pid) - start
                        if took > SECONDS:
                            reason = f"{took:.1f} seconds of work until the next answer"
                            yield Failure(content, "time", reason)
                except Exception:
                    yield Failure(content, "traceback", traceback.format_exc(limit=-2))
                    break
            number += 1
            if resident(process.pid) > BYTES:
                yield Failure(b"", "memory", "the server has grown beyond a gigabyte")


def worked(process: int) -> float:
    """The seconds that a process has had of a processor; 0 where the system cannot tell."""
    try:
        fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


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
    tallies: dict[str, Counter[str]] = {}
    here = Path.cwd()
    for kind in [options.kind] if options.kind else KINDS:
        tally = tallies[kind] = Counter()
        for failure in failures(cast(str, kind), options.count, options.seed):
            tally[failure.way] += 1
            name = here / f"attack-{kind}-{options.seed}-{tally.total()}"
            name.write_bytes(failure.content)
            print(f"{name.name}: {failure.reason}", flush=True)
        print(f"{kind}: {options.count:,} inputs, {tally.total()} failures", flush=True)
    print(table(options.count, tallies))
    return 1 if any(map(Counter.total, tallies.values())) else 0


def table(count: int, tallies: dict[str, Counter[str]]) -> str:
    """How many inputs of each kind failed in which way, and of all."""
    titles = ("tracebacks", f"over {SECONDS} s", f"over {BYTES / 2**30:g} GB", "wrong ending")
    rows: list[tuple[str, ...]] = [("kind", "inputs", *titles)]
    rows += [(k, f"{count:,}", *(str(tally[way]) for way in WAYS)) for k, tally in tallies.items()]
    total = sum(tallies.values(), Counter())
    rows.append(("all", f"{count * len(tallies):,}", *(str(total[way]) for way in WAYS)))
    return "\n".join(f"{row[0]:12}" + "".join(f"{cell:>13}" for cell in row[1:]) for row in rows)


if __name__ == "__main__":
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    sys.exit(main())
