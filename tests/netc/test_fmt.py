"""`netc fmt`: in place, checked, as a difference, from standard input."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from netc.main import main
from tests.netc.command import netc

ROUGH = "net n {\n  input x:f32[3,8,8]\n  conv( 8,3x3 )  # ünïcode\n\toutput y }\n"
NEAT = """\
net n {
    input x: f32[3, 8, 8]
    conv(8, 3x3)  # ünïcode
    output y
}
"""
BAD = "net n {\n  conv(8 3x3)\n}\n"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "x.netdef"
    path.write_text(ROUGH, encoding="utf-8")
    return path


def test_a_file_is_formatted_in_place(file: Path) -> None:
    result = netc("fmt", file)
    assert (result.exit_code, result.stdout) == (0, f"formatted {file}\n")
    assert file.read_text(encoding="utf-8") == NEAT


def test_a_neat_file_is_not_touched(file: Path) -> None:
    file.write_text(NEAT, encoding="utf-8")
    before = file.stat().st_mtime_ns
    result = netc("fmt", file)
    assert (result.exit_code, result.stdout) == (0, "")
    assert file.stat().st_mtime_ns == before


def test_check_names_what_would_change_and_fails(file: Path) -> None:
    neat = file.with_name("neat.netdef")
    neat.write_text(NEAT, encoding="utf-8")
    result = netc("fmt", "--check", file, neat)
    assert (result.exit_code, result.stdout) == (1, f"would change {file}\n")
    assert file.read_text(encoding="utf-8") == ROUGH
    assert netc("fmt", "--check", neat).exit_code == 0


def test_diff_shows_what_would_change_and_writes_nothing(file: Path) -> None:
    result = netc("fmt", "--diff", file)
    assert result.exit_code == 0
    assert result.stdout.startswith(f"--- {file}\n+++ {file}\n@@ ")
    assert "-  conv( 8,3x3 )  # ünïcode\n" in result.stdout
    assert "+    conv(8, 3x3)  # ünïcode\n" in result.stdout
    assert file.read_text(encoding="utf-8") == ROUGH
    assert netc("fmt", "--check", "--diff", file).exit_code == 1


def test_a_file_with_mistakes_is_left_alone_and_reported(file: Path) -> None:
    bad = file.with_name("bad.netdef")
    bad.write_text(BAD, encoding="utf-8")
    result = netc("fmt", bad, file)
    assert result.exit_code == 1
    assert f"{bad}:2:10" in result.stderr and result.stdout == f"formatted {file}\n"
    assert bad.read_text(encoding="utf-8") == BAD


def test_line_ends_of_windows_and_the_mode_of_a_file_stay(file: Path) -> None:
    file.write_bytes(ROUGH.replace("\n", "\r\n").encode())
    file.chmod(0o640)
    assert netc("fmt", file).exit_code == 0
    assert file.read_bytes() == NEAT.replace("\n", "\r\n").encode()
    assert file.stat().st_mode & 0o777 == 0o640
    assert netc("fmt", "--check", file).exit_code == 0


def test_a_link_stays_a_link(file: Path) -> None:
    link = file.with_name("link.netdef")
    link.symlink_to(file)
    assert netc("fmt", link).exit_code == 0
    assert link.is_symlink() and file.read_text(encoding="utf-8") == NEAT


def fmt_input(text: bytes, *arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(main, ["fmt", *arguments, "-"], input=text)
    return result.exit_code, result.stdout


def test_standard_input_goes_to_standard_output() -> None:
    assert fmt_input(ROUGH.encode()) == (0, NEAT)
    assert fmt_input(NEAT.encode()) == (0, NEAT)
    assert fmt_input(b"\xef\xbb\xbf" + ROUGH.replace("\n", "\r\n").encode()) == (0, NEAT)
    assert fmt_input(ROUGH.encode(), "--check") == (1, "would change -\n")
    assert fmt_input(BAD.encode()) == (1, "")


@pytest.mark.parametrize("name", ["lenet5", "no_such_net", "no_such_file.netdef", "."])
def test_only_files_are_written(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert netc("fmt", name).exit_code == 2


def test_a_name_of_the_library_can_be_looked_at() -> None:
    assert netc("fmt", "--check", "lenet5").exit_code == 0
