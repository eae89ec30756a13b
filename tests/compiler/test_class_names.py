"""`labels "names.txt"`: of vectors, of maps, of tables, and only where a condition holds."""

from __future__ import annotations

from pathlib import Path

import numpy as np

import netc
from netc.top_classes import Ranking, describe

TEXT = """
net n(classes=3) {
    input x: f32[3, 4, 4]
    conv(classes, 1x1) as map
    output map labels "names.txt" if classes == 3
    flatten(first=1) -> transpose([1, 0])
    output boxes labels "names.txt" if classes == 3
    "map" -> gap -> flatten
    output scores labels "names.txt" if classes == 3
}
"""
NAMES = ("red", "green", "blue")


def test_classes_are_the_numbers_of_a_vector_the_maps_of_a_picture_the_columns_of_a_table(
    tmp_path: Path,
) -> None:
    (tmp_path / "names.txt").write_text("\n".join(NAMES) + "\n", encoding="utf-8")
    net = netc.loads(TEXT, include=[tmp_path])
    assert net.graph.labels == dict.fromkeys(("map", "boxes", "scores"), NAMES)
    assert netc.loads(TEXT, include=[tmp_path], classes=5).graph.labels == {}


def test_the_classes_of_a_map_are_told_by_the_pixels_that_each_wins() -> None:
    maps = np.zeros((1, 3, 2, 4), dtype=np.float32)
    maps[0, 2, 0] = 1
    maps[0, 1, 1, :3] = 2
    said = describe("map", maps, Ranking({"map": NAMES}, 5)).splitlines()
    assert said[1:] == [
        "  1. blue  50.0% of the pixels",
        "  2. green  37.5% of the pixels",
        "  3. red  12.5% of the pixels",
    ]


def test_the_classes_of_a_table_are_told_by_the_row_where_each_is_largest() -> None:
    table = np.array([[[0.1, 0.7, 0.2], [0.3, 0.2, 0.9]]], dtype=np.float32)
    said = describe("boxes", table, Ranking({"boxes": NAMES}, 2)).splitlines()
    assert said[1:] == ["  1. blue  0.900000 at row 1", "  2. green  0.700000 at row 0"]


def test_the_library_s_names_are_found_from_any_file() -> None:
    net = netc.loads("""
        net n { input x: f32[3, 8, 8]; conv(21, 1x1); output y labels "voc.txt" }
    """)
    assert net.graph.labels["y"][8] == "cat"
    assert netc.load("resnet18").graph.labels["logits"][959] == "carbonara"
