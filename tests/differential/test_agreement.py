"""A few random nets on every run; and each kind of difference is found when there is one."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

from compiler.analysis import Analysis
from compiler.domain import Domain
from compiler.initialise import scatter
from compiler.onnx import LOWERINGS
from compiler.ops.activate import Relu
from compiler.ops.base import Op
from compiler.ops.convolution import Conv
from compiler.ops.scale import Shift
from compiler.receptive_field import ReceptiveFields
from compiler.rewriting import Rewrite, Rewriting
from runtime import reference
from runtime.kernels import KERNELS
from tests.differential import agreement, campaign, definitions
from tests.differential.__main__ import main
from tests.differential.agreement import (
    Findings,
    check,
    check_memory,
    check_outputs,
    compiled,
    loaded,
)
from tests.differential.campaign import Summary, run_batch
from tests.differential.costs import expect
from tests.differential.definitions import Definition
from tests.differential.difference import Difference
from tests.differential.fields import check_fields
from tests.differential.figures import on_numpy
from tests.differential.sizes import Symbolic

BATCHES, NETS = 2, 40

TEXT = """
net main({parameters}) {{
    input x0: f32[3, H, 9]
    conv(4, 3, stride=2, bias=false) as c : [4, ((H - 3) // 2) + 1, _] -> bn -> relu
    shift(0.5) -> upsample(2) -> conv(2, 3x2)
    output y
}}
"""
HEIGHT = Symbolic("H", 11)
SHAPE = (2, ((HEIGHT - 3) // 2 + 1) * 2 - 2, 7)
GIVEN = Definition(
    TEXT.format(parameters="").replace("()", ""),
    TEXT.format(parameters="H=11"),
    {"H": 11},
    {"y": SHAPE},
    21,
    0,
)


@pytest.mark.parametrize("number", range(BATCHES))
def test_all_accounts_of_random_nets_agree(number: int) -> None:
    summary = Summary()
    failure = run_batch(NETS, number, summary, set())
    assert failure is None, str(failure)
    assert summary.findings.nets > NETS // 2


def test_all_accounts_of_a_net_agree() -> None:
    findings = Findings()
    check(GIVEN, findings)
    assert findings.nets == 1 and findings.ops["conv"] == 2 and not findings.ill_conditioned


def difference(definition: Definition = GIVEN) -> Difference:
    """What is found to disagree."""
    with pytest.raises(Difference) as caught:
        check(definition, Findings())
    return caught.value


def test_a_definition_that_the_compiler_refuses_is_a_difference() -> None:
    wrong = replace(GIVEN, text=GIVEN.text.replace("[4,", "[5,"))
    assert difference(wrong).kind == "refused"


def test_a_size_that_is_not_the_drawn_one_is_a_difference() -> None:
    found = difference(replace(GIVEN, outputs={"y": (2, HEIGHT - 1, 7)}))
    assert found.kind == "shape"
    graph = compiled(loaded(GIVEN.text)).graph
    with pytest.raises(Difference, match="outputs"):
        check_outputs(replace(GIVEN, outputs={"z": SHAPE}), graph)


@pytest.mark.parametrize(
    "kernel",
    [
        lambda op, inputs, arrays: np.maximum(inputs[0], 1e-3),
        lambda op, inputs, arrays: inputs[0] * 1.001,
        lambda op, inputs, arrays: inputs[0][..., :-1],
    ],
)
def test_a_wrong_kernel_is_a_difference(monkeypatch: pytest.MonkeyPatch, kernel: Any) -> None:
    monkeypatch.setitem(KERNELS, Relu, kernel)
    assert difference().kind in ("numbers", "shape")


def test_a_layer_written_over_what_is_still_needed_is_a_difference(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Here the interpreter overlooks that a flattened map is in the memory of the map."""
    text = "net main {\n input x: f32[2, 1]\n shift(1) as a -> flatten as b\n"
    text += " bn(a) -> flatten as c\n relu(b) as d\n add(c, d)\n output y\n}"
    graph = scatter(compiled(loaded(text)).graph, 0)
    feeds = {"x": np.array([[[-3.0], [2.0]]], dtype=np.float32)}
    kept = on_numpy(graph, feeds, np.float32)
    check_memory(graph, feeds, kept)
    monkeypatch.setattr(reference, "shared_with", lambda value, names, tensors: set())
    with pytest.raises(Difference, match="memory"):
        check_memory(graph, feeds, kept)


def test_a_kernel_that_writes_over_its_input_is_a_difference(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def overwriting(op: Relu, inputs: Any, arrays: Any) -> Any:
        return np.maximum(inputs[0], 0, out=inputs[0])

    text = "net main { input x: f32[2]\n relu -> shift(1)\n output y }"
    graph = compiled(loaded(text)).graph
    feeds = {"x": np.array([[-3.0, 2.0]], dtype=np.float32)}
    kept = on_numpy(graph, feeds, np.float32)
    check_memory(graph, feeds, kept)
    monkeypatch.setitem(KERNELS, Relu, overwriting)
    with pytest.raises(Difference, match="x was written over"):
        check_memory(graph, feeds, kept)


def test_a_wrong_lowering_is_a_difference(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(LOWERINGS, Shift, lambda op, emit, x: emit.node("Mul", x, emit.floats(2.0)))
    assert "ONNX Runtime" in str(difference())


def without_bias(rewriting: Rewriting) -> None:
    """A pass that forgets a shift."""
    for node in rewriting.each():
        if node.op.name == "shift":
            rewriting.put(replace(node, op=Shift(0.25)))


def renewed(rewriting: Rewriting) -> None:
    """A pass that puts an equal layer in the place of each."""
    for node in rewriting.each():
        rewriting.put(replace(node))


def wrong_shape(rewriting: Rewriting) -> None:
    """A pass that leaves a layer of another shape."""
    node = rewriting.nodes["c"]
    rewriting.put(replace(node, shape=(9, *node.shape[1:])))


def test_a_pass_that_does_more_than_it_says_is_a_difference(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(agreement, "PASSES", {renewed: ()})
    assert difference().kind == "pass"


@pytest.mark.parametrize(("rewrite", "kind"), [(without_bias, "numbers"), (wrong_shape, "verify")])
def test_a_wrong_pass_is_a_difference(
    monkeypatch: pytest.MonkeyPatch, rewrite: Rewrite, kind: str
) -> None:
    monkeypatch.setattr(agreement, "PASSES", {rewrite: (Op,)})
    assert difference().kind == kind


@pytest.mark.parametrize("answer", [[], ["H >= 99"]])
def test_a_domain_that_is_too_wide_or_too_narrow_is_a_difference(
    monkeypatch: pytest.MonkeyPatch, answer: list[str]
) -> None:
    def contains(domain: Domain, values: dict[str, int]) -> list[str]:
        return answer if values != GIVEN.symbols else []

    monkeypatch.setattr(Domain, "contains", contains)
    assert difference().kind == "domain"


@pytest.mark.parametrize("what", ["parameters", "buffers", "macs", "peak"])
def test_a_wrong_count_is_a_difference(monkeypatch: pytest.MonkeyPatch, what: str) -> None:
    net = loaded(GIVEN.plain)
    analysis = compiled(net).analysis
    assert analysis is not None
    wrong = replace(analysis, **{what: getattr(analysis, what) + 1})
    monkeypatch.setattr(
        agreement, "compiled", lambda *args: replace(compiled(*args), analysis=wrong)
    )
    plain = replace(GIVEN, text=GIVEN.plain, symbols={}, outputs={"y": (2, 8, 7)})
    assert difference(plain).kind == "costs"
    expect("equal", 3, 3)


@pytest.mark.parametrize(("first", "last"), [(1, 0), (0, -1), (-1, 0), (0, 1)])
def test_a_field_that_is_too_small_or_too_large_is_a_difference(first: int, last: int) -> None:
    checked = compiled(loaded(GIVEN.plain))
    graph, analysis = scatter(checked.graph), checked.analysis
    assert analysis is not None
    check_fields(graph, analysis, {})
    with pytest.raises(Difference, match="field"):
        check_fields(graph, moved(analysis, first, last), {})


def moved(analysis: Analysis, first: int, last: int) -> Analysis:
    """The analysis with another field for the last layer."""
    *others, layer = analysis.layers
    axis, width = layer.field
    ends = tuple(end + last for end in axis.last if isinstance(end, int))
    wrong = replace(axis, first=tuple(start + first for start in axis.first), last=ends)
    fields = ReceptiveFields(layer.fields.graph)
    fields.by_layer[layer.node.name] = (wrong, width)
    return replace(analysis, layers=(*others, replace(layer, fields=fields)))


def off_by_one(op: Conv, inputs: Any, arrays: Any, right: Any = KERNELS[Conv]) -> Any:
    """A convolution that is wrong everywhere."""
    return right(op, inputs, arrays) + 1


def test_a_difference_is_shrunk_and_can_be_repeated(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(KERNELS, Conv, off_by_one)
    monkeypatch.setattr(campaign, "SHRINKING", 1e9)
    failure = run_batch(20, 0, Summary(), set())
    assert failure is not None and failure.definition is not None
    _, _, layer, *rest = failure.definition.text.splitlines()
    assert "conv(" in layer and rest == ["    output y", "}"]
    assert "--seed 0" in str(failure)


def test_shrinking_ends_when_its_time_is_over(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(KERNELS, Conv, off_by_one)
    monkeypatch.setattr(campaign, "SHRINKING", 0.0)
    summary = Summary()
    failure = run_batch(20, 0, summary, set())
    assert failure is not None and isinstance(failure.error, Difference)
    assert summary.drawn == summary.findings.nets + 1


def test_a_definition_that_cannot_be_drawn_is_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(definitions, "draw_net_body", lambda pen, scope, asserts: 1 / 0)
    failure = run_batch(5, 0, Summary(), set())
    assert failure is not None and failure.definition is None
    assert isinstance(failure.error, ZeroDivisionError)


def test_the_command_tells_what_it_ran_and_fails_on_a_difference(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(campaign, "BATCH", 5)
    done = CliRunner().invoke(main, ["--count", "3", "--seed", "7"])
    assert done.exit_code == 0
    assert "ops: " in done.output and "0 differences" in done.output
    monkeypatch.setattr("tests.differential.__main__.check", lambda definition, findings: 1 / 0)
    monkeypatch.setattr(campaign, "MOST_FAILURES", 1)
    broken = CliRunner().invoke(main, ["--count", "3"])
    assert broken.exit_code == 1
    assert "ZeroDivisionError" in broken.output and "1 differences" in broken.output
