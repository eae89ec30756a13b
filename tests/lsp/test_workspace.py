"""Files and folders over the real protocol: opened, changed elsewhere, closed, deleted, outside."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.lsp.client import Client

pytest.importorskip("pygls", reason="the language server needs netc[lsp]")

BLOCKS = "block cell(c, step=1) { conv(c, 3, stride=step) }\n"
MAIN = 'use cell from "blocks.netdef"\nnet n {\ninput x: f32[3, 9]\ncell(4)\noutput y\n}\n'
WHOLE = {"start": {"line": 0, "character": 0}, "end": {"line": 999, "character": 0}}
CREATED, CHANGED, DELETED = 1, 2, 3


@pytest.fixture
def client() -> Iterator[Client]:
    """A server with no folder."""
    with Client() as started:
        yield started


def write(folder: Path, **texts: str) -> None:
    folder.mkdir(exist_ok=True)
    for name, text in texts.items():
        (folder / f"{name}.netdef").write_text(text, encoding="utf-8")


def changes(renaming: dict[str, Any]) -> dict[str, int]:
    """How many places of each file a renaming changes, by the names of folder and file."""
    found = renaming["changes"].items()
    return {"/".join(uri.split("/")[-2:]): len(edits) for uri, edits in found}


def tell(client: Client, path: Path, kind: int) -> None:
    change = {"changes": [{"uri": path.as_uri(), "type": kind}]}
    client.notify("workspace/didChangeWatchedFiles", change)


def codes(problems: list[dict[str, Any]]) -> list[str]:
    return [problem["code"] for problem in problems]


def test_a_file_outside_of_any_folder_knows_those_beside_it(client: Client, tmp_path: Path) -> None:
    write(tmp_path / "a", blocks=BLOCKS, main=MAIN)
    blocks = (tmp_path / "a" / "blocks.netdef").as_uri()
    assert codes(client.open(blocks, BLOCKS)) == []
    renaming = client.at("rename", blocks, 0, 6, newName="unit")
    assert changes(renaming) == {"a/blocks.netdef": 1, "a/main.netdef": 2}


def test_two_folders_are_both_searched(tmp_path: Path) -> None:
    write(tmp_path / "a", blocks=BLOCKS, main=MAIN)
    write(tmp_path / "b", other=MAIN.replace("blocks", "../a/blocks"))
    folders = [{"uri": (tmp_path / name).as_uri(), "name": name} for name in ("a", "b")]
    settings = {"include": [str(tmp_path / "a")]}
    with Client(workspaceFolders=folders, initializationOptions=settings) as client:
        blocks = (tmp_path / "a" / "blocks.netdef").as_uri()
        client.open(blocks, BLOCKS)
        places = client.at("references", blocks, 0, 6, context={"includeDeclaration": True})
        assert len(places) == 5
        renaming = client.at("rename", blocks, 0, 6, newName="unit")
        assert changes(renaming) == {"a/blocks.netdef": 1, "a/main.netdef": 2, "b/other.netdef": 2}


def test_a_folder_that_is_added_or_removed_later_counts(tmp_path: Path) -> None:
    write(tmp_path / "a", blocks=BLOCKS)
    write(tmp_path / "b", other=MAIN)
    settings = {"include": [str(tmp_path / "a")]}
    with Client(rootUri=(tmp_path / "a").as_uri(), initializationOptions=settings) as client:
        blocks = (tmp_path / "a" / "blocks.netdef").as_uri()
        client.open(blocks, BLOCKS)
        folder = {"uri": (tmp_path / "b").as_uri(), "name": "b"}
        assert changes(client.at("rename", blocks, 0, 6, newName="u")) == {"a/blocks.netdef": 1}
        event = {"added": [folder], "removed": []}
        client.notify("workspace/didChangeWorkspaceFolders", {"event": event})
        assert "b/other.netdef" in changes(client.at("rename", blocks, 0, 6, newName="u"))
        event = {"added": [], "removed": [folder]}
        client.notify("workspace/didChangeWorkspaceFolders", {"event": event})
        assert changes(client.at("rename", blocks, 0, 6, newName="u")) == {"a/blocks.netdef": 1}


def test_broken_files_beside_do_not_matter(tmp_path: Path) -> None:
    write(tmp_path, blocks=BLOCKS, main=MAIN, broken="net {{{ (((\n", circle="")
    write(tmp_path, circle='use a from "circle.netdef"\nblock b() { a() }\n')
    (tmp_path / "binary.netdef").write_bytes(b"\xff\xfe\x00use cell")
    (tmp_path / "folder.netdef").mkdir()
    (tmp_path / "dangling.netdef").symlink_to(tmp_path / "nowhere")
    with Client(rootUri=tmp_path.as_uri()) as client:
        main = (tmp_path / "main.netdef").as_uri()
        assert client.open(main, MAIN) == []
        renaming = client.at("rename", main, 3, 1, newName="unit")
        assert sorted(changes(renaming).values()) == [1, 2]
        assert client.at("completion", main, 0, 4)["items"]


def test_a_deleted_file_is_missed_and_a_closed_one_read_from_disk(tmp_path: Path) -> None:
    write(tmp_path, blocks=BLOCKS, main=MAIN)
    main, blocks = tmp_path / "main.netdef", tmp_path / "blocks.netdef"
    with Client(rootUri=tmp_path.as_uri()) as client:
        client.open(blocks.as_uri(), BLOCKS.replace("cell", "unit"))  # not saved
        assert codes(client.open(main.as_uri(), MAIN)) == ["E201"]
        client.diagnostics.clear()
        client.notify("textDocument/didClose", {"textDocument": {"uri": blocks.as_uri()}})
        assert client.problems(main.as_uri()) == []
        assert client.diagnostics[blocks.as_uri()]["diagnostics"] == []
        client.diagnostics.clear()
        blocks.unlink()
        tell(client, blocks, DELETED)
        assert codes(client.problems(main.as_uri())) == ["E207"]
        client.diagnostics.clear()
        write(tmp_path, blocks=BLOCKS)
        tell(client, blocks, CREATED)
        assert client.problems(main.as_uri()) == []


def test_a_file_that_is_deleted_while_it_is_open_stays_as_it_is_there(tmp_path: Path) -> None:
    write(tmp_path, blocks=BLOCKS, main=MAIN)
    main, blocks = tmp_path / "main.netdef", tmp_path / "blocks.netdef"
    with Client(rootUri=tmp_path.as_uri()) as client:
        client.open(blocks.as_uri(), BLOCKS)
        blocks.unlink()
        tell(client, blocks, DELETED)
        assert client.at("definition", blocks.as_uri(), 0, 7)
        client.notify("textDocument/didClose", {"textDocument": {"uri": blocks.as_uri()}})
        assert codes(client.open(main.as_uri(), MAIN)) == ["E207"]


def test_a_text_that_is_closed_and_opened_again_starts_anew(client: Client) -> None:
    uri = "untitled:again"
    assert codes(client.open(uri, "net n { input x: f32[3]\nfrob\noutput y }\n")) == ["E201"]
    client.notify("textDocument/didClose", {"textDocument": {"uri": uri}})
    assert client.about("inlayHint", uri, range=WHOLE) is None
    assert client.open(uri, "net n { input x: f32[3]\nrelu\noutput y }\n") == []
    (hint,) = client.about("inlayHint", uri, range=WHOLE)
    assert hint["label"] == "[3]"


def test_a_file_that_is_open_under_two_addresses_is_one_file(tmp_path: Path) -> None:
    write(tmp_path / "real", blocks=BLOCKS, main=MAIN)
    (tmp_path / "link").symlink_to(tmp_path / "real")
    with Client(rootUri=(tmp_path / "link").as_uri()) as client:
        main = (tmp_path / "link" / "main.netdef").as_uri()
        assert client.open(main, MAIN) == []
        renaming = client.at("rename", main, 3, 1, newName="unit")
        assert sorted(len(edits) for edits in renaming["changes"].values()) == [1, 2]
        assert main in renaming["changes"]


def test_names_of_files_with_blanks_and_letters_of_any_alphabet(tmp_path: Path) -> None:
    folder = tmp_path / "mes réseaux #1"
    write(folder, blocks=BLOCKS)
    main = folder / "été 100%.netdef"
    main.write_text(MAIN, encoding="utf-8")
    with Client(rootUri=folder.as_uri()) as client:
        assert client.open(main.as_uri(), MAIN) == []
        (place,) = client.at("definition", main.as_uri(), 3, 1)
        assert place["uri"] == (folder / "blocks.netdef").as_uri()


def test_positions_behind_emoji_in_a_text_with_crlf(client: Client) -> None:
    """Every question takes and gives positions in the editor's units."""
    uri = "untitled:emoji"
    text = 'net n {\r\n  input x: f32[3]; relu as "😀🎉" -> bn as last; tanh\r\n  output y\r\n}\r\n'
    assert client.open(uri, text) == []
    line = text.split("\r\n")[1]

    def column(word: str) -> int:
        return len(line[: line.index(word)].encode("utf-16-le")) // 2

    last = {"line": 1, "character": column("last")}
    found = client.at("hover", uri, 1, column("last") + 1)
    assert found["range"]["start"] == last
    (place,) = client.at("definition", uri, 1, column("last") + 1)
    assert place["range"]["start"] == last
    renaming = client.at("rename", uri, 1, column("last") + 2, newName="z")
    assert renaming["changes"][uri][0]["range"]["end"]["character"] == column("last") + 4
    hints = client.about("inlayHint", uri, range=WHOLE)
    assert column("last") + 4 in [hint["position"]["character"] for hint in hints]
    (net,) = client.about("documentSymbol", uri)
    assert net["children"][-2]["selectionRange"]["start"] == last


def test_a_burst_of_edits_and_questions_is_answered_for_the_last_text(client: Client) -> None:
    uri = "untitled:burst"
    text = "net n {\ninput x: f32[3, 64]\nconv(8, 3)\noutput y\n}\n"
    client.open(uri, text)
    for width in range(8, 48):
        client.change(uri, text.replace("8, 3", f"{width}, 3"))
        client.identity += 1
        params = {"textDocument": {"uri": uri}, "range": WHOLE}
        request = {"id": client.identity, "method": "textDocument/inlayHint", "params": params}
        client.send(request)
    assert client.problems(uri) == []
    (hint,) = client.about("inlayHint", uri, range=WHOLE)
    assert hint["label"] == "[47, 62]"


def test_an_open_file_that_was_never_saved_can_be_used(client: Client, tmp_path: Path) -> None:
    main, blocks = tmp_path / "main.netdef", tmp_path / "blocks.netdef"
    assert codes(client.open(main.as_uri(), MAIN)) == ["E207"]
    assert codes(client.open(blocks.as_uri(), BLOCKS)) == []
    client.at("hover", main.as_uri(), 0, 5)  # answered once the text is checked again
    assert codes(client.problems(main.as_uri())) == []


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="the system has no FIFOs")
def test_the_server_waits_for_no_pipe_and_opens_no_file_of_the_system(tmp_path: Path) -> None:
    for name in ("pipe.netdef", "names"):
        os.mkfifo(tmp_path / name)
    text = MAIN.replace("blocks", "pipe").replace("output y", 'output y labels "names"')
    with Client(rootUri=tmp_path.as_uri()) as client:
        main = (tmp_path / "main.netdef").as_uri()
        assert codes(client.open(main, text)) == ["E207"]
        assert client.at("completion", main, 0, 4) is not None
        labels = 'net n {\ninput x: f32[1]\nrelu\noutput y labels "/dev/zero"\n}\n'
        assert codes(client.edit(main, labels)) == ["E207"]
