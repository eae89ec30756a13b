"""Signals and standard streams: closed ones, readers that leave, pipes as files, Ctrl-C."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.netc.command import TRAINING, netc
from tests.test_imports import ROOT

pytestmark = pytest.mark.skipif(os.name != "posix", reason="a shell, signals and pipes of POSIX")

NETC = f"{sys.executable} -m netc"
ENVIRONMENT = os.environ | {"PYTHONPATH": str(ROOT)}
BAD = "net n { input x: f32[3, 8, 8]; conv(4, 9x9); output y }"
GOOD = "net n { input x: f32[3, 8, 8]; conv(4, 3x3); output y }"


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a right and a wrong definition."""
    monkeypatch.chdir(tmp_path)
    Path("good.netdef").write_text(GOOD)
    Path("bad.netdef").write_text(BAD)
    Path("t.netdef").write_text(TRAINING)
    np.savez("t.npz", x=np.zeros((8, 2), np.float32), label=np.arange(8) % 2)
    return tmp_path


def shell(line: str) -> tuple[int, str]:
    """The exit code of `netc` in a line of the shell, and all that was said."""
    # bash knows the exit code of each part of a pipe
    done = subprocess.run(
        ["bash", "-c", f"{line.replace('netc', NETC, 1)}; exit ${{PIPESTATUS[0]}}"],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env=ENVIRONMENT,
        timeout=60,
        text=True,
        check=False,
    )
    assert "Traceback" not in done.stdout and "Exception ignored" not in done.stdout
    return done.returncode, done.stdout


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("netc explain resnet18 | head -1", 0),
        ("netc summary lenet5 | true", 0),
        ("netc check bad.netdef 2>&1 | true", 1),
        ("netc check good.netdef bad.netdef | true", 1),
        ("netc --help | true", 0),
        ("netc check good.netdef >&- 2>&- <&-", 0),
        ("netc check bad.netdef 2>&-", 1),
        ("netc fmt - <&-", 0),
        ("netc nonsense 2>&-", 2),
        ("netc list > /dev/full", 3),
        ("netc watch good.netdef | head -1", 0),
        ("netc train t.netdef --data t.npz --out out | true", 0),
        ("netc train t.netdef --data t.npz --out out >&- 2>&- <&-", 0),
        ("netc train t.netdef --data t.npz --out out > /dev/full", 3),
        ("netc verify t.netdef --train t | true", 0),
    ],
)
def test_closed_streams_and_readers_that_leave_change_no_exit_code(
    here: Path, line: str, code: int
) -> None:
    if "/dev/full" in line and not Path("/dev/full").exists():
        pytest.skip("the system has no /dev/full")
    found, said = shell(line)
    assert found == code, said


def test_what_is_written_does_not_depend_on_who_listens(here: Path) -> None:
    call = "netc run good.netdef --random --device numpy --out {0} {1}"
    for name, end in (("a.npz", "| true"), ("b.npz", ">&- 2>&- <&-")):
        assert shell(call.format(name, end))[0] == 0
    assert Path("a.npz").read_bytes() == Path("b.npz").read_bytes()


@pytest.mark.parametrize("stream", ["<&-", "< /dev/null"])
def test_a_language_server_without_an_editor_ends(here: Path, stream: str) -> None:
    pytest.importorskip("pygls", reason="the language server needs netc[lsp]")
    assert shell(f"netc lsp {stream}")[0] == 0


PIPES = """
check pipe
fmt pipe
summary pipe
compile pipe -o x.onnx
compile good.netdef -o pipe
compile good.netdef --weights pipe.npz
compile good.netdef --weights pipe.safetensors --rename-file pipe
run good.netdef --image pipe
run good.netdef --input pipe.npy
run pipe.onnx --random
run good.netdef --random --device numpy --out pipe.npz
import pipe.onnx
import pipe.prototxt
import pipe.cfg
summary pipe.onnx
verify pipe.onnx
verify good.netdef pipe.onnx
bench pipe.onnx
quantize good.netdef --calibrate pipe
plot pipe -o x.svg
plot good.netdef -o pipe.svg
weights good.netdef --compare pipe.safetensors
diff good.netdef pipe
explain pipe
watch pipe
train pipe --dry-run
train t.netdef --data pipe.npz --dry-run
train t.netdef --data t.npz --val pipe.csv --dry-run
train t.netdef --data t.npz --weights pipe.safetensors --dry-run
train t.netdef --data t.npz --device numpy --resume --out held
compile pipe --train t
compile t.netdef --train t -o pipe.onnx
verify pipe --train t
maps good.netdef --image pipe -o x.html
report good.netdef -o pipe.html
report pipe -o x.html
maps good.netdef --image p.png -o pipe.html
"""


@pytest.mark.parametrize("call", PIPES.strip().splitlines())
def test_a_pipe_in_the_place_of_a_file_is_refused_without_waiting(here: Path, call: str) -> None:
    Image.new("RGB", (8, 8)).save("p.png")
    for end in ("", ".npz", ".npy", ".safetensors", ".onnx", ".prototxt", ".cfg", ".svg"):
        os.mkfifo(f"pipe{end}")
    for end in (".csv", ".html"):
        os.mkfifo(f"pipe{end}")
    Path("held").mkdir()
    os.mkfifo("held/state.safetensors")
    result = netc(*call.split())
    assert result.exit_code == 2 and re.search("a device or (a )?pipe", result.output)
    assert all(path.is_fifo() for path in here.glob("pipe*"))


# Sends Ctrl-C when so many modules have been imported after the first of netc's.
INTERRUPTING = """
import os, signal, sys

class Finder:
    count = -1
    def find_spec(self, name, path=None, target=None):
        if name == "netc.main" or self.count >= 0:
            self.count += 1
        if self.count == self.at:
            os.kill(os.getpid(), signal.SIGINT)

finder = Finder()
finder.at = int(sys.argv.pop(1))
sys.meta_path.insert(0, finder)
from netc.start import start
start()
"""


@pytest.mark.parametrize("at", [0, 1, 200, 500])
def test_an_interrupt_during_the_start_ends_in_one_line(here: Path, at: int) -> None:
    call = [sys.executable, "-c", INTERRUPTING, str(at), "run", "good.netdef"]
    call += ["--random", "--device", "cpu"]
    done = subprocess.run(call, capture_output=True, text=True, env=ENVIRONMENT, check=False)
    assert (done.returncode, done.stderr) == (130, "interrupted\n")


def test_an_interrupt_while_a_file_is_written_leaves_nothing(here: Path) -> None:
    code = """
import os, signal, sys
import runtime.files
flush = runtime.files.flush
runtime.files.flush = lambda path: (os.kill(os.getpid(), signal.SIGINT), flush(path))
from netc.start import start
start()
"""
    before = sorted(here.iterdir())
    call = [sys.executable, "-c", code, "compile", "good.netdef", "-o", "good.onnx"]
    done = subprocess.run(call, capture_output=True, text=True, env=ENVIRONMENT, check=False)
    assert (done.returncode, done.stderr) == (130, "interrupted\n")
    assert sorted(here.iterdir()) == before


def test_an_interrupt_ends_a_watch_and_a_server(here: Path) -> None:
    for call in ("watch good.netdef", "lsp"):
        process = subprocess.Popen(
            [*NETC.split(), *call.split()],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=ENVIRONMENT,
        )
        if call.startswith("watch"):
            assert process.stdout is not None and process.stdout.readline()
        else:
            pytest.importorskip("pygls", reason="the language server needs netc[lsp]")
            message = b'{"jsonrpc":"2.0","id":1,"method":"shutdown"}'
            assert process.stdin is not None and process.stdout is not None
            process.stdin.write(b"Content-Length: %d\r\n\r\n%s" % (len(message), message))
            process.stdin.flush()
            assert process.stdout.readline()
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=60)
        assert process.returncode == 130 and said.endswith(b"interrupted\n")
        assert b"Traceback" not in said
