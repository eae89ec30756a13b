"""Whether a provider works: a small convolution on it, in a process of its own.

A provider that lacks a library says so on standard error only, and one that is broken may take the
process with it; so it is tried in another one. `python -m runtime.probe cuda 0` is that process.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from runtime.devices import Device

PATIENCE = 120  # seconds; the first CUDA start of a machine compiles kernels
REASONS = (
    r"MachineError: \S+ cannot be had: (.+)",
    r"with error: (.+)",
    r"Failed to create \w+\. (.+)",
    r"(?:CUDA|CUDNN|CUBLAS) failure.*",
    r"^\w*Error: .+",
)


@dataclass(frozen=True)
class Probe:
    """What came out: `ok`, or in `reason` what ONNX Runtime or the system said."""

    ok: bool
    reason: str = ""


def probe(device: Device) -> Probe:
    """Try a provider in another process; takes about a second."""
    call = [sys.executable, "-P", "-m", "runtime.probe", device.kind, str(device.index)]
    # -P leaves out where the user stands: a folder called `runtime` there is not ours.
    places = [str(Path(__file__).parent.parent), os.environ.get("PYTHONPATH", "")]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, places))}
    try:
        done = subprocess.run(
            call,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
            env=environment,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return Probe(False, str(error))
    try:
        providers = json.loads((done.stdout.splitlines() or [""])[-1])
    except ValueError:
        providers = []
    if done.returncode == 0 and device.provider in providers[:1]:
        return Probe(True)
    return Probe(False, reason(done.stderr) or f"the process ended with code {done.returncode}")


def reason(log: str) -> str:
    """The line of ONNX Runtime's log that says why, without colours."""
    plain = re.sub(r"\x1b\[[0-9;]*m", "", log)
    for pattern in REASONS:
        found = re.search(pattern, plain, re.MULTILINE)
        if found:
            return (found.group(1) if found.groups() else found.group(0)).strip()
    return (plain.strip().splitlines() or [""])[-1]


def main() -> None:
    """Run one convolution on the device that the arguments name; print the providers in use."""
    import numpy as np
    import onnx
    import onnxruntime as ort
    from onnx import TensorProto, helper

    device = Device(sys.argv[1], int(sys.argv[2]))
    shapes = {"x": [1, 8, 8, 8], "w": [8, 8, 3, 3], "y": [1, 8, 6, 6]}
    info = {n: helper.make_tensor_value_info(n, TensorProto.FLOAT, s) for n, s in shapes.items()}
    conv = helper.make_node("Conv", ["x", "w"], ["y"])
    model: onnx.ModelProto = helper.make_model(
        helper.make_graph([conv], "probe", [info["x"], info["w"]], [info["y"]]),
        opset_imports=[helper.make_opsetid("", 17)],
        ir_version=8,
    )
    if device.is_plugin:
        from runtime.plugins import add_plugin
        from runtime.settings import Settings

        asked = ort.SessionOptions()
        add_plugin(asked, device, Settings())
        session = ort.InferenceSession(model.SerializeToString(), asked, enable_fallback=0)
    else:
        if hasattr(ort, "preload_dlls"):
            ort.preload_dlls()
        options = {"device_id": str(device.index)} if device.on_gpu else {}
        session = ort.InferenceSession(
            model.SerializeToString(), providers=[(device.provider, options)], enable_fallback=0
        )
    session.run(None, {n: np.ones(shapes[n], dtype=np.float32) for n in ("x", "w")})
    print(json.dumps(session.get_providers()))


if __name__ == "__main__":
    main()
