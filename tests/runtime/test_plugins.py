"""Engines in packages of their own: a stand-in for one, and OpenVINO where it is installed."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import onnxruntime as ort
import pytest

import netc as package
from runtime.devices import CPU, OPENVINO, Device, parse_device
from runtime.doctor import providers
from runtime.errors import CallError, MachineError
from runtime.machine import Driver
from runtime.plugins import PLUGINS, Plugin, add_plugin, devices, openvino_options, register
from runtime.probe import Probe, probe, reason
from runtime.settings import Settings
from runtime.verify.tolerance import tolerance
from tests.netc.command import netc

NET = "net n { input x: f32[2, 6, 6]; conv(3, 3x3) as c -> relu -> gap -> flatten; output y }"
installed = pytest.mark.skipif(
    find_spec("onnxruntime_ep_openvino") is None or not probe(Device("openvino")).ok,
    reason="OpenVINO's plugin is not installed, or does not serve this processor",
)


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Any]]:
    """A plugin whose library is none; what is asked of it is kept."""
    asked: list[Any] = []
    module = ModuleType("fake_plugin")
    module.__dict__["get_library_path"] = lambda: "libfake.so"
    module.__spec__ = SimpleNamespace(name="fake_plugin", loader=None)  # type: ignore[assignment]
    monkeypatch.setitem(sys.modules, "fake_plugin", module)
    plugin = Plugin("pip-name", "fake_plugin", "CPU", openvino_options)
    monkeypatch.setitem(PLUGINS, OPENVINO, plugin)
    cpu = SimpleNamespace(type=ort.OrtHardwareDeviceType.CPU)
    found = [
        SimpleNamespace(ep_name=name, device=cpu) for name in (CPU, OPENVINO, f"{OPENVINO}.AUTO")
    ]
    monkeypatch.setattr(ort, "get_ep_devices", lambda: found)
    monkeypatch.setattr(
        ort, "register_execution_provider_library", lambda *call: asked.append(call)
    )
    register.cache_clear()
    yield asked
    register.cache_clear()


def test_a_plugin_is_registered_once(fake: list[Any]) -> None:
    first, again = devices(Device("openvino")), devices(Device("openvino"))
    assert [d.ep_name for d in first] == [OPENVINO] and first == again
    assert fake == [("fake_plugin", "libfake.so")]


@pytest.mark.parametrize("dtype", ["f32", "bf16", "f16"])
def test_the_engine_is_held_to_the_precision_of_the_net(fake: list[Any], dtype: str) -> None:
    options = SimpleNamespace(add_provider_for_devices=lambda *call: fake.append(call))
    add_plugin(options, Device("openvino"), Settings(dtype=dtype, threads=3))
    ((found,), asked) = fake[-1]
    assert found.ep_name == OPENVINO
    wanted = {"CPU": {"INFERENCE_PRECISION_HINT": dtype, "INFERENCE_NUM_THREADS": 3}}
    assert json.loads(asked["load_config"]) == wanted


def test_a_library_that_does_not_load(fake: list[Any], monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*call: str) -> None:
        raise RuntimeError("libtbb.so: no such file\nmore")

    monkeypatch.setattr(ort, "register_execution_provider_library", broken)
    with pytest.raises(MachineError, match=r"it does not load: libtbb.so: no such file$"):
        devices(Device("openvino"))


def test_a_plugin_that_sees_no_hardware(fake: list[Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ort, "get_ep_devices", list)
    with pytest.raises(MachineError, match="openvino cannot be had: it sees no CPU") as refusal:
        devices(Device("openvino"))
    assert "pip install" not in refusal.value.remedy  # which it is
    said = f"Traceback\nruntime.errors.MachineError: {refusal.value}\n"
    assert reason(said) == "it sees no CPU that it could use"


def test_what_does_not_work_is_left_out_of_all(
    fake: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("netc.timing.probe", lambda device: Probe(False, "it sees no CPU"))
    result = netc("bench", "lenet5", "--net", "lenet5", "--devices", "all", "--seconds", "0.05")
    assert result.exit_code == 0, result.output
    assert "note: openvino is left out: it sees no CPU\n" in result.output
    assert "lenet5 on cpu (" in result.output


@pytest.mark.parametrize("kind", ["openvino", "tensorrt-rtx"])
def test_what_is_not_installed_ends_with_code_3(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    provider = Device(kind).provider
    plugin = Plugin("its-package", "no_such_module", "CPU", openvino_options)
    monkeypatch.setitem(PLUGINS, provider, plugin)
    result = netc("run", "lenet5", "--net", "lenet5", "--random", "--device", kind)
    assert result.exit_code == 3
    assert f"{kind} cannot be had: the package its-package is not installed" in result.output
    assert "pip install its-package; or --device cpu" in result.output
    notes = {f.topic: f for f in providers([CPU], Driver(problem="none"))}
    assert notes[f"on {kind}"].state == "note" and "its-package" in notes[f"on {kind}"].text


def test_plugins_have_no_numbers() -> None:
    with pytest.raises(CallError, match="there is no device openvino:1"):
        parse_device("openvino:1")


def test_openvino_is_held_to_what_a_processor_is() -> None:
    assert tolerance("openvino") == tolerance("cpu")


@installed
def test_openvino_gives_the_same_numbers_and_says_where() -> None:
    net = package.loads(NET)
    x = np.random.default_rng(0).normal(size=(3, 2, 6, 6)).astype(np.float32)
    ours, plain = (net.run({"x": x}, device=d)["y"] for d in ("openvino", "cpu"))
    np.testing.assert_allclose(ours, plain, rtol=1e-5, atol=1e-6)
    found = net.verify(device="openvino")
    assert found.nodes == 4 and not found.failures
