"""Arrays in and out of ONNX Runtime's own memory, on the host or on a GPU."""

from __future__ import annotations

import ctypes
from collections.abc import Mapping
from typing import Any

import ml_dtypes
import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray
from onnx import TensorProto, helper

from runtime.devices import Device
from runtime.errors import CallError

WIDTHS = (8, 16, 32, 64)  # of whole numbers, in bits

# ONNX Runtime's names of element types.
TYPES: dict[str, Any] = {
    "tensor(float)": np.float32,
    "tensor(float16)": np.float16,
    "tensor(bfloat16)": ml_dtypes.bfloat16,
    "tensor(double)": np.float64,
    "tensor(bool)": np.bool_,
    **{f"tensor({sign}int{bits})": f"{sign}int{bits}" for sign in ("", "u") for bits in WIDTHS},
}


def type_of(port: Any) -> np.dtype[Any]:
    """The element type of a session's input or output; raises `CallError` for text and lists."""
    if port.type not in TYPES:
        raise CallError(f"{port.name} is a {port.type}, and what runs here are tensors of numbers")
    kind: np.dtype[Any] = np.dtype(TYPES[port.type])
    return kind


def to_value(array: NDArray[Any], device: Device) -> Any:
    """An array in ONNX Runtime's memory on a device; bfloat16 too, which NumPy does not know."""
    place = ("cuda", device.index) if device.on_gpu else ("cpu", 0)
    if array.dtype == ml_dtypes.bfloat16:
        return ort.OrtValue.ortvalue_from_numpy_with_onnx_type(
            array.view(np.uint16), TensorProto.BFLOAT16
        )
    return ort.OrtValue.ortvalue_from_numpy(array, *place)


def from_value(value: Any) -> NDArray[Any]:
    """A copy of the array of a value; a bfloat16 one must lie in the host's memory.

    `OrtValue.numpy` may be a view that does not keep the value's memory alive: read after the
    value is gone, it holds other numbers or ends the process.
    """
    if value.data_type() != "tensor(bfloat16)":
        return np.array(value.numpy())
    count = int(np.prod(value.shape(), dtype=np.int64))
    raw = np.frombuffer(ctypes.string_at(value.data_ptr(), 2 * count), dtype=ml_dtypes.bfloat16)
    return raw.reshape(value.shape())


class BoundArrays:
    """Inputs and outputs of a session at fixed places of its device.

    A run copies nothing and allocates nothing, and may be captured as a CUDA graph. Outputs are
    allocated at once where their shapes are known, else by the first run. Not for several threads.
    """

    def __init__(self, session: Any, device: Device, feeds: Mapping[str, NDArray[Any]]) -> None:
        self._session = session
        self._binding = session.io_binding()
        self._inputs = {name: to_value(array, device) for name, array in feeds.items()}
        for name, value in self._inputs.items():
            self._binding.bind_ortvalue_input(name, value)
        place = ("cuda", device.index) if device.on_gpu else ("cpu", 0)
        infos = session.get_outputs()
        for info in infos:
            if all(isinstance(size, int) for size in info.shape):
                kind = helper.np_dtype_to_tensor_dtype(type_of(info))
                value = ort.OrtValue.ortvalue_from_shape_and_type(info.shape, kind, *place)
                self._binding.bind_ortvalue_output(info.name, value)
            else:
                self._binding.bind_output(info.name, *place)
        self.run()
        for info, value in zip(infos, self._binding.get_outputs(), strict=True):
            self._binding.bind_ortvalue_output(info.name, value)

    def run(self) -> None:
        """One run, finished on the device when this returns."""
        self._session.run_with_iobinding(self._binding)

    def update(self, feeds: Mapping[str, NDArray[Any]]) -> None:
        """Other numbers of the same shapes in the same places."""
        for name, array in feeds.items():
            self._inputs[name].update_inplace(array)

    def outputs(self) -> list[NDArray[Any]]:
        """The results of the last run in the order of the model's outputs."""
        return [from_value(value) for value in self._binding.get_outputs()]
