"""What `netc doctor` finds, on machines that are described to it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType

import pytest
from click.testing import CliRunner

import runtime.doctor
from netc.main import main
from runtime.devices import CPU, CUDA, PLUGGED, TENSORRT, Device
from runtime.doctor import Finding, examine
from runtime.libraries import Library, look_for, wanted_libraries
from runtime.machine import Driver, Processor, processor, runtime_packages
from runtime.probe import Probe
from tests.runtime.fakes import ABSENT, WORKING


@dataclass
class Described:
    """The machine that the doctor sees."""

    packages: dict[str, str] = field(default_factory=lambda: {"onnxruntime-gpu": "1.31.1"})
    driver: Driver = WORKING
    processor: Processor = field(
        default_factory=lambda: Processor("CPU", 8, ("avx2", "avx512_vnni"))
    )
    missing: tuple[str, ...] = ()
    others: tuple[str, ...] = ()
    failing: dict[str, str] = field(default_factory=dict)


class Runtime:
    """What stands for the module onnxruntime."""

    cuda_version = "13.0"

    @staticmethod
    def get_available_providers() -> list[str]:
        return [TENSORRT, CUDA, CPU]


@pytest.fixture
def seen(monkeypatch: pytest.MonkeyPatch) -> Iterator[Described]:
    described = Described()

    def look(name: str, major: str) -> Library:
        gone = name in described.missing
        return Library(name, major, "" if gone else f"/lib{name}", described.others if gone else ())

    def probe(device: Device) -> Probe:
        why = described.failing.get(device.kind, "")
        return Probe(not why, why)

    monkeypatch.setattr(runtime.doctor, "runtime_packages", lambda: described.packages)
    monkeypatch.setattr(runtime.doctor, "driver", lambda: described.driver)
    monkeypatch.setattr(runtime.doctor, "processor", lambda: described.processor)
    monkeypatch.setattr(runtime.doctor, "look_for", look)
    monkeypatch.setattr(runtime.doctor, "probe", probe)
    monkeypatch.setattr(runtime.doctor, "import_module", lambda name: Runtime)
    yield described


def wrong() -> list[Finding]:
    return [finding for finding in examine() if finding.state == "wrong"]


def test_a_machine_where_all_is_well(seen: Described) -> None:
    findings = examine()
    plugged = {f"on {kind}" for kind in PLUGGED}  # which nobody needs
    assert {f.state for f in findings if f.topic not in plugged} == {"ok"}
    text = "\n".join(f"{f.topic}: {f.text}" for f in findings)
    assert "cuda:0 NVIDIA H100 (80 GiB, compute capability 9.0)" in text
    assert "on cuda: CUDAExecutionProvider works" in text
    assert "onnxruntime-gpu 1.31.1" in text and "Python 3." in text


def test_two_packages_that_overwrite_each_other(seen: Described) -> None:
    seen.packages = {"onnxruntime": "1.30.0", "onnxruntime-gpu": "1.31.1"}
    (found,) = wrong()
    assert "onnxruntime and onnxruntime-gpu" in found.text
    remedy = "pip uninstall -y onnxruntime onnxruntime-gpu, then pip install onnxruntime-gpu"
    assert found.remedy == remedy


def test_missing_cudnn_is_named(seen: Described) -> None:
    seen.missing = ("cudnn",)
    seen.failing = {"cuda": "libcudnn.so.9: cannot open shared object file"}
    libraries, provider = wrong()
    assert "missing: cudnn 9" in libraries.text and ".[cuda]" in libraries.remedy
    assert "libcudnn.so.9: cannot open" in provider.text


def test_cuda_of_another_major_version_is_shown(seen: Described) -> None:
    seen.missing = ("cublas", "cublasLt")
    seen.others = ("/usr/local/cuda/lib64/libcublas.so.12",)
    (found,) = wrong()
    assert "wants CUDA 13.0" in found.text
    assert "of another version: /usr/local/cuda/lib64/libcublas.so.12" in found.text


def test_a_driver_too_old_for_this_onnx_runtime(seen: Described) -> None:
    seen.driver = Driver("535.1", (12, 2), WORKING.gpus)
    (found,) = wrong()
    assert "serves CUDA up to 12.2, ONNX Runtime wants 13.0" in found.text


def test_a_driver_that_does_not_start(seen: Described) -> None:
    seen.driver = Driver(problem="the NVIDIA driver does not start: unknown error")
    assert wrong()[0].topic == "driver"


def test_a_machine_without_a_gpu_is_not_ill(seen: Described) -> None:
    seen.driver = ABSENT
    seen.missing = ("cudnn", "cublas")
    seen.failing = {"cuda": "no library", "tensorrt": "no library"}
    assert wrong() == []


def test_tensorrt_may_be_missing(seen: Described) -> None:
    seen.failing = {"tensorrt": "libnvinfer.so.10: cannot open shared object file"}
    assert wrong() == []
    assert any("libnvinfer.so.10" in f.text and f.remedy for f in examine())


@pytest.mark.parametrize("kind", [ImportError, OSError, RuntimeError])
def test_an_onnx_runtime_that_cannot_be_imported(
    seen: Described, monkeypatch: pytest.MonkeyPatch, kind: type[Exception]
) -> None:
    def broken(name: str) -> None:
        raise kind("undefined symbol: x")

    monkeypatch.setattr(runtime.doctor, "import_module", broken)
    (found,) = wrong()
    assert "undefined symbol" in found.text
    assert found.remedy == "pip install --force-reinstall onnxruntime-gpu"


def test_what_uninstalling_one_of_two_packages_leaves_is_found(
    seen: Described, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runtime.doctor, "import_module", lambda name: ModuleType(name))
    (finding,) = wrong()
    assert finding.topic == "on cpu" and "its files are gone" in finding.text
    assert finding.remedy == "pip install --force-reinstall onnxruntime-gpu"


def test_a_processor_without_int8_products_is_told(seen: Described) -> None:
    seen.processor = Processor("old", 4, ("avx2",))
    assert any("--reduce-range" in f.remedy for f in examine())


@pytest.mark.parametrize(("state", "code"), [("ok", 0), ("ill", 3)])
def test_exit_code_and_json(seen: Described, state: str, code: int) -> None:
    if state == "ill":
        seen.packages = {"onnxruntime": "1", "onnxruntime-gpu": "1"}
    result = CliRunner().invoke(main, ["doctor", "--format", "json"])
    assert result.exit_code == code
    said = json.loads(result.stdout)
    assert said["ok"] is (code == 0)
    assert {"topic", "state", "text", "remedy"} == set(said["findings"][0])
    plain = CliRunner().invoke(main, ["doctor"])
    assert plain.exit_code == code
    assert ("help: pip uninstall" in plain.output) is (state == "ill")


def test_the_libraries_wanted_follow_the_cuda_version() -> None:
    assert ("cufft", "12") in wanted_libraries("13.0")
    assert ("cufft", "11") in wanted_libraries("12.8")
    assert ("cudnn", "9") in wanted_libraries("12.8")
    assert ("nvinfer", "10") in wanted_libraries("13.0", tensorrt=True)


def test_libraries_are_found_by_name_and_major_version(tmp_path: Path) -> None:
    for name in ("libcublas.so.12", "libcublas.so.12.6.4", "libcublasLt.so.13", "cublas64_12.dll"):
        (tmp_path / name).touch()
    assert look_for("cublasLt", "13", [tmp_path]).path == str(tmp_path / "libcublasLt.so.13")
    found = look_for("cublas", "13", [tmp_path])
    assert found.path == ""
    assert len(found.others) == 3 and all("cublasLt" not in path for path in found.others)


def test_this_machine_has_a_processor_and_one_onnx_runtime() -> None:
    assert processor().cores >= 1 and processor().name
    assert len(runtime_packages()) == 1
