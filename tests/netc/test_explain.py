"""`netc explain`: each size with its formula and numbers."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.netc.command import netc


def explain(tmp_path: Path, body: str, shape: str = "[3, 224, 224]", line: int = 3) -> str:
    file = tmp_path / "n.netdef"
    file.write_text(f"net n {{\n    input x: f32{shape}\n    {body}\n    output y\n}}\n")
    result = netc("explain", f"{file}:{line}")
    assert result.exit_code == 0, result.stderr
    return result.stdout


SAID: dict[str, tuple[str, str, list[str]]] = {
    "a convolution has parameters, MACs and a receptive field": (
        "conv(64, 7x7, stride=2, pad=3)",
        "[3, 224, 224]",
        [
            "height and width: floor((224 + 3 + 3 - 7)/2) + 1 = 112, 1 left over, all padding",
            "weight [64, 3, 7, 7] = 9,408 and bias [64] = 64, together 9,472",
            "MACs: 9,408 multiplications at 112*112 positions = 118,013,952",
            "receptive field: 7x7, 2x2 apart, the first from pixel -3, -3",
        ],
    ),
    "pixels that no window reaches are counted": (
        "maxpool(2x2)",
        "[3, 33, 32]",
        [
            "height: floor((33 + 0 + 0 - 2)/2) + 1 = 16, 1 left over, 1 of them pixels",
            "width: floor((32 + 0 + 0 - 2)/2) + 1 = 16\n",
        ],
    ),
    "the ceiling shows what it adds": (
        "maxpool(3x3, stride=2, ceil=true)",
        "[3, 112, 112]",
        ["floor((112 + 0 + 0 + 1 - 3)/2) + 1 = 56, ceil adds 1"],
    ),
    "a dilated kernel shows its extent": (
        "conv(8, 3x3, dilation=2)",
        "[3, 9, 9]",
        ["floor((9 + 0 + 0 - 5)/1) + 1 = 5, kernel 2*(3 - 1) + 1 = 5"],
    ),
    "a transposed convolution": (
        "deconv(8, 3x3, stride=2, pad=1, output_pad=1)",
        "[3, 4, 4]",
        ["(4 - 1)*2 - 1 - 1 + 3 + 1 = 8", "MACs: 216 multiplications at 4*4 positions = 3,456"],
    ),
    "symbolic sizes stay closed": (
        "conv(8, 3x3, stride=2, pad=1)",
        "[3, H, H]",
        ["floor((H + 1 + 1 - 3)/2) + 1 = floor((H - 1)/2) + 1"],
    ),
    "a join shows its branches": (
        "concat { relu; conv(8, 1x1) }",
        "[3, 4, 4]",
        ["[3, 4, 4] and [8, 4, 4] make [11, 4, 4]"],
    ),
}


@pytest.mark.parametrize("layer, shape, words", SAID.values(), ids=SAID.keys())
def test_a_layer_is_explained_in_numbers(
    tmp_path: Path, layer: str, shape: str, words: list[str]
) -> None:
    text = explain(tmp_path, layer, shape)
    assert [line for line in words if line not in text] == []


def test_a_line_of_a_block_is_explained_for_each_call(tmp_path: Path) -> None:
    file = tmp_path / "n.netdef"
    file.write_text(
        "block unit(c) {\n    conv(c, 3x3)\n}\n"
        "net n {\n    input x: f32[3, 9, 9]\n    unit(4)\n    unit(5)\n    output y\n}\n"
    )
    text = netc("explain", f"{file}:2").stdout
    assert "unit1.conv1, line 2" in text and "in unit1: unit(4), line 6" in text
    assert "unit2.conv1, line 2" in text and "in unit2: unit(5), line 7" in text
    assert "unit2" not in netc("explain", f"{file}:6").stdout


def test_without_a_line_every_layer_is_explained() -> None:
    text = netc("explain", "lenet5", "--net", "lenet5").stdout
    assert text.count(", line ") == 14 and "receptive field: 32x32" in text


def test_a_line_without_layers_is_the_calls_fault(tmp_path: Path) -> None:
    file = tmp_path / "n.netdef"
    file.write_text("net n {\n    input x: f32[3]\n    relu\n    output y\n}\n")
    result = netc("explain", f"{file}:1")
    assert result.exit_code == 2 and "stands at line 1" in result.stderr


def test_a_code_is_explained_by_its_page() -> None:
    result = netc("explain", "e302")
    assert result.exit_code == 0
    assert result.stdout.lstrip().startswith("E302: kernel is larger than its padded input")
    unknown = netc("explain", "E399")
    assert unknown.exit_code == 2 and "there is no code E399" in unknown.stderr
