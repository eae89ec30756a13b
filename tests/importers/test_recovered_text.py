"""The definitions that come out of models, word for word; `--bless` writes them anew."""

from __future__ import annotations

from pathlib import Path

import onnx
import pytest

from compiler.driver import compile_graph
from compiler.importers.define import define
from compiler.importers.from_onnx import import_onnx
from compiler.options import CompileOptions
from tests.importers.again import graph_of

GOLDEN = Path(__file__).with_name("golden")
NAMED = ["resnet50", "googlenet_aux", "unet", "mobilenet", "gated", "dense_blocks", "shuffled"]
NAMED += ["towers", "crossed", "heads", "resnet20", "c3d", "vgg_d_bn", "whole_ops"]
ANONYMOUS = ["resnet50", "googlenet_aux", "unet", "nin_cifar10"]


def compare(file: Path, text: str, bless: bool) -> None:
    """Hold a text against the expected file, or write it."""
    if bless:
        file.write_text(text, encoding="utf-8")
    assert file.read_text(encoding="utf-8") == text, "renew it with pytest --bless"


@pytest.mark.parametrize("name", NAMED)
def test_a_model_with_names_is_read_by_its_names(name: str, bless: bool) -> None:
    model = compile_graph(graph_of(name, whole=name == "resnet50"), CompileOptions(optimise=False))
    text = define(import_onnx(model, f"{name}.onnx")).text
    compare(GOLDEN / f"{name}.netdef", text, bless)


@pytest.mark.parametrize("name", ANONYMOUS)
def test_a_model_without_names_is_read_by_its_form(name: str, bless: bool) -> None:
    model = anonymous(compile_graph(graph_of(name), CompileOptions(optimise=False)))
    text = define(import_onnx(model, f"{name}.onnx")).text
    compare(GOLDEN / f"{name}_anonymous.netdef", text, bless)


def anonymous(model: onnx.ModelProto) -> onnx.ModelProto:
    """The model with numbers for names."""
    graph = model.graph
    names: dict[str, str] = {"": ""}
    names |= {value.name: value.name for value in (*graph.input, *graph.output)}
    for tensor in graph.initializer:
        tensor.name = names.setdefault(tensor.name, str(len(names)))
    for node in graph.node:
        node.name = ""
        del node.metadata_props[:]
        for tensors in (node.input, node.output):
            tensors[:] = [names.setdefault(name, str(len(names))) for name in tensors]
    return model


def test_sixteen_bottlenecks_are_one_block_and_four_loops() -> None:
    text = (GOLDEN / "resnet50.netdef").read_text()
    assert text.count("block ") == 1 and text.count("for i in range") == 4
    assert "stride = 2 if i == 0 else 1" in text


def test_the_page_on_importing_shows_what_comes_out() -> None:
    page = (Path(__file__).parents[2] / "docs" / "import.md").read_text()
    assert (GOLDEN / "resnet50.netdef").read_text() in page


def test_nine_inception_modules_are_one_block_of_six_counts() -> None:
    text = (GOLDEN / "googlenet_aux.netdef").read_text()
    assert "block inception(c1, r3, c3, r5, c5, cp)" in text
    assert text.count("    inception(") == 9
