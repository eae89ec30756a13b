"""The example definitions, unchanged, through every stage: parse, check, compile, run, verify.

Verifying runs one random sample instead of two; the sizes stay as the files have them, since a
file that is changed to be cheaper is no longer the example.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import onnx
import pytest
from click.testing import CliRunner

import netc
from compiler.initialise import scatter
from grammar.parse import parse
from grammar.source import Source
from grammar.syntax import Definition
from netc.main import main
from runtime.random_inputs import random_feeds
from runtime.session import open_session
from runtime.verify.compare import compare_all

FOLDER = Path(__file__).parent
NETS: dict[str, dict[str, dict[str, Any]]] = {
    "googlenet": {
        "googlenet": {"params": 6_998_552, "macs": 1_582_671_872, "outputs": {"probs": [1000]}}
    },
    "lenet5": {"lenet5": {"params": 61_706, "macs": 416_520, "outputs": {"probs": [10]}}},
    "resnet": {
        "resnet34": {
            "params": 21_797_672,
            "macs": 3_663_761_408,
            "outputs": {"logits": [1000]},
        },
        "resnet50": {
            "params": 25_557_032,
            "macs": 4_089_184_256,
            "outputs": {"logits": [1000]},
        },
    },
    "second_edition": {
        "segment": {"params": 29_554, "domain": ["H >= 32", "W >= 32"]},
        "tiny_vit": {"params": 124_618, "macs": 1_942_400, "outputs": {"scores": [10]}},
    },
    "unusual": {
        "sharpen_filter": {"params": 0, "outputs": {"sharpened": [3, "H", "W"]}},
        "audio": {"params": 64 * 80 + 64 + 2 * 64, "outputs": {"embedding": [64]}},
        "video": {"params": 64 * 27 * 3 + 64, "outputs": {"features": [64, 16, 56, 56]}},
        "tiny_unet": {
            "outputs": {"mask": [1, "H", "W"]},
            "domain": ["H >= 2", "H % 2 == 0", "W >= 2", "W % 2 == 0"],
        },
        "branches": {"outputs": {"main": [4, 32, 32], "aux": [4]}},
        "siamese": {"params": 241, "outputs": {"same": [1]}},
    },
}
WEIGHTS = ("weight", "bias")
CASES = [(file, net) for file, nets in NETS.items() for net in nets]


@cache
def example(file: str, net: str, **settings: Any) -> netc.Net:
    """A net of an example file, checked."""
    return netc.load(FOLDER / f"{file}.netdef", net, **settings)


@pytest.mark.parametrize("file", NETS)
def test_an_example_parses_into_its_nets(file: str) -> None:
    path = FOLDER / f"{file}.netdef"
    items = parse(Source(path.name, path.read_text(encoding="utf-8"))).file.items
    nets = [item.name.id for item in items if isinstance(item, Definition) and item.kind == "net"]
    assert nets == list(NETS[file])


@pytest.mark.parametrize("file", NETS)
def test_an_example_checks_from_the_command_line(file: str) -> None:
    result = CliRunner().invoke(main, ["check", str(FOLDER / f"{file}.netdef")])
    assert result.exit_code == 0, result.output
    assert result.stdout.count(" is fine") == len(NETS[file])


@pytest.mark.parametrize(("file", "net"), CASES)
def test_an_example_has_the_expected_shapes_and_costs(file: str, net: str) -> None:
    summary = example(file, net).summary()
    assert {key: summary[key] for key in NETS[file][net]} == NETS[file][net]


@pytest.mark.parametrize(("file", "net"), CASES)
def test_an_example_compiles_to_a_model_that_runs(file: str, net: str, tmp_path: Path) -> None:
    checked = example(file, net)
    path = checked.compile(tmp_path / "model.onnx")
    onnx.checker.check_model(path, full_check=True)
    feeds = random_feeds(checked.graph, batch=1)
    found = open_session(path, "cpu").run(feeds)
    for name, shape in checked.summary()["outputs"].items():
        fixed = [size if isinstance(size, int) else None for size in shape]
        assert len(found[name].shape) == 1 + len(shape)
        for size, wanted in zip(found[name].shape, [1, *fixed], strict=True):
            assert wanted in (None, size)


@pytest.mark.parametrize(("file", "net"), CASES)
def test_an_example_gives_the_same_numbers_on_numpy_and_onnx_runtime(file: str, net: str) -> None:
    checked = example(file, net)
    graph = scatter(checked.graph)
    comparison = compare_all(graph, random_feeds(graph, batch=1))
    assert comparison.ok, comparison.failures
    assert comparison.relative < 1e-4
    assert comparison.nodes == len(checked.summary()["layers"])


def test_the_auxiliary_heads_of_the_example_are_two_more_outputs() -> None:
    summary = example("googlenet", "googlenet", aux=True).summary()
    assert summary["outputs"] == {"probs": [1000], "aux1": [1000], "aux2": [1000]}
    assert summary["params"] == 13_378_280
    assert summary["macs"] == 1_591_044_096


def test_both_towers_of_the_siamese_example_use_the_same_weights() -> None:
    net = example("unusual", "siamese")
    towers = [name for name in net.graph.parameters() if name.startswith("tower")]
    assert towers == [f"tower.{layer}.{a}" for layer in ("conv1", "dense1") for a in WEIGHTS]
    left, right = random_feeds(net.graph, batch=1).values()
    alike = [net.run({"left": x, "right": x}, device="cpu")["same"] for x in (left, right)]
    # No difference between the towers: the sigmoid of a bias that starts at zero.
    assert [value.item() for value in alike] == [0.5, 0.5]
    assert net.run({"left": left, "right": right}, device="cpu")["same"].item() != 0.5
