"""Offsets and an editor's positions."""

from __future__ import annotations

import pytest

from netc.lsp.positions import Encoding, Lines, Shifted

ODD = "# 😀é\r\nnet n {\rrelu # \u2028\n}"


@pytest.mark.parametrize(
    ("offset", "position"),
    [
        (0, (0, 0)),
        (3, (0, 4)),  # after the emoji, which is two units of UTF-16
        (4, (0, 5)),
        (6, (1, 0)),  # \r\n is one line end
        (14, (2, 0)),  # so is a bare \r
        (22, (2, 8)),  # U+2028 is none
        (23, (3, 0)),
        (24, (3, 1)),
    ],
)
def test_an_offset_is_a_line_and_utf16_units(offset: int, position: tuple[int, int]) -> None:
    lines = Lines(ODD)
    assert lines.position(offset) == position
    assert lines.offset(*position) == offset


@pytest.mark.parametrize(("encoding", "units"), [("utf-8", 9), ("utf-16", 5), ("utf-32", 4)])
def test_characters_count_as_the_editor_counts_them(encoding: Encoding, units: int) -> None:
    lines = Lines("# 😀é x", encoding)
    assert lines.position(4) == (0, units - (encoding == "utf-8"))
    assert lines.offset(0, units - (encoding == "utf-8")) == 4


def test_a_position_beyond_the_end_means_the_end() -> None:
    lines = Lines("ab\r\ncd")
    assert lines.offset(0, 99) == 2
    assert lines.offset(7, 0) == 6
    assert Lines("😀").offset(0, 9) == 1


def test_a_position_inside_a_surrogate_pair_is_after_the_character() -> None:
    assert Lines("a😀b").offset(0, 2) == 2


def test_lone_surrogates_do_no_harm() -> None:
    lines = Lines("a\ud800b")
    assert lines.position(2) == (0, 2)


def test_offsets_outside_of_an_edit_move_with_it() -> None:
    moved = Shifted("relu -> tanh", "relu -> bn -> tanh")
    assert [moved.forward(offset) for offset in (0, 4, 8, 12)] == [0, 4, 8, 18]
    assert [moved.backward(offset) for offset in (0, 4, 14, 18)] == [0, 4, 8, 12]


def test_offsets_inside_of_what_was_taken_away_are_gone() -> None:
    moved = Shifted("relu -> conv(3, 3) -> tanh", "relu -> tanh")
    assert moved.forward(12) is None
    assert moved.backward(12) == 26


def test_repeated_text_is_kept_once() -> None:
    assert Shifted("aaa", "aaaa").kept == (3, 0)
    assert Shifted("aaaa", "aaa").forward(4) == 3
