"""gather and take: places of a table by whole numbers."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from compiler.driver import check_net, load
from compiler.graph import Node
from compiler.initialise import scatter
from compiler.ops.gathering import Gather, Take
from compiler.ops.losses import Total
from grammar.diagnostics import DefinitionError
from grammar.source import Source
from netc.runnable import Engine, runnable_of_graph, runnable_of_model
from runtime.errors import CallError
from runtime.inputs import samples_of
from runtime.random_inputs import random_feeds
from tests.define import define
from tests.gradients.onnxcheck import check_graph
from tests.netc.command import netc
from tests.opcheck import apply, check, make, refuse

ROWS = [[0.0, 1.0], [10.0, 11.0], [20.0, 21.0]]
WORDS = """
net words(vocabulary=7) {
    input tokens: i64[T]
    assert T >= 2
    add { gather(vocabulary, 4) as embedding; param([1, 4], init="normal(1)") as position }
    output y
}
"""


def test_hand_computed_rows() -> None:
    found = apply(make(Gather, 3, 2), [2, 0, 2], weight=ROWS)
    assert found == [[20, 21], [0, 1], [20, 21]]
    assert apply(make(Gather, 3, 2), [[1], [0]], weight=ROWS) == [[[10, 11]], [[0, 1]]]


def test_hand_computed_places() -> None:
    assert apply(make(Take), ROWS, [2, 0, 0]) == [[20, 21], [0, 1], [0, 1]]
    assert apply(make(Take, axis=1), ROWS, [1, 1, 0]) == [[1, 1, 0], [11, 11, 10], [21, 21, 20]]
    assert apply(make(Take), [5.0, 6.0], [[1, 0], [0, 0]]) == [[6, 5], [5, 5]]


@pytest.mark.parametrize("axis", [0, 1, -1])
@pytest.mark.parametrize("shape", [(4,), (2, 3)])
@pytest.mark.parametrize("opset", [13, 21])
def test_a_place_of_each_sample_is_that_of_a_plain_loop(
    axis: int, shape: tuple[int, ...], opset: int
) -> None:
    random = np.random.default_rng(0)
    table = random.standard_normal((3, 4, 5, 6)).astype(np.float32)
    index = random.integers(0, 4, (3, *shape)).astype(np.float32)
    result = check(
        make(Take, axis=axis), (4, 5, 6), shape, inputs=(table, index), opset=opset
    ).reference
    at = axis % 3
    for sample in range(3):
        for place in np.ndindex(*shape):
            wanted = table[sample].astype(np.float64).take(int(index[(sample, *place)]), axis=at)
            where = (slice(None),) * at + place
            assert (result[sample][where] == wanted).all()


@pytest.mark.parametrize(("device", "dtype"), [("cpu", "f32"), ("numpy", "f32"), ("cpu", "f16")])
def test_a_net_of_whole_numbers_runs(device: str, dtype: str) -> None:
    net = define(WORDS)
    weights = dict(net.weights)
    assert {k: v.shape for k, v in weights.items()} == {
        "embedding.weight": (7, 4),
        "position": (1, 4),
    }
    net = net.with_weights(weights)
    tokens = np.array([[6, 0, 6], [1, 2, 3]])
    found = net.run({"tokens": tokens}, device=device, dtype=dtype)["y"]
    wanted = weights["embedding.weight"][tokens] + weights["position"]
    np.testing.assert_allclose(found, wanted, rtol=1e-2 if dtype == "f16" else 1e-6, atol=1e-3)
    assert net.verify(dtype=dtype).ok


def test_a_fixed_index_of_a_learned_table() -> None:
    net = define(
        """net window {
            input x: f32[2, 3, 2]
            table = param([3, 2], init="normal(1)") as bias_table
            index = const([0, 1, 1, 2, 0, 2])
            bias = take(table, index) -> reshape([3, 2, 2]) -> transpose([2, 0, 1])
            add(x, bias)
            output y
        }"""
    )
    assert [*net.weights] == ["bias_table"]
    x = np.ones((4, 2, 3, 2), np.float32)
    taken = net.weights["bias_table"][[0, 1, 1, 2, 0, 2]].reshape(3, 2, 2).transpose(2, 0, 1)
    np.testing.assert_allclose(net.run({"x": x}, seed=0)["y"], x + taken, rtol=1e-6)
    assert net.verify().ok


TAKEN = {
    "a learned table": 'param([2, 4], init="normal(1)")',
    "a table that is fed": "x",
    "a table that is made": "x -> tanh",
}


@pytest.mark.parametrize("table", TAKEN)
def test_derivatives_sum_what_is_taken_several_times(table: str) -> None:
    net = define(
        f"""net summed {{
            input x: f32[2, 4]
            input tokens: i64[3, 2]
            input places: i64[3]
            v = tokens -> gather(5, 4) as words -> reduce_mean(axis=1)
            table = {TAKEN[table]}
            w = take(table, places) -> dense(4, axis=1)
            index = const([3, 0, 3, 1, 1])
            z = take(table, index, axis=1) -> reduce_sum(axis=1, keep=true)
            add(v, w) -> tanh -> reduce_sum(axis=0, keep=true)
            mul {{ identity; z -> reduce_sum(axis=0, keep=true) }}
            output y
        }}"""
    )
    last = net.graph[net.graph.outputs["y"]]
    total = Node("total", Total(), (last.name,), (), last.span)
    graph = net.graph.rebuilt((*net.graph.nodes(), total), outputs={"objective": "total"})
    random = np.random.default_rng(0)
    feeds = {
        "x": random.standard_normal((3, 2, 4)).astype(np.float32),
        "tokens": random.integers(0, 5, (3, 3, 2)),
        "places": random.integers(0, 2, (3, 3)),
    }
    check_graph(scatter(graph), feeds, "objective")


def test_what_is_refused() -> None:
    assert refuse(make(Gather, 2**25, 1), (3,)).argument == "rows"
    assert refuse(make(Gather, 2, 1), (1, 1, 1, 1, 1, 1)).code == "E305"
    assert refuse(make(Take, axis=2), (3, 4), (2,)).argument == "axis"
    assert refuse(make(Take), (3, 1, 1, 1), (1, 1, 1, 1)).code == "E305"
    with pytest.raises(DefinitionError, match="take takes whole numbers from 0 to 2"):
        define("net t { input x: f32[3, 2]; take { identity; const([0, 3]) }; output y }")
    with pytest.raises(DefinitionError, match="takes whole numbers"):
        define("net t { input x: f32[3, 2]; take { identity; const([0, 0.5]) }; output y }")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "words.netdef"
    path.write_text(WORDS)
    return path


def test_numbers_outside_of_the_table_are_refused_before_the_run(file: Path) -> None:
    model = file.with_suffix(".onnx")
    assert netc("compile", str(file), "-o", str(model)).exit_code == 0
    np.save(file.with_name("out.npy"), np.array([[0, 7]]))
    np.save(file.with_name("below.npy"), np.array([[0, -1]]))
    np.save(file.with_name("half.npy"), np.array([[0.5, 1]]))
    for source in (file, model):
        for name, said in (("out", "0 to 6, which 7"), ("below", "which -1"), ("half", "int64")):
            given = f"tokens={file.with_name(f'{name}.npy')}"
            for device in ("cpu", "numpy")[: 1 + (source is file)]:
                done = netc("run", str(source), "--input", given, "--device", device)
                assert done.exit_code == 2 and said in done.stderr


def test_a_definition_and_its_model_are_run_on_the_same_random_numbers(file: Path) -> None:
    graph = check_net(next(iter(load(Source("words.netdef", WORDS)).nets()))).graph
    model = file.with_suffix(".onnx")
    assert netc("compile", str(file), "-o", str(model)).exit_code == 0
    ours = runnable_of_graph(graph, Engine("numpy")).spec("tokens")
    theirs = runnable_of_model(model, Engine("cpu")).spec("tokens")
    assert (ours.below, ours.dtype) == (theirs.below, theirs.dtype) == (7, "int64")
    drawn = random_feeds(graph, 0, 64)["tokens"]
    assert drawn.dtype == np.int64 and {*drawn.flat} == {*range(7)}
    with pytest.raises(CallError, match="whole numbers from 0 to 6"):
        [sample.read() for sample in samples_of(ours, np.array([[7, 1]]))]


def test_a_net_of_whole_numbers_is_called_like_any_other() -> None:
    text = f"""{WORDS}
    net outer {{ input a: i64[5]; words() -> dense(2, axis=-1); output y }}"""
    (outer,) = [net for net in load(Source("outer.netdef", text)).nets() if net.name == "outer"]
    checked = check_net(outer)
    assert not checked.errors and checked.graph[checked.graph.outputs["y"]].shape == (5, 2)


def test_inputs_have_up_to_six_sizes() -> None:
    net = define(
        "net t { input x: f32[1, 2, 3, 1, 2, 2]; relu -> reduce_sum(axis=[1, 4]); output y }"
    )
    assert net.graph[net.graph.outputs["y"]].shape == (1, 3, 1, 2) and net.verify().ok
    with pytest.raises(DefinitionError, match="an input has 1 to 6 sizes"):
        define("net t { input x: f32[1, 1, 1, 1, 1, 1, 1]; relu; output y }")
