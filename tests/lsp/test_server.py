"""The server over its real protocol: a process, talked to over its standard streams."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.lsp.client import Client, Failed
from tests.lsp.texts import HALVES

pytest.importorskip("pygls", reason="the language server needs netc[lsp]")

WHOLE = {"start": {"line": 0, "character": 0}, "end": {"line": 999, "character": 0}}
SNIPPETS = {"textDocument": {"completion": {"completionItem": {"snippetSupport": True}}}}


@pytest.fixture(scope="module")
def server() -> Iterator[Client]:
    """One server for all tests that leave its settings alone; each opens texts of its own."""
    with Client(capabilities=SNIPPETS) as client:
        yield client


def edited(text: str, edits: list[dict[str, Any]]) -> str:
    """A text of plain characters after the editor has made some changes."""
    lines = text.split("\n")
    for edit in sorted(edits, key=lambda e: list(e["range"]["start"].values()), reverse=True):
        start, end = edit["range"]["start"], edit["range"]["end"]
        head = lines[start["line"]][: start["character"]]
        tail = lines[end["line"]][end["character"] :]
        lines[start["line"] : end["line"] + 1] = (head + edit["newText"] + tail).split("\n")
    return "\n".join(lines)


def labels(hints: list[dict[str, Any]]) -> list[str]:
    return [hint["label"] for hint in hints]


def test_a_session_from_start_to_end() -> None:
    """Open, edit, look, fix, rename, shut down."""
    uri = "untitled:net"
    with Client() as client:
        assert client.open(uri, HALVES) == []
        hints = client.about("inlayHint", uri, range=WHOLE)
        assert labels(hints)[2] == "[4, 8, 8]"
        (problem,) = client.edit(uri, HALVES.replace("relu", "relo"))
        assert problem["code"] == "E201"
        (action,) = client.about(
            "codeAction", uri, range=problem["range"], context={"diagnostics": [problem]}
        )
        assert action["title"] == "replace with `relu`"
        text = edited(HALVES.replace("relu", "relo"), action["edit"]["changes"][uri])
        assert text == HALVES
        assert client.edit(uri, text) == []
        renaming = client.at("rename", uri, 1, 7, newName="cell")
        text = edited(text, renaming["changes"][uri])
        assert text == HALVES.replace("unit", "cell")
        assert client.edit(uri, text) == []
        client.notify("textDocument/didClose", {"textDocument": {"uri": uri}})
        assert client.end() == 0


def test_an_exit_without_a_shutdown_is_an_error() -> None:
    with Client() as client:
        client.notify("exit")
        assert client.process.wait(60) == 1


def test_an_editor_that_goes_away_ends_the_server() -> None:
    with Client() as client:
        assert client.process.stdin is not None
        client.process.stdin.close()
        assert client.process.wait(60) == 0


def test_the_server_says_what_it_can(server: Client) -> None:
    assert server.capabilities["textDocumentSync"]["change"] == 1  # whole texts
    for name in ("hover", "completion", "signatureHelp", "definition", "references", "rename"):
        assert server.capabilities[f"{name}Provider"]
    for name in ("inlayHint", "codeAction", "documentSymbol", "foldingRange"):
        assert server.capabilities[f"{name}Provider"]


def test_problems_come_with_their_place_code_and_calls(server: Client) -> None:
    uri = "untitled:problems"
    (problem,) = server.open(uri, HALVES.replace("conv(c, 3x3", "conv(c, 99"))
    assert problem["range"]["start"] == {"line": 2, "character": 12}
    assert problem["range"]["end"] == {"line": 2, "character": 14}
    assert (problem["code"], problem["severity"], problem["source"]) == ("E302", 1, "netc")
    (related,) = problem["relatedInformation"]
    assert related["location"]["range"]["start"]["line"] == 7


def test_hover_and_signature(server: Client) -> None:
    uri = "untitled:hover"
    server.open(uri, HALVES)
    found = server.at("hover", uri, 2, 6)
    assert "floor((8 + 1 + 1 - 3)/1) + 1 = 8" in found["contents"]["value"]
    assert found["range"]["start"] == {"line": 2, "character": 4}
    assert "Kernel size" in server.at("hover", uri, 2, 13)["contents"]["value"]
    assert "First called in first: unit(4)" in server.at("hover", uri, 1, 7)["contents"]["value"]
    assert server.at("hover", uri, 4, 1) is None
    shown = server.at("signatureHelp", uri, 8, 24)
    assert shown["signatures"][0]["label"] == "unit(c, stride=1)"
    assert shown["activeParameter"] == 1


def test_completion_while_the_text_is_broken(server: Client) -> None:
    uri = "untitled:completion"
    server.open(uri, HALVES)
    line = "    conv(8, ke"
    server.change(uri, HALVES.replace("    output y", line + "\n    output y"))
    found = server.at("completion", uri, 9, len(line))
    (item,) = [item for item in found["items"] if item["label"] == "kernel="]
    assert item["textEdit"]["newText"] == "kernel="
    assert item["textEdit"]["range"]["start"] == {"line": 9, "character": 12}
    server.change(uri, HALVES)
    stages = server.at("completion", uri, 9, 4)["items"]
    snippets = {i["label"]: i["textEdit"]["newText"] for i in stages if i["insertTextFormat"] == 2}
    assert snippets["conv"] == "conv(${1:channels}, ${2:kernel})"
    ops = sorted(stages, key=lambda item: item["sortText"])
    assert [i["label"] for i in ops if i["label"] in ("concat", "conv")] == ["conv", "concat"]
    server.change(uri, "use res\n" + HALVES)
    used = {
        i["label"]: i["textEdit"]["newText"] for i in server.at("completion", uri, 0, 7)["items"]
    }
    assert used["bottleneck"] == 'bottleneck from "resnet.netdef"'


def test_definition_references_and_highlights(server: Client) -> None:
    uri = "untitled:names"
    server.open(uri, HALVES)
    (place,) = server.at("definition", uri, 7, 5)
    assert place["range"]["start"] == {"line": 1, "character": 6}
    with_own = server.at("references", uri, 7, 5, context={"includeDeclaration": True})
    without = server.at("references", uri, 7, 5, context={"includeDeclaration": False})
    assert (len(with_own), len(without)) == (3, 2)
    assert len(server.at("documentHighlight", uri, 7, 5)) == 3


def test_a_rename_that_would_break_something_is_refused(server: Client) -> None:
    uri = "untitled:refused"
    server.open(uri, HALVES)
    with pytest.raises(Failed, match="is the name of an op"):
        server.at("rename", uri, 7, 5, newName="conv")
    with pytest.raises(Failed, match="`image` is a name in untitled:refused already"):
        server.at("rename", uri, 7, 16, newName="image")
    looped = HALVES.replace("repeat 2", "for i in range(2)").replace("=2)", '=2) as "u{i}"')
    assert server.edit(uri, looped) == []
    with pytest.raises(Failed, match="would be a mistake: the label `u1` is used twice"):
        server.at("rename", uri, 7, 16, newName="u1")
    server.edit(uri, HALVES)
    with pytest.raises(Failed, match="is not defined"):
        server.at("prepareRename", uri, 2, 5)
    assert server.at("prepareRename", uri, 7, 5)["end"] == {"line": 7, "character": 8}


def test_formatting_is_one_change_that_keeps_the_line_ends(server: Client) -> None:
    uri = "untitled:layout"
    options = {"tabSize": 4, "insertSpaces": True}
    untidy = HALVES.replace("pad=1) -> relu", "pad = 1)->relu").replace("unit(4) as", "unit( 4 )as")
    assert server.open(uri, HALVES) == []
    assert server.about("formatting", uri, options=options) == []
    for end in ("\n", "\r\n"):
        server.edit(uri, untidy.replace("\n", end))
        (edit,) = server.about("formatting", uri, options=options)
        assert edited(untidy.replace("\n", end), [edit]) == HALVES.replace("\n", end)
    server.edit(uri, untidy.replace("(c, 3x3", "(c 3x3"))
    assert server.about("formatting", uri, options=options) == []


def test_a_hint_keeps_its_distance_from_what_follows(server: Client) -> None:
    uri = "untitled:padding"
    server.open(uri, HALVES.replace("pad=1) -> relu", "pad=1)->relu"))
    first, second, *_ = server.about("inlayHint", uri, range=WHOLE)
    assert (first["paddingLeft"], first["paddingRight"]) == (True, True)
    assert (second["paddingLeft"], second["paddingRight"]) == (True, False)


def test_outline_and_folds(server: Client) -> None:
    uri = "untitled:outline"
    server.open(uri, HALVES)
    unit, net = server.about("documentSymbol", uri)
    assert (unit["name"], unit["detail"]) == ("unit", "(c, stride=1)")
    assert [child["name"] for child in net["children"]] == ["image", "first", "y"]
    assert {"startLine": 5, "endLine": 9} in server.about("foldingRange", uri)


def test_positions_count_in_utf16_and_lines_end_in_any_way(server: Client) -> None:
    uri = "untitled:units"
    text = HALVES.replace("# A conv", "# 😀 \u2028 conv").replace("as first", 'as "😀" -> relo')
    (problem,) = server.open(uri, text.replace("\n", "\r\n"))
    assert problem["range"]["start"] == {"line": 7, "character": 23}
    assert problem["range"]["end"] == {"line": 7, "character": 27}
    (action,) = server.about("codeAction", uri, range=problem["range"], context={"diagnostics": []})
    assert action["edit"]["changes"][uri][0]["range"] == problem["range"]


def test_a_client_that_counts_in_utf8_is_obeyed() -> None:
    encodings = {"general": {"positionEncodings": ["utf-8", "utf-16"]}}
    with Client(capabilities=encodings) as client:
        assert client.capabilities["positionEncoding"] == "utf-8"
        (problem,) = client.open("untitled:a", HALVES.replace("as first", 'as "é😀" -> relo'))
        assert problem["range"]["start"]["character"] == 23 + 4


def test_the_last_good_text_answers_while_the_text_is_broken(server: Client) -> None:
    uri = "untitled:broken"
    server.open(uri, HALVES)
    before = server.about("inlayHint", uri, range=WHOLE)
    problems = server.edit(uri, HALVES.replace("net n {", "let = 3\n\nnet n {"))
    assert [problem["code"] for problem in problems] == ["E101"]
    after = server.about("inlayHint", uri, range=WHOLE)
    assert labels(after) == labels(before)
    lines = [hint["position"]["line"] for hint in before]
    assert [h["position"]["line"] for h in after] == [n + 2 if n > 4 else n for n in lines]
    assert [symbol["name"] for symbol in server.about("documentSymbol", uri)] == ["unit", "n"]


@pytest.mark.parametrize(
    "text",
    ["", "\x00", "net", "}{", '"', "net n {" * 300, "(" * 5000, "\ud83d", "let a = " + "9" * 5000],
)
def test_no_text_ends_the_server(server: Client, text: str) -> None:
    uri = "untitled:odd"
    server.open(uri, text)
    for method in ("hover", "completion", "definition", "signatureHelp", "documentHighlight"):
        server.at(method, uri, 0, len(text))
        server.at(method, uri, 7, 7)
    for method in ("documentSymbol", "foldingRange"):
        server.about(method, uri)
    server.about("inlayHint", uri, range=WHOLE)
    server.about("codeAction", uri, range=WHOLE, context={"diagnostics": []})


@pytest.mark.parametrize("uri", ["file:///nowhere/x.netdef", "git:/a?b", "x", "file://host/share"])
def test_any_uri_will_do(server: Client, uri: str) -> None:
    assert server.open(uri, HALVES) == []
    assert server.at("definition", uri, 7, 5)[0]["uri"] == uri


def test_a_text_that_was_never_opened_has_no_answers(server: Client) -> None:
    assert server.at("hover", "untitled:unknown", 0, 0) is None
    assert server.about("documentSymbol", "untitled:unknown") is None
    assert server.about("inlayHint", "untitled:unknown", range=WHOLE) is None


def test_of_many_edits_the_last_one_counts(server: Client) -> None:
    uri = "untitled:fast"
    server.open(uri, HALVES)
    for width in range(1, 40):
        server.change(uri, HALVES.replace("unit(4)", f"unit({width})"))
    assert server.problems(uri) == []
    assert labels(server.about("inlayHint", uri, range=WHOLE))[2] == "[39, 8, 8]"


def test_files_that_use_each_other(tmp_path: Path) -> None:
    blocks, main = tmp_path / "blocks.netdef", tmp_path / "main.netdef"
    blocks.write_text("block b(k) { conv(4, k) }\n")
    text = 'use b from "blocks.netdef"\nnet n {\ninput x: f32[3, 8, 8]\nb(3)\noutput y\n}\n'
    main.write_text(text)
    with Client(rootUri=tmp_path.as_uri()) as client:
        assert client.open(main.as_uri(), text) == []
        (place,) = client.at("definition", main.as_uri(), 3, 0)
        assert place["uri"] == blocks.as_uri()
        (file,) = client.at("definition", main.as_uri(), 0, 15)
        assert file["uri"] == blocks.as_uri()
        renaming = client.at("rename", main.as_uri(), 3, 0, newName="c")
        assert {uri: len(e) for uri, e in renaming["changes"].items()} == {
            blocks.as_uri(): 1,
            main.as_uri(): 2,
        }
        # An unsaved edit of the used file counts at once, a change on disk when it is told.
        client.diagnostics.clear()
        client.open(blocks.as_uri(), "block b(k) { conv(4, 99) }\n")
        assert [p["code"] for p in client.problems(main.as_uri())] == ["E302"]
        client.diagnostics.clear()
        client.notify("textDocument/didClose", {"textDocument": {"uri": blocks.as_uri()}})
        assert client.problems(main.as_uri()) == []
        client.diagnostics.clear()
        blocks.write_text("block c(k) { conv(4, k) }\n")
        change = {"changes": [{"uri": blocks.as_uri(), "type": 2}]}
        client.notify("workspace/didChangeWatchedFiles", change)
        assert [p["code"] for p in client.problems(main.as_uri())] == ["E201"]


def test_a_file_that_was_missing_is_found_once_it_is_there(tmp_path: Path) -> None:
    blocks, main = tmp_path / "blocks.netdef", tmp_path / "main.netdef"
    with Client() as client:
        text = 'use b from "blocks.netdef"\nnet n { input x: f32[3]\nb()\noutput y }\n'
        assert [p["code"] for p in client.open(main.as_uri(), text)] == ["E207"]
        client.diagnostics.clear()
        blocks.write_text("block b() { relu }\n")
        change = {"changes": [{"uri": blocks.as_uri(), "type": 1}]}
        client.notify("workspace/didChangeWatchedFiles", change)
        assert client.problems(main.as_uri()) == []


def test_settings_choose_the_hints() -> None:
    settings = {"inlayHints": {"shapes": "off", "macs": True}}
    refresh = {"workspace": {"inlayHint": {"refreshSupport": True}}}
    with Client(initializationOptions=settings, capabilities=refresh) as client:
        uri = "untitled:a"
        client.open(uri, HALVES)
        assert labels(client.about("inlayHint", uri, range=WHOLE))[0] == "6.91 k MACs"
        client.notify("workspace/didChangeConfiguration", {"settings": {"netc": {}}})
        assert labels(client.about("inlayHint", uri, range=WHOLE))[2] == "[4, 8, 8]"
        assert "workspace/inlayHint/refresh" in client.asked


def test_folders_of_the_command_line_and_of_the_settings(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        (tmp_path / name / f"{name}.netdef").write_text(f"block {name}() {{ relu }}\n")
    text = 'use a from "a.netdef"\nuse b from "b.netdef"\n'
    settings = {"include": [str(tmp_path / "b")]}
    with Client("-I", str(tmp_path / "a"), initializationOptions=settings) as client:
        assert client.open((tmp_path / "main.netdef").as_uri(), text) == []
        client.diagnostics.clear()
        client.notify("workspace/didChangeConfiguration", {"settings": {"netc": {}}})
        (problem,) = client.problems((tmp_path / "main.netdef").as_uri())
        assert problem["range"]["start"]["line"] == 1
