"""The interpreter: what it keeps, what it copies, what it lets go."""

from __future__ import annotations

import tracemalloc
import weakref
from typing import Any

import numpy as np
import pytest

from compiler.graph import Draft, Graph, Input, Node
from compiler.initialise import initialise
from compiler.ops.activate import Relu
from compiler.ops.base import Op
from compiler.ops.convolution import Conv
from compiler.ops.joins import Add
from compiler.ops.normalise import BatchNorm
from compiler.ops.reshape import Flatten, Reshape
from compiler.ops.shapes import infer
from runtime import reference
from runtime.reference import interpret, run_reference, with_sizes
from tests.opcheck import PLACE, H, W


def chain(shape: tuple[Any, ...], *layers: tuple[str, Op, tuple[str, ...]]) -> Graph:
    """A network of layers (name, op, inputs) on one input x; its output is the last of them."""
    graph = Draft("chain", outputs={"result": layers[-1][0]})
    graph.add(Node("x", Input(), (), shape, PLACE))
    for name, op, inputs in layers:
        made = infer(op, tuple(graph[source].shape for source in inputs), graph.facts)
        graph.add(Node(name, op, inputs, made, PLACE))
    return initialise(graph.finished())


def test_a_tensor_is_let_go_after_its_last_use() -> None:
    graph = chain(
        (3, 4, 5),
        ("a", Relu(), ("x",)),
        ("b", Relu(), ("a",)),
        ("c", Relu(), ("b",)),
        ("d", Add(), ("a", "c")),
        ("e", Relu(), ("d",)),
    )
    feeds = {"x": np.ones((1, 3, 4, 5), dtype=np.float64)}
    alive: dict[str, set[str]] = {}
    tensors: dict[str, Any] = {}
    for node, value in interpret(graph, feeds, np.float32):
        tensors[node.name] = weakref.ref(value)
        del value
        alive[node.name] = {name for name, tensor in tensors.items() if tensor() is not None}
    assert alive == {
        "x": {"x"},
        "a": {"a"},
        "b": {"a", "b"},
        "c": {"a", "c"},
        "d": {"d"},
        "e": {"e"},
    }


def test_outputs_and_tensors_used_twice_are_right() -> None:
    graph = chain((2,), ("a", Add(), ("x", "x")), ("b", Add(), ("a", "x", "a")))
    got = run_reference(graph, {"x": np.array([[1.0, -2.0]])})
    np.testing.assert_array_equal(got["result"], [[5, -10]])
    assert got["result"].dtype == np.float32


def test_a_layer_is_written_over_what_nobody_needs_any_more(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Not over what is fed, has another use, is a view of such, or is asked for."""
    graph = chain(
        (3, 4),
        ("fed", Relu(), ("x",)),
        ("over", BatchNorm(), ("fed",)),
        ("again", Relu(), ("over",)),
        ("twice", Add(), ("again", "again")),
        ("view", Flatten(), ("twice",)),
        ("of_view", Relu(), ("view",)),
        ("of_map", Relu(), ("twice",)),
        ("map_again", Relu(), ("of_map",)),
        ("passed_on", Flatten(), ("map_again",)),
        ("sum", Add(), ("passed_on", "of_view")),
        ("asked", Relu(), ("sum",)),
        ("last", Relu(), ("asked",)),
    )
    written: list[str] = []
    held: list[Any] = []  # so that no new array takes the place of one that was let go

    def run_kernel(op: Op, inputs: Any, arrays: Any, over: bool = False) -> Any:
        value = reference_kernel(op, inputs, arrays, over=over)
        if value is inputs[0]:
            written.append(names[len(held)])
        held.append(value)
        return value

    names = [node.name for node in graph.nodes() if node.inputs]
    reference_kernel = reference.run_kernel
    monkeypatch.setattr(reference, "run_kernel", run_kernel)
    feeds = {"x": np.linspace(-1, 1, 24, dtype=np.float32).reshape(2, 3, 4)}
    plain = {node.name: value for node, value in interpret(graph, feeds)}
    assert not written
    held.clear()
    kept = ("asked", "last")
    found = {n.name: v for n, v in interpret(graph, feeds, kept=kept) if n.name in kept}
    assert written == ["over", "again", "map_again", "sum", "asked"]
    for name, value in found.items():
        np.testing.assert_array_equal(value, plain[name])


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_weights_are_copied_only_to_change_their_type(
    dtype: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    graph = chain((3, 4, 5), ("a", Conv(2, 3), ("x",)))
    seen: dict[str, Any] = {}

    def run_kernel(op: Op, inputs: Any, arrays: Any, **_: Any) -> Any:
        seen.update(arrays)
        return inputs[0]

    monkeypatch.setattr(reference, "run_kernel", run_kernel)
    run_reference(graph, {"x": np.ones((1, 3, 4, 5))}, dtype)
    assert seen["weight"].dtype == dtype
    same = np.shares_memory(seen["weight"], graph.values["a.weight"])
    assert same == (dtype == np.float32)


def test_symbolic_arguments_become_the_numbers_of_the_inputs() -> None:
    op = Reshape((3, H, 2 * W, -1))
    assert with_sizes(op, {"H": 4, "W": 5}) == Reshape((3, 4, 10, -1))
    plain = Conv(4, 3)
    assert with_sizes(plain, {"H": 4}) is plain


def test_peak_memory_is_that_of_the_live_tensors_and_one_matrix_of_windows() -> None:
    size = (16, 160, 160)
    graph = chain(
        size,
        ("a", Conv(16, 3, pad=1), ("x",)),
        ("b", Relu(), ("a",)),
        ("c", Conv(16, 3, pad=1), ("b",)),
        ("d", Add(), ("b", "c")),
    )
    feeds = {"x": np.ones((1, *size), dtype=np.float32)}
    run_reference(graph, feeds)
    tracemalloc.start()
    run_reference(graph, feeds)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    tensor = 4 * int(np.prod(size))
    columns = 4 * 2**19
    assert peak < 1.5 * (3 * tensor + columns)  # b, c and d live at once
