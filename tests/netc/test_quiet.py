"""netc tells nobody anything: no socket is opened, no file appears that nobody asked for."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from netc.main import COMMANDS
from tests.netc.command import TRAINING
from tests.test_imports import FILES, ROOT, imported

# Every command in one process; whatever would reach a network is told of and refused.
RUNNER = """
import json, socket, sys
from itertools import islice

asked = []

def listen(event, arguments):
    inside = event == "socket.__new__" and arguments[1] == socket.AF_UNIX  # of an event loop
    if event.startswith(("socket.", "urllib.", "http.", "ftplib.", "smtplib.")) and not inside:
        asked.append([event, repr(arguments)])
        raise RuntimeError(f"{event} is forbidden")

sys.addaudithook(listen)
import netc.watching
whole = netc.watching.changes
netc.watching.changes = lambda *arguments: islice(whole(*arguments), 1)

from tests.netc.command import netc as command

codes = {}
for call in json.loads(sys.argv[1]):
    result = command(*call)
    codes[" ".join(call)] = [result.exit_code, result.output]
print(json.dumps({"asked": asked, "codes": codes, "loaded": sorted(sys.modules)}))
"""
CALLS = """
check lenet5
summary lenet5
compile lenet5 --net lenet5 -o l.onnx
compile t.netdef --train t -o s.onnx
run lenet5 --net lenet5 --random --device cpu
train t.netdef --data t.npz --out t
verify lenet5 --net lenet5
verify t.netdef --train t
import l.onnx -o l.netdef --weights l.safetensors
bench l.onnx --device cpu --seconds 0.01
quantize l.onnx --calibrate x.npy -o q.onnx
weights lenet5 --net lenet5 --compare l.safetensors
explain lenet5
plot lenet5 --net lenet5 -o l.svg
report lenet5 --net lenet5 --bench -o r.html
maps lenet5 --net lenet5 --image p.png -o m.html
diff lenet5 l.netdef --net lenet5
watch lenet5
fmt l.netdef
list
doctor
"""


def test_no_command_reaches_a_network_or_leaves_a_file_behind(tmp_path: Path) -> None:
    calls = [line.split() for line in CALLS.strip().splitlines()]
    assert list(dict.fromkeys(call[0] for call in calls)) == [
        name
        for name in COMMANDS
        if name not in ("lsp", "serve")  # which never end
    ]
    work, home, scratch = (tmp_path / name for name in ("work", "home", "scratch"))
    for folder in (work, home, scratch):
        folder.mkdir()
    (work / "t.netdef").write_text(TRAINING)
    generator = np.random.default_rng(0)
    inputs = generator.random((8, 2), np.float32)
    np.savez(work / "t.npz", x=inputs, label=np.arange(8) % 2)
    Image.new("L", (28, 28)).save(work / "p.png")
    np.save(work / "x.npy", np.zeros((1, 1, 28, 28), np.float32))
    fresh = {"HOME": home, "USERPROFILE": home, "XDG_CACHE_HOME": home / "cache"}
    fresh |= {"TMPDIR": scratch, "TEMP": scratch, "PYTHONPATH": ROOT, "LOCALAPPDATA": home}
    environment = {k: v for k, v in os.environ.items() if k != "ORT_DISABLE_TELEMETRY"}
    environment |= {name: str(path) for name, path in fresh.items()}
    done = subprocess.run(
        [sys.executable, "-c", RUNNER, json.dumps(calls)],
        cwd=work,
        env=environment,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout.splitlines()[-1])
    assert report["asked"] == []
    wrong = {call: out for call, (code, out) in report["codes"].items() if code not in (0, 3)}
    assert wrong == {}
    assert "onnxruntime" in report["loaded"], "else nothing was shown"
    assert sorted(path.name for path in work.iterdir()) == [
        *("l.netdef", "l.onnx", "l.safetensors", "l.svg", "m.html", "p.png", "q.onnx"),
        *("r.html", "s.onnx", "s.safetensors", "t", "t.netdef", "t.npz", "x.npy"),
    ]
    assert [*home.rglob("*"), *scratch.rglob("*")] == []


def test_onnx_runtime_is_imported_where_its_telemetry_is_switched_off() -> None:
    naming = [path for path in FILES if "onnxruntime" in path.read_text(encoding="utf-8")]
    users = {path for path in naming if "onnxruntime" in imported(path)}
    assert users and all(path.relative_to(ROOT).parts[0] == "runtime" for path in users)


@pytest.mark.parametrize(("given", "wanted"), [(None, "1"), ("0", "0")])
def test_what_a_user_says_of_telemetry_stands(given: str | None, wanted: str) -> None:
    environment = {k: v for k, v in os.environ.items() if k != "ORT_DISABLE_TELEMETRY"}
    environment |= {"ORT_DISABLE_TELEMETRY": given} if given else {}
    code = "import os, netc; netc.Net; print(os.environ['ORT_DISABLE_TELEMETRY'])"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env=environment, capture_output=True
    )
    assert done.stdout.decode().strip() == wanted
