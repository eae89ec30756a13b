"""`netc explain`: each size with its formula and numbers."""

from __future__ import annotations

from pathlib import Path

from tests.netc.command import netc


def explain(tmp_path: Path, body: str, shape: str = "[3, 224, 224]", line: int = 3) -> str:
    file = tmp_path / "n.netdef"
    file.write_text(f"net n {{\n    input x: f32{shape}\n    {body}\n    output y\n}}\n")
    result = netc("explain", f"{file}:{line}")
    assert result.exit_code == 0, result.stderr
    return result.stdout


def test_a_convolution_with_parameters_macs_and_receptive_field(tmp_path: Path) -> None:
    text = explain(tmp_path, "conv(64, 7x7, stride=2, pad=3)")
    assert (
        "height and width: floor((224 + 3 + 3 - 7)/2) + 1 = 112, 1 left over, all padding" in text
    )
    assert "weight [64, 3, 7, 7] = 9,408 and bias [64] = 64, together 9,472" in text
    assert "MACs: 9,408 multiplications at 112*112 positions = 118,013,952" in text
    assert "receptive field: 7x7, 2x2 apart, the first from pixel -3, -3" in text


def test_pixels_that_no_window_reaches_are_counted(tmp_path: Path) -> None:
    text = explain(tmp_path, "maxpool(2x2)", "[3, 33, 32]")
    assert "height: floor((33 + 0 + 0 - 2)/2) + 1 = 16, 1 left over, 1 of them pixels" in text
    assert "width: floor((32 + 0 + 0 - 2)/2) + 1 = 16\n" in text


def test_the_ceiling_shows_what_it_adds(tmp_path: Path) -> None:
    text = explain(tmp_path, "maxpool(3x3, stride=2, ceil=true)", "[3, 112, 112]")
    assert "floor((112 + 0 + 0 + 1 - 3)/2) + 1 = 56, ceil adds 1" in text


def test_a_dilated_kernel_shows_its_extent(tmp_path: Path) -> None:
    text = explain(tmp_path, "conv(8, 3x3, dilation=2)", "[3, 9, 9]")
    assert "floor((9 + 0 + 0 - 5)/1) + 1 = 5, kernel 2*(3 - 1) + 1 = 5" in text


def test_a_transposed_convolution(tmp_path: Path) -> None:
    text = explain(tmp_path, "deconv(8, 3x3, stride=2, pad=1, output_pad=1)", "[3, 4, 4]")
    assert "(4 - 1)*2 - 1 - 1 + 3 + 1 = 8" in text
    assert "MACs: 216 multiplications at 4*4 positions = 3,456" in text


def test_symbolic_sizes_stay_closed(tmp_path: Path) -> None:
    text = explain(tmp_path, "conv(8, 3x3, stride=2, pad=1)", "[3, H, H]")
    assert "floor((H + 1 + 1 - 3)/2) + 1 = floor((H - 1)/2) + 1" in text


def test_a_join_shows_its_branches(tmp_path: Path) -> None:
    text = explain(tmp_path, "concat { relu; conv(8, 1x1) }", "[3, 4, 4]")
    assert "[3, 4, 4] and [8, 4, 4] make [11, 4, 4]" in text


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
