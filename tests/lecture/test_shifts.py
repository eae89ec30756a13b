"""What happens when the input moves: equivariance, tolerance, and every k-th pixel."""

from __future__ import annotations

import numpy as np
import pytest

from tests.define import define, run

RANDOM = np.random.default_rng(0)


@pytest.mark.parametrize(("down", "right"), [(0, 1), (1, 0), (2, 3), (-1, 2)])
def test_a_convolution_of_a_shifted_picture_is_the_shifted_convolution(
    down: int, right: int
) -> None:
    net = define("""
        net features {
            input picture: f32[2, 16, 18]
            output maps = conv(4, 3x3, pad=1) -> relu -> conv(3, 5x5, pad=2) : [3, 16, 18]
            expect rf(maps) == 7x7
        }
    """)
    picture = RANDOM.standard_normal((2, 16, 18))
    maps, moved = (
        run(net, values)["maps"] for values in (picture, np.roll(picture, (down, right), (1, 2)))
    )
    back = np.roll(moved, (-down, -right), (1, 2))
    # Within three pixels of the border, or of where the shift wrapped around, the padding is seen.
    inner = (slice(None), slice(6, -6), slice(6, -6))
    np.testing.assert_allclose(back[inner], maps[inner], rtol=1e-5, atol=1e-5)
    assert not np.allclose(back, maps)
    assert not np.allclose(moved[inner], maps[inner])


def test_a_dense_layer_does_not_follow_a_shift() -> None:
    net = define("net n { input x: f32[1, 8, 8]; output y = flatten -> dense(64) }")
    picture = RANDOM.standard_normal((1, 8, 8))
    plain, moved = (run(net, x)["y"].reshape(8, 8) for x in (picture, np.roll(picture, 1, axis=2)))
    assert not np.allclose(np.roll(moved, -1, axis=1)[2:-2, 2:-2], plain[2:-2, 2:-2], atol=0.1)


POOLED = """
net pooled {
    input detector: f32[1, 4]
    output pooled = maxpool(3, stride=1, pad=1) : [1, 4]
}
"""


def test_a_shift_by_one_changes_every_detector_but_half_of_the_pools() -> None:
    # Deep Learning, figure 9.8.
    before, after = (
        run(define(POOLED), [values])["pooled"][0]
        for values in ([0.1, 1.0, 0.2, 0.1], [0.3, 0.1, 1.0, 0.2])
    )
    np.testing.assert_allclose(before, [1.0, 1.0, 1.0, 0.2], rtol=1e-6)
    np.testing.assert_allclose(after, [0.3, 1.0, 1.0, 1.0], rtol=1e-6)
    assert (before == after).sum() == 2


def test_a_pattern_that_moves_inside_its_window_leaves_the_pool_as_it_is() -> None:
    net = define("net n { input x: f32[1, 4, 4]; output y = maxpool(2x2) }")
    found = []
    for row, column in ((0, 0), (0, 1), (1, 0), (1, 1)):
        picture = np.zeros((1, 4, 4))
        picture[0, row, column] = 5
        found.append(run(net, picture)["y"].tolist())
    assert found == [[[[5, 0], [0, 0]]]] * 4
    picture = np.zeros((1, 4, 4))
    picture[0, 0, 2] = 5
    assert run(net, picture)["y"].tolist() == [[[0, 5], [0, 0]]]


def test_global_pooling_forgets_the_place_altogether() -> None:
    net = define("net n { input x: f32[3, 6, 7]; output y = concat { gap; gmp } : [6, 1, 1] }")
    picture = RANDOM.standard_normal((3, 6, 7))
    plain, moved = (run(net, x)["y"] for x in (picture, np.roll(picture, (2, 3), (1, 2))))
    np.testing.assert_allclose(moved, plain, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("k", [2, 3, 4])
def test_a_stride_of_k_is_the_full_convolution_down_sampled_by_k(k: int) -> None:
    net = define(
        """
        net sampled(k) {
            input picture: f32[3, 12, 13]
            full = conv(4, 3x3, pad=1) as full
            output strided = picture -> conv(4, 3x3, stride=k, pad=1) like full
            output sampled = full -> maxpool(1, stride=k)
            expect params == 4 * 27 + 4
        }
        """,
        k=k,
    )
    found = run(net, RANDOM.standard_normal((3, 12, 13)))
    np.testing.assert_allclose(found["strided"], found["sampled"], rtol=1e-5, atol=1e-5)
    assert found["strided"].shape == (4, -(-12 // k), -(-13 // k))


def test_it_takes_a_k_squared_of_the_multiplications() -> None:
    text = """
        net n(k) { input x: f32[3, 12, 12]; output y = conv(4, 3x3, stride=k, pad=1) }
    """
    full, strided = (define(text, k=k).analysis.macs for k in (1, 3))
    assert full == 9 * strided


@pytest.mark.parametrize("k", [2, 3])
def test_the_identity_kernel_at_stride_k_picks_every_kth_pixel(k: int) -> None:
    net = define("net n(k) { input x: f32[1, 7, 8]; output y = filter([[1]], stride=k) }", k=k)
    picture = np.arange(56.0).reshape(1, 7, 8)
    assert (run(net, picture)["y"] == picture[:, ::k, ::k]).all()
