"""What this machine is: processor, NVIDIA driver and GPUs, the installed ONNX Runtime packages."""

from __future__ import annotations

import ctypes
import os
import platform
import re
import sys
from dataclasses import dataclass
from importlib.metadata import distributions
from pathlib import Path

CPU_FEATURES = (
    *("avx2", "fma", "f16c", "avx512f", "avx512_vnni", "avx512_bf16", "avx_vnni"),
    *("amx_tile", "amx_int8", "amx_bf16", "asimd", "asimdhp", "asimddp", "i8mm", "bf16", "sve"),
)
NO_DRIVER = "no NVIDIA driver was found"
DEVICE_ATTRIBUTES = (75, 76)  # CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR and _MINOR


@dataclass(frozen=True)
class Processor:
    """The CPU: its name, how many cores this process may use, features that speed kernels up."""

    name: str
    cores: int
    features: tuple[str, ...]


@dataclass(frozen=True)
class Gpu:
    """One GPU: name, memory in bytes, compute capability."""

    name: str
    memory: int
    capability: tuple[int, int]


@dataclass(frozen=True)
class Driver:
    """The NVIDIA driver: its version, the newest CUDA that it serves, its GPUs.

    `problem` says why there is none, or why it does not work; then the rest is empty.
    """

    version: str = ""
    cuda: tuple[int, int] = (0, 0)
    gpus: tuple[Gpu, ...] = ()
    problem: str = ""

    def __str__(self) -> str:
        if self.problem:
            return self.problem
        return f"{self.version or 'present'}, for CUDA up to {self.cuda[0]}.{self.cuda[1]}"


def processor() -> Processor:
    """The CPU of this machine; features are read on Linux only."""
    info = Path("/proc/cpuinfo")
    text = info.read_text(errors="replace") if info.is_file() else ""
    named = re.search(r"^(?:model name|Model)\s*:\s*(.+)$", text, re.MULTILINE)
    flags = re.search(r"^(?:flags|Features)\s*:\s*(.+)$", text, re.MULTILINE)
    present = set(flags.group(1).split()) if flags else set()
    name = named.group(1).strip() if named else platform.processor() or platform.machine()
    return Processor(name, usable_cores(), tuple(f for f in CPU_FEATURES if f in present))


def usable_cores() -> int:
    """How many cores this process may run on."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def runtime_packages() -> dict[str, str]:
    """The installed distributions that hold the module `onnxruntime`, with their versions."""
    found = {}
    for distribution in distributions():
        name = (distribution.metadata["Name"] or "").lower().replace("_", "-")
        if (name == "onnxruntime" or name.startswith(("onnxruntime-", "ort-"))) and any(
            file.parts[:1] == ("onnxruntime",) for file in distribution.files or ()
        ):
            found[name] = distribution.version
    return found


def usual_package() -> str:
    """The package of ONNX Runtime that netc depends on here: with CUDA where there is one."""
    on_x86 = platform.machine().lower() in ("x86_64", "amd64")
    with_cuda = on_x86 and sys.platform in ("linux", "win32")
    return "onnxruntime-gpu" if with_cuda else "onnxruntime"


def driver() -> Driver:
    """The NVIDIA driver, asked through its own library; nothing is loaded besides."""
    try:
        cuda = ctypes.CDLL("nvcuda.dll" if sys.platform == "win32" else "libcuda.so.1")
    except OSError:
        return Driver(problem=NO_DRIVER)
    status = cuda.cuInit(0)
    if status != 0:
        return Driver(problem=f"the NVIDIA driver does not start: {error_text(cuda, status)}")
    version, count = ctypes.c_int(0), ctypes.c_int(0)
    cuda.cuDriverGetVersion(ctypes.byref(version))
    cuda.cuDeviceGetCount(ctypes.byref(count))
    return Driver(
        driver_version(),
        (version.value // 1000, version.value % 1000 // 10),
        tuple(gpu(cuda, index) for index in range(count.value)),
    )


def error_text(cuda: ctypes.CDLL, status: int) -> str:
    """What the driver says of an error number."""
    text = ctypes.c_char_p()
    cuda.cuGetErrorString(status, ctypes.byref(text))
    return text.value.decode() if text.value else f"error {status}"


def gpu(cuda: ctypes.CDLL, index: int) -> Gpu:
    """One GPU of the driver."""
    handle, memory = ctypes.c_int(0), ctypes.c_size_t(0)
    name = ctypes.create_string_buffer(128)
    cuda.cuDeviceGet(ctypes.byref(handle), index)
    cuda.cuDeviceGetName(name, len(name), handle)
    cuda.cuDeviceTotalMem_v2(ctypes.byref(memory), handle)
    numbers = []
    for attribute in DEVICE_ATTRIBUTES:
        value = ctypes.c_int(0)
        cuda.cuDeviceGetAttribute(ctypes.byref(value), attribute, handle)
        numbers.append(value.value)
    return Gpu(name.value.decode(), memory.value, (numbers[0], numbers[1]))


def driver_version() -> str:
    """The driver's own version through NVML, such as 580.65.06; empty where NVML is missing."""
    try:
        nvml = ctypes.CDLL("nvml.dll" if sys.platform == "win32" else "libnvidia-ml.so.1")
    except OSError:
        return ""
    text = ctypes.create_string_buffer(96)
    if nvml.nvmlInit_v2() != 0:
        return ""
    nvml.nvmlSystemGetDriverVersion(text, len(text))
    nvml.nvmlShutdown()
    return text.value.decode()
