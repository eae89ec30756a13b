"""The library's nets against torchvision, timm and others, by the golden file of the yardstick."""

from __future__ import annotations

import numpy as np
import pytest

import netc
from compiler.dims import evaluate
from tests.library.golden import GOLDEN, picked, with_seeded_weights
from tests.library.published import loaded
from tests.library.seeded import digest

NARROW = [name for name, entry in GOLDEN.items() if entry["values"]]


@pytest.mark.parametrize("name", GOLDEN)
def test_parameters_and_macs_equal_those_counted_in_the_other_s_class(name: str) -> None:
    analysis, entry = loaded(name).analysis, GOLDEN[name]
    assert analysis.parameters == entry["params"]
    assert evaluate(analysis.macs, entry["sizes"]) == entry["macs"]


@pytest.mark.parametrize("name", GOLDEN)
def test_arrays_have_the_names_and_sizes_of_the_other_s_state_dict(name: str) -> None:
    parameters = loaded(name).graph.parameters()
    assert len(parameters) == GOLDEN[name]["arrays"]
    assert digest({n: w.shape for n, w in parameters.items()}) == GOLDEN[name]["digest"]


@pytest.mark.parametrize("name", NARROW)
def test_onnx_runtime_gives_numpys_golden_values_for_a_narrow_form(name: str) -> None:
    entry = GOLDEN[name]
    net, feeds = with_seeded_weights(netc.load(name, name, **entry["narrow"]))
    found = net.run(feeds, device="cpu")
    assert found.keys() == entry["values"].keys()
    for output, golden in entry["values"].items():
        near = 1e-3 * golden[-1]
        np.testing.assert_allclose(picked(found[output]), golden, rtol=1e-3, atol=near)
