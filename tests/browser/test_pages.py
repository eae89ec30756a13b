"""The pages in a real browser: what is clicked, typed and chosen does what it says."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

import netc
from netc.report import ReportOptions, write_report
from tests.browser.pages import browser, looking
from tests.define import define

HOSTILE = """
# <img src=x onerror=alert(0)>
block b(c) { conv(c, 1x1) as "<img src=x onerror=alert(1)>" }
net n {
    input x: f32[3, 8, 8]
    b(4) as "<script>alert(2)<b>"
    relu as "'\\" onload=alert(3) {{data}}"
    output y = identity
}
"""


@pytest.fixture(scope="module")
def opened() -> Iterator[Any]:
    with browser() as one:
        yield one


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("pages")


@pytest.fixture(scope="module")
def report(folder: Path) -> Path:
    return netc.load("googlenet").report(folder / "report.html")


def names(page: Any, query: str) -> list[str]:
    """The names of the boxes that a query finds."""
    labels = page.locator(query).evaluate_all("all => all.map(e => e.getAttribute('aria-label'))")
    return [label.partition(": ")[0] for label in labels]


def test_a_click_opens_and_closes_a_block(opened: Any, folder: Path) -> None:
    path = netc.load("googlenet").plot(folder / "plot.html")
    with looking(opened, path) as page:
        block = page.locator("[aria-label^='i3a: ']")
        assert block.get_attribute("aria-expanded") == "false"
        boxes = page.locator(".node").count()
        block.click()
        assert block.get_attribute("aria-expanded") == "true"
        assert page.locator(".node").count() == boxes + 8
        assert page.locator("#chosen").inner_text() == "i3a"
        block.press("Enter")
        assert page.locator(".node").count() == boxes
        block.press("ArrowDown")
        assert page.locator("#chosen").inner_text() == "i3b"
        page.click("#open-all")
        assert page.locator(".node").count() > 140
        page.click("#close-all")
        page.click("#fit")
        picture, frame = (page.locator(q).bounding_box() for q in ("#picture svg", "#picture"))
        assert picture["height"] <= frame["height"] + 1


def test_the_picture_is_saved_as_it_is(opened: Any, folder: Path) -> None:
    path = netc.load("lenet_caffe").plot(folder / "small.html")
    with looking(opened, path, accept_downloads=True) as page:
        with page.expect_download() as download:
            page.click("#save")
        download.value.save_as(folder / "saved.svg")
    text = (folder / "saved.svg").read_text(encoding="utf-8")
    assert text.count('<g class="node"') == 11 and "tabindex" not in text


@pytest.mark.parametrize("kind", ["plot", "report"])
def test_search_finds_a_layer_in_a_closed_block(
    opened: Any, folder: Path, report: Path, kind: str
) -> None:
    path = report if kind == "report" else netc.load("googlenet").plot(folder / "plot.html")
    with looking(opened, path) as page:
        page.fill("#search", "I4A.unit3")
        assert page.locator("#found").inner_text() == "1 of 3"  # the block and its two layers
        page.press("#search", "Enter")
        assert names(page, ".node.chosen") == ["i4a.unit3.conv1"]
        assert page.locator("#chosen").inner_text() == "i4a.unit3.conv1"
        page.press("#search", "Shift+Enter")
        assert page.locator("#chosen").inner_text() == "i4a.unit3"
        page.fill("#search", "nothing like it")
        assert page.locator("#found").inner_text() == "none"


def test_a_row_marks_its_box_and_its_line(opened: Any, report: Path) -> None:
    with looking(opened, report) as page:
        page.get_by_role("button", name="i4b.unit2.conv1", exact=True).click()
        assert names(page, ".node.chosen") == ["i4b.unit2.conv1"]
        own = page.locator("[data-line].chosen")
        assert own.count() == 1 and "conv(c, kernel, stride=stride" in own.inner_text()
        calls = page.locator("[data-line].called").all_inner_texts()
        assert [text.strip()[:10] for text in calls] == ["unit(r3, 1", "inception("]
        assert own.is_visible() and page.locator(".chart rect.chosen").count() >= 3


def test_a_line_marks_its_boxes_and_rows(opened: Any, report: Path) -> None:
    with looking(opened, report) as page:
        page.locator("[data-line]", has_text="as i4c").get_by_role("button").click()
        assert names(page, ".node.chosen") == ["i4c"]
        rows = page.locator("#layers tr.chosen th").all_inner_texts()
        assert len(rows) == 14 and all(row.startswith("i4c.") for row in rows)
        assert page.locator("#chosen").inner_text() == "i4c"
        # A line inside of a block makes many layers, which are hidden in closed blocks.
        page.locator("[data-line]", has_text="conv(c, kernel").get_by_role("button").click()
        rows = page.locator("#layers tr.chosen th").all_inner_texts()
        assert len(rows) == 2 * 57
        assert len(names(page, ".node.chosen")) == 12


def test_a_box_marks_its_row_and_its_line(opened: Any, report: Path) -> None:
    with looking(opened, report) as page:
        page.locator("[aria-label^='pool2: ']").click()
        assert page.locator("#layers tr.chosen th").all_inner_texts() == ["pool2"]
        assert 'as "pool2"' in page.locator("[data-line].chosen").inner_text()
        page.locator(".chart rect").first.click()
        assert page.locator("#chosen").inner_text() == "conv1.conv1"


def test_the_table_is_sorted_by_any_column(opened: Any, report: Path) -> None:
    with looking(opened, report) as page:

        def first(column: int) -> str:
            row = page.locator("#layers tbody tr").first
            return str(row.locator("th,td").nth(column).inner_text())

        head = page.locator("#layers thead th")
        head.nth(4).get_by_role("button").click()
        assert (first(0), first(4)) == ("fc", "1,025,000")
        assert head.nth(4).get_attribute("aria-sort") == "descending"
        head.nth(4).get_by_role("button").click()
        assert head.nth(4).get_attribute("aria-sort") == "ascending" and first(4) == ""
        head.nth(1).get_by_role("button").click()
        assert first(1) == "concat" and head.nth(4).get_attribute("aria-sort") == "none"
        head.nth(7).get_by_role("button").click()
        assert first(7) == "907x907"
        head.nth(0).get_by_role("button").click()
        assert first(0) == "image"


def test_names_full_of_markup_stay_text(opened: Any, folder: Path) -> None:
    net = define(HOSTILE)
    picture = folder / "<img src=x onerror=alert(4)>.png"
    Image.linear_gradient("L").convert("RGB").resize((8, 8)).save(picture)
    options = ReportOptions(images=(picture,))
    pages = [
        write_report(net, folder / "h1.html", options),
        net.plot(folder / "h2.html"),
        Path(str(net.maps(picture, folder / "h3.html"))),
    ]
    for path in pages:
        with looking(opened, path) as page:
            assert page.locator("img:not([src^='data:'])").count() == 0
            assert page.locator("script").count() == (4 if path.name != "h3.html" else 0)
            text = page.locator("body").text_content()
            assert "<img src=x onerror=alert(1)>" in text
            if path.name != "h3.html":
                page.click("#open-all")
                assert "<script>alert(2)<b>.<img src=x onerror=alert(1)>" in names(page, ".node")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1300])
def test_a_report_fits_a_phone_and_a_screen(
    opened: Any, report: Path, scheme: str, width: int
) -> None:
    with looking(opened, report, color_scheme=scheme) as page:
        page.set_viewport_size({"width": width, "height": 850})
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        panes = [page.locator(f"#{p}-pane").bounding_box() for p in ("picture", "table", "source")]
        beside = panes[0]["y"] == panes[1]["y"]
        assert beside == (width > 900)
        paper = page.evaluate("getComputedStyle(document.body).backgroundColor")
        assert (paper == "rgb(255, 255, 255)") == (scheme == "light")


def test_a_report_is_worked_by_keys_and_named_for_screen_readers(opened: Any, report: Path) -> None:
    with looking(opened, report) as page:
        for role, name in {"searchbox": "Find a layer", "toolbar": "Picture"}.items():
            assert page.get_by_role(role, name=name).count() == 1
        for name in ("Picture", "Layers", "Definition", "Details"):
            assert page.get_by_role("region", name=name, exact=True).count() == 1
        unnamed = page.evaluate(
            "[...document.querySelectorAll('button, input, .node, [role=img]')]"
            ".filter(e => !(e.getAttribute('aria-label') || e.textContent.trim())).length"
        )
        assert unnamed == 0
        page.locator("#layers tbody button").nth(3).focus()
        page.keyboard.press("Enter")
        assert page.locator("#chosen").inner_text() == "pool1"
        page.locator("[data-line] button", has_text='as "norm1"').focus()
        page.keyboard.press("Space")
        assert page.locator("#chosen").inner_text() == "norm1"
