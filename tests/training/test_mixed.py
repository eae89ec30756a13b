"""Products in half precision: which they are, what is scaled, what an overflow leaves."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from numpy.typing import NDArray
from onnx.reference import ReferenceEvaluator
from safetensors.numpy import load_file

from compiler.onnx.mixed import PATIENCE, PRODUCTS
from compiler.onnx.step import build_step
from compiler.training.layout import GOOD_STEPS, GRADIENT, LOSS_SCALE, NEXT, SUM, layout_of
from compiler.training.model import StepPlan, TrainingPlan
from runtime.training_step import run_step
from runtime.verify.step import random_step
from tests.gradients.onnxcheck import session_of
from tests.netc.command import netc
from tests.training.definitions import GAN, NORMED, TRAIN, digits, training

TEXT = NORMED + TRAIN
UP = GAN.replace("dense(64) -> reshape([1, 8, 8])", "reshape([16, 1, 1]) -> deconv(1, 8x8)")


def narrow(text: str, dtype: str = "f16") -> tuple[TrainingPlan, StepPlan]:
    """A training and its first step, with products in a type."""
    plan = training(text)
    return plan, replace(plan.steps[0], dtype=dtype)


def scaling(made: Mapping[str, NDArray[Any]]) -> tuple[float, float]:
    """The scale after a step, and the count of good ones."""
    return float(made[LOSS_SCALE + NEXT]), float(made[GOOD_STEPS + NEXT])


@pytest.mark.parametrize(("dtype", "left"), [("f16", set()), ("bf16", {"ConvTranspose"})])
def test_products_are_computed_in_the_type_and_nothing_else_is(dtype: str, left: set[str]) -> None:
    for text in (TEXT, UP):
        _, plan = narrow(text, dtype)
        model = build_step(plan)
        kind = onnx.TensorProto.FLOAT16 if dtype == "f16" else onnx.TensorProto.BFLOAT16
        inferred = onnx.shape_inference.infer_shapes(model, strict_mode=True, data_prop=True)
        kinds = {v.name: v.type.tensor_type.elem_type for v in inferred.graph.value_info}
        products = [n for n in model.graph.node if n.op_type in PRODUCTS - left]
        assert len(products) > 3
        assert all({kinds[name] for name in (*n.input, *n.output)} == {kind} for n in products)
        own = {id(n) for n in products}
        for node in model.graph.node:
            if id(node) not in own and node.op_type != "Cast":
                assert kind not in {kinds.get(name) for name in (*node.input, *node.output)}
        onnx.checker.check_model(model, full_check=True)


def test_a_step_in_float16_is_that_in_float32_but_for_rounding() -> None:
    text = TEXT.replace("label: class[10]", "label: f32[10]").replace("cross_entropy", "mse")
    whole, plan = narrow(text.replace("report accuracy(scores.logits, label)", ""))
    feeds = random_step(whole, plan, batch=4)
    model = build_step(plan, show=True)
    names = [output.name for output in model.graph.output]
    feeds[LOSS_SCALE] = np.array(256, np.float32)
    made = dict(zip(names, ReferenceEvaluator(model).run(None, feeds), strict=True))
    exact = run_step(plan, feeds).by_parameter
    errors = {
        name: abs(made[GRADIENT + name] - value).max() / abs(value).max()
        for name, value in exact.items()
        if "conv1.bias" not in name  # which the norm behind it takes away: zero but for rounding
    }
    assert 1e-6 < max(errors.values()) < 2e-2
    assert scaling(made) == (256, 1)
    feeds[LOSS_SCALE] = np.array(2**20, np.float32)  # so that float16 overflows
    with np.errstate(over="ignore", invalid="ignore"):
        made = dict(zip(names, ReferenceEvaluator(model).run(None, feeds), strict=True))
    assert scaling(made) == (2**19, 0)
    np.testing.assert_array_equal(
        made["tiny.conv1.weight" + NEXT], feeds["tiny.conv1.weight"], strict=True
    )


def test_a_step_with_a_derivative_that_is_no_number_is_left_out() -> None:
    whole, plan = narrow(TEXT)
    feeds = random_step(whole, plan, batch=4)
    session = session_of(build_step(plan))
    names = [output.name for output in session.get_outputs()]

    def after(**changed: float) -> dict[str, NDArray[Any]]:
        given = feeds | {name: np.array(value, np.float32) for name, value in changed.items()}
        return dict(zip(names, session.run(None, given), strict=True))

    made = after(loss_scale=3e38, good_steps=7)
    for name in layout_of(plan).changing():
        if name not in (LOSS_SCALE, GOOD_STEPS):
            np.testing.assert_array_equal(made[name + NEXT], feeds[name])
    assert scaling(made) == (2**24, 0)
    made = after(loss_scale=1024, good_steps=PATIENCE - 1)
    assert scaling(made) == (2048, 0)
    moved = [n for n in layout_of(plan).learned if not np.array_equal(made[n + NEXT], feeds[n])]
    assert set(moved) == set(layout_of(plan).learned)


def test_a_batch_with_a_derivative_that_is_no_number_does_not_count_among_several() -> None:
    whole, plan = narrow(TEXT.replace("batch 32", "batch 32; accumulate 2"))
    feeds = random_step(whole, plan, batch=4)
    feeds |= {"apply": np.array(False), LOSS_SCALE: np.array(3e38, np.float32)}
    session = session_of(build_step(plan))
    names = [output.name for output in session.get_outputs()]
    made = dict(zip(names, session.run(None, feeds), strict=True))
    for name in layout_of(plan).learned:
        np.testing.assert_array_equal(made[f"{name}/{SUM}{NEXT}"], feeds[f"{name}/{SUM}"])
    feeds["apply"] = np.array(True)
    made = dict(zip(names, session.run(None, feeds), strict=True))
    assert all(np.isfinite(made[name + NEXT]).all() for name in layout_of(plan).changing())
    assert all(not np.array_equal(made[n + NEXT], feeds[n]) for n in layout_of(plan).learned)


def test_a_run_in_float16_is_resumed_with_its_scale(tmp_path: Path) -> None:
    file, data = tmp_path / "t.netdef", tmp_path / "d.npz"
    file.write_text(TEXT)
    pictures, labels = digits(200)
    np.savez(data, image=pictures, label=labels)
    common = ("train", file, "--data", data, "--epochs", 1, "--device", "cpu")
    call = (*common, "--dtype", "f16", "--out")
    assert netc(*call, tmp_path / "whole").exit_code == 0
    assert netc(*call, tmp_path / "parts", "--max-steps", 3).exit_code == 0
    assert netc(*call, tmp_path / "parts", "--resume").exit_code == 0
    whole, parts = (load_file(tmp_path / n / "state.safetensors") for n in ("whole", "parts"))
    assert float(whole[LOSS_SCALE]) == 65536 and float(whole[GOOD_STEPS]) > 3
    assert all(np.array_equal(whole[name], parts[name]) for name in whole)
    other = netc(*common, "--out", tmp_path / "parts", "--resume")
    assert other.exit_code == 2
    assert netc("verify", file, "--train", "t", "--dtype", "f16").exit_code == 0


@pytest.mark.parametrize(
    ("dtype", "device", "code", "said"),
    [("bf16", "cpu", 3, "--dtype f16 or f32"), ("f16", "numpy", 2, "NumPy trains in float32")],
)
def test_a_device_without_such_products_is_refused(
    tmp_path: Path, dtype: str, device: str, code: int, said: str
) -> None:
    file, data = tmp_path / "t.netdef", tmp_path / "d.npz"
    file.write_text(TEXT)
    pictures, labels = digits(200)
    np.savez(data, image=pictures, label=labels)
    call = ("train", file, "--data", data, "--dtype", dtype, "--device", device)
    result = netc(*call, "--out", tmp_path / "o")
    assert (result.exit_code, said in result.stderr) == (code, True)
    assert not (tmp_path / "o" / "weights.safetensors").exists()
