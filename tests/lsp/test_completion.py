"""What the editor proposes to write."""

from __future__ import annotations

from pathlib import Path

import pytest

from compiler.ops import OPS
from netc.lsp.calls import signature_at
from netc.lsp.completion import complete
from netc.lsp.project import Project
from netc.lsp.scope import Proposal
from tests.lsp.texts import HALVES, alone, analysed, file_of, folder

BEFORE = HALVES.replace("    output y\n}\n", "    ")


def proposed(text: str, project: Project | None = None, path: Path | None = None) -> list[Proposal]:
    """The proposals at the mark of a text whose last analysis is of the text that parsed."""
    analysis = analysed(HALVES, path)
    plain = text.replace("|", "")
    return list(complete(project or alone(), analysis, plain, text.index("|")).items)


def labels(text: str) -> set[str]:
    return {item.label for item in proposed(text)}


def in_order(text: str) -> list[str]:
    """The proposals as an editor lists them."""
    found = sorted(proposed(text), key=lambda item: (item.rank, item.order, item.label))
    return [item.label for item in found]


def test_a_statement_begins_with_an_op_a_block_a_tensor_or_a_keyword() -> None:
    found = labels(BEFORE + "|")
    assert set(OPS) <= found
    assert {"unit", "image", "first", "in", "repeat", "output", "expect"} <= found
    assert "stride" not in found  # a parameter of the block above
    assert "block" not in found


def test_a_block_is_not_proposed_inside_itself() -> None:
    assert "unit" not in labels(HALVES.replace("-> relu", "-> |relu"))
    assert "n" not in labels(BEFORE + "|")


def test_everyday_ops_come_before_rare_ones() -> None:
    found = in_order(BEFORE + "relu -> |")
    assert found.index("conv") < found.index("concat") < found.index("instancenorm")


def test_what_stands_behind_the_cursor_is_not_written_again() -> None:
    found = {item.label: item for item in proposed(BEFORE + "con|v(8, 3)")}
    assert (found["conv"].snippet, found["conv"].insert) == (None, "conv")
    found = {item.label: item for item in proposed(BEFORE + "concat| { relu }")}
    assert (found["concat"].snippet, found["concat"].insert) == (None, "concat")
    found = {item.label: item for item in proposed(BEFORE + "conv(8, 3, st|ride=2)")}
    assert found["stride="].insert == "stride"


def test_after_an_arrow_there_are_no_tensors_and_no_keywords() -> None:
    found = labels(BEFORE + "relu -> |")
    assert {"conv", "unit"} <= found
    assert not found & {"image", "first", "repeat"}


def test_in_a_call_the_parameters_come_first() -> None:
    found = in_order(BEFORE + "conv(8, |")
    assert found[:4] == ["kernel=", "stride=", "pad=", "pad_mode="]
    assert "channels=" not in found


def test_a_parameter_that_is_given_is_not_proposed_again() -> None:
    found = labels(BEFORE + "conv(8, pad=1, |")
    assert {"kernel=", "stride="} <= found
    assert not found & {"pad=", "channels="}


def test_a_call_of_a_block_has_the_parameters_of_the_block() -> None:
    assert {"c=", "stride="} <= labels(BEFORE + "unit(|")


def test_a_join_takes_tensors_by_name() -> None:
    assert {"image", "first", "axis="} <= labels(BEFORE + "concat(first, |")


def test_a_string_parameter_has_its_words() -> None:
    assert {'"same"', '"half"'} <= labels(BEFORE + "conv(8, 3, pad=|")
    assert in_order(BEFORE + "conv(8, 3, pad=|")[:2] == ['"same"', '"same_lower"']
    assert labels(BEFORE + 'upsample(2, "|') == {"nearest", "bilinear"}


def test_a_parameter_that_is_true_or_false_has_these_first() -> None:
    assert in_order(BEFORE + "conv(8, 3, bias=|")[:2] == ["true", "false"]


def test_a_block_may_be_given_an_op() -> None:
    assert "relu" in labels(BEFORE + "unit(|")
    assert "relu" not in labels(BEFORE + "conv(|")


def test_words_that_go_on_a_statement() -> None:
    assert labels(BEFORE + "relu |") == {"as", "like"}
    assert labels(BEFORE + "if true { relu } |") == {"else"}
    assert labels(BEFORE + "if true { relu } else |") == {"if"}
    assert labels(BEFORE + "output z |") == {"as", "labels"}
    assert labels(BEFORE + "output z = softmax |") == {"as", "like", "labels"}


def test_a_tensor_has_sizes() -> None:
    assert labels(BEFORE + "conv(in.|") == {"c", "h", "w", "d", "shape", "rank"}


def test_like_takes_labels() -> None:
    assert labels(BEFORE + "unit(4) like |") == {"first"}


def test_contracts_take_measures() -> None:
    assert {"params", "macs", "rf", "depth"} <= labels(BEFORE + "expect |")


def test_at_the_top_of_a_file_stand_items() -> None:
    assert labels(HALVES + "\n|") == {"use", "let", "block", "net", "train"}


def test_an_input_is_of_numbers_or_whole_ones_or_a_picture() -> None:
    assert labels("net n {\n input x: |") == {"f32", "i64"}
    assert labels("net n {\n input x: f32[3, 8, 8] from |") == {"picture"}
    assert {"resize=", "crop=", "mean=", "std="} <= labels(
        "net n {\n input x: f32[3, 8, 8] from picture(|"
    )


@pytest.mark.parametrize("text", ["# |", "let |", "relu as |", "conv(3|", 'as "a|'])
def test_nothing_where_a_name_is_invented_or_prose_is_written(text: str) -> None:
    assert labels(BEFORE + text) == set()


def test_a_required_parameter_is_a_place_to_fill_in() -> None:
    found = {item.label: item.snippet for item in proposed(BEFORE + "|")}
    assert found["conv"] == "conv(${1:channels}, ${2:kernel})"
    assert found["relu"] == "relu"
    assert found["unit"] == "unit(${1:c})"
    assert found["concat"] == "concat {\n\t$0\n}"


def test_every_op_says_what_it_is() -> None:
    found = {item.label: item for item in proposed(BEFORE + "|")}
    assert all(found[name].text and found[name].detail for name in OPS)


def test_names_in_scope_follow_an_edit_above_them() -> None:
    text = HALVES.replace("net n {", "let a = 1\nlet b = 2\n\nnet n {")
    assert "first" in labels(text.replace("    output y", "    |output y"))


def test_files_and_their_names_after_use(tmp_path: Path) -> None:
    project = folder(tmp_path, blocks="block tower() { relu }\nlet width = 3\n", main="")
    path = file_of(project, tmp_path, "main").source.path
    names = {item.label for item in proposed('use | from "blocks.netdef"\n', project, path)}
    assert names == {"tower", "width"}
    files = {item.label for item in proposed('use tower from "|', project, path)}
    assert "blocks.netdef" in files and "main.netdef" not in files
    assert "resnet.netdef" in files  # the library's


def test_a_name_after_use_brings_its_file_along(tmp_path: Path) -> None:
    project = folder(tmp_path, blocks="block tower() { relu }\nlet width = 3\n", main="")
    path = file_of(project, tmp_path, "main").source.path
    inserted = {item.label: item.insert for item in proposed("use |", project, path)}
    assert inserted["tower"] == 'tower from "blocks.netdef"'
    assert inserted["bottleneck"] == 'bottleneck from "resnet.netdef"'
    more = {item.label: item.insert for item in proposed("use tower, |", project, path)}
    assert more == {"width": 'width from "blocks.netdef"'}


def test_files_in_folders_below(tmp_path: Path) -> None:
    (tmp_path / "parts").mkdir()
    (tmp_path / "parts" / "deep.netdef").write_text("block deep() { relu }\n")
    project = folder(tmp_path, main="")
    path = file_of(project, tmp_path, "main").source.path
    assert "parts/" in {i.label for i in proposed('use deep from "|', project, path)}
    (file,) = proposed('use deep from "parts/|', project, path)
    assert file.label == "parts/deep.netdef"
    (name,) = proposed('use | from "parts/deep.netdef"', project, path)
    assert name.label == "deep"
    assert proposed('use deep from "../|', project, path) == []


def active(text: str) -> str | None:
    """The parameter that the editor marks in the signature."""
    found = signature_at(alone(), analysed(HALVES), text.replace("|", ""), text.index("|"))
    if found is None:
        return None
    return None if found.active is None else found.slots[found.active].name


@pytest.mark.parametrize(
    ("text", "parameter"),
    [
        ("conv(|", "channels"),
        ("conv(8, |", "kernel"),
        ("conv(8, 3, pad=|", "pad"),
        ("conv(8, 3, (1, |", "stride"),
        ("unit(4, |", "stride"),
        ("conv(8, 3, nonsense=|", None),
        ("relu -> |", None),
        ("frob(|", None),
    ],
)
def test_the_parameter_that_is_being_written(text: str, parameter: str | None) -> None:
    assert active(BEFORE + text) == parameter


def test_the_places_of_the_parameters_in_a_signature() -> None:
    found = signature_at(alone(), analysed(HALVES), BEFORE + "unit(", len(BEFORE) + 5)
    assert found is not None and found.label == "unit(c, stride=1)"
    assert [found.label[a:b] for a, b in found.places] == ["c", "stride=1"]
