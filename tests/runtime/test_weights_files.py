"""Files of weights of every kind, sound and malformed; the malformed ones cost no memory."""

from __future__ import annotations

import json
import os
import pickle
import struct
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import ml_dtypes
import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper
from onnx.external_data_helper import set_external_data
from safetensors.numpy import save_file

from runtime.errors import CallError, MachineError
from runtime.weights.opening import open_weights
from tests.memory import peak_of

LITTLE = 16 * 2**20


def refused(path: Path) -> str:
    """The message of a refusal, which must take hardly any memory."""
    said = []

    def run() -> None:
        with pytest.raises(CallError) as caught:
            for stored in open_weights(path).values():
                stored.read()
        said.append(str(caught.value))

    assert peak_of(run) < LITTLE
    return said[0]


# ── safetensors ──────────────────────────────────────────────────────────────────────────────


def raw_safetensors(path: Path, header: Any, data: bytes = b"", claimed: int | None = None) -> Path:
    """A .safetensors file with this header, whatever it says."""
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(text) if claimed is None else claimed) + text + data)
    return path


def entry(shape: list[int], start: int, end: int, dtype: str = "F32") -> dict[str, Any]:
    return {"dtype": dtype, "shape": shape, "data_offsets": [start, end]}


@pytest.mark.parametrize(
    "dtype", [np.float32, np.float64, np.float16, ml_dtypes.bfloat16], ids=lambda d: d.__name__
)
def test_safetensors_of_every_float_type_are_read(tmp_path: Path, dtype: Any) -> None:
    array = np.array([[0.5, -2.0, 1.5]], dtype=dtype)
    bits = array.dtype.itemsize * 8
    name = "BF16" if dtype is ml_dtypes.bfloat16 else f"F{bits}"
    header = {"a": entry([1, 3], 0, array.nbytes, name)}
    stored = open_weights(raw_safetensors(tmp_path / "w.safetensors", header, array.tobytes()))
    assert (stored["a"].shape, stored["a"].dtype) == ((1, 3), np.dtype(dtype).name)
    np.testing.assert_array_equal(stored["a"].read().astype(float), [[0.5, -2.0, 1.5]])


@pytest.mark.parametrize(
    ("header", "data", "claimed"),
    [
        ({"a": entry([250_000_000], 0, 1_000_000_000)}, b"\0" * 64, None),
        ({"a": entry([16], 0, 64), "b": entry([16], 0, 64)}, b"\0" * 64, None),
        ({"a": entry([16], 0, 64), "b": entry([16], 32, 96)}, b"\0" * 96, None),
        ({"a": entry([8], 0, 64)}, b"\0" * 64, None),
        ({"a": entry([2**62, 4], 0, 64)}, b"\0" * 64, None),
        ({"a": entry([-16], 0, 64)}, b"\0" * 64, None),
        ({"a": entry([16], 0, 64)}, b"\0" * 80, None),
        ({"a": entry([16], 0, 64)}, b"\0" * 63, None),
        ({"a": entry([16], 0, 64, "F99")}, b"\0" * 64, None),
        ({"a": entry([16], 0, 64)}, b"\0" * 64, 2**62),
        ({"a": entry([16], 0, 64)}, b"\0" * 64, 10_000),
        (b'{"a":' + b"[" * 100_000, b"", None),
        (b"\xff\xfe not json", b"", None),
        (b"", b"", None),
    ],
    ids=[
        "data beyond the file",
        "two tensors in one place",
        "tensors that overlap",
        "shape smaller than its data",
        "shape that overflows",
        "negative size",
        "bytes left over",
        "data cut short",
        "unknown element type",
        "header beyond all files",
        "header beyond this file",
        "header nested deeply",
        "header that is no JSON",
        "no header",
    ],
)
def test_a_malformed_safetensors_file_is_refused(
    tmp_path: Path, header: Any, data: bytes, claimed: int | None
) -> None:
    path = raw_safetensors(tmp_path / "w.safetensors", header, data, claimed)
    assert "cannot be read" in refused(path)


def test_an_empty_or_missing_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "w.safetensors").write_bytes(b"")
    assert "cannot be read" in refused(tmp_path / "w.safetensors")
    assert "there is no file" in refused(tmp_path / "other.safetensors")
    (tmp_path / "folder.npz").mkdir()
    assert "is a folder, a device or a pipe" in refused(tmp_path / "folder.npz")
    (tmp_path / "empty.onnx").write_bytes(b"")
    assert "is no ONNX model: it has no graph" in refused(tmp_path / "empty.onnx")


def test_numbers_of_the_other_byte_order_are_the_same_numbers(tmp_path: Path) -> None:
    weights: dict[str, Any] = {"a.weight": np.array([1.5, -2], ">f4")}
    np.savez(tmp_path / "w.npz", **weights)
    stored = open_weights(tmp_path / "w.npz")["a.weight"]
    assert stored.dtype == "float32" and stored.read().tolist() == [1.5, -2]
    (tmp_path / "w.h5").write_bytes(b"\x89HDF")
    assert "weights are .safetensors, .npz, .onnx" in refused(tmp_path / "w.h5")


# ── ONNX ─────────────────────────────────────────────────────────────────────────────────────


def onnx_file(path: Path, *tensors: TensorProto, producer: str = "other") -> Path:
    """A model of nothing but these initializers."""
    graph = helper.make_graph([], "g", [], [], list(tensors))
    path.write_bytes(helper.make_model(graph, producer_name=producer).SerializeToString())
    return path


def external(location: str, shape: list[int], length: int | None = None) -> TensorProto:
    """An initializer whose data is elsewhere."""
    tensor = TensorProto(name="w", data_type=TensorProto.FLOAT, dims=shape, raw_data=b"x")
    set_external_data(tensor, location, 0, length)
    tensor.ClearField("raw_data")
    return tensor


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.float16, ml_dtypes.bfloat16])
def test_onnx_initializers_are_read_raw_or_typed(tmp_path: Path, dtype: Any) -> None:
    values = np.array([0.5, -2.0, 1.5], dtype=dtype)
    raw = numpy_helper.from_array(values, "raw")
    typed = helper.make_tensor("typed", raw.data_type, [3], values.astype(float).tolist())
    axes = numpy_helper.from_array(np.array([1, 2]), "axes")
    stored = open_weights(onnx_file(tmp_path / "m.onnx", raw, typed, axes))
    assert sorted(stored) == ["raw", "typed"]
    for array in stored.values():
        assert array.dtype == np.dtype(dtype).name
        np.testing.assert_array_equal(array.read().astype(float), [0.5, -2.0, 1.5])


def test_equal_arrays_that_an_exporter_stores_once_have_all_their_names(tmp_path: Path) -> None:
    tensor = numpy_helper.from_array(np.zeros(3, np.float32), "bn1.running_mean")
    node = helper.make_node("Identity", ["bn1.running_mean"], ["bn2.running_mean"])
    model = helper.make_model(helper.make_graph([node], "g", [], [], [tensor]))
    (tmp_path / "m.onnx").write_bytes(model.SerializeToString())
    stored = open_weights(tmp_path / "m.onnx")
    assert sorted(stored) == ["bn1.running_mean", "bn2.running_mean"]


def test_constants_of_our_own_lowering_are_no_weights(tmp_path: Path) -> None:
    constant = numpy_helper.from_array(np.zeros(3, np.float32), "layer/constant_0")
    weight = numpy_helper.from_array(np.zeros(3, np.float32), "layer.weight")
    path = onnx_file(tmp_path / "m.onnx", constant, weight, producer="netc")
    assert list(open_weights(path)) == ["layer.weight"]


@pytest.mark.parametrize(
    ("tensor", "says"),
    [
        (TensorProto(name="w", data_type=1, dims=[10**9], raw_data=b"\0" * 8), "claims 4,000,000"),
        (TensorProto(name="w", data_type=1, dims=[-4], raw_data=b"\0" * 8), "claims the shape"),
        (TensorProto(name="w", data_type=1, dims=[10**9], float_data=[1.0]), "claims 4,000,000"),
        (TensorProto(name="w", data_type=1, dims=[1], raw_data=b"\0" * 8), "claims 4 bytes"),
    ],
)
def test_an_initializer_that_lies_about_its_size_is_refused(
    tmp_path: Path, tensor: TensorProto, says: str
) -> None:
    assert says in refused(onnx_file(tmp_path / "m.onnx", tensor))


def test_a_file_that_is_no_onnx_is_refused(tmp_path: Path) -> None:
    (tmp_path / "m.onnx").write_bytes(b"no protobuf at all")
    assert "is no ONNX model" in refused(tmp_path / "m.onnx")


def test_an_onnx_file_whose_names_are_no_text_is_refused(tmp_path: Path) -> None:
    path = onnx_file(tmp_path / "m.onnx", numpy_helper.from_array(np.ones(3, np.float32), "wwww"))
    path.write_bytes(path.read_bytes().replace(b"wwww", b"w\xffww"))
    assert "a name in it is no UTF-8 text" in refused(path)


def test_external_data_beside_the_model_is_read(tmp_path: Path) -> None:
    values = np.arange(4, dtype=np.float32)
    (tmp_path / "m.data").write_bytes(values.tobytes())
    stored = open_weights(onnx_file(tmp_path / "m.onnx", external("m.data", [4])))
    np.testing.assert_array_equal(stored["w"].read(), values)


def test_external_data_that_claims_more_than_its_file_holds_is_refused(tmp_path: Path) -> None:
    (tmp_path / "m.data").write_bytes(b"\0" * 16)
    path = onnx_file(tmp_path / "m.onnx", external("m.data", [10**9], 4 * 10**9))
    assert "but it has 16" in refused(path)
    assert "but holds 16" in refused(onnx_file(path, external("m.data", [10**9])))


def test_external_data_without_a_length_takes_no_more_than_its_shape(tmp_path: Path) -> None:
    with (tmp_path / "m.data").open("wb") as file:
        file.write(np.arange(4, dtype=np.float32).tobytes())
        file.truncate(2**33)  # sparse: it takes no room on the disk
    path = onnx_file(tmp_path / "m.onnx", external("m.data", [4]))
    read: list[Any] = []
    assert peak_of(lambda: read.append(open_weights(path)["w"].read())) < LITTLE
    np.testing.assert_array_equal(read[0], np.arange(4))


def test_external_data_outside_its_folder_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "model"
    folder.mkdir()
    (tmp_path / "secret.bin").write_bytes(b"\0" * 16)
    for location in ("../secret.bin", str(tmp_path / "secret.bin"), "sub/../../secret.bin"):
        assert "is not opened" in refused(onnx_file(folder / "m.onnx", external(location, [4])))


def test_external_data_through_a_link_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "model"
    folder.mkdir()
    (tmp_path / "secret.bin").write_bytes(b"\0" * 16)
    (folder / "soft.bin").symlink_to(tmp_path / "secret.bin")
    os.link(tmp_path / "secret.bin", folder / "hard.bin")
    (folder / "way").symlink_to(tmp_path)
    for location in ("soft.bin", "hard.bin", "way/secret.bin"):
        assert "is not opened" in refused(onnx_file(folder / "m.onnx", external(location, [4])))


# ── PyTorch ──────────────────────────────────────────────────────────────────────────────────


def test_a_checkpoint_without_pytorch_is_exit_code_3_and_explains_the_conversion(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)
    (tmp_path / "net.pth").write_bytes(b"PK")
    with pytest.raises(MachineError, match="only PyTorch reads") as caught:
        open_weights(tmp_path / "net.pth")
    assert "from safetensors.torch import save_file" in caught.value.remedy
    assert 'torch.load("net.pth", map_location="cpu", weights_only=True)' in caught.value.remedy


class Tensor:
    """What the reader asks of a tensor of PyTorch's."""

    def __init__(self, array: Any) -> None:
        self.array = np.asarray(array)
        self.layout, self.is_meta = "torch.strided", False
        self.shape, self.dtype = self.array.shape, f"torch.{self.array.dtype}"

    def detach(self) -> Tensor:
        return self

    resolve_neg = detach

    def is_floating_point(self) -> bool:
        return self.array.dtype.kind == "f"

    def element_size(self) -> int:
        return self.array.dtype.itemsize

    def float(self) -> Tensor:
        return Tensor(self.array.astype(np.float32))

    def numpy(self) -> Any:
        return self.array


def install_torch(monkeypatch: pytest.MonkeyPatch, content: Any) -> list[dict[str, Any]]:
    """A stand-in for PyTorch whose `load` gives this content; the calls it gets."""
    calls: list[dict[str, Any]] = []

    def load(path: Path, **options: Any) -> Any:
        calls.append(options)
        if isinstance(content, Exception):
            raise content
        return content

    monkeypatch.setitem(sys.modules, "torch", SimpleNamespace(load=load, Tensor=Tensor))
    return calls


def in_itself(key: str) -> dict[str, Any]:
    """A mapping that holds itself, as a pickle can."""
    loop: dict[str, Any] = {}
    loop[key] = loop
    return loop


@pytest.mark.parametrize(
    ("layout", "is_meta", "says"),
    [("torch.sparse_coo", False, "sparse_coo float32"), ("torch.strided", True, "without numbers")],
)
def test_a_tensor_that_is_no_plain_array_is_named_as_what_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, layout: str, is_meta: bool, says: str
) -> None:
    tensor = Tensor(np.zeros(2, np.float32))
    tensor.layout, tensor.is_meta = layout, is_meta
    install_torch(monkeypatch, {"a": tensor})
    (tmp_path / "net.pt").write_bytes(b"")
    assert says in open_weights(tmp_path / "net.pt")["a"].dtype


@pytest.mark.parametrize("ending", ["pt", "pth", "ckpt"])
@pytest.mark.parametrize("wrap", [lambda d: d, lambda d: {"epoch": 3, "state_dict": d}])
def test_a_checkpoint_is_read_as_plain_tensors_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, wrap: Any, ending: str
) -> None:
    calls = install_torch(monkeypatch, wrap({"a.weight": Tensor(np.array([1, 2], np.float16))}))
    (tmp_path / f"net.{ending}").write_bytes(b"")
    stored = open_weights(tmp_path / f"net.{ending}")
    assert calls == [{"map_location": "cpu", "weights_only": True, "mmap": False}]
    assert (stored["a.weight"].shape, stored["a.weight"].dtype) == ((2,), "float16")
    assert stored["a.weight"].read().dtype == np.float32


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (pickle.UnpicklingError("Weights only load failed"), "holds pickled objects"),
        (RuntimeError("PytorchStreamReader failed"), "cannot be read as plain tensors"),
        (RuntimeError("Cannot use weights_only with TorchScript archives. Re-"), "jit.load(…)"),
        ({"epoch": 3, "net": {}}, "it holds epoch (int), net (dict)"),
        (dict.fromkeys("abcdefghij", 1), "h (int), 2 more"),
        ({"a": Tensor(np.zeros(1)), "b": "f4"}, "it holds 1 tensors, b (str)"),
        ([1, 2], "it holds a list"),
        ({}, "it holds nothing"),
        ({1: Tensor(np.zeros(1))}, "holds no state dict"),
        (in_itself("model"), "holds no state dict"),
        (KeyError("storage 7"), "cannot be read as plain tensors"),
    ],
)
def test_a_checkpoint_that_holds_something_else_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: Any, says: str
) -> None:
    install_torch(monkeypatch, content)
    (tmp_path / "net.pt").write_bytes(b"")
    assert says in refused(tmp_path / "net.pt")


def test_a_real_checkpoint_is_read_where_pytorch_is(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")
    torch.save({"a": torch.ones(2, dtype=torch.bfloat16)}, tmp_path / "net.pt")
    np.testing.assert_array_equal(open_weights(tmp_path / "net.pt")["a"].read(), [1, 1])


def test_a_large_file_costs_nothing_until_it_is_read(tmp_path: Path) -> None:
    save_file({"w": np.zeros(2**24, np.float32)}, tmp_path / "w.safetensors")
    tensor = numpy_helper.from_array(np.zeros(2**24, np.float32), "w")
    (tmp_path / "m.data").write_bytes(tensor.raw_data)
    onnx_file(tmp_path / "m.onnx", external("m.data", [2**24]))
    assert peak_of(lambda: open_weights(tmp_path / "w.safetensors")) < LITTLE
    assert peak_of(lambda: open_weights(tmp_path / "m.onnx")) < LITTLE
    assert isinstance(onnx.load(tmp_path / "m.onnx", load_external_data=False), onnx.ModelProto)
