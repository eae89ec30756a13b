"""`netc diff`: what became of each layer."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from compiler.files import LIBRARY
from tests.netc.command import netc

NET = """net n {
    input x: f32[3, 32, 32]
    conv(8, 3x3, pad=1) -> relu
    maxpool(2x2)
    conv(16, 3x3, pad=1) -> relu
    gap -> flatten -> dense(10)
    output y
}
"""


def changes(tmp_path: Path, before: str, after: str) -> dict[str, Any]:
    a, b = tmp_path / "a.netdef", tmp_path / "b.netdef"
    a.write_text(before)
    b.write_text(after)
    result = netc("diff", a, b, "--format", "json")
    assert result.exit_code == 0, result.stderr
    report: dict[str, Any] = json.loads(result.stdout)
    return report


def test_a_net_and_itself_differ_in_nothing(tmp_path: Path) -> None:
    report = changes(tmp_path, NET, NET)
    assert report["changes"] == []
    assert all(a == b for a, b in report["totals"].values())


def test_a_layer_put_in_between_is_the_only_change(tmp_path: Path) -> None:
    after = NET.replace("    maxpool", "    conv(8, 3x3, pad=1) -> relu\n    maxpool")
    report = changes(tmp_path, NET, after)
    added = sorted((c["kind"], c["after"]["op"]) for c in report["changes"])
    assert added == [("added", "conv"), ("added", "relu")]
    assert report["totals"]["layers"] == [8, 10]
    assert report["totals"]["params"][1] - report["totals"]["params"][0] == 8 * 8 * 9 + 8


def test_a_changed_argument_is_named_with_what_follows_from_it(tmp_path: Path) -> None:
    report = changes(tmp_path, NET, NET.replace("conv(16, 3x3", "conv(24, 3x3"))
    (conv,) = [c for c in report["changes"] if c["after"]["op"] == "conv"]
    assert conv["kind"] == "changed"
    assert "channels 16 -> 24" in conv["what"]
    assert "[16, 16, 16] -> [24, 16, 16]" in conv["what"]
    (dense,) = [c for c in report["changes"] if c["after"]["op"] == "dense"]
    assert "params 170 -> 250" in dense["what"]


def test_a_removed_layer_is_removed(tmp_path: Path) -> None:
    report = changes(tmp_path, NET, NET.replace("    maxpool(2x2)\n", ""))
    kinds = {c["kind"] for c in report["changes"] if (c["before"] or {}).get("op") == "maxpool"}
    assert kinds == {"removed"}


def test_the_library_in_words() -> None:
    text = netc("diff", "vgg_a", "vgg_b").stdout
    assert text.count("+ features.") == 4
    assert "params           132,863,336 -> 133,047,848" in text
    assert "output probs     [1000] (the same)" in text


def test_a_definition_and_its_model_differ_in_what_compiling_drops(tmp_path: Path) -> None:
    file, model = tmp_path / "n.netdef", tmp_path / "n.onnx"
    file.write_text(NET.replace("gap", "dropout -> gap"))
    assert netc("compile", file, "-o", model).exit_code == 0
    result = netc("diff", file, model)
    assert result.stdout.splitlines()[0] == "- dropout1 dropout [16, 16, 16]"
    assert "params           1,562 (the same)" in result.stdout


def test_models_of_other_formats_are_compared(tmp_path: Path) -> None:
    (tmp_path / "n.netdef").write_text(NET)
    (tmp_path / "n.cfg").write_text(
        "[net]\nheight=32\nwidth=32\nchannels=3\n"
        "[convolutional]\nfilters=8\nsize=3\nstride=1\npad=1\nactivation=relu\n"
    )
    result = netc("diff", tmp_path / "n.cfg", tmp_path / "n.netdef")
    assert result.exit_code == 0, result.stderr
    assert "+ dense1 dense [10], 170 params" in result.stdout
    assert "params           224 -> 1,562" in result.stdout
    both = netc("diff", tmp_path / "n.cfg", tmp_path / "n.cfg", "--net", "n")
    assert both.exit_code == 2 and "no --net" in both.stderr


def test_a_file_that_is_no_model_is_a_call_at_fault(tmp_path: Path) -> None:
    broken = tmp_path / "n.onnx"
    broken.write_bytes(b"\x00\x01not a model")
    result = netc("diff", broken, "lenet5", "--net", "lenet5")
    assert result.exit_code == 2
    assert "n.onnx" in result.stderr and "Traceback" not in result.stderr


def test_a_model_where_a_definition_is_wanted_is_pointed_to_import(tmp_path: Path) -> None:
    assert netc("compile", "lenet5", "--net", "lenet5", "-o", tmp_path / "l.onnx").exit_code == 0
    for command in ("check", "explain", "weights", "compile"):
        result = netc(command, tmp_path / "l.onnx")
        assert result.exit_code == 2, command
        assert "netc import" in result.stderr
    assert "parameters   61,706" in netc("summary", tmp_path / "l.onnx").stdout


def test_a_deeper_or_gated_net_of_one_family_only_adds(tmp_path: Path) -> None:
    deeper = json.loads(netc("diff", "resnet18", "resnet34", "--format", "json").stdout)
    assert {change["kind"] for change in deeper["changes"]} == {"added"}
    text = (LIBRARY / "resnet.netdef").read_text(encoding="utf-8")
    gate = "-> mul { identity; gap -> conv(c // 4, 1x1) -> relu -> conv(4 * c, 1x1) -> sigmoid }"
    text = text.replace(
        "conv(4 * c, 1x1, bias=false) -> bn", f"conv(4 * c, 1x1, bias=false) -> bn {gate}"
    )
    text = "\n".join(line for line in text.split("\n") if "expect" not in line)
    (tmp_path / "se.netdef").write_text(text, encoding="utf-8")
    report = netc(
        "diff", "resnet50", tmp_path / "se.netdef", "--net", "resnet50", "--format", "json"
    )
    gated = json.loads(report.stdout)["changes"]
    assert {change["kind"] for change in gated} == {"added"}
    assert [c["after"]["op"] for c in gated].count("sigmoid") == 16
