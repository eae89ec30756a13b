"""Receptive fields that are no plain chain of windows: maps enlarged, divided, joined."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from compiler.dims import evaluate, symbol
from compiler.domain import Facts
from compiler.ops.arguments import Extent
from compiler.ops.resampling import Resize
from compiler.receptive_field import Field, FieldAxis, step
from grammar.diagnostics import DefinitionError
from runtime.kernels.resampling import weights
from tests.define import define
from tests.opcheck import make


def field_of(body: str, size: str = "[3, 12]") -> Field:
    """The field of the last layer of a net whose only input has this size."""
    net = define(f"net n {{ input x: f32{size}\n {body}\n output y }}")
    assert net.analysis is not None
    return net.analysis.layers[-1].field


def seen(body: str, outputs: int, size: str = "[3, 12]") -> list[tuple[object, object]]:
    """What the first outputs see along the first axis."""
    axis = field_of(body, size)[0]
    return [axis.seen(output) for output in range(outputs)]


def test_a_window_sees_k_pixels_a_stride_apart_from_its_padding_on() -> None:
    (axis,) = field_of("conv(4, 3, stride=2, pad=1) -> maxpool(2)")
    assert axis == FieldAxis((-1,), (3,), 4)
    assert (axis.size, axis.stride, axis.start) == (5, 4, -1)
    assert axis.seen(2) == (7, 11)


def test_repeated_pixels_see_one_pixel_each() -> None:
    assert seen("upsample(3)", 4) == [(0, 0), (0, 0), (0, 0), (1, 1)]
    (axis,) = field_of("upsample(3)")
    assert (axis.size, axis.stride) == (1, Fraction(1, 3))


def test_a_window_on_an_enlarged_map_sees_whole_pixels_of_the_small_one() -> None:
    """Two taps on pixels that stand four apart: within one, or on both sides of an edge."""
    body = "conv(4, 4, stride=4) -> upsample(2) -> conv(4, 2)"
    assert seen(body, 3) == [(0, 3), (0, 7), (4, 7)]
    assert field_of(body)[0].size == 8


@pytest.mark.parametrize(("factor", "wanted"), [(2, [(-1, 0), (0, 1)]), (3, [(-1, 0), (0, 0)])])
def test_interpolation_sees_the_two_nearest_centres_or_the_one_it_stands_on(
    factor: int, wanted: list[tuple[int, int]]
) -> None:
    assert seen(f'upsample({factor}, mode="bilinear")', 2) == wanted


def test_a_transposed_window_is_written_by_the_inputs_that_reach_it() -> None:
    assert seen("deconv(2, 3, stride=2)", 5) == [(-1, 0), (0, 0), (0, 1), (1, 1), (1, 2)]
    assert seen("deconv(2, 2, stride=2)", 3) == [(0, 0), (0, 0), (1, 1)]
    assert field_of("deconv(2, 4, stride=2, pad=1)")[0].size == 2


def test_near_equal_parts_see_their_shares() -> None:
    assert seen("adaptive_avgpool(4)", 4, "[3, 10]") == [(0, 2), (2, 4), (5, 7), (7, 9)]
    assert seen("adaptive_avgpool(2)", 2, "[3, 1]") == [(0, 0), (0, 0)]
    assert field_of("adaptive_avgpool(3)", "[3, 9]")[0] == FieldAxis((0,), (2,), 3)


def test_more_parts_than_are_worth_telling_apart_see_the_whole_map() -> None:
    assert field_of("adaptive_avgpool(100000)", "[3, 7]")[0] == FieldAxis((0,), (6,), 0)


def test_a_gate_lets_every_output_see_the_whole_map() -> None:
    gate = "mul { identity; gap -> conv(3, 1) -> sigmoid }"
    assert field_of(gate)[0] == FieldAxis((0,), (11,), 0)
    assert field_of(f"{gate} -> conv(4, 3, pad=1)")[0].size == 12


def test_a_join_sees_from_the_first_pixel_of_its_branches_to_the_last() -> None:
    assert field_of("add { conv(4, 5, pad=2); conv(4, 3, pad=1) }")[0].size == 5
    enlarged = "add { maxpool(2) -> upsample(2); identity }"
    assert seen(enlarged, 3) == [(0, 1), (0, 1), (2, 3)]


def test_branches_of_unlike_strides_are_joined_output_by_output() -> None:
    body = "add { maxpool(2, stride=2); maxpool(7) -> upsample(6); maxpool(7, stride=1) }"
    assert seen(body, 3) == [(0, 6), (0, 7), (0, 8)]


def test_an_axis_of_one_pixel_stretches_over_the_others() -> None:
    net = define("""
        net n {
            input a: f32[3, 8]
            input b: f32[3, 1]
            add(a, b)
            output y
        }
    """)
    assert net.analysis is not None
    assert net.analysis.layers[-1].field[0] == FieldAxis((0,), (7,), 0)


@pytest.mark.parametrize("op", ["softmax(axis={axis})", "concat(x, x, axis={axis})"])
def test_what_works_along_an_axis_sees_all_of_that_axis_only(op: str) -> None:
    height, width = field_of(op.format(axis=-2), "[3, 5, 7]")
    assert (height.size, height.stride, width.size, width.stride) == (5, 0, 1, 1)
    height, width = field_of(op.format(axis=0), "[3, 5, 7]")
    assert (height.size, width.size) == (1, 1)


def test_a_symbolic_map_is_seen_to_its_end() -> None:
    net = define("net n { input x: f32[3, H]\n conv(4, 3, pad=1) -> gap\n output y }")
    assert net.analysis is not None
    assert net.analysis.layers[-1].field[0].size == symbol("H") + 2
    (axis,) = field_of("upsample(2) -> conv(4, 3) -> gap", "[3, H]")
    assert axis.first == (0,) and axis.last == (symbol("H") - 1,)
    # its first output, between two taps, sees less far back than the second
    (axis,) = field_of('deconv(2, [4], 2, "half", dilation=2) -> gap', "[1, H]")
    assert axis.first == (-1,) and axis.last == (symbol("H") + 1,)


def test_a_contract_holds_the_widest_field_of_an_enlarged_map() -> None:
    text = "net n {{ input x: f32[3, 12]\n conv(4, 4, stride=4) -> upsample(2) -> conv(4, 2)\n"
    text += "output y; expect rf(y) == {size} }}"
    define(text.format(size=8))
    with pytest.raises(DefinitionError):
        define(text.format(size=6))


@pytest.mark.parametrize(
    ("arguments", "size", "wanted"),
    [
        ('24, align="asymmetric", rounding="floor"', 1, [(0, 0), (0, 0), (1, 1)]),
        ("24", 1, [(0, 0), (0, 0), (1, 1)]),
        ('24, mode="linear"', 2, [(-1, 0), (0, 1), (0, 1)]),
        ('12, mode="linear"', 1, [(0, 0), (1, 1)]),
        ('23, mode="linear", align="corners"', 2, [(0, 0), (0, 1), (1, 1)]),
        ('24, mode="cubic"', 4, []),
        ("6", 1, [(0, 0), (2, 2)]),
        ('6, rounding="ceil"', 1, [(1, 1), (3, 3)]),
        ("9", 1, [(0, 0), (1, 1), (3, 3), (4, 4)]),
    ],
)
def test_a_resized_map_sees_the_pixels_around_its_places(
    arguments: str, size: int, wanted: list[tuple[int, int]]
) -> None:
    if "cubic" in arguments:
        assert field_of(f"resize(24x12, {arguments[4:]})", "[3, 12, 12]")[0].size == size
        return
    assert seen(f"resize({arguments})", len(wanted)) == wanted
    assert field_of(f"resize({arguments})")[0].size == size


def test_a_window_on_a_resized_map_sees_what_its_taps_see() -> None:
    body = 'conv(1, 3x3, pad=1) -> resize(56x56, align="asymmetric", rounding="floor")'
    assert [a.size for a in field_of(body, "[1, 28, 28]")] == [3, 3]
    body = "resize(28) -> conv(4, 3)"  # 12 to 28: 3 of 28 lie within 2 of 12
    assert field_of(body)[0].size == 2


def test_a_dilated_deconv_is_written_by_the_taps_that_meet_a_pixel() -> None:
    dilated = "deconv(2, 2, stride=2, dilation=3)"
    assert seen(dilated, 5) == [(0, 0), (-1, -1), (1, 1), (0, 0), (2, 2)]
    assert field_of(dilated)[0].size == 1
    assert field_of("deconv(2, 2x2, stride=2, dilation=3)", "[1, 28, 28]")[1].size == 1
    # Its neighbours do not see in turn: a window sees from the least of them to the largest.
    assert seen(f"{dilated} -> conv(2, 2)", 3) == [(-1, 0), (-1, 1), (0, 1)]
    assert seen(f"{dilated} -> conv(2, 2, dilation=2)", 2) == [(0, 1), (-1, 0)]
    assert seen("deconv(2, 3, stride=4, dilation=2)", 5) == [
        (-1, 0),
        (0, 0),
        (0, 0),
        (0, 0),
        (0, 1),
    ]


def test_a_slice_backwards_sees_one_pixel_a_place() -> None:
    axis = field_of("slice(9, 1, step=-2, axis=1)")[0]
    assert [axis.seen(place) for place in range(3)] == [(9, 9), (7, 7), (5, 5)]
    assert field_of("slice(9, 1, step=-1, axis=1) -> conv(2, 3)")[0].size == 3


@pytest.mark.parametrize("mode", ["nearest", "linear", "cubic"])
@pytest.mark.parametrize("align", ["half_pixel", "corners", "asymmetric"])
def test_what_a_resized_map_sees_is_what_has_a_weight(mode: str, align: str) -> None:
    random = np.random.default_rng(0)
    for _ in range(12):
        have, wanted = map(int, random.integers(1, 14, 2))
        rounding = str(random.choice(["prefer_floor", "prefer_ceil", "floor", "ceil"]))
        op = make(Resize, Extent([wanted, 1]), mode, align, rounding)
        axis = step(
            op.reach(((1, have, 1),), (1, wanted, 1), Facts()),
            (FieldAxis(), FieldAxis()),
            (1, have, 1),
            (1, wanted, 1),
            Facts(),
        )[0]
        for output, row in enumerate(weights(op, have, wanted, None)):
            pixels = np.flatnonzero(np.abs(row) > 1e-12)
            claimed = [min(max(evaluate(end, {}), 0), have - 1) for end in axis.seen(output)]
            assert claimed == [pixels[0], pixels[-1]], f"{op} on {have}, place {output}"


def test_what_sees_all_of_a_map_sees_all_that_its_pixels_see() -> None:
    assert field_of("slice(5, 0, step=-1, axis=1) -> gmp")[0] == FieldAxis((0,), (5,), 0)
    assert field_of("deconv(2, 2, stride=2, dilation=3) -> gap")[0] == FieldAxis((-1,), (12,), 0)
