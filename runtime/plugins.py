"""Engines that a package of their own brings to the stock ONNX Runtime: execution provider plugins.

Each is registered once in a process, when a session first wants it. What ONNX Runtime is asked for
is the precision of the network, since an engine may round on its own account: OpenVINO takes
bfloat16 for float32 wherever the processor has units for it, unless it is told otherwise.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from grammar.records import dataclass
from runtime.devices import OPENVINO, TENSORRT_RTX, Device
from runtime.errors import MachineError, first_line
from runtime.settings import Settings

if TYPE_CHECKING:
    from onnxruntime import SessionOptions


@dataclass(frozen=True)
class Plugin:
    """One engine: the package that brings it, its module, and what a session asks of it.

    `hardware` is the kind of device of ONNX Runtime that it is taken for.
    """

    package: str
    module: str
    hardware: str
    options: Callable[[Settings], dict[str, str]]

    @property
    def is_here(self) -> bool:
        """Whether the package is installed."""
        return find_spec(self.module) is not None


def openvino_options(settings: Settings) -> dict[str, str]:
    """OpenVINO computes in the network's own precision, with so many threads."""
    wanted: dict[str, Any] = {"INFERENCE_PRECISION_HINT": settings.dtype}
    if settings.threads:
        wanted["INFERENCE_NUM_THREADS"] = settings.threads
    return {"load_config": json.dumps({"CPU": wanted})}


PLUGINS = {
    OPENVINO: Plugin("onnxruntime-ep-openvino", "onnxruntime_ep_openvino", "CPU", openvino_options),
    TENSORRT_RTX: Plugin(
        "onnxruntime-ep-nv-tensorrt-rtx",
        "onnxruntime_ep_nv_tensorrt_rtx",
        "GPU",
        lambda settings: {},
    ),
}


def add_plugin(options: SessionOptions, device: Device, settings: Settings) -> None:
    """Ask for a plugin in the options of a session; raises `MachineError` without it."""
    plugin = PLUGINS[device.provider]
    options.add_provider_for_devices(devices(device), plugin.options(settings))


def devices(device: Device) -> list[Any]:
    """What ONNX Runtime has of a plugin's devices; raises `MachineError` where that is nothing."""
    import onnxruntime as ort  # which may be what the doctor finds broken

    plugin = PLUGINS[device.provider]
    if not hasattr(ort, "register_execution_provider_library"):
        raise missing(device, f"ONNX Runtime {ort.__version__} takes no plugins", "update it")
    if not plugin.is_here:
        why = f"the package {plugin.package} is not installed"
        raise missing(device, why, f"pip install {plugin.package}")
    try:
        register(plugin.module)
    except Exception as error:  # what a library that does not load says arrives in several kinds
        why = f"it does not load: {first_line(error)}"
        raise missing(device, why, f"pip install --upgrade {plugin.package}") from None
    wanted = getattr(ort.OrtHardwareDeviceType, plugin.hardware)
    found = [
        d for d in ort.get_ep_devices() if d.ep_name == device.provider and d.device.type == wanted
    ]
    if not found:
        why = f"it sees no {plugin.hardware} that it could use"
        raise missing(device, why, f"it serves some makers' {plugin.hardware}s only")
    return found[:1]


@cache
def register(module: str) -> None:
    """Make a plugin's library known to ONNX Runtime, which takes each but once."""
    import onnxruntime as ort

    ort.register_execution_provider_library(module, import_module(module).get_library_path())


def missing(device: Device, why: str, remedy: str) -> MachineError:
    """The error of a plugin that cannot be had."""
    return MachineError(
        f"{device} cannot be had: {why}",
        f"{remedy}; or --device cpu (`netc doctor` looks at everything)",
    )
