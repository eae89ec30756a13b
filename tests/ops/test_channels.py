"""channels, pad_channels, channel_shuffle, pixel_shuffle and pixel_unshuffle."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from compiler.domain import Facts
from compiler.ops.channels import (
    Channels,
    ChannelShuffle,
    PadChannels,
    PixelShuffle,
    PixelUnshuffle,
)
from tests.opcheck import H, W, apply, check, check_symbolic, make, refusals, refuse

SHAPES = [(6,), (6, 4), (6, 4, 5), (6, 2, 4, 5)]
SIX = [[1], [2], [3], [4], [5], [6]]


def test_hand_computed_channels() -> None:
    assert apply(make(Channels, 1, 3), SIX) == [[2], [3], [4]]
    assert apply(make(Channels, 2, 2), SIX) == [[3]]
    assert apply(make(PadChannels, 1, 2), [[7], [8]]) == [[0], [7], [8], [0], [0]]
    # two groups (1 2 3) and (4 5 6): one of each in turn
    assert apply(make(ChannelShuffle, 2), SIX) == [[1], [4], [2], [5], [3], [6]]
    assert apply(make(ChannelShuffle, 3), SIX) == [[1], [3], [5], [2], [4], [6]]


def test_pixel_shuffle_of_hand_computed_channels() -> None:
    x = [[[1, 10]], [[2, 20]], [[3, 30]], [[4, 40]]]
    assert apply(make(PixelShuffle, 2), x) == [[[1, 2, 10, 20], [3, 4, 30, 40]]]


@pytest.mark.parametrize("shape", SHAPES)
def test_every_rank_moves_whole_channels(shape: tuple[int, ...]) -> None:
    some = check(make(Channels, 2, 4), shape)
    np.testing.assert_array_equal(some.reference, some.inputs[0][:, 2:5])
    wide = check(make(PadChannels, 2, 1), shape)
    np.testing.assert_array_equal(wide.reference[:, 2:-1], wide.inputs[0])
    assert not wide.reference[:, :2].any() and not wide.reference[:, -1:].any()
    dealt = check(make(ChannelShuffle, 3), shape)
    for c in range(6):  # channel g*2 + i becomes i*3 + g
        g, i = divmod(c, 2)
        np.testing.assert_array_equal(dealt.reference[:, i * 3 + g], dealt.inputs[0][:, c])


@pytest.mark.parametrize("r", [1, 2, 3])
def test_pixel_shuffle_is_its_definition(r: int) -> None:
    result = check(make(PixelShuffle, r), (2 * r * r, 3, 4))
    x, y = result.inputs[0], result.reference
    for n, c, h, w in np.ndindex(*y.shape):
        assert y[n, c, h, w] == x[n, c * r * r + h % r * r + w % r, h // r, w // r]


@pytest.mark.parametrize("r", [1, 2, 3])
def test_pixel_unshuffle_is_its_definition_and_undoes_pixel_shuffle(r: int) -> None:
    result = check(make(PixelUnshuffle, r), (2, 3 * r, 4 * r))
    x, y = result.inputs[0], result.reference
    for n, c, h, w in np.ndindex(*x.shape):
        assert x[n, c, h, w] == y[n, c * r * r + h % r * r + w % r, h // r, w // r]
    back = check(make(PixelShuffle, r), y.shape[1:], inputs=(y.astype(np.float32),))
    np.testing.assert_array_equal(back.reference, x)


def test_pixel_unshuffle_needs_sizes_that_are_proved_multiples() -> None:
    op = make(PixelUnshuffle, 2)
    assert refuse(op, (3, 4, 5)).code == "E306"
    error = refuse(op, (3, H, W))
    assert (error.code, error.help) == (
        "E307",
        "`assert H % 2 == 0 and W % 2 == 0` would prove it",
    )
    facts = Facts()
    facts.assume(H % 2, "==", 0)
    facts.assume(W % 2, "==", 0)
    assert op.infer(((3, H, W),), facts) == (12, H // 2, W // 2)


@pytest.mark.parametrize(
    "op",
    [
        make(Channels, 1, 6),
        make(PadChannels, 3, 0),
        make(PadChannels, 0, 0),
        make(ChannelShuffle, 4),
        make(PixelShuffle, 2),
    ],
    ids=str,
)
def test_a_model_for_symbolic_sizes_is_right_at_every_size(op: Any) -> None:
    check_symbolic(op, (8, H, W), sizes=[{"H": 8, "W": 9}, {"H": 2, "W": 5}])


test_what_does_not_fit_is_refused_with_its_argument = refusals(
    (make(Channels, 1, 3), (3, 8), "E306", "last"),
    (make(Channels, 2, 1), (3, 8), "E306", "first"),
    (make(Channels, 0, 1), (H, 8), "E307", None),
    (make(PadChannels, 0, 1), (H, 8), "E307", None),
    (make(ChannelShuffle, 4), (6, 8), "E303", "groups"),
    (make(ChannelShuffle, 4), (H, 8), "E307", None),
    (make(PixelShuffle, 2), (8, 8), "E305", None),
    (make(PixelShuffle, 2), (H, 8, 8), "E307", None),
    (make(PixelShuffle, 3), (8, 8, 8), "E303", "r"),
)


def test_a_range_outside_the_channels_shows_those_there_are() -> None:
    assert refuse(make(Channels, 1, 3), (3, 8)).label == "1 to 3, but the channels are 0 to 2"
