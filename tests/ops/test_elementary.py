"""abs, exp, log and power."""

from __future__ import annotations

import numpy as np
import pytest

from compiler.ops.elementary import Absolute, Exponential, Logarithm, Power
from tests.opcheck import apply, check, make


def test_hand_computed_values() -> None:
    x = [-2.0, 0.0, 3.0]
    assert apply(make(Absolute), x) == [2, 0, 3]
    np.testing.assert_allclose(apply(make(Exponential), [0.0, 1.0]), [1, np.e], rtol=1e-6)
    np.testing.assert_allclose(apply(make(Logarithm), [1.0, np.e]), [0, 1], atol=1e-6)
    assert apply(make(Power, 2), x) == [4, 0, 9]
    np.testing.assert_allclose(apply(make(Power, -0.5), [4.0, 0.25]), [0.5, 2])


@pytest.mark.parametrize("exponent", [-1, 0.5, 2, 3])
def test_powers_agree_with_onnx_runtime(exponent: float) -> None:
    x = np.random.default_rng(0).uniform(0.5, 2, (2, 3, 4)).astype(np.float32)
    result = check(make(Power, exponent), (3, 4), inputs=(x,))
    np.testing.assert_allclose(result.reference, x.astype(np.float64) ** exponent)


def test_outside_of_a_domain_there_is_no_number_and_no_complaint() -> None:
    with np.errstate(all="raise"):
        assert np.isnan(apply(make(Logarithm), [-1.0])[0])
        assert np.isinf(apply(make(Power, -1), [0.0])[0])
        assert np.isinf(apply(make(Exponential), [1e4])[0])


def test_a_power_must_be_a_number() -> None:
    with pytest.raises(ValueError, match="must be a number"):
        make(Power, "two")
