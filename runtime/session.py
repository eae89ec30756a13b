"""ONNX Runtime sessions: on the device that was asked for, or not at all.

ONNX Runtime falls back to the CPU silently when a provider is missing, fails to start, or fails
while running. Here `cuda` means CUDA: each way of falling back is an error with a remedy.
"""

from __future__ import annotations

import contextlib
import ctypes
import io
import sys
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray

from runtime.errors import CallError, MachineError

CUDA = "CUDAExecutionProvider"
CPU = "CPUExecutionProvider"
TYPES = {"tensor(float)": "float32", "tensor(uint8)": "uint8", "tensor(int64)": "int64"}


class RunError(CallError):
    """A run that ONNX Runtime refuses: an input of the wrong name, shape or type."""


def cuda_devices() -> int:
    """How many CUDA devices the driver sees; 0 without a driver."""
    library = "nvcuda.dll" if sys.platform == "win32" else "libcuda.so.1"
    try:
        driver = ctypes.CDLL(library)
    except OSError:
        return 0
    count = ctypes.c_int(0)
    if driver.cuInit(0) != 0 or driver.cuDeviceGetCount(ctypes.byref(count)) != 0:
        return 0
    return count.value


class Session:
    """A model ready to run on one device."""

    def __init__(self, session: Any, device: str, note: str = "") -> None:
        self._session = session
        self.device = device
        self.note = note
        self.inputs = {i.name: tuple(i.shape) for i in session.get_inputs()}
        self.types = {i.name: np.dtype(TYPES[i.type]) for i in session.get_inputs()}
        self.outputs = tuple(o.name for o in session.get_outputs())
        self.metadata: dict[str, str] = dict(session.get_modelmeta().custom_metadata_map)

    def run(self, feeds: dict[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
        """The outputs by name; raises `RunError`."""
        for name, shape in self.inputs.items():
            if name not in feeds:
                raise RunError(f"nothing is given for the input {name}")
            have = feeds[name].shape
            if len(have) != len(shape) or any(
                isinstance(want, int) and want != got for want, got in zip(shape, have, strict=True)
            ):
                raise RunError(f"the input {name} is {list(shape)}, the array is {list(have)}")
        contiguous = {
            n: np.ascontiguousarray(v, dtype=self.types[n])
            for n, v in feeds.items()
            if n in self.inputs
        }
        try:
            values = self._session.run(None, contiguous)
        except Exception as error:  # ONNX Runtime raises its own kinds, all from C++
            raise RunError(f"ONNX Runtime refuses this input: {first_line(error)}") from None
        return dict(zip(self.outputs, values, strict=True))


def first_line(error: Exception) -> str:
    """The first line of an error's text."""
    return (str(error).splitlines() or [type(error).__name__])[0]


def open_session(
    model: bytes | Path, device: str = "auto", *, exact: bool = True, optimise: bool = True
) -> Session:
    """Open a model on `auto`, `cpu` or `cuda`.

    `exact` keeps float32 products from being rounded to TF32. `cuda` raises `MachineError` when
    CUDA cannot be had; `auto` takes CUDA where a device is present and works, else the CPU, and
    says so in `note`.
    """
    if device == "cpu":
        return Session(_session(model, [CPU], optimise), "cpu")
    if device == "cuda":
        return Session(_cuda_session(model, exact, optimise), "cuda")
    if cuda_devices() == 0:
        return Session(_session(model, [CPU], optimise), "cpu", "no CUDA device was found")
    try:
        return Session(_cuda_session(model, exact, optimise), "cuda")
    except MachineError as error:
        return Session(_session(model, [CPU], optimise), "cpu", str(error))


def _session(
    model: bytes | Path, providers: list[Any], optimise: bool, config: dict[str, str] | None = None
) -> Any:
    options = ort.SessionOptions()
    options.log_severity_level = 4
    for key, value in (config or {}).items():
        options.add_session_config_entry(key, value)
    if not optimise:
        options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_DISABLE_ALL
    if isinstance(model, Path) and not model.is_file():
        raise RunError(f"there is no file {model}")
    try:
        source = model if isinstance(model, bytes) else str(model)
        return ort.InferenceSession(source, options, providers=providers)
    except Exception as error:  # ONNX Runtime raises its own kinds, all from C++
        if CUDA in str(providers):
            raise MachineError(
                f"CUDA does not start: {first_line(error)}",
                "run with --device cpu, or repair the CUDA installation",
            ) from None
        raise RunError(f"this is no model that ONNX Runtime takes: {first_line(error)}") from None


def _cuda_session(model: bytes | Path, exact: bool, optimise: bool) -> Any:
    if CUDA not in ort.get_available_providers():
        raise MachineError(
            "this ONNX Runtime has no CUDA support",
            "uninstall onnxruntime, then pip install 'netc[cuda]'; or --device cpu",
        )
    if cuda_devices() == 0:
        raise MachineError(
            "CUDA cannot be had: no NVIDIA driver or no device",
            "install the NVIDIA driver and pip install 'netc[cuda]'; or --device cpu",
        )
    with contextlib.redirect_stdout(io.StringIO()), contextlib.suppress(Exception):
        ort.preload_dlls()
    settings = {"use_tf32": "0" if exact else "1", "cudnn_conv_algo_search": "HEURISTIC"}
    session = _session(
        model, [(CUDA, settings), CPU], optimise, {"session.record_ep_graph_assignment_info": "1"}
    )
    if session.get_providers()[0] != CUDA:
        raise MachineError(
            "CUDA did not start, ONNX Runtime fell back to the CPU",
            "pip install 'netc[cuda]' for the CUDA libraries; or --device cpu",
        )
    session.disable_fallback()
    if not placed_on_cuda(session):
        raise MachineError("ONNX Runtime placed no layer on CUDA", "run with --device cpu")
    return session


def placed_on_cuda(session: Any) -> bool:
    """Whether any node runs on CUDA; true where ONNX Runtime cannot tell."""
    tell = getattr(session, "get_provider_graph_assignment_info", None)
    if tell is None:
        return True
    return any(group.ep_name == CUDA for group in tell())
