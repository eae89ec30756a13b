"""The CUDA libraries that ONNX Runtime's provider loads, and whether they are to be found."""

from __future__ import annotations

import ctypes
import os
import re
import site
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

SYSTEM_FOLDERS = (
    *("/usr/local/cuda/lib64", "/usr/lib/x86_64-linux-gnu", "/usr/lib/aarch64-linux-gnu"),
    *("/usr/lib64", "/usr/lib", "/usr/local/lib"),
)


@dataclass(frozen=True)
class Library:
    """One library: its name without version, the major version wanted, where it was found.

    `others` are files of the same library with another major version.
    """

    name: str
    major: str
    path: str = ""
    others: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"{self.name} {self.major}"


def wanted_libraries(cuda: str, tensorrt: bool = False) -> list[tuple[str, str]]:
    """Names and major versions for a provider built for CUDA `cuda`, such as 13.0."""
    major = cuda.partition(".")[0]
    fft = "12" if int(major) >= 13 else "11"
    found = [(name, major) for name in ("cudart", "cublasLt", "cublas", "nvrtc")]
    found += [("cufft", fft), ("curand", "10"), ("cudnn", "9")]
    return [*found, ("nvinfer", "10"), ("nvonnxparser", "10")] if tensorrt else found


def look_for(name: str, major: str, folders: Iterable[Path] | None = None) -> Library:
    """Find a library in Python's NVIDIA packages, the loader's folders and the usual places."""
    places = list(folders if folders is not None else search_folders())
    right, others = "", []
    for folder in places:
        for path in sorted(folder.glob(f"*{name}*")):
            version = version_of(path.name, name)
            if version == major:
                right = right or str(path)
            elif version:
                others.append(str(path))
    if not right and folders is None and loads(file_name(name, major)):
        right = file_name(name, major)
    return Library(name, major, right, tuple(others))


def file_name(name: str, major: str) -> str:
    """What the loader is asked for."""
    return f"{name}64_{major}.dll" if sys.platform == "win32" else f"lib{name}.so.{major}"


def version_of(file: str, name: str) -> str:
    """The major version in a library's file name; empty when it is another library."""
    found = re.fullmatch(rf"lib{name}\.so\.(\d+)(\.\d+)*|{name}64_(\d+)\d*\.dll", file)
    return (found.group(1) or found.group(3) or "") if found else ""


def loads(file: str) -> bool:
    """Whether the system's loader finds a library by its name."""
    try:
        ctypes.CDLL(file)
    except OSError:
        return False
    return True


def search_folders() -> Iterator[Path]:
    """Where CUDA libraries usually lie, without repetition."""
    variable = "PATH" if sys.platform == "win32" else "LD_LIBRARY_PATH"
    given = [Path(p) for p in os.environ.get(variable, "").split(os.pathsep) if p]
    packages = [Path(p) / "nvidia" for p in [*site.getsitepackages(), *sys.path] if p]
    inside = [f for p in dict.fromkeys(packages) for f in (*p.glob("*/lib"), *p.glob("*/bin/**"))]
    yield from dict.fromkeys([*inside, *given, *map(Path, SYSTEM_FOLDERS)])
