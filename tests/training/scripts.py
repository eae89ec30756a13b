"""Trainings whose PyTorch scripts are golden files, and are held against `netc train`."""

from __future__ import annotations

from tests.training.definitions import GAN, NET, NORMED, TRAIN

# No biases before the norms: their gradient is nothing but rounding, by whose size Adam divides.
BACKBONE = """
net backbone {
    input image: f32[1, 8, 8]
    conv(4, 3x3, pad=1, bias=false) as c1 -> bn as b1 -> relu
    conv(6, 3x3, stride=2, pad=1, bias=false) as c2 -> bn as b2 -> relu
    output features
    gap -> flatten -> dense(10) as logits
    output probs = softmax
}
net teacher {
    input image: f32[1, 8, 8]
    conv(3, 3x3, pad=1) -> bn -> relu -> gap -> flatten -> dense(10) as scores
    output probs = softmax
}
"""


def trained(body: str, data: str = "image: f32[1, 8, 8], label: class[10]") -> str:
    """A training of `backbone` with this body."""
    return f"train t {{\n    data {data}\n    {body}\n}}\n"


CLASSIFY = "s = backbone(image); minimize cross_entropy(s.logits, label)\n"
FROZEN = BACKBONE + trained(
    CLASSIFY
    + """    report accuracy(s.logits, label, top=2) as top2
    update backbone only "c2.*", "b2.*", "logits.*" with sgd(steps(0.1, at=[1, 2], by=0.5),
        momentum=0.9, nesterov=true, decay=1e-3)
    batch 12; epochs 3"""
)
DISTILLED = BACKBONE + trained(
    """s = backbone(image)
    t = teacher(image)
    minimize 0.5 * cross_entropy(s.logits, label, smoothing=0.1) + kl(t.probs, s.probs)
    report accuracy(s.logits, label), mse(s.probs, t.probs) as apart
    update backbone with adamw(warmup(cosine(1e-2, to=1e-4), epochs=1), clip=0.5, decay=0.1,
        decay_all=false, average=0.9)
    batch 8; epochs 3; accumulate 2"""
)
AUGMENTED = BACKBONE + trained(
    """augment image: crop(8, pad=1) -> flip -> rotate(10) -> colour -> erase -> mixup(0.3)
"""
    + CLASSIFY
    + """    update backbone with rmsprop(exponential(1e-3, by=0.9), momentum=0.5, clip_value=0.1)
    batch 10; epochs 2"""
)
PICTURES = """
net tiny {
    input image: f32[3, 8, 8]
    flatten -> dense(3) as logits
    output probs = softmax
}
train t(least=0.0) {
    data image: f32[3, 8, 8] from picture(resize=10, crop=8, mean=[0.4, 0.5, 0.6], std=0.2)
    data label: class[3]
    augment image: shift(1) -> pca_colour
    s = tiny(image)
    minimize cross_entropy(s.logits, label)
    report accuracy(s.logits, label)
    update tiny with lion(plateau(1e-3, by=0.5, patience=1), decay=0.1)
    batch 6; epochs 2
    expect accuracy >= least, loss < 100
}
"""
LOSSES = """
net f {
    input x: f32[5]
    dense(8) -> tanh -> dense(5)
    output y
}
net g {
    input x: f32[5]
    dense(5) -> sigmoid
    output y
}
train t {
    data x: f32[5], target: f32[5]
    noise z: f32[5] uniform
    y = f(x)
    share = g(x + 0.1 * z)
    minimize huber(y, target, delta=0.5) + mae(y, x) / 2 + hinge(y, target) + bce(share, abs(z))
    report mean(exp(-abs(y))) as small, sum(square(y)) as power, bce(share, 1) as ones
    update f with adam(1e-2)
    update g with sgd(0.1)
    batch 7; epochs 2
}
"""
SCRIPTS = {
    "plain": NET + TRAIN,
    "normed": (NORMED + TRAIN).replace("adam(rate)", "sgd(rate)"),
    "gan": GAN,
    "frozen": FROZEN,
    "distilled": DISTILLED,
    "augmented": AUGMENTED,
    "pictures": PICTURES,
    "losses": LOSSES,
}
GOLDEN = ("plain", "gan", "pictures")  # of these the scripts are kept whole
