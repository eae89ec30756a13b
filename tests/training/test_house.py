"""The formatter's house style for trainings."""

from __future__ import annotations

from grammar.format import format_source
from grammar.source import Source

LOOSE = """train   a( x = 1 ){
data image :f32[1,28,28],label :class[10]
noise z:f32[ 3 ]normal
augment image :shift(2)->flip  # moved
s=image->lenet5
minimize -log ( s.probs )*2+ (3)
report accuracy ( s.logits,label )as top1
update lenet5  only "c*","d*"with adam(1e-3 )
show s  grid 8x8 as x
batch 3;epochs   2
}
"""
NEAT = """train a(x=1) {
    data image: f32[1, 28, 28], label: class[10]
    noise z: f32[3] normal
    augment image: shift(2) -> flip  # moved
    s = image -> lenet5
    minimize -log(s.probs) * 2 + (3)
    report accuracy(s.logits, label) as top1
    update lenet5 only "c*", "d*" with adam(1e-3)
    show s grid 8x8 as x
    batch 3; epochs 2
}
"""


def formatted(text: str) -> str:
    return format_source(Source("t.netdef", text))


def test_a_training_is_brought_into_the_house_style_once_and_for_all() -> None:
    assert formatted(LOOSE) == NEAT
    assert formatted(NEAT) == NEAT


def test_the_words_of_a_training_are_spaced_as_names_in_a_net() -> None:
    text = "net n {\n    input data: f32[3]\n    data : [3]\n    batch(2) -> relu\n}\n"
    assert formatted(text) == text
