"""What ONNX Runtime is asked for on each device, and what is said when it cannot be had."""

from __future__ import annotations

from typing import Any

import onnxruntime as ort

from runtime.devices import CPU, CUDA, NUMBERED, PLUGGED, TENSORRT, Device
from runtime.errors import MachineError
from runtime.machine import Driver, driver, runtime_packages
from runtime.plugins import PLUGINS
from runtime.settings import Settings

VERSION: str = ort.__version__
TENSOR_CORES = (7, 0)  # the first compute capability whose float16 convolutions prefer NHWC


def providers_for(device: Device, settings: Settings, found: Driver) -> list[tuple[str, Any]]:
    """The providers of a session in order of preference, with their options."""
    cpu: tuple[str, Any] = (CPU, {})
    if device.kind == "cpu":
        return [cpu]
    cuda = (CUDA, cuda_options(device, settings, found))
    if device.kind == "cuda":
        return [cuda, cpu]
    tensorrt = {
        "device_id": str(device.index),
        "trt_fp16_enable": str(int(settings.dtype == "f16")),
        "trt_bf16_enable": str(int(settings.dtype == "bf16")),
        "trt_cuda_graph_enable": str(int(settings.capture)),
    }
    return [(TENSORRT, tensorrt), cuda, cpu]


def cuda_options(device: Device, settings: Settings, found: Driver) -> dict[str, str]:
    """The options of the CUDA provider.

    The exhaustive search times every algorithm for each new shape, so it is for fixed shapes only.
    Channels-last convolutions help where tensor cores take float16; the provider has none for
    bfloat16, and in exact float32 they only add transposes.
    """
    capability = found.gpus[device.index].capability if device.index < len(found.gpus) else (0, 0)
    nhwc = settings.dtype == "f16" and capability >= TENSOR_CORES
    return {
        "device_id": str(device.index),
        "use_tf32": str(int(not settings.exact)),
        "cudnn_conv_algo_search": "EXHAUSTIVE" if settings.fixed else "HEURISTIC",
        "prefer_nhwc": str(int(nhwc)),
        "enable_cuda_graph": str(int(settings.capture and device.kind == "cuda")),
    }


def devices_here() -> list[Device]:
    """Every device that this machine has, besides the interpreter."""
    gpus = [Device(kind) for kind in NUMBERED] if driver().gpus else []
    built_in = [device for device in gpus if device.provider in ort.get_available_providers()]
    plugged = [Device(kind) for kind, name in PLUGGED.items() if PLUGINS[name].is_here]
    return [Device("cpu"), *built_in, *plugged]


def require(device: Device) -> Driver:
    """The NVIDIA driver, for a GPU device that can be had; raises `MachineError`."""
    packages = runtime_packages()
    if device.provider not in ort.get_available_providers():
        remedy = "pip install '.[cuda]' in a checkout of netc (Linux x86-64 or Windows)"
        if len(packages) > 1:
            remedy = f"pip uninstall -y {' '.join(packages)}, then {remedy}: they share one folder"
        raise cannot(device, f"this ONNX Runtime has no {device.provider}", remedy)
    found = driver()
    if found.problem:
        raise cannot(
            device,
            found.problem,
            "where there is an NVIDIA GPU, install or repair its driver (nvidia-smi must work)",
        )
    if device.index >= len(found.gpus):
        there = ", ".join(f"cuda:{i} ({gpu.name})" for i, gpu in enumerate(found.gpus))
        raise cannot(device, f"the driver sees {there or 'no GPU'}", "choose one of these")
    return found


def cannot(device: Device, why: str, remedy: str, *notes: str) -> MachineError:
    """The error of a device that cannot be had: why, what there is, what would help."""
    lines = [f"{device} cannot be had: {why}", *notes, *versions()]
    return MachineError(
        "\n  = ".join(lines), f"{remedy}; or --device cpu (`netc doctor` looks at everything)"
    )


def versions() -> list[str]:
    """ONNX Runtime, its providers and the NVIDIA driver, a line each."""
    packages = " and ".join(f"{n} {v}" for n, v in runtime_packages().items())
    built = getattr(ort, "cuda_version", "")
    return [
        f"ONNX Runtime {ort.__version__} ({packages or 'no package'}"
        + (f", for CUDA {built})" if built else ")"),
        "its providers: " + ", ".join(ort.get_available_providers()),
        f"NVIDIA driver: {driver()}",
    ]
