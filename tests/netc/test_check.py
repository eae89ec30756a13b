"""`netc check`: what it prints, its JSON, its exit codes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.netc.command import netc

GOOD = "net n(width=8) {\n    input x: f32[3, 32, 32]\n    conv(width, 3x3)\n    output y\n}\n"
BAD = GOOD.replace("3x3", "40x40")
WARNS = GOOD.replace("[3, 32, 32]", "[3, 32, 32]\n    side = x -> relu")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "x.netdef"


def test_a_good_file_is_fine(file: Path) -> None:
    file.write_text(GOOD)
    result = netc("check", file)
    assert result.exit_code == 0
    assert result.stdout == f"{file}: n is fine: 224 parameters, 194,400 MACs\n"
    assert result.stderr == ""


def test_a_bad_file_is_at_fault_with_its_place(file: Path) -> None:
    file.write_text(BAD)
    result = netc("check", file)
    assert result.exit_code == 1
    assert "error[E302]" in result.stderr and f"{file}:3:17" in result.stderr
    assert result.stderr.endswith("1 error\n")


def test_json_says_the_same(file: Path) -> None:
    file.write_text(BAD)
    result = netc("check", file, "--format", "json")
    assert result.exit_code == 1
    report = json.loads(result.stdout)
    assert report["ok"] is False
    (found,) = report["diagnostics"]
    assert set(found) >= {"code", "severity", "message", "file", "line", "column", "end_line"}
    assert (found["code"], found["severity"], found["line"], found["column"]) == (
        "E302",
        "error",
        3,
        17,
    )
    assert found["end_column"] == 22 and found["file"] == str(file)
    assert found["notes"] and found["help"] and found["trail"] == []


def test_the_trail_of_json_names_the_blocks(file: Path) -> None:
    file.write_text(
        "block b(k) { conv(8, k) }\n"
        "net n {\n    input x: f32[3, 8, 8]\n    for k in [3, 9] { b(k) }\n    output y\n}\n"
    )
    (found,) = json.loads(netc("check", file, "--format", "json").stdout)["diagnostics"]
    (step,) = found["trail"]
    assert (step["block"], step["file"], step["line"]) == ("b", str(file), 4)


def test_warnings_are_shown_and_harmless_unless_strict(file: Path) -> None:
    file.write_text(WARNS)
    assert netc("check", file).exit_code == 0
    assert "warning[W110]" in netc("check", file).stderr
    strict = netc("check", file, "--strict")
    assert strict.exit_code == 1 and "error[W110]" in strict.stderr


def test_an_allow_comment_silences_its_code_on_its_line_only(file: Path) -> None:
    file.write_text(WARNS.replace("-> relu", "-> relu  # netc: allow W110"))
    assert netc("check", file).stderr == ""
    file.write_text(WARNS.replace("-> relu", "-> relu  # netc: allow W101"))
    assert "W110" in netc("check", file).stderr
    file.write_text(WARNS.replace("    side", "    # netc: allow W110\n    side"))
    assert netc("check", file).stderr == ""


def test_every_file_is_checked_and_one_bad_one_decides(tmp_path: Path) -> None:
    good, bad = tmp_path / "good.netdef", tmp_path / "bad.netdef"
    good.write_text(GOOD)
    bad.write_text(BAD)
    result = netc("check", bad, good)
    assert result.exit_code == 1
    assert "n is fine" in result.stdout and "E302" in result.stderr


def test_settings_reach_the_net(file: Path) -> None:
    file.write_text(GOOD)
    assert "448 parameters" in netc("check", file, "--set", "width=16").stdout


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["nowhere.netdef"], "there is no file nowhere.netdef"),
        (["resnett50"], "did you mean `resnet50`?"),
        (["resnet", "--net", "resnet_34"], "did you mean `resnet34`?"),
        (["lenet5", "--set", "clases=3"], "has no parameter clases"),
        (["lenet5", "--set", "classes"], "--set takes name=value"),
        (["lenet5", "--set", "classes=1 +"], "this is no value"),
        ([], "Missing argument"),
    ],
)
def test_a_wrong_call_is_the_calls_fault(arguments: list[str], said: str) -> None:
    result = netc("check", *arguments)
    assert said in result.stderr
    assert result.exit_code in (1, 2)


def test_a_file_that_is_no_text_is_told_where(file: Path) -> None:
    file.write_bytes(b"# caf\xe9\nnet n {}\n")
    result = netc("check", file)
    assert result.exit_code == 1 and "no UTF-8 text" in result.stderr
    assert ":1:6" in result.stderr and "0xe9" in result.stderr


def test_a_file_of_blocks_alone_is_fine(file: Path) -> None:
    file.write_text("block b { relu }\n")
    result = netc("check", file)
    assert result.exit_code == 0 and "no nets" in result.stdout


def test_a_file_of_blocks_is_told_of_beside_its_warnings(file: Path) -> None:
    file.write_text("block unit(c, stride=1) { conv(c, 3x3) }\n")
    result = netc("check", file)
    assert result.exit_code == 0 and "no nets" in result.stdout and "W105" in result.stderr


def test_a_tensor_made_of_itself_is_no_silent_success(file: Path) -> None:
    file.write_text("net n {\n    input x: f32[3, 4]\n    a = add(a, x)\n    a; output y\n}\n")
    result = netc("check", file)
    assert result.exit_code == 1 and "`a` is what this very statement makes" in result.stderr


def test_thousands_of_warnings_end_after_a_hundred(file: Path) -> None:
    file.write_text("net n { input x: f32[3]; relu" + " -> relu" * 120 + "; output y }\n")
    result = netc("check", file)
    assert result.stderr.count("warning[W106]") == 100
    assert result.stderr.endswith("and 20 more warnings\n")
    assert len(json.loads(netc("check", file, "--format", "json").stdout)["diagnostics"]) == 120


def test_thousands_of_contracts_end_after_a_hundred(file: Path) -> None:
    contracts = "    expect params == 216\n" * 120
    file.write_text(GOOD.replace("    output y\n", f"    output y\n{contracts}"))
    result = netc("check", file)
    assert result.stderr.count("error[E402]") == 100
    assert result.stderr.count("would do") == 10
