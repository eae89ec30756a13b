"""Logarithms that lose nothing, and what they are refused of."""

from __future__ import annotations

import numpy as np
import pytest

from compiler.driver import check_training, load
from compiler.training.layout import LOSS
from grammar.source import Source
from runtime.training_step import run_step
from tests.gradients.steps import first_feeds, training_of


def training(expression: str) -> str:
    """A training that minimises an expression of `z`, which may be any number."""
    return f"""net f {{
    input x: f32[3, 4, 4]
    conv(2, 1x1, bias=false)
    output z
}}
train t {{
    data x: f32[3, 4, 4]
    z = f(x)
    minimize {expression}
    update f with sgd(0.1)
    batch 2; epochs 1
}}
"""


STABLE = """
log(sigmoid(z))
log(1 - sigmoid(z))
log(flatten(sigmoid(z)))
log(1 - flatten(sigmoid(z)))
log(flatten(1 - reshape(sigmoid(z), [4, 2, 4])))
log(softmax(z))
log(exp(z))
log(sigmoid(-z))
""".strip().splitlines()


@pytest.mark.parametrize("expression", STABLE)
def test_a_logarithm_loses_nothing_far_from_zero(expression: str) -> None:
    (step,) = training_of(training(f"mean({expression})")).steps
    feeds = first_feeds(step)
    feeds["x"] = np.float32(1e4) * feeds["x"]
    found = [float(run_step(step, feeds, dtype).outputs[LOSS]) for dtype in (np.float32, float)]
    assert np.isfinite(found).all() and abs(found[0]) > 50
    np.testing.assert_allclose(found[0], found[1], rtol=1e-5)


NEVER_NEGATIVE = """
sigmoid(z)
softmax(z) * sigmoid(z)
softplus(z)
exp(z)
abs(z) + 1
square(z) + abs(z)
1 - sigmoid(z) * softmax(z)
1 - gap(sigmoid(z))
1 - hardsigmoid(z)
clip(z, 0.1, 1)
1 - clip(z, 0, 0.9)
0.5 * exp(z)
""".strip().splitlines()
NEGATIVE = """
z
tanh(z)
-exp(z)
exp(z) - 1
1 - exp(z)
1 - sum(sigmoid(z))
1 - 2 * sigmoid(z)
1 - clip(z, 0, 2)
clip(z, -1, 1)
1 - (sigmoid(z) + sigmoid(z))
exp(z) * z
""".strip().splitlines()


@pytest.mark.parametrize("expression", NEVER_NEGATIVE)
def test_what_is_never_negative_has_a_logarithm(expression: str) -> None:
    (step,) = training_of(training(f"mean(log({expression}))")).steps
    assert np.isfinite(run_step(step, first_feeds(step)).outputs[LOSS]).all()


@pytest.mark.parametrize("expression", NEGATIVE)
def test_what_may_be_negative_has_none(expression: str) -> None:
    (item,) = load(Source("t.netdef", training(f"mean(log({expression}))"))).trainings()
    checked = check_training(item)
    assert [found.code for found in checked.diagnostics] == ["E705"]
