"""A whole training step: ONNX Runtime against NumPy, and by hand."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from compiler.onnx.step import build_step
from compiler.training.layout import layout_of
from compiler.training.optimisers import OPTIMISERS, Optimiser
from runtime.training_step import run_step
from tests.gradients.onnxcheck import session_of
from tests.gradients.steps import check_step, first_feeds, training_of
from tests.opcheck import make

NET = """
net tiny {
    input image: f32[2, 8, 8]
    conv(4, 3x3, pad=1, bias=false) -> bn(momentum=0.3) -> relu -> maxpool(2) -> dropout(0.25)
    flatten -> dense(3) as logits
    output probs = softmax
}
"""
TRAIN = """
train t {{
    data image: f32[2, 8, 8], label: class[3]
    scores = tiny(image)
    minimize cross_entropy(scores.logits, label)
    report accuracy(scores.logits, label)
    update tiny with {optimiser}
    batch 4; epochs 1
}}
"""

OPTIMISED: list[tuple[str, dict[str, Any]]] = [
    ("sgd", {"rate": 0.1}),
    ("sgd", {"rate": 0.1, "momentum": 0.9, "decay": 0.1}),
    ("sgd", {"rate": 0.1, "momentum": 0.9, "nesterov": True}),
    ("adam", {"decay": 0.1, "decay_all": False, "average": 0.5}),
    ("adam", {"clip": 0.1}),
    ("adamw", {"decay": 0.2}),
    ("rmsprop", {"decay": 0.1}),
    ("rmsprop", {"momentum": 0.5, "clip_value": 0.01}),
    ("lion", {"decay": 0.1}),
]


def optimiser(name: str, arguments: dict[str, Any]) -> Optimiser:
    """An optimiser with these arguments."""
    return make(OPTIMISERS[name], **arguments)  # type: ignore[type-var]


@pytest.mark.parametrize(("name", "arguments"), OPTIMISED)
def test_every_optimiser_moves_as_numpy_does(name: str, arguments: dict[str, Any]) -> None:
    (plan,) = training_of(NET + TRAIN.format(optimiser="sgd(0.1)")).steps
    (update,) = plan.updates
    moved = replace(update, optimiser=optimiser(name, arguments))
    check_step(replace(plan, updates=(moved,)))


def test_a_net_learns_its_batch() -> None:
    (plan,) = training_of(NET + TRAIN.format(optimiser="adam(0.01)")).steps
    losses = check_step(plan, steps=12)
    assert losses[-1] < losses[0] / 2


def test_running_statistics_and_masks_are_part_of_the_step() -> None:
    (plan,) = training_of(NET + TRAIN.format(optimiser="sgd(0.1)")).steps
    layout = layout_of(plan)
    assert layout.buffers == ("tiny.bn1.running_mean", "tiny.bn1.running_var")
    assert {name: mask.p for name, mask in layout.masks.items()} == {"tiny.dropout1/mask": 0.25}
    assert layout.batch == ("image", "label")


def test_the_model_says_what_it_takes_and_gives() -> None:
    (plan,) = training_of(NET + TRAIN.format(optimiser="sgd(0.1, momentum=0.9)")).steps
    model = build_step(plan)
    said = json.loads(next(p.value for p in model.metadata_props if p.key == "netc.step"))
    given = {info.name for info in model.graph.input}
    named = [*said["batch"], *said["masks"], *said["parameters"], *said["states"], *said["rates"]]
    assert {*named, said["step"]} == given
    made = {info.name for info in model.graph.output}
    assert {*said["next"].values(), *said["reports"], said["loss"], said["gradient_norm"]} == made
    assert said["next"]["tiny.logits.bias/momentum"] == "tiny.logits.bias/momentum/next"


GAN = """
net generator { input z: f32[3]
    dense(8) -> bn -> relu -> dense(4)
    output picture = tanh
}
net discriminator { input picture: f32[4]
    dense(6) -> leaky_relu(0.2) -> dense(1)
    output real = sigmoid
}
train gan {
    let G = generator
    let D = discriminator
    data x: f32[4]
    noise z: f32[3] normal
    step {
        maximize log(D(x)) + log(1 - D(G(z)))
        update D with adam(0.01)
    }
    step {
        minimize log(1 - D(G(z)))
        update G with adam(0.01)
    }
    batch 4; epochs 1
}
"""


def test_two_nets_learn_against_each_other() -> None:
    training = training_of(GAN)
    for plan in training.steps:
        layout = layout_of(plan)
        owner = "discriminator" if plan.maximize else "generator"
        assert {name.partition(".")[0] for name in layout.learned} == {owner}
        first, *_, last = check_step(plan, steps=8)
        assert (last > first) == plan.maximize


def test_a_step_by_hand() -> None:
    text = """
    net line { input x: f32[1]
        dense(1) as d
        output y
    }
    train fit {
        data x: f32[1], t: f32[1]
        minimize mse(line(x), t)
        update line with sgd(0.1)
        batch 2; epochs 1
    }
    """
    (plan,) = training_of(text).steps
    feeds = first_feeds(plan, batch=2)
    feeds |= {
        "x": np.array([[1], [2]], np.float32),
        "t": np.array([[0], [0]], np.float32),
        "rate": np.asarray(0.1, dtype=np.float32),
    }
    feeds |= {
        "line.d.weight": np.array([[1]], np.float32),
        "line.d.bias": np.array([1], np.float32),
    }
    session = session_of(build_step(plan))
    taken = {given.name: feeds[given.name] for given in session.get_inputs()}
    names = [output.name for output in session.get_outputs()]
    found = dict(zip(names, session.run(names, taken), strict=True))
    # y = 2, 3: loss (4 + 9)/2; by w 2*2*1/2 + 2*3*2/2 = 8, by b 2*2/2 + 2*3/2 = 5.
    assert found["loss"] == 6.5
    assert found["line.d.weight/next"].tolist() == [[pytest.approx(0.2)]]
    assert found["line.d.bias/next"].tolist() == [pytest.approx(0.5)]
    assert found["gradient_norm"] == pytest.approx(np.sqrt(64 + 25))
    assert run_step(plan, feeds).outputs["loss"] == 6.5


def test_a_relu_before_a_pooling_is_passed_with_less_work() -> None:
    (plan,) = training_of(NET + TRAIN.format(optimiser="sgd(0.1)")).steps
    feeds = first_feeds(plan)
    feeds["image"] = np.round(feeds["image"])  # equal maxima
    model, shown = build_step(plan), build_step(plan, show=True)
    of_relu = [node.op_type for node in model.graph.node if "/tiny.relu1/" in node.name]
    assert of_relu == []
    names = [info.name for info in model.graph.output]
    once, again = (session_of(m).run(names, feeds) for m in (model, shown))
    for name, expected, found in zip(names, once, again, strict=True):
        np.testing.assert_array_equal(found, expected, err_msg=name)


def test_a_relu_that_others_take_as_well_has_a_derivative_of_its_own() -> None:
    net = """
net tiny {
    input image: f32[2, 8, 8]
    conv(4, 3x3, pad=1) -> relu
    add { maxpool(2); avgpool(2) }
    flatten -> dense(3) as logits
    output probs = softmax
}
"""
    (plan,) = training_of(net + TRAIN.format(optimiser="sgd(0.1)")).steps
    check_step(plan)
