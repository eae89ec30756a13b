"""ONNX files that are broken, or that ask for more than there is: told in their place, soon."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from tests.importers.onnx_text import onnx_model
from tests.netc.command import netc
from tests.test_limits import run


def with_nodes(*nodes: onnx.NodeProto) -> onnx.ModelProto:
    model = onnx_model("y = Relu(x)")
    del model.graph.node[:]
    model.graph.node.extend(nodes)
    return model


def node(kind: str, inputs: str, outputs: str, **attributes: Any) -> onnx.NodeProto:
    return helper.make_node(kind, inputs.split(), outputs.split(), **attributes)


def without_opset() -> onnx.ModelProto:
    model = onnx_model("y = Relu(x)")
    del model.opset_import[:]
    return model


def of_machine_learning() -> onnx.ModelProto:
    model = with_nodes(node("Scaler", "x", "y"))
    model.graph.node[0].domain = "ai.onnx.ml"
    model.opset_import[0].domain = "ai.onnx.ml"
    return model


def of_unknown_type() -> onnx.ModelProto:
    model = onnx_model("y = Add(x, w)", weights={"w": (3, 1, 1)})
    model.graph.initializer[0].data_type = 99
    return model


def of_negative_shape() -> onnx.ModelProto:
    return onnx_model("k = ConstantOfShape(s) y = Add(x, k)", constants={"s": [-3, 1, 1]})


def of_old_opset() -> onnx.ModelProto:
    model = onnx_model("y = Relu(nope)")
    model.opset_import[0].version, model.ir_version = 6, 3
    return model


def with_data_of_a_long_name() -> onnx.ModelProto:
    model = onnx_model("y = Add(x, w)", weights={"w": (3, 1, 1)})
    tensor = model.graph.initializer[0]
    tensor.data_location = TensorProto.EXTERNAL
    entry = tensor.external_data.add()
    entry.key, entry.value = "location", "a" * 3000
    return model


BROKEN: dict[str, tuple[Callable[[], onnx.ModelProto], int, str]] = {
    "no opset": (without_opset, 2, "does not say which version"),
    "machine learning": (of_machine_learning, 2, "trees, support vectors"),
    "a circle": (
        lambda: with_nodes(node("Add", "x b", "a"), node("Relu", "a", "b"), node("Relu", "b", "y")),
        1,
        "in a circle, a -> b -> a",
    ),
    "a tensor made twice": (
        lambda: with_nodes(node("Relu", "x", "y"), node("Tanh", "x", "y")),
        1,
        "y is made twice",
    ),
    "a tensor that nothing makes": (
        lambda: with_nodes(node("Relu", "a", "y")),
        1,
        "nothing makes a",
    ),
    "an output that nothing makes": (lambda: with_nodes(node("Relu", "x", "a")), 1, "its output y"),
    "a node that makes nothing": (
        lambda: with_nodes(node("Relu", "x", "y"), node("Div", "x x", "")),
        1,
        "Div makes nothing",
    ),
    "an unknown type": (of_unknown_type, 2, "w has the unknown type 99"),
    "a negative shape": (of_negative_shape, 1, "ConstantOfShape k"),
    "an old opset with a mistake": (of_old_opset, 1, "nothing makes nope"),
    "data of a long name": (with_data_of_a_long_name, 2, "where no file can be"),
    "an input of many axes": (
        lambda: onnx_model("y = Relu(x)", f"float[{', '.join('1' * 70)}] x"),
        1,
        "1 to 4 sizes",
    ),
    "a constant with more axes": (
        lambda: onnx_model("y = Mul(x, k)", "float[N, 6] x", constants={"k": np.ones((1, 1, 1))}),
        1,
        "adds axes before the batch",
    ),
}


@pytest.mark.parametrize("case", BROKEN)
def test_a_broken_model_is_told_of_in_words(case: str, tmp_path: Path) -> None:
    make, code, words = BROKEN[case]
    (tmp_path / "m.onnx").write_bytes(make().SerializeToString())
    told = netc("import", tmp_path / "m.onnx", "-o", tmp_path / "m.netdef")
    assert told.exit_code == code and words in told.stderr and "E901" not in told.stderr
    assert [file.name for file in tmp_path.iterdir()] == ["m.onnx"]


@pytest.mark.parametrize("command", ["import", "verify", "summary", "diff", "bench"])
def test_every_command_tells_a_name_that_is_no_text_alike(command: str, tmp_path: Path) -> None:
    content = onnx_model("longname = Relu(x) y = Tanh(longname)").SerializeToString()
    file = tmp_path / "m.onnx"
    file.write_bytes(content.replace(b"longname", b"longna\xff\xfe"))
    more: dict[str, list[object]] = {"import": ["-o", tmp_path / "m.netdef"], "diff": [file]}
    told = netc(command, file, *more.get(command, []))
    assert told.exit_code == 2 and "a name in it is no UTF-8 text" in told.stderr


def test_nodes_in_any_order_are_read(tmp_path: Path) -> None:
    onnx.save(with_nodes(node("Tanh", "h", "y"), node("Relu", "x", "h")), tmp_path / "m.onnx")
    told = netc("import", tmp_path / "m.onnx", "-o", tmp_path / "m.netdef")
    assert told.exit_code == 0 and "relu" in (tmp_path / "m.netdef").read_text()


def grown(kind: str, count: int, times: int, first: str = "x", **attributes: object) -> str:
    """A chain of nodes each of which takes the one before it several times."""
    said = ", ".join(f"{k} = {v}" for k, v in attributes.items())
    rows = [
        f"t{i + 1} = {kind}<{said}>({', '.join([f't{i}' if i else first] * times)})"
        for i in range(count)
    ]
    return " ".join(rows).replace("<>", "") + f" y = Relu(t{count})"


TOO_MUCH = {
    "channels": (grown("Concat", 14, 10, axis=1), {}, "E601"),
    "a list of sizes": (
        "s = Shape(x) " + grown("Concat", 20, 8, "s", axis=0),
        {},
        "a list of more than 4,096 sizes",
    ),
    "a constant joined with itself": (
        grown("Concat", 9, 16, "k", axis=0).replace("Relu(t9)", "Add(x, t9)"),
        {"k": np.ones(4)},
        "it makes a constant of 1,073,741,824 numbers",
    ),
    "a constant enlarged": (
        'k = Resize(a, "", s) y = Add(x, k)',
        {"a": np.ones((1, 1, 4, 4)), "s": np.array([1.0, 1.0, 1e6, 1e6])},
        "it makes a constant of 16,000,000,000,000 numbers",
    ),
}


@pytest.mark.parametrize("case", TOO_MUCH)
def test_a_few_bytes_do_not_ask_for_hours(case: str, tmp_path: Path) -> None:
    nodes, constants, words = TOO_MUCH[case]
    onnx.save(onnx_model(nodes, constants=constants), tmp_path / "m.onnx")
    code, _, errors = run("import", tmp_path / "m.onnx", "-o", tmp_path / "m.netdef")
    assert code == 1 and words in errors and "m.onnx:" in errors


def test_an_old_join_lines_up_from_its_axis_on(tmp_path: Path) -> None:
    model = onnx_model(
        "h = Conv(x, w) z = Add<axis = 1, broadcast = 1>(h, b) y = Relu(z)",
        "float[1, 3, 8, 8] x",
        weights={"w": (4, 3, 3, 3), "b": (4,)},
        opset=7,
    )
    model.opset_import[0].version = 6
    onnx.save(model, tmp_path / "m.onnx")
    told = netc("import", tmp_path / "m.onnx", "-o", tmp_path / "m.netdef")
    assert told.exit_code == 0
    assert "    conv(4, 3x3) -> relu" in (tmp_path / "m.netdef").read_text()


def test_a_layer_added_to_itself_again_and_again_is_visited_once(tmp_path: Path) -> None:
    onnx.save(onnx_model(grown("Add", 24, 2)), tmp_path / "m.onnx")
    assert run("import", tmp_path / "m.onnx", "-o", tmp_path / "m.netdef")[0] == 0


def test_a_long_chain_is_counted_first(tmp_path: Path) -> None:
    onnx.save(onnx_model(grown("Relu", 12_100, 1)), tmp_path / "m.onnx")
    code, _, errors = run("import", tmp_path / "m.onnx", "-o", tmp_path / "m.netdef")
    assert code == 1 and "error[E209]" in errors and "m.onnx:4302:1" in errors


def test_an_operator_of_very_many_layers_is_counted_by_them(tmp_path: Path) -> None:
    pieces = ", ".join(f"t{i}" for i in range(4301))
    model = onnx_model(
        f"{pieces} = Split<axis = 1>(x) y = Concat<axis = 1>({pieces})", "float[1, 4301] x"
    )
    onnx.save(model, tmp_path / "m.onnx")
    code, _, errors = run("import", tmp_path / "m.onnx", "-o", tmp_path / "m.netdef")
    assert code == 1 and "it makes 4,302 layers, and at most 4,300 are imported" in errors
    assert "m.onnx:2:1" in errors


def test_sums_of_very_many_are_counted_by_what_they_take(tmp_path: Path) -> None:
    chain = "t0 = Relu(x) " + " ".join(f"t{i + 1} = Relu(t{i})" for i in range(299))
    taken = ", ".join(f"t{i}" for i in range(300))
    sums = " ".join(f"s{i} = Sum({taken})" for i in range(70))
    last = f"y = Sum({', '.join(f's{i}' for i in range(70))})"
    onnx.save(onnx_model(f"{chain} {sums} {last}"), tmp_path / "m.onnx")
    code, _, errors = run("import", tmp_path / "m.onnx", "-o", tmp_path / "m.netdef")
    assert code == 1 and "error[E209]: its layers take more than 20,000 tensors in all" in errors


def test_a_model_that_no_definition_holds_is_refused(tmp_path: Path) -> None:
    names = [f"x{i}" for i in range(12_000)]
    inputs = ", ".join(f"float[1, 2] {name}" for name in names)
    onnx.save(onnx_model(f"y = Sum({', '.join(names)})", inputs), tmp_path / "m.onnx")
    code, _, errors = run("import", tmp_path / "m.onnx", "-o", tmp_path / "m.netdef")
    assert code == 1 and "error[E209]: its definition would be too long" in errors


def test_joins_that_each_take_the_input_do_not_stand_in_each_other_for_ever(tmp_path: Path) -> None:
    chain = " ".join(f"t{i + 1} = Mean(t{i}, x)" for i in range(400))
    onnx.save(onnx_model(f"t0 = Relu(x) {chain} y = Relu(t400)"), tmp_path / "m.onnx")
    assert run("import", tmp_path / "m.onnx", "-o", tmp_path / "m.netdef")[0] == 0
    text = (tmp_path / "m.netdef").read_text()
    assert 8 * 4 + 4 <= max(len(line) - len(line.lstrip()) for line in text.splitlines()) <= 40


def test_a_scalar_between_two_parts_stays_one(tmp_path: Path) -> None:
    """`verify` runs a model in parts: what goes from one to the next keeps its shape."""
    nodes = """i = Constant<value_int = 0>() s = Shape(x) g = Gather<axis = 0>(s, i)
        u = Unsqueeze(g, z) c = Concat<axis = 0>(u, m) y = Reshape(x, c)"""
    onnx.save(onnx_model(nodes, constants={"z": [0], "m": [-1]}), tmp_path / "m.onnx")
    assert netc("verify", tmp_path / "m.onnx").exit_code == 0


def test_a_batch_of_minus_one_is_open(tmp_path: Path) -> None:
    model = onnx_model("y = Relu(x)")
    model.graph.input[0].type.tensor_type.shape.dim[0].dim_value = -1
    onnx.save(model, tmp_path / "m.onnx")
    assert netc("verify", tmp_path / "m.onnx").exit_code == 0
    told = netc("import", tmp_path / "m.onnx", "-o", tmp_path / "m.netdef")
    assert told.exit_code == 0 and "fixed to" not in told.stdout


def test_the_first_of_several_branches_has_the_parameters_that_they_share(tmp_path: Path) -> None:
    model = onnx_model(
        """a = Mul(x, x) b = MatMul(a, "k.weight") c = MatMul(x, "k.weight") d = Relu(x)
        e = Softmax<axis = 2>(b)""",
        "float[N, 3, 8] x",
        weights={"k.weight": (8, 4)},
        outputs="d, c, e",
    )
    onnx.save(model, tmp_path / "m.onnx")
    told = netc("import", tmp_path / "m.onnx", "-o", tmp_path / "m.netdef")
    text = (tmp_path / "m.netdef").read_text()
    assert told.exit_code == 0 and text.index("as k") < text.index("like k")


@pytest.mark.parametrize("command", ["import", "summary", "verify"])
def test_a_quantized_model_is_one_mistake(tmp_path: Path, command: str) -> None:
    """Its operators come in dozens, and none of them is the reader's fault."""
    model = onnx_model(
        "a = QuantizeLinear(x, scale) b = DequantizeLinear(a, scale) c = Relu(b)"
        " d = QuantizeLinear(c, scale) y = DequantizeLinear(d, scale)",
        constants={"scale": np.float32(0.5)},
    )
    path = tmp_path / "bytes.onnx"
    onnx.save(model, path)
    told = netc(command, path)
    assert told.exit_code == 1 and told.stderr.count("error[") == 1
    assert "error[E601]: bytes.onnx is quantized, and the language has no such" in told.stderr
    assert "of its 5 operators 2 are QuantizeLinear, 2 are DequantizeLinear" in told.stderr
    assert "netc run, bench and serve take it as it is" in told.stderr
    assert not [*tmp_path.glob("*.netdef")]
