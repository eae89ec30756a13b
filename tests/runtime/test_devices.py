"""The device that was asked for, or an error: every way in which ONNX Runtime falls back."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from click.testing import CliRunner, Result
from onnx import TensorProto, helper, numpy_helper

import runtime.session
from netc.main import main
from runtime.devices import CPU, CUDA, TENSORRT, Device, parse_device
from runtime.errors import CallError, MachineError
from runtime.machine import Driver, Gpu
from runtime.models import write_model
from runtime.probe import Probe, probe, reason
from runtime.session import Model, RunError, open_session
from runtime.settings import Settings
from runtime.verify.tolerance import tolerance
from tests.define import define
from tests.runtime.fakes import ABSENT, H100, WORKING, Part, machine

NET = "net n() { input x: f32[3, 8, 8]; conv(4, 3x3) as c -> relu -> gap -> flatten; output y }"


def netc(*arguments: str) -> Result:
    return CliRunner().invoke(main, arguments)


@pytest.fixture(autouse=True)
def no_probing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is tried on the machine that the tests run on."""
    found = Probe(False, "libcudnn.so.9: cannot open shared object file")
    monkeypatch.setattr("runtime.session.probe", lambda device: found)


@pytest.mark.parametrize(
    ("text", "device"),
    [
        ("cpu", Device("cpu")),
        ("cuda", Device("cuda", 0)),
        ("cuda:1", Device("cuda", 1)),
        ("tensorrt:2", Device("tensorrt", 2)),
        ("numpy", Device("numpy")),
    ],
)
def test_a_device_is_a_kind_and_a_number(text: str, device: Device) -> None:
    assert parse_device(text) == device
    assert str(device) == text


@pytest.mark.parametrize("text", ["gpu", "cpu:0", "cuda:", "cuda:x", "cuda:-1", "numpy:1", ""])
def test_what_is_no_device_is_refused_with_those_that_are(text: str) -> None:
    with pytest.raises(CallError, match="auto, cpu, cuda, tensorrt, openvino, tensorrt-rtx, numpy"):
        parse_device(text)


def test_cuda_runs_on_cuda_and_on_the_gpu_that_was_asked_for() -> None:
    with machine(driver=Driver("580", (13, 0), (H100, H100))) as fake:
        session = open_session(b"", "cuda:1")
    assert session.device == "cuda:1"
    (providers,) = fake.opened
    assert [name for name, _ in providers] == [CUDA, CPU]
    assert providers[0][1]["device_id"] == "1"


def test_tensorrt_has_cuda_and_the_cpu_behind_it() -> None:
    with machine(parts=[Part(TENSORRT, [("all", "TRTKernel")])]) as fake:
        assert open_session(b"", "tensorrt").device == "tensorrt"
    assert [name for name, _ in fake.opened[0]] == [TENSORRT, CUDA, CPU]


@pytest.mark.parametrize("device", ["cuda", "tensorrt"])
def test_a_missing_provider_is_an_error_that_tells_what_there_is(device: str) -> None:
    with machine(available=[CPU]), pytest.raises(MachineError) as caught:
        open_session(b"", device)
    said = str(caught.value)
    assert f"this ONNX Runtime has no {parse_device(device).provider}" in said
    assert "its providers: CPUExecutionProvider" in said
    assert "ONNX Runtime 1." in said and "NVIDIA driver: 580.65, for CUDA up to 13.0" in said
    assert ".[cuda]" in caught.value.remedy and "--device cpu" in caught.value.remedy


def test_two_packages_of_onnx_runtime_are_the_remedy_of_a_missing_provider(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    both = {"onnxruntime": "1.31.1", "onnxruntime-gpu": "1.31.1"}
    monkeypatch.setattr("runtime.providers.runtime_packages", lambda: both)
    with machine(available=[CPU]), pytest.raises(MachineError) as caught:
        open_session(b"", "cuda")
    assert "pip uninstall -y onnxruntime onnxruntime-gpu" in caught.value.remedy


def test_a_missing_driver_is_an_error() -> None:
    with machine(driver=ABSENT), pytest.raises(MachineError, match="no NVIDIA driver was found"):
        open_session(b"", "cuda")


def test_a_gpu_that_is_not_there_is_an_error_with_those_that_are() -> None:
    with machine(), pytest.raises(MachineError, match=r"sees cuda:0 \(NVIDIA H100\)"):
        open_session(b"", "cuda:3")


def test_a_provider_that_did_not_start_is_an_error_with_its_reason() -> None:
    with machine(in_use=[CPU]), pytest.raises(MachineError) as caught:
        open_session(b"", "cuda")
    assert "ONNX Runtime fell back to CPUExecutionProvider" in str(caught.value)
    assert "libcudnn.so.9: cannot open shared object file" in str(caught.value)


def test_tensorrt_that_became_cuda_is_an_error() -> None:
    with machine(in_use=[CUDA, CPU]), pytest.raises(MachineError, match="fell back to CUDA"):
        open_session(b"", "tensorrt")


def test_an_error_of_cuda_itself_is_the_machines_fault() -> None:
    broken = RuntimeError("CUDA failure 35: driver version is insufficient\nat file.cc")
    with machine(raises=broken), pytest.raises(MachineError, match="CUDA failure 35") as caught:
        open_session(b"", "cuda")
    assert "file.cc" not in str(caught.value)


def test_tensorrt_that_is_not_installed_says_what_to_install() -> None:
    said = "/onnxruntime_src/python/state.cc:729 void onnxruntime::f(Options&) Please install it."
    with machine(raises=RuntimeError(said)), pytest.raises(MachineError) as caught:
        open_session(b"", "tensorrt")
    assert "it does not start: Please install it." in str(caught.value)
    assert "pip install tensorrt" in caught.value.remedy


def test_a_session_without_a_node_on_cuda_is_an_error_with_the_placement() -> None:
    parts = [Part(CPU, [("conv1", "Conv"), ("relu1", "Relu")])]
    with machine(parts=parts), pytest.raises(MachineError) as caught:
        open_session(b"", "cuda")
    assert "placed no node on it" in str(caught.value)
    assert "2 nodes on CPU" in str(caught.value)


def test_a_run_never_falls_back() -> None:
    with machine():
        session = open_session(b"", "cuda")
    session._session.disable_fallback.assert_called_once()


def test_auto_takes_cuda_where_it_works() -> None:
    with machine():
        assert open_session(b"").device == "cuda"


def test_auto_takes_the_cpu_without_a_driver_and_says_so() -> None:
    with machine(driver=ABSENT) as fake:
        session = open_session(b"")
    assert (session.device, session.note) == ("cpu", "no NVIDIA driver was found")
    assert [name for name, _ in fake.opened[-1]] == [CPU]


def test_auto_takes_the_cpu_where_cuda_does_not_start_and_says_why() -> None:
    with machine(in_use=[CPU]):
        session = open_session(b"")
    assert session.device == "cpu"
    assert "libcudnn.so.9: cannot open shared object file" in session.note


def test_numpy_is_no_device_for_a_model() -> None:
    with pytest.raises(CallError, match="runs definitions"):
        open_session(b"", "numpy")


@pytest.mark.parametrize(
    ("settings", "option", "value"),
    [
        (Settings(), "use_tf32", "0"),
        (Settings(exact=False), "use_tf32", "1"),
        (Settings(), "cudnn_conv_algo_search", "HEURISTIC"),
        (Settings(fixed=True), "cudnn_conv_algo_search", "EXHAUSTIVE"),
        (Settings(), "enable_cuda_graph", "0"),
        (Settings(capture=True), "enable_cuda_graph", "1"),
        (Settings(), "prefer_nhwc", "0"),
        (Settings(dtype="bf16"), "prefer_nhwc", "0"),
        (Settings(dtype="f16"), "prefer_nhwc", "1"),
    ],
)
def test_what_cuda_is_asked_for(settings: Settings, option: str, value: str) -> None:
    with machine() as fake:
        open_session(b"", "cuda", settings)
    assert fake.opened[0][0][1][option] == value


def test_channels_last_wants_tensor_cores() -> None:
    old = Driver("580", (13, 0), (Gpu("NVIDIA GTX 1080", 8 * 2**30, (6, 1)),))
    with machine(driver=old) as fake:
        open_session(b"", "cuda", Settings(dtype="f16"))
    assert fake.opened[0][0][1]["prefer_nhwc"] == "0"


def test_the_command_says_it_with_exit_code_3(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("runtime.providers.driver", lambda: ABSENT)
    result = netc("run", "lenet5", "--net", "lenet5", "--random", "--device", "cuda")
    assert result.exit_code == 3
    assert "cuda cannot be had: no NVIDIA driver was found" in result.output
    assert "help: " in result.output and "Traceback" not in result.output


def test_the_command_refuses_what_is_no_device_with_exit_code_2() -> None:
    result = netc("run", "lenet5", "--net", "lenet5", "--random", "--device", "gpu")
    assert result.exit_code == 2
    assert "there is no device gpu" in result.output


def test_placement_of_a_real_session_counts_every_node() -> None:
    model = define(NET).model()
    placed = open_session(model, "cpu").placement()
    assert placed is not None
    assert placed.counts == {CPU: len(model.graph.node)}
    assert placed.windows_on_cpu() == ("c",)
    assert str(placed) == f"{len(model.graph.node)} nodes on CPU"


def test_bound_arrays_give_what_a_run_gives_and_can_be_fed_again() -> None:
    model = define(NET).model()
    random = np.random.default_rng(0)
    first, second = random.standard_normal((2, 2, 3, 8, 8), dtype=np.float32)
    for sizes in ({}, {"N": 2}):  # outputs allocated by the first run, and beforehand
        session = open_session(model, "cpu", Settings(sizes=sizes))
        bound = session.bind({"x": first})
        np.testing.assert_array_equal(bound.outputs()[0], session.run({"x": first})["y"])
        bound.update({"x": second})
        bound.run()
        np.testing.assert_array_equal(bound.outputs()[0], session.run({"x": second})["y"])


OPEN = NET.replace("8, 8", "H, W")


@pytest.mark.parametrize(
    ("text", "long", "sizes", "layouts"),
    [
        (NET, 1, {}, True),  # only the batch is open
        (OPEN, 1, {}, False),
        (OPEN, 1, {"H": 8}, False),
        (OPEN, 1, {"H": 8, "W": 8}, True),
        (OPEN, 100, {}, True),
    ],
)
@pytest.mark.parametrize("from_file", [False, True])
def test_layouts_are_not_looked_for_in_long_models_of_open_sizes(
    text: str,
    long: int,
    sizes: dict[str, int],
    layouts: bool,
    from_file: bool,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    made, asked = runtime.session.create, []

    def create(model: Model, place: Device, settings: Settings, found: Driver) -> Any:
        asked.append(settings.layouts)
        return made(model, place, settings, found)

    monkeypatch.setattr(runtime.session, "LONG", long)
    monkeypatch.setattr(runtime.session, "create", create)
    written = define(text).model()
    model = write_model(written, tmp_path / "model.onnx") if from_file else written
    feeds = {"x": np.random.default_rng(0).standard_normal((1, 3, 8, 8), np.float32)}
    found = open_session(model, "cpu", Settings(sizes=sizes)).run(feeds)
    assert asked == [layouts]
    np.testing.assert_allclose(found["y"], define(text).run(feeds, device="numpy")["y"], rtol=1e-5)


def test_sizes_are_pinned() -> None:
    session = open_session(define(NET).model(), "cpu", Settings(sizes={"N": 4}))
    assert session.inputs["x"] == (4, 3, 8, 8)


@pytest.mark.parametrize(
    ("feeds", "message"),
    [
        ({}, "nothing is given for the input x"),
        ({"x": np.zeros((1, 3, 8))}, "the array is"),
        ({"x": np.zeros((1, 4, 8, 8))}, "the array is"),
    ],
)
def test_inputs_that_do_not_fit_are_refused(feeds: dict[str, np.ndarray], message: str) -> None:
    with pytest.raises(RunError, match=message):
        open_session(define(NET).model(), "cpu").run(feeds)


def moved_resize() -> onnx.ModelProto:
    """A model that ONNX Runtime breaks by moving a Transpose through the Resize behind it."""
    nodes = [
        helper.make_node("Transpose", ["x"], ["a"], perm=[0, 2, 3, 1]),
        helper.make_node(
            "Resize",
            ["a", "", "", "sizes"],
            ["b"],
            mode="linear",
            coordinate_transformation_mode="asymmetric",
        ),
        helper.make_node("Transpose", ["b"], ["y"], perm=[0, 2, 1, 3]),
    ]
    graph = helper.make_graph(
        nodes,
        "moved",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["N", 5, 3, 12])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["N", 6, 3, 4])],
        [numpy_helper.from_array(np.array([1, 3, 6, 4]), "sizes")],
    )
    opsets = [helper.make_opsetid("", 21)]
    return helper.make_model(graph, opset_imports=opsets, ir_version=10)


def test_a_model_that_rewriting_breaks_runs_with_less_of_it_and_says_so() -> None:
    model = moved_resize()
    feeds = {"x": np.random.default_rng(0).random((1, 5, 3, 12), dtype=np.float32)}
    session = open_session(model, "cpu")
    first = session.run(feeds)["y"]
    assert "ONNX Runtime's own rewriting breaks this model" in session.note
    plain = open_session(model, "cpu", optimise=False)
    np.testing.assert_array_equal(first, plain.run(feeds)["y"])
    assert plain.note == ""
    np.testing.assert_array_equal(first, session.run(feeds)["y"])


def test_the_probe_runs_a_convolution_on_this_machines_cpu() -> None:
    assert probe(Device("cpu")) == Probe(True)


@pytest.mark.parametrize(
    ("log", "why"),
    [
        (
            "\x1b[1;31m2026 [E:onnxruntime] Failed to load library a.so with error: "
            "libcublasLt.so.13: cannot open shared object file\n\x1b[m\n[W] Failed to create C.",
            "libcublasLt.so.13: cannot open shared object file",
        ),
        ("[W:onnxruntime] Failed to create CUDAExecutionProvider. Require cuDNN 9.*", "Require"),
        ("CUDNN failure 1001: CUDNN_STATUS_NOT_INITIALIZED ; GPU=0", "CUDNN failure 1001"),
        ("Traceback\n  File x\nValueError: no such device", "ValueError: no such device"),
        ("", ""),
    ],
)
def test_the_probe_finds_the_reason_in_the_log(log: str, why: str) -> None:
    assert reason(log).startswith(why)
    assert bool(reason(log)) == bool(why)


def test_the_fake_machine_is_one_that_works() -> None:
    assert not WORKING.problem and WORKING.gpus


@pytest.mark.parametrize(
    ("device", "dtype", "exact", "layers", "allowed"),
    [
        ("cpu", "f32", True, 10, 1e-4),
        ("cuda:1", "f32", True, 10, 1e-3),
        ("cuda", "f32", False, 10, 2e-2),
        ("tensorrt", "f32", True, 10, 2e-2),
        ("cpu", "f16", True, 1000, 2e-2),
        ("cpu", "bf16", True, 10, 2e-2),
        ("cpu", "bf16", True, 100, 10 / 256),
    ],
)
def test_tolerances_follow_device_precision_and_depth(
    device: str, dtype: str, exact: bool, layers: int, allowed: float
) -> None:
    assert tolerance(device, dtype, exact=exact, layers=layers).relative == allowed
