"""Totals, inputs and outputs of the library's nets, and what every definition must say."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from netc.library import library_files, library_nets, open_module
from tests.library.golden import GOLDEN as ANOTHERS
from tests.library.published import COUNTERPARTS, GOLDEN, counterpart, loaded

CITATION = re.compile(r"\b(19|20)\d\d\b|Wikipedia")

UNPUBLISHED = {"m5", "c3d", "unet", "digits8x8", "yolov3"}
"""Nets whose numbers come from their source's text, in their `expect` lines; the golden files have
no entry for them, nor for the kernels, which have no parameters."""


@pytest.mark.parametrize("published", COUNTERPARTS)
def test_parameters_equal_the_published_ones(published: str) -> None:
    assert counterpart(published).summary()["params"] == GOLDEN[published]["params"]


@pytest.mark.parametrize("published", [p for p in COUNTERPARTS if "1998" not in p])
def test_macs_equal_the_published_ones(published: str) -> None:
    assert counterpart(published).summary()["macs"] == GOLDEN[published]["macs"]


def test_lenet5_of_1998_counts_the_coefficients_of_its_subsampling_on_top() -> None:
    summary = counterpart("lenet5/1998 original 32x32").summary()
    coefficients = sum(
        layer["macs"] for layer in summary["layers"] if layer["name"] in ("S2.conv1", "S4.conv1")
    )
    assert summary["macs"] - coefficients == GOLDEN["lenet5/1998 original 32x32"]["macs"] == 326_520
    assert summary["params"] == 60_000 + 840


@pytest.mark.parametrize("published", COUNTERPARTS)
def test_inputs_and_outputs_have_the_published_shapes(published: str) -> None:
    summary, entry = counterpart(published).summary(), GOLDEN[published]
    (ours,) = summary["inputs"].values()
    assert squeezed(ours) == squeezed(entry["input_shape"][1:])
    main = list(summary["outputs"].values())[-1]
    # DCGAN's discriminator squeezes the batch of its one number away.
    assert squeezed(main) == squeezed(entry["output_shape"][1:] or [1])


def squeezed(shape: list[int]) -> list[int]:
    """A shape without the map of a single pixel: [100, 1, 1] is [100]."""
    return shape[:1] if shape[1:] == [1, 1] else shape


def test_every_published_net_has_a_counterpart() -> None:
    assert set(COUNTERPARTS) == set(GOLDEN)


def test_every_net_has_a_published_counterpart_or_says_where_its_numbers_are_from() -> None:
    kernels = {net for net, file in library_nets().items() if file.stem == "kernels"}
    published = {pair.net for pair in COUNTERPARTS.values()} | set(ANOTHERS)
    assert set(library_nets()) == published | UNPUBLISHED | kernels


@pytest.mark.parametrize("name", sorted(library_nets()))
def test_every_net_checks_without_errors_or_warnings(name: str) -> None:
    assert loaded(name).warnings == ()


ROW = re.compile(r"^\| `(\w+)` \|.*\| ([\d,]+) \| ([\d,]+|by size) \|", re.MULTILINE)


def test_the_page_on_the_library_has_every_net_of_the_yardstick_with_its_numbers() -> None:
    page = Path(__file__).parents[2] / "docs" / "library.md"
    rows = ROW.findall(page.read_text(encoding="utf-8"))
    assert set(ANOTHERS) <= {name for name, _, _ in rows}
    for name, params, macs in rows:
        analysis = loaded(name).analysis
        assert f"{analysis.parameters:,}" == params
        assert macs == (f"{analysis.macs:,}" if isinstance(analysis.macs, int) else "by size")


@pytest.mark.parametrize("path", library_files(), ids=lambda path: str(path.stem))
def test_every_file_cites_its_sources_and_every_net_its_own_and_its_contract(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    heading = text.partition("\n\n")[0].splitlines()
    assert all(line.startswith("#") for line in heading)
    assert CITATION.search("".join(heading))
    nets = open_module(path.stem)[0].nets()
    bodies = re.split(r"^net ", text, flags=re.MULTILINE)[1:]
    for net, body in zip(nets, bodies, strict=True):
        assert body.startswith(net.name)
        assert CITATION.search(net.definition.doc), net.name
        assert re.search(r"\bexpect\b", body.partition("\n}")[0]), net.name
