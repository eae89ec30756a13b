"""An import is written when its numbers are those of the original, and not otherwise."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import numpy_helper

from compiler.importers.define import define
from compiler.importers.from_onnx import import_onnx
from compiler.importers.from_onnx.reading import CONVERTERS, Reading
from compiler.values import Tensor
from runtime.verify.imported import compare_imported
from runtime.verify.options import VerifyOptions
from runtime.verify.proof import Proof, UnprovedError, prove
from tests.importers.onnx_text import onnx_model
from tests.netc.command import netc

NODES = """h = Conv<pads=[1, 1, 1, 1]>(x, "first.weight") r = Relu(h) p = Sigmoid(r)
    y = Conv(p, "last.weight")"""
WEIGHTS: dict[str, tuple[int, ...]] = {"first.weight": (4, 3, 3, 3), "last.weight": (2, 4, 1, 1)}


def model_of(nodes: str = NODES, inputs: str = "float[N, 3, 8, 8] x") -> onnx.ModelProto:
    return onnx_model(nodes, inputs, weights=WEIGHTS)


def proof_of(model: onnx.ModelProto) -> Proof:
    imported = import_onnx(model)
    return prove(imported, define(imported), model)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_each_layer_is_held_against_the_originals_tensor() -> None:
    proof = proof_of(model_of())
    assert (proof.tensors, proof.runs, proof.failed) == (4, 1, None)


def test_open_sizes_are_run_twice() -> None:
    assert proof_of(model_of(inputs="float[N, 3, H, W] x")).runs == 2


def planted(monkeypatch: pytest.MonkeyPatch, kind: str, factor: float) -> None:
    """A converter that is wrong by a factor."""
    converter = CONVERTERS[kind]

    def wrong(reading: Reading) -> Tensor:
        made = converter(reading)
        assert isinstance(made, Tensor)
        return reading.add("scale", made, factor=factor)

    monkeypatch.setitem(CONVERTERS, kind, wrong)


@pytest.mark.parametrize("factor", [2.0, 1.001])
def test_an_import_with_other_numbers_is_refused_at_the_first_layer(
    factor: float, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    onnx.save(model_of(), "m.onnx")
    planted(monkeypatch, "Relu", factor)
    told = netc("import", "m.onnx", "--weights", "m.safetensors")
    assert told.exit_code == 1 and "Traceback" not in told.output
    assert "error[E603]" in told.stderr and "m.onnx:3:1" in told.stderr
    assert [file.name for file in folder.iterdir()] == ["m.onnx"]


def test_an_unverified_import_is_written_and_says_so(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    onnx.save(model_of(), "m.onnx")
    planted(monkeypatch, "Relu", 2.0)
    told = netc("import", "m.onnx", "--unverified")
    assert told.exit_code == 0 and "not verified" in told.stdout
    assert "\n# - not verified: its numbers were not held" in Path("m.netdef").read_text()
    assert netc("check", "m.netdef").exit_code == 0


def test_a_model_that_onnx_runtime_refuses_is_not_proved(folder: Path) -> None:
    model = model_of()
    model.ir_version = 1000
    onnx.save(model, "m.onnx")
    told = netc("import", "m.onnx")
    assert told.exit_code == 1 and "error[E604]" in told.stderr and "--unverified" in told.stderr
    assert not Path("m.netdef").exists()
    assert netc("import", "m.onnx", "--unverified").exit_code == 0


def test_a_network_that_is_too_large_to_run_is_not_proved() -> None:
    model = onnx_model("y = Relu(x)", "float[N, 3, 30000, 30000] x")
    with pytest.raises(UnprovedError, match="2,700,000,000"):
        proof_of(model)


def test_numbers_that_are_all_nan_prove_nothing() -> None:
    model = onnx_model(
        "a = Relu(x) b = Add(a, one) c = Neg(b) y = Sqrt(c)", constants={"one": np.array([1.0])}
    )
    with pytest.raises(UnprovedError, match="NaN"):
        proof_of(model)


def test_roundings_that_a_network_amplifies_are_no_difference() -> None:
    """A difference of large numbers that nearly cancel, divided by its own size."""
    model = onnx_model(
        """a = Conv<pads=[1, 1, 1, 1]>(x, "first.weight") b = Mul(a, large) c = Add(b, one)
        d = Sub(c, b) m = ReduceMean<axes=[1, 2, 3]>(d) e = Sub(d, m) y = Mul(e, large)""",
        weights=WEIGHTS,
        constants={"large": np.array([1000.0]), "one": np.array([1.0])},
    )
    assert proof_of(model).failed is None


def test_a_sigmoid_of_numbers_far_below_zero_rounds_at_one() -> None:
    """ONNX Runtime's is 0.5 plus a fraction: of -16.6 it makes twice what it should."""
    model = onnx_model(
        "a = Tanh(x) b = Mul(a, small) c = Sub(b, far) y = Sigmoid(c)",
        constants={"small": np.array([0.1]), "far": np.array([16.6])},
    )
    assert proof_of(model).failed is None


def test_a_number_a_sample_is_one_inside_and_as_an_output() -> None:
    """[N] in the model and here."""
    nodes = "m = ReduceMin<keepdims = 0, axes = [1, 2, 3]>(x) s = Tanh(m) v = Reshape(s, rows) "
    whole = onnx_model(f"{nodes} y = Sigmoid(v)", constants={"rows": [-1, 1]})
    assert proof_of(whole).failed is None
    cut = onnx_model(f"{nodes} y = Relu(s)", constants={"rows": [-1, 1]})
    cut.graph.output[0].type.tensor_type.ClearField("shape")
    assert proof_of(cut).failed is None


def test_what_leads_to_no_output_is_not_run() -> None:
    """ONNX Runtime divides by these groups, and takes the process with it."""
    model = onnx_model(
        "d = ConvTranspose<group = 0>(x, w) y = Relu(x)", weights={"w": (3, 2, 3, 3)}
    )
    assert proof_of(model).failed is None


def test_weights_beside_the_model_are_read(folder: Path) -> None:
    model = model_of()
    for tensor in model.graph.initializer:
        array = numpy_helper.to_array(tensor)
        tensor.CopyFrom(numpy_helper.from_array(np.repeat(array, 1, 0), tensor.name))
    onnx.save(model, "m.onnx", save_as_external_data=True, location="m.data", size_threshold=0)
    assert netc("import", "m.onnx", "--weights", "m.safetensors").exit_code == 0


def test_a_sum_of_roundings_is_judged_with_the_layers_before_it() -> None:
    """What a norm makes of a sample adds up to nothing, in a layer that the original has not."""
    nodes = """r = Reshape(x, turned) t = Transpose<perm=[0, 3, 1, 2]>(r) h = Reshape(t, apart)
        i = InstanceNormalization<epsilon=0.1>(h, g, b) p = Reshape(i, whole) s = ReduceSum(p, a)
        y = Transpose<perm=[0, 3, 2, 1]>(s)"""
    lists = {"turned": [0, 3, 1, -1], "apart": [0, 2, -1], "whole": [-1, 64, 3, 1], "a": [1, 2, 3]}
    numbers = {"g": [1.5, 0.5], "b": [0.0, 0.0]}
    model = onnx_model(nodes, "float[N, 4, 8, 6] x", constants={**lists, **numbers})
    imported = import_onnx(model, "t.onnx")
    comparison = compare_imported(imported, model, VerifyOptions(bisect=True))
    assert [node.op.name for node in imported.graph.nodes()][-2:] == ["reduce_sum", "transpose"]
    assert comparison.ok and comparison.drifted == 1


def test_a_norm_of_equal_numbers_is_judged_by_what_it_takes() -> None:
    """x/s - mean/s of vectors of one length is no more than roundings, a norm of them nothing."""
    nodes = """l = ReduceL2<axes=[2], keepdims=1>(x) u = Div(x, l) s = Div(u, half)
        e = Einsum<equation="nab,nab->na">(s, s)
        m = ReduceMean<axes=[1], keepdims=1>(e) c = Sub(e, m) q = Mul(c, c)
        v = ReduceMean<axes=[1], keepdims=1>(q) a = Add(v, half) d = Sqrt(a) r = Reciprocal(d)
        k = Mul(factor, r) f = Mul(k, e) g = Mul(m, k) y = Sub(f, g)"""
    numbers = {"half": [0.5], "factor": [0.45056704]}
    model = onnx_model(nodes, "float[1, 2, 8] x", constants=numbers, opset=13)
    imported = import_onnx(model, "t.onnx")
    assert [node.op.name for node in imported.graph.nodes()][-2:] == ["layernorm", "scale"]
    for seed in (4, 16, 21):  # whose lengths are not equal to the last bit
        assert compare_imported(imported, model, VerifyOptions(bisect=True, seed=seed)).ok
