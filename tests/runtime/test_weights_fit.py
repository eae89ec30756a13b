"""A file of weights against a network: one complete report, and renames that would help."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import ml_dtypes
import numpy as np
import pytest
from safetensors.numpy import save_file

import netc
from runtime.arrays import Stored
from runtime.errors import CallError
from runtime.weights import WeightsError
from runtime.weights.fit import (
    Fit,
    apply_weights,
    compare_weights,
    stored_arrays,
    without_counters,
)
from runtime.weights.rename import WeightsFile, parse_rule, read_rules, rename
from tests.memory import peak_of
from tests.runtime.torchvision_names import STATE_DICTS, Shapes

SMALL = """
net small {
    input x: f32[3, 8, 8]
    conv(4, 3x3) as stem -> bn as norm -> relu -> gap -> flatten -> dense(2) as head
    output y
}
"""
FIXED = """
net fixed { input x: f32[1, 4, 4]
  conv(1, 1x1, weight=[[[[2.0]]]]) as twice
  output y }
"""


def small_arrays(seed: int = 0) -> dict[str, Any]:
    """Random numbers above 0 for every array of `small`."""
    random = np.random.default_rng(seed)
    return {
        name: np.abs(random.standard_normal(array.shape)).astype(np.float32)
        for name, array in netc.loads(SMALL).weights.items()
    }


@cache
def graph_of(name: str) -> Any:
    return netc.load(name).graph


def unread(shapes: Mapping[str, tuple[int, ...]], dtype: str = "float32") -> dict[str, Stored]:
    """Arrays that must not be read."""

    def read() -> Any:
        raise AssertionError("names and shapes must be enough")

    return {name: Stored(shape, dtype, read) for name, shape in shapes.items()}


def fit_of(name: str, shapes: Shapes) -> Fit:
    return compare_weights(graph_of(name), without_counters(unread(shapes)))


# ── strict fit ───────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("name", STATE_DICTS)
def test_torchvisions_state_dict_fits_as_it_is(name: str) -> None:
    fit = fit_of(name, STATE_DICTS[name])
    assert fit.ok, fit.report()


def test_a_state_dict_of_torchvision_is_loaded(tmp_path: Path) -> None:
    random = np.random.default_rng(1)
    state = {
        name: random.standard_normal(shape, dtype=np.float32) if shape else np.array(7)
        for name, shape in STATE_DICTS["resnet18"].items()
    }
    save_file(state, tmp_path / "resnet18.safetensors")
    net = netc.load("resnet18").with_weights(tmp_path / "resnet18.safetensors")
    for name, array in net.weights.items():
        np.testing.assert_array_equal(array, state[name])
    assert "bn1.num_batches_tracked" in state and "bn1.num_batches_tracked" not in net.weights


def test_every_name_that_does_not_fit_is_in_one_report() -> None:
    shapes = {name: array.shape for name, array in small_arrays().items()}
    del shapes["norm.running_mean"], shapes["norm.running_var"]
    shapes["head.weight"] = (2, 5)
    shapes["normal.running_mean"] = (4,)
    shapes |= {f"extra{i}.weight": (7, i + 1) for i in range(30)}
    with pytest.raises(WeightsError) as caught:
        apply_weights(netc.loads(SMALL).graph, {n: np.zeros(s) for n, s in shapes.items()})
    lines = str(caught.value).splitlines()
    assert lines[0].endswith("do not fit small: 2 missing, 31 surplus, 1 misshapen")
    assert "  missing    norm.running_mean [4], nearest: normal.running_mean" in lines
    assert "  misshapen  head.weight is [2, 5], the network needs [2, 4]" in lines
    assert sum(line.startswith("  surplus    extra") for line in lines) == 30
    assert '--rename "normal.*=norm.*"' in lines[-1]


def test_sizes_of_1_make_no_difference() -> None:
    net = netc.loads("""
        net n {
            input x: f32[2, 3, 1]
            add { conv(4, 1x1) as a; param([4, 1, 1]) as b }
            output y
        }
    """)
    given = {
        "a.weight": np.ones((4, 2)),
        "a.bias": np.zeros(4),
        "b": np.arange(4.0).reshape(1, 1, 4),
    }
    assert compare_weights(net.graph, stored_arrays(given)).ok
    loaded = net.with_weights(given).weights
    assert loaded["a.weight"].shape == (4, 2, 1, 1)
    np.testing.assert_array_equal(loaded["b"], np.arange(4.0).reshape(4, 1, 1))
    with pytest.raises(WeightsError, match=r"a.weight is \[2, 4\]"):
        net.with_weights({**given, "a.weight": np.ones((2, 4))})


def test_nothing_is_read_before_everything_fits() -> None:
    shapes = {name: array.shape for name, array in small_arrays().items()}
    shapes["head.bias"] = (10**9,)
    with pytest.raises(WeightsError, match=r"head.bias is"):
        apply_weights_of(unread(shapes))


def apply_weights_of(stored: dict[str, Stored]) -> None:
    fit = compare_weights(netc.loads(SMALL).graph, stored)
    if not fit.ok:
        raise WeightsError(fit.report())


def test_a_file_of_huge_tensors_is_refused_without_reading_them(tmp_path: Path) -> None:
    arrays = small_arrays() | {"huge.weight": np.zeros(2**25, np.float32)}
    save_file(arrays, tmp_path / "w.safetensors")
    net = netc.loads(SMALL)

    def load() -> None:
        with pytest.raises(WeightsError, match=r"surplus +huge.weight"):
            net.with_weights(tmp_path / "w.safetensors")

    assert peak_of(load) < 16 * 2**20


@pytest.mark.parametrize("dtype", [np.float16, np.float64, ml_dtypes.bfloat16])
def test_other_float_types_become_float32(dtype: Any) -> None:
    arrays = {name: array.astype(dtype) for name, array in small_arrays().items()}
    loaded = netc.loads(SMALL).with_weights(arrays).weights
    for name, array in arrays.items():
        assert loaded[name].dtype == np.float32
        np.testing.assert_array_equal(loaded[name], array.astype(np.float32))


def test_whole_numbers_are_no_weights() -> None:
    arrays = small_arrays() | {"head.bias": np.array([1, 2])}
    with pytest.raises(WeightsError, match=r"head.bias is int64; weights are bfloat16, float16"):
        netc.loads(SMALL).with_weights(arrays)


def test_a_number_that_float32_cannot_hold_is_refused() -> None:
    arrays = small_arrays() | {"head.bias": np.array([1e39, 0.0])}
    with pytest.raises(WeightsError, match=r"head.bias holds numbers that float32 cannot"):
        netc.loads(SMALL).with_weights(arrays)
    kept = small_arrays() | {"head.bias": np.array([np.inf, 0.0])}
    assert netc.loads(SMALL).with_weights(kept).weights["head.bias"][0] == np.inf


def test_fixed_weights_may_be_left_out_but_not_differ() -> None:
    net = netc.loads(FIXED)
    assert net.with_weights({"twice.bias": np.ones(1)}).weights["twice.weight"].item() == 2
    same = {"twice.bias": np.ones(1), "twice.weight": np.full((1, 1, 1, 1), 2.0)}
    assert net.with_weights(same).weights["twice.weight"].item() == 2
    with pytest.raises(WeightsError, match=r"twice.weight is fixed by the definition"):
        net.with_weights(same | {"twice.weight": np.full((1, 1, 1, 1), 3.0)})


def test_a_compiled_file_gives_its_weights_back(tmp_path: Path) -> None:
    net = netc.loads(SMALL).with_weights(small_arrays())
    net.compile(tmp_path / "small.onnx", optimise=False)
    again = netc.loads(SMALL).with_weights(tmp_path / "small.onnx")
    for name, array in net.weights.items():
        np.testing.assert_array_equal(again.weights[name], array)


def test_a_file_with_folded_normalisation_says_so(tmp_path: Path) -> None:
    netc.loads(SMALL).with_weights(small_arrays()).compile(tmp_path / "small.onnx")
    with pytest.raises(WeightsError, match="batch normalisation is folded") as caught:
        netc.loads(SMALL).with_weights(tmp_path / "small.onnx")
    assert "--rename" not in str(caught.value)


def test_the_bias_of_a_folded_normalisation_may_have_any_name() -> None:
    text = "net n { input x: f32[3, 8, 8]\n conv(4, 3x3, bias=false) -> bn\n output y }"
    arrays = {"conv1.weight": np.zeros((4, 3, 3, 3)), "conv1.weight_bias": np.zeros(4)}
    with pytest.raises(WeightsError, match="batch normalisation is folded") as caught:
        netc.loads(text).with_weights(arrays)
    assert "--rename" not in str(caught.value)


# ── renames ──────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("rule", "name", "becomes"),
    [
        ("module.*=*", "module.conv1.weight", "conv1.weight"),
        ("module.*=*", "submodule.conv1.weight", None),
        ("*.gamma=*.weight", "layer1.0.bn1.gamma", "layer1.0.bn1.weight"),
        ("a.*.b.*=*.c.*", "a.1.b.2.d", "1.c.2.d"),
        ("aux.*=", "aux.fc.weight", ""),
        ("conv1=c[1]+", "conv1", "c[1]+"),
        ("a.b=c", "axb", None),
        (r"/^layers\.(\d+)\./=layer\1.", "layers.3.conv", "layer3.conv"),
        (r"/_bn/=.bn/", "conv_bn", "conv.bn/"),
        (r"/(\w+)=(\w+)/=\2", "a=b", "b"),
    ],
)
def test_a_rule_makes_of_a_name(rule: str, name: str, becomes: str | None) -> None:
    assert parse_rule(rule)(name) == becomes


@pytest.mark.parametrize(
    ("rule", "says"),
    [
        ("module", "--rename takes from=to"),
        ("=x", "--rename takes from=to"),
        ("a.*=b", "the same number of *"),
        ("a=b.*", "the same number of *"),
        ("/(/=x", "is no regular expression"),
        (r"/a/=\2", "is no regular expression"),
        ("/a", "a regular expression is written /from/=to"),
    ],
)
def test_a_rule_that_is_none_is_refused(rule: str, says: str) -> None:
    with pytest.raises(CallError) as caught:
        parse_rule(rule)
    assert says in str(caught.value)


def test_rules_act_one_after_the_other() -> None:
    rules = [parse_rule(text) for text in ("module.*=*", "*.gamma=*.weight", "aux.*=")]
    names = ["module.bn.gamma", "module.aux.fc.weight", "module.fc.weight"]
    assert rename(names, rules) == {"bn.weight": names[0], "fc.weight": names[2]}


def test_a_rule_without_effect_and_two_arrays_of_one_name_are_refused() -> None:
    with pytest.raises(CallError, match="matches no name"):
        rename(["a"], [parse_rule("b.*=*")])
    with pytest.raises(CallError, match=r"makes x of both a.x and b.x"):
        rename(["a.x", "b.x"], [parse_rule(r"/^[ab]\./=")])


def test_a_file_of_rules_has_comments_and_empty_lines(tmp_path: Path) -> None:
    (tmp_path / "rules").write_text("# a checkpoint of ours\n\nmodule.*=*\n  aux.*=  \n")
    assert read_rules(tmp_path / "rules") == ["module.*=*", "aux.*="]
    with pytest.raises(CallError, match="cannot be read"):
        read_rules(tmp_path / "none")


def test_renamed_weights_are_loaded(tmp_path: Path) -> None:
    arrays = small_arrays()
    save_file({f"module.{n}": a for n, a in arrays.items()}, tmp_path / "w.safetensors")
    source = WeightsFile(tmp_path / "w.safetensors", (parse_rule("module.*=*"),))
    loaded = apply_weights(netc.loads(SMALL).graph, source)
    np.testing.assert_array_equal(loaded.values["head.weight"], arrays["head.weight"])
    again = netc.loads(SMALL).with_weights(tmp_path / "w.safetensors", rename=["module.*=*"])
    np.testing.assert_array_equal(again.weights["head.weight"], arrays["head.weight"])


RESNET = {n: s for n, s in STATE_DICTS["resnet18"].items() if "num_batches" not in n}


@pytest.mark.parametrize(
    ("made", "rules"),
    [
        ({f"module.{n}": s for n, s in RESNET.items()}, ("module.*=*",)),
        ({f"net.body.{n}": s for n, s in RESNET.items()}, ("net.body.*=*",)),
        ({n.replace("fc.", "head."): s for n, s in RESNET.items()}, ("head.*=fc.*",)),
        (
            {n.replace("bn2.weight", "bn2.gamma"): s for n, s in RESNET.items()},
            ("*.gamma=*.weight",),
        ),
        (RESNET | {"aux.fc.weight": (3, 4), "aux.fc.bias": (3,)}, ("aux.*=",)),
        (
            RESNET | {f"layer1.relu6{i}/constant_{j}": () for i in range(20) for j in (0, 1)},
            ("*/constant_*=",),
        ),
    ],
    ids=["prefix", "longer prefix", "other head", "other ending", "surplus part", "constants"],
)
def test_renames_that_would_help_are_suggested_and_do_help(
    made: Shapes, rules: tuple[str, ...]
) -> None:
    fit = fit_of("resnet18", made)
    assert fit.rules == rules and not fit.ok
    renamed = rename(made, [parse_rule(rule) for rule in fit.rules])
    assert fit_of("resnet18", {new: made[old] for new, old in renamed.items()}).ok


@pytest.mark.parametrize("count", [3, 20, 60])
@pytest.mark.parametrize("lost", [False, True])
def test_one_rule_is_offered_where_a_level_came_in_or_went(count: int, lost: bool) -> None:
    label = 'as ""' if lost else ""
    graph = netc.loads(f"""
        block norm {{ bn {label} }}
        net n {{
            input x: f32[4, 8]
            for i in range({count}) {{ norm() as "part.n{{i}}"; relu }}
            dense(3, axis=0) as head
            output y
        }}
    """).graph
    needed = {name: weight.shape for name, weight in graph.parameters().items()}
    level = (r"(n\d+)\.", r"\1.bn1.") if lost else (r"\.bn1\.", ".")
    made = {re.sub(*level, name): shape for name, shape in needed.items()}
    fit = compare_weights(graph, unread(made))
    assert fit.rules == (("*.n*.bn1.*=*.n*.*",) if lost else ("*.n*.*=*.n*.bn1.*",))
    renamed = rename(made, [parse_rule(rule) for rule in fit.rules])
    assert renamed.keys() == needed.keys()


def test_names_that_have_nothing_in_common_get_no_suggestion() -> None:
    made = {f"w{i}": shape for i, shape in enumerate(RESNET.values())}
    assert fit_of("resnet18", made).rules == ()
