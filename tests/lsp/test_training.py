"""What the editor knows of trainings: proposals, words under the mouse, the outline, renaming."""

from __future__ import annotations

from pathlib import Path

import pytest

from compiler.driver import check_training, load
from grammar.source import Source
from netc.lsp.completion import complete
from netc.lsp.context import context_at
from netc.lsp.hover import hover
from netc.lsp.rename import RenameRefused, rename
from netc.lsp.symbols import outline
from tests.lsp.texts import alone, analysed, file_of, folder, marked
from tests.training.definitions import GAN, NET, TRAIN

TEXT = NET + TRAIN
LINES = TEXT.splitlines()


def labels(text: str) -> set[str]:
    plain = text.replace("|", "")
    return {i.label for i in complete(alone(), analysed(TEXT), plain, text.index("|")).items}


def in_training(line: str) -> str:
    return TEXT.replace("    batch 32; epochs 3", f"    {line}")


@pytest.mark.parametrize(
    ("line", "there", "absent"),
    [
        ("|", {"minimize", "update", "data", "repeat"}, {"conv", "output"}),
        ("data x: |", {"f32", "class"}, {"minimize"}),
        ("noise z: f32[3] |", {"normal", "uniform"}, {"f32"}),
        ("augment image: |", {"crop", "flip", "mixup"}, {"relu"}),
        ("augment image: flip -> |", {"crop"}, {"relu"}),
        ("minimize |", {"cross_entropy", "mse", "mean", "tiny", "image"}, {"adam", "conv"}),
        ("minimize mse(|", {"image", "cross_entropy", "scores"}, set()),
        ("y = |", {"tiny", "log"}, {"minimize"}),
        ("update |", {"tiny"}, {"image", "minimize"}),
        ("update tiny |", {"with", "only"}, {"tiny"}),
        ("update tiny with |", {"adam", "sgd"}, {"mse"}),
        ("update tiny with adam(|", {"rate", "cosine", "beta1=", "clip="}, set()),
    ],
)
def test_what_fits_a_place_of_a_training_is_proposed(
    line: str, there: set[str], absent: set[str]
) -> None:
    found = labels(in_training(line))
    assert there <= found
    assert not absent & found


def test_a_training_is_proposed_at_the_top_and_its_words_not_in_nets() -> None:
    assert "train" in labels("|")
    assert "minimize" not in labels("net n {\n    |")
    assert context_at(TEXT, TEXT.index("conv")).trains is False


def test_words_of_a_training_have_their_meaning() -> None:
    def said(text: str) -> str:
        analysis, offset = marked(text)
        found = hover(alone(), analysis, offset)
        return "" if found is None else found.text

    assert "-log softmax(logits)[label]" in said(TEXT.replace("cross_entropy(", "cross|_entropy("))
    assert "adam(rate=0.001, beta1=0.9" in said(TEXT.replace("adam(", "ad|am("))
    assert "net tiny()" in said(TEXT.replace("tiny(image)", "ti|ny(image)"))
    assert "data image: f32[1, 8, 8]" in said(TEXT.replace("tiny(image)", "tiny(im|age)"))
    assert "train t(rate=1e-2)" in said(TEXT.replace("train t(", "train |t("))


def test_the_outline_has_trainings_with_their_data() -> None:
    symbols = {symbol.name: symbol for symbol in outline(analysed(GAN))}
    gan = symbols["gan"]
    assert (gan.kind, gan.detail) == ("train", "(k=2)")
    assert [(c.name, c.kind) for c in gan.children] == [
        ("G", "let"),
        ("D", "let"),
        ("x", "data"),
        ("z", "noise"),
    ]


def test_the_uses_of_a_net_in_a_training_are_uses() -> None:
    names = analysed(TEXT).names
    (tiny,) = [d for d in names.definitions if d.name == "tiny"]
    (image,) = [d for d in names.definitions if d.name == "image" and d.kind == "data"]
    assert [use.span.line for use in names.uses_of(tiny)] == [
        1 + LINES.index("    scores = tiny(image)"),
        1 + LINES.index("    update tiny with adam(rate)"),
    ]
    assert len(names.uses_of(image)) == 1


@pytest.mark.parametrize(
    ("text", "place", "old", "new", "lines"),
    [
        (TEXT, "tiny(image)", "tiny", "small", 3),
        (TEXT, "scores = ", "scores", "found", 3),
        (TEXT, "label: class", "label", "digit", 3),
        (TEXT, "rate=1e-2", "rate", "speed", 2),
        (GAN, "G = generator", "G", "H", 5),
        (GAN, "z: f32[4] normal", "z", "draw", 4),
        (GAN, "k=2", "k", "times", 2),
    ],
)
def test_a_name_of_a_training_is_renamed_wherever_it_means_that(
    text: str, place: str, old: str, new: str, lines: int
) -> None:
    at = text.index(place)
    analysis, project = analysed(text), alone()
    edits = rename(project, project.text_of(analysis), at, new)
    assert all(text[edit.span.start : edit.span.end] == old for edit in edits)
    assert len({edit.span.line for edit in edits}) == lines
    changed = text
    for edit in sorted(edits, key=lambda e: -e.span.start):
        changed = changed[: edit.span.start] + new + changed[edit.span.end :]
    (item,) = load(Source("renamed.netdef", changed)).trainings()
    assert check_training(item).diagnostics == ()


def test_a_tensor_that_a_training_takes_by_its_dot_keeps_its_name() -> None:
    project, here = alone(), analysed(TEXT)
    with pytest.raises(RenameRefused, match="names no tensor `logits`"):
        rename(project, project.text_of(here), TEXT.index("logits\n"), "numbers")


def test_a_net_is_renamed_in_the_trainings_of_other_files(tmp_path: Path) -> None:
    using = 'use tiny from "net.netdef"\n' + TRAIN
    project = folder(tmp_path, net=NET, training=using)
    edits = rename(project, file_of(project, tmp_path, "net"), NET.index("tiny"), "small")
    assert sorted((e.span.source.name, e.span.text) for e in edits) == [
        ("net.netdef", "tiny"),
        *[("training.netdef", "tiny")] * 3,
    ]
