"""Parts of the library whose numbers, not only shapes, must be those of the paper."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

import netc
from compiler.initialise import initialise
from runtime.reference import run_reference
from tests.define import define, run

RANDOM = np.random.default_rng(0)


def with_values(net: netc.Net, given: dict[str, Any], sample: NDArray[Any]) -> NDArray[Any]:
    """The only output for one sample, some parameters given, the others initial ones."""
    graph = initialise(net.graph)
    arrays = {name: np.asarray(value, dtype=np.float32) for name, value in given.items()}
    assert arrays.keys() <= graph.values.keys()
    graph = replace(graph, values={**graph.values, **arrays})
    (name,) = (node.name for node in graph.inputs())
    (output,) = run_reference(graph, {name: sample[None]}, np.float64).values()
    first: NDArray[Any] = output[0]
    return first


def test_alexnet_normalises_responses_by_the_paper_s_formula() -> None:
    # Section 3.3: b_i = a_i / (k + alpha * sum of a_j^2 over n = 5 neighbouring maps)^beta.
    library = netc.load("alexnet", "alexnet")
    ops = {node.name: node.op for node in library.graph.nodes()}
    assert ops["norm1"] == ops["norm2"]
    net = define("""
        net normalise {
            input a: f32[7, 2, 3]
            output b = lrn(5, alpha=5e-4, beta=0.75, k=2) as norm1
        }
    """)
    assert {node.name: node.op for node in net.graph.nodes()}["norm1"] == ops["norm1"]
    a = 20 * RANDOM.standard_normal((7, 2, 3))
    wanted = np.empty_like(a)
    for i in range(7):
        near = a[max(0, i - 2) : i + 3]
        wanted[i] = a[i] / (2 + 1e-4 * (near**2).sum(axis=0)) ** 0.75
    np.testing.assert_allclose(run(net, a)["b"], wanted, rtol=1e-5, atol=1e-5)


# Table I of LeCun et al. (1998): for each map of S2 the maps of C3 that see it.
TABLE_1 = [
    {0, 4, 5, 6, 9, 10, 11, 12, 14, 15},
    {0, 1, 5, 6, 7, 10, 11, 12, 13, 15},
    {0, 1, 2, 6, 7, 8, 11, 13, 14, 15},
    {1, 2, 3, 6, 7, 8, 9, 12, 14, 15},
    {2, 3, 4, 7, 8, 9, 10, 12, 13, 15},
    {3, 4, 5, 8, 9, 10, 11, 13, 14, 15},
]


def test_each_map_of_c3_sees_the_maps_of_s2_that_table_1_says() -> None:
    net = define("""
        use partial_conv, table_1 from "lenet5.netdef"
        net c3 { input s2: f32[6, 14, 14]; output c3 = partial_conv(table_1) : [16, 10, 10] }
    """)
    zero = with_values(net, {}, np.zeros((6, 14, 14)))
    for index, seen_by in enumerate(TABLE_1):
        s2 = np.zeros((6, 14, 14))
        s2[index] = RANDOM.standard_normal((14, 14))
        changed = (with_values(net, {}, s2) != zero).any(axis=(1, 2))
        assert set(np.flatnonzero(changed)) == seen_by


def test_a_subsampling_unit_scales_the_sum_of_four_pixels_and_adds_a_bias() -> None:
    net = define("""
        use subsample from "lenet5.netdef"
        net s2 { input c1: f32[1, 2, 4]; output s2 = subsample() as S2 }
    """)
    coefficient, bias = 0.5, 3.0
    given = {"S2.conv1.weight": [[[[4 * coefficient]]]], "S2.conv1.bias": [bias]}
    found = with_values(net, given, np.array([[[1, 2, 5, 6], [3, 4, 7, 8]]]))
    assert found.tolist() == [[[coefficient * 10 + bias, coefficient * 26 + bias]]]


def test_the_squashing_function_of_1998_keeps_plus_and_minus_one() -> None:
    # Appendix A: f(1) = 1 and f(-1) = -1 for A = 1.7159, S = 2/3.
    net = define("""
        use squash from "lenet5.netdef"
        net f { input a: f32[4]; output y = squash() }
    """)
    found = run(net, [1, -1, 0, 100])["y"]
    np.testing.assert_allclose(found, [1, -1, 0, 1.7159], atol=1e-4)


def test_a_maxout_unit_is_the_largest_of_its_pieces() -> None:
    net = define("""
        use maxout from "gan2014.netdef"
        net h { input x: f32[2]; output h = maxout(2, 3) as h0 }
    """)
    given = {
        "h0.dense1.weight": [[1, 0], [0, 1], [1, 1], [-1, 0], [0, -1], [2, -2]],
        "h0.dense1.bias": [0, 0, -4, 0, 0, 1],
    }
    # Pieces at (3, 5): 3, 5, 3 + 5 - 4 for the first unit and -3, -5, 6 - 10 + 1 for the second.
    assert with_values(net, given, np.array([3, 5])).tolist() == [5, -3]


def test_the_parameter_free_shortcut_takes_every_second_pixel_and_adds_empty_maps() -> None:
    net = define("""
        use basic from "resnet_cifar.netdef"
        net one { input x: f32[4, 6, 8]; output y = basic(8, stride=2) as b }
    """)
    x = RANDOM.standard_normal((4, 6, 8))
    off = {"b.conv2.weight": np.zeros((8, 8, 3, 3))}
    wanted = np.zeros((8, 3, 4))
    wanted[2:6] = np.maximum(x[:, ::2, ::2], 0)
    np.testing.assert_allclose(with_values(net, off, x), wanted)


def test_a_residual_block_whose_branch_is_zero_passes_its_input() -> None:
    net = define("""
        use bottleneck from "resnet.netdef"
        net one { input x: f32[8, 5, 6]; output y = bottleneck(2) as b }
    """)
    x = RANDOM.standard_normal((8, 5, 6))
    found = with_values(net, {"b.bn3.weight": np.zeros(8)}, x)
    np.testing.assert_allclose(found, np.maximum(x, 0))


def test_dcgan_draws_pictures_between_minus_one_and_one() -> None:
    net = netc.load("dcgan_generator", width=4)
    (picture,) = run(net, RANDOM.standard_normal(100)).values()
    assert picture.shape == (3, 64, 64)
    assert np.abs(picture).max() <= 1 and picture.std() > 0
