"""The table of a network at every width: no digit is ever lost, columns give way in their order.

`pytest tests/netc/test_summary.py --bless` writes the expected tables anew.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import netc as api
from compiler.dims import symbol
from compiler.domain import Facts
from netc.layer_table import bar, count_text, short_count, size_text
from netc.tabular import shortened
from tests.netc.command import netc

EXPECTED = Path(__file__).parent / "summaries"
WIDTHS = (44, 60, 80, 120, 200)
NETS = ("lenet5", "vgg_d", "unet", "resnet152")


def printed(
    monkeypatch: pytest.MonkeyPatch, width: int, *arguments: str, color: bool = False
) -> str:
    monkeypatch.setenv("COLUMNS", str(width))
    if color:
        monkeypatch.setenv("FORCE_COLOR", "1")
    else:
        monkeypatch.setenv("NO_COLOR", "1")
    return netc("summary", *arguments, color=color).stdout


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("name", NETS)
def test_the_table_fits_and_looks_as_it_should(
    name: str, width: int, bless: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = printed(monkeypatch, width, name)
    table = text.partition("\n\n")[0]
    assert max(map(len, table.splitlines())) <= max(width, 78)  # the remark on depth is prose
    file = EXPECTED / f"{name}-{width}.txt"
    if bless:
        file.write_text(text, encoding="utf-8")
    assert text == file.read_text(encoding="utf-8")


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("name", ["lenet5", "vgg_d", "googlenet"])
def test_no_number_is_cut(name: str, width: int, monkeypatch: pytest.MonkeyPatch) -> None:
    text = printed(monkeypatch, width, name, "--depth", "9")
    numbers = set(re.findall(r"(?<![\w,])[\d,]+(?![\w,])", text))
    for layer in api.load(name).analysis.layers:
        if layer.parameters:
            assert f"{layer.parameters:,}" in numbers
        if layer.macs:
            assert f"{layer.macs:,}" in numbers


def test_columns_give_way_in_their_order(monkeypatch: pytest.MonkeyPatch) -> None:
    left = [
        printed(monkeypatch, width, "vgg_d", "--bars").splitlines()[1].split()
        for width in (140, 100, 88, 75, 60)
    ]
    lost = [[title for title in left[0] if title not in titles] for titles in left]
    assert lost == [
        [],
        ["share"],
        ["memory", "share"],
        ["field", "memory", "share"],
        ["op", "field", "memory", "share"],
    ]


def test_colour_changes_no_letter(monkeypatch: pytest.MonkeyPatch) -> None:
    plain = printed(monkeypatch, 80, "unet")
    monkeypatch.delenv("NO_COLOR")
    coloured = printed(monkeypatch, 80, "unet", color=True)
    assert "\x1b[" in coloured
    assert re.sub(r"\x1b\[[0-9;]*m", "", coloured) == plain


def test_a_deep_net_folds_to_a_screen_and_opens_on_request(monkeypatch: pytest.MonkeyPatch) -> None:
    folded = printed(monkeypatch, 80, "resnet1202")
    assert len(folded.splitlines()) < 30
    assert "1,601 layers" not in folded and "1601 layers" in folded
    assert "--depth 2 shows all 4,809 layers" in folded
    whole = printed(monkeypatch, 80, "resnet1202", "--depth", "2")
    assert len(whole.splitlines()) > 4809


def test_blocks_have_the_sums_of_what_they_hold(monkeypatch: pytest.MonkeyPatch) -> None:
    text = printed(monkeypatch, 120, "resnet18", "--tree")
    row = next(line for line in text.splitlines() if line.startswith("layer1 "))
    inside = [x for x in api.load("resnet18").analysis.layers if x.node.name.startswith("layer1.")]
    assert f"{sum(layer.parameters for layer in inside):,}" in row
    assert "\n  layer1.0 " in text and "\n    conv1 " in text


def test_the_largest_come_first(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = printed(monkeypatch, 120, "vgg_d", "--sort", "params").splitlines()[3:6]
    names = [row.split()[0] for row in rows]
    assert names == ["classifier.0", "classifier.3", "classifier.6"]
    assert netc("summary", "vgg_d", "--sort", "params", "--tree").exit_code == 2


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (0, "0"),
        (999, "999"),
        (1000, "1.00 k"),
        (9996, "10.0 k"),
        (61_706, "61.7 k"),
        (999_600, "1.00 M"),
        (1_582_671_872, "1.58 G"),
        (138_357_544, "138 M"),
    ],
)
def test_short_counts(count: int, text: str) -> None:
    assert short_count(count) == text


def test_sizes_are_fractions_only_where_nothing_is_left_over() -> None:
    height, facts = symbol("H"), Facts()
    assert size_text(height // 4, facts) == "floor(H/4)"
    facts.assume(height % 8, "==", 0)
    assert size_text(height // 4, facts) == "H/4"
    assert size_text(height // 16, facts) == "floor(H/16)"
    assert count_text(64 * (height // 4), facts) == "16*H"
    assert count_text(3 * (height // 4) - 2, facts) == "3*H/4 - 2"
    assert size_text((height - 1) // 2 + 1, facts) == str((height - 1) // 2 + 1)


def test_bars_and_names() -> None:
    assert bar(1, 4) == "██▌        25.0%"
    assert bar(0, 4) == ""
    assert shortened("backbone.stage3.block17.conv2", 16) == "backb…ck17.conv2"
    assert len(shortened("backbone.stage3.block17.conv2", 16)) == 16
    assert shortened("conv1", 16) == "conv1"
