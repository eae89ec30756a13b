"""PyTorch source of nets: golden files, the names of the state, and what is refused."""

from __future__ import annotations

import ast
import builtins
import re
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

import pytest

from compiler.torch.helpers import HELPERS
from compiler.torch.lines import wrapped
from compiler.torch.source import class_name
from netc.exported import count_from_front
from netc.library import open_module
from netc.net import Net
from runtime.errors import CallError, MachineError
from tests.compiler.ruff import RUFF, complaints
from tests.compiler.torch_nets import NETS
from tests.define import define
from tests.importers.onnx_text import onnx_model
from tests.netc.command import netc

GOLDEN = Path(__file__).parents[1] / "golden" / "torch"
LIBRARY = ("lenet5", "resnet18", "googlenet", "unet")


def library_net(name: str) -> Net:
    """A net of the library."""
    from compiler.driver import check_net

    module, _ = open_module(name)
    return Net(check_net(next(net for net in module.nets() if net.name == name)))


def source_of(name: str) -> str:
    """The source of a net of the library or of these tests."""
    return (define(NETS[name]) if name in NETS else library_net(name)).torch_source()


@pytest.mark.parametrize("name", [*LIBRARY, *NETS])
def test_source_is_the_golden_one(name: str, bless: bool) -> None:
    path, source = GOLDEN / f"{name}.txt", source_of(name)
    ast.parse(source)
    if bless:
        path.write_text(source, encoding="utf-8")
    assert source == path.read_text(encoding="utf-8"), "renew it with --bless"
    assert max(map(len, source.splitlines())) <= 100


def test_the_golden_sources_are_those_of_these_nets() -> None:
    assert {path.stem for path in GOLDEN.glob("*.txt")} == {*LIBRARY, *NETS}


@pytest.mark.skipif(not RUFF.is_file(), reason="ruff is not installed")
def test_ruff_has_nothing_to_say(tmp_path: Path) -> None:
    for path in GOLDEN.glob("*.txt"):
        (tmp_path / f"{path.stem}.py").write_text(path.read_text("utf-8"), encoding="utf-8")
    assert not complaints(tmp_path)
    (tmp_path / "long.py").write_text("import os\n", encoding="utf-8")
    assert "F401" in complaints(tmp_path)


def test_imports_are_those_that_are_needed() -> None:
    for path in GOLDEN.glob("*.txt"):
        source = path.read_text()
        assert ("\nimport math\n" in source) == bool(re.search(r"\bmath\.", source))
        assert ("import functional as F" in source) == bool(re.search(r"\bF\.", source))


def test_no_comment_imports_anything() -> None:
    said = "# By Fr. Chollet, math. of an OrderedDict( in torch.nn, a NamedTuple"
    written = define(f"{said}\nnet t {{ input x: f32[3]; relu; output y }}").torch_source()
    found = [line for line in written.splitlines() if line.startswith(("import ", "from "))]
    assert said in written
    assert found == ["from torch import nn", "from torch.nn import functional as F"]


def test_no_name_hides_a_function_of_the_source() -> None:
    made = ast.parse((GOLDEN / "makers.txt").read_text("utf-8"))
    functions = {each.name for each in made.body if isinstance(each, ast.FunctionDef)}
    assert functions == {"c_block", "print_block", "two", "two2", "in_channels_block"}
    for path in GOLDEN.glob("*.txt"):
        tree = ast.parse(path.read_text("utf-8"))
        own = {each.name for each in tree.body if isinstance(each, ast.FunctionDef)}
        given = {each.arg for each in ast.walk(tree) if isinstance(each, ast.arg)}
        names = [each for each in ast.walk(tree) if isinstance(each, ast.Name)]
        assert not own & (given | {n.id for n in names if isinstance(n.ctx, ast.Store)})
        assert not own & {*dir(builtins)}


def test_the_same_net_gives_the_same_source() -> None:
    assert source_of("googlenet") == source_of("googlenet")


def test_names_that_pytorch_has_taken_are_refused_with_words() -> None:
    for label in ("train", "conv1.bias", "half"):
        text = f'net t {{ input x: f32[1, 4]; conv(2, 1); conv(2, 1) as "{label}"; output y }}'
        with pytest.raises(CallError, match="cannot be said in PyTorch"):
            define(text).torch_source()


@pytest.mark.parametrize("inner", ["b.0", "b.0, b.1", "b.c, b.d"])
def test_a_layer_that_holds_others_is_kept(inner: str) -> None:
    chain = " -> ".join(f'conv(4, 1x1) as "a.{name}"' for name in inner.split(", "))
    text = f'net t {{ input x: f32[4]; reshape([4, 1, 1]) -> bn as "a.b" -> {chain}; output y }}'
    written = define(text).torch_source()
    assert "nn.BatchNorm2d(4)" in written and written.count("nn.Conv2d") == inner.count("b")


def test_parameters_shared_by_layers_that_are_called_otherwise_are_refused() -> None:
    text = """net t { input x: f32[2, 9]
        a = conv(2, 3) as one
        b = x -> conv(2, 3, stride=2) like one
        output y = a; output z = b }"""
    with pytest.raises(CallError, match="share the parameters of `one`"):
        define(text).torch_source()


def test_the_command_writes_a_file(tmp_path: Path) -> None:
    target = tmp_path / "net.py"
    done = netc("compile", "lenet5", "-o", target)
    assert done.exit_code == 0 and "lenet5: 61,706 parameters -> " in done.output
    assert target.read_text() == source_of("lenet5")
    for more in (["--dtype", "f16"], ["--batch", "3"], ["--no-optimize"], ["--external-data"]):
        refused = netc("compile", "lenet5", "-o", target, *more)
        assert refused.exit_code == 2 and "--set alone" in refused.stderr


def test_helpers_are_functions_that_stand_alone() -> None:
    for name, helper in HELPERS.items():
        (function,) = ast.parse(helper.source).body
        assert isinstance(function, ast.FunctionDef | ast.ClassDef) and function.name == name
        assert ast.get_docstring(function)
        called = {n.id for n in ast.walk(function) if isinstance(n, ast.Name)}
        assert {*helper.needs} == called & {*HELPERS}


def test_long_lines_are_broken_where_it_changes_nothing() -> None:
    call = "x = " + "f(" * 6 + "argument_of_some_length, another_argument, a_third_one" + ")" * 6
    grouped = "    y = (" + " + ".join(f"term_number_{i}" for i in range(9)) + ").mean(1)"
    summed = "    x = " + " + ".join(f"term_number_{i}[{i}]" for i in range(19))
    for line in (f"    {call}  # [64, 56, 56]", grouped, summed):
        lines = wrapped(line)
        assert len(lines) > 1 and max(map(len, lines)) <= 100
        broken, whole = (ast.parse("if 1:\n" + text) for text in ("\n".join(lines), line))
        assert ast.unparse(broken) == ast.unparse(whole)


def test_classes_of_one_block_that_ends_in_a_number_are_told_apart() -> None:
    written = library_net("mobilenet_v3_large").torch_source()
    assert re.findall(r"class (InvertedV3\w*)", written) == ["InvertedV3", "InvertedV3_2"]


def test_class_names() -> None:
    assert class_name("double_conv") == "DoubleConv"
    assert class_name("resnet50") == "Resnet50"


@pytest.mark.skipif(find_spec("torch") is None, reason="torch is not installed")
@pytest.mark.parametrize("name", [*NETS])
def test_outputs_and_derivatives_are_those_of_numpy(name: str) -> None:
    from tests.torch_source import BOUND, check

    apart, graded, _ = check(define(NETS[name]).graph, backend="aot_eager")
    assert apart < BOUND and graded < BOUND


@pytest.mark.skipif(find_spec("torch") is None, reason="torch is not installed")
@pytest.mark.parametrize("name", ["lenet5", "resnet18"])
def test_a_source_read_back_is_the_same_net(name: str) -> None:
    from tests.torch_source import read_back_apart

    assert read_back_apart(library_net(name).graph) == ""


@pytest.mark.skipif(find_spec("torch") is None, reason="torch is not installed")
def test_a_dropped_path_is_that_of_a_whole_sample() -> None:
    torch = import_module("torch")
    names = {"nn": torch.nn}
    exec(HELPERS["DropPath"].source, names)
    drop, x = names["DropPath"](0.25), torch.ones(400, 2, 3)
    torch.manual_seed(0)
    kept = drop(x)
    assert {*kept.unique().tolist()} == {0.0, torch.tensor(4 / 3).item()}
    assert (kept == kept[:, :1, :1]).all() and 0.2 < (kept == 0).double().mean() < 0.3
    assert drop.eval()(x) is x


def test_axes_that_are_counted_from_the_end_are_counted_from_the_front() -> None:
    model = onnx_model("z = Transpose<perm=[0, -1, 1, 2]>(x) y = Transpose<perm=[0, 2, 3, 1]>(z)")
    assert count_from_front(model) and not count_from_front(model)
    assert [[*node.attribute[0].ints] for node in model.graph.node] == [[0, 3, 1, 2], [0, 2, 3, 1]]


@pytest.mark.skipif(find_spec("torch") is not None, reason="torch is installed")
def test_without_torch_modules_are_not_read() -> None:
    import netc as package

    with pytest.raises(MachineError, match="torch is not installed"):
        package.from_torch(object(), object())
