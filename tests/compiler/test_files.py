"""The door to the files that a definition names: inside its folders, regular, small, at once."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from compiler.driver import all_found, check_net, examine
from compiler.files import LARGEST_TEXT, Files, read_regular, read_source
from grammar.diagnostics import Diagnostic

USE = 'use cell from "{}"\nnet n {{\n    input x: f32[3, 8]\n    cell()\n    output y\n}}\n'
LABELS = 'net n {{\n    input x: f32[2]\n    relu\n    output y labels "{}"\n}}\n'
CELL = "block cell() { relu }\n"
KINDS = pytest.mark.parametrize("form", [USE, LABELS], ids=["use", "labels"])


def found(folder: Path, text: str, files: Files | None = None) -> list[Diagnostic]:
    """What a check of a definition in a folder finds."""
    path = folder / "main.netdef"
    path.write_text(text, encoding="utf-8")
    module = examine(read_source(path), files)
    return all_found(module, map(check_net, module.nets()))


def refusal(folder: Path, text: str, files: Files | None = None) -> str:
    """The one mistake, its place in words."""
    (diagnostic,) = found(folder, text, files)
    assert diagnostic.code == "E207"
    return f"{diagnostic.message}: {diagnostic.label}"


def make(path: Path) -> None:
    """A file that is fine to use, and has two lines."""
    path.parent.mkdir(exist_ok=True)
    path.write_text(CELL + "\n", encoding="utf-8")


@KINDS
def test_a_file_beside_the_definition_and_one_in_a_folder_of_it_are_read(
    tmp_path: Path, form: str
) -> None:
    make(tmp_path / "beside")
    make(tmp_path / "inner" / "deep")
    assert found(tmp_path, form.format("beside")) == []
    assert found(tmp_path, form.format("inner/../inner/deep")) == []


@KINDS
@pytest.mark.parametrize(
    "way", ["../outside", "/etc/passwd", "link", "folder/outside", "/dev/zero"]
)
def test_what_leads_out_of_the_folder_is_refused_unread(
    tmp_path: Path, form: str, way: str
) -> None:
    make(tmp_path / "outside")
    home = tmp_path / "home"
    home.mkdir()
    (home / "link").symlink_to(tmp_path / "outside")
    (home / "folder").symlink_to(tmp_path)
    files = Files()
    assert "must lie inside the definition's own folder" in refusal(home, form.format(way), files)
    assert tmp_path.resolve() / "outside" not in files.seen


@KINDS
def test_an_explicit_folder_may_be_named_by_its_files_and_by_links_into_it(
    tmp_path: Path, form: str
) -> None:
    make(tmp_path / "shared" / "it")
    home = tmp_path / "home"
    home.mkdir()
    (home / "link").symlink_to(tmp_path / "shared" / "it")
    (tmp_path / "alias").symlink_to(tmp_path / "shared")
    for way in ("it", "link", "../shared/it"):
        for folder in ("shared", "alias"):
            assert found(home, form.format(way), Files((tmp_path / folder,))) == []


@KINDS
@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="the system has no FIFOs")
def test_pipes_sockets_and_folders_are_refused_at_once(tmp_path: Path, form: str) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "folder").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "pipe")
    for name in ("pipe", "folder", "link"):
        assert "a folder, a device or a pipe, not a file" in refusal(tmp_path, form.format(name))


@KINDS
def test_names_that_no_file_can_have_are_refused(tmp_path: Path, form: str) -> None:
    assert "no file can have this name" in refusal(tmp_path, form.format("a\0b"))
    assert "no file" in refusal(tmp_path, form.format("long" * 1000))
    (tmp_path / "round").symlink_to(tmp_path / "round")
    assert refusal(tmp_path, form.format("round"))


@KINDS
def test_a_file_that_is_too_large_is_refused_for_its_size(tmp_path: Path, form: str) -> None:
    with (tmp_path / "huge").open("wb") as file:
        file.truncate(2**40)  # sparse
    assert "larger than 16 MiB" in refusal(tmp_path, form.format("huge"))


@pytest.mark.skipif(not Path("/proc/self/pagemap").exists(), reason="Linux only")
def test_a_file_that_says_it_is_empty_and_never_ends_is_refused() -> None:
    with pytest.raises(OSError, match="larger than"):
        read_regular(Path("/proc/self/pagemap"))
    assert Path("/proc/self/pagemap").stat().st_size < LARGEST_TEXT


def test_class_names_that_are_no_text_are_refused(tmp_path: Path) -> None:
    (tmp_path / "names").write_bytes(b"caf\xe9\nb\n")
    assert "are no UTF-8 text" in refusal(tmp_path, LABELS.format("names"))


def test_class_names_in_windows_form_are_the_same(tmp_path: Path) -> None:
    (tmp_path / "names").write_bytes(b"\xef\xbb\xbfcat\r\ndog\r\n")
    (tmp_path / "main.netdef").write_text(LABELS.format("names"))
    module = examine(read_source(tmp_path / "main.netdef"))
    (net,) = map(check_net, module.nets())
    assert net.graph.labels == {"y": ("cat", "dog")}


def test_an_open_text_stands_for_a_file_that_is_not_saved_yet(tmp_path: Path) -> None:
    make(tmp_path / "saved")
    unsaved = tmp_path.resolve() / "unsaved"
    opened = {unsaved: read_source(tmp_path / "saved")}
    for form in (USE, LABELS):
        assert found(tmp_path, form.format("unsaved"), Files(opened=opened)) == []
        files = Files()
        assert "no file `unsaved`" in refusal(tmp_path, form.format("unsaved"), files)
        assert unsaved in files.seen
