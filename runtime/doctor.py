"""What this machine can do for netc, what is wrong with it, and what would help."""

from __future__ import annotations

import platform
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from typing import Literal

from runtime.devices import CPU, CUDA, OPENVINO, PLUGGED, PROVIDERS, TENSORRT, Device
from runtime.libraries import look_for, wanted_libraries
from runtime.machine import Driver, Processor, driver, processor, runtime_packages, usual_package
from runtime.plugins import PLUGINS
from runtime.probe import probe

State = Literal["ok", "note", "wrong"]
LIBRARIES = ("numpy", "onnx", "onnxruntime", "networkx", "lark", "safetensors", "pillow")
INT8_FEATURES = {"avx512_vnni", "avx_vnni", "amx_int8", "asimddp", "i8mm"}


@dataclass(frozen=True)
class Finding:
    """One thing looked at: `ok`, a `note` (it is not there, nothing is broken), or `wrong`."""

    topic: str
    state: State
    text: str
    remedy: str = ""


def examine() -> list[Finding]:
    """Everything, in the order in which one would look."""
    packages, found = runtime_packages(), driver()
    looked = [
        *python_and_libraries(packages),
        wheels(packages),
        cpu(processor()),
        nvidia(found),
    ]
    try:
        ort = import_module("onnxruntime")
        there = ort.get_available_providers()
    except ImportError as error:
        return [*looked, lacking(str(error), packages)]
    except AttributeError:  # uninstalling one of two packages leaves the folder and no module
        return [*looked, lacking("the package is there, but its files are gone", packages)]
    except Exception as error:  # a broken installation may raise anything while it is imported
        return [*looked, lacking(f"{type(error).__name__}: {error}", packages)]
    built = getattr(ort, "cuda_version", "") if CUDA in there else ""
    return [*looked, *cuda_libraries(built, found), *providers(there, found)]


def lacking(why: str, packages: dict[str, str]) -> Finding:
    """That ONNX Runtime cannot be used at all."""
    package = next(iter(packages), usual_package())
    return Finding(
        "on cpu", "wrong", f"ONNX Runtime: {why}", f"pip install --force-reinstall {package}"
    )


def python_and_libraries(packages: dict[str, str]) -> Iterator[Finding]:
    """Versions."""
    where = f"Python {platform.python_version()} on {platform.platform()}"
    yield Finding("python", "ok", where)
    versions = []
    for name in LIBRARIES:
        try:
            versions.append(f"{name} {version(name)}")
        except PackageNotFoundError:
            if name != "onnxruntime":
                yield Finding(
                    "libraries", "wrong", f"{name} is not installed", f"pip install {name}"
                )
    versions += [f"{n} {v}" for n, v in packages.items() if n != "onnxruntime"]
    yield Finding("libraries", "ok", ", ".join(versions))


def wheels(packages: dict[str, str]) -> Finding:
    """Whether exactly one package provides the module `onnxruntime`."""
    if len(packages) == 1:
        return Finding("wheels", "ok", "one ONNX Runtime package: " + next(iter(packages)))
    names = " ".join(packages)
    if not packages:
        return Finding("wheels", "note", "no ONNX Runtime package is installed by pip")
    keep = "onnxruntime-gpu" if "onnxruntime-gpu" in packages else next(iter(packages))
    return Finding(
        "wheels",
        "wrong",
        f"{len(packages)} ONNX Runtime packages overwrite each other: {' and '.join(packages)}",
        f"pip uninstall -y {names}, then pip install {keep}",
    )


def cpu(found: Processor) -> Finding:
    """The processor, and whether int8 is fast on it."""
    text = f"{found.name}, {found.cores} cores"
    if not found.features:
        return Finding("cpu", "note", f"{text}; its features cannot be read on {sys.platform}")
    text += ": " + " ".join(found.features)
    if not INT8_FEATURES & set(found.features):
        return Finding(
            "cpu",
            "note",
            f"{text}; no int8 dot products",
            "quantize with --reduce-range: faster here",
        )
    return Finding("cpu", "ok", text)


def nvidia(found: Driver) -> Finding:
    """The driver and its GPUs."""
    if found.problem:
        broken = "start" in found.problem
        return Finding(
            "driver",
            "wrong" if broken else "note",
            found.problem,
            "install the NVIDIA driver that fits the kernel" if broken else "",
        )
    gpus = ", ".join(
        f"cuda:{index} {gpu.name} ({gpu.memory / 2**30:.0f} GiB, compute capability "
        f"{gpu.capability[0]}.{gpu.capability[1]})"
        for index, gpu in enumerate(found.gpus)
    )
    state: State = "ok" if found.gpus else "note"
    return Finding("driver", state, f"{found}; {gpus or 'no GPU'}")


def cuda_libraries(built: str, found: Driver) -> Iterator[Finding]:
    """CUDA and cuDNN as an ONNX Runtime built for CUDA `built` wants them."""
    if not built:
        yield Finding("cuda", "note", "this ONNX Runtime was built without CUDA")
        return
    major = int(built.partition(".")[0])
    gpu = bool(found.gpus)
    if gpu and found.cuda[0] < major:
        yield Finding(
            "cuda",
            "wrong",
            f"the driver serves CUDA up to {found.cuda[0]}.{found.cuda[1]}, "
            f"ONNX Runtime wants {built}",
            f"update the driver, or install an onnxruntime-gpu for CUDA {found.cuda[0]}",
        )
    looked = [look_for(name, wanted) for name, wanted in wanted_libraries(built)]
    missing = [library for library in looked if not library.path]
    if not missing:
        yield Finding("cuda", "ok", "found " + ", ".join(map(str, looked)))
        return
    other = [path for library in missing for path in library.others]
    text = f"ONNX Runtime wants CUDA {built}; missing: {', '.join(map(str, missing))}"
    if other:
        text += f"; of another version: {', '.join(other[:4])}"
    remedy = "pip install '.[cuda]' in a checkout of netc"
    yield Finding("cuda", "wrong", text, remedy) if gpu else Finding("cuda", "note", text)


def providers(there: Sequence[str], found: Driver) -> Iterator[Finding]:
    """Each provider of this ONNX Runtime, and each plugin, tried on a small convolution."""
    for kind, name in PROVIDERS.items():
        if kind in PLUGGED:
            package, is_here = PLUGINS[name].package, PLUGINS[name].is_here
            if not is_here:
                yield Finding(f"on {kind}", "note", f"pip install {package} would bring it")
                continue
        elif name not in there:
            yield Finding(f"on {kind}", "note", f"{name} is not in this ONNX Runtime")
            continue
        tried = probe(Device(kind))
        if tried.ok:
            yield Finding(f"on {kind}", "ok", f"{name} works")
            continue
        usable = name in (CPU, OPENVINO) or (bool(found.gpus) and name != TENSORRT)
        yield Finding(
            f"on {kind}",
            "wrong" if usable else "note",
            f"{name} does not load: {tried.reason}",
            "pip install tensorrt" if name == TENSORRT and found.gpus else "",
        )
