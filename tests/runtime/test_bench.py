"""Timing: side by side, warm, honest about where it ran."""

from __future__ import annotations

import json
from contextlib import AbstractContextManager
from pathlib import Path

import numpy as np
import onnx
import pytest
from click.testing import CliRunner, Result

import runtime.bench
from netc.main import main
from runtime.bench import Timing, make_ready, ratios, significant, time_together
from runtime.describe import describe, fitted, input_shapes
from runtime.devices import CPU, CUDA, Device
from runtime.errors import CallError, MachineError
from runtime.settings import Settings
from tests.define import define
from tests.runtime.fakes import Part, machine

NET = "net n() { input x: f32[3, 8, 8]; conv(4, 3x3) as c -> relu -> gap -> flatten; output y }"
X = np.zeros((2, 3, 8, 8), np.float32)


def bench(*arguments: object) -> Result:
    return CliRunner().invoke(main, ["bench", *map(str, arguments), "--seconds", "0"])


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runtime.bench, "WARM_UP", 0.0)
    monkeypatch.setattr(runtime.bench, "BLOCK", 0.0)


@pytest.fixture
def compiled(tmp_path: Path) -> Path:
    path = tmp_path / "n.onnx"
    onnx.save_model(define(NET).model(), path)
    return path


def test_median_quartiles_and_throughput() -> None:
    timing = Timing(8, (0.4, 0.1, 0.2, 0.3, 0.5))
    assert timing.median == 0.3
    assert timing.quartiles == (0.2, 0.4)
    assert timing.per_second == pytest.approx(8 / 0.3)


def test_the_ratio_is_that_of_each_round_not_of_the_medians() -> None:
    ours = Timing(1, (1.0, 20.0, 3.0))  # the machine was slow in the second round, for both
    theirs = Timing(1, (2.0, 40.0, 3.0))
    assert ratios(ours, theirs)[0] == 0.5


def test_runs_take_turns_and_no_one_is_always_first() -> None:
    log: list[str] = []
    runs = {name: lambda name=name: log.append(name) for name in "ab"}
    timings = time_together(runs, batch=1, seconds=0)
    warm, rounds = log[:6], log[6:]
    assert warm == ["a"] * 3 + ["b"] * 3
    # Each block: one run that is not timed, one that is.
    assert rounds[:8] == ["a", "a", "b", "b", "b", "b", "a", "a"]
    assert all(len(t.seconds) == runtime.bench.LEAST_ROUNDS for t in timings.values())


def test_short_runs_are_timed_in_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runtime.bench, "BLOCK", 0.01)
    monkeypatch.setattr(runtime.bench, "warm_up", lambda run: 0.001)
    count = [0]

    def run() -> None:
        count[0] += 1

    time_together({"a": run}, batch=1, seconds=0)
    assert count[0] == 10 * runtime.bench.LEAST_ROUNDS


def test_a_model_is_described_by_its_inputs_and_the_type_of_its_weights(compiled: Path) -> None:
    assert describe(compiled).inputs == {"x": ("N", 3, 8, 8)}
    for dtype in ("f32", "f16", "bf16"):
        assert describe(define(NET).model(dtype=dtype)).precision == dtype


def test_symbolic_sizes_are_fitted_to_arrays_and_contradictions_refused() -> None:
    inputs = {"a": ("N", 3, "H", "H"), "b": ("N", "?")}
    assert input_shapes(inputs, 4, 7) == {"a": (4, 3, 7, 7), "b": (4, 7)}
    assert fitted(inputs, [(4, 3, 7, 7), (4, 9)]) == {"N": 4, "H": 7}
    for shapes in ([(4, 3, 7, 8), (4, 9)], [(4, 3, 7, 7), (5, 9)], [(4, 2, 7, 7), (4, 9)]):
        with pytest.raises(CallError, match="does not take"):
            fitted(inputs, shapes)
    with pytest.raises(CallError, match="2 inputs cannot take 1 arrays"):
        fitted(inputs, [(4, 3, 7, 7)])


def test_a_convolution_on_the_cpu_is_not_timed_as_cuda() -> None:
    parts = [Part(CUDA, [("relu1", "Relu")]), Part(CPU, [("c", "Conv")])]
    with machine(parts=parts), pytest.raises(MachineError, match=r"no timing: c would run") as e:
        make_ready(define(NET).model(), [X], Device("cuda"), Settings())
    assert "1 node on CUDA, 1 node on CPU" in str(e.value)


def test_other_nodes_on_the_cpu_are_timed_without_a_cuda_graph() -> None:
    parts = [Part(CUDA, [("c", "Conv")]), Part(CPU, [("shape", "Shape")])]
    with machine(parts=parts) as fake, bound_runs():
        ready = make_ready(define(NET).model(), [X], Device("cuda"), Settings())
    assert not ready.captured
    assert [providers[0][1]["enable_cuda_graph"] for providers in fake.opened] == ["0"]


def test_a_net_that_is_all_on_cuda_is_captured_and_its_shapes_are_fixed() -> None:
    with machine() as fake, bound_runs():
        ready = make_ready(define(NET).model(), [X], Device("cuda"), Settings())
    assert ready.captured
    options = [providers[0][1] for providers in fake.opened]
    assert [o["enable_cuda_graph"] for o in options] == ["0", "1"]
    assert {o["cudnn_conv_algo_search"] for o in options} == {"EXHAUSTIVE"}
    assert {o["use_tf32"] for o in options} == {"0"}


def bound_runs() -> AbstractContextManager[object]:
    """Sessions of the fake machine cannot bind real arrays."""
    from unittest import mock

    return mock.patch("runtime.session.OnnxSession.bind", lambda self, feeds: mock.Mock())


def test_the_precision_of_a_model_decides_its_layout_on_cuda() -> None:
    with machine() as fake, bound_runs():
        make_ready(define(NET).model(dtype="f16"), [X], Device("cuda"), Settings())
    assert fake.opened[0][0][1]["prefer_nhwc"] == "1"


def test_the_table_has_both_models_and_their_ratio(compiled: Path) -> None:
    result = bench("lenet5", "--net", "lenet5", "--batch", "1,3", "--device", "cpu")
    assert result.exit_code == 0, result.output
    assert "lenet5 on cpu" in result.output and "13 CPU" in result.output
    result = bench(compiled, "--against", compiled, "--device", "cpu", "--placement")
    assert result.exit_code == 0, result.output
    assert "n.onnx against n.onnx on cpu" in result.output
    assert "4 nodes on CPUExecutionProvider: 1 Conv, 1 Flatten, 1 GlobalAverage" in result.output


def test_json_has_times_place_and_precision(compiled: Path) -> None:
    call = ["--against", compiled, "--device", "cpu", "--format", "json", "--batch", "2"]
    result = bench(compiled, *call)
    assert result.exit_code == 0, result.output
    said = json.loads(result.stdout)
    first, second = said["results"]
    assert said["device"] == "cpu" and "cores" in said["hardware"]
    assert first["batch"] == 2 and first["dtype"] == "f32" and first["rounds"] == 10
    assert first["per_second"] == pytest.approx(2e3 / first["median_ms"])
    low, high = first["quartiles_ms"]
    assert low <= first["median_ms"] <= high
    assert first["placement"][CPU]["c"] == "Conv"
    assert "first_over_this" not in first and second["first_over_this"]["median"] > 0


def test_precision_and_the_interpreter_are_devices_to_time_on() -> None:
    for call, dtype, device in (
        (["--dtype", "f16", "--device", "cpu"], "f16", "cpu"),
        (["--device", "numpy"], "f32", "numpy"),
    ):
        result = bench("lenet5", "--net", "lenet5", *call, "--format", "json")
        assert result.exit_code == 0, result.output
        (row,) = json.loads(result.stdout)["results"]
        assert (row["dtype"], row["device"]) == (dtype, device)


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (["--batch", "0"], "no list of batch sizes"),
        (["--batch", "1,x"], "no list of batch sizes"),
        (["--dtype", "f16"], "precision inside"),
        (["--device", "numpy"], "runs definitions"),
        (["--net", "n"], "no --net"),
        (["--against", "missing.onnx"], "there is no file missing.onnx"),
    ],
)
def test_calls_that_make_no_sense_are_refused(compiled: Path, call: list[str], said: str) -> None:
    result = bench(compiled, *call)
    assert result.exit_code == 2
    assert said in result.output


def test_a_model_of_a_fixed_batch_is_not_timed_as_another(tmp_path: Path) -> None:
    define(NET).compile(tmp_path / "two.onnx", batch=2)
    result = bench(tmp_path / "two.onnx", "--batch", "4", "--device", "cpu")
    assert result.exit_code == 2 and "give --batch 2" in result.output
    timed = bench(tmp_path / "two.onnx", "--batch", "2", "--device", "cpu", "--seconds", "0")
    assert timed.exit_code == 0, timed.output


def test_models_with_different_inputs_are_not_compared(compiled: Path) -> None:
    result = bench("lenet5", "--net", "lenet5", "--against", compiled, "--device", "cpu")
    assert result.exit_code == 2
    assert "the input x is [N, 3, 8, 8], which does not take [1, 1, 28, 28]" in result.output


@pytest.mark.parametrize(
    ("value", "text"), [(0.012345, "0.0123"), (1.2345, "1.23"), (123.4, "123"), (12345.6, "12,346")]
)
def test_numbers_have_three_digits(value: float, text: str) -> None:
    assert significant(value) == text


def test_one_model_on_several_devices_is_one_table(compiled: Path) -> None:
    result = bench("lenet5", "--net", "lenet5", "--devices", "cpu,numpy")
    assert result.exit_code == 0, result.output
    assert result.output.startswith("lenet5 on cpu, numpy (")
    result = bench("lenet5", "--net", "lenet5", "--devices", "cpu,numpy", "--format", "json")
    assert [row["device"] for row in json.loads(result.output)["results"]] == ["cpu", "numpy"]
    result = bench(compiled, "--devices", "all", "--format", "json")
    assert {row["device"] for row in json.loads(result.output)["results"]} >= {"cpu"}


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (["--devices", "cpu", "--device", "cuda"], "--devices times one model on each"),
        (["--devices", "cpu,gpu"], "there is no device gpu"),
        (["--devices", "cpu,numpy"], "the NumPy device runs definitions, in float32"),
    ],
)
def test_devices_that_cannot_be_timed_together(
    compiled: Path, more: list[str], message: str
) -> None:
    result = bench(compiled, *more)
    assert result.exit_code == 2 and message in result.output
